/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counts.c: instructions of the core for what a guest asks of it, counted by
 * valgrind's callgrind:
 *
 *   valgrind --tool=callgrind --collect-atstart=no counts
 *
 * Only calls into the core are counted, and each kind ends with a dump whose
 * name says what it is and how many operations are in it. What they had the
 * hardware and the guest's memory do is printed, as "name,value,unit". Time is
 * simulated, so that the counts are the same in each run.
 */
#include <stdio.h>

#include <valgrind/callgrind.h>

#include "intremap.h"
#include "world.h"

#define NR     64            /* pages that are mapped at a time */
#define ROUNDS 16
#define ADDR   0x80000000ULL

static struct world *w;
static struct domain sidecore = { .domain_id = 100 };

static void counted(const char *name, unsigned int n)
{
    char text[80];

    snprintf(text, sizeof(text), "%s|%u", name, n);
    CALLGRIND_DUMP_STATS_AT(text);
}

/* What is asked of the two boundaries, while it is counted. */
static struct effects {
    unsigned long entries, references, flushes;
} seen, before;

static struct effects effects_now(void)
{
    struct effects now = { world_entries, world_references, w->flushes };

    return now;
}

/* From here to there, calls count. */
static void begin(void)
{
    before = effects_now();
    CALLGRIND_TOGGLE_COLLECT;
}

static void end(void)
{
    struct effects now;

    CALLGRIND_TOGGLE_COLLECT;
    now = effects_now();
    seen.entries += now.entries - before.entries;
    seen.references += now.references - before.references;
    seen.flushes += now.flushes - before.flushes;
}

static void print_effects(const char *name, unsigned int n)
{
    printf("%s,%.2f,entries\n%s,%.2f,references\n%s,%.2f,flushes\n",
           name, seen.entries / (double)n, name, seen.references / (double)n,
           name, seen.flushes / (double)n);
    seen = (struct effects){ 0 };
}

static void set(unsigned int mode, unsigned int teardown)
{
    struct xen_viommu_settings s = w->vi.set;
    int rc;

    s.mode = mode;
    s.teardown = teardown;
    s.idle_us = 60000000;
    while ( (rc = viommu_set(&w->vi, &s)) == -ERESTART )
        ;
    CHECK(!rc);
    settle(w);
}

/* ---- One invalidation, by each of the two ways. ---- */

typedef void way(uint64_t lo, uint64_t hi);

static void trap(uint64_t lo, uint64_t hi)
{
    volatile uint32_t *status = put_with_wait(w, lo, hi);

    begin();
    viommu_mmio_write(&w->vi, VTD_IQT, 4, w->tail * 16);
    while ( w->deferred )
        w->deferred = viommu_work(&w->vi);
    end();
    CHECK(*status == DONE);
}

static void poll(uint64_t lo, uint64_t hi)
{
    volatile uint32_t *status = put_with_wait(w, lo, hi);

    kick(w);
    while ( *status != DONE )
    {
        begin();
        CHECK(!sidecore_poll(&sidecore));
        end();
    }
}

/* Not counted. */
static void quietly(uint64_t lo, uint64_t hi)
{
    volatile uint32_t *status = put_with_wait(w, lo, hi);

    kick(w);
    while ( *status != DONE )
        CHECK(!sidecore_poll(&sidecore));
    settle(w);
}

/* All pages, one by one, by frames from gfn on; 0: unmaps them. */
static void all_pages(way *how, unsigned long gfn)
{
    unsigned int i;

    for ( i = 0; i < NR; i++ )
    {
        uint64_t addr = ADDR + PAGE(i);

        *leaf_entry(w, addr) = gfn ? PAGE(gfn + i) | LEAF_RW : 0;
        how(DESC_PAGE(addr));
    }
}

static void pages(const char *by, way *how)
{
    const unsigned int n = ROUNDS * NR;
    char name[80];
    unsigned int i;

#define COUNTED(what)                                     \
    do {                                                  \
        snprintf(name, sizeof(name), "%s: %s", by, what); \
        counted(name, n);                                 \
        print_effects(name, n);                           \
    } while ( 0 )

    seen = (struct effects){ 0 };
    set(w->vi.set.mode, XEN_VIOMMU_TEARDOWN_strict);
    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(how, G_DATA);
        all_pages(quietly, 0);
    }
    COUNTED("map");
    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(quietly, G_DATA);
        all_pages(how, 0);
    }
    COUNTED("unmap; strict");
    set(w->vi.set.mode, XEN_VIOMMU_TEARDOWN_optimistic);
    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(quietly, G_DATA);
        all_pages(how, 0);
    }
    COUNTED("unmap; lingers");
    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(how, G_DATA);
        all_pages(quietly, 0);
    }
    /* Free, but for the look at it. */
    CHECK(!seen.entries && !seen.references && !seen.flushes);
    COUNTED("map; revived");
    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(how, G_DATA + (1 + i % 2) * NR);
        all_pages(quietly, 0);
    }
    COUNTED("map; another page lingers there");
}

/* ---- Others. ---- */

static void end_of_window(void)
{
    unsigned int i;

    for ( i = 0; i < ROUNDS; i++ )
    {
        all_pages(quietly, G_DATA);
        all_pages(quietly, 0);
        CHECK(w->vi.count[XEN_VIOMMU_CNT_leaves_stale] == NR);
        world_time += w->vi.set.window_us;
        CALLGRIND_TOGGLE_COLLECT;
        viommu_stale_timer(&w->vi);
        CALLGRIND_TOGGLE_COLLECT;
        CHECK(!w->vi.count[XEN_VIOMMU_CNT_leaves_stale]);
    }
    counted("end of the window, a leaf of 64", ROUNDS * NR);
}

static void flush(void)
{
    struct viommu_shadow *s = w->vi.shadows;
    unsigned int i;

    spin_lock(&w->vi.sync_lock);
    for ( i = 0; i < ROUNDS; i++ )
    {
        removed_changed(&w->vi, s, ADDR, 1, false);
        CALLGRIND_TOGGLE_COLLECT;
        removed_flush(&w->vi);
        CALLGRIND_TOGGLE_COLLECT;
    }
    spin_unlock(&w->vi.sync_lock);
    counted("flush, without what hardware does", ROUNDS);
}

/* Domain-selective, of n leaves that are as they were. */
static void domain(unsigned int n)
{
    char name[80];
    unsigned int i;

    for ( i = 0; i < n; i++ )
        *leaf_entry(w, ADDR + PAGE(i)) = PAGE(G_DATA + i % NR) | LEAF_RW;
    quietly(DESC_DOMAIN);
    trap(DESC_DOMAIN);
    snprintf(name, sizeof(name), "trap: invalidation of a domain, %u leaves",
             n);
    counted(name, 1);
    for ( i = 0; i < n; i++ )
        *leaf_entry(w, ADDR + PAGE(i)) = 0;
    quietly(DESC_DOMAIN);
}

/* So many vCPUs unmap a page each at once: all of that is in the queue. */
static void at_once(unsigned int vcpus)
{
    volatile uint32_t *status[4] = {};
    char name[80];
    unsigned int i, k;

    for ( i = 0; i < ROUNDS * NR; i++ )
    {
        uint64_t addr = ADDR + PAGE(i % NR * 4);

        for ( k = 0; k < vcpus; k++ )
        {
            *leaf_entry(w, addr + PAGE(k)) = PAGE(G_DATA + k) | LEAF_RW;
            quietly(DESC_PAGE(addr + PAGE(k)));
            *leaf_entry(w, addr + PAGE(k)) = 0;
        }
        for ( k = 0; k < vcpus; k++ )
            status[k] = put_with_wait(w, DESC_PAGE(addr + PAGE(k)));
        kick(w);
        while ( *status[vcpus - 1] != DONE )
        {
            CALLGRIND_TOGGLE_COLLECT;
            CHECK(!sidecore_poll(&sidecore));
            CALLGRIND_TOGGLE_COLLECT;
        }
        for ( k = 0; k < vcpus; k++ )
            CHECK(*status[k] == DONE);
    }
    snprintf(name, sizeof(name), "sidecore: unmap; strict; %u vCPUs at once",
             vcpus);
    counted(name, ROUNDS * NR * vcpus);
}

/* Looks of a sidecore at so many guests that have nothing for it. */
static void looks(unsigned int guests)
{
    const unsigned int n = ROUNDS * NR;
    char name[80];
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        CALLGRIND_TOGGLE_COLLECT;
        CHECK(!sidecore_poll(&sidecore));
        CALLGRIND_TOGGLE_COLLECT;
    }
    snprintf(name, sizeof(name), "sidecore: look at idle guests, %u", guests);
    /* A round has as many. */
    counted(name, n * SIDECORE_LOOKS);
}

/* Of a passed-through device: whose it is, and what becomes of it. */
static void interrupts(const char *name, enum viommu_remapped expected)
{
    const pci_sbdf_t sbdf = { .sbdf = DEVICE_SBDF };
    const unsigned int n = ROUNDS * NR;
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        struct viommu_message msg = {
            .addr = VTD_MSI_BASE | VTD_MSI_REMAPPABLE | (i % 256) << 5,
        };
        struct viommu_interrupt irq;
        enum viommu_remapped is;

        CALLGRIND_TOGGLE_COLLECT;
        msg.sid = intremap_requester(&w->vi, sbdf);
        is = intremap_message(&w->vi, &msg, &irq);
        CALLGRIND_TOGGLE_COLLECT;
        CHECK(is == expected);
    }
    counted(name, n);
}

static void remapping(void)
{
    struct world *first = w;
    unsigned int i;

    w = world_new_remapping();
    interrupts("interrupt: not remapped yet", VIOMMU_UNCHANGED);
    reg_write32(w, VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_IRE);
    settle(w);
    interrupts("interrupt: remapped", VIOMMU_REMAPPED);
    for ( i = 0; i < ROUNDS * NR; i++ )
        trap(DESC_ENTRIES);
    counted("trap: an entry is changed", ROUNDS * NR);
    pages("trap; interrupts remapped", trap);
    world_delete(w);
    w = first;
}

static void more_guests(unsigned int n)
{
    struct world *first = w;

    while ( n-- )
    {
        w = world_new();
        set(XEN_VIOMMU_MODE_sidecore, XEN_VIOMMU_TEARDOWN_strict);
        quietly(DESC_DOMAIN);
        CHECK(!sidecore_poll(&sidecore));
        CHECK(w->inbox_mapped);
    }
    w = first;
}

int main(void)
{
    unsigned int i;

    world_simulated = world_preempted = true;
    w = world_new();
    CHECK(!sidecore_start(&sidecore));

    set(XEN_VIOMMU_MODE_trap, XEN_VIOMMU_TEARDOWN_strict);
    flush();
    domain(1);
    domain(1000);
    domain(100000);
    pages("trap", trap);
    end_of_window();
    remapping();

    set(XEN_VIOMMU_MODE_sidecore, XEN_VIOMMU_TEARDOWN_strict);
    quietly(DESC_DOMAIN);
    CHECK(!sidecore_poll(&sidecore));
    CHECK(w->inbox_mapped);
    pages("sidecore", poll);
    CHECK(w->inbox_mapped);
    set(XEN_VIOMMU_MODE_sidecore, XEN_VIOMMU_TEARDOWN_strict);
    at_once(1);
    at_once(2);
    at_once(4);
    CHECK(w->inbox_mapped);

    looks(1);
    more_guests(16);
    looks(17);

    spin_lock(&w->vi.sync_lock);
    for ( i = 0; i < ROUNDS; i++ )
    {
        CALLGRIND_TOGGLE_COLLECT;
        CHECK(!inbox_leave(&w->vi));
        CHECK(inbox_enter(&w->vi));
        CALLGRIND_TOGGLE_COLLECT;
    }
    spin_unlock(&w->vi.sync_lock);
    counted("sidecore: page goes and comes, without the p2m", ROUNDS);

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
