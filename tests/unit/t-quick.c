/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-quick.c: an invalidation of one page and a wait behind it, again and again,
 * among what only looks like it.
 */
#include "quick.h"
#include "regs.h"
#include "vm.h"

static unsigned long table;
static uint64_t before;       /* IOTLB invalidations */

static uint64_t *leaf(uint64_t addr)
{
    return vm_entry(table, 4, addr, 1);
}

static void pair(uint64_t addr)
{
    static uint32_t status;

    q_put(IOTLB_PAGE(1, addr, 0));
    q_put(WAIT_STATUS(++status, PAGE(G_STATUS)));
    q_kick();
    q_check();
    CHECK_EQ(*vm_status(), status);
}

/* A device, and the way to the leaf table of PAGE(1) was gone just now. */
static void begin(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    pair(PAGE(1));
    pair(PAGE(1));
    expect(0, PAGE(1), G_DATA, RW);
    before = COUNT(qi_iotlb);
}

static void pairs_map_and_unmap(void)
{
    uint64_t *beyond = guest_page(G_QUEUE + 1);
    unsigned int i;

    begin();
    /* Behind the end of the queue is none of its descriptors. */
    beyond[0] = 0x25ULL | 77ULL << 32;
    beyond[1] = PAGE(G_STATUS) + 8;
    for ( i = 0; i < 600; i++ )
    {
        const uint64_t addr = PAGE(2 + i % 3);

        vm_map(table, 4, addr, G_DATA + i % 7, 1, i % 2 ? RW : R);
        pair(addr);
        expect(0, addr, G_DATA + i % 7, i % 2 ? RW : R);
        *leaf(addr) = 0;
        pair(addr);
        if ( vi.set.teardown == XEN_VIOMMU_TEARDOWN_strict )
            expect_none(0, addr);
        /* The end of the queue comes between the two, later on. */
        if ( i == 300 )
            q_submit(IEC_GLOBAL);
    }
    CHECK_EQ(COUNT(qi_iotlb), before + 2 * 600);
    CHECK_EQ(vm_status()[2], 0);
}

/* Where all that may linger does, one pair ends many. */
static void a_pair_takes_no_more_than_is_left(void)
{
    struct viommu_budget b = BUDGET(4);
    unsigned int i;

    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    vm_set(quota, 40);
    begin();
    for ( i = 2; i < 43; i++ )
    {
        vm_map(table, 4, PAGE(i), G_DATA + i % 7, 1, RW);
        pair(PAGE(i));
    }
    for ( i = 2; i < 42; i++ )
    {
        *leaf(PAGE(i)) = 0;
        pair(PAGE(i));
    }
    CHECK_EQ(COUNT(leaves_stale), 40);

    *leaf(PAGE(i)) = 0;
    q_put(IOTLB_PAGE(1, PAGE(i), 0));
    q_put(WAIT_STATUS(99, PAGE(G_STATUS)));
    spin_lock(&vi.reg_lock);
    regs_apply_tail(&vi, q_tail * 16);
    spin_unlock(&vi.reg_lock);
    spin_lock(&vi.sync_lock);
    CHECK(quick_run(&vi, &b));
    spin_unlock(&vi.sync_lock);
    CHECK(COUNT(stale_evicted) > 4);
    CHECK_EQ(b.left, 0);
}

static void pairs_linger_and_come_back(void)
{
    const uint64_t addr = PAGE(2);
    unsigned int i;

    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    begin();
    vm_map(table, 4, addr, G_DATA + 2, 1, RW);
    pair(addr);
    hw.flushes = 0;
    for ( i = 0; i < 10; i++ )
    {
        *leaf(addr) = 0;
        pair(addr);
        expect(0, addr, G_DATA + 2, RW);
        CHECK_EQ(COUNT(leaves_stale), 1);
        *leaf(addr) = PAGE(G_DATA + 2) | RW;
        pair(addr);
        expect(0, addr, G_DATA + 2, RW);
        CHECK_EQ(COUNT(leaves_stale), 0);
    }
    CHECK_EQ(COUNT(leaves_revived), 10);
    CHECK_EQ(hw.flushes, 0);

    /* With other rights, and as another page: it is not the same. */
    *leaf(addr) = 0;
    pair(addr);
    *leaf(addr) = PAGE(G_DATA + 2) | R;
    pair(addr);
    expect(0, addr, G_DATA + 2, R);
    *leaf(addr) = 0;
    pair(addr);
    *leaf(addr) = PAGE(G_DATA + 2) | RW;
    pair(addr);
    expect(0, addr, G_DATA + 2, RW);
    *leaf(addr) = 0;
    pair(addr);
    *leaf(addr) = PAGE(G_DATA + 3) | RW;
    pair(addr);
    expect(0, addr, G_DATA + 3, RW);
    CHECK_EQ(COUNT(leaves_revived), 10);
    CHECK_EQ(COUNT(stale_replaced), 3);
}

static void several_pairs_at_once(void)
{
    unsigned int i;

    begin();
    for ( i = 0; i < 20; i++ )
    {
        vm_map(table, 4, PAGE(2 + i), G_DATA + i, 1, RW);
        q_put(IOTLB_PAGE(1, PAGE(2 + i), 0));
        q_put(WAIT_STATUS(i + 1, PAGE(G_STATUS) + i * 4));
    }
    q_kick();
    q_check();
    for ( i = 0; i < 20; i++ )
    {
        expect(0, PAGE(2 + i), G_DATA + i, RW);
        CHECK_EQ(vm_status()[i], i + 1);
    }
}

static void a_pair_of_another_domain(void)
{
    begin();
    *leaf(PAGE(1)) = 0;
    q_put(IOTLB_PAGE(2, PAGE(1), 0));
    q_wait();
    expect(0, PAGE(1), G_DATA, RW);
}

/* All tables of the domain are meant, also one where there was nothing. */
static void two_tables_of_one_domain(void)
{
    const unsigned long other = vm_table();
    const uint64_t addr = 5ULL << 30;

    begin();
    vm_set_context(1, other, 4, 1);
    CHECK_EQ(vm_bind(1), 0);
    vm_settle();
    vm_map(other, 4, addr, G_DATA + 2, 1, RW);
    pair(addr);
    pair(addr);
    expect(1, addr, G_DATA + 2, RW);
    vm_map(table, 4, addr, G_DATA + 1, 1, RW);
    pair(addr);
    expect(0, addr, G_DATA + 1, RW);
}

/* 6.5.1.2: a page of what was a superpage stands for all of that. */
static void a_page_where_a_superpage_was(void)
{
    uint64_t *link, was;

    begin();
    link = vm_entry(table, 4, PAGE(1), 2);
    was = *link;
    *link = PAGE(0x200) | VTD_PTE_SP | RW;
    q_submit(IOTLB_DOMAIN(1));
    expect(0, PAGE(5), 0x205, RW);
    *link = was;
    pair(PAGE(1));
    expect(0, PAGE(1), G_DATA, RW);
    expect_none(0, PAGE(5));
}

static void more_than_a_page(void)
{
    begin();
    vm_map(table, 4, PAGE(2), G_DATA + 2, 1, RW);
    vm_map(table, 4, PAGE(3), G_DATA + 3, 1, RW);
    q_put(IOTLB_PAGE(1, PAGE(2), 1));
    q_wait();
    expect(0, PAGE(2), G_DATA + 2, RW);
    expect(0, PAGE(3), G_DATA + 3, RW);
}

static void a_wait_with_an_interrupt(void)
{
    begin();
    q_put(IOTLB_PAGE(1, PAGE(1), 0));
    q_put(0x35ULL | 99ULL << 32, PAGE(G_STATUS));
    q_kick();
    q_check();
    CHECK_EQ(*vm_status(), 99);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);
}

static void a_status_that_goes_nowhere(void)
{
    begin();
    guest_set(G_DATA + 9, 1, GFN_MISSING);
    pair(PAGE(1));
    vm_map(table, 4, PAGE(2), G_DATA + 2, 1, RW);
    q_put(IOTLB_PAGE(1, PAGE(2), 0));
    q_put(WAIT_STATUS(1, PAGE(G_DATA + 9)));
    q_kick();
    q_check();
    CHECK_EQ(COUNT(rej_status), 1);
    expect(0, PAGE(2), G_DATA + 2, RW);
}

/* What stands behind the tail is not there yet. */
static void half_a_pair(void)
{
    begin();
    vm_map(table, 4, PAGE(2), G_DATA + 2, 1, RW);
    q_put(IOTLB_PAGE(1, PAGE(2), 0));
    q_put(WAIT_STATUS(55, PAGE(G_STATUS)));
    wr32(VTD_IQT, (q_tail - 1) * 16);
    expect(0, PAGE(2), G_DATA + 2, RW);
    CHECK_EQ(rd64(VTD_IQH), (q_tail - 1) * 16);
    CHECK(*vm_status() != 55);
    q_kick();
    q_check();
    CHECK_EQ(*vm_status(), 55);
    CHECK_EQ(COUNT(qi_iotlb), before + 1);
}

/* 6.5.2.10: nothing goes on before IQE is cleared. */
static void a_pair_in_place_of_an_error(void)
{
    uint64_t *bad;

    begin();
    bad = guest_page(G_QUEUE) + 2 * q_tail;
    vm_map(table, 4, PAGE(2), G_DATA + 2, 1, RW);
    q_put(0xfULL, 0);
    q_put(WAIT_STATUS(66, PAGE(G_STATUS)));
    q_kick();
    CHECK(rd32(VTD_FSTS) & VTD_FSTS_IQE);
    bad[0] = 0xf2ULL | 1ULL << 16;
    bad[1] = PAGE(2);
    q_kick();
    CHECK(*vm_status() != 66);
    expect_none(0, PAGE(2));
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    q_check();
    CHECK_EQ(*vm_status(), 66);
    expect(0, PAGE(2), G_DATA + 2, RW);
}

TESTS(quick_tests) = {
    TEST(pairs_map_and_unmap),
    TEST_TRAPPED(a_pair_takes_no_more_than_is_left),
    TEST(pairs_linger_and_come_back),
    TEST(several_pairs_at_once),
    TEST(a_pair_of_another_domain),
    TEST(two_tables_of_one_domain),
    TEST(a_page_where_a_superpage_was),
    TEST(more_than_a_page),
    TEST(a_wait_with_an_interrupt),
    TEST(a_status_that_goes_nowhere),
    TEST(half_a_pair),
    TEST(a_pair_in_place_of_an_error),
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
