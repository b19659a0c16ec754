/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-commands.c: register-based invalidation, CCMD and IOTLB (VT-d 6.5.1).
 */
#include "vm.h"

#define ICC   VTD_CCMD_ICC
#define IVT   VTD_IOTLB_IVT
#define CIRG(g) MASK_INSR((uint64_t)(g), VTD_CCMD_CIRG)
#define IIRG(g) MASK_INSR((uint64_t)(g), VTD_IOTLB_IIRG)
#define CAIG()  MASK_EXTR(rd64(VTD_CCMD), VTD_CCMD_CAIG)
#define IAIG()  MASK_EXTR(rd64(VTD_IOTLB), VTD_IOTLB_IAIG)

/* Translation on without a queue, as FreeBSD under caching mode and seL4. */
static unsigned long start_without_queue(void)
{
    unsigned long t = vm_table();

    CHECK_EQ(vm_bind(0), 0);
    *vm_root(0) = PAGE(G_CONTEXT) | VTD_ROOT_P;
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, VTD_GCMD_SRTP);
    wr32(VTD_GCMD, VTD_GCMD_TE);
    vm_set_context(0, t, 4, 7);

    return t;
}

static void check_all(void)
{
    unsigned long t = start_without_queue();
    unsigned int granu;

    for ( granu = 1; granu <= 3; granu++ )
    {
        /* The context: nothing is seen before the command. */
        vm_map(t, 4, PAGE(2), G_DATA, 1, RW);
        vm_set_context(0, t, 4, 7);
        expect_none(0, PAGE(2));
        wr64(VTD_CCMD, ICC | CIRG(granu) | 7 | (uint64_t)vm_devfn(0) << 16);
        CHECK(!(rd64(VTD_CCMD) & ICC));
        CHECK_EQ(CAIG(), granu);
        expect(0, PAGE(2), G_DATA, RW);

        /* The IOTLB. */
        vm_map(t, 4, PAGE(2), G_DATA + 1, 1, R);
        expect(0, PAGE(2), G_DATA, RW);
        wr64(VTD_IVA, PAGE(2));
        wr64(VTD_IOTLB, IVT | IIRG(granu) | 7ULL << 32);
        CHECK(!(rd64(VTD_IOTLB) & IVT));
        CHECK_EQ(IAIG(), granu);
        expect(0, PAGE(2), G_DATA + 1, R);

        vm_clear_context(0);
        wr64(VTD_CCMD, ICC | CIRG(granu) | 7 | (uint64_t)vm_devfn(0) << 16);
        expect_none(0, PAGE(2));
    }
    CHECK_EQ(COUNT(reg_commands), 9);
}

static void registers_invalidate_and_say_what_was_done(void)
{
    check_all();
}

static void registers_work_with_the_queue_on(void)
{
    unsigned long t;

    vm_translate(1);
    t = vm_table();
    vm_map(t, 4, PAGE(2), G_DATA, 1, RW);
    vm_set_context(0, t, 4, 7);
    wr64(VTD_CCMD, ICC | CIRG(1));
    CHECK(!(rd64(VTD_CCMD) & ICC));
    CHECK_EQ(CAIG(), 1);
    expect(0, PAGE(2), G_DATA, RW);
    vm_map(t, 4, PAGE(2), 0, 1, 0);
    wr64(VTD_IOTLB, IVT | IIRG(1));
    CHECK_EQ(IAIG(), 1);
    CHECK(!(rd64(VTD_IOTLB) & IVT));
    expect_none(0, PAGE(2));
    q_wait();
}

/* seL4 writes the low half, then the high one with IVT, and polls that. */
static void commands_start_with_the_upper_half(void)
{
    unsigned long t = start_without_queue();

    vm_map(t, 4, PAGE(2), G_DATA, 1, RW);
    wr32(VTD_CCMD, 0);
    expect_none(0, PAGE(2));
    wr32(VTD_CCMD + 4, (ICC | CIRG(1)) >> 32);
    CHECK(!(rd32(VTD_CCMD + 4) & (ICC >> 32)));
    expect(0, PAGE(2), G_DATA, RW);

    vm_map(t, 4, PAGE(2), 0, 1, 0);
    wr32(VTD_IOTLB, 0);
    expect(0, PAGE(2), G_DATA, RW);
    wr32(VTD_IOTLB + 4, (IVT | IIRG(1)) >> 32);
    CHECK(!(rd32(VTD_IOTLB + 4) & (IVT >> 32)));
    expect_none(0, PAGE(2));
}

static void address_in_halves_is_used(void)
{
    unsigned long t = start_without_queue();
    uint64_t addr = 0x7f1234567000ULL;

    vm_map(t, 4, addr, G_DATA, 1, RW);
    wr64(VTD_CCMD, ICC | CIRG(1));
    expect(0, addr, G_DATA, RW);
    vm_map(t, 4, addr, 0, 1, 0);
    wr32(VTD_IVA + 4, addr >> 32);
    wr32(VTD_IVA, (uint32_t)addr | VTD_IVA_IH);
    wr64(VTD_IOTLB, IVT | IIRG(3) | 7ULL << 32 | VTD_IOTLB_DR | VTD_IOTLB_DW);
    CHECK_EQ(IAIG(), 3);
    expect_none(0, addr);
}

static void too_large_mask_is_refused(void)
{
    unsigned long t = start_without_queue();
    unsigned int am;

    vm_map(t, 4, 0, G_DATA, 1, RW);
    wr64(VTD_CCMD, ICC | CIRG(1));
    for ( am = 0; am < 64; am++ )
    {
        wr64(VTD_IVA, am);
        wr64(VTD_IOTLB, IVT | IIRG(3) | 7ULL << 32);
        CHECK(!(rd64(VTD_IOTLB) & IVT));
        CHECK_EQ(IAIG(), am <= 18 ? 3 : 0);
    }
    CHECK_EQ(COUNT(rej_command), 45);
    expect(0, 0, G_DATA, RW);
}

static void granularity_0_is_refused(void)
{
    start_without_queue();
    wr64(VTD_CCMD, ICC);
    CHECK(!(rd64(VTD_CCMD) & ICC));
    CHECK_EQ(CAIG(), 0);
    wr64(VTD_IOTLB, IVT);
    CHECK(!(rd64(VTD_IOTLB) & IVT));
    CHECK_EQ(IAIG(), 0);
    CHECK_EQ(COUNT(rej_command), 2);
}

static void nothing_happens_without_the_command_bit(void)
{
    unsigned long t = start_without_queue();

    vm_map(t, 4, PAGE(2), G_DATA, 1, RW);
    wr64(VTD_CCMD, CIRG(1) | 0x1234);
    CHECK_EQ(rd64(VTD_CCMD), CIRG(1) | 0x1234);
    wr64(VTD_IOTLB, IIRG(1) | 7ULL << 32);
    CHECK_EQ(rd64(VTD_IOTLB), IIRG(1) | 7ULL << 32);
    expect_none(0, PAGE(2));
    CHECK_EQ(COUNT(reg_commands), 0);
}

static void command_bit_stays_until_done(void)
{
    unsigned long t = start_without_queue();
    unsigned int i;

    for ( i = 0; i < 3000; i++ )
        vm_map(t, 4, PAGE(i), G_DATA, 1, RW);
    vm_lazy = true;
    wr64(VTD_CCMD, ICC | CIRG(1));
    CHECK(guest.deferred);
    CHECK(rd64(VTD_CCMD) & ICC);
    expect_none(0, 0);
    vm_settle();
    CHECK(!(rd64(VTD_CCMD) & ICC));

    for ( i = 0; i < 3000; i++ )
        vm_map(t, 4, PAGE(i), 0, 1, 0);
    wr64(VTD_IOTLB, IVT | IIRG(1));
    CHECK(rd64(VTD_IOTLB) & IVT);
    vm_settle();
    CHECK(!(rd64(VTD_IOTLB) & IVT));
    expect_none(0, 0);
    expect_none(0, PAGE(2999));
}

TESTS(command_tests) = {
    TEST(registers_invalidate_and_say_what_was_done),
    TEST(registers_work_with_the_queue_on),
    TEST(commands_start_with_the_upper_half),
    TEST(address_in_halves_is_used),
    TEST(too_large_mask_is_refused),
    TEST(granularity_0_is_refused),
    TEST(nothing_happens_without_the_command_bit),
    TEST(command_bit_stays_until_done),
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
