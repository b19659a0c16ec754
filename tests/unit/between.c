/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * between.c: what happens between one thing that a driver does and the next:
 * deferred work in pieces, a sidecore that polls, dies or comes, and time.
 *
 * It has random numbers of its own, so that a driver does the same whatever
 * happens in between, and whether its register page traps or is memory.
 */
#include "property.h"

struct domain sidecore = { .domain_id = 1 };

static uint64_t env_state;

void env_seed(uint64_t seed)
{
    env_state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

static unsigned int env(unsigned int n)
{
    env_state ^= env_state >> 12;
    env_state ^= env_state << 25;
    env_state ^= env_state >> 27;

    return ((env_state * 0x2545f4914f6cdd1dULL) >> 32) % n;
}

bool in_memory(void)
{
    return guest_unit(&vi)->inbox_mapped;
}

/* ---- Work in pieces ---- */

/* The register command that was given; 0: none, or it has been seen done. */
static unsigned int given;

static void check_given(void)
{
    if ( !given || (rd(given, 8) >> 63) )
        return;

    given = 0;
    note_failures();
    if ( state.exact )
        model_compare();
}

static void check_now(void)
{
    unsigned int i;

    check_given();

    /* Nothing is cached that the tables do not hold. */
    CHECK_EQ(hw.stale, 0);
    hw_check();
    CHECK_EQ(harness.locks, 0);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_table_pages], hw.tables);
    CHECK(hw.tables <= vi.table_quota);
    /* Not each time: it walks all tables, so it knows where they are. */
    if ( !env(4) )
        CHECK_EQ(pages_pinned(&vi), guest.pinned);
    CHECK(!vi.removed.s);
    CHECK(vi.count[XEN_VIOMMU_CNT_leaves_stale] <= vi.set.quota);
    for ( i = 0; i < M_DEVICES; i++ )
        if ( state.bound & (1U << i) )
            CHECK(vi.devices[model_devfn[i] - 0x80]);
}

void settle(void)
{
    unsigned int n = 0;

    guest.deferred = 0;
    test_budget = env(4) ? 1 + env(40) : 1000;
    while ( viommu_work(&vi) )
    {
        total.deferred++;
        check_now();
        if ( ++n == 100000 )
            FAIL("work without end");
        if ( state.faulty && !env(8) )
            midway();
        else if ( !env(16) )
            guest_move(env(2) ? G_QUEUE : G_STATUS, G_SPARE + env(2));
        midway_soon();
        test_budget = env(4) ? 1 + env(40) : 1000;
    }
    check_now();
    note_failures();
}

/* ---- Time ---- */

void check_left(void)
{
    unsigned long gfn;

    for ( gfn = 0; gfn < G_RAM; gfn++ )
        if ( guest_type(gfn) == GFN_MISSING &&
             guest_is_mapped(guest_frame(gfn)) )
            CHECK(guest_unit(&vi)->timer[VIOMMU_TIMER_STALE] || vi.stale.end);
}

void pass(uint64_t us)
{
    uint64_t until = guest.time_us + us;

    while ( guest_timer_fires(until) )
    {
        check_now();
        if ( env(2) )
            poll();
        if ( guest.deferred && env(2) )
            settle();
    }
    check_left();
}

/* ---- A sidecore ---- */

static bool stalled;

void poll(void)
{
    if ( !state.alive || guest.blocked || stalled )
        return;

    test_budget = env(4) ? 1 + env(40) : 1000;
    guest.rounds = env(4) ? 0 : env(3);
    guest.polling = &sidecore;
    CHECK_EQ(sidecore_poll(&sidecore), 0);
    guest.polling = NULL;
    check_now();
    note_failures();
    total.polls++;
}

void die_or_live(void)
{
    say("(sidecore %s)\n", state.alive ? "dies" : "starts");
    if ( state.alive )
        sidecore_end(&sidecore);
    else
        CHECK_EQ(sidecore_start(&sidecore), 0);
    guest.blocked = 0;
    state.alive = !state.alive;
    CHECK(!in_memory());
}

/* Within its time, the guest is done with a sidecore that does not poll. */
static void stall(void)
{
    stalled = true;
    pass(vi.set.fallback_us);
    if ( guest.deferred )
        settle();
    stalled = false;
    CHECK(!in_memory());
}

void fault(void)
{
    unsigned int dev = env(M_DEVICES), i;

    say("(fault of %u)\n", dev);
    hw_pcidevs_lock();
    viommu_fault(&vi, (pci_sbdf_t){ .sbdf = 0x300 + dev },
                 PAGE(env(MAX_PAGES)), env(2));
    hw_pcidevs_unlock();
    if ( guest.deferred )
        settle();

    if ( viommu_mmio_read(&vi, VTD_FSTS, 4) & VTD_FSTS_PPF )
        CHECK(!in_memory());
    for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
        viommu_mmio_write(&vi, VTD_FRCD + i * VTD_FRCD_SIZE + 12, 4,
                          VTD_FRCD_HI_F >> 32);
    CHECK(!(viommu_mmio_read(&vi, VTD_FSTS, 4) & VTD_FSTS_PPF));
}

/* Something happens that may make the page trap. */
static void disturb(void)
{
    switch ( env(7) )
    {
    case 0:
        if ( !state.timeless )
            pass(env(vi.set.fallback_us * 2));
        else if ( !state.alive )
            die_or_live();
        break;

    case 1:
        if ( !state.timeless )
            stall();
        break;

    case 2:
        die_or_live();
        break;

    case 3:
        fault();
        break;

    case 4:
        /* One that was on its way when the page became memory. */
        (void)viommu_mmio_read(&vi, env(1024) * 4, 4);
        break;

    case 5:
        harness.trylocks = 1;
        break;

    default:
        guest.no_inbox_map = !env(4);
        break;
    }
}

/* A root pointer that looks set is set. */
static void check_root(uint32_t gcmd)
{
    if ( (gcmd & VTD_GCMD_SRTP) && (rd(VTD_GSTS, 4) & VTD_GCMD_SRTP) )
        CHECK(vi.root == PAGE(state.root) && !vi.gcmd_pending &&
              (vi.cmd.op == VIOMMU_CMD_NONE ||
               vi.cmd.from != VIOMMU_FROM_GCMD));
}

/* Until all that the driver gave is done. */
static void await(uint32_t gcmd)
{
    unsigned int n = 0;

    for ( ; ; n++ )
    {
        CHECK(n < 10000);
        check_root(gcmd);
        if ( guest.deferred )
            settle();
        else if ( !vi.inbox.live || (!vi.sc.more && !inbox_peek(&vi)) )
            break;
        else if ( state.alive && env(8) )
            poll();
        else
            disturb();
    }
    harness.trylocks = 0;
    given = 0;
}

/* ---- Accesses ---- */

static struct {
    bool due;
    unsigned int offset, size;
    uint64_t value;
} next;

static void write_now(void)
{
    if ( !next.due )
        return;

    next.due = false;
    if ( ((next.offset & ~7U) == VTD_CCMD ||
          (next.offset & ~7U) == VTD_IOTLB) &&
         (next.size == 8 || (next.offset & 4)) )
        given = next.offset & ~7U;
    if ( in_memory() )
    {
        total.by_memory++;
        memcpy((char *)vi.inbox.page + next.offset, &next.value, next.size);
    }
    else
        viommu_mmio_write(&vi, next.offset, next.size, next.value);
}

/* The page is removed, and the guest writes to it just before or after. */
static void write_while_it_goes(void)
{
    void (**when)(void) = env(2) ? &guest.on_inbox_unmap
                                 : &guest.on_inbox_unmapped;

    *when = write_now;
    if ( !env(3) )
        fault();
    else if ( env(2) || state.timeless )
        die_or_live();
    else
        stall();
    if ( guest.deferred )
        settle();
    *when = NULL;
}

uint64_t rd(unsigned int offset, unsigned int size)
{
    uint64_t value = 0;

    if ( !in_memory() )
        return viommu_mmio_read(&vi, offset, size);
    memcpy(&value, (char *)vi.inbox.page + offset, size);

    return value;
}

void wr(unsigned int offset, unsigned int size, uint64_t value)
{
    next.due = true;
    next.offset = offset;
    next.size = size;
    next.value = value;

    if ( !env(16) )
        harness.trylocks = 1;
    test_budget = 1 + env(20);
    if ( state.sidecore && !state.alive && !env(4) )
        die_or_live();
    if ( in_memory() && state.alive && !env(16) )
        write_while_it_goes();
    midway_soon();
    write_now();
    harness.trylocks = 0;

    /* What is set up for a command may stay in memory until that. */
    if ( in_memory() && env(4) &&
         (offset == VTD_IVA || offset == VTD_RTADDR || offset == VTD_IQA) )
        return;

    await(offset == VTD_GCMD ? value : 0);
    note_failures();
    if ( state.sidecore && env(4) )
        poll();
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
