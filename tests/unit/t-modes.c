/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-modes.c: the same accesses of a guest mean the same in both modes.
 */
#include "vm.h"

#define NR_STEPS  3000
#define NR_LOOKS  (NR_STEPS / 20)

/* What hardware could reach at a time, as a number. */
struct look {
    uint64_t digest;
    unsigned int leaves;
};

static uint64_t drawn;

/* The same numbers in each recording. */
static unsigned int draw(unsigned int below)
{
    drawn = drawn * 6364136223846793005ULL + 1442695040888963407ULL;

    return (drawn >> 33) % below;
}

static void add_leaf(void *arg, uint64_t addr, unsigned long mfn, bool read,
                     bool write)
{
    struct look *look = arg;

    look->digest = (look->digest ^ addr ^ mfn << 2 ^ read ^ write << 1) *
                   0x100000001b3ULL;
    look->leaves++;
}

static void step(unsigned long table)
{
    uint64_t addr = PAGE(draw(2048)), *entry;
    unsigned int am = draw(10), i;

    switch ( draw(8) )
    {
    case 0:
        entry = vm_entry(table, 4, addr, 2);
        if ( !*entry || (*entry & VTD_PTE_SP) )
            *entry = draw(2) ? PAGE(0x200) | VTD_PTE_SP | RW : 0;
        q_submit(IOTLB_PAGE(1, addr & ~(VTD_LEVEL_SIZE(2) - 1), 9));
        break;

    case 1:
        q_submit(IOTLB_DOMAIN(1));
        break;

    case 2:
        if ( draw(4) )
            vm_set_context(1, table, 4, 1);
        else
            vm_clear_context(1);
        q_submit(CTX_DEVICE(1, vm_devfn(1), 0));
        break;

    default:
        addr &= -PAGE(1U << am);
        entry = vm_entry(table, 4, addr, 2);
        if ( *entry & VTD_PTE_SP )
            *entry = 0;
        for ( i = 0; i < 1U << am; i++ )
            vm_map(table, 4, addr + PAGE(i), G_DATA + draw(128), 1,
                   draw(3) ? RW : draw(2) ? R : 0);
        if ( draw(2) )
        {
            q_submit(IOTLB_PAGE(1, addr, am));
            break;
        }
        wr64(VTD_IVA, addr | am);
        wr64(VTD_IOTLB, VTD_IOTLB_IVT | MASK_INSR(3ULL, VTD_IOTLB_IIRG) |
                        MASK_INSR(1ULL, VTD_IOTLB_DID));
        break;
    }
}

/* Runs the guest, and notes what its device reaches now and then. */
static void record(bool by_sidecore, struct look *looks)
{
    unsigned long table;
    unsigned int i;

    vm_stop();
    vm_start();
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    if ( by_sidecore )
        vm_use_sidecore();
    vm_translate(2);
    CHECK_EQ(vm_no_exit(&vi), by_sidecore);

    drawn = 1;
    for ( i = 0; i < NR_STEPS; i++ )
    {
        struct look look = {};
        struct viommu_shadow *s;

        step(table);
        if ( i % 20 )
            continue;
        CHECK_EQ(hw_attached_to(vm_sbdf(0), &s), ON_SHADOW);
        hw_scan(s, add_leaf, &look);
        looks[i / 20] = look;
    }
    CHECK_EQ(vm_no_exit(&vi), by_sidecore);
}

static void both_modes_leave_the_same_shadow(void)
{
    static struct look trap[NR_LOOKS], sidecore[NR_LOOKS];
    unsigned int i, most = 0;

    record(false, trap);
    record(true, sidecore);
    for ( i = 0; i < NR_LOOKS; i++ )
    {
        if ( trap[i].digest != sidecore[i].digest )
            FAIL("step %u: %u leaves by trap, %u by a sidecore, or others",
                 i * 20, trap[i].leaves, sidecore[i].leaves);
        most = max(most, trap[i].leaves);
    }
    CHECK(most > 1000);
}

TESTS(modes_tests) = {
    TEST_TRAPPED(both_modes_leave_the_same_shadow),
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
