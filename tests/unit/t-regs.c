/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-regs.c: the register file, its access rules, and the global command.
 */
#include "vm.h"

static void reset_values(void)
{
    CHECK_EQ(rd32(VTD_VER), 0x10);
    expect_gsts(0);
    CHECK_EQ(rd64(VTD_RTADDR), 0);
    CHECK_EQ(rd64(VTD_CCMD), 0);
    CHECK_EQ(rd32(VTD_FSTS), 0);
    /* Masked, or a guest would get vector 0. */
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM);
    CHECK_EQ(rd32(VTD_IECTL), VTD_EVENT_IM);
    CHECK_EQ(rd64(VTD_IQH), 0);
    CHECK_EQ(rd64(VTD_IQT), 0);
    CHECK_EQ(rd64(VTD_IQA), 0);
    CHECK_EQ(rd32(VTD_ICS), 0);
    CHECK_EQ(rd64(VTD_IVA), 0);
    CHECK_EQ(rd64(VTD_IOTLB), 0);
    CHECK_EQ(rd64(VTD_FRCD), 0);
    CHECK_EQ(rd64(VTD_FRCD + 8), 0);
}

static void capabilities_say_what_the_unit_does(void)
{
    uint64_t cap = rd64(VTD_CAP), ecap = rd64(VTD_ECAP);

    CHECK_EQ(cap & 7, 6);                    /* ND: 64K domains */
    CHECK(cap & (1ULL << 7));                /* CM */
    CHECK_EQ((cap >> 3) & 0xf, 0);           /* AFL, RWBF, PLMR, PHMR */
    CHECK_EQ((cap >> 8) & 0x1f, 6);          /* SAGAW: 39 and 48 */
    CHECK_EQ((cap >> 16) & 0x3f, 47);        /* MGAW */
    CHECK(cap & (1ULL << 22));               /* ZLR */
    CHECK_EQ(((cap >> 24) & 0x3ff) * 16, 0x220);
    CHECK_EQ((cap >> 34) & 0xf, 3);          /* SLLPS: 2M and 1G */
    CHECK(cap & (1ULL << 39));               /* PSI */
    CHECK_EQ((cap >> 40) & 0xff, 7);         /* NFR: 8 */
    CHECK_EQ((cap >> 48) & 0x3f, 18);        /* MAMV */
    CHECK_EQ((cap >> 54) & 3, 3);            /* DWD, DRD */
    CHECK_EQ(cap >> 56, 0);                  /* no first level, no ESRTPS */

    /* C, QI, PT, SC; no DT, IR, EIM. */
    CHECK_EQ(ecap & 0xff, 0x01 | 0x02 | 0x40 | 0x80);
    CHECK_EQ(((ecap >> 8) & 0x3ff) * 16, 0xf0);
    CHECK_EQ(ecap >> 18, 0);
}

static void capabilities_do_not_exceed_the_machine(void)
{
    vm_stop();
    hw.caps.levels = 3;
    hw.caps.snoop = false;
    hw.caps.zlr = false;
    CHECK_EQ(vm_create(0), 0);
    CHECK_EQ((rd64(VTD_CAP) >> 8) & 0x1f, 2);
    CHECK_EQ((rd64(VTD_CAP) >> 16) & 0x3f, 38);
    CHECK(!(rd64(VTD_CAP) & (1ULL << 22)));
    CHECK(!(rd64(VTD_ECAP) & VTD_ECAP_SC));

    /* Tables of 4 levels, but no addresses for them: as client processors. */
    vm_stop();
    hw.caps.levels = 4;
    hw.caps.width = 39;
    CHECK_EQ(vm_create(0), 0);
    CHECK_EQ((rd64(VTD_CAP) >> 8) & 0x1f, 6);
    CHECK_EQ((rd64(VTD_CAP) >> 16) & 0x3f, 38);

    vm_stop();
    hw.caps.width = 0;
    hw.caps.levels = 5;
    CHECK_EQ(vm_create(0), 0);
    CHECK_EQ((rd64(VTD_CAP) >> 8) & 0x1f, 6);
    CHECK_EQ((rd64(VTD_CAP) >> 16) & 0x3f, 47);
    hw.caps.levels = 4;

    vm_stop();
    hw.caps.levels = 2;
    CHECK_EQ(vm_create(0), -EOPNOTSUPP);
}

static void halves_come_in_either_order(void)
{
    wr64(VTD_RTADDR, 0x123456789a000ULL);
    CHECK_EQ(rd32(VTD_RTADDR), 0x6789a000U);
    CHECK_EQ(rd32(VTD_RTADDR + 4), 0x12345U);

    wr32(VTD_RTADDR + 4, 0xabcd);
    wr32(VTD_RTADDR, 0x11112000);
    CHECK_EQ(rd64(VTD_RTADDR), 0xabcd11112000ULL);
    wr32(VTD_RTADDR, 0x33334000);
    wr32(VTD_RTADDR + 4, 0xef01);
    CHECK_EQ(rd64(VTD_RTADDR), 0xef0133334000ULL);

    wr32(VTD_IQA + 4, 7);
    wr32(VTD_IQA, 0x5000 | 3);
    CHECK_EQ(rd64(VTD_IQA), 0x700005003ULL);
}

static void eight_bytes_cover_two_registers(void)
{
    /* FECTL and FEDATA; QEMU aborts here. */
    wr64(VTD_FECTL, 0x1234ULL << 32);
    CHECK_EQ(rd32(VTD_FECTL), 0);
    CHECK_EQ(rd32(VTD_FEDATA), 0x1234);
    CHECK_EQ(rd64(VTD_FECTL), 0x1234ULL << 32);
    wr64(VTD_FEADDR, 0x1fee00000ULL);
    CHECK_EQ(rd32(VTD_FEUADDR), 1);
    wr64(VTD_IECTL, 0x4321ULL << 32 | VTD_EVENT_IM);
    CHECK_EQ(rd64(VTD_IECTL), 0x4321ULL << 32 | VTD_EVENT_IM);
    CHECK_EQ(rd64(VTD_VER), 0x10);
    CHECK_EQ(rd64(VTD_GCMD), 0);
}

static void other_accesses_are_harmless(void)
{
    static const unsigned int sizes[] = { 1, 2, 4, 8 };
    struct viommu before;
    unsigned int i, offset;

    wr64(VTD_RTADDR, 0x123456789a000ULL);
    wr32(VTD_FEADDR, 0xfee01004U);
    memcpy(&before, &vi, sizeof(before));
    for ( i = 0; i < ARRAY_SIZE(sizes); i++ )
        for ( offset = 0; offset < 4096; offset++ )
        {
            if ( sizes[i] >= 4 && offset % sizes[i] == 0 )
                continue;
            CHECK_EQ(viommu_mmio_read(&vi, offset, sizes[i]), 0);
            viommu_mmio_write(&vi, offset, sizes[i], ~0ULL);
            CHECK(!memcmp(before.regs, vi.regs, sizeof(before.regs)));
            CHECK(!vi.gcmd_pending && !guest.deferred);
        }
}

static void unknown_registers_read_0(void)
{
    static const uint16_t known[] = {
        VTD_VER, VTD_CAP, VTD_CAP + 4, VTD_ECAP, VTD_ECAP + 4, VTD_GCMD,
        VTD_GSTS, VTD_RTADDR, VTD_RTADDR + 4, VTD_CCMD, VTD_CCMD + 4, VTD_FSTS,
        VTD_FECTL, VTD_FEDATA, VTD_FEADDR, VTD_FEUADDR, VTD_IQH, VTD_IQH + 4,
        VTD_IQT, VTD_IQT + 4, VTD_IQA, VTD_IQA + 4, VTD_ICS, VTD_IECTL,
        VTD_IEDATA, VTD_IEADDR, VTD_IEUADDR, VTD_IVA, VTD_IVA + 4, VTD_IOTLB,
        VTD_IOTLB + 4,
    };
    unsigned int offset, i;

    for ( offset = 0; offset < 4096; offset += 4 )
    {
        for ( i = 0; i < ARRAY_SIZE(known) && known[i] != offset; i++ )
            ;
        if ( i < ARRAY_SIZE(known) )
            continue;
        wr32(offset, ~0U);
        CHECK_EQ(rd32(offset), 0);
        if ( offset % 8 == 0 && offset >= 0x100 )
        {
            wr64(offset, ~0ULL);
            CHECK_EQ(rd64(offset), 0);
        }
    }
}

static void read_only_registers_stay(void)
{
    static const uint16_t ro[] = { VTD_VER, VTD_GSTS, VTD_CAP, VTD_CAP + 4,
                                   VTD_ECAP, VTD_ECAP + 4, VTD_IQH,
                                   VTD_IQH + 4 };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(ro); i++ )
    {
        uint32_t before = rd32(ro[i]);

        wr32(ro[i], ~before);
        CHECK_EQ(rd32(ro[i]), before);
    }
}

static void only_defined_bits_can_be_written(void)
{
    wr64(VTD_RTADDR, ~0ULL);
    CHECK_EQ(rd64(VTD_RTADDR), 0xfffffffffffff000ULL);
    wr64(VTD_IQT, ~0ULL);
    CHECK_EQ(rd64(VTD_IQT), 0x7fff0);
    wr64(VTD_IQA, ~0ULL);
    CHECK_EQ(rd64(VTD_IQA), 0xfffffffffffff007ULL);
    wr32(VTD_FECTL, ~0U);
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM);
    wr32(VTD_FEADDR, ~0U);
    CHECK_EQ(rd32(VTD_FEADDR), 0xfffffffcU);
    wr32(VTD_FEDATA, ~0U);
    CHECK_EQ(rd32(VTD_FEDATA), 0xffffU);
    wr32(VTD_FEUADDR, ~0U);
    CHECK_EQ(rd32(VTD_FEUADDR), ~0U);
    wr64(VTD_IVA, ~0ULL);
    CHECK_EQ(rd64(VTD_IVA), 0xfffffffffffff07fULL);
}

static void global_command_reads_0(void)
{
    wr32(VTD_GCMD, VTD_GCMD_TE);
    CHECK_EQ(rd32(VTD_GCMD), 0);
    expect_gsts(VTD_GCMD_TE);
}

static void writing_1_clears_only_that(void)
{
    vm_queue_on();
    wr32(VTD_IECTL, VTD_EVENT_IM);
    q_submit(WAIT_INTERRUPT);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);
    wr32(VTD_ICS, 0);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);
    wr32(VTD_ICS, ~VTD_ICS_IWC);
    CHECK_EQ(rd32(VTD_ICS), VTD_ICS_IWC);
    wr32(VTD_ICS, VTD_ICS_IWC);
    CHECK_EQ(rd32(VTD_ICS), 0);

    q_put(0, 0);
    q_kick();
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    wr32(VTD_FSTS, 0);
    wr32(VTD_FSTS, ~VTD_FSTS_IQE);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_IQE);
    wr32(VTD_IQT, rd64(VTD_IQH));
    wr32(VTD_FSTS, VTD_FSTS_IQE);
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void toggles_follow_the_command(void)
{
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    expect_gsts(VTD_GCMD_QIE);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_QIE | VTD_GCMD_TE);
    wr32(VTD_GCMD, VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_TE);
    wr32(VTD_GCMD, 0);
    expect_gsts(0);
    /* Bits of what the unit does not have stay 0. */
    wr32(VTD_GCMD, 0x3bffffffU);
    expect_gsts(0);
}

static void root_pointer_stays_set(void)
{
    wr32(VTD_GCMD, VTD_GCMD_SRTP);
    expect_gsts(VTD_GCMD_SRTP);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    expect_gsts(VTD_GCMD_QIE | VTD_GCMD_SRTP);
}

static void one_shot_bits_work_again(void)
{
    unsigned long t1, t2;

    vm_translate(1);
    t1 = vm_table();
    t2 = vm_table();
    vm_map(t1, 4, PAGE(3), G_DATA, 1, RW);
    vm_map(t2, 4, PAGE(3), G_DATA + 1, 1, RW);
    vm_set_context(0, t1, 4, 1);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    expect(0, PAGE(3), G_DATA, RW);
    vm_set_context(0, t2, 4, 1);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
    expect(0, PAGE(3), G_DATA + 1, RW);
}

/* seL4 and others write GSTS | bit, and so SRTP again with each command. */
static void status_may_be_written_back(void)
{
    CHECK_EQ(vm_bind(0), 0);
    *vm_root(0) = PAGE(G_CONTEXT) | VTD_ROOT_P;
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, rd32(VTD_GSTS) | VTD_GCMD_SRTP);
    wr64(VTD_IQA, PAGE(G_QUEUE));
    wr32(VTD_GCMD, rd32(VTD_GSTS) | VTD_GCMD_QIE);
    wr32(VTD_GCMD, rd32(VTD_GSTS) | VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_SRTP | VTD_GCMD_QIE | VTD_GCMD_TE);
    q_wait();
    wr32(VTD_GCMD, rd32(VTD_GSTS) & ~VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_SRTP | VTD_GCMD_QIE);
}

static void status_changes_only_when_it_is_done(void)
{
    CHECK_EQ(vm_bind(0), 0);
    vm_lazy = true;
    wr32(VTD_GCMD, VTD_GCMD_TE);
    /* The device has to be moved, which an MMIO handler cannot do. */
    CHECK(guest.deferred);
    expect_gsts(0);
    vm_settle();
    expect_gsts(VTD_GCMD_TE);
    expect_none(0, PAGE(G_DATA));
    wr32(VTD_GCMD, 0);
    expect_gsts(VTD_GCMD_TE);
    vm_settle();
    expect_gsts(0);
    expect(0, PAGE(G_DATA), G_DATA, RW);
}

static void root_table_counts_when_latched(void)
{
    unsigned long t = vm_table();

    vm_map(t, 3, PAGE(9), G_DATA, 1, R);
    vm_set_context(0, t, 3, 5);
    vm_translate(1);
    expect(0, PAGE(9), G_DATA, R);

    /* Written, but not set: the old one holds, whatever is invalidated. */
    wr64(VTD_RTADDR, PAGE(G_DATA));
    q_submit(CTX_GLOBAL);
    expect(0, PAGE(9), G_DATA, R);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    expect_none(0, PAGE(9));
}

/* It was given twice, and is done once. */
static void a_root_table_is_not_set_before_the_last_command(void)
{
    unsigned int n;

    vm_set_context(0, vm_table(), 4, 1);
    vm_translate(1);
    wr32(VTD_GCMD, 0);
    expect_gsts(VTD_GCMD_SRTP);

    vm_lazy = true;
    wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_SRTP);
    CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_SRTP));
    wr64(VTD_RTADDR, PAGE(G_RAM + 5));
    wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_SRTP);
    for ( n = 0; !(rd32(VTD_GSTS) & VTD_GCMD_SRTP); n++ )
    {
        CHECK(n < 3);
        if ( n )
            CHECK_EQ(rd32(VTD_GSTS), VTD_GCMD_TE);
        (void)!viommu_work(&vi);
    }
    CHECK(n > 1);
    expect_none(0, 0);
    CHECK(COUNT(rej_root));
}

static void without_a_root_table_nothing_is_reached(void)
{
    CHECK_EQ(vm_bind(0), 0);
    expect(0, PAGE(G_DATA), G_DATA, RW);
    wr32(VTD_GCMD, VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_TE);
    expect_none(0, PAGE(G_DATA));

    /* One that is not RAM. */
    wr64(VTD_RTADDR, PAGE(G_RAM + 5));
    wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_SRTP);
    expect_none(0, PAGE(G_DATA));
    CHECK(COUNT(rej_root));
    wr64(VTD_RTADDR, ~0ULL);
    wr32(VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_SRTP);
    expect_none(0, PAGE(G_DATA));
    wr32(VTD_GCMD, 0);
    expect(0, PAGE(G_DATA), G_DATA, RW);
}

static void exits_are_counted(void)
{
    rd32(VTD_VER);
    rd64(VTD_CAP);
    wr32(VTD_IVA, 0);
    CHECK_EQ(COUNT(reg_reads), 2);
    CHECK_EQ(COUNT(reg_writes), 1);
}

/* Another CPU is at work: the access only leaves a note. */
static void busy_unit_defers(void)
{
    vm_lazy = true;
    harness.trylocks = 1;
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    CHECK(guest.deferred);
    expect_gsts(0);
    vm_settle();
    expect_gsts(VTD_GCMD_QIE);
}

TESTS(regs_tests) = {
    TEST(reset_values),
    TEST(capabilities_say_what_the_unit_does),
    TEST(capabilities_do_not_exceed_the_machine),
    TEST(halves_come_in_either_order),
    TEST(eight_bytes_cover_two_registers),
    TEST(other_accesses_are_harmless),
    TEST(unknown_registers_read_0),
    TEST(read_only_registers_stay),
    TEST_TRAPPED(only_defined_bits_can_be_written),
    TEST_TRAPPED(global_command_reads_0),
    TEST(writing_1_clears_only_that),
    TEST(toggles_follow_the_command),
    TEST(root_pointer_stays_set),
    TEST(one_shot_bits_work_again),
    TEST(status_may_be_written_back),
    TEST(status_changes_only_when_it_is_done),
    TEST(root_table_counts_when_latched),
    TEST_TRAPPED(a_root_table_is_not_set_before_the_last_command),
    TEST(without_a_root_table_nothing_is_reached),
    TEST(exits_are_counted),
    TEST(busy_unit_defers),
    TESTS_END
};
