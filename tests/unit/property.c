/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * property.c: random sequences of what a guest and its host do, compared with
 * the model after every command.
 *
 *   property SEQUENCES SEED          runs them
 *   property SEQUENCES SEED NUMBER   runs that one only, and tells what it does
 *
 * The tables of the build for this have 4 entries instead of 512, in the core
 * too (see Makefile): so all of the address space is looked at, and superpages
 * of all sizes come often.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "property.h"
#include "test.h"

struct viommu vi;

/* What sort of a sequence this is. */
static bool faulty;          /* memory is short, or changes come in the middle */
static bool watched;         /* the oracle remembers */
static bool exact;           /* the model can tell */
static bool verbose;

/* The driver's view of the unit. */
static bool te, qie;
static unsigned long root, new_root;
static unsigned int tail, bound;
static uint32_t status;

/* Since the last time that the model could tell. */
static unsigned int seen_failures;

static struct {
    unsigned long commands, steps, compared, deferred, errors, inexact,
                  mapped, unmapped;
} total;

void say(const char *format, ...)
{
    va_list args;

    if ( !verbose )
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

static void changed(void)
{
    if ( watched )
        oracle_note(root, te);
}

static void edit(void)
{
    edit_any();
    changed();
}

/* ---- Devices ---- */

static void bind_or_not(void)
{
    const unsigned int dev = rnd(M_DEVICES);
    const pci_sbdf_t sbdf = { .sbdf = 0x300 + dev };
    int rc;

    hw_pcidevs_lock();
    if ( bound & (1U << dev) )
    {
        say("unbind %u\n", dev);
        CHECK_EQ(viommu_unbind(&vi, sbdf), 0);
        CHECK(hw_attached_to(sbdf.sbdf, NULL) != ON_SHADOW);
        bound &= ~(1U << dev);
        if ( exact )
            model_unbind(dev);
    }
    else
    {
        say("bind %u\n", dev);
        /* A device that could not be attached was given back meanwhile. */
        hw_reassign(sbdf.sbdf);
        rc = viommu_bind(&vi, sbdf, model_devfn[dev]);
        if ( rc )
            CHECK(rc == -ENOMEM || rc == -ENOSPC);
        else
        {
            bound |= 1U << dev;
            oracle_bind(dev);
            if ( exact )
                model_bind(dev);
        }
    }
    hw_pcidevs_unlock();
}

/* ---- Work, and what comes between ---- */

static void note_failures(void)
{
    unsigned int n = harness.failed + hw.attach_failed +
                     vi.count[XEN_VIOMMU_CNT_rej_quota];

    if ( n != seen_failures )
        exact = false;
    seen_failures = n;
}

static void check_now(void)
{
    unsigned int i;

    /* Nothing is cached that the tables do not hold. */
    CHECK_EQ(hw.stale, 0);
    CHECK_EQ(hw.mapped, 0);
    CHECK_EQ(guest.mapped, 0);
    CHECK_EQ(harness.locks, 0);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_table_pages], hw.tables);
    CHECK(hw.tables <= vi.table_quota);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_pages_pinned], guest.frames);
    for ( i = 0; i < M_DEVICES; i++ )
        if ( bound & (1U << i) )
            CHECK(vi.devices[model_devfn[i] - 0x80]);
}

static void settle(void)
{
    unsigned int n = 0;

    guest.deferred = 0;
    test_budget = rnd(4) ? 1 + rnd(40) : 1000;
    while ( viommu_work(&vi) )
    {
        total.deferred++;
        check_now();
        if ( ++n == 100000 )
            FAIL("work without end");
        if ( faulty && !rnd(8) )
        {
            exact = false;
            if ( rnd(2) )
                bind_or_not();
            else
                edit();
        }
        test_budget = rnd(4) ? 1 + rnd(40) : 1000;
    }
    check_now();
    note_failures();
}

static void check_all(void)
{
    if ( exact )
    {
        total.compared++;
        model_compare();
    }
    else
        total.inexact++;
    if ( watched )
        oracle_check(bound);
}

static void wr(unsigned int offset, unsigned int size, uint64_t value)
{
    if ( !rnd(16) )
        harness.trylocks = 1;
    test_budget = 1 + rnd(20);
    viommu_mmio_write(&vi, offset, size, value);
    harness.trylocks = 0;
    if ( guest.deferred )
        settle();
    note_failures();
}

/* ---- Commands ---- */

static uint64_t rd(unsigned int offset, unsigned int size)
{
    return viommu_mmio_read(&vi, offset, size);
}

static void global_command(bool on, bool queue, bool set_root)
{
    bool read = set_root || on != te;
    unsigned int since;

    if ( set_root )
    {
        new_root = G_ROOT + !rnd(4);
        wr(VTD_RTADDR, 8, PAGE(new_root));
        root = new_root;
    }
    te = on;
    changed();
    since = oracle_time();
    say("gcmd te %u qie %u srtp %u root %lx\n", on, queue, set_root, root);
    if ( queue && !qie )
    {
        tail = 0;
        wr(VTD_IQT, 4, 0);
        wr(VTD_IQA, 8, PAGE(G_QUEUE));
    }
    qie = queue;
    if ( exact )
        model_global(on, set_root, root);
    wr(VTD_GCMD, 4, (on ? VTD_GCMD_TE : 0) | (queue ? VTD_GCMD_QIE : 0) |
                    (set_root ? VTD_GCMD_SRTP : 0));
    CHECK_EQ(!!(rd(VTD_GSTS, 4) & VTD_GCMD_TE), on);
    CHECK_EQ(!!(rd(VTD_GSTS, 4) & VTD_GCMD_QIE), queue);
    if ( set_root )
        CHECK(rd(VTD_GSTS, 4) & VTD_GCMD_SRTP);
    if ( read )
        oracle_global(since);
    check_all();
}

static struct command random_command(void)
{
    struct command c = {
        .op = rnd(3) ? OP_IOTLB : OP_CONTEXT,
        .granu = 1 + max(rnd(3), rnd(3)),
        .did = 1 + rnd(M_DIDS),
        .am = rnd(4) ? rnd(3) : rnd(VIOMMU_MAMV + 1),
        .sid = model_devfn[rnd(M_DEVICES)],
        .fm = rnd(4),
        .addr = PAGE(rnd(MAX_PAGES)),
    };

    if ( !rnd(16) )
        c.addr |= PAGE(MAX_PAGES) << rnd(40);

    return c;
}

static void completed(const struct command *c, unsigned int since)
{
    total.commands++;
    if ( watched )
        oracle_command(c, since);
    if ( exact )
        model_command(c);
}

static void by_register(const struct command *c)
{
    unsigned int since = oracle_time(), reg;
    uint64_t value;

    if ( c->op == OP_IOTLB )
    {
        reg = VTD_IOTLB;
        wr(VTD_IVA, 8, c->addr | c->am);
        value = VTD_IOTLB_IVT | MASK_INSR((uint64_t)c->granu, VTD_IOTLB_IIRG) |
                MASK_INSR((uint64_t)c->did, VTD_IOTLB_DID);
    }
    else
    {
        reg = VTD_CCMD;
        value = VTD_CCMD_ICC | MASK_INSR((uint64_t)c->granu, VTD_CCMD_CIRG) |
                MASK_INSR((uint64_t)c->did, VTD_CCMD_DID) |
                MASK_INSR((uint64_t)c->sid, VTD_CCMD_SID) |
                MASK_INSR((uint64_t)c->fm, VTD_CCMD_FM);
    }

    completed(c, since);
    if ( rnd(2) )
        wr(reg, 8, value);
    else
    {
        wr(reg, 4, (uint32_t)value);
        wr(reg + 4, 4, value >> 32);
    }
    CHECK(!(rd(reg, 8) >> 63));
    CHECK_EQ((rd(reg, 8) >> (reg == VTD_IOTLB ? 57 : 59)) & 3, c->granu);
    check_all();
}

static void put(uint64_t lo, uint64_t hi)
{
    guest_page(G_QUEUE)[2 * tail] = lo;
    guest_page(G_QUEUE)[2 * tail + 1] = hi;
    tail = (tail + 1) % 256;
}

static void put_command(const struct command *c)
{
    if ( c->op == OP_IOTLB )
        put(VTD_DESC_IOTLB | c->granu << 4 | (uint64_t)c->did << 16,
            c->addr | c->am);
    else
        put(VTD_DESC_CONTEXT | c->granu << 4 | (uint64_t)c->did << 16 |
            (uint64_t)c->sid << 32 | (uint64_t)c->fm << 48, 0);
}

/* A batch of commands with a wait, perhaps with an error in it. */
static void by_queue(const struct command *first)
{
    unsigned int since = oracle_time(), n = 1 + !rnd(3) * rnd(4), i;
    unsigned int bad = rnd(12) ? n : rnd(n), bad_at = 0;
    struct command c[4];

    c[0] = *first;
    for ( i = 1; i < n; i++ )
        c[i] = random_command();
    for ( i = 0; i < n; i++ )
    {
        if ( i == bad )
        {
            bad_at = tail;
            put(rnd(2) ? 0x0f : 0xf2, 63);
        }
        put_command(&c[i]);
    }
    status++;
    put(VTD_DESC_WAIT | VTD_DESC_WAIT_SW | (uint64_t)status << 32,
        PAGE(G_STATUS));
    for ( i = 0; i < bad; i++ )
        completed(&c[i], since);
    wr(VTD_IQT, 4, tail * 16);
    if ( bad < n )
    {
        total.errors++;
        CHECK(rd(VTD_FSTS, 4) & VTD_FSTS_IQE);
        CHECK_EQ(rd(VTD_IQH, 8), bad_at * 16);
        CHECK((uint32_t)guest_page(G_STATUS)[0] != status);
        check_all();
        guest_page(G_QUEUE)[2 * bad_at] = VTD_DESC_IEC;
        guest_page(G_QUEUE)[2 * bad_at + 1] = 0;
        since = oracle_time();
        for ( ; i < n; i++ )
            completed(&c[i], since);
        wr(VTD_FSTS, 4, VTD_FSTS_IQE);
    }
    CHECK_EQ(rd(VTD_FSTS, 4), 0);
    CHECK_EQ(rd(VTD_IQH, 8), tail * 16);
    CHECK_EQ((uint32_t)guest_page(G_STATUS)[0], status);
    check_all();
}

static void command(struct command c)
{
    say("%s granu %u did %u addr %llx am %u sid %x fm %u\n",
        c.op == OP_IOTLB ? "iotlb" : "context", c.granu, c.did,
        (unsigned long long)c.addr, c.am, c.sid, c.fm);
    if ( qie && rnd(4) )
        by_queue(&c);
    else
        by_register(&c);
}

/* As drivers do: some pages near each other come or go, each one told of. */
static void map_or_unmap(void)
{
    unsigned long page = rnd(MAX_PAGES);
    unsigned int n = 1 + rnd(4);
    struct command c = {
        .op = OP_IOTLB, .granu = VTD_GRANU_SELECTIVE, .did = 1 + rnd(M_DIDS),
    };

    while ( n-- )
    {
        page ^= rnd(4) ? 0 : rnd(4);
        edit_path(page);
        changed();
        c.addr = PAGE(page);
        command(c);
    }
}

/* ---- A sequence ---- */

static void shortage(void)
{
    harness.fail_rate = rnd(2) ? 0 : rnd(128);
    hw.attach_fails = !rnd(4);
    say("%u of 256 allocations fail, %u attachments\n", harness.fail_rate,
        hw.attach_fails);
}

/* All tables are made anew, so that the model can tell again. */
static void resync(void)
{
    unsigned int i;

    say("resync\n");
    harness.fail_rate = 0;
    hw.attach_fails = 0;
    global_command(false, qie, true);
    note_failures();
    exact = true;
    model_reset();
    for ( i = 0; i < M_DEVICES; i++ )
        if ( bound & (1U << i) )
            model_bind(i);
    global_command(true, qie, true);
    note_failures();
}

static void step(void)
{
    total.steps++;
    switch ( rnd(32) )
    {
    case 0:
        global_command(rnd(4), rnd(4), rnd(2));
        break;

    case 1:
        bind_or_not();
        settle();
        check_all();
        break;

    case 2:
        if ( faulty )
            shortage();
        break;

    case 3:
        if ( faulty && !exact && rnd(2) )
            resync();
        break;

    case 4 ... 11:
        command(random_command());
        break;

    case 12 ... 14:
        map_or_unmap();
        break;

    default:
        edit();
        break;
    }
}

static void destroy(void)
{
    unsigned int i;

    harness.fail_rate = 0;
    hw.attach_fails = 0;
    hw_pcidevs_lock();
    for ( i = 0; i < M_DEVICES; i++ )
        if ( bound & (1U << i) )
            CHECK_EQ(viommu_unbind(&vi, (pci_sbdf_t){ .sbdf = 0x300 + i }), 0);
    hw_pcidevs_unlock();
    do
        test_budget = 1 + rnd(100);
    while ( viommu_reap(&vi) );
    viommu_fini(&vi);

    total.mapped += vi.count[XEN_VIOMMU_CNT_leaves_mapped];
    total.unmapped += vi.count[XEN_VIOMMU_CNT_leaves_unmapped];
    CHECK_EQ(hw.tables, 0);
    CHECK_EQ(hw.shadows, 0);
    CHECK_EQ(hw.mapped, 0);
    CHECK_EQ(guest.mapped, 0);
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(harness.allocations, 0);
}

static void sequence(void)
{
    unsigned int n = 20 + rnd(30), i;

    harness_reset();
    harness.allocations = 0;
    guest_reset();
    hw_reset();
    memset(&vi, 0, sizeof(vi));
    for ( i = 0; i < M_DEVICES; i++ )
        hw_add_device(0x300 + i);
    hw.caps.snoop = rnd(4);
    hw.caching_mode = !rnd(4);
    guest_set(0, G_RAM, GFN_RAM);
    for ( i = 0; i < 8; i++ )
        guest_set(rnd(G_TABLES), 1, rnd(4));

    faulty = !rnd(8);
    watched = faulty || !rnd(8);
    exact = true;
    te = qie = false;
    root = bound = status = seen_failures = 0;
    CHECK_EQ(viommu_init(&vi, faulty && rnd(2) ? 6 + rnd(20) : 0), 0);
    model_reset();
    oracle_reset();
    edit_first();
    changed();

    /* Most of the time what matters is going on. */
    for ( i = 1 + rnd(5); i; i-- )
    {
        bind_or_not();
        settle();
    }
    if ( rnd(16) )
        global_command(true, rnd(4), true);
    while ( n-- )
        step();
    if ( faulty && rnd(2) )
    {
        /* In the middle of a command. */
        test_budget = 1 + rnd(10);
        viommu_mmio_write(&vi, VTD_CCMD + 4, 4,
                          (VTD_CCMD_ICC | MASK_INSR(1ULL, VTD_CCMD_CIRG)) >> 32);
        while ( rnd(4) && viommu_work(&vi) )
            ;
    }
    destroy();
}

void __sanitizer_set_death_callback(void (*callback)(void));
static unsigned long seed, number;

static void died(void)
{
    printf("FAIL  property: the process died in sequence %lu of seed %lu\n",
           number, seed);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
    unsigned int i;

    seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
    if ( argc > 3 )
    {
        verbose = true;
        number = strtoul(argv[3], NULL, 0);
        n = number + 1;
    }

    CHECK_EQ(1U << (VTD_LEVEL_STRIDE * 4), MAX_PAGES);
    model_pages = MAX_PAGES;
    for ( i = 0; i < MAX_PAGES; i++ )
        model_page[i] = i;
    for ( i = 0; i < M_ROOTS; i++ )
        model_top[i] = G_TABLES + i;

    __sanitizer_set_death_callback(died);
    for ( ; number < n; number++ )
    {
        harness_seed(seed << 32 | number);
        if ( harness_try(sequence) )
            continue;
        printf("FAIL  property: sequence %lu of seed %lu: %s\n"
               "      repeat it: out/unit/small/property 1 %lu %lu\n"
               "0 passed, 1 failed\n",
               number, seed, harness_reason(), seed, number);
        fflush(stdout);
        _Exit(1);
    }

    printf("PASS  property: %lu sequences, %lu steps, %lu commands,\n"
           "      %lu comparisons (%lu by the oracle only) of %lu tables "
           "with %lu leaves,\n      %lu leaves written, %lu removed, "
           "%lu deferrals, %lu queue errors\n1 passed, 0 failed\n", n,
           total.steps, total.commands, total.compared + total.inexact,
           total.inexact, model_stats.views, model_stats.leaves, total.mapped,
           total.unmapped, total.deferred, total.errors);

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
