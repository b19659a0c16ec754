/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * property.c: random sequences of what a guest and its host do, compared with
 * the model after every command.
 *
 *   property SEQUENCES SEED          runs them
 *   property SEQUENCES SEED NUMBER   runs only that one, and tells all of it
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

struct state state;
struct total total;
static bool verbose;
/* When the model could tell for the last time. */
static unsigned int seen_failures;

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

void changed(void)
{
    if ( state.watched )
        oracle_note(state.root, state.te);
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
    if ( state.bound & (1U << dev) )
    {
        say("unbind %u\n", dev);
        CHECK_EQ(viommu_unbind(&vi, sbdf), 0);
        CHECK(hw_attached_to(sbdf.sbdf, NULL) != ON_SHADOW);
        state.bound &= ~(1U << dev);
        if ( state.exact )
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
            state.bound |= 1U << dev;
            oracle_bind(dev);
            if ( state.exact )
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
        state.exact = false;
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
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_table_pages] +
             vi.count[XEN_VIOMMU_CNT_frame_pages], hw.tables);
    CHECK(hw.tables <= vi.table_quota);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_pages_pinned], guest.pinned);
    for ( i = 0; i < M_DEVICES; i++ )
        if ( state.bound & (1U << i) )
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
        if ( state.faulty && !rnd(8) )
        {
            state.exact = false;
            say("midway: ");
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

void check_all(void)
{
    if ( state.exact )
    {
        total.compared++;
        model_compare();
    }
    else
        total.inexact++;
    if ( state.watched )
        oracle_check(state.bound);
}

void wr(unsigned int offset, unsigned int size, uint64_t value)
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
    do_global(false, state.qie, true);
    note_failures();
    state.exact = true;
    model_reset();
    for ( i = 0; i < M_DEVICES; i++ )
        if ( state.bound & (1U << i) )
            model_bind(i);
    do_global(true, state.qie, true);
    note_failures();
}

static void step(void)
{
    total.steps++;
    switch ( rnd(32) )
    {
    case 0:
        do_global(rnd(4), rnd(4), rnd(2));
        break;

    case 1:
        bind_or_not();
        settle();
        check_all();
        break;

    case 2:
        if ( state.faulty )
            shortage();
        break;

    case 3:
        if ( state.faulty && !state.exact && rnd(2) )
            resync();
        break;

    case 4 ... 11:
        do_command(random_command());
        break;

    case 12 ... 14:
        do_map();
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
        if ( state.bound & (1U << i) )
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
    hw.caps.superpages = rnd(4);
    hw.caching_mode = !rnd(4);
    guest_set(0, G_RAM, GFN_RAM);
    for ( i = 0; i < 8; i++ )
        guest_set(rnd(G_TABLES), 1, rnd(4));

    state.faulty = !rnd(8);
    state.watched = state.faulty || !rnd(8);
    state.exact = true;
    state.te = state.qie = false;
    state.root = state.bound = state.status = seen_failures = 0;
    CHECK_EQ(viommu_init(&vi, state.faulty && rnd(2) ? 8 + rnd(30) : 0), 0);
    vi.set.teardown = XEN_VIOMMU_TEARDOWN_strict;
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
        do_global(true, rnd(4), true);
    while ( n-- )
        step();
    if ( state.faulty && rnd(2) )
    {
        /* In the middle of a command. */
        test_budget = 1 + rnd(10);
        viommu_mmio_write(&vi, VTD_CCMD, 8,
                          VTD_CCMD_ICC | MASK_INSR(1ULL, VTD_CCMD_CIRG));
        while ( rnd(4) && viommu_work(&vi) )
            ;
    }
    destroy();
}

/* Of the sanitizer; absent when it is. */
void __attribute__((weak))
__sanitizer_set_death_callback(void (*callback)(void));
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

    if ( __sanitizer_set_death_callback )
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
