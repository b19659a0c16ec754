/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-sync.c: what an IOTLB invalidation changes, and what it costs.
 */
#include "vm.h"

static unsigned long table;

#define TWO_M  (1ULL << 21)
#define ONE_G  (1ULL << 30)

static void start(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
    hw.flushes = hw.fresh_flushes = 0;
}

static void map(uint64_t addr, unsigned long gfn, uint64_t rights)
{
    vm_map(table, 4, addr, gfn, 1, rights);
}

static void unmap(uint64_t addr)
{
    vm_map(table, 4, addr, 0, 1, 0);
}

static void nothing_is_seen_before_the_invalidation(void)
{
    start();
    map(0, G_DATA, RW);
    expect_none(0, 0);
    q_wait();
    expect_none(0, 0);
    q_submit(IOTLB_PAGE(1, 0, 0));
    expect(0, 0, G_DATA, RW);
    unmap(0);
    q_wait();
    expect(0, 0, G_DATA, RW);
    q_submit(IOTLB_PAGE(1, 0, 0));
    expect_none(0, 0);
}

static void mapping_needs_no_flush(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 300; i++ )
    {
        map(PAGE(i * 3), G_DATA + i % 64, RW);
        q_submit(IOTLB_PAGE(1, PAGE(i * 3), 0));
    }
    CHECK_EQ(hw.flushes, 0);
    expect(0, PAGE(3), G_DATA + 1, RW);
}

/* The physical unit has caching mode itself: nested virtualisation. */
static void mapping_is_flushed_where_absence_is_cached(void)
{
    hw.caching_mode = true;
    start();
    map(PAGE(1), G_DATA, RW);
    q_submit(IOTLB_PAGE(1, PAGE(1), 0));
    expect(0, PAGE(1), G_DATA, RW);
    CHECK(hw.fresh_flushes);
    CHECK_EQ(hw.flushes, 0);
}

static void unmapping_is_one_flush(void)
{
    unsigned int pages, i;

    start();
    for ( pages = 1; pages <= 512; pages *= 2 )
    {
        for ( i = 0; i < pages; i++ )
            map(PAGE(0x1000 + i), G_DATA + i % 64, RW);
        q_submit(IOTLB_PAGE(1, PAGE(0x1000), 9));
        hw.flushes = 0;
        for ( i = 0; i < pages; i++ )
            unmap(PAGE(0x1000 + i));
        q_submit(IOTLB_PAGE(1, PAGE(0x1000), __builtin_ctz(pages)));
        if ( hw.flushes != 1 )
            FAIL("%u flushes for %u pages", hw.flushes, pages);
        if ( hw.last_order > (unsigned int)__builtin_ctz(pages) )
            FAIL("flush of order %lu for %u pages", hw.last_order, pages);
        CHECK_EQ(guest.frames, 0);
    }
}

static void invalidating_what_did_not_change_costs_nothing(void)
{
    unsigned int writes;

    start();
    map(PAGE(1), G_DATA, RW);
    map(PAGE(2), G_DATA + 1, R);
    q_submit(IOTLB_DOMAIN(1));
    writes = COUNT(leaves_mapped);
    q_submit(IOTLB_DOMAIN(1));
    q_submit(IOTLB_GLOBAL);
    q_submit(IOTLB_PAGE(1, 0, 2));
    CHECK_EQ(hw.flushes, 0);
    CHECK_EQ(COUNT(leaves_mapped), writes);
    CHECK_EQ(COUNT(leaves_unmapped), 0);
    CHECK_EQ(guest.frames, 2);
}

static void a_map_is_one_register_write(void)
{
    unsigned int i, writes;

    start();
    writes = COUNT(reg_writes);
    COUNT(deferrals) = 0;
    for ( i = 0; i < 100; i++ )
    {
        map(PAGE(i), G_DATA, RW);
        q_put(IOTLB_PAGE(1, PAGE(i), 0));
        q_put(WAIT_STATUS(2 * i + 1, PAGE(G_STATUS)));
        q_kick();
        CHECK_EQ(*vm_status(), 2 * i + 1);
        unmap(PAGE(i));
        q_put(IOTLB_PAGE(1, PAGE(i), 0));
        q_put(WAIT_STATUS(2 * i + 2, PAGE(G_STATUS)));
        q_kick();
        CHECK_EQ(*vm_status(), 2 * i + 2);
    }
    CHECK_EQ(COUNT(reg_writes), writes + 200);
    CHECK_EQ(COUNT(deferrals), 0);
    CHECK_EQ(hw.flushes, 100);
}

static void a_replaced_page_is_flushed(void)
{
    start();
    map(PAGE(7), G_DATA, RW);
    q_submit(IOTLB_PAGE(1, PAGE(7), 0));
    map(PAGE(7), G_DATA + 1, RW);
    q_submit(IOTLB_PAGE(1, PAGE(7), 0));
    expect(0, PAGE(7), G_DATA + 1, RW);
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(hw.last_order, 0);
    CHECK_EQ(guest_refs(guest_frame(G_DATA)), 0);
    CHECK_EQ(guest_refs(guest_frame(G_DATA + 1)), 1);
}

static void changed_rights_are_flushed(void)
{
    static const uint64_t rights[] = { RW, R, W, RW, W, R, RW };
    unsigned int i;

    start();
    for ( i = 0; i < ARRAY_SIZE(rights); i++ )
    {
        map(PAGE(7), G_DATA, rights[i]);
        q_submit(IOTLB_PAGE(1, PAGE(7), 0));
        expect(0, PAGE(7), G_DATA, rights[i]);
        CHECK_EQ(hw.flushes, i);
        CHECK_EQ(guest.frames, 1);
    }
}

static void only_the_named_range_is_read(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 64; i++ )
        map(PAGE(i), G_DATA + i, RW);
    q_submit(IOTLB_DOMAIN(1));
    for ( i = 0; i < 64; i++ )
        unmap(PAGE(i));
    q_submit(IOTLB_PAGE(1, PAGE(16), 3));
    for ( i = 0; i < 64; i++ )
        expect(0, PAGE(i), G_DATA + i, i >= 16 && i < 24 ? 0 : RW);
}

/* The lower bits of the address are masked, as hardware does. */
static void range_is_aligned_to_its_size(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 32; i++ )
        map(PAGE(i), G_DATA + i, RW);
    q_submit(IOTLB_PAGE(1, PAGE(13), 4));
    for ( i = 0; i < 32; i++ )
        expect(0, PAGE(i), G_DATA + i, i < 16 ? RW : 0);
}

static void ranges_at_the_ends_are_harmless(void)
{
    static const uint64_t addr[] = {
        0, (1ULL << 48) - 4096, 1ULL << 48, ~0xfffULL, 1ULL << 63,
    };
    unsigned int i, am;

    start();
    map(0, G_DATA, RW);
    map((1ULL << 48) - 4096, G_DATA + 1, RW);
    for ( am = 0; am <= 18; am++ )
        for ( i = 0; i < ARRAY_SIZE(addr); i++ )
            q_submit(IOTLB_PAGE(1, addr[i] & (~0ULL << (am + 12)), am));
    expect(0, 0, G_DATA, RW);
    expect(0, (1ULL << 48) - 4096, G_DATA + 1, RW);
    CHECK_EQ(guest.frames, 2);
}

static void the_largest_range_covers_1g(void)
{
    start();
    map(ONE_G, G_DATA, RW);
    map(2 * ONE_G - 4096, G_DATA + 1, RW);
    map(2 * ONE_G, G_DATA + 2, RW);
    map(ONE_G - 4096, G_DATA + 3, RW);
    q_submit(IOTLB_PAGE(1, ONE_G, 18));
    expect(0, ONE_G, G_DATA, RW);
    expect(0, 2 * ONE_G - 4096, G_DATA + 1, RW);
    expect_none(0, 2 * ONE_G);
    expect_none(0, ONE_G - 4096);
}

static void other_domains_are_left_alone(void)
{
    start();
    map(0, G_DATA, RW);
    q_submit(IOTLB_DOMAIN(1));
    unmap(0);
    q_submit(IOTLB_DOMAIN(2));
    q_submit(IOTLB_PAGE(0, 0, 0));
    q_submit(IOTLB_PAGE(0xffff, 0, 18));
    expect(0, 0, G_DATA, RW);
    q_submit(IOTLB_GLOBAL);
    expect_none(0, 0);
}

static void flush_where_superpage(unsigned int level, unsigned long gfn,
                                  unsigned int page)
{
    uint64_t size = VTD_LEVEL_SIZE(level), addr = 4 * ONE_G;
    unsigned int last = size / 4096 - 1;

    vm_map(table, 4, addr, gfn, level, RW);
    q_submit(IOTLB_PAGE(1, addr + PAGE(page), 0));
    expect(0, addr, gfn, RW);
    expect(0, addr + PAGE(last), gfn + last, RW);
    vm_map(table, 4, addr, 0, level, 0);
    q_submit(IOTLB_PAGE(1, addr + PAGE(page), 0));
    expect_none(0, addr);
    expect_none(0, addr + PAGE(last));
    expect_none(0, addr + PAGE(page));
    CHECK_EQ(guest.frames, 0);
}

/* 6.5.1.2: any page of a superpage invalidates the superpage. */
static void one_page_of_a_superpage_is_all_of_it(void)
{
    start();
    flush_where_superpage(2, 0x200, 0);
    flush_where_superpage(2, 0x400, 77);
    flush_where_superpage(2, 0x200, 511);
}

static void one_page_of_1g_is_all_of_it(void)
{
    guest_set(G_HUGE, 0x40000, GFN_RAM);
    start();
    flush_where_superpage(3, G_HUGE, 0x12345);
}

static void superpage_becomes_a_table_and_back(void)
{
    unsigned long leaves = vm_table();
    uint64_t *e;
    unsigned int i;

    start();
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    expect(0, TWO_M + PAGE(5), 0x205, RW);

    /* Two pages remain, others are gone. */
    for ( i = 0; i < 2; i++ )
        guest_page(leaves)[i] = PAGE(G_DATA + i) | RW;
    e = vm_entry(table, 4, TWO_M, 2);
    *e = PAGE(leaves) | RW;
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(9), 0));
    expect(0, TWO_M, G_DATA, RW);
    expect(0, TWO_M + PAGE(1), G_DATA + 1, RW);
    expect_none(0, TWO_M + PAGE(5));
    CHECK_EQ(guest.frames, 2);

    *e = PAGE(0x400) | RW | VTD_PTE_SP;
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(1), 0));
    expect(0, TWO_M, 0x400, RW);
    expect(0, TWO_M + PAGE(511), 0x5ff, RW);
    CHECK_EQ(guest.frames, 512);

    *e = 0;
    q_submit(IOTLB_PAGE(1, TWO_M, 0));
    CHECK_EQ(guest.frames, 0);
}

/* The page named may be one that had no RAM behind it. */
static void superpage_with_a_hole_is_remembered(void)
{
    start();
    guest_set(0x233, 1, GFN_MISSING);
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    expect(0, TWO_M, 0x200, RW);
    vm_map(table, 4, TWO_M, 0, 2, 0);
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(0x33), 0));
    expect_none(0, TWO_M);
    CHECK_EQ(guest.frames, 0);
}

static void tables_are_freed_when_empty(void)
{
    unsigned int before;
    uint64_t i;

    start();
    before = COUNT(table_pages);
    map(0, G_DATA, RW);
    map(PAGE(1), G_DATA, RW);
    map(1ULL << 40, G_DATA, RW);
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(COUNT(table_pages), before + 5);
    CHECK_EQ(hw.tables, COUNT(table_pages));
    unmap(PAGE(1));
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(COUNT(table_pages), before + 5);
    /* The last empty ones stay. */
    unmap(1ULL << 40);
    unmap(0);
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(COUNT(table_pages), before + 5);
    expect_none(0, 0);
    expect_none(0, 1ULL << 40);
    /* But not more of them. */
    for ( i = 0; i < 2 * VIOMMU_NR_IDLE; i++ )
    {
        map(i << 21, G_DATA, RW);
        q_submit(IOTLB_PAGE(1, i << 21, 0));
        unmap(i << 21);
        q_submit(IOTLB_PAGE(1, i << 21, 0));
    }
    CHECK_EQ(COUNT(table_pages), before + 1 + VIOMMU_NR_IDLE);
    CHECK_EQ(hw.tables, COUNT(table_pages));
}

/* Ballooned out while mapped: the domain keeps the frame until the flush. */
static void frames_stay_until_they_are_unmapped(void)
{
    start();
    map(0, G_DATA, RW);
    q_submit(IOTLB_DOMAIN(1));
    guest_set(G_DATA, 1, GFN_MISSING);
    expect(0, 0, G_DATA, RW);
    CHECK_EQ(guest_refs(guest_frame(G_DATA)), 1);
    q_submit(IOTLB_PAGE(1, 0, 0));
    expect_none(0, 0);
    CHECK_EQ(guest_refs(guest_frame(G_DATA)), 0);
}

static void a_frame_may_be_mapped_often(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 50; i++ )
        map(PAGE(i), G_DATA, i & 1 ? RW : R);
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest_refs(guest_frame(G_DATA)), 50);
    for ( i = 0; i < 49; i++ )
        unmap(PAGE(i));
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest_refs(guest_frame(G_DATA)), 1);
    expect(0, PAGE(49), G_DATA, RW);
}

static void more_pages_than_wait_for_one_flush(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 3 * VIOMMU_NR_REMOVED; i++ )
        map(PAGE(i), G_DATA + i % 128, RW);
    q_submit(IOTLB_DOMAIN(1));
    hw.flushes = 0;
    for ( i = 0; i < 3 * VIOMMU_NR_REMOVED; i++ )
        unmap(PAGE(i));
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest.frames, 0);
    CHECK(hw.flushes <= 6);
}

/* Each leaf in a table of its own, so that tables wait in great number. */
static void many_tables_wait_for_a_flush(void)
{
    unsigned long leaves = vm_table(), middle = vm_table();
    unsigned int i;

    start();
    guest_page(leaves)[3] = PAGE(G_DATA) | RW;
    for ( i = 0; i < 512; i++ )
        guest_page(middle)[i] = PAGE(leaves) | RW;
    vm_map(table, 4, 0, 0, 1, 0);            /* makes the tables above */
    *vm_entry(table, 4, 0, 3) = PAGE(middle) | RW;
    *vm_entry(table, 4, ONE_G, 3) = PAGE(middle) | RW;
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest.frames, 1024);
    expect(0, 700 * TWO_M + PAGE(3), G_DATA, RW);
    *vm_entry(table, 4, 0, 3) = 0;
    *vm_entry(table, 4, ONE_G, 3) = 0;
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest.frames, 0);
    expect_none(0, 700 * TWO_M + PAGE(3));
}

/* Two tables go with each leaf, and all of it is one piece of work. */
static void more_tables_than_wait_for_one_flush(void)
{
    unsigned long leaves = vm_table(), middle = vm_table();
    unsigned int tables, i;

    start();
    tables = COUNT(table_pages);
    guest_page(leaves)[0] = PAGE(G_DATA) | RW;
    guest_page(middle)[0] = PAGE(leaves) | RW;
    for ( i = 0; i < 400; i++ )
        *vm_entry(table, 4, i * ONE_G, 3) = PAGE(middle) | RW;
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(COUNT(table_pages), tables + 800);
    *vm_entry(table, 4, 0, 4) = 0;
    hw.flushes = 0;
    q_submit(IOTLB_DOMAIN(1));
    /* But for the last empty ones, and those above. */
    CHECK_EQ(COUNT(table_pages), tables + 2 * VIOMMU_NR_IDLE);
    CHECK_EQ(guest.frames, 0);
    CHECK(hw.flushes >= 2 && hw.flushes <= 12);
}

TESTS(sync_tests) = {
    TEST(nothing_is_seen_before_the_invalidation),
    TEST(mapping_needs_no_flush),
    TEST(mapping_is_flushed_where_absence_is_cached),
    TEST(unmapping_is_one_flush),
    TEST(invalidating_what_did_not_change_costs_nothing),
    TEST_TRAPPED(a_map_is_one_register_write),
    TEST(a_replaced_page_is_flushed),
    TEST(changed_rights_are_flushed),
    TEST(only_the_named_range_is_read),
    TEST(range_is_aligned_to_its_size),
    TEST(ranges_at_the_ends_are_harmless),
    TEST(the_largest_range_covers_1g),
    TEST(other_domains_are_left_alone),
    TEST(one_page_of_a_superpage_is_all_of_it),
    TEST(one_page_of_1g_is_all_of_it),
    TEST(superpage_becomes_a_table_and_back),
    TEST(superpage_with_a_hole_is_remembered),
    TEST(tables_are_freed_when_empty),
    TEST(frames_stay_until_they_are_unmapped),
    TEST(a_frame_may_be_mapped_often),
    TEST(more_pages_than_wait_for_one_flush),
    TEST(many_tables_wait_for_a_flush),
    TEST(more_tables_than_wait_for_one_flush),
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
