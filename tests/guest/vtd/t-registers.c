/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-registers.c: invalidation by CCMD and IOTLB (VT-d 6.5.1).
 *
 * The unit may do more than it was asked for, and says what it did; 0 says
 * that it refused.
 */
#include "unit.h"

static void context_command(const char *name, unsigned int granu,
                            uint64_t bits)
{
    uint64_t r = ccmd(CCMD_ICC | CCMD_CIRG(granu) | bits);

    check(!(r & CCMD_ICC) && CCMD_CAIG(r) && CCMD_CAIG(r) <= granu,
          "CCMD, %s: completes, CAIG says what was done", name);
}

static void iotlb_command(const char *name, unsigned int granu, uint64_t bits,
                          uint64_t iva)
{
    uint64_t r = iotlb(IOTLB_IVT | IOTLB_IIRG(granu) | bits, iva);

    check(!(r & IOTLB_IVT) && IOTLB_IAIG(r) && IOTLB_IAIG(r) <= granu,
          "IOTLB, %s: completes, IAIG says what was done", name);
}

static void iotlb_refused(const char *name, unsigned int granu, uint64_t iva)
{
    uint64_t r = iotlb(IOTLB_IVT | IOTLB_IIRG(granu), iva);

    check(!(r & IOTLB_IVT), "IOTLB, %s: completes", name);
    check_eq(IOTLB_IAIG(r), 0, "IOTLB, %s: refused", name);
}

static void check_all(const char *when)
{
    uint64_t r;

    say("(%s)\n", when);
    context_command("global", GLOBAL, 0);
    context_command("domain", DOMAIN, 1);
    context_command("domain that nobody uses", DOMAIN, 0xffff);
    context_command("device", SELECTIVE, CCMD_SID(0x80) | 1);
    context_command("device, function mask 3", SELECTIVE,
                    CCMD_SID(0x80) | (3ULL << 32) | 1);
    context_command("device that is not there", SELECTIVE,
                    CCMD_SID(0xffff) | 1);
    r = ccmd(CCMD_ICC);
    check(!(r & CCMD_ICC) && !CCMD_CAIG(r),
          "CCMD, granularity 0: completes, refused");

    iotlb_command("global", GLOBAL, 0, 0);
    iotlb_command("global with DR and DW", GLOBAL, IOTLB_DR_DW, 0);
    iotlb_command("domain", DOMAIN, IOTLB_DID(1), 0);
    iotlb_command("domain that nobody uses", DOMAIN, IOTLB_DID(0xffff), 0);
    iotlb_command("page", SELECTIVE, IOTLB_DID(1), 0x1000);
    iotlb_command("page with IH", SELECTIVE, IOTLB_DID(1), 0x1000 | IVA_IH);
    iotlb_command("AM 9", SELECTIVE, IOTLB_DID(1), 0x200000 | 9);
    iotlb_command("AM of MAMV", SELECTIVE, IOTLB_DID(1), CAP_MAMV(cap));
    iotlb_command("page beyond the address width", SELECTIVE, IOTLB_DID(1),
                  ~(PAGE - 1));
    iotlb_refused("granularity 0", 0, 0);
    iotlb_refused("AM above MAMV", SELECTIVE, CAP_MAMV(cap) + 1);
    iotlb_refused("AM 63", SELECTIVE, 63);
}

static void check_halves(void)
{
    wr64(CCMD, 0);
    wr32(CCMD, 0);
    wr32(CCMD + 4, (CCMD_ICC | CCMD_CIRG(GLOBAL)) >> 32);
    check(WAIT_FOR(!(rd32(CCMD + 4) >> 31)), "CCMD in halves completes");
    check_eq(CCMD_CAIG(rd64(CCMD)), GLOBAL, "CCMD in halves is done");

    wr32(reg_iotlb, 0);
    wr32(reg_iotlb + 4, (IOTLB_IVT | IOTLB_IIRG(GLOBAL)) >> 32);
    check(WAIT_FOR(!(rd32(reg_iotlb + 4) >> 31)),
          "IOTLB in halves completes");
    check_eq(IOTLB_IAIG(rd64(reg_iotlb)), GLOBAL, "IOTLB in halves is done");

    wr32(reg_iva, 0x5000);
    wr32(reg_iva + 4, 0);
    wr64(reg_iotlb, IOTLB_IVT | IOTLB_IIRG(SELECTIVE) | IOTLB_DID(1));
    check(WAIT_FOR(!(rd64(reg_iotlb) & IOTLB_IVT)) &&
          IOTLB_IAIG(rd64(reg_iotlb)), "IVA in halves");

    /* Nothing starts without ICC or IVT: what was done last stays. */
    ccmd(CCMD_ICC | CCMD_CIRG(GLOBAL));
    wr64(CCMD, CCMD_CIRG(0));
    check_eq(CCMD_CAIG(rd64(CCMD)), GLOBAL, "CCMD without ICC starts nothing");
    iotlb(IOTLB_IVT | IOTLB_IIRG(GLOBAL), 0);
    wr64(reg_iotlb, IOTLB_IIRG(0));
    check_eq(IOTLB_IAIG(rd64(reg_iotlb)), GLOBAL,
             "IOTLB without IVT starts nothing");
}

void check_registers(void)
{
    topic("registers");
    check_all("the queue is off");
    check_halves();
    check_eq(rd32(FSTS), 0, "no command has left an error");

    topic("registers beside the queue");
    queue_on(0);
    check_all("the queue is on");
    check(queue_sync(), "the queue still works");
    check_eq(rd32(FSTS), 0, "no command has left an error");
    unit_quiet();
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
