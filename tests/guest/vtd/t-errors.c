/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-errors.c: a queue that has met an error (VT-d 6.5.2.10), and queues and
 * tails at places where no queue can be.
 */
#include "unit.h"

static void check_stop(void)
{
    uint64_t status = page_new();
    unsigned int bad;

    queue_on(0);
    queue_sync();
    bad = queue_tail();
    queue_put(0, 0);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(1), status);
    queue_kick();
    check(WAIT_FOR(rd32(FSTS) & FSTS_IQE), "a bad descriptor sets IQE");
    check_eq(rd32(FSTS), FSTS_IQE, "... and nothing else in FSTS");
    check_eq(rd64(IQH), bad * 16, "IQH is that of the bad descriptor");
    check_eq(*mem32(status), 0, "what follows it is not done");

    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(2), status + 4);
    queue_kick();
    pause_ms(20);
    check(rd64(IQH) == bad * 16 && !*mem32(status + 4),
          "a new tail does not start it again");
    check(gsts_is(G_QIE, G_QIE), "QIES stays set");
    check_eq(CCMD_CAIG(ccmd(CCMD_ICC | CCMD_CIRG(GLOBAL))), GLOBAL,
             "CCMD completes meanwhile");
    check_eq(IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(GLOBAL), 0)), GLOBAL,
             "IOTLB completes meanwhile");
    check(command(G_SRTP), "SRTP completes meanwhile");

    wr32(FSTS, 0);
    check_eq(rd32(FSTS), FSTS_IQE, "writing 0 to FSTS clears nothing");
    wr32(FSTS, ~FSTS_IQE);
    check_eq(rd32(FSTS), FSTS_IQE, "writing other bits clears nothing");

    wr32(FSTS, FSTS_IQE);
    check(WAIT_FOR(rd32(FSTS) & FSTS_IQE) && rd64(IQH) == bad * 16,
          "cleared, but the descriptor is still bad: IQE again");
    queue_slot(bad)->lo = DESC_CONTEXT(GLOBAL, 0, 0);
    wr32(FSTS, FSTS_IQE);
    check(queue_drained(), "the descriptor replaced and IQE cleared: goes on");
    check_eq(rd32(FSTS), 0, "... without an error");
    check(*mem32(status) == 1 && *mem32(status + 4) == 2,
          "... and what was queued is done");
    check(queue_sync(), "... and new descriptors are");

    queue_put(0, 0);
    queue_kick();
    WAIT_FOR(rd32(FSTS) & FSTS_IQE);
    queue_off();
    check_eq(rd32(FSTS) & FSTS_IQE, FSTS_IQE, "IQE stays when QIE goes off");
    errors_clear();
    check_eq(rd32(FSTS), 0, "IQE is cleared while QIE is off");
    queue_on(0);
    check(queue_sync(), "a new queue works after that");
    unit_quiet();
}

static void bad_tail(const char *name, uint64_t tail)
{
    uint64_t head;

    queue_on(0);
    queue_sync();
    head = rd64(IQH);
    wr64(IQT, tail);
    check(WAIT_FOR(rd32(FSTS) & FSTS_IQE), "IQT %s: IQE", name);
    check_eq(rd64(IQH), head, "IQT %s: IQH stays", name);
    wr64(IQT, head);
    errors_clear();
    check(queue_sync() && !rd32(FSTS), "IQT %s: a good tail and IQE cleared",
          name);
    unit_quiet();
}

static void bad_queue(const char *name, uint64_t addr)
{
    wr64(IQT, 0);
    wr64(IQA, addr);
    check(command(G_QIE), "queue %s: QIES is set", name);
    wr64(IQT, 16);
    check(WAIT_FOR(rd32(FSTS) & FSTS_IQE) && !rd64(IQH),
          "queue %s: IQE at the first descriptor", name);
    unit_quiet();
    queue_on(0);
    check(queue_sync(), "queue %s: a good one works afterwards", name);
    unit_quiet();
}

void check_errors(void)
{
    topic("queue errors");
    pool_reset();
    check_stop();
    bad_tail("right behind the queue", 256 * 16);
    bad_tail("at its greatest", 0x7fff0);
    bad_queue("nowhere", NOWHERE);
    bad_queue("beyond the address width", TOO_WIDE);
    bad_queue("in the unit's page", UNIT);
    bad_queue("in the local APIC", 0xfee00000);
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
