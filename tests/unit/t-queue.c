/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-queue.c: the invalidation queue, its errors, and the event interrupts.
 */
#include "vm.h"

static void queue_wraps(void)
{
    unsigned int i;

    vm_queue_on();
    for ( i = 0; i < 3 * 256 + 7; i++ )
        q_submit(IEC_GLOBAL);
    CHECK_EQ(rd64(VTD_IQH), 7 * 16);
    CHECK_EQ(COUNT(qi_iec), 3 * 256 + 7);
    q_wait();
}

static void queues_of_all_sizes_work(void)
{
    unsigned int qs;

    for ( qs = 0; qs <= 7; qs++ )
    {
        unsigned int entries = 256U << qs;

        wr32(VTD_GCMD, 0);
        wr64(VTD_IQT, 0);
        wr64(VTD_IQA, PAGE(G_QUEUE) | qs);
        q_tail = 0;
        wr32(VTD_GCMD, VTD_GCMD_QIE);
        CHECK_EQ(rd64(VTD_IQH), 0);

        /* All but one entry at once, then over the end. */
        while ( q_tail != entries - 1 )
            q_put(IEC_GLOBAL);
        q_kick();
        q_check();
        q_wait();
        CHECK_EQ(rd64(VTD_IQH), 0);
        q_wait();
        CHECK_EQ(rd64(VTD_IQH), 16);
    }
}

static void descriptors_are_fetched_across_pages(void)
{
    unsigned int i;

    wr64(VTD_IQA, PAGE(G_QUEUE) | 1);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    for ( i = 0; i < 300; i++ )
        q_put(IEC_GLOBAL);
    q_put(WAIT_STATUS(77, PAGE(G_STATUS)));
    /* The second page is not where the first one ends in the machine. */
    q_kick();
    q_check();
    CHECK_EQ(*vm_status(), 77);
}

/* Windows does that. */
static void tail_may_be_written_before_enabling(void)
{
    wr64(VTD_IQA, PAGE(G_QUEUE));
    q_put(WAIT_STATUS(5, PAGE(G_STATUS)));
    q_kick();
    CHECK_EQ(*vm_status(), 0);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    q_check();
    CHECK_EQ(*vm_status(), 5);
}

static void queue_off_does_nothing(void)
{
    vm_queue_on();
    q_wait();
    wr32(VTD_GCMD, 0);
    CHECK_EQ(rd64(VTD_IQH), 0);
    *vm_status() = 0;
    q_put(WAIT_STATUS(9, PAGE(G_STATUS)));
    q_kick();
    CHECK_EQ(*vm_status(), 0);
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void queue_address_counts_when_enabled(void)
{
    vm_queue_on();
    wr64(VTD_IQA, PAGE(G_RAM + 1));
    /* The old one is still the queue. */
    guest_page(G_QUEUE)[0] = 0x25 | 6ULL << 32;
    guest_page(G_QUEUE)[1] = PAGE(G_STATUS);
    wr32(VTD_IQT, 16);
    CHECK_EQ(*vm_status(), 6);
    CHECK_EQ(rd64(VTD_IQH), 16);
}

static void wait_writes_its_status(void)
{
    vm_queue_on();
    q_submit(WAIT_STATUS(0xdeadbeefU, PAGE(G_STATUS) + 0xffc));
    CHECK_EQ(vm_status()[1023], 0xdeadbeefU);
    CHECK_EQ(vm_status()[1022], 0);
    q_submit(0x05, PAGE(G_STATUS));   /* neither status nor interrupt */
    CHECK_EQ(vm_status()[0], 0);
    CHECK_EQ(COUNT(qi_wait), 2);
    CHECK_EQ(guest.msis, 0);
}

static void fence_changes_nothing(void)
{
    vm_queue_on();
    q_put(IOTLB_GLOBAL);
    q_put(0x65 | 8ULL << 32, PAGE(G_STATUS));   /* SW, FN */
    q_kick();
    q_check();
    CHECK_EQ(*vm_status(), 8);
}

/* NOVA polls the head, and writes no wait descriptor at all. */
static void head_moves_with_completion(void)
{
    unsigned int i;

    vm_queue_on();
    for ( i = 1; i < 10; i++ )
    {
        q_submit(IOTLB_GLOBAL);
        CHECK_EQ(rd64(VTD_IQH), i * 16);
        CHECK_EQ(rd32(VTD_IQH), i * 16);
    }
}

static uint64_t page_tested;

static void page_is_gone(void)
{
    expect_none(0, page_tested);
}

static void status_comes_after_all_before_it(void)
{
    unsigned long t = vm_table();

    vm_map(t, 4, PAGE(1), G_DATA, 1, RW);
    vm_set_context(0, t, 4, 1);
    vm_translate(1);
    expect(0, PAGE(1), G_DATA, RW);
    vm_map(t, 4, PAGE(1), 0, 1, 0);
    page_tested = PAGE(1);
    guest.on_status = page_is_gone;
    q_put(IOTLB_PAGE(1, PAGE(1), 0));
    q_put(WAIT_STATUS(1, PAGE(G_STATUS)));
    q_kick();
    CHECK_EQ(*vm_status(), 1);
}

static void status_to_no_ram_is_dropped(void)
{
    static const enum gfn_type types[] = { GFN_MISSING, GFN_RAM_RO, GFN_MMIO };
    unsigned int i;

    vm_queue_on();
    for ( i = 0; i < ARRAY_SIZE(types); i++ )
    {
        guest_set(G_STATUS, 1, types[i]);
        q_submit(WAIT_STATUS(1, PAGE(G_STATUS)));
        CHECK_EQ(*vm_status(), 0);
        CHECK_EQ(COUNT(rej_status), i + 1);
    }
    q_submit(WAIT_STATUS(1, 0xfffffffffffffffcULL));
    q_submit(WAIT_STATUS(1, XEN_VIOMMU_REGISTER_BASE));
    CHECK_EQ(COUNT(rej_status), i + 2);
}

static void interrupt_entry_cache_is_accepted(void)
{
    vm_queue_on();
    q_submit(IEC_GLOBAL);
    q_submit(0x14 | 31ULL << 27 | 0xffffULL << 32, 0);   /* index, mask */
    q_wait();
    CHECK_EQ(COUNT(qi_iec), 2);
}

/* A queue with one bad descriptor stops there, and goes on when told to. */
static void check_bad(uint64_t lo, uint64_t hi)
{
    unsigned int bad = q_tail;

    *vm_status() = 0;
    q_put(lo, hi);
    q_put(WAIT_STATUS(3, PAGE(G_STATUS)));
    q_kick();
    if ( rd32(VTD_FSTS) != VTD_FSTS_IQE )
        FAIL("descriptor %#llx %#llx was not refused",
             (unsigned long long)lo, (unsigned long long)hi);
    CHECK_EQ(rd64(VTD_IQH), bad * 16);
    CHECK_EQ(*vm_status(), 0);

    /* As Linux: a wait in its place, then clear the error. */
    guest_page(G_QUEUE)[2 * bad] = 0x05;
    guest_page(G_QUEUE)[2 * bad + 1] = 0;
    q_kick();
    CHECK_EQ(*vm_status(), 0);
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(rd32(VTD_FSTS), 0);
    q_check();
    CHECK_EQ(*vm_status(), 3);
}

static void unknown_types_stop_the_queue(void)
{
    unsigned int type;

    vm_queue_on();
    for ( type = 0; type < 128; type++ )
        if ( type != 1 && type != 2 && type != 4 && type != 5 )
            check_bad((type & 0xf) | (type & 0x70) << 5 | 0x10, 0);
}

static void reserved_bits_stop_the_queue(void)
{
    unsigned int bit;

    vm_queue_on();
    for ( bit = 0; bit < 64; bit++ )
    {
        uint64_t b = 1ULL << bit;

        if ( b & VTD_DESC_CC_LO_RSVD )
            check_bad(0x11 | b, 0);
        check_bad(0x11, b);
        if ( b & VTD_DESC_IOTLB_LO_RSVD )
            check_bad(0xd2 | b, 0);
        if ( b & VTD_DESC_IOTLB_HI_RSVD )
            check_bad(0xd2, b);
        if ( b & VTD_DESC_IEC_LO_RSVD )
            check_bad(0x04 | b, 0);
        check_bad(0x04, b);
        if ( b & VTD_DESC_WAIT_LO_RSVD )
            check_bad(0x25 | b, PAGE(G_STATUS));
    }
    check_bad(0x25, PAGE(G_STATUS) | 1);
    check_bad(0x25, PAGE(G_STATUS) | 2);
}

static void granularity_0_stops_the_queue(void)
{
    vm_queue_on();
    check_bad(0x01, 0);
    check_bad(0xc2, 0);
}

static void masks_beyond_the_limit_stop_the_queue(void)
{
    unsigned int am;

    vm_queue_on();
    for ( am = 0; am <= 18; am++ )
        q_submit(IOTLB_PAGE(1, 0, am));
    for ( ; am < 64; am++ )
        check_bad(IOTLB_PAGE(1, 0, am));
    /* It does not count where no page is named. */
    q_submit(0xe2, 63);
}

static void clearing_the_error_fetches_again(void)
{
    vm_queue_on();
    q_put(0x0f, 0);
    q_kick();
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    /* Not repaired: the same error. */
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    CHECK_EQ(rd64(VTD_IQH), 0);
    CHECK_EQ(COUNT(rej_descriptor), 2);
    guest_page(G_QUEUE)[0] = 0x04;
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    q_check();
}

static void queue_outside_of_ram_stops(void)
{
    wr64(VTD_IQA, PAGE(G_RAM));
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    wr32(VTD_IQT, 16);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    CHECK_EQ(COUNT(rej_queue), 1);
    wr32(VTD_GCMD, 0);
    wr32(VTD_FSTS, VTD_FSTS_IQE);

    /* Only its second page. */
    wr32(VTD_IQT, 0);
    wr64(VTD_IQA, PAGE(G_RAM - 1) | 1);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    q_tail = 0;
    while ( q_tail != 256 )
        q_put(IEC_GLOBAL);
    wr32(VTD_IQT, 300 * 16);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    CHECK_EQ(rd64(VTD_IQH), 4096);

    /* The whole address range is used up. */
    wr32(VTD_GCMD, 0);
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    wr32(VTD_IQT, 0x7fff0);
    wr64(VTD_IQA, ~0ULL);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
}

static void tail_beyond_the_queue_stops(void)
{
    vm_queue_on();
    wr32(VTD_IQT, 256 * 16);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    CHECK_EQ(COUNT(rej_queue), 1);
    CHECK_EQ(rd64(VTD_IQH), 0);
    wr32(VTD_IQT, 0);
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    q_wait();
}

/* ---- Event interrupts (6.5.2.8, 7.3) ---- */

static void set_event(unsigned int base, uint32_t control)
{
    wr32(base + 4, 0x4041);
    wr32(base + 8, 0xfee01000U);
    wr32(base + 12, 2);
    wr32(base, control);
}

static void wait_interrupts(void)
{
    vm_queue_on();
    set_event(VTD_IECTL, 0);
    q_submit(WAIT_INTERRUPT);
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(guest.msi_addr, 0x2fee01000ULL);
    CHECK_EQ(guest.msi_data, 0x4041);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);

    /* No second one before the driver has cleared the status. */
    q_submit(WAIT_INTERRUPT);
    CHECK_EQ(guest.msis, 1);
    wr32(VTD_ICS, VTD_ICS_IWC);
    q_submit(WAIT_INTERRUPT);
    CHECK_EQ(guest.msis, 2);
}

static void wait_may_write_and_interrupt(void)
{
    vm_queue_on();
    set_event(VTD_IECTL, 0);
    q_submit(0x35 | 4ULL << 32, PAGE(G_STATUS));
    CHECK_EQ(*vm_status(), 4);
    CHECK_EQ(guest.msis, 1);
}

static void masked_event_is_pending(void)
{
    vm_queue_on();
    set_event(VTD_IECTL, VTD_EVENT_IM);
    q_submit(WAIT_INTERRUPT);
    CHECK_EQ(guest.msis, 0);
    CHECK_EQ(rd32(VTD_IECTL), VTD_EVENT_IM | VTD_EVENT_IP);
    wr32(VTD_IECTL, 0);
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(rd32(VTD_IECTL), 0);
}

static void pending_event_goes_with_its_status(void)
{
    vm_queue_on();
    set_event(VTD_IECTL, VTD_EVENT_IM);
    q_submit(WAIT_INTERRUPT);
    wr32(VTD_ICS, VTD_ICS_IWC);
    CHECK_EQ(rd32(VTD_IECTL), VTD_EVENT_IM);
    wr32(VTD_IECTL, 0);
    CHECK_EQ(guest.msis, 0);
}

static void queue_error_raises_the_fault_event(void)
{
    vm_queue_on();
    set_event(VTD_FECTL, 0);
    q_put(0x0f, 0);
    q_kick();
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(guest.msi_addr, 0x2fee01000ULL);
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(guest.msis, 2);

    set_event(VTD_FECTL, VTD_EVENT_IM);
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(guest.msis, 2);
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM | VTD_EVENT_IP);
    wr32(VTD_FECTL, 0);
    CHECK_EQ(guest.msis, 3);
}

TESTS(queue_tests) = {
    TEST(queue_wraps),
    TEST(queues_of_all_sizes_work),
    TEST(descriptors_are_fetched_across_pages),
    TEST(tail_may_be_written_before_enabling),
    TEST(queue_off_does_nothing),
    TEST(queue_address_counts_when_enabled),
    TEST(wait_writes_its_status),
    TEST(fence_changes_nothing),
    TEST(head_moves_with_completion),
    TEST(status_comes_after_all_before_it),
    TEST(status_to_no_ram_is_dropped),
    TEST(interrupt_entry_cache_is_accepted),
    TEST(unknown_types_stop_the_queue),
    TEST(reserved_bits_stop_the_queue),
    TEST(granularity_0_stops_the_queue),
    TEST(masks_beyond_the_limit_stop_the_queue),
    TEST(clearing_the_error_fetches_again),
    TEST(queue_outside_of_ram_stops),
    TEST(tail_beyond_the_queue_stops),
    TEST(wait_interrupts),
    TEST(wait_may_write_and_interrupt),
    TEST(masked_event_is_pending),
    TEST(pending_event_goes_with_its_status),
    TEST(queue_error_raises_the_fault_event),
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
