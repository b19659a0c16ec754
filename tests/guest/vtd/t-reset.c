/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-reset.c: what every register holds before software has touched it
 * (VT-d 11.4), and which capabilities the unit has.
 */
#include "unit.h"

/* Bits that legacy mode without the optional features leaves 0. */
#define CAP_RSVD        0xff0000400080e000ULL
#define ECAP_KNOWN      0x0000000000f3ffdfULL

static void check_cap(void)
{
    check_eq(CAP_ND(cap), 6, "CAP.ND: 64K domains");
    check_eq(CAP_AFL(cap), 0, "CAP.AFL is 0");
    check_eq(CAP_RWBF(cap), 0, "CAP.RWBF: no write buffer to flush");
    check_eq(CAP_PLMR(cap) | CAP_PHMR(cap), 0, "CAP.PLMR and PHMR are 0");
    check_eq(CAP_CM(cap), 1, "CAP.CM: not-present entries may be cached");
    check(CAP_SAGAW(cap) == SAGAW_39 ||
          CAP_SAGAW(cap) == (SAGAW_39 | SAGAW_48),
          "CAP.SAGAW: 39 bits, or 39 and 48");
    /* Machines have addresses of 39 bits, and tables of 4 levels for them. */
    check(width <= (CAP_SAGAW(cap) & SAGAW_48 ? 48 : 39),
          "CAP.MGAW is no more than the longest walk of SAGAW");
    check_eq(CAP_SLLPS(cap), 3, "CAP.SLLPS: 2M and 1G");
    check_eq(CAP_PSI(cap), 1, "CAP.PSI is 1");
    check_eq(CAP_NFR(cap), 7, "CAP.NFR: 8 fault records");
    check(reg_frcd >= 0x100 && reg_frcd + nr_frcd * 16 <= PAGE,
          "CAP.FRO: fault records are in the page, behind the rest");
    check_eq(CAP_MAMV(cap), 18, "CAP.MAMV: 2^18 pages");
    check_eq(CAP_DWD(cap) & CAP_DRD(cap), 1, "CAP.DWD and DRD are 1");
    check_eq(cap & CAP_RSVD, 0, "CAP: reserved and unwanted bits are 0");
}

static void check_ecap(void)
{
    check_eq(ECAP_C(ecap), 1, "ECAP.C: walks are coherent");
    check_eq(ECAP_QI(ecap), 1, "ECAP.QI is 1");
    check_eq(ECAP_DT(ecap), 0, "ECAP.DT: no device-TLB");
    check_eq(ECAP_PT(ecap), 1, "ECAP.PT is 1");
    check(ECAP_IR(ecap) || !ECAP_EIM(ecap), "ECAP.EIM only with IR");
    check(ECAP_IR(ecap) || !ECAP_MHMV(ecap), "ECAP.MHMV only with IR");
    check(reg_iva >= 0xc0 && reg_iva + 16 <= PAGE,
          "ECAP.IRO: IOTLB registers are in the page, behind the rest");
    check(reg_iva + 16 <= reg_frcd || reg_iva >= reg_frcd + nr_frcd * 16,
          "ECAP.IRO: they are apart from the fault records");
    check_eq(ecap & ~ECAP_KNOWN, 0, "ECAP: nothing of scalable mode");
}

static void check_values(void)
{
    static const struct {
        const char *name;
        uint16_t offset, size;
        uint64_t value;
    } regs[] = {
        { "GCMD", GCMD, 4, 0 },
        { "GSTS", GSTS, 4, 0 },
        { "RTADDR", RTADDR, 8, 0 },
        { "CCMD", CCMD, 8, 0 },
        { "FSTS", FSTS, 4, 0 },
        { "FECTL", FECTL, 4, EVENT_IM },
        { "FEDATA", FEDATA, 4, 0 },
        { "FEADDR", FEADDR, 4, 0 },
        { "FEUADDR", FEUADDR, 4, 0 },
        { "AFLOG", 0x58, 8, 0 },
        { "PMEN", PMEN, 4, 0 },
        { "PLMBASE", 0x68, 4, 0 },
        { "PLMLIMIT", 0x6c, 4, 0 },
        { "PHMBASE", 0x70, 8, 0 },
        { "PHMLIMIT", 0x78, 8, 0 },
        { "IQH", IQH, 8, 0 },
        { "IQT", IQT, 8, 0 },
        { "IQA", IQA, 8, 0 },
        { "ICS", ICS, 4, 0 },
        { "IECTL", IECTL, 4, EVENT_IM },
        { "IEDATA", IEDATA, 4, 0 },
        { "IEADDR", IEADDR, 4, 0 },
        { "IEUADDR", IEUADDR, 4, 0 },
        { "IQERCD", IQERCD, 8, 0 },
        { "IRTA", IRTA, 8, 0 },
    };
    unsigned int i;
    uint64_t any;

    for ( i = 0; i < ARRAY_SIZE(regs); i++ )
        check_eq(regs[i].size == 8 ? rd64(regs[i].offset)
                                   : rd32(regs[i].offset),
                 regs[i].value, "%s is 0x%lx", regs[i].name, regs[i].value);

    check_eq(rd64(reg_iva), 0, "IVA is 0x0");
    check_eq(rd64(reg_iotlb), 0, "IOTLB is 0x0");
    for ( any = 0, i = 0; i < nr_frcd * 16; i += 8 )
        any |= rd64(reg_frcd + i);
    check_eq(any, 0, "all fault records are 0");
}

void check_reset(void)
{
    topic("reset");
    check_eq(rd32(VER), 0x10, "VER is 1.0 (11.4.1)");
    check_cap();
    check_ecap();
    check_values();
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
