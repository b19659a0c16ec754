/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * story.c: Linux 6.12 finds the unit, turns it on, and does DMA.
 *
 * The order and widths of accesses are those seen of the driver, without
 * interrupt remapping, which this unit does not have.
 */
#include <stdio.h>

#include "vm.h"

static unsigned int step;

#define STEP(...)                    \
    do {                             \
        printf("      %2u. ", ++step); \
        printf(__VA_ARGS__);         \
        printf("\n");                \
    } while ( 0 )

static uint32_t next_status = 2;

/* qi_submit_sync(): a descriptor and a wait, then spinning on the status. */
static void submit_sync(uint64_t lo, uint64_t hi)
{
    uint32_t *status = vm_status() + q_tail;

    *status = next_status - 1;
    q_put(lo, hi);
    q_put(WAIT_STATUS(next_status, PAGE(G_STATUS) +
                      ((uint8_t *)status - (uint8_t *)vm_status())));
    wr32(VTD_IQT, q_tail * 16);
    CHECK_EQ(*status, next_status);
    next_status++;
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void linux_starts(void)
{
    unsigned long domain, blocked;
    uint64_t cap, ecap;
    uint32_t gcmd = 0;
    unsigned int i;

    step = 0;
    CHECK_EQ(vm_bind(0), 0);
    CHECK_EQ(vm_bind(1), 0);
    STEP("two devices are bound; their DMA is identity");
    expect(0, PAGE(G_DATA), G_DATA, RW);

    for ( i = 0; i < 2; i++ )
    {
        cap = rd64(VTD_CAP);
        ecap = rd64(VTD_ECAP);
        CHECK(~cap && ~ecap);
    }
    CHECK(cap & VTD_CAP_CM);
    CHECK(ecap & VTD_ECAP_QI);
    STEP("dmar0: reg_base_addr fed90000 ver 1:0 cap %llx ecap %llx",
         (unsigned long long)cap, (unsigned long long)ecap);

    CHECK_EQ(rd32(VTD_VER), 0x10);
    expect_gsts(0);
    STEP("nothing is on, so no kdump kernel");

    CHECK_EQ(rd32(VTD_FSTS), 0);
    expect_gsts(0);
    wr32(VTD_IQT, 0);
    wr64(VTD_IQA, PAGE(G_QUEUE));
    wr32(VTD_GCMD, gcmd |= VTD_GCMD_QIE);
    expect_gsts(VTD_GCMD_QIE);
    STEP("queued invalidation on");

    for ( i = 0; i < 2; i++ )
    {
        wr32(VTD_FEDATA, 0x4021);
        wr32(VTD_FEADDR, 0xfee00000U);
        wr32(VTD_FEUADDR, 0);
    }
    wr32(VTD_FECTL, 0);
    CHECK_EQ(rd32(VTD_FECTL), 0);
    CHECK_EQ(rd32(VTD_FSTS), 0);
    wr32(VTD_FSTS, 0);
    CHECK_EQ(guest.msis, 0);
    STEP("fault event at vector 0x21, unmasked; no fault so far");

    *vm_root(0) = PAGE(G_CONTEXT) | VTD_ROOT_P;
    expect_gsts(VTD_GCMD_QIE);
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, gcmd | VTD_GCMD_SRTP);
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SRTP);
    STEP("root table set");

    submit_sync(CTX_GLOBAL);
    submit_sync(IOTLB_GLOBAL);
    STEP("global context-cache and IOTLB invalidation");

    domain = vm_table();
    vm_set_context(0, domain, 4, 2);
    submit_sync(CTX_DEVICE(0, vm_devfn(0), 0));
    submit_sync(IOTLB_DOMAIN(2));
    blocked = vm_table();
    vm_set_context(1, blocked, 4, 3);
    submit_sync(CTX_DEVICE(0, vm_devfn(1), 0));
    submit_sync(IOTLB_DOMAIN(3));
    expect(0, PAGE(G_DATA), G_DATA, RW);
    STEP("a context a device, flushed under domain 0 as caching mode wants");

    wr32(VTD_GCMD, gcmd |= VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_TE | VTD_GCMD_SRTP | VTD_GCMD_QIE);
    expect_none(0, PAGE(G_DATA));
    expect_none(1, PAGE(G_DATA));
    STEP("DMAR: translation enabled; identity is gone");

    hw.flushes = 0;
    for ( i = 0; i < 8; i++ )
        vm_map(domain, 4, 0xfffff000ULL - PAGE(i), G_DATA + i, 1, RW);
    submit_sync(IOTLB_PAGE(2, 0xffff8000ULL, 3));
    for ( i = 0; i < 8; i++ )
        expect(0, 0xfffff000ULL - PAGE(i), G_DATA + i, RW);
    expect_none(1, 0xfffff000ULL);
    CHECK_EQ(hw.flushes, 0);
    CHECK_EQ(COUNT(pages_pinned), 8);
    STEP("device 0 maps its rings: 8 pages seen, no physical flush");

    vm_map(domain, 4, 0xfffe0000ULL, G_DATA + 20, 1, R);
    submit_sync(IOTLB_PAGE(2, 0xfffe0000ULL, 0));
    expect(0, 0xfffe0123ULL, G_DATA + 20, R);
    STEP("a buffer to send from: readable, not writable");

    vm_map(domain, 4, 0xfffe0000ULL, 0, 1, 0);
    submit_sync((0xf2ULL | 2 << 16), 0xfffe0000ULL | VTD_DESC_IOTLB_IH);
    expect_none(0, 0xfffe0123ULL);
    CHECK_EQ(hw.flushes, 1);
    STEP("unmapped, by hint without page structures: gone, one flush");

    vm_map(domain, 4, 0x40000000ULL, 0x200, 2, RW);
    submit_sync(IOTLB_PAGE(2, 0x40000000ULL, 9));
    expect(0, 0x40012345ULL, 0x212, RW);
    vm_map(domain, 4, 0x40000000ULL, 0, 2, 0);
    submit_sync(IOTLB_PAGE(2, 0x40000000ULL, 9));
    expect_none(0, 0x40012345ULL);
    STEP("a 2M page comes and goes");

    vm_clear_context(1);
    submit_sync(CTX_DEVICE(3, vm_devfn(1), 0));
    submit_sync(IOTLB_DOMAIN(3));
    vm_context(1)[1] = 2 | 4 << 8;
    vm_context(1)[0] = VTD_CTX_P | VTD_TT_PASS_THROUGH << 2;
    submit_sync(CTX_DEVICE(0, vm_devfn(1), 0));
    submit_sync(IOTLB_DOMAIN(4));
    expect(1, PAGE(G_DATA + 3), G_DATA + 3, RW);
    STEP("device 1 changes to the identity domain");

    for ( i = 0; i < 8; i++ )
        vm_map(domain, 4, 0xfffff000ULL - PAGE(i), 0, 1, 0);
    submit_sync(IOTLB_PAGE(2, 0xffff8000ULL, 3));
    CHECK_EQ(guest.frames, 0);
    STEP("device 0 unmaps its rings; nothing is pinned");

    wr32(VTD_GCMD, gcmd &= ~VTD_GCMD_TE);
    CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_TE));
    wr32(VTD_GCMD, gcmd &= ~VTD_GCMD_QIE);
    CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_QIE));
    expect(0, PAGE(G_DATA), G_DATA, RW);
    CHECK_EQ(guest.msis, 0);
    STEP("reboot: translation and queue off; no fault was ever raised");
}

TESTS(story_tests) = {
    TEST(linux_starts),
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
