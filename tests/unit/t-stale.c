/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-stale.c: optimistic teardown: what was unmapped may linger, and comes back
 * for nothing (teardown.c); frames counted once (frame.c).
 */
#include "vm.h"

#define TWO_M  (1ULL << 21)
#define WINDOW 5000

static unsigned long table, other_table;

/* Device 0 is on a table of domain 1, device 1 on one of domain 2. */
static void start(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    other_table = vm_table();
    vm_set_context(1, other_table, 4, 2);
    vm_translate(2);
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    CHECK_EQ(vi.set.window_us, WINDOW);
    guest.time_us = 1000000;
    hw.flushes = 0;
}

static void map(uint64_t addr, unsigned long gfn, uint64_t rights)
{
    vm_map(table, 4, addr, gfn, 1, rights);
    q_submit(IOTLB_PAGE(1, addr, 0));
}

static void unmap(uint64_t addr)
{
    map(addr, 0, 0);
}

static void map_2m(unsigned long gfn)
{
    vm_map(table, 4, TWO_M, gfn, 2, gfn ? RW : 0);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
}

/* It is still reachable; no timer has been left out. */
static void lingers(uint64_t addr, unsigned long gfn)
{
    expect(0, addr, gfn, RW);
    CHECK(COUNT(leaves_stale) > 0);
}

static void nothing_lingers(void)
{
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(COUNT(pages_pinned), 0);
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(hw.stale, 0);
}

/* A page that lingers, at address 0. */
static void start_with_one(void)
{
    start();
    map(0, G_DATA, RW);
    unmap(0);
    lingers(0, G_DATA);
    CHECK_EQ(hw.flushes, 0);
}

/* ---- The window ---- */

/* It was unmapped by a CPU whose clock is a little ahead of this one's. */
static void one_from_the_future_is_not_old(void)
{
    start_with_one();
    guest.time_us--;
    vi.stale.end = true;
    CHECK(!viommu_work(&vi));
    expect_none(0, 0);
    CHECK_EQ(COUNT(max_stale_us), 0);
}

static void it_lingers_for_the_window(void)
{
    start_with_one();
    CHECK_EQ(COUNT(leaves_lingered), 1);
    CHECK_EQ(COUNT(leaves_stale), 1);
    CHECK_EQ(COUNT(leaves_unmapped), 0);
    CHECK_EQ(COUNT(pages_pinned), 1);
    vm_pass(WINDOW - 1);
    lingers(0, G_DATA);
    vm_pass(1);
    expect_none(0, 0);
    nothing_lingers();
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(COUNT(max_stale_us), WINDOW);
    CHECK_EQ(COUNT(leaves_unmapped), 1);
    CHECK_EQ(COUNT(leaves_lingered), 1);
}

/* A device that does not stop when its buffer is gone. */
static void a_device_succeeds_inside_the_window_only(void)
{
    static const unsigned int windows[] = { 1, 100, WINDOW, 1000000 };
    unsigned int i, step;

    start();
    for ( i = 0; i < ARRAY_SIZE(windows); i++ )
    {
        uint64_t since;

        vm_set(window_us, windows[i]);
        map(0, G_DATA, RW);
        unmap(0);
        since = guest.time_us;
        for ( step = 0; step < 40; step++ )
        {
            CHECK_EQ(device_dma(vm_sbdf(0), 0, step & 1).ok,
                     guest.time_us - since < windows[i]);
            vm_pass(windows[i] / 20 + 1);
        }
        nothing_lingers();
        CHECK_EQ(COUNT(max_stale_us), windows[i]);
    }
}

static void the_timer_ends_any_number(void)
{
    const unsigned int n = 2 * VIOMMU_NR_REMOVED + 100;
    unsigned int i;

    start();
    for ( i = 0; i < n; i++ )
        map(PAGE(i), G_DATA + i % 128, RW);
    for ( i = 0; i < n; i++ )
        unmap(PAGE(i));
    CHECK_EQ(COUNT(leaves_stale), n);
    CHECK_EQ(COUNT(pages_pinned), 128);
    vm_pass(WINDOW - 1);
    CHECK_EQ(COUNT(leaves_stale), n);
    CHECK_EQ(hw.flushes, 0);
    vm_pass(5);
    nothing_lingers();
    CHECK_EQ(hw.flushes, 3);
    /* And is not set any more. */
    CHECK_EQ(guest.unit[0].timer[VIOMMU_TIMER_STALE], 0);
}

static void each_has_its_own_time(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 10; i++ )
        map(PAGE(i), G_DATA + i, RW);
    for ( i = 0; i < 10; i++ )
    {
        unmap(PAGE(i));
        vm_pass(100);
    }
    vm_pass(WINDOW - 1000);
    for ( i = 0; i < 10; i++ )
    {
        expect(0, PAGE(i), G_DATA + i, i ? RW : 0);
        if ( i )
            CHECK_EQ(COUNT(leaves_stale), 10 - i);
        if ( !i )
            continue;
        vm_pass(100);
        expect_none(0, PAGE(i));
    }
    nothing_lingers();
}

/* In any order, of two devices. */
static void several_tables_end_together(void)
{
    unsigned long other;
    unsigned int i;

    start();
    other = vm_context(1)[0] >> VTD_PAGE_SHIFT;
    for ( i = 0; i < 20; i++ )
    {
        map(PAGE(i), G_DATA + i, RW);
        vm_map(other, 4, PAGE(i), G_DATA + i, 1, RW);
        q_submit(IOTLB_PAGE(2, PAGE(i), 0));
    }
    for ( i = 0; i < 20; i++ )
    {
        unmap(PAGE(i));
        vm_map(other, 4, PAGE(i), 0, 1, 0);
        q_submit(IOTLB_PAGE(2, PAGE(i), 0));
    }
    CHECK_EQ(COUNT(leaves_stale), 40);
    CHECK_EQ(COUNT(pages_pinned), 20);
    expect(1, PAGE(7), G_DATA + 7, RW);
    vm_pass(WINDOW);
    nothing_lingers();
    expect_none(1, PAGE(7));
}

static void telling_again_does_not_prolong_it(void)
{
    start_with_one();
    vm_pass(WINDOW - 10);
    q_submit(IOTLB_PAGE(1, 0, 0));
    q_submit(IOTLB_PAGE(1, 0, 4));
    lingers(0, G_DATA);
    CHECK_EQ(COUNT(leaves_lingered), 1);
    vm_pass(10);
    expect_none(0, 0);
}

/* In use in between, so that it counts from the second time. */
static void its_time_starts_when_it_is_unmapped(void)
{
    unsigned int i;

    start_with_one();
    for ( i = 0; i < 20; i++ )
    {
        vm_pass(WINDOW / 2);
        map(0, G_DATA, RW);
        CHECK_EQ(COUNT(leaves_stale), 0);
        unmap(0);
        CHECK_EQ(COUNT(leaves_stale), 1);
    }
    vm_pass(WINDOW - 1);
    lingers(0, G_DATA);
    vm_pass(1);
    nothing_lingers();
    CHECK_EQ(COUNT(leaves_revived), 20);
    CHECK_EQ(COUNT(max_stale_us), WINDOW);
    CHECK_EQ(hw.flushes, 1);
}

static void a_clock_that_leaps_ends_what_is_due(void)
{
    start_with_one();
    map(PAGE(1), G_DATA + 1, RW);
    guest.time_us += 100 * WINDOW;
    unmap(PAGE(1));
    /* The timer is late, and has both before it. */
    vm_pass(0);
    expect_none(0, 0);
    lingers(PAGE(1), G_DATA + 1);
    CHECK_EQ(COUNT(max_stale_us), 100 * WINDOW);
    guest.time_us += 1000 * WINDOW;
    vm_pass(0);
    nothing_lingers();
}

static void a_timer_that_cannot_work_comes_again(void)
{
    start_with_one();
    harness.trylocks = 1;
    vm_pass(WINDOW);
    lingers(0, G_DATA);
    vm_pass(100);
    nothing_lingers();
}

static void it_ends_in_a_young_machine_too(void)
{
    start();
    guest.time_us = 1;
    map(0, G_DATA, RW);
    unmap(0);
    vm_pass(WINDOW - 2);
    lingers(0, G_DATA);
    /* The timer comes early: something else has set it. */
    guest_set_timer(&vi, VIOMMU_TIMER_STALE, guest.time_us);
    vm_pass(0);
    lingers(0, G_DATA);
    vm_pass(2);
    nothing_lingers();
}

/* ---- Coming back ---- */

static void coming_back_costs_nothing(void)
{
    unsigned int i, writes, gets, mapped;

    start_with_one();
    writes = hw.writes;
    gets = guest.gets;
    mapped = COUNT(leaves_mapped);
    for ( i = 0; i < 100; i++ )
    {
        map(0, G_DATA, RW);
        unmap(0);
    }
    map(0, G_DATA, RW);
    CHECK_EQ(hw.writes, writes);
    CHECK_EQ(guest.gets, gets);
    CHECK_EQ(guest.frames, 1);
    CHECK_EQ(hw.flushes + hw.fresh_flushes, 1);
    CHECK_EQ(COUNT(leaves_mapped), mapped);
    CHECK_EQ(COUNT(leaves_revived), 101);
    CHECK_EQ(COUNT(leaves_lingered), 101);
    CHECK_EQ(COUNT(leaves_stale), 0);
    vm_pass(100 * WINDOW);
    expect(0, 0, G_DATA, RW);
    CHECK_EQ(COUNT(pages_pinned), 1);
}

static void check_replaced(unsigned long gfn, uint64_t rights)
{
    map(0, gfn, rights);
    expect(0, 0, gfn, rights);
    CHECK_EQ(hw.stale, 0);
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(COUNT(leaves_revived), 0);
    CHECK_EQ(COUNT(stale_replaced), 1);
    CHECK_EQ(COUNT(leaves_stale), 0);
    vm_pass(10 * WINDOW);
    expect(0, 0, gfn, rights);
    vm_stop();
    vm_start();
}

static void what_comes_back_differently_is_flushed(void)
{
    start_with_one();
    check_replaced(G_DATA + 1, RW);
    start_with_one();
    check_replaced(G_DATA, R);
    start_with_one();
    check_replaced(G_DATA, W);
    start();
    map(0, G_DATA, R);
    unmap(0);
    check_replaced(G_DATA, RW);

    /* No RAM of the guest any more, or memory that cannot be written. */
    start_with_one();
    guest_set(G_DATA, 1, GFN_MMIO);
    map(0, G_DATA, RW);
    expect_none(0, 0);
    nothing_lingers();
    CHECK_EQ(COUNT(stale_replaced), 1);
    guest_set(G_DATA, 1, GFN_RAM);
    map(0, G_DATA, RW);
    unmap(0);
    guest_set(G_DATA, 1, GFN_RAM_RO);
    map(0, G_DATA, RW);
    expect(0, 0, G_DATA, R);
    CHECK_EQ(COUNT(stale_replaced), 2);
}

/* So many pages from address 0, the last one unmapped last. */
static void start_with_many(unsigned int n)
{
    unsigned int i;

    start();
    for ( i = 0; i < n; i++ )
        map(PAGE(i), G_DATA + i, RW);
    for ( i = 0; i < n; i++ )
        unmap(PAGE(i));
    CHECK_EQ(COUNT(leaves_stale), n);
    hw.flushes = 0;
}

/* The address that was given back last is used first, for another page. */
static void other_pages_in_a_row_share_flushes(void)
{
    unsigned int i;

    start_with_many(40);
    for ( i = 40; i-- > 0; )
    {
        map(PAGE(i), G_DATA + 40 + i, RW);
        expect(0, PAGE(i), G_DATA + 40 + i, RW);
        CHECK_EQ(hw.stale, 0);
    }
    /* For 39, 37, 31, and 17, and what was older by 1, 5, 13, and 17 then. */
    CHECK_EQ(hw.flushes, 4);
    CHECK_EQ(COUNT(stale_replaced), 4);
    CHECK_EQ(COUNT(stale_joined), 36);
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(COUNT(pages_pinned), 40);
}

/* However many pieces it is done in, which depends on who does it. */
static void a_long_command_is_joined_once(void)
{
    unsigned int i, gfn;

    start();
    for ( gfn = G_DATA; gfn < G_DATA + 3; gfn++ )
    {
        for ( i = 0; i < 2 * VIOMMU_BUDGET; i++ )
            vm_map(table, 4, PAGE(i), gfn, 1, gfn != G_DATA + 1 ? RW : 0);
        q_submit(IOTLB_PAGE(1, 0, 11));
        if ( gfn == G_DATA )
            for ( i = 0; i < 10; i++ )
                map(8 * TWO_M + PAGE(i), G_DATA + 5, RW);
        if ( gfn == G_DATA + 1 )
            for ( i = 0; i < 10; i++ )
                unmap(8 * TWO_M + PAGE(i));
    }
    CHECK(COUNT(longest_entry) < 2 * VIOMMU_BUDGET);
    CHECK_EQ(COUNT(stale_replaced), 2 * VIOMMU_BUDGET);
    CHECK_EQ(COUNT(stale_joined), 2);
}

static void who_gets_the_same_pages_keeps_them(void)
{
    start_with_many(10);
    map(PAGE(0), G_DATA, RW);
    map(PAGE(1), G_DATA + 20, RW);
    CHECK_EQ(COUNT(leaves_revived), 1);
    CHECK_EQ(COUNT(stale_replaced), 1);
    CHECK_EQ(COUNT(stale_joined), 0);
    lingers(PAGE(9), G_DATA + 9);
    map(PAGE(9), G_DATA + 9, RW);
    CHECK_EQ(COUNT(leaves_revived), 2);
}

/* Another page at address 0, twice; what was unmapped before stays. */
static void nothing_joins(void)
{
    unmap(0);
    map(0, G_DATA + 2, RW);
    unmap(0);
    map(0, G_DATA + 3, RW);
    CHECK_EQ(COUNT(stale_replaced), 2);
    CHECK_EQ(COUNT(stale_joined), 0);
    lingers(PAGE(1), G_DATA + 1);
}

static void superpages_do_not_join(void)
{
    start();
    map(0, G_DATA, RW);
    map(PAGE(1), G_DATA + 1, RW);
    unmap(PAGE(1));
    map_2m(0x200);
    map_2m(0);
    nothing_joins();
    lingers(TWO_M, 0x200);
    vm_pass(WINDOW);
    expect_none(0, TWO_M);
    expect_none(0, PAGE(1));
    CHECK_EQ(COUNT(pages_pinned), 1);
}

static void other_tables_do_not_join(void)
{
    start();
    map(0, G_DATA, RW);
    map(PAGE(1), G_DATA + 1, RW);
    vm_map(other_table, 4, 0, G_DATA + 5, 1, RW);
    q_submit(IOTLB_PAGE(2, 0, 0));
    unmap(PAGE(1));
    vm_map(other_table, 4, 0, 0, 1, 0);
    q_submit(IOTLB_PAGE(2, 0, 0));
    nothing_joins();
    expect(1, 0, G_DATA + 5, RW);
    vm_pass(WINDOW);
    expect_none(1, 0);
    expect_none(0, PAGE(1));
    CHECK_EQ(COUNT(pages_pinned), 1);
}

static void a_superpage_lingers_as_a_whole(void)
{
    unsigned int writes;

    start();
    map_2m(0x200);
    map_2m(0);
    CHECK_EQ(COUNT(leaves_stale), 512);
    CHECK_EQ(COUNT(leaves_lingered), 1);
    CHECK_EQ(COUNT(pages_pinned), 512);
    lingers(TWO_M + PAGE(511), 0x3ff);

    writes = hw.writes;
    hw.flushes = 0;
    map_2m(0x200);
    CHECK_EQ(hw.writes, writes);
    CHECK_EQ(hw.flushes, 0);
    CHECK_EQ(COUNT(leaves_revived), 1);
    CHECK_EQ(COUNT(leaves_stale), 0);

    /* Another one in its place. */
    map_2m(0);
    map_2m(0x400);
    expect(0, TWO_M, 0x400, RW);
    CHECK_EQ(COUNT(pages_pinned), 512);
    CHECK_EQ(COUNT(stale_replaced), 1);

    /* A page in its place, of which the other pages are not there. */
    map_2m(0);
    CHECK_EQ(COUNT(leaves_stale), 512);
    vm_map(table, 4, TWO_M + PAGE(7), G_DATA, 1, RW);
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(7), 0));
    expect(0, TWO_M + PAGE(7), G_DATA, RW);
    expect_none(0, TWO_M);
    expect_none(0, TWO_M + PAGE(8));
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(COUNT(pages_pinned), 1);

    /* All of it, where it ends by time. */
    vm_map(table, 4, TWO_M, 0, 2, 0);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    map_2m(0x200);
    map_2m(0);
    vm_pass(WINDOW);
    expect_none(0, TWO_M);
    nothing_lingers();
}

/* One page of a superpage goes, the others stay: it is split. */
static void a_page_of_a_superpage_lingers_alone(void)
{
    unsigned long pages;
    unsigned int i;

    start();
    map_2m(0x200);
    pages = vm_table();
    for ( i = 0; i < 512; i++ )
        guest_page(pages)[i] = i == 3 ? 0 : PAGE(0x200 + i) | RW;
    *vm_entry(table, 4, TWO_M, 2) = PAGE(pages) | RW;
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    CHECK_EQ(COUNT(leaves_stale), 1);
    lingers(TWO_M + PAGE(3), 0x203);
    /* It comes back, and nothing has to be put together. */
    guest_page(pages)[3] = PAGE(0x203) | RW;
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(3), 0));
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(COUNT(leaves_revived), 1);
    expect(0, TWO_M + PAGE(3), 0x203, RW);
    guest_page(pages)[3] = 0;
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(3), 0));
    vm_pass(WINDOW);
    expect_none(0, TWO_M + PAGE(3));
    expect(0, TWO_M + PAGE(4), 0x204, RW);
    CHECK_EQ(COUNT(pages_pinned), 511);
}

/* ---- How many ---- */

static void a_full_quota_ends_the_oldest_with_one_flush(void)
{
    unsigned int i;

    start();
    vm_set(quota, 8);
    for ( i = 0; i < 9; i++ )
        map(PAGE(i), G_DATA + i, RW);
    for ( i = 0; i < 8; i++ )
        unmap(PAGE(i));
    CHECK_EQ(COUNT(leaves_stale), 8);
    CHECK_EQ(hw.flushes, 0);
    unmap(PAGE(8));
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(COUNT(stale_evicted), 3);
    CHECK_EQ(COUNT(leaves_stale), 6);
    for ( i = 0; i < 9; i++ )
        expect(0, PAGE(i), G_DATA + i, i < 3 ? 0 : RW);
    vm_pass(WINDOW);
    nothing_lingers();
}

static void the_quota_holds_for_any_number(void)
{
    unsigned int quota, i;

    start();
    for ( quota = 1; quota < 20; quota++ )
    {
        vm_set(quota, quota);
        for ( i = 0; i < 100; i++ )
            map(PAGE(i), G_DATA + i, RW);
        for ( i = 0; i < 100; i++ )
        {
            unmap(PAGE(i));
            CHECK(COUNT(leaves_stale) <= quota && COUNT(leaves_stale) > 0);
            CHECK_EQ(COUNT(pages_pinned), 99 - i + COUNT(leaves_stale));
            lingers(PAGE(i), G_DATA + i);
        }
        vm_pass(WINDOW);
    }
    nothing_lingers();
}

/* More at once than may linger: the rest goes at once. */
static void what_has_no_room_goes(void)
{
    unsigned int i;

    start();
    vm_set(quota, 8);
    for ( i = 0; i < 16; i++ )
        vm_map(table, 4, PAGE(i), G_DATA + i, 1, RW);
    q_submit(IOTLB_PAGE(1, 0, 4));
    for ( i = 0; i < 16; i++ )
        vm_map(table, 4, PAGE(i), 0, 1, 0);
    q_submit(IOTLB_PAGE(1, 0, 4));
    CHECK_EQ(COUNT(leaves_stale), 8);
    CHECK_EQ(COUNT(pages_pinned), 8);
    CHECK_EQ(hw.flushes, 1);

    /* A superpage, which is 512. */
    vm_set(quota, 511);
    map_2m(0x200);
    map_2m(0);
    nothing_lingers();
    vm_set(quota, 512);
    map_2m(0x200);
    map_2m(0);
    CHECK_EQ(COUNT(leaves_stale), 512);
}

/* Places of what came back are not in the way for ever. */
static void coming_and_going_needs_no_quota(void)
{
    unsigned int i;

    start();
    vm_set(quota, 16);
    hw.flushes = 0;
    for ( i = 0; i < 1000; i++ )
    {
        map(PAGE(i % 8), G_DATA + i % 8, RW);
        unmap(PAGE(i % 8));
        CHECK_EQ(COUNT(leaves_stale), min(i + 1, 8U));
    }
    CHECK_EQ(COUNT(leaves_revived), 992);
    CHECK_EQ(hw.flushes, 0);
    vm_pass(WINDOW);
    nothing_lingers();
    CHECK_EQ(COUNT(max_stale_us), WINDOW);
}

/* ---- One frame, several addresses ---- */

static void frames_are_counted_once(void)
{
    start();
    map(0, G_DATA, RW);
    map(PAGE(1), G_DATA, RW);
    map(1ULL << 40, G_DATA, R);
    CHECK_EQ(COUNT(pages_pinned), 1);
    CHECK_EQ(guest.frames, 3);
    unmap(0);
    CHECK_EQ(COUNT(pages_pinned), 1);
    vm_pass(WINDOW);
    expect_none(0, 0);
    expect(0, PAGE(1), G_DATA, RW);
    CHECK_EQ(COUNT(pages_pinned), 1);
    unmap(PAGE(1));
    unmap(1ULL << 40);
    CHECK_EQ(COUNT(pages_pinned), 1);
    CHECK_EQ(COUNT(leaves_stale), 2);
    /* It comes back at one of them; the other is not in its way. */
    map(PAGE(1), G_DATA, RW);
    vm_pass(WINDOW);
    expect(0, PAGE(1), G_DATA, RW);
    expect_none(0, 1ULL << 40);
    CHECK_EQ(COUNT(pages_pinned), 1);
    unmap(PAGE(1));
    vm_pass(WINDOW);
    nothing_lingers();
}

static void frames_of_superpages_are_counted_once(void)
{
    start();
    map_2m(0x200);
    map(0, 0x210, RW);
    CHECK_EQ(COUNT(pages_pinned), 512);
    map_2m(0);
    vm_pass(WINDOW);
    CHECK_EQ(COUNT(pages_pinned), 1);
    CHECK_EQ(guest_refs(guest_frame(0x210)), 1);
    unmap(0);
    vm_pass(WINDOW);
    nothing_lingers();
}

/* ---- What ends it early ---- */

static void by_domain(void)
{
    q_submit(IOTLB_DOMAIN(1));
}

static void by_global(void)
{
    q_submit(IOTLB_GLOBAL);
}

static void by_domain_register(void)
{
    wr64(VTD_IOTLB, VTD_IOTLB_IVT | MASK_INSR(2ULL, VTD_IOTLB_IIRG) |
                    MASK_INSR(1ULL, VTD_IOTLB_DID));
}

static void by_context(void)
{
    vm_clear_context(0);
    q_submit(CTX_DEVICE(1, vm_devfn(0), 0));
}

static void by_new_did(void)
{
    vm_set_context(0, table, 4, 7);
    q_submit(CTX_GLOBAL);
}

static void by_context_of_another(void)
{
    vm_set_context(1, table, 4, 1);
    q_submit(CTX_DEVICE(2, vm_devfn(1), 0));
}

static void by_detaching(void)
{
    CHECK_EQ(vm_unbind(0), 0);
    vm_settle();
}

static void by_binding(void)
{
    vm_set_context(2, table, 4, 1);
    CHECK_EQ(vm_bind(2), 0);
    vm_settle();
}

static void by_translation(void)
{
    wr32(VTD_GCMD, VTD_GCMD_QIE);
}

static void by_quota(void)
{
    vm_set(quota, 100);
}

static void by_strict(void)
{
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_strict);
}

static void by_ballooning(void)
{
    guest_set(G_DATA, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    CHECK(guest.deferred);
    vm_settle();
}

static void what_ends_it_early(void)
{
    static void (*const end[])(void) = {
        by_domain, by_global, by_domain_register, by_context, by_new_did,
        by_context_of_another, by_detaching, by_binding, by_translation,
        by_quota, by_strict, by_ballooning,
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(end); i++ )
    {
        vm_stop();
        vm_start();
        start();
        map(0, G_DATA, RW);
        map(PAGE(5), G_DATA + 5, RW);
        unmap(0);
        unmap(PAGE(5));
        lingers(0, G_DATA);
        end[i]();
        if ( COUNT(leaves_stale) || guest.frames || hw.stale )
            FAIL("it lingers after %u", i);
    }
}

/* Ballooning is frequent: without anything that lingers it costs nothing. */
static void memory_that_leaves_is_nobodys_work_otherwise(void)
{
    start();
    map(0, G_DATA, RW);
    guest.deferred = 0;
    guest_set(G_DATA + 1, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    CHECK_EQ(guest.deferred, 0);
    CHECK(!vi.stale.end);
    expect(0, 0, G_DATA, RW);
}

static void nothing_of_it(void)
{
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(hw.stale, 0);
    guest.on_status = NULL;
}

/* Gone before the guest is told that the command is done. */
static void it_has_ended_when_the_command_completes(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 3000; i++ )
        map(PAGE(i), G_DATA + i % 128, RW);
    for ( i = 0; i < 3000; i++ )
        unmap(PAGE(i));
    CHECK_EQ(COUNT(leaves_stale), 3000);
    vm_set_context(1, table, 4, 1);
    guest.on_status = nothing_of_it;
    q_put(CTX_DEVICE(2, vm_devfn(1), 0));
    q_put(WAIT_STATUS(4, PAGE(G_STATUS)));
    q_kick();
    CHECK_EQ(*vm_status(), 4);
    CHECK(!guest.on_status);

    /* The same by register. */
    for ( i = 0; i < 3000; i++ )
        map(PAGE(i), G_DATA + i % 128, RW);
    for ( i = 0; i < 3000; i++ )
        unmap(PAGE(i));
    vm_clear_context(1);
    vm_lazy = true;
    wr64(VTD_CCMD, VTD_CCMD_ICC | 1ULL << 61);
    while ( viommu_work(&vi) )
        if ( !(rd64(VTD_CCMD) & VTD_CCMD_ICC) )
            CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(COUNT(leaves_stale), 0);
}

static void others_do_not_end_it(void)
{
    start_with_one();
    map(PAGE(9), G_DATA + 9, RW);
    q_submit(IOTLB_DOMAIN(2));
    q_submit(IOTLB_PAGE(2, 0, 9));
    q_submit(CTX_GLOBAL);
    q_submit(IEC_GLOBAL);
    q_wait();
    lingers(0, G_DATA);
}

static void strict_means_at_once(void)
{
    start();
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_strict);
    map(0, G_DATA, RW);
    unmap(0);
    expect_none(0, 0);
    nothing_lingers();
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(COUNT(leaves_lingered), 0);
}

static void a_domain_invalidation_ends_it_at_once(void)
{
    start();
    map(0, G_DATA, RW);
    vm_map(table, 4, 0, 0, 1, 0);
    q_submit(IOTLB_DOMAIN(1));
    expect_none(0, 0);
    nothing_lingers();
    CHECK_EQ(COUNT(leaves_lingered), 0);
}

/* ---- What it keeps, and gives back ---- */

static void a_table_stays_as_long_as_something_lingers(void)
{
    unsigned int before;

    start();
    before = COUNT(table_pages);
    map(1ULL << 40, G_DATA, RW);
    CHECK_EQ(COUNT(table_pages), before + 3);
    unmap(1ULL << 40);
    CHECK_EQ(COUNT(table_pages), before + 3);
    vm_pass(WINDOW);
    CHECK_EQ(COUNT(leaves_stale), 0);
    /* And a little longer, for the next one. */
    CHECK_EQ(COUNT(table_pages), before + 3);
}

static void destruction_does_not_wait_for_it(void)
{
    start_with_one();
    map_2m(0x200);
    map_2m(0);
    vm_stop();
    CHECK_EQ(guest.frames, 0);
}

static void destruction_with_a_timer_that_comes_late(void)
{
    start_with_one();
    vm_unbind(0);
    vm_unbind(1);
    while ( viommu_reap(&vi) )
        ;
    vm_pass(WINDOW);
    nothing_lingers();
}

static void it_works_while_the_page_is_memory(void)
{
    vm_use_sidecore();
    start_with_one();
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(COUNT(leaves_stale), 1);
    vm_pass(WINDOW - 1);
    lingers(0, G_DATA);
    map(0, G_DATA, RW);
    CHECK_EQ(COUNT(leaves_revived), 1);
    unmap(0);
    vm_pass(WINDOW);
    nothing_lingers();
    CHECK(vm_no_exit(&vi));

    /* Memory leaves: that needs no vCPU of the guest to be in Xen. */
    map(0, G_DATA, RW);
    unmap(0);
    by_ballooning();
    nothing_lingers();
}

TESTS(stale_tests) = {
    TEST(one_from_the_future_is_not_old),
    TEST(it_lingers_for_the_window),
    TEST(a_device_succeeds_inside_the_window_only),
    TEST(the_timer_ends_any_number),
    TEST(each_has_its_own_time),
    TEST(several_tables_end_together),
    TEST(telling_again_does_not_prolong_it),
    TEST(its_time_starts_when_it_is_unmapped),
    TEST(a_clock_that_leaps_ends_what_is_due),
    TEST(a_timer_that_cannot_work_comes_again),
    TEST(it_ends_in_a_young_machine_too),
    TEST(coming_back_costs_nothing),
    TEST(what_comes_back_differently_is_flushed),
    TEST(other_pages_in_a_row_share_flushes),
    TEST(a_long_command_is_joined_once),
    TEST(who_gets_the_same_pages_keeps_them),
    TEST(superpages_do_not_join),
    TEST(other_tables_do_not_join),
    TEST(a_superpage_lingers_as_a_whole),
    TEST(a_page_of_a_superpage_lingers_alone),
    TEST(a_full_quota_ends_the_oldest_with_one_flush),
    TEST(the_quota_holds_for_any_number),
    TEST(what_has_no_room_goes),
    TEST(coming_and_going_needs_no_quota),
    TEST(frames_are_counted_once),
    TEST(frames_of_superpages_are_counted_once),
    TEST(what_ends_it_early),
    TEST(memory_that_leaves_is_nobodys_work_otherwise),
    TEST(it_has_ended_when_the_command_completes),
    TEST(others_do_not_end_it),
    TEST(strict_means_at_once),
    TEST(a_domain_invalidation_ends_it_at_once),
    TEST(a_table_stays_as_long_as_something_lingers),
    TEST(destruction_does_not_wait_for_it),
    TEST(destruction_with_a_timer_that_comes_late),
    TEST_TRAPPED(it_works_while_the_page_is_memory),
    TESTS_END
};

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
