/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-super.c: superpages of the shadow: when there is one, and what becomes of
 * it.
 */
#include "vm.h"

static unsigned long table;

#define TWO_M  (1ULL << 21)
#define ONE_G  (1ULL << 30)
/* Where a superpage of 1G is mapped. */
#define HUGE   (5 * ONE_G)
#define N_HUGE 0x40000U

static void start(unsigned int quota)
{
    if ( quota )
    {
        vm_stop();
        CHECK_EQ(vm_create(quota), 0);
    }
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
    hw.flushes = 0;
}

static void map(unsigned long gfn, uint64_t rights)
{
    vm_map(table, 4, TWO_M, gfn, 2, rights);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
}

static void expect_all(unsigned long gfn, uint64_t rights)
{
    unsigned int i;

    for ( i = 0; i < 512; i++ )
        expect(0, TWO_M + PAGE(i), gfn + i, rights);
    expect_none(0, TWO_M - 1);
    expect_none(0, 2 * TWO_M);
}

/* Leaves of the shadow now, whatever their size. */
static unsigned int leaves(void)
{
    return COUNT(leaves_mapped) - COUNT(leaves_unmapped);
}

static void a_superpage_is_one_leaf(void)
{
    unsigned int tables;

    start(0);
    tables = COUNT(table_pages);
    map(0x200, RW);
    expect_all(0x200, RW);
    CHECK_EQ(COUNT(leaves_mapped), 1);
    CHECK_EQ(COUNT(table_pages), tables + 1);
    CHECK_EQ(COUNT(pages_pinned), 512);
    CHECK_EQ(guest.frames, 512);
    CHECK_EQ(hw.flushes, 0);
    map(0, 0);
    CHECK_EQ(COUNT(leaves_unmapped), 1);
    CHECK_EQ(COUNT(table_pages), tables);
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(hw.last_order, 9);
}

static void a_machine_without_superpages_gets_pages(void)
{
    vm_stop();
    hw.caps.leaf_level = 1;
    start(16);
    map(0x200, RW);
    expect_all(0x200, RW);
    CHECK_EQ(COUNT(leaves_mapped), 512);
    map(0, 0);
    CHECK_EQ(guest.frames, 0);
}

static void other_rights_of_a_superpage_are_flushed(void)
{
    static const uint64_t rights[] = { RW, R, W, RW };
    unsigned int i;

    start(0);
    for ( i = 0; i < ARRAY_SIZE(rights); i++ )
    {
        map(0x200, rights[i]);
        expect_all(0x200, rights[i]);
        CHECK_EQ(hw.flushes, i);
        CHECK_EQ(guest.frames, 512);
    }
    CHECK_EQ(COUNT(leaves_mapped), 1);
}

static void another_superpage_replaces_it(void)
{
    start(0);
    map(0x200, RW);
    map(0x400, R);
    expect_all(0x400, R);
    CHECK_EQ(guest.frames, 512);
    CHECK_EQ(guest_refs(guest_frame(0x200)), 0);
    CHECK_EQ(guest_refs(guest_frame(0x5ff)), 1);
}

/* A page is ballooned out, and comes back. */
static void a_superpage_is_split_and_merged(void)
{
    unsigned int tables;

    start(0);
    map(0x200, RW);
    tables = COUNT(table_pages);
    guest_set(0x234, 1, GFN_MISSING);
    q_submit(IOTLB_PAGE(1, TWO_M + PAGE(7), 0));
    expect_none(0, TWO_M + PAGE(0x34));
    expect(0, TWO_M + PAGE(0x33), 0x233, RW);
    expect(0, TWO_M + PAGE(0x35), 0x235, RW);
    CHECK_EQ(COUNT(table_pages), tables + 1);
    CHECK_EQ(guest_refs(guest_frame(0x234)), 0);
    CHECK_EQ(guest.frames, 511);

    guest_set(0x234, 1, GFN_RAM_RO);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, TWO_M + PAGE(0x34), 0x234, R);
    CHECK_EQ(COUNT(table_pages), tables + 1);

    guest_set(0x234, 1, GFN_RAM);
    q_submit(IOTLB_DOMAIN(1));
    expect_all(0x200, RW);
    CHECK_EQ(COUNT(table_pages), tables);
    CHECK_EQ(guest.frames, 512);
}

/* No page for the table: what does not agree any more has to go, all of it. */
static void a_superpage_that_cannot_be_split_goes(void)
{
    start(0);
    map(0x200, RW);
    guest_set(0x234, 1, GFN_MISSING);
    harness.fail_in = 1;
    q_submit(IOTLB_PAGE(1, TWO_M, 0));
    CHECK_EQ(harness.failed, 1);
    CHECK(COUNT(rej_quota));
    expect_none(0, TWO_M + PAGE(0x34));
    CHECK_EQ(guest_refs(guest_frame(0x234)), 0);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, TWO_M + PAGE(0x33), 0x233, RW);
    map(0, 0);
    CHECK_EQ(guest.frames, 0);
}

/* Of its references, their counts, and its table: then it is made later. */
static void any_allocation_of_a_superpage_may_fail(void)
{
    unsigned int n;

    for ( n = 1; ; n++ )
    {
        vm_stop();
        vm_start();
        start(0);
        vm_map(table, 4, TWO_M, 0x200, 2, RW);
        harness.fail_in = n;
        q_submit(IOTLB_PAGE(1, TWO_M, 9));
        harness.fail_in = 0;
        if ( !harness.failed )
            break;
        CHECK(COUNT(rej_quota));
        CHECK_EQ(guest.frames, COUNT(pages_pinned));
        q_submit(IOTLB_DOMAIN(1));
        expect_all(0x200, RW);
        CHECK_EQ(leaves(), 1);
        CHECK_EQ(guest.frames, 512);
    }
    CHECK(n > 1);
}

static void a_superpage_without_quota_maps_nothing(void)
{
    unsigned int quota;

    start(0);
    quota = COUNT(table_pages);
    vm_stop();
    vm_start();
    start(quota);
    map(0x200, RW);
    CHECK(COUNT(rej_quota));
    expect_none(0, TWO_M);
    expect_none(0, TWO_M + PAGE(511));
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(hw.tables, quota);
}

static void quota_holds_for_splits(void)
{
    unsigned int quota;

    start(0);
    map(0x200, RW);
    quota = COUNT(table_pages);
    map(0, 0);
    vm_stop();
    start(quota);
    map(0x200, RW);
    expect_all(0x200, RW);
    guest_set(0x234, 1, GFN_MISSING);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    CHECK(hw.tables <= quota);
    expect_none(0, TWO_M + PAGE(0x34));
    /* No table, so no pages either. */
    CHECK_EQ(guest.frames, 0);
    guest_set(0x234, 1, GFN_RAM);
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    expect_all(0x200, RW);
}

static void balloon(void)
{
    guest_set(0x2ff, 1, GFN_MISSING);
}

static void protect(void)
{
    guest_set(0x2ff, 1, GFN_RAM_RO);
}

/* The guest's memory changes between the look at it and the references. */
static void memory_that_changes_meanwhile_is_not_taken(void)
{
    start(0);
    guest.on_superpage = balloon;
    map(0x200, RW);
    guest.on_superpage = NULL;
    expect_none(0, TWO_M + PAGE(0xff));
    expect(0, TWO_M + PAGE(0xfe), 0x2fe, RW);
    CHECK_EQ(guest.frames, 511);
    map(0, 0);
    CHECK_EQ(guest.frames, 0);

    guest_set(0x2ff, 1, GFN_RAM);
    guest.on_superpage = protect;
    map(0x200, RW);
    guest.on_superpage = NULL;
    expect(0, TWO_M + PAGE(0xff), 0x2ff, R);
    CHECK_EQ(guest.frames, 512);
}

/* ---- 1G ---- */

/* What is looked at of 1G: all would take long. */
static const unsigned int some[] = {
    0, 1, 511, 512, 0x12344, 0x12345, 0x12346, 0x12400, N_HUGE - 512,
    N_HUGE - 1
};

static void expect_huge(unsigned long gfn, uint64_t rights)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(some); i++ )
        expect(0, HUGE + PAGE(some[i]), gfn + some[i], rights);
    expect_none(0, HUGE - 1);
    expect_none(0, HUGE + ONE_G);
}

/* One page of it is named, which stands for all. */
static void map_huge(unsigned long gfn, uint64_t rights)
{
    vm_map(table, 4, HUGE, gfn, 3, rights);
    q_submit(IOTLB_PAGE(1, HUGE + PAGE(0x777), 0));
}

static void start_huge(unsigned int quota)
{
    guest_set(G_HUGE, N_HUGE, GFN_RAM);
    start(quota);
    map_huge(G_HUGE, RW);
}

static void a_superpage_of_1g_is_one_leaf(void)
{
    unsigned int tables, writes, gets;

    start(0);
    tables = COUNT(table_pages);
    guest_set(G_HUGE, N_HUGE, GFN_RAM);
    map_huge(G_HUGE, RW);
    expect_huge(G_HUGE, RW);
    CHECK_EQ(leaves(), 1);
    CHECK_EQ(hw.huge, 1);
    CHECK_EQ(COUNT(pages_pinned), N_HUGE);
    CHECK_EQ(guest.frames, N_HUGE);
    /* The table that it was stays in reserve. */
    CHECK_EQ(COUNT(table_pages), tables + 1);

    /* To look at it again is one item, and changes nothing. */
    writes = hw.writes;
    gets = guest.gets;
    COUNT(longest_entry) = 0;
    hw.flushes = 0;
    q_submit(IOTLB_PAGE(1, HUGE + PAGE(0x23456), 0));
    CHECK(COUNT(longest_entry) <= 8);
    q_submit(IOTLB_DOMAIN(1));
    q_submit(IOTLB_GLOBAL);
    CHECK_EQ(hw.writes, writes);
    CHECK_EQ(guest.gets, gets);
    CHECK_EQ(hw.flushes, 0);

    map_huge(0, 0);
    expect_none(0, HUGE);
    CHECK_EQ(leaves(), 0);
    CHECK_EQ(COUNT(table_pages), tables);
    CHECK_EQ(COUNT(pages_pinned), 0);
    CHECK_EQ(guest.frames, 0);
}

static void leaves_of_1g_need_a_machine_that_has_them(void)
{
    unsigned int level;

    for ( level = 1; level <= 2; level++ )
    {
        vm_stop();
        vm_start();
        vm_stop();
        hw.caps.leaf_level = level;
        CHECK_EQ(vm_create(0), 0);
        start_huge(0);
        expect_huge(G_HUGE, RW);
        CHECK_EQ(hw.huge, 0);
        CHECK_EQ(leaves(), level == 1 ? N_HUGE : 512);
    }
}

/* The guest's memory at 0 is not in one piece; each 2M of it is. */
static void leaves_of_1g_need_memory_in_one_piece(void)
{
    guest_set(0, N_HUGE, GFN_RAM);
    start(0);
    map_huge(0, RW);
    expect_huge(0, RW);
    CHECK_EQ(leaves(), 512);
    CHECK_EQ(hw.huge, 0);
}

static void other_rights_of_1g_are_one_write_and_one_flush(void)
{
    static const uint64_t rights[] = { R, W, RW };
    unsigned int i, gets, writes;

    start_huge(0);
    gets = guest.gets;
    for ( i = 0; i < ARRAY_SIZE(rights); i++ )
    {
        writes = hw.writes;
        hw.flushes = 0;
        map_huge(G_HUGE, rights[i]);
        expect_huge(G_HUGE, rights[i]);
        CHECK_EQ(hw.writes, writes + 1);
        CHECK_EQ(hw.flushes, 1);
        CHECK_EQ(hw.last_order, 18);
    }
    CHECK_EQ(guest.gets, gets);
    CHECK_EQ(leaves(), 1);
}

/* No entry gives back more than what its budget is good for. */
static void a_removed_1g_goes_in_pieces(void)
{
    unsigned int frames, entries = 0;
    bool more;

    start_huge(0);
    vm_map(table, 4, HUGE, 0, 3, 0);
    vm_lazy = true;
    q_put(IOTLB_PAGE(1, HUGE, 0));
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    do {
        CHECK_EQ(*vm_status(), 0);
        frames = guest.frames;
        more = viommu_work(&vi);
        CHECK(frames - guest.frames <= VIOMMU_BUDGET + 512);
        CHECK_EQ(hw.stale, 0);
        entries++;
    } while ( more );
    CHECK(entries >= N_HUGE / (VIOMMU_BUDGET + 512));
    CHECK(entries <= N_HUGE / VIOMMU_BUDGET + 3);
    CHECK_EQ(*vm_status(), 1);
    CHECK_EQ(guest.frames, 0);
    expect_none(0, HUGE);
}

/* A page is ballooned out, and comes back. */
static void a_1g_is_split_and_merged(void)
{
    unsigned int tables;

    start_huge(0);
    tables = COUNT(table_pages);
    guest_set(G_HUGE + 0x12345, 1, GFN_MISSING);
    q_submit(IOTLB_PAGE(1, HUGE + PAGE(7), 0));
    expect_none(0, HUGE + PAGE(0x12345));
    expect(0, HUGE + PAGE(0x12344), G_HUGE + 0x12344, RW);
    expect(0, HUGE + PAGE(0x12346), G_HUGE + 0x12346, RW);
    expect(0, HUGE + PAGE(N_HUGE - 1), G_HUGE + N_HUGE - 1, RW);
    CHECK_EQ(leaves(), 511 + 511);
    CHECK_EQ(COUNT(table_pages), tables + 1);
    CHECK_EQ(guest_refs(guest_frame(G_HUGE + 0x12345)), 0);
    CHECK_EQ(guest.frames, N_HUGE - 1);

    guest_set(G_HUGE + 0x12345, 1, GFN_RAM_RO);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, HUGE + PAGE(0x12345), G_HUGE + 0x12345, R);
    CHECK_EQ(leaves(), 511 + 512);

    guest_set(G_HUGE + 0x12345, 1, GFN_RAM);
    q_submit(IOTLB_PAGE(1, HUGE, 0));
    expect_huge(G_HUGE, RW);
    CHECK_EQ(leaves(), 1);
    CHECK_EQ(hw.huge, 2);
    CHECK_EQ(COUNT(table_pages), tables);
    CHECK_EQ(guest.frames, N_HUGE);
}

/* Memory changes after so many looks at what could be one leaf. */
static unsigned int looks, change_after;

static void count_looks(void)
{
    if ( ++looks == change_after )
        guest_set(G_HUGE + 0x23456, 1, GFN_RAM_RO);
}

/*
 * One leaf, and at once parts again, as memory changes just then: by the next
 * command that has the same flush, so the table's page is not free yet.
 */
static void a_1g_comes_apart_again_before_the_flush(void)
{
    unsigned int all = 0, back;

    for ( back = 0; back < 5; back++ )
    {
        vm_stop();
        vm_start();
        start_huge(0);
        guest_set(G_HUGE + 0x12345, 1, GFN_RAM_RO);
        q_submit(IOTLB_PAGE(1, HUGE, 0));
        CHECK_EQ(leaves(), 511 + 512);
        guest_set(G_HUGE + 0x12345, 1, GFN_RAM);
        looks = 0;
        change_after = all ? all - back + 1 : 0;
        guest.on_superpage = count_looks;
        q_put(IOTLB_PAGE(1, HUGE, 0));
        q_put(IOTLB_PAGE(1, HUGE, 0));
        q_kick();
        all = all ?: looks;
        q_submit(IOTLB_PAGE(1, HUGE, 0));
        guest.on_superpage = NULL;
        CHECK_EQ(leaves(), back ? 511 + 512 : 1);
        expect(0, HUGE + PAGE(0x23455), G_HUGE + 0x23455, RW);
        expect(0, HUGE + PAGE(0x23456), G_HUGE + 0x23456, back ? R : RW);
    }
}

/* A page of it comes back when the walk has gone past. */
static void a_1g_that_was_not_all_there_stays_in_parts(void)
{
    guest_set(G_HUGE, N_HUGE, GFN_RAM);
    guest_set(G_HUGE + 0x12345, 1, GFN_MISSING);
    start(0);
    vm_map(table, 4, HUGE, G_HUGE, 3, RW);
    vm_lazy = true;
    q_put(IOTLB_PAGE(1, HUGE, 0));
    q_kick();
    while ( guest.frames < 0x20000 )
        CHECK(viommu_work(&vi));
    guest_set(G_HUGE + 0x12345, 1, GFN_RAM);
    vm_settle();
    CHECK_EQ(leaves(), 511 + 511);
    expect_none(0, HUGE + PAGE(0x12345));
    CHECK_EQ(guest.frames, N_HUGE - 1);

    q_put(IOTLB_PAGE(1, HUGE, 0));
    q_kick();
    vm_settle();
    expect_huge(G_HUGE, RW);
    CHECK_EQ(leaves(), 1);
}

/* The guest has a table of 2M leaves in its place, one of them elsewhere. */
static void a_1g_that_becomes_a_table_keeps_its_references(void)
{
    unsigned long leaves_2m = vm_table();
    unsigned int i, gets;

    start_huge(0);
    gets = guest.gets;
    for ( i = 0; i < 512; i++ )
        guest_page(leaves_2m)[i] = PAGE(G_HUGE + i * 512UL) | RW | VTD_PTE_SP;
    guest_page(leaves_2m)[9] = 0;
    guest_page(leaves_2m)[10] = PAGE(G_HUGE + 10 * 512) | R | VTD_PTE_SP;
    *vm_entry(table, 4, HUGE, 3) = PAGE(leaves_2m) | RW;
    q_submit(IOTLB_PAGE(1, HUGE + PAGE(0x777), 0));
    expect(0, HUGE + 8 * TWO_M, G_HUGE + 8 * 512, RW);
    expect_none(0, HUGE + 9 * TWO_M);
    expect(0, HUGE + 10 * TWO_M, G_HUGE + 10 * 512, R);
    expect(0, HUGE + ONE_G - 1, G_HUGE + N_HUGE - 1, RW);
    CHECK_EQ(leaves(), 511);
    /* That of the table, to be mapped. */
    gets++;
    CHECK_EQ(guest.gets, gets);
    CHECK_EQ(guest.frames, N_HUGE - 512);

    /* All are alike again, but still 512 leaves of the guest's. */
    for ( i = 9; i <= 10; i++ )
        guest_page(leaves_2m)[i] = PAGE(G_HUGE + i * 512) | RW | VTD_PTE_SP;
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(leaves(), 512);
    CHECK_EQ(guest.gets, gets + 512);
    map_huge(G_HUGE, RW);
    expect_huge(G_HUGE, RW);
    CHECK_EQ(leaves(), 1);
    CHECK_EQ(guest.gets, gets + 512);
}

/* The page for its table was kept for that. */
static void a_1g_can_be_split_when_memory_is_short(void)
{
    unsigned int quota, round;

    start_huge(0);
    quota = COUNT(table_pages);
    vm_stop();
    vm_start();
    start_huge(quota);
    for ( round = 0; round < 2; round++ )
    {
        CHECK_EQ(leaves(), 1);
        CHECK_EQ(hw.tables, quota);
        /* Of one 2M nothing is left but a table of pages: there is none. */
        guest_set(G_HUGE + 0x12345, 1, GFN_MISSING);
        harness.fail_in = round;
        q_submit(IOTLB_PAGE(1, HUGE, 0));
        harness.fail_in = 0;
        CHECK(hw.tables <= quota);
        CHECK(COUNT(rej_quota));
        CHECK_EQ(leaves(), 511);
        expect_none(0, HUGE + PAGE(0x12345));
        expect_none(0, HUGE + PAGE(0x12344));
        expect(0, HUGE + PAGE(0x12400), G_HUGE + 0x12400, RW);
        CHECK_EQ(guest.frames, N_HUGE - 512);

        guest_set(G_HUGE + 0x12345, 1, GFN_RAM);
        q_submit(IOTLB_PAGE(1, HUGE, 0));
        expect_huge(G_HUGE, RW);
    }
    map_huge(0, 0);
    CHECK_EQ(guest.frames, 0);
}

/* Each has a page in reserve, wherever it comes from. */
static void two_of_1g_are_split_one_by_one(void)
{
    unsigned int tables, dev;

    start_huge(0);
    vm_map(table, 4, HUGE + ONE_G, G_HUGE, 3, R);
    vm_set_context(1, table, 4, 2);
    vm_bind(1);
    q_submit(IOTLB_DOMAIN(1));
    q_submit(CTX_GLOBAL);
    tables = COUNT(table_pages);
    CHECK_EQ(leaves(), 4);
    CHECK_EQ(guest.frames, 4 * N_HUGE);
    CHECK_EQ(COUNT(pages_pinned), N_HUGE);

    vm_map(table, 4, HUGE, 0, 3, 0);
    harness.fail_rate = 256;
    q_submit(IOTLB_DOMAIN(2));
    harness.fail_rate = 0;
    CHECK_EQ(leaves(), 3);
    CHECK_EQ(COUNT(table_pages), tables - 1);
    expect(0, HUGE, G_HUGE, RW);
    expect_none(1, HUGE);
    for ( dev = 0; dev < 2; dev++ )
        expect(dev, HUGE + ONE_G + PAGE(0x12345), G_HUGE + 0x12345, R);

    q_submit(IOTLB_GLOBAL);
    CHECK_EQ(leaves(), 2);
    CHECK_EQ(COUNT(table_pages), tables - 2);
    /* The rest goes with its tables. */
    vm_unbind(0);
    vm_settle();
    CHECK_EQ(leaves(), 1);
    CHECK_EQ(guest.frames, N_HUGE);
    expect(1, HUGE + ONE_G, G_HUGE, R);
}

static void another_1g_replaces_it(void)
{
    start_huge(0);
    vm_map(table, 4, HUGE, 0, 3, R);
    guest_set(0, N_HUGE, GFN_RAM);
    q_submit(IOTLB_PAGE(1, HUGE, 0));
    expect_huge(0, R);
    CHECK_EQ(guest_refs(guest_frame(G_HUGE)), 0);
    CHECK_EQ(guest.frames, N_HUGE);
    CHECK_EQ(leaves(), 512);
}

static void take_a_page(void)
{
    guest_set(G_HUGE + 0x12345, 1, GFN_MISSING);
}

/* Its memory goes just when it becomes one leaf: it is pinned, until asked. */
static void a_1g_that_loses_a_page_meanwhile(void)
{
    start_huge(0);
    guest.on_superpage = take_a_page;
    map_huge(G_HUGE, R);
    guest.on_superpage = NULL;
    expect_huge(G_HUGE, R);
    CHECK_EQ(guest_refs(guest_frame(G_HUGE + 0x12345)), 1);
    q_submit(IOTLB_PAGE(1, HUGE, 0));
    expect_none(0, HUGE + PAGE(0x12345));
    CHECK_EQ(guest_refs(guest_frame(G_HUGE + 0x12345)), 0);
}

/* What lingers of it is what the ring may hold, by 2M. */
static void a_1g_lingers_in_part_and_comes_back(void)
{
    unsigned int gets;

    start_huge(0);
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    /* A full ring would be emptied in the middle of the command. */
    vm_set(quota, 4096 + 256);
    vm_set(window_us, 1000000);
    vm_map(table, 4, HUGE, 0, 3, 0);
    q_submit(IOTLB_PAGE(1, HUGE, 0));
    CHECK_EQ(COUNT(leaves_stale), 4096);
    CHECK_EQ(guest.frames, 4096);
    gets = guest.gets;
    map_huge(G_HUGE, RW);
    expect_huge(G_HUGE, RW);
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(guest.gets, gets + N_HUGE - 4096);
    CHECK_EQ(leaves(), 1);
    /* Its places in the ring mean nothing now. */
    vm_pass(2000000);
    expect_huge(G_HUGE, RW);
    CHECK_EQ(leaves(), 1);
    CHECK_EQ(guest.frames, N_HUGE);
}

static void destruction_returns_1g_in_pieces(void)
{
    unsigned int pieces = 0, frames = N_HUGE;

    start_huge(0);
    vm_lazy = true;
    vm_unbind(0);
    CHECK_EQ(guest.frames, N_HUGE);
    while ( viommu_reap(&vi) )
    {
        CHECK(frames - guest.frames <= VIOMMU_BUDGET + 512);
        frames = guest.frames;
        pieces++;
    }
    CHECK(pieces >= N_HUGE / (VIOMMU_BUDGET + 512));
    CHECK_EQ(guest.frames, 0);
}

TESTS(super_tests) = {
    TEST(a_superpage_is_one_leaf),
    TEST(a_machine_without_superpages_gets_pages),
    TEST(other_rights_of_a_superpage_are_flushed),
    TEST(another_superpage_replaces_it),
    TEST(a_superpage_is_split_and_merged),
    TEST(a_superpage_that_cannot_be_split_goes),
    TEST(any_allocation_of_a_superpage_may_fail),
    TEST(a_superpage_without_quota_maps_nothing),
    TEST(quota_holds_for_splits),
    TEST(memory_that_changes_meanwhile_is_not_taken),
    TEST_TRAPPED(a_superpage_of_1g_is_one_leaf),
    TEST(leaves_of_1g_need_a_machine_that_has_them),
    TEST(leaves_of_1g_need_memory_in_one_piece),
    TEST_TRAPPED(other_rights_of_1g_are_one_write_and_one_flush),
    TEST_TRAPPED(a_removed_1g_goes_in_pieces),
    TEST(a_1g_is_split_and_merged),
    TEST_TRAPPED(a_1g_comes_apart_again_before_the_flush),
    TEST_TRAPPED(a_1g_that_was_not_all_there_stays_in_parts),
    TEST(a_1g_that_becomes_a_table_keeps_its_references),
    TEST(a_1g_can_be_split_when_memory_is_short),
    TEST(two_of_1g_are_split_one_by_one),
    TEST(another_1g_replaces_it),
    TEST(a_1g_that_loses_a_page_meanwhile),
    TEST(a_1g_lingers_in_part_and_comes_back),
    TEST(destruction_returns_1g_in_pieces),
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
