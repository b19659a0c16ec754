/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is remembered of the guest's memory, and that it is not when something
 * has changed (frame.c); empty tables that stay (table.c).
 */
#include "vm.h"

static unsigned long table;

static void start(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
}

static void map(uint64_t addr, unsigned long gfn, uint64_t rights)
{
    vm_map(table, 4, addr, gfn, 1, rights);
    q_submit(IOTLB_PAGE(1, addr, 0));
}

/* Lookups, and references taken, from here to there. */
static unsigned int lookups, gets;
static void none_so_far(void) { lookups = guest.lookups; gets = guest.gets; }
static unsigned int asked(void) { return guest.lookups - lookups; }

static void steady_commands_ask_for_nothing(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 2; i++ )
    {
        map(0, G_DATA, RW);
        q_wait();
        map(0, 0, 0);
        q_wait();
    }
    none_so_far();
    for ( i = 0; i < 100; i++ )
    {
        map(0, G_DATA, RW);
        q_wait();
        map(0, 0, 0);
        q_wait();
    }
    CHECK_EQ(asked(), 0);
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(guest.gets - gets, 100);
}

static void another_frame_is_seen(void)
{
    start();
    map(0, G_DATA, RW);
    guest_exchange(G_DATA, G_DATA + 1);
    map(0, G_DATA, RW);
    expect(0, 0, G_DATA, RW);
    guest_exchange(G_DATA, G_DATA + 1);
    map(PAGE(1), G_DATA, RW);
    expect(0, PAGE(1), G_DATA, RW);
}

static void memory_that_is_gone_is_not_mapped(void)
{
    start();
    map(0, G_DATA, RW);
    map(0, 0, 0);
    guest_set(G_DATA, 1, GFN_MISSING);
    map(0, G_DATA, RW);
    expect_none(0, 0);
    guest_set(G_DATA, 1, GFN_RAM_RO);
    map(0, G_DATA, RW);
    expect(0, 0, G_DATA, VTD_PTE_R);
    guest_set(G_DATA, 1, GFN_RAM);
    map(0, G_DATA, RW);
    expect(0, 0, G_DATA, RW);
}

/* It is remembered, but not the guest's any more. */
static bool nobodys(unsigned long mfn)
{
    return mfn == guest_frame(G_DATA);
}

static void what_is_remembered_is_not_believed(void)
{
    start();
    map(0, G_DATA, RW);
    map(0, 0, 0);
    guest.is_foreign = nobodys;
    map(0, G_DATA, RW);
    CHECK_EQ(COUNT(rej_frame), 1);
    expect_none(0, 0);
    guest.is_foreign = NULL;
}

static void tables_that_move_are_followed(void)
{
    uint64_t *entry;

    start();
    map(0, G_DATA, RW);
    /* The table is where its copy was; the copy says something else. */
    entry = vm_entry(table, 4, 0, 2);
    *guest_page(G_DATA + 10) = PAGE(G_DATA + 1) | RW;
    guest_exchange((*entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT, G_DATA + 10);
    q_submit(IOTLB_PAGE(1, 0, 0));
    expect(0, 0, G_DATA + 1, RW);
}

static void queue_and_status_that_move_are_followed(void)
{
    start();
    q_wait();
    memcpy(guest_page(G_DATA), guest_page(G_QUEUE), 1U << VTD_PAGE_SHIFT);
    guest_exchange(G_QUEUE, G_DATA);
    q_wait();
    guest_exchange(G_STATUS, G_DATA + 1);
    q_wait();
    q_check();
}

/* Between the answer and the reference to the frame. */
static unsigned long when, with;
static void exchange_then(unsigned long mfn)
{
    if ( mfn != guest_frame(when) )
        return;
    guest.on_get = NULL;
    guest_exchange(when, with);
}

static void exchange_when(unsigned long gfn, unsigned long other)
{
    when = gfn;
    with = other;
    guest.on_get = exchange_then;
}

static bool was_data(unsigned long mfn)
{
    return mfn == guest_frame(G_DATA + 1);
}

/* The frame is another gfn's by then, or nobody's. */
static void an_answer_that_comes_too_late_is_void(void)
{
    unsigned int i;

    for ( i = 0; i < 2; i++ )
    {
        vm_stop();
        vm_start();
        start();
        map(0, G_DATA, RW);
        map(0, 0, 0);
        map(PAGE(1), G_DATA + 9, RW);
        exchange_when(G_DATA, G_DATA + 1);
        if ( i )
            guest.is_foreign = was_data;
        map(0, G_DATA, RW);
        guest.is_foreign = NULL;
        CHECK(!guest.on_get);
        expect(0, 0, G_DATA, RW);
        CHECK_EQ(guest.frames, 2);
    }
}

/* Each time that something of it is used, all of it has changed. */
static void change_all(unsigned long unused)
{
    (void)unused;
    guest_exchange(G_DATA, G_DATA + 1);
}

static void memory_that_never_stays_is_used_all_the_same(void)
{
    start();
    guest.on_get = guest.on_lookup = change_all;
    map(0, G_DATA, RW);
    map(PAGE(1), G_DATA + 1, RW);
    q_wait();
    map(0, G_DATA + 2, RW);
    guest.on_get = guest.on_lookup = NULL;
    q_check();
    expect(0, 0, G_DATA + 2, RW);
    CHECK_EQ(COUNT(leaves_mapped), 3);
    CHECK_EQ(COUNT(rej_frame) + COUNT(rej_status) + COUNT(rej_queue), 0);
}

/* Another frame than was just seen to be part of one mapping. */
static void exchange_next(unsigned long gfn)
{
    if ( gfn != 0x206 )
        return;
    guest.on_lookup = NULL;
    guest_exchange(0x207, G_DATA);
}

static void a_superpage_that_is_exchanged_meanwhile(void)
{
    start();
    guest.on_lookup = exchange_next;
    vm_map(table, 4, VTD_LEVEL_SIZE(2), 0x200, 2, RW);
    q_submit(IOTLB_PAGE(1, VTD_LEVEL_SIZE(2), 9));
    CHECK(!guest.on_lookup);
    expect(0, VTD_LEVEL_SIZE(2) + PAGE(6), 0x206, RW);
    expect(0, VTD_LEVEL_SIZE(2) + PAGE(7), 0x207, RW);
    CHECK_EQ(guest.frames, 512);
}

/* No page stays mapped, and nothing is known of any. */
static void let_go_of_pages(void)
{
    guest_set(G_DATA + 20, 1, GFN_RAM);
    viommu_end_stale(&vi);
    vm_pass(vi.set.window_us);
    CHECK_EQ(guest.mapped, 0);
}

/* A table and the queue, whose old frames say something else by then. */
static void a_page_that_moves_while_it_is_looked_up(void)
{
    unsigned long leaf;

    start();
    map(0, G_DATA, RW);
    leaf = (*vm_entry(table, 4, 0, 2) & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
    *guest_page(G_DATA + 10) = PAGE(G_DATA + 1) | RW;
    let_go_of_pages();
    exchange_when(leaf, G_DATA + 10);
    q_submit(IOTLB_PAGE(1, 0, 0));
    CHECK(!guest.on_get);
    expect(0, 0, G_DATA + 1, RW);

    memcpy(guest_page(G_DATA + 11), guest_page(G_QUEUE),
           1U << VTD_PAGE_SHIFT);
    guest_page(G_DATA + 11)[q_tail * 2] = 0x25 | 5ULL << 32;
    guest_page(G_DATA + 11)[q_tail * 2 + 1] = PAGE(G_STATUS);
    let_go_of_pages();
    exchange_when(G_QUEUE, G_DATA + 11);
    q_tail++;
    q_kick();
    CHECK(!guest.on_get);
    q_check();
    CHECK_EQ(*vm_status(), 5);
}

/* The queue is read after its page is read-only, the status is in it. */
static void a_status_page_that_is_read_only_now(void)
{
    const uint64_t status = PAGE(G_QUEUE) + 0xff0;
    uint64_t *word = guest_page(G_QUEUE) + 0xff0 / 8;

    start();
    q_submit(WAIT_STATUS(7, status));
    CHECK_EQ(*word, 7);
    guest_set(G_QUEUE, 1, GFN_RAM_RO);
    q_submit(WAIT_STATUS(8, status));
    CHECK_EQ(*word, 7);
    CHECK_EQ(COUNT(rej_status), 1);
}

/* What was remembered in the first epoch is not when that comes again. */
static void epochs_begin_anew(void)
{
    const uint64_t first = VIOMMU_TAG_EPOCH & -VIOMMU_TAG_EPOCH;
    unsigned long leaf;

    start();
    vi.frames.epoch = first;
    map(0, G_DATA, RW);
    leaf = (*vm_entry(table, 4, 0, 2) & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
    *guest_page(G_DATA + 10) = PAGE(G_DATA + 1) | RW;
    vi.frames.epoch = VIOMMU_TAG_EPOCH;
    guest_exchange(leaf, G_DATA + 10);
    guest_exchange(G_DATA + 1, G_DATA + 2);
    q_submit(IOTLB_PAGE(1, 0, 0));
    CHECK_EQ(vi.frames.epoch, first);
    expect(0, 0, G_DATA + 1, RW);
}

/* Just after the descriptor was read, and before the status is written. */
static void exchange_status(unsigned long gfn)
{
    if ( gfn != G_QUEUE )
        return;
    guest.on_lookup = NULL;
    vi.frames.epoch = VIOMMU_TAG_EPOCH;
    guest_exchange(G_STATUS, G_DATA);
}

static void an_epoch_that_begins_anew_for_a_status_page(void)
{
    start();
    /* Its page is one of the first epoch. */
    vi.frames.epoch = VIOMMU_TAG_EPOCH;
    guest_set(G_DATA + 20, 1, GFN_RAM);
    q_submit(WAIT_STATUS(7, PAGE(G_STATUS)));
    CHECK_EQ(*vm_status(), 7);
    /* The queue is looked up, and the first epoch comes again. */
    guest_set(G_DATA + 20, 1, GFN_RAM);
    guest.on_lookup = exchange_status;
    q_submit(WAIT_STATUS(8, PAGE(G_STATUS)));
    CHECK(!guest.on_lookup);
    CHECK_EQ(*vm_status(), 8);
}

/* As wide that what is remembered of another gfn might be taken for it. */
static void addresses_that_are_too_wide_are_nothing(void)
{
    const uint64_t wide = (vi.frames.epoch & 0xfffULL << 40) << 12;

    start();
    CHECK(wide);
    q_submit(WAIT_STATUS(7, PAGE(G_STATUS)));
    q_submit(WAIT_STATUS(8, PAGE(G_STATUS) | wide));
    CHECK_EQ(*vm_status(), 7);
    CHECK_EQ(COUNT(rej_status), 1);

    wr32(VTD_GCMD, VTD_GCMD_TE);
    wr64(VTD_IQA, PAGE(G_QUEUE) | wide);
    wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_QIE);
    wr64(VTD_IQT, 16);
    CHECK_EQ(COUNT(rej_queue), 1);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
}

static void pages_that_left_are_let_go(void)
{
    start();
    map(0, G_DATA, RW);
    CHECK(guest.mapped);
    guest_set(G_DATA + 1, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    CHECK(!guest.deferred);
    vm_pass(vi.set.window_us);
    CHECK_EQ(guest.mapped, 0);
    map(0, G_DATA, RW);
    expect(0, 0, G_DATA, RW);
}

/* A leaf lingers, too: then all goes in the same turn. */
static void pages_that_left_are_let_go_with_what_lingers(void)
{
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    start();
    map(0, G_DATA, RW);
    map(0, 0, 0);
    CHECK_EQ(COUNT(leaves_stale), 1);
    CHECK(guest.mapped);
    guest_set(G_DATA + 1, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    vm_settle();
    CHECK_EQ(COUNT(leaves_stale), 0);
    CHECK_EQ(guest.mapped, 0);
}

static void more_pages_than_stay_mapped(void)
{
    const uint64_t two_m = VTD_LEVEL_SIZE(2);
    unsigned int i;

    start();
    for ( i = 0; i < 300; i++ )
    {
        /* A leaf table of its own. */
        *vm_entry(table, 4, i * two_m, 2) = PAGE(0x400 + i) | RW;
        map(i * two_m, G_DATA + i % 64, RW);
    }
    CHECK(guest.mapped <= VIOMMU_PAGE_SETS * VIOMMU_PAGE_WAYS);
    for ( i = 0; i < 300; i++ )
        expect(0, i * two_m, G_DATA + i % 64, RW);
}

/* Nothing is populated for a device's request that faulted. */
static void faults_look_and_do_not_touch(void)
{
    start();
    hw_pcidevs_lock();
    viommu_fault(&vi, (pci_sbdf_t){ .sbdf = vm_sbdf(0) }, PAGE(7), true);
    hw_pcidevs_unlock();
    CHECK_EQ(COUNT(faults_forwarded), 1);
    CHECK_EQ(guest.populated_under_pcidevs, 0);
}

/* ---- What is no RAM ---- */

static unsigned int all_of_it(unsigned long gfn) { return 3; }

/* As VFIO maps the memory of a device. */
static void no_ram_is_as_cheap_as_a_hole(void)
{
    start();
    guest.hole_level = all_of_it;
    vm_map(table, 4, VTD_LEVEL_SIZE(3), G_HUGE, 3, RW);
    CHECK(items_of(IOTLB_DOMAIN(1)) < 1000);
    CHECK(items_of(IOTLB_DOMAIN(1)) < 1000);
    CHECK_EQ(guest.frames, 0);
    expect_none(0, VTD_LEVEL_SIZE(3));
    guest.hole_level = NULL;
}

/* Page by page, so that each has to be looked at: once. */
static void ram_among_what_is_none_is_looked_at_once(void)
{
    const uint64_t at = VTD_LEVEL_SIZE(3);
    unsigned int i, n = VTD_LEVEL_PAGES(3) / 2;

    start();
    for ( i = 0; i < VTD_LEVEL_PAGES(3); i += 2 )
        guest_set(G_HUGE + i, 1, GFN_RAM);
    vm_map(table, 4, at, G_HUGE, 3, RW);
    CHECK(items_of(IOTLB_DOMAIN(1)) >= n);
    CHECK_EQ(guest.frames, n);
    lookups = guest.lookups;
    CHECK(items_of(IOTLB_DOMAIN(1)) < 1000);
    CHECK(items_of(IOTLB_PAGE(1, at + PAGE(9), 0)) < 1000);
    CHECK_EQ(asked(), 0);
    expect(0, at + PAGE(2), G_HUGE + 2, RW);
    expect_none(0, at + PAGE(3));

    /* Until one of them changes, or the guest's leaf does. */
    guest_set(G_HUGE + 3, 1, GFN_RAM);
    q_submit(IOTLB_PAGE(1, at, 0));
    vm_settle();
    expect(0, at + PAGE(3), G_HUGE + 3, RW);
    vm_map(table, 4, at, G_HUGE, 3, VTD_PTE_R);
    q_submit(IOTLB_PAGE(1, at, 0));
    expect(0, at + PAGE(3), G_HUGE + 3, VTD_PTE_R);
    vm_map(table, 4, at, 0, 3, 0);
    q_submit(IOTLB_PAGE(1, at, 0));
    CHECK_EQ(guest.frames, 0);
    /* And not for another table's sake. */
    vm_map(table, 4, at, G_HUGE, 3, VTD_PTE_R);
    q_submit(IOTLB_PAGE(1, at, 0));
    expect(0, at + PAGE(3), G_HUGE + 3, VTD_PTE_R);
}

/* What could not be entered is tried again. */
static void what_lacked_memory_is_no_agreement(void)
{
    const uint64_t at = VTD_LEVEL_SIZE(2);

    start();
    guest_set(0x234, 1, GFN_MISSING);
    vm_map(table, 4, at, 0x200, 2, RW);
    harness.fail_in = 1;
    q_submit(IOTLB_PAGE(1, at, 9));
    CHECK(harness.failed);
    CHECK(COUNT(rej_quota) > 0);
    q_submit(IOTLB_PAGE(1, at, 9));
    expect(0, at, 0x200, RW);
}

/* ---- The quota ---- */

static void a_guest_can_map_page_by_page_and_far_apart(void)
{
    unsigned long leaves = vm_table();
    unsigned int i;

    guest.max_pages = 20000UL << 9;
    vm_stop();
    CHECK_EQ(vm_create(0), 0);
    start();
    guest_page(leaves)[0] = PAGE(G_DATA) | RW;
    for ( i = 0; i < 20000; i++ )
        *vm_entry(table, 4, i * VTD_LEVEL_SIZE(2), 2) = PAGE(leaves) | RW;
    q_submit(IOTLB_DOMAIN(1));
    vm_settle();
    CHECK_EQ(COUNT(rej_quota), 0);
    CHECK_EQ(guest.frames, 20000);
}

/* ---- Tables ---- */

static void a_table_is_made_once_for_many_pairs(void)
{
    unsigned int i, writes, tables;

    start();
    map(0, G_DATA, RW);
    map(0, 0, 0);
    tables = COUNT(table_pages);
    writes = hw.writes;
    for ( i = 0; i < 10; i++ )
    {
        map(0, G_DATA, RW);
        map(0, 0, 0);
    }
    CHECK_EQ(hw.writes, writes + 20);
    CHECK_EQ(COUNT(table_pages), tables);
}

static void empty_tables_make_room_for_others(void)
{
    const uint64_t one_g = VTD_LEVEL_SIZE(3);
    unsigned int i;

    vm_stop();
    CHECK_EQ(vm_create(4 + 4), 0);
    start();
    for ( i = 0; i < 40; i++ )
    {
        map(i * one_g, G_DATA, RW);
        expect(0, i * one_g, G_DATA, RW);
        map(i * one_g, 0, 0);
    }
    CHECK_EQ(COUNT(rej_quota), 0);
    CHECK(COUNT(table_pages) <= 8);
}

static void a_superpage_comes_where_an_empty_table_stayed(void)
{
    start();
    map(0, G_DATA, RW);
    map(0, 0, 0);
    vm_map(table, 4, 0, 0x200, 2, RW);
    q_submit(IOTLB_PAGE(1, 0, 9));
    expect(0, PAGE(3), 0x203, RW);
    CHECK_EQ(COUNT(leaves_mapped), 2);
    CHECK_EQ(hw.stale, 0);
}

/* ---- One flush for what is waited for ---- */

static void what_is_waited_for_shares_a_flush(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 16; i++ )
        map(PAGE(i), G_DATA + i, RW);
    for ( i = 0; i < 16; i++ )
    {
        vm_map(table, 4, PAGE(i), 0, 1, 0);
        q_put(IOTLB_PAGE(1, PAGE(i), 0));
    }
    hw.flushes = 0;
    q_wait();
    CHECK_EQ(hw.flushes, 1);
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(hw.stale, 0);
}

static void seen_flushed(void)
{
    CHECK_EQ(hw.stale, 0);
    CHECK_EQ(guest.frames, 0);
}

static void the_flush_comes_before_the_status(void)
{
    start();
    map(0, G_DATA, RW);
    vm_map(table, 4, 0, 0, 1, 0);
    q_put(IOTLB_PAGE(1, 0, 0));
    guest.on_status = seen_flushed;
    q_wait();
    guest.on_status = NULL;
}

TESTS(frame_tests) = {
    TEST_TRAPPED(steady_commands_ask_for_nothing),
    TEST(another_frame_is_seen),
    TEST(memory_that_is_gone_is_not_mapped),
    TEST(what_is_remembered_is_not_believed),
    TEST(tables_that_move_are_followed),
    TEST(queue_and_status_that_move_are_followed),
    TEST_TRAPPED(an_answer_that_comes_too_late_is_void),
    TEST_TRAPPED(memory_that_never_stays_is_used_all_the_same),
    TEST_TRAPPED(a_superpage_that_is_exchanged_meanwhile),
    TEST_TRAPPED(a_page_that_moves_while_it_is_looked_up),
    TEST(a_status_page_that_is_read_only_now),
    TEST(epochs_begin_anew),
    TEST_TRAPPED(an_epoch_that_begins_anew_for_a_status_page),
    TEST_TRAPPED(addresses_that_are_too_wide_are_nothing),
    TEST_TRAPPED(pages_that_left_are_let_go),
    TEST_TRAPPED(pages_that_left_are_let_go_with_what_lingers),
    TEST(more_pages_than_stay_mapped),
    TEST(faults_look_and_do_not_touch),
    TEST_TRAPPED(no_ram_is_as_cheap_as_a_hole),
    TEST_TRAPPED(ram_among_what_is_none_is_looked_at_once),
    TEST(what_lacked_memory_is_no_agreement),
    TEST_TRAPPED(a_guest_can_map_page_by_page_and_far_apart),
    TEST(a_table_is_made_once_for_many_pairs),
    TEST_TRAPPED(empty_tables_make_room_for_others),
    TEST(a_superpage_comes_where_an_empty_table_stayed),
    TEST_TRAPPED(what_is_waited_for_shares_a_flush),
    TEST_TRAPPED(the_flush_comes_before_the_status),
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
