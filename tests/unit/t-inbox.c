/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-inbox.c: the register page as memory (inbox.c).
 */
#include "vm.h"

#define FRCD_F (VTD_FRCD_HI_F >> 32)

/* The queue is on, and the page is memory. */
static void start(void)
{
    vm_use_sidecore();
    vm_queue_on();
    CHECK(vm_no_exit(&vi));
}

/* From here on nothing is done by itself. */
static void start_lazy(void)
{
    start();
    vm_lazy = true;
}

/* The guest's vCPUs do what they were asked to. */
static void vcpus_run(void)
{
    if ( guest.deferred )
        vm_settle();
}

static void fault(unsigned int dev)
{
    hw_pcidevs_lock();
    viommu_fault(&vi, (pci_sbdf_t){ .sbdf = vm_sbdf(dev) }, 0, true);
    hw_pcidevs_unlock();
}

static void clear_fault(void)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
        wr32(VTD_FRCD + i * VTD_FRCD_SIZE + 12, FRCD_F);
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void unmask(unsigned int control)
{
    wr32(control + 4, 0x4021);
    wr32(control + 8, 0xfee00000U);
    wr32(control, 0);
}

static uint32_t memory(unsigned int offset)
{
    return guest_unit(&vi)->inbox[offset / 4];
}

/* An idle sidecore looks at all of the page. */
static void scrub(void)
{
    unsigned int i;

    /* A cache line in each 16 rounds. */
    for ( i = 0; i < 65 * 16; i++ )
    {
        vm_poll(0);
        vcpus_run();
    }
}

/* ---- What is seen ---- */

static void memory_reads_as_a_trap_does(void)
{
    unsigned int i;

    start();
    vm_translate(1);
    wr32(VTD_FEDATA, 0x1234);
    wr32(VTD_IEADDR, 0x5678);
    scrub();
    CHECK(vm_no_exit(&vi));
    for ( i = 0; i < 4096; i += 4 )
    {
        uint32_t trapped = viommu_mmio_read(&vi, i, 4);

        if ( i == VTD_GCMD )
            continue;
        if ( i == VTD_GSTS )
        {
            CHECK_EQ(trapped, VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_SRTP);
            trapped &= ~VTD_GCMD_SRTP;
        }
        CHECK_EQ(memory(i), trapped);
    }
}

/* Of all that is written nothing remains that a trap would not have left. */
static void compare_with(struct viommu *trapping, unsigned int offset,
                         uint32_t value)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_REGS_SIZE; i += 4 )
    {
        uint32_t a = regs_get32(&vi, i), b = regs_get32(trapping, i);

        if ( a != b )
            FAIL("after %#x to %#x, register %#x is %#x, not %#x", value,
                 offset, i, a, b);
        if ( i == VTD_GSTS )
            b &= ~VTD_GCMD_SRTP;
        if ( i != VTD_GCMD && vm_no_exit(&vi) && memory(i) != b )
            FAIL("after %#x to %#x, %#x shows %#x, not %#x", value, offset, i,
                 memory(i), b);
    }
}

static void both(struct viommu *trapping, unsigned int offset, uint32_t value)
{
    wr32(offset, value);
    scrub();
    viommu_mmio_write(trapping, offset, 4, value);
    compare_with(trapping, offset, value);
}

static void writes_mean_what_they_do_in_a_trap(void)
{
    struct viommu *trapping = vm_add();
    unsigned int offset, i;

    vm_use_sidecore();
    for ( offset = 0; offset < VIOMMU_REGS_SIZE; offset += 4 )
        for ( i = 0; i < 36; i++ )
        {
            uint32_t value = i < 32 ? 1U << i : i == 32 ? 0x5a5a5a5aU :
                             i == 33 ? 0xa5a5a5a5U : i == 34 ? ~0U : 0;

            both(trapping, VTD_GCMD, 0);
            (void)rd32(VTD_GSTS);
            both(trapping, VTD_CCMD + 4, (VTD_CCMD_ICC | 1ULL << 61) >> 32);
            CHECK(vm_no_exit(&vi));
            both(trapping, offset, value);
        }
}

static void the_same_command_twice_is_two(void)
{
    unsigned long other = vm_table();
    unsigned int i;

    /* The second one has another root table, and the queue is used between. */
    start();
    vm_translate(1);
    vm_set_context(0, vm_table(), 4, 1);
    vm_map((vm_context(0)[0] >> VTD_PAGE_SHIFT), 4, 0, G_DATA, 1, RW);
    guest_page(other)[0] = guest_page(G_ROOT)[0];
    for ( i = 0; i < 3; i++ )
    {
        wr64(VTD_RTADDR, PAGE(i & 1 ? other : G_ROOT));
        *vm_root(0) = i & 1 ? 0 : PAGE(G_CONTEXT) | VTD_ROOT_P;
        CHECK(vm_no_exit(&vi));
        wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_SRTP);
        CHECK(!vm_no_exit(&vi));
        CHECK_EQ(vi.root, PAGE(i & 1 ? other : G_ROOT));
        expect(0, 0, G_DATA, RW);
        CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
        q_submit(IOTLB_GLOBAL);
    }
}

static void set_up_before_the_command_is_seen_with_it(void)
{
    vm_use_sidecore();
    vm_lazy = true;
    wr32(VTD_GCMD, 0);
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
    wr64(VTD_IQA, PAGE(G_QUEUE) | 1);
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_IQT, 16);
    guest_page(G_QUEUE)[0] = 0x25 | 7ULL << 32;
    guest_page(G_QUEUE)[1] = PAGE(G_STATUS);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
    vm_poll(0);
    CHECK_EQ(vi.queue, PAGE(G_QUEUE));
    CHECK_EQ(vi.queue_size, 512 * 16);
    CHECK_EQ(vi.root, PAGE(G_ROOT));
    CHECK_EQ(*vm_status(), 7);
}

/* ---- Both ways to invalidate ---- */

static void register_commands_complete_in_memory(void)
{
    unsigned long table = vm_table();
    const uint64_t ccmd = VTD_CCMD_ICC |
                          MASK_INSR(3ULL, VTD_CCMD_CIRG) |
                          MASK_INSR((uint64_t)vm_devfn(0), VTD_CCMD_SID);
    const uint64_t iotlb = VTD_IOTLB_IVT | MASK_INSR(3ULL, VTD_IOTLB_IIRG) |
                           MASK_INSR(1ULL, VTD_IOTLB_DID);
    unsigned int how, reads, writes;

    start();
    vm_translate(1);
    reads = COUNT(reg_reads);
    writes = COUNT(reg_writes);
    vm_lazy = true;
    for ( how = 0; how < 6; how++ )
    {
        vm_set_context(0, table, 4, 1);
        if ( how % 3 == 0 )
            wr64(VTD_CCMD, ccmd);
        else
        {
            wr32(VTD_CCMD + (how % 3 == 1 ? 0 : 4),
                 how % 3 == 1 ? ccmd : ccmd >> 32);
            /* The low half may be taken alone; the high one starts it. */
            if ( how == 1 )
                vm_poll(0);
            wr32(VTD_CCMD + (how % 3 == 1 ? 4 : 0),
                 how % 3 == 1 ? ccmd >> 32 : ccmd);
        }
        CHECK(rd64(VTD_CCMD) & VTD_CCMD_ICC);
        vm_poll_all();
        CHECK(!(rd64(VTD_CCMD) & VTD_CCMD_ICC));
        CHECK_EQ(MASK_EXTR(rd64(VTD_CCMD), VTD_CCMD_CAIG), 3);

        vm_map(table, 4, PAGE(how), G_DATA + how, 1, RW);
        wr64(VTD_IVA, PAGE(how));
        if ( how & 1 )
            wr64(VTD_IOTLB, iotlb);
        else
        {
            wr32(VTD_IOTLB, (uint32_t)iotlb);
            wr32(VTD_IOTLB + 4, iotlb >> 32);
        }
        expect_none(0, PAGE(how));
        CHECK(rd64(VTD_IOTLB) & VTD_IOTLB_IVT);
        vm_poll_all();
        CHECK(!(rd64(VTD_IOTLB) & VTD_IOTLB_IVT));
        CHECK_EQ(MASK_EXTR(rd64(VTD_IOTLB), VTD_IOTLB_IAIG), 3);
        expect(0, PAGE(how), G_DATA + how, RW);
        CHECK_EQ(COUNT(reg_commands), 2 * how + 2);

        /* The same one again. */
        vm_map(table, 4, PAGE(how), 0, 1, 0);
        wr64(VTD_IOTLB, iotlb);
        vm_poll_all();
        expect_none(0, PAGE(how));
        vi.count[XEN_VIOMMU_CNT_reg_commands]--;
    }
    CHECK_EQ(COUNT(reg_reads), reads);
    CHECK_EQ(COUNT(reg_writes), writes);
}

static void the_queue_works_by_memory(void)
{
    unsigned long table = vm_table();
    unsigned int i, reads, writes;

    vm_set_context(0, table, 4, 1);
    start();
    vm_translate(1);
    reads = COUNT(reg_reads);
    writes = COUNT(reg_writes);
    for ( i = 0; i < 600; i++ )
    {
        vm_map(table, 4, PAGE(1), G_DATA + i % 7, 1, RW);
        q_put(IOTLB_PAGE(1, PAGE(1), 0));
        q_wait();
        expect(0, PAGE(1), G_DATA + i % 7, RW);
    }
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(COUNT(no_exit_begins), 2);
    CHECK_EQ(COUNT(reg_reads), reads);
    CHECK_EQ(COUNT(reg_writes), writes);
    CHECK_EQ(COUNT(qi_iotlb), 601);
}

/* ---- What memory cannot imitate ---- */

static void a_root_pointer_never_looks_set_early(void)
{
    unsigned int i;

    start_lazy();
    for ( i = 0; i < 3; i++ )
    {
        /* In memory: it is not shown there, before or after. */
        CHECK(vm_no_exit(&vi));
        wr64(VTD_RTADDR, PAGE(G_ROOT + i));
        wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
        expect_gsts(VTD_GCMD_QIE);
        vm_poll(0);
        CHECK(!vm_no_exit(&vi));
        CHECK_EQ(memory(VTD_GSTS), VTD_GCMD_QIE);
        expect_gsts(VTD_GCMD_QIE | VTD_GCMD_SRTP);
        CHECK_EQ(vi.root, PAGE(G_ROOT + i));

        /* In a trap that cannot do it at once; nothing becomes memory. */
        wr64(VTD_RTADDR, PAGE(G_ROOT));
        harness.trylocks = 1;
        wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
        expect_gsts(VTD_GCMD_QIE);
        CHECK_EQ(vi.root, PAGE(G_ROOT + i));
        vcpus_run();
        expect_gsts(VTD_GCMD_QIE | VTD_GCMD_SRTP);
        vm_poll(0);
        CHECK(!vm_no_exit(&vi));

        /* Nor with another global command. */
        wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE);
        vcpus_run();
        vm_poll(0);
        CHECK(!vm_no_exit(&vi));
        wr32(VTD_GCMD, VTD_GCMD_QIE);
        vcpus_run();

        if ( i )
            wr64(VTD_CCMD, VTD_CCMD_ICC | 1ULL << 61);
        else
        {
            q_put(IOTLB_GLOBAL);
            q_kick();
        }
        vcpus_run();
        vm_poll(0);
        CHECK(vm_no_exit(&vi));
    }
}

static void no_command_of_another_vcpu_hides_the_root_pointer(void)
{
    start_lazy();
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
    vm_poll(0);
    q_put(IOTLB_GLOBAL);
    q_kick();
    vcpus_run();
    vm_poll(0);
    CHECK(!vm_no_exit(&vi));
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
    q_put(IOTLB_GLOBAL);
    q_kick();
    vcpus_run();
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
}

/* A root pointer asked for while the page is about to become memory. */
static void a_root_pointer_in_progress_is_seen_to_complete(void)
{
    unsigned long table = vm_table();
    unsigned int i;

    vm_set_context(0, table, 4, 1);
    for ( i = 0; i < 3000; i++ )
        vm_map(table, 4, PAGE(i), G_DATA, 1, RW);
    vm_translate(1);
    vm_use_sidecore();
    vm_lazy = true;
    vm_unbind(0);
    vm_settle();
    vm_bind(0);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    CHECK(guest.deferred);
    for ( i = 0; viommu_work(&vi); i++ )
    {
        CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_SRTP));
        vm_poll(0);
    }
    CHECK(i > 1);
    CHECK(!vm_no_exit(&vi));
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
}

static void binding_does_not_hide_the_root_pointer(void)
{
    struct viommu *other = vm_add();

    /* Its guest keeps the sidecore awake. */
    vm_use_sidecore();
    vm_serve(other);
    vm_write(other, VTD_GCMD, 4, 0);
    vm_poll(0);
    vm_translate(1);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(vm_bind(1), 0);
    /* The driver may not have looked yet. */
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
}

static void status_is_clear(void)
{
    CHECK(!vm_no_exit(&vi) || !(memory(VTD_FSTS) | memory(VTD_ICS)));
    CHECK_EQ(regs_get32(&vi, VTD_FSTS), 0);
    CHECK_EQ(regs_get32(&vi, VTD_ICS), 0);
    CHECK_EQ(guest.msis, 0);
    /* Once. */
    guest.on_inbox_unmapped = NULL;
}

/* Something that has the page become memory, if it can. */
static void command(void)
{
    q_put(IOTLB_GLOBAL);
    q_kick();
}

static void a_fault_makes_the_page_trap_first(void)
{
    start();
    vm_translate(1);
    unmask(VTD_FECTL);
    guest.on_inbox_unmapped = status_is_clear;
    fault(0);
    CHECK(!guest.on_inbox_unmapped);
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(guest.msi_data, 0x4021);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF);
    vm_poll_all();
    CHECK(!vm_no_exit(&vi));
    command();
    CHECK(!vm_no_exit(&vi));
    clear_fault();
    command();
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(memory(VTD_FSTS), 0);
    CHECK_EQ(guest.msis, 1);
}

static void a_completion_makes_the_page_trap_first(void)
{
    start();
    unmask(VTD_IECTL);
    guest.on_inbox_unmapped = status_is_clear;
    q_put(WAIT_INTERRUPT);
    q_put(WAIT_STATUS(5, PAGE(G_STATUS)));
    q_kick();
    CHECK(!guest.on_inbox_unmapped);
    CHECK_EQ(*vm_status(), 5);
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);
    wr32(VTD_ICS, VTD_ICS_IWC);
    CHECK_EQ(rd32(VTD_ICS), 0);
    command();
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(guest.msis, 1);
}

static void a_queue_error_makes_the_page_trap_first(void)
{
    start();
    unmask(VTD_FECTL);
    guest.on_inbox_unmapped = status_is_clear;
    q_put(0x0f, 0);
    q_put(WAIT_STATUS(5, PAGE(G_STATUS)));
    q_kick();
    CHECK(!guest.on_inbox_unmapped);
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    CHECK_EQ(rd64(VTD_IQH), 0);
    CHECK_EQ(*vm_status(), 0);
    guest_page(G_QUEUE)[0] = VTD_DESC_IEC;
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(*vm_status(), 5);
    CHECK(vm_no_exit(&vi));
    q_check();
}

/* Masked by memory, too: it is pending when it is unmasked, by whatever. */
static void a_masked_event_keeps_the_page_trapping(void)
{
    start();
    vm_translate(1);
    unmask(VTD_FECTL);
    wr32(VTD_FECTL, VTD_EVENT_IM);
    fault(0);
    CHECK_EQ(guest.msis, 0);
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM | VTD_EVENT_IP);
    command();
    CHECK(!vm_no_exit(&vi));
    wr32(VTD_FECTL, 0);
    CHECK_EQ(guest.msis, 1);
    command();
    CHECK(!vm_no_exit(&vi));
    clear_fault();
    command();
    CHECK(vm_no_exit(&vi));
}

/* ---- Garbage ---- */

static void garbage_harms_nobody_but_its_guest(void)
{
    uint32_t *page = guest_unit(&vi)->inbox;
    unsigned int i, round;

    start();
    vm_translate(1);
    vm_lazy = true;
    for ( round = 0; round < 200; round++ )
    {
        for ( i = 0; i < 1024; i++ )
            if ( harness_random() % 4 )
                page[i] = harness_random();
        scrub();
        CHECK_EQ(regs_get64(&vi, VTD_CAP), vi.cap);
        CHECK_EQ(regs_get64(&vi, VTD_ECAP), vi.ecap);
        CHECK_EQ(regs_get32(&vi, VTD_VER), VTD_VER_1_0);
        CHECK_EQ(regs_get32(&vi, VTD_GCMD), 0);
        CHECK_EQ(regs_get32(&vi, VTD_GSTS) &
                 ~(VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_SRTP), 0);
        for ( i = VTD_FRCD; i < VIOMMU_REGS_SIZE; i += 4 )
            CHECK_EQ(regs_get32(&vi, i), 0);

        /* It is off again, and the page is what it was. */
        wr32(VTD_GCMD, 0);
        vm_poll(0);
        vcpus_run();
        wr32(VTD_FSTS, VTD_FSTS_IQE);
        wr32(VTD_FECTL, VTD_EVENT_IM);
        (void)rd32(VTD_GSTS);
        wr64(VTD_CCMD, VTD_CCMD_ICC | 1ULL << 61);
        scrub();
        CHECK(vm_no_exit(&vi));
        for ( i = 0; i < 4096; i += 4 )
            if ( i != VTD_GCMD && i != VTD_GSTS )
                CHECK_EQ(page[i / 4], viommu_mmio_read(&vi, i, 4));
        CHECK_EQ(page[VTD_GSTS / 4], regs_get32(&vi, VTD_GSTS) &
                                     ~VTD_GCMD_SRTP);
    }
}

TESTS(inbox_tests) = {
    TEST_TRAPPED(memory_reads_as_a_trap_does),
    TEST_TRAPPED(writes_mean_what_they_do_in_a_trap),
    TEST_TRAPPED(the_same_command_twice_is_two),
    TEST_TRAPPED(set_up_before_the_command_is_seen_with_it),
    TEST_TRAPPED(register_commands_complete_in_memory),
    TEST_TRAPPED(the_queue_works_by_memory),
    TEST_TRAPPED(a_root_pointer_never_looks_set_early),
    TEST_TRAPPED(no_command_of_another_vcpu_hides_the_root_pointer),
    TEST_TRAPPED(a_root_pointer_in_progress_is_seen_to_complete),
    TEST_TRAPPED(binding_does_not_hide_the_root_pointer),
    TEST_TRAPPED(a_fault_makes_the_page_trap_first),
    TEST_TRAPPED(a_completion_makes_the_page_trap_first),
    TEST_TRAPPED(a_queue_error_makes_the_page_trap_first),
    TEST_TRAPPED(a_masked_event_keeps_the_page_trapping),
    TEST_TRAPPED(garbage_harms_nobody_but_its_guest),
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
