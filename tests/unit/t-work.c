/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-work.c: long work, shortage of memory, and the end of a guest.
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
}

static void map_many(unsigned int n, uint64_t rights)
{
    unsigned int i;

    for ( i = 0; i < n; i++ )
        vm_map(table, 4, PAGE(i), G_DATA + i % 128, 1, rights);
}

static void long_commands_are_deferred(void)
{
    unsigned int entries = 0;

    start(0);
    map_many(5000, RW);
    vm_lazy = true;
    COUNT(longest_entry) = 0;
    COUNT(deferrals) = 0;
    q_put(IOTLB_DOMAIN(1));
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
    CHECK_EQ(COUNT(deferrals), 1);
    CHECK(guest.deferred);

    /* Never early: neither status nor head, until the last page is there. */
    expect_none(0, PAGE(4999));
    do {
        CHECK_EQ(*vm_status(), 0);
        CHECK_EQ(rd64(VTD_IQH), (q_tail - 2) * 16);
        entries++;
    } while ( viommu_work(&vi) );

    CHECK_EQ(*vm_status(), 1);
    q_check();
    expect(0, 0, G_DATA, RW);
    expect(0, PAGE(4999), G_DATA + 4999 % 128, RW);
    CHECK(entries >= 5000 / VIOMMU_BUDGET);
    CHECK(entries <= 5000 / VIOMMU_BUDGET + 3);
    CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
}

static void long_removals_are_never_early(void)
{
    start(0);
    map_many(5000, RW);
    q_submit(IOTLB_DOMAIN(1));
    map_many(5000, 0);
    vm_lazy = true;
    q_put(IOTLB_PAGE(1, 0, 13));
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    expect(0, PAGE(4999), G_DATA + 4999 % 128, RW);
    do {
        CHECK_EQ(*vm_status(), 0);
        CHECK_EQ(hw.stale, 0);
    } while ( viommu_work(&vi) );
    CHECK_EQ(*vm_status(), 1);
    CHECK_EQ(guest.frames, 0);
}

static void a_long_queue_is_done_in_pieces(void)
{
    unsigned int i;

    wr64(VTD_IQA, PAGE(G_QUEUE) | 7);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    for ( i = 0; i < 32767; i++ )
        q_put(IOTLB_GLOBAL);
    vm_lazy = true;
    q_kick();
    for ( i = 0; viommu_work(&vi); i++ )
        ;
    q_check();
    CHECK(i >= 32767 / VIOMMU_BUDGET - 1);
    CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
}

static void sparse_tables_are_quick(void)
{
    start(0);
    vm_map(table, 4, 0, G_DATA, 1, RW);
    q_submit(IOTLB_DOMAIN(1));
    vm_lazy = true;
    COUNT(deferrals) = 0;
    q_submit(IOTLB_PAGE(1, 0, 0));
    q_submit(IOTLB_PAGE(1, 1ULL << 40, 18));
    q_submit(IOTLB_PAGE(2, 0, 18));
    CHECK_EQ(COUNT(deferrals), 0);
    /* All of the address space: what is present, not what could be. */
    q_kick();
    q_put(IOTLB_GLOBAL);
    q_kick();
    vm_settle();
    q_check();
    CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
}

static void cyclic_tables_are_bounded(void)
{
    unsigned int i;

    start(0);
    /* 512^3 empty leaf tables: an eternity, but a budgeted one. */
    for ( i = 0; i < 512; i++ )
        guest_page(table)[i] = PAGE(table) | RW;
    vm_lazy = true;
    q_put(IOTLB_DOMAIN(1));
    q_kick();
    for ( i = 0; i < 20; i++ )
        CHECK(viommu_work(&vi));
    CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
    CHECK(COUNT(table_pages) <= XEN_VIOMMU_TABLE_PAGES(NR_GFNS));
    CHECK(rd64(VTD_IQH) != q_tail * 16);
}

static void changes_during_a_command_are_safe(void)
{
    start(0);
    map_many(3000, RW);
    q_submit(IOTLB_DOMAIN(1));
    map_many(3000, 0);
    vm_lazy = true;
    q_put(IOTLB_DOMAIN(1));
    q_kick();
    CHECK(viommu_work(&vi));
    /* Mapped again behind and before the cursor. */
    map_many(3000, R);
    vm_settle();
    q_check();
    /* Either is fine, but no page with its former rights. */
    CHECK(!device_dma(vm_sbdf(0), PAGE(0), true).ok);
    CHECK(!device_dma(vm_sbdf(0), PAGE(2999), true).ok);
    q_put(IOTLB_DOMAIN(1));
    q_kick();
    vm_settle();
    expect(0, 0, G_DATA, R);
    expect(0, PAGE(2999), G_DATA + 2999 % 128, R);
}

/* Wherever the budget ends: before a table, in it, or just behind it. */
static void a_command_can_be_cut_anywhere(void)
{
    unsigned int fill, dev, i;

    for ( fill = VIOMMU_BUDGET - 12; fill <= VIOMMU_BUDGET; fill++ )
    {
        vm_stop();
        vm_start();
        vm_translate(2);
        for ( dev = 0; dev < 2; dev++ )
        {
            table = vm_table();
            vm_set_context(dev, table, 4, 1);
            vm_map(table, 4, PAGE(1), G_DATA + dev, 1, RW);
        }
        q_submit(CTX_GLOBAL);
        /* A queue for all of it. */
        wr32(VTD_GCMD, VTD_GCMD_TE);
        wr64(VTD_IQA, PAGE(G_QUEUE) | 3);
        wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_QIE);
        q_tail = rd64(VTD_IQH) / 16;
        for ( dev = 0; dev < 2; dev++ )
            vm_map(vm_context(dev)[0] >> 12, 4, PAGE(1), 0, 1, 0);
        vm_lazy = true;
        for ( i = 0; i < fill; i++ )
            q_put(IEC_GLOBAL);
        q_put(IOTLB_PAGE(1, PAGE(1), 0));
        q_put(WAIT_STATUS(3, PAGE(G_STATUS)));
        q_kick();
        while ( *vm_status() != 3 )
        {
            CHECK_EQ(hw.stale, 0);
            CHECK(viommu_work(&vi) || *vm_status() == 3);
        }
        q_check();
        for ( dev = 0; dev < 2; dev++ )
            expect_none(dev, PAGE(1));
        CHECK_EQ(guest.frames, 0);
    }
}

/* ---- Devices come and go in the middle ---- */

static void unbinding_in_the_middle_of_a_context_command(void)
{
    unsigned int pieces;

    for ( pieces = 0; pieces < 5; pieces++ )
    {
        unsigned int i;

        vm_stop();
        vm_start();
        table = vm_table();
        map_many(3000, RW);
        vm_set_context(0, table, 4, 1);
        vm_translate(0);
        CHECK_EQ(vm_bind(1), 0);
        vm_lazy = true;
        CHECK_EQ(vm_bind(0), 0);
        q_put(CTX_GLOBAL);
        q_kick();
        for ( i = 0; i < pieces; i++ )
            if ( !viommu_work(&vi) )
                break;
        CHECK_EQ(vm_unbind(0), 0);
        expect(0, PAGE(1), 1, RW);
        vm_settle();
        q_check();
        CHECK_EQ(guest.frames, 0);
        expect_none(1, PAGE(1));
        vm_lazy = false;
        vm_set_context(1, table, 4, 1);
        q_submit(CTX_GLOBAL);
        expect(1, PAGE(1), G_DATA + 1, RW);
    }
}

static void unbinding_in_the_middle_of_an_iotlb_command(void)
{
    unsigned int first, dev;

    for ( first = 0; first < 2; first++ )
    {
        vm_stop();
        vm_start();
        vm_translate(2);
        for ( dev = 0; dev < 2; dev++ )
        {
            table = vm_table();
            vm_set_context(dev, table, 4, 1);
            map_many(2000, RW);
        }
        q_submit(CTX_GLOBAL);
        CHECK_EQ(guest.frames, 4000);
        map_many(2000, R);
        vm_lazy = true;
        q_put(IOTLB_DOMAIN(1));
        q_kick();
        CHECK(viommu_work(&vi));
        CHECK_EQ(vm_unbind(first), 0);
        expect(first, PAGE(1), 1, RW);
        vm_settle();
        q_check();
        expect(!first, PAGE(1999), G_DATA + 1999 % 128, first ? RW : R);
        CHECK_EQ(guest.frames, 2000);
        vm_lazy = false;
    }
}

static void binding_in_the_middle_of_a_command(void)
{
    start(0);
    map_many(3000, RW);
    vm_set_context(1, table, 4, 1);
    vm_lazy = true;
    q_put(IOTLB_DOMAIN(1));
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    CHECK(viommu_work(&vi));
    CHECK_EQ(vm_bind(1), 0);
    expect_none(1, 0);
    vm_settle();
    CHECK_EQ(*vm_status(), 1);
    expect(0, PAGE(2999), G_DATA + 2999 % 128, RW);
    expect(1, PAGE(2999), G_DATA + 2999 % 128, RW);
    CHECK_EQ(guest.frames, 3000);
}

/* ---- Shortage ---- */

static void quota_bounds_table_pages(void)
{
    unsigned int i;

    start(20);
    /* Every page needs a leaf table of its own. */
    for ( i = 0; i < 20; i++ )
        vm_map(table, 4, i * TWO_M, G_DATA + i, 1, RW);
    q_submit(IOTLB_DOMAIN(1));
    CHECK(COUNT(table_pages) <= 20);
    CHECK(COUNT(rej_quota) > 0);
    expect(0, 0, G_DATA, RW);
    expect_none(0, 19 * TWO_M);

    /* What is given back can be used again. */
    for ( i = 0; i < 18; i++ )
        vm_map(table, 4, i * TWO_M, 0, 1, 0);
    q_submit(IOTLB_DOMAIN(1));
    q_submit(IOTLB_PAGE(1, 19 * TWO_M, 0));
    expect_none(0, 0);
    expect(0, 19 * TWO_M, G_DATA + 19, RW);
}

static void device_without_quota_is_blocked(void)
{
    start(4);
    expect_none(0, 0);
    vm_set_context(1, vm_table(), 4, 2);
    vm_bind(1);
    CHECK(COUNT(rej_quota) > 0);
    expect_none(1, 0);
    CHECK_EQ(hw_attached_to(vm_sbdf(1), NULL), ON_SHADOW);
    CHECK(COUNT(table_pages) <= 4);
    /* When the first one leaves, there is room. */
    vm_unbind(0);
    vm_settle();
    q_submit(CTX_GLOBAL);
    CHECK_EQ(vi.devices[8]->at.kind, VIOMMU_SHADOW);
}

static void quota_too_small_for_a_unit_is_refused(void)
{
    vm_stop();
    CHECK_EQ(vm_create(1), -ENOMEM);
    CHECK_EQ(hw.tables, 0);
}

/* Each allocation of a start fails once. */
static void any_allocation_may_fail(void)
{
    unsigned int n;

    for ( n = 1; n < 20; n++ )
    {
        int rc;

        vm_stop();
        vm_start();
        table = vm_table();
        vm_map(table, 4, 0, G_DATA, 1, RW);
        vm_map(table, 4, TWO_M, 0x200, 2, RW);
        vm_set_context(0, table, 4, 1);
        vm_stop();
        harness.fail_in = n;
        rc = vm_create(0);
        if ( rc )
        {
            CHECK_EQ(rc, -ENOMEM);
            CHECK(n <= 8);
            continue;
        }
        rc = vm_bind(0);
        vm_translate(0);
        if ( rc )
            CHECK_EQ(vm_bind(0), 0);
        harness.fail_in = 0;
        q_submit(CTX_GLOBAL);
        q_submit(IOTLB_GLOBAL);
        expect(0, 0, G_DATA, RW);
        expect(0, TWO_M + PAGE(7), 0x207, RW);
    }
}

/*
 * A page of a superpage could not be mapped for want of a table. Naming that
 * page later has to remove the others, all the same.
 */
static void superpage_mapped_in_part_goes_as_a_whole(void)
{
    start(0);
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    harness.fail_in = 1;
    q_submit(IOTLB_PAGE(1, TWO_M, 9));
    CHECK_EQ(harness.failed, 1);
    vm_map(table, 4, TWO_M, 0, 2, 0);
    q_submit(IOTLB_PAGE(1, TWO_M, 0));
    expect_none(0, TWO_M);
    expect_none(0, TWO_M + PAGE(1));
    expect_none(0, TWO_M + PAGE(511));
}

/* The guest replaces a superpage while it is being walked. */
static void superpage_changed_midway_goes_as_a_whole(void)
{
    unsigned int i;

    start(0);
    /* Page by page, as where the guest's memory is not mapped by 2M. */
    vi.leaf_level = 1;
    map_many(512, RW);
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    vm_lazy = true;
    /* The budget ends some pages before the superpage does. */
    for ( i = 0; i < 8; i++ )
        q_put(IEC_GLOBAL);
    q_put(IOTLB_PAGE(1, 0, 9));
    q_put(IOTLB_PAGE(1, TWO_M, 0));
    q_kick();
    expect(0, TWO_M, 0x200, RW);
    expect_none(0, TWO_M + PAGE(511));
    *vm_entry(table, 4, TWO_M, 2) = PAGE(vm_table()) | RW;
    vm_settle();

    q_put(IOTLB_PAGE(1, TWO_M + PAGE(511), 0));
    q_kick();
    vm_settle();
    q_check();
    expect_none(0, TWO_M + PAGE(511));
    expect_none(0, TWO_M);
}

/* ---- The end ---- */

static void destruction_returns_all_in_pieces(void)
{
    unsigned int pieces = 0;

    start(0);
    map_many(3 * VIOMMU_BUDGET / 2, RW);
    q_submit(IOTLB_DOMAIN(1));
    CHECK_EQ(guest.frames, 3 * VIOMMU_BUDGET / 2);
    vm_unbind(0);
    while ( viommu_reap(&vi) )
        pieces++;
    CHECK(pieces >= 1 && pieces <= 3);
    CHECK_EQ(guest.frames, 0);
}

static void destruction_in_the_middle_of_commands(void)
{
    static const uint64_t lo[] = { 0xd2, 0x11, 0xd2, 0x11 };
    unsigned int i, pieces;

    for ( i = 0; i < ARRAY_SIZE(lo); i++ )
        for ( pieces = 0; pieces < 4; pieces++ )
        {
            unsigned int n;

            vm_stop();
            vm_start();
            start(0);
            map_many(3000, RW);
            if ( i >= 2 )
                q_submit(IOTLB_GLOBAL);
            vm_lazy = true;
            vm_set_context(0, table, 4, 2);
            q_put(lo[i], 0);
            q_kick();
            for ( n = 0; n < pieces; n++ )
                if ( !viommu_work(&vi) )
                    break;
            /* vm_stop() unbinds, reaps and looks for what is left. */
            vm_lazy = false;
        }
}

/* Nothing of a dying table is in the way of the next guest command. */
static void old_tables_are_reaped_before_the_next_command(void)
{
    start(0);
    map_many(3000, RW);
    q_submit(IOTLB_DOMAIN(1));
    vm_clear_context(0);
    vm_lazy = true;
    q_put(CTX_GLOBAL);
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    while ( !*vm_status() )
        CHECK(viommu_work(&vi) || *vm_status());
    CHECK_EQ(guest.frames, 0);
    expect_none(0, 0);
}

TESTS(work_tests) = {
    TEST_TRAPPED(long_commands_are_deferred),
    TEST(long_removals_are_never_early),
    TEST(a_long_queue_is_done_in_pieces),
    TEST(sparse_tables_are_quick),
    TEST(cyclic_tables_are_bounded),
    TEST(changes_during_a_command_are_safe),
    TEST_TRAPPED(a_command_can_be_cut_anywhere),
    TEST(unbinding_in_the_middle_of_a_context_command),
    TEST(unbinding_in_the_middle_of_an_iotlb_command),
    TEST(binding_in_the_middle_of_a_command),
    TEST(quota_bounds_table_pages),
    TEST(device_without_quota_is_blocked),
    TEST(quota_too_small_for_a_unit_is_refused),
    TEST_TRAPPED(any_allocation_may_fail),
    TEST(superpage_mapped_in_part_goes_as_a_whole),
    TEST_TRAPPED(superpage_changed_midway_goes_as_a_whole),
    TEST(destruction_returns_all_in_pieces),
    TEST(destruction_in_the_middle_of_commands),
    TEST(old_tables_are_reaped_before_the_next_command),
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
