/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-fault.c: faults of devices as the guest sees them (VT-d 7.1 to 7.3).
 */
#include "vm.h"

static unsigned long table;

#define FRCD(n) (VTD_FRCD + (n) * VTD_FRCD_SIZE)

static void fault(unsigned int dev, uint64_t addr, bool read)
{
    hw_pcidevs_lock();
    viommu_fault(&vi, (pci_sbdf_t){ .sbdf = vm_sbdf(dev) }, addr, read);
    hw_pcidevs_unlock();
}

static void start(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
    wr32(VTD_FEDATA, 0x4021);
    wr32(VTD_FEADDR, 0xfee00000U);
    wr32(VTD_FECTL, 0);
    guest.time_us = 1000000;
}

/* As Linux: F at +12, the rest, F cleared, and so on; then the status. */
static unsigned int read_faults(void)
{
    unsigned int i = (rd32(VTD_FSTS) & VTD_FSTS_FRI) >> 8, n = 0;

    while ( rd32(FRCD(i) + 12) & (VTD_FRCD_HI_F >> 32) )
    {
        CHECK_EQ(rd32(FRCD(i) + 8) & 0xffff, vm_devfn(0));
        wr32(FRCD(i) + 12, VTD_FRCD_HI_F >> 32);
        i = (i + 1) % 8;
        n++;
    }
    wr32(VTD_FSTS, VTD_FSTS_PFO | VTD_FSTS_PPF);

    return n;
}

static void a_fault_is_recorded_and_reported(void)
{
    start();
    fault(0, 0x123456789abcULL, true);
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(guest.msi_data, 0x4021);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF);
    CHECK_EQ(rd64(FRCD(0)), 0x123456789000ULL);
    CHECK_EQ(rd64(FRCD(0) + 8), VTD_FRCD_HI_F | VTD_FRCD_HI_T1 |
                                6ULL << 32 | vm_devfn(0));
    /* The record stays as it is but for F, which is cleared by writing 1. */
    wr64(FRCD(0), 0);
    wr64(FRCD(0) + 8, 0);
    CHECK(rd64(FRCD(0) + 8) & VTD_FRCD_HI_F);
    wr32(FRCD(0) + 12, VTD_FRCD_HI_F >> 32);
    CHECK(!(rd64(FRCD(0) + 8) & VTD_FRCD_HI_F));
    CHECK_EQ(rd32(VTD_FSTS), 0);

    fault(0, 0, false);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF | 1 << 8);
    CHECK_EQ(rd64(FRCD(1) + 8), VTD_FRCD_HI_F | 5ULL << 32 | vm_devfn(0));
    CHECK_EQ(guest.msis, 2);
    CHECK_EQ(COUNT(faults_forwarded), 2);
}

static void check_reason(uint64_t addr, bool read, unsigned int reason)
{
    static unsigned int next;

    if ( !COUNT(faults_forwarded) )
        next = 0;
    guest.time_us += 1000000;
    fault(0, addr, read);
    CHECK_EQ(MASK_EXTR(rd64(FRCD(next) + 8), VTD_FRCD_HI_FR), reason);
    CHECK_EQ(read_faults(), 1);
    next = (next + 1) % 8;
}

static void reasons_are_those_of_the_guest_s_tables(void)
{
    uint64_t *e;

    start();
    vm_map(table, 4, PAGE(1), G_DATA, 1, R);
    vm_map(table, 4, PAGE(2), G_DATA, 1, W);
    e = vm_entry(table, 4, PAGE(3), 1);
    check_reason(PAGE(1), false, VTD_FR_WRITE);
    check_reason(PAGE(2), true, VTD_FR_READ);
    check_reason(PAGE(3), false, VTD_FR_WRITE);
    check_reason(PAGE(3), true, VTD_FR_READ);
    check_reason(1ULL << 48, true, VTD_FR_BEYOND_WIDTH);
    *e = PAGE(G_DATA) | RW | VTD_PTE_TM;
    check_reason(PAGE(3), true, VTD_FR_TABLE_RSVD);
    *vm_entry(table, 4, 1ULL << 39, 4) = PAGE(G_RAM + 1) | RW;
    check_reason(1ULL << 39, true, VTD_FR_TABLE_ADDR);
    /* What the unit takes addresses for, not what the table has levels for. */
    vm_stop();
    hw.caps.width = 39;
    CHECK_EQ(vm_create(0), 0);
    start();
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    vm_map(table, 4, 1ULL << 39, G_DATA, 1, RW);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, PAGE(1), G_DATA, RW);
    check_reason(1ULL << 39, true, VTD_FR_BEYOND_WIDTH);
    vm_stop();
    hw.caps.width = 0;
    CHECK_EQ(vm_create(0), 0);
    start();

    vm_context(0)[1] |= 1ULL << 63;
    check_reason(0, true, VTD_FR_CONTEXT_RSVD);
    vm_set_context(0, table, 4, 1);
    vm_context(0)[0] |= 3 << 2;
    check_reason(0, true, VTD_FR_CONTEXT_INVALID);
    vm_set_context(0, table, 5, 1);
    check_reason(0, true, VTD_FR_CONTEXT_INVALID);
    vm_clear_context(0);
    check_reason(0, true, VTD_FR_CONTEXT_NOT_PRESENT);
    *vm_root(0) = PAGE(G_RAM + 1) | VTD_ROOT_P;
    check_reason(0, true, VTD_FR_CONTEXT_ADDR);
    *vm_root(0) |= 2;
    check_reason(0, true, VTD_FR_ROOT_RSVD);
    *vm_root(0) = 0;
    check_reason(0, true, VTD_FR_ROOT_NOT_PRESENT);
    guest_set(G_ROOT, 1, GFN_MISSING);
    check_reason(0, true, VTD_FR_ROOT_ADDR);
}

static void check_dropped(unsigned int dev)
{
    unsigned int before = COUNT(faults_dropped);

    fault(dev, 0, true);
    CHECK_EQ(rd32(VTD_FSTS), 0);
    CHECK_EQ(guest.msis, 0);
    CHECK_EQ(COUNT(faults_dropped), before + 1);
}

static void what_the_guest_did_not_ask_for_is_not_reported(void)
{
    start();
    check_dropped(1);                        /* not bound */
    vm_context(0)[0] |= VTD_CTX_FPD;
    check_dropped(0);
    vm_context(0)[0] &= ~VTD_CTX_P;
    check_dropped(0);
    vm_context(0)[0] = VTD_CTX_P | VTD_TT_PASS_THROUGH << 2;
    check_dropped(0);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    check_dropped(0);
}

static void records_overflow(void)
{
    unsigned int i;

    start();
    for ( i = 0; i < 8; i++ )
        fault(0, PAGE(i), true);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF);
    fault(0, PAGE(8), true);
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF | VTD_FSTS_PFO);
    CHECK_EQ(COUNT(faults_dropped), 1);
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(rd64(FRCD(0)), 0);

    /* One is free, but nothing is recorded while the overflow stands. */
    wr32(FRCD(0) + 12, VTD_FRCD_HI_F >> 32);
    CHECK(rd32(VTD_FSTS) & VTD_FSTS_PPF);
    fault(0, PAGE(9), true);
    CHECK(!(rd64(FRCD(0) + 8) & VTD_FRCD_HI_F));
    wr32(VTD_FSTS, VTD_FSTS_PFO);
    fault(0, PAGE(10), true);
    CHECK_EQ(rd64(FRCD(0)), PAGE(10));
    /* FRI is still that of the first one since there was none. */
    CHECK_EQ(rd32(VTD_FSTS), VTD_FSTS_PPF);
    CHECK_EQ(read_faults(), 8);
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void a_storm_is_cut(void)
{
    unsigned int i, n = 0;

    start();
    for ( i = 0; i < 1000; i++ )
    {
        fault(0, PAGE(i), true);
        n += read_faults();
    }
    CHECK_EQ(n, VIOMMU_FAULTS_PER_WINDOW);
    CHECK_EQ(COUNT(faults_dropped), 1000 - n);
    guest.time_us += VIOMMU_FAULT_WINDOW_US;
    fault(0, 0, true);
    CHECK_EQ(read_faults(), 1);
}

static void a_masked_fault_event_is_pending(void)
{
    start();
    wr32(VTD_FECTL, VTD_EVENT_IM);
    fault(0, 0, true);
    CHECK_EQ(guest.msis, 0);
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM | VTD_EVENT_IP);
    wr32(VTD_FECTL, 0);
    CHECK_EQ(guest.msis, 1);

    CHECK_EQ(read_faults(), 1);
    wr32(VTD_FECTL, VTD_EVENT_IM);
    fault(0, 0, true);
    CHECK_EQ(read_faults(), 1);
    wr32(VTD_FECTL, 0);
    CHECK_EQ(guest.msis, 1);
}

TESTS(fault_tests) = {
    TEST(a_fault_is_recorded_and_reported),
    TEST(reasons_are_those_of_the_guest_s_tables),
    TEST(what_the_guest_did_not_ask_for_is_not_reported),
    TEST(records_overflow),
    TEST(a_storm_is_cut),
    TEST(a_masked_fault_event_is_pending),
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
