/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * threads.c: the core with real threads, for ThreadSanitizer.
 *
 *   threads ROUNDS SEED
 *
 * Each vCPU makes so many rounds: it edits tables in addresses of its own,
 * invalidates what it changed, waits, and looks at what its device reaches.
 * Meanwhile a sidecore polls, timers fire, memory comes and goes, the toolstack
 * plugs devices and changes settings, requests fault, and devices access what
 * they can. How much of each is done depends on the rounds, not on time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "intremap.h"
#include "world.h"

static unsigned int rounds, total;
static uint64_t seed;
static volatile unsigned int progress;   /* rounds of all vCPUs that are done */
static volatile unsigned int stop;

static struct domain sidecore = { .domain_id = 100 };
/* Held while its vCPU runs, and by whoever has paused it. */
static pthread_mutex_t sidecore_runs = PTHREAD_MUTEX_INITIALIZER;

/* The n-th of so many steps; as far as the vCPUs are. */
static void keep_pace(unsigned int n, unsigned int of)
{
    while ( quiet_get(&progress) < (uint64_t)n * total / of )
        usleep(100);
}

/* ---- The driver's tables ---- */

/*
 * Table 0 has four levels, and 32 pages for each vCPU, 64 apart; table 1 has
 * three, and 16. Of each vCPU's leaf tables there is one for each four pages.
 */
#define TABLES_OF   12U      /* leaf tables of a vCPU, of both tables */
#define OTHER_PLACE (NR_VCPUS * TABLES_OF) /* a leaf table's other place */

static __thread bool elsewhere[TABLES_OF];

/* Pages of table 0 that the vCPU has mapped, and not unmapped since. */
static __thread bool may_reach[32];

struct range {
    unsigned int table, first, pages;
};

static struct range range_of(unsigned int vcpu, unsigned int table)
{
    return table ? (struct range){ table, vcpu * 16, 16 }
                 : (struct range){ table, vcpu * 64, 32 };
}

static unsigned int l3_of(const struct range *r)
{
    return r->table ? G_TABLES + 1 : G_TABLES + 2 + cpu.vcpu;
}

static unsigned int l2_of(const struct range *r, unsigned int page)
{
    return r->table ? G_TABLES + 11 + cpu.vcpu
                    : G_TABLES + 5 + 2 * cpu.vcpu + page / 16 % 2;
}

static unsigned int l1_of(const struct range *r, unsigned int page)
{
    unsigned int i = r->table ? 8 + page / 4 % 4 : page / 4 % 8;

    return G_POOL + cpu.vcpu * TABLES_OF + i +
           (elsewhere[i] ? OTHER_PLACE : 0);
}

#define RW       (VTD_PTE_R | VTD_PTE_W)
#define LINK(gfn) (PAGE(gfn) | RW)

/* The pages that changed. */
struct changed {
    unsigned int first, last;
};

static void changes(struct changed *c, unsigned int page, unsigned int n)
{
    page &= ~(n - 1);
    c->first = min(c->first, page);
    c->last = max(c->last, page + n - 1);
}

static void note(const struct range *r, unsigned int page, unsigned int n,
                 bool may)
{
    if ( !r->table )
        memset(may_reach + (page % 32 & ~(n - 1)), may, n);
}

static void clear_table(unsigned int gfn)
{
    unsigned int i;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        guest_write(cpu.w, gfn, i, 0);
}

/* There are tables down to the leaf of a page, and no superpage. */
static void make_path(const struct range *r, unsigned int page,
                      struct changed *c)
{
    const uint64_t l2 = LINK(l2_of(r, page)), l1 = LINK(l1_of(r, page));

    if ( guest_read(cpu.w, l3_of(r), page / 16 % 4) != l2 )
    {
        clear_table(l2_of(r, page));
        guest_write(cpu.w, l3_of(r), page / 16 % 4, l2);
        changes(c, page, 16);
        note(r, page, 16, false);
    }
    if ( guest_read(cpu.w, l2_of(r, page), page / 4 % 4) != l1 )
    {
        clear_table(l1_of(r, page));
        guest_write(cpu.w, l2_of(r, page), page / 4 % 4, l1);
        changes(c, page, 4);
        note(r, page, 4, false);
    }
}

static void set_leaf(const struct range *r, unsigned int page, uint64_t entry,
                     struct changed *c)
{
    make_path(r, page, c);
    guest_write(cpu.w, l1_of(r, page), page % 4, entry);
    changes(c, page, 1);
    note(r, page, 1, entry);
}

static uint64_t some_rights(void)
{
    return rnd(4) ? RW : rnd(2) ? VTD_PTE_R : VTD_PTE_W;
}

static void map_some(const struct range *r, struct changed *c)
{
    unsigned int n = 1 + rnd(8), page = rnd(r->pages - n + 1);
    unsigned int gfn = G_BIG + rnd(NR_GFNS - G_BIG - n);

    for ( ; n--; page++, gfn++ )
        set_leaf(r, r->first + page, PAGE(gfn) | some_rights(), c);
}

static void unmap_some(const struct range *r, struct changed *c)
{
    unsigned int n = 1 + rnd(16), page = rnd(r->pages - n + 1);

    for ( ; n--; page++ )
        set_leaf(r, r->first + page, 0, c);
}

static void map_superpage(const struct range *r, struct changed *c)
{
    unsigned int page = r->first + rnd(r->pages);

    if ( rnd(2) )
    {
        guest_write(cpu.w, l3_of(r), page / 16 % 4,
                    PAGE(G_BIG + 16 * rnd(4)) | VTD_PTE_SP | some_rights());
        changes(c, page, 16);
        note(r, page, 16, true);
        return;
    }
    make_path(r, page, c);
    guest_write(cpu.w, l2_of(r, page), page / 4 % 4,
                PAGE(G_BIG + 4 * rnd(16)) | VTD_PTE_SP | some_rights());
    changes(c, page, 4);
    note(r, page, 4, true);
}

/* Everything of a few pages goes, tables too. */
static void unmap_block(const struct range *r, struct changed *c)
{
    unsigned int page = r->first + rnd(r->pages);

    guest_write(cpu.w, l3_of(r), page / 16 % 4, 0);
    changes(c, page, 16);
    note(r, page, 16, false);
}

/* A leaf table moves, with what is in it. */
static void move_table(const struct range *r, struct changed *c)
{
    unsigned int page = r->first + rnd(r->pages), i, from, to;

    make_path(r, page, c);
    from = l1_of(r, page);
    i = r->table ? 8 + page / 4 % 4 : page / 4 % 8;
    elsewhere[i] = !elsewhere[i];
    to = l1_of(r, page);
    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        guest_write(cpu.w, to, i, guest_read(cpu.w, from, i));
    guest_write(cpu.w, l2_of(r, page), page / 4 % 4, LINK(to));
    changes(c, page, 4);
}

/* ---- The driver's commands ---- */

#define DESC_IOTLB(granu, did) \
    (0x2ULL | (granu) << 4 | 0xc0 | (uint64_t)(did) << 16)
#define DESC_CONTEXT(granu, did, sid) \
    (0x1ULL | (granu) << 4 | (uint64_t)(did) << 16 | (uint64_t)(sid) << 32)
#define GRANU_GLOBAL 1ULL
#define GRANU_DOMAIN 2ULL
#define GRANU_PAGE   3ULL

static unsigned int did_of(unsigned int table)
{
    return 1 + table;
}

/* queue_lock held. */
static void put(uint64_t lo, uint64_t hi)
{
    const unsigned int tail = quiet_get(&cpu.w->tail);

    guest_write(cpu.w, G_QUEUE, 2 * tail, lo);
    guest_write(cpu.w, G_QUEUE, 2 * tail + 1, hi);
    quiet_set(&cpu.w->tail, (tail + 1) % NR_DESC);
}

/* Without a lock, and whatever others do: it is the end. */
__attribute__((no_sanitize("thread")))
static void stuck(const struct viommu *vi)
{
    fprintf(stderr, "IQT %#x, shown %#x, in the page %#x; FSTS %#x; head %#x, "
            "command %u done %u, live %u work %u, deferred %#lx, end %u, "
            "IOTLB %#x CCMD %#x, refused: status %lu queue %lu\n",
            vi->regs[VTD_IQT / 4], vi->inbox.shown[VTD_IQT / 4],
            vi->inbox.page[VTD_IQT / 4], vi->regs[VTD_FSTS / 4],
            vi->queue_head, vi->cmd.op, vi->cmd.done, vi->inbox.live,
            vi->inbox.work, vi->deferred[0], vi->stale.end,
            vi->regs[VTD_IOTLB / 4 + 1], vi->regs[VTD_CCMD / 4 + 1],
            (unsigned long)vi->count[XEN_VIOMMU_CNT_rej_status],
            (unsigned long)vi->count[XEN_VIOMMU_CNT_rej_queue]);
    FAIL("a command of vCPU %u does not complete", cpu.vcpu);
}

/*
 * A vCPU waits, and does what it is told meanwhile. No command may take for
 * ever: not that much time passes, nor does anybody look that often.
 */
static void wait_some(unsigned int *looks)
{
    if ( ++*looks > 20000000 )
        stuck(&cpu.w->vi);
    if ( !(*looks % 10000) && (reg_read(VTD_FSTS, 4) & VTD_FSTS_IQE) )
        FAIL("the queue failed");
    process_pending();
    pause_a_bit();
}

static void submit(const uint64_t (*desc)[2], unsigned int n)
{
    static __thread uint32_t sequence;
    unsigned int status = G_STATUS + cpu.vcpu, looks = 0, i;

    sequence++;
    quiet_lock(&cpu.w->queue_lock);
    for ( i = 0; i < n; i++ )
        put(desc[i][0], desc[i][1]);
    put(0x25ULL | (uint64_t)sequence << 32, PAGE(status));
    reg_write(VTD_IQT, 4, quiet_get(&cpu.w->tail) * 16);
    quiet_unlock(&cpu.w->queue_lock);

    while ( (uint32_t)guest_read(cpu.w, status, 0) != sequence )
        wait_some(&looks);
}

static void submit_one(uint64_t lo, uint64_t hi)
{
    const uint64_t desc[1][2] = { { lo, hi } };

    submit(desc, 1);
}

/* By the registers, one at a time. */
static void register_command(unsigned int offset, uint64_t value, uint64_t iva)
{
    unsigned int looks = 0;

    quiet_lock(&cpu.w->register_lock);
    if ( offset == VTD_IOTLB )
        reg_write(VTD_IVA, 8, iva);
    reg_write(offset, 8, value | 1ULL << 63);
    while ( reg_read(offset, 8) >> 63 )
        wait_some(&looks);
    quiet_unlock(&cpu.w->register_lock);
}

/* The smallest block with all that changed. */
static uint64_t page_and_mask(const struct changed *c)
{
    unsigned int am = flsl(c->first ^ c->last);

    return PAGE(c->first & ~((1U << am) - 1)) | am;
}

static void invalidate(const struct range *r, const struct changed *c)
{
    const unsigned int did = did_of(r->table);

    switch ( rnd(8) )
    {
    case 0:
        submit_one(DESC_IOTLB(GRANU_GLOBAL, 0), 0);
        break;

    case 1:
        submit_one(DESC_IOTLB(GRANU_DOMAIN, did), 0);
        break;

    case 2:
        register_command(VTD_IOTLB, MASK_INSR(GRANU_PAGE, VTD_IOTLB_IIRG) |
                         MASK_INSR((uint64_t)did, VTD_IOTLB_DID),
                         page_and_mask(c));
        break;

    case 3:
    {
        /* Several before one wait. */
        const uint64_t desc[3][2] = {
            { DESC_IOTLB(GRANU_PAGE, did), page_and_mask(c) },
            { DESC_IOTLB(GRANU_PAGE, did), PAGE(r->first) },
            { DESC_IOTLB(GRANU_PAGE, 3 - did), PAGE(r->first) },
        };

        submit(desc, 3);
        break;
    }

    default:
        submit_one(DESC_IOTLB(GRANU_PAGE, did), page_and_mask(c));
        break;
    }
}

/* As somebody does who looks for a mistake. */
static void look_at_registers(void)
{
    unsigned int i;

    for ( i = 0; i < 8; i++ )
        (void)reg_read(rnd(VIOMMU_REGS_SIZE / 8) * 8, rnd(2) ? 4 : 8);
}

/* Device 1 gets another context. Of vCPU 0 only. */
static void switch_context(void)
{
    const unsigned int devfn = device_vsbdf(1), kind = rnd(4);
    uint64_t lo = 0, hi = 0;

    switch ( kind )
    {
    case 0:
        break;

    case 1:
        lo = VTD_CTX_P | MASK_INSR((uint64_t)VTD_TT_PASS_THROUGH, VTD_CTX_TT);
        hi = 2 | did_of(1) << 8;
        break;

    default:
        lo = PAGE(G_TABLES + 3 - kind) | VTD_CTX_P;
        hi = (kind == 2 ? 1 : 2) | did_of(3 - kind) << 8;
        break;
    }

    guest_write(cpu.w, G_CONTEXT, 2 * devfn, 0);
    guest_write(cpu.w, G_CONTEXT, 2 * devfn + 1, hi);
    guest_write(cpu.w, G_CONTEXT, 2 * devfn, lo);
    if ( rnd(3) )
        submit_one(rnd(2) ? DESC_CONTEXT(GRANU_PAGE, did_of(1), devfn)
                          : DESC_CONTEXT(GRANU_GLOBAL, 0, 0), 0);
    else
        register_command(VTD_CCMD, MASK_INSR(GRANU_GLOBAL, VTD_CCMD_CIRG), 0);
}

/* What an interrupt handler does. Of vCPU 0 only. */
static void handle_faults(void)
{
    uint32_t fsts = reg_read(VTD_FSTS, 4);
    unsigned int i;

    if ( fsts & (VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE) )
        FAIL("FSTS is %#x", fsts);
    if ( fsts & VTD_FSTS_PPF )
        for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
            if ( reg_read(VTD_FRCD + i * VTD_FRCD_SIZE + 8, 8) &
                 VTD_FRCD_HI_F )
                reg_write(VTD_FRCD + i * VTD_FRCD_SIZE + 8, 8, VTD_FRCD_HI_F);
    if ( fsts & VTD_FSTS_PFO )
        reg_write(VTD_FSTS, 4, VTD_FSTS_PFO);
    reg_write(VTD_FECTL, 4, rnd(2) ? VTD_EVENT_IM : 0);
}

/*
 * ---- Interrupts are remapped ----
 *
 * The table has two pages, and is at two places in turn, whose pages come and
 * go as all others do. Of vCPU 0 only.
 */
#define IRT_PAGES   2
#define IRT_PLACE(n) (G_BIG + 8 * (n))
#define IRTE(n)     (1ULL | (uint64_t)(0x20 + (n) % 0x80) << 16)

static void remap_round(void)
{
    static __thread unsigned int place;
    unsigned int i = rnd(IRT_PAGES * 256), looks = 0;

    guest_write(cpu.w, IRT_PLACE(place) + i / 256, i % 256 * 2 + 1, 0);
    guest_write(cpu.w, IRT_PLACE(place) + i / 256, i % 256 * 2,
                rnd(4) ? IRTE(i) : 0);
    submit_one(0x4, 0);
    if ( rnd(4) )
        return;

    place = !place;
    reg_write(VTD_IRTA, 8, PAGE(IRT_PLACE(place)) | 8);
    reg_write(VTD_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SIRTP |
                           (rnd(4) ? VTD_GCMD_IRE : 0));
    while ( !(reg_read(VTD_GSTS, 4) & VTD_GCMD_SIRTP) )
        wait_some(&looks);
}

static volatile unsigned int remapped, dropped;

static void driver_start(void)
{
    struct world *w = cpu.w;
    unsigned int i, looks = 0;

    guest_write(w, G_ROOT, 0, PAGE(G_CONTEXT) | VTD_ROOT_P);
    for ( i = 0; i < NR_DEVICES; i++ )
    {
        unsigned int devfn = device_vsbdf(i), table = i == 1;

        guest_write(w, G_CONTEXT, 2 * devfn + 1,
                    (table ? 1 : 2) | did_of(table) << 8);
        guest_write(w, G_CONTEXT, 2 * devfn,
                    PAGE(G_TABLES + table) | VTD_CTX_P);
    }
    for ( i = 0; i < w->vcpus; i++ )
        guest_write(w, G_TABLES, i, LINK(G_TABLES + 2 + i));

    reg_write(VTD_IQA, 8, PAGE(G_QUEUE));
    reg_write(VTD_RTADDR, 8, PAGE(G_ROOT));
    reg_write(VTD_GCMD, 4, VTD_GCMD_QIE);
    reg_write(VTD_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_SRTP);
    reg_write(VTD_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_TE);
    while ( !(reg_read(VTD_GSTS, 4) & VTD_GCMD_TE) )
        wait_some(&looks);
    submit_one(DESC_CONTEXT(GRANU_GLOBAL, 0, 0), 0);
    submit_one(DESC_IOTLB(GRANU_GLOBAL, 0), 0);
}

/* ---- vCPUs ---- */

/* Invariant 2: what was unmapped is not reached. */
static void check_unmapped(const struct range *r)
{
    unsigned int i;

    for ( i = 0; i < r->pages; i++ )
        if ( !may_reach[i] &&
             device_dma(cpu.w, 0, PAGE(r->first + i), rnd(2), false) )
            FAIL("page %#x of vCPU %u is reached after it was unmapped",
                 r->first + i, cpu.vcpu);
}

static void vcpu_round(void)
{
    struct world *w = cpu.w;
    struct range r = range_of(cpu.vcpu, !rnd(4));
    struct changed c = { ~0U, 0 };
    unsigned int epoch, strict;

    epoch = quiet_get(&w->set_epoch);
    strict = quiet_get(&w->strict) && !(epoch & 1);

    switch ( rnd(8) )
    {
    case 0: case 1: case 2:
        map_some(&r, &c);
        break;

    case 3: case 4:
        unmap_some(&r, &c);
        break;

    case 5:
        map_superpage(&r, &c);
        break;

    case 6:
        unmap_block(&r, &c);
        break;

    default:
        move_table(&r, &c);
        break;
    }
    invalidate(&r, &c);
    look_at_registers();

    if ( !r.table && strict && quiet_get(&w->set_epoch) == epoch )
        check_unmapped(&r);

    if ( !cpu.vcpu && !rnd(4) )
        switch_context();
    if ( !cpu.vcpu && !rnd(2) )
        handle_faults();
    if ( !cpu.vcpu && !rnd(2) )
        remap_round();
    /* No command is to write to it now. */
    if ( !rnd(8) )
        exchange(w, G_STATUS + cpu.vcpu, 1);
}

struct start {
    struct world *w;
    unsigned int vcpu;
};

static void begin(struct world *w, unsigned int vcpu)
{
    static volatile unsigned int threads;

    cpu.w = w;
    cpu.vcpu = vcpu;
    cpu.random = (seed * 100 + 1 + quiet_add(&threads, 1)) *
                 0x9e3779b97f4a7c15ULL | 1;
}

static volatile unsigned int ready;

static void *vcpu_main(void *arg)
{
    const struct start *start = arg;
    unsigned int i;

    begin(start->w, start->vcpu);
    if ( !cpu.vcpu )
    {
        driver_start();
        quiet_add(&ready, 1 << cpu.w->index);
    }
    while ( !(quiet_get(&ready) & (1 << cpu.w->index)) )
    {
        process_pending();
        pause_a_bit();
    }

    for ( i = 0; i < rounds; i++ )
    {
        vcpu_round();
        quiet_add(&progress, 1);
    }

    return NULL;
}

/* ---- All others ---- */

static void *sidecore_main(void *arg)
{
    begin(NULL, 0);
    while ( !quiet_get(&stop) )
    {
        if ( sidecore_sleeps() )
        {
            usleep(100);
            continue;
        }
        pthread_mutex_lock(&sidecore_runs);
        CHECK(!sidecore_poll(&sidecore));
        pthread_mutex_unlock(&sidecore_runs);
        CHECK(!cpu.locks);
        pause_a_bit();
    }

    return NULL;
}

static void *timer_main(void *arg)
{
    begin(NULL, 0);
    while ( !quiet_get(&stop) )
    {
        time_passes(100);
        usleep(50);
    }

    return NULL;
}

static void *interrupt_main(void *arg)
{
    begin(NULL, 0);
    while ( !quiet_get(&stop) )
    {
        unsigned int i;

        for ( i = 0; i < 20; i++ )
        {
            struct world *w = &worlds[rnd(NR_WORLDS)];
            unsigned int handle = rnd(IRT_PAGES * 256 + 1);
            const struct viommu_message msg = {
                .addr = 0xfee00010 | handle << 5,
                .sid = intremap_requester(&w->vi,
                    (pci_sbdf_t){ device_sbdf(w, rnd(NR_DEVICES)) }),
            };
            struct viommu_interrupt irq;

            switch ( intremap_message(&w->vi, &msg, &irq) )
            {
            case VIOMMU_REMAPPED:
                quiet_add(&remapped, 1);
                break;

            case VIOMMU_DROPPED:
                quiet_add(&dropped, 1);
                break;

            case VIOMMU_UNCHANGED:
                break;
            }
            CHECK(!cpu.locks);
        }
        usleep(50);
    }

    return NULL;
}

static volatile unsigned int accesses, reached;

static void *device_main(void *arg)
{
    begin(NULL, 0);
    while ( !quiet_get(&stop) )
    {
        unsigned int i, hits = 0;

        for ( i = 0; i < 200; i++ )
            hits += device_dma(&worlds[rnd(NR_WORLDS)], rnd(NR_DEVICES),
                               PAGE(rnd(32) + 64 * rnd(NR_VCPUS)), rnd(2),
                               true);
        quiet_add(&accesses, i);
        quiet_add(&reached, hits);
        usleep(50);
    }

    return NULL;
}

static void p2m_step(void)
{
    struct world *w = &worlds[rnd(NR_WORLDS)];
    unsigned int gfn = G_BIG + rnd(NR_GFNS - G_BIG);

    switch ( rnd(8) )
    {
    case 0: case 1:
        balloon_out(w, gfn);
        break;

    case 2: case 3:
        balloon_in(w, gfn);
        break;

    case 4:
        change_type(w, gfn, rnd(2) ? GFN_RAM : GFN_RAM_RO);
        break;

    case 5:
        exchange(w, G_BIG + 16 * rnd(4), 16);
        break;

    case 6:
        /* Tables, and the queue. */
        gfn = rnd(G_BIG);
        if ( gfn < G_STATUS || gfn >= G_STATUS + NR_VCPUS )
            exchange(w, gfn, 1);
        break;

    default:
        gfn = G_POOL + rnd(2 * OTHER_PLACE);
        balloon_out(w, gfn);
        balloon_in(w, gfn);
        break;
    }
}

#define P2M_STEPS (4 * total)

static void *p2m_main(void *arg)
{
    unsigned int i;

    begin(NULL, 0);
    for ( i = 0; i < P2M_STEPS; i++ )
    {
        keep_pace(i, P2M_STEPS);
        p2m_step();
    }

    return NULL;
}

static void change_settings(struct world *w)
{
    struct xen_viommu_settings set = {
        .mode = rnd(3) ? XEN_VIOMMU_MODE_sidecore : XEN_VIOMMU_MODE_trap,
        .teardown = rnd(2) ? XEN_VIOMMU_TEARDOWN_strict
                           : XEN_VIOMMU_TEARDOWN_optimistic,
        .window_us = 1 + rnd(5000),
        .quota = 1 + rnd(64),
        .fallback_us = 1000 + rnd(20000),
        .idle_us = 1000 + rnd(20000),
    };

    int rc;

    quiet_add(&w->set_epoch, 1);
    do {
        rc = viommu_set(&w->vi, &set);
        CHECK(!rc || rc == -ERESTART);
    } while ( rc );
    quiet_set(&w->strict, set.teardown == XEN_VIOMMU_TEARDOWN_strict);
    quiet_add(&w->set_epoch, 1);
}

static void plug(struct world *w)
{
    const pci_sbdf_t sbdf = { .sbdf = device_sbdf(w, NR_DEVICES - 1) };

    hw_pcidevs_lock();
    if ( viommu_unbind(&w->vi, sbdf) )
        CHECK(!viommu_bind(&w->vi, sbdf, device_vsbdf(NR_DEVICES - 1)));
    hw_pcidevs_unlock();
}

static void restart_sidecore(void)
{
    pthread_mutex_lock(&sidecore_runs);
    sidecore_end(&sidecore);
    CHECK(!sidecore_start(&sidecore));
    sidecore_unblock(&sidecore);
    pthread_mutex_unlock(&sidecore_runs);
}

static void look_at(struct world *w)
{
    struct viommu_sidecore info;
    uint64_t sum = 0;
    unsigned int i;
    int rc;

    for ( i = 0; i < XEN_VIOMMU_NR_COUNTERS; i++ )
        sum += ACCESS_ONCE(w->vi.count[i]);
    CHECK(sum);
    CHECK(!sidecore_info(&sidecore, &info));
    (void)sidecore_of(&w->vi);
    do {
        rc = viommu_count_pinned(&w->vi);
        CHECK(!rc || rc == -ERESTART);
    } while ( rc );
}

static void *toolstack_main(void *arg)
{
    const unsigned int steps = total / 2;
    unsigned int i;

    begin(NULL, 0);
    for ( i = 0; i < steps; i++ )
    {
        struct world *w = &worlds[rnd(NR_WORLDS)];

        keep_pace(i, steps);
        switch ( rnd(8) )
        {
        case 0: case 1:
            change_settings(w);
            break;

        case 2: case 3: case 4:
            plug(w);
            break;

        case 5:
            restart_sidecore();
            break;

        default:
            look_at(w);
            break;
        }
        CHECK(!cpu.locks);
    }

    return NULL;
}

static void *fault_main(void *arg)
{
    unsigned int i;

    begin(NULL, 0);
    for ( i = 0; i < total; i++ )
    {
        struct world *w = &worlds[rnd(NR_WORLDS)];

        keep_pace(i, total);
        hw_pcidevs_lock();
        viommu_fault(&w->vi,
                     (pci_sbdf_t){ device_sbdf(w, rnd(NR_DEVICES)) },
                     PAGE(rnd(32) + 64 * rnd(NR_VCPUS)), rnd(2));
        hw_pcidevs_unlock();
        CHECK(!cpu.locks);
    }

    return NULL;
}

/* ---- */

static void start_unit(struct world *w)
{
    unsigned int i;

    w->vi.intremap = true;
    CHECK(!viommu_init(&w->vi, 0));
    hw_pcidevs_lock();
    for ( i = 0; i < NR_DEVICES; i++ )
        CHECK(!viommu_bind(&w->vi, (pci_sbdf_t){ device_sbdf(w, i) },
                           device_vsbdf(i)));
    hw_pcidevs_unlock();
    change_settings(w);
}

static void end_unit(struct world *w)
{
    unsigned int i;

    hw_pcidevs_lock();
    for ( i = 0; i < NR_DEVICES; i++ )
        (void)viommu_unbind(&w->vi, (pci_sbdf_t){ device_sbdf(w, i) });
    hw_pcidevs_unlock();
    while ( viommu_reap(&w->vi) )
        ;
    viommu_fini(&w->vi);
}

#define COUNT(name) \
    ((unsigned long)(worlds[0].vi.count[XEN_VIOMMU_CNT_##name] + \
                     worlds[1].vi.count[XEN_VIOMMU_CNT_##name]))

/* What has to happen for the threads to prove anything. */
static void check_happened(void)
{
    static const struct {
        unsigned int counter;
        const char *name;
    } needed[] = {
#define NEEDED(name) { XEN_VIOMMU_CNT_##name, #name }
        NEEDED(leaves_mapped), NEEDED(leaves_unmapped), NEEDED(rej_frame),
        NEEDED(qi_iotlb), NEEDED(qi_context), NEEDED(reg_commands),
        NEEDED(sidecore_batches), NEEDED(deferrals),
        NEEDED(contexts_switched), NEEDED(faults_forwarded),
        NEEDED(irte_remapped), NEEDED(irte_blocked),
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(needed); i++ )
        if ( !(worlds[0].vi.count[needed[i].counter] +
               worlds[1].vi.count[needed[i].counter]) )
            FAIL("%s is 0: it never happened", needed[i].name);
    CHECK(quiet_get(&reached));
}

int main(int argc, char **argv)
{
    static void *(*const others[])(void *) = {
        sidecore_main, timer_main, device_main, device_main,
        interrupt_main, interrupt_main,
    };
    static void *(*const paced[])(void *) = {
        p2m_main, toolstack_main, fault_main,
    };
    pthread_t vcpu[NR_VCPUS + NR_WORLDS - 1], other[ARRAY_SIZE(others)];
    pthread_t pace[ARRAY_SIZE(paced)];
    struct start start[ARRAY_SIZE(vcpu)];
    unsigned int i, n = 0, v;

    if ( argc != 3 || atoi(argv[1]) < 1 )
    {
        fprintf(stderr, "usage: threads ROUNDS SEED\n");
        return 2;
    }
    rounds = atoi(argv[1]);
    seed = strtoull(argv[2], NULL, 0);
    total = rounds * ARRAY_SIZE(vcpu);
    test_budget = 24;

    begin(NULL, 0);
    memory_init();
    machine_init();
    CHECK(!sidecore_start(&sidecore));
    for ( i = 0; i < NR_WORLDS; i++ )
        start_unit(&worlds[i]);

    for ( i = 0; i < NR_WORLDS; i++ )
        for ( v = 0; v < worlds[i].vcpus; v++, n++ )
        {
            start[n] = (struct start){ &worlds[i], v };
            CHECK(!pthread_create(&vcpu[n], NULL, vcpu_main, &start[n]));
        }
    for ( i = 0; i < ARRAY_SIZE(others); i++ )
        CHECK(!pthread_create(&other[i], NULL, others[i], NULL));
    for ( i = 0; i < ARRAY_SIZE(paced); i++ )
        CHECK(!pthread_create(&pace[i], NULL, paced[i], NULL));

    for ( i = 0; i < n; i++ )
        pthread_join(vcpu[i], NULL);
    for ( i = 0; i < ARRAY_SIZE(paced); i++ )
        pthread_join(pace[i], NULL);
    quiet_set(&stop, 1);
    for ( i = 0; i < ARRAY_SIZE(others); i++ )
        pthread_join(other[i], NULL);

    check_happened();
    for ( i = 0; i < NR_WORLDS; i++ )
        end_unit(&worlds[i]);
    sidecore_end(&sidecore);
    CHECK_EQ(allocations(), 0);
    machine_check();
    memory_check();

    printf("%lu commands, %lu batches of a sidecore, %lu fallbacks, "
           "%lu deferred, %u changes of memory, %u requests of which %u "
           "reached something, %u interrupts remapped and %u dropped\n",
           COUNT(qi_iotlb) + COUNT(qi_context) + COUNT(reg_commands),
           COUNT(sidecore_batches), COUNT(trap_fallbacks), COUNT(deferrals),
           P2M_STEPS, quiet_get(&accesses), quiet_get(&reached),
           quiet_get(&remapped), quiet_get(&dropped));

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
