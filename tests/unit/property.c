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

static bool memory_left, in_command;

void edit_memory_left(void)
{
    memory_left = true;
}

static void edit_with(void (*edit)(void))
{
    edit();
    changed();
    if ( !memory_left )
        return;

    /* Whatever lingers goes before the guest runs on. */
    memory_left = false;
    viommu_end_stale(&vi);
    if ( !in_command )
        settle();
    model_end_stale();
    check_left();
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
            CHECK(!vi.overcommit || hw_attached_to(sbdf.sbdf, NULL) !=
                                     ON_IDENTITY);
            state.bound |= 1U << dev;
            oracle_bind(dev);
            if ( state.exact )
                model_bind(dev);
        }
    }
    hw_pcidevs_unlock();
}

/* ---- What comes between ---- */

void note_failures(void)
{
    unsigned int n = harness.failed + hw.attach_failed +
                     vi.count[XEN_VIOMMU_CNT_rej_quota];

    if ( n != seen_failures )
        state.exact = false;
    seen_failures = n;
}

static void edit_midway(void (*edit)(void))
{
    state.exact = false;
    say("midway: ");
    in_command = true;
    edit_with(edit);
    in_command = false;
}

void midway(void)
{
    switch ( rnd(4) )
    {
    case 0:
        edit_midway(edit_any);
        break;

    case 1:
        edit_midway(edit_p2m);
        break;

    default:
        state.exact = false;
        say("midway: ");
        bind_or_not();
        break;
    }
}

/*
 * Another CPU does it while this one asks the p2m, or takes a reference: not to
 * tables, since a walk that sees half of two changes may see what never was.
 */
static unsigned int lookups_until;

void midway_soon(void)
{
    lookups_until = state.faulty && !rnd(4) ? 1 + rnd(8) : 0;
}

static void on_lookup(unsigned long gfn)
{
    unsigned int locks = harness.locks;

    (void)gfn;
    if ( !lookups_until || --lookups_until )
        return;
    harness.locks = 0;
    edit_midway(edit_data);
    harness.locks = locks;
}

/* What the guest may take for complete is. */
static void on_registers(void)
{
    static struct {
        uint32_t head;
        bool context, iotlb;
    } old, new;

    new.head = vi.regs[VTD_IQH / 4];
    new.context = vi.regs[VTD_CCMD / 4 + 1] >> 31;
    new.iotlb = vi.regs[VTD_IOTLB / 4 + 1] >> 31;
    if ( new.head != old.head || new.context < old.context ||
         new.iotlb < old.iotlb )
        CHECK_EQ(hw.stale, 0);
    old = new;
}

/* The host changes all settings: nothing lingers after that. */
static void settings(void)
{
    struct xen_viommu_settings set = vi.set;
    int rc;

    set.teardown = rnd(4) ? XEN_VIOMMU_TEARDOWN_optimistic
                          : XEN_VIOMMU_TEARDOWN_strict;
    set.window_us = 1 + rnd(rnd(2) ? 100 : 100000);
    set.quota = 1 + rnd(rnd(2) ? 16 : 256);
    set.fallback_us = 1000 + rnd(20000);
    set.idle_us = 1000 + rnd(20000);
    set.mode = state.sidecore && rnd(8);
    say("settings: mode %u teardown %u window %u quota %u\n", set.mode,
        set.teardown, set.window_us, set.quota);
    do
        rc = viommu_set(&vi, &set);
    while ( rc == -ERESTART );
    CHECK_EQ(hw.stale, 0);
    if ( rc )
        CHECK((rc == -ENOMEM && state.faulty) ||
              (rc == -ENXIO && set.mode && !state.alive));
    else
    {
        CHECK_EQ(vi.count[XEN_VIOMMU_CNT_leaves_stale], 0);
        model_end_stale();
    }
    settle();
}

/* ---- Recording ---- */

/* What each view was, of a sequence that is done twice. */
static bool recorded, by_sidecore;
static uint64_t views[4096];
static unsigned int nr_views, nr_recorded;

static uint64_t hash;

static void add_to_hash(uint64_t value)
{
    hash = (hash ^ value) * 0x100000001b3ULL;
    hash ^= hash >> 29;
}

static void hash_leaf(void *arg, uint64_t addr, unsigned long mfn, bool read,
                      bool write)
{
    (void)arg;
    add_to_hash(addr | (read ? 1 : 0) | (write ? 2 : 0));
    add_to_hash(mfn);
}

static void record(void)
{
    struct viommu_shadow *s;
    unsigned int i;

    hash = 0;
    for ( i = 0; i < M_DEVICES; i++ )
    {
        add_to_hash(hw_attached_to(0x300 + i, &s));
        if ( s )
            hw_scan(s, hash_leaf, NULL);
    }
    CHECK(nr_views < ARRAY_SIZE(views));
    if ( by_sidecore && (nr_views >= nr_recorded || views[nr_views] != hash) )
        FAIL("view %u is not what it was by traps", nr_views);
    views[nr_views++] = hash;
}

/* A wait descriptor is done: so is all before it. */
static void on_status(void)
{
    CHECK_EQ(hw.stale, 0);
    note_failures();
    if ( state.exact )
        model_compare();
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
    if ( recorded )
        record();
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

    case 4 ... 10:
        do_command(random_command());
        break;

    case 11 ... 15:
        do_map();
        break;

    case 16:
        if ( recorded )
            break;
        settings();
        check_all();
        break;

    case 17:
        fault();
        check_all();
        break;

    case 20 ... 23:
        if ( state.remaps )
            edit_with(do_remap);
        else
            edit_with(edit_any);
        break;

    case 18 ... 19:
        if ( state.timeless )
            break;
        pass(rnd(rnd(4) ? vi.set.window_us * 2 : 100000));
        check_all();
        break;

    default:
        edit_with(edit_any);
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

    if ( state.alive )
        die_or_live();
    total.lingered += vi.count[XEN_VIOMMU_CNT_leaves_lingered];
    total.revived += vi.count[XEN_VIOMMU_CNT_leaves_revived];
    total.replaced += vi.count[XEN_VIOMMU_CNT_stale_replaced];
    total.evicted += vi.count[XEN_VIOMMU_CNT_stale_evicted];
    total.mapped += vi.count[XEN_VIOMMU_CNT_leaves_mapped];
    total.unmapped += vi.count[XEN_VIOMMU_CNT_leaves_unmapped];
    total.huge += hw.huge;
    CHECK_EQ(hw.tables, 0);
    CHECK_EQ(hw.shadows, 0);
    hw_check();
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(harness.allocations, 0);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_leaves_stale], 0);
}

static void sequence(void)
{
    unsigned int n = 20 + rnd(30), i;
    bool optimistic = rnd(2);

    harness_reset();
    harness.allocations = 0;
    harness.recycle = true;
    guest_reset();
    hw_reset();
    memset(&vi, 0, sizeof(vi));
    vi.overcommit = !rnd(4);
    vi.intremap = state.remaps = rnd(2);
    for ( i = 0; i < M_DEVICES; i++ )
        hw_add_device(0x300 + i);
    hw.caps.snoop = rnd(4);
    hw.caps.leaf_level = rnd(4) ? 3 : 1 + rnd(2);
    hw.caching_mode = !rnd(4);
    guest_set(0, G_RAM, GFN_RAM);
    for ( i = 0; i < 8; i++ )
        guest_set(rnd(G_TABLES), 1, rnd(4));

    edit_plain = !rnd(4);
    state.faulty = !rnd(8) && !recorded;
    state.watched = state.faulty || !rnd(32);
    state.exact = true;
    state.sidecore = recorded ? by_sidecore : rnd(2);
    state.alive = false;
    /* What lingers is the same only then. */
    state.timeless = recorded && optimistic;
    state.te = state.qie = false;
    state.root = state.bound = state.status = seen_failures = 0;
    state.anywhere = 0;
    CHECK_EQ(viommu_init(&vi, state.faulty && rnd(2) ? 8 + rnd(30) : 0), 0);
    CHECK(!(vi.ecap & VTD_ECAP_PT) == vi.overcommit);
    vi.set.teardown = optimistic ? XEN_VIOMMU_TEARDOWN_optimistic
                                 : XEN_VIOMMU_TEARDOWN_strict;
    if ( state.sidecore )
    {
        struct xen_viommu_settings set = vi.set;

        die_or_live();
        set.mode = XEN_VIOMMU_MODE_sidecore;
        CHECK_EQ(viommu_set(&vi, &set), 0);
    }
    model_reset();
    oracle_reset();
    remap_reset();
    edit_first();
    changed();

    guest.on_status = on_status;
    guest.on_lookup = guest.on_get = on_lookup;
    harness.on_registers = on_registers;
    lookups_until = 0;

    /* Most of the time what matters is going on. */
    if ( rnd(2) )
        wr(VTD_FECTL, 4, 0);
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

/* The same driver, by traps and by a sidecore: each view is the same. */
static void pair(void)
{
    recorded = true;
    for ( by_sidecore = false; ; by_sidecore = true )
    {
        harness_seed(seed << 32 | number);
        env_seed(seed << 32 | number << 1 | by_sidecore);
        nr_views = 0;
        sequence();
        if ( by_sidecore )
            break;
        nr_recorded = nr_views;
    }
    CHECK_EQ(nr_views, nr_recorded);
    total.identical += nr_views;
    recorded = false;
}

static void single(void)
{
    harness_seed(seed << 32 | number);
    env_seed(seed << 32 | number);
    sequence();
}

static void too_little(void)
{
    FAIL("nothing in memory, or nothing that lingers, comes back, or is "
         "evicted or replaced, or no leaf of 1G, or no interrupts");
}

static void run(const char *what, void (*body)(void), unsigned long first,
                unsigned long n)
{
    for ( number = first; number < n; number++ )
    {
        if ( harness_try(body) )
            continue;
        printf("FAIL  property: %s %lu of seed %lu: %s\n"
               "      repeat it: out/unit/small/property 1 %lu %lu %s\n"
               "0 passed, 1 failed\n",
               what, number, seed, harness_reason(), seed, number, what);
        fflush(stdout);
        _Exit(1);
    }
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000, first = 0;
    bool pairs = argc > 4 && !strcmp(argv[4], "pair");
    unsigned int i;

    seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
    if ( argc > 3 )
    {
        verbose = true;
        first = strtoul(argv[3], NULL, 0);
        n = first + 1;
    }

    CHECK_EQ(1U << (VTD_LEVEL_STRIDE * 4), MAX_PAGES);
    model_pages = MAX_PAGES;
    for ( i = 0; i < MAX_PAGES; i++ )
        model_page[i] = i;
    for ( i = 0; i < M_ROOTS; i++ )
        model_top[i] = G_TABLES + i;

    if ( __sanitizer_set_death_callback )
        __sanitizer_set_death_callback(died);
    if ( !pairs )
        run("sequence", single, first, n);
    if ( !verbose && n >= 1000 &&
         (!total.by_memory || !total.revived || !total.replaced ||
          !total.evicted || !total.huge || !model_stats.stale ||
          !total.requests[VIOMMU_UNCHANGED] ||
          !total.requests[VIOMMU_REMAPPED]) )
        run("all of it", too_little, 0, 1);
    if ( !verbose )
        printf("PASS  property: %lu sequences, %lu steps, %lu commands,\n"
               "      %lu comparisons (%lu by the oracle only) of %lu tables "
               "with %lu leaves,\n      %lu leaves written, %lu of 1G, "
               "%lu removed, "
               "%lu deferrals, %lu queue errors,\n"
               "      %lu registers written in memory, %lu polls,\n"
               "      %lu leaves lingered, %lu came back, %lu were replaced, "
               "%lu evicted,\n"
               "      %lu interrupts remapped, %lu dropped, %lu as they were\n",
               n,
               total.steps, total.commands, total.compared + total.inexact,
               total.inexact, model_stats.views, model_stats.leaves,
               total.mapped, total.huge, total.unmapped, total.deferred,
               total.errors,
               total.by_memory, total.polls, total.lingered, total.revived,
               total.replaced, total.evicted,
               total.requests[VIOMMU_REMAPPED],
               total.requests[VIOMMU_DROPPED],
               total.requests[VIOMMU_UNCHANGED]);
    if ( !verbose || pairs )
        run("pair", pair, first, verbose ? n : n / 10);
    printf("PASS  shadows_are_the_same_by_traps_and_by_a_sidecore: %lu views\n"
           "2 passed, 0 failed\n", total.identical);

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
