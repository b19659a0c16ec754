/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-super.c: superpages of the shadow: when there is one, and what becomes of
 * it.
 */
#include "vm.h"

static unsigned long table;

#define TWO_M  (1ULL << 21)

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
    hw.caps.superpages = false;
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

static void quota_holds_for_splits(void)
{
    unsigned int quota;

    start(0);
    map(0x200, RW);
    quota = COUNT(table_pages) + COUNT(frame_pages);
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

TESTS(super_tests) = {
    TEST(a_superpage_is_one_leaf),
    TEST(a_machine_without_superpages_gets_pages),
    TEST(other_rights_of_a_superpage_are_flushed),
    TEST(another_superpage_replaces_it),
    TEST(a_superpage_is_split_and_merged),
    TEST(a_superpage_that_cannot_be_split_goes),
    TEST(quota_holds_for_splits),
    TEST(memory_that_changes_meanwhile_is_not_taken),
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
