/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-commands.c: GCMD and GSTS (VT-d 11.4.4), as drivers use them.
 */
#include "unit.h"

static void check_one_shots(void)
{
    wr32(GCMD, 0);
    check_eq(rd32(GSTS), 0, "a command without a bit does nothing");

    wr64(RTADDR, page_new());
    check(command(G_SRTP), "SRTP sets RTPS");
    check_eq(rd32(GSTS), G_SRTP, "SRTP sets nothing else");
    wr32(GCMD, 0);
    check_eq(rd32(GSTS), G_SRTP, "RTPS stays when SRTP is written as 0");
    check(command(G_SRTP), "SRTP may be repeated");

    wr32(GCMD, G_WBF);
    check(gsts_is(G_WBF, 0), "WBF completes: WBFS reads 0");
    wr32(GCMD, rd32(GSTS) | G_WBF);
    check(gsts_is(G_WBF, 0), "WBF completes a second time");

    wr32(GCMD, G_SFL | G_EAFL);
    check_eq(rd32(GSTS) & (G_SFL | G_EAFL), 0,
             "SFL and EAFL do nothing, as CAP.AFL is 0");
    if ( ECAP_IR(ecap) )
        skip("ECAP.IR is 1", "IRE, SIRTP and CFI do nothing");
    else
    {
        wr32(GCMD, G_IRE | G_SIRTP | G_CFI);
        check_eq(rd32(GSTS) & (G_IRE | G_SIRTP | G_CFI), 0,
                 "IRE, SIRTP and CFI do nothing, as ECAP.IR is 0");
    }
    wr32(GCMD, 0x007fffff);
    check_eq(rd32(GSTS), G_SRTP, "reserved bits do nothing");
    if ( !sidecore )
        check_eq(rd32(GCMD), 0, "GCMD reads 0 after commands");
}

static void check_queue_enable(void)
{
    /* As some drivers enable it: nothing was ever set up. */
    wr64(IQA, 0);
    wr64(IQT, 0);
    check(command(G_QIE), "QIE with IQA 0 sets QIES");
    check_eq(rd64(IQH), 0, "QIE with IQA 0: IQH is 0");
    check_eq(rd32(FSTS), 0, "QIE with IQA 0 and nothing queued: no error");
    check(command_off(G_QIE), "QIE off clears QIES");

    queue_on(0);
    check(queue_sync(), "a queue that is set up afterwards works");
    check(rd64(IQH), "IQH has moved");
    check(command(G_SRTP), "SRTP while the queue is on");
    check(gsts_is(G_QIE, G_QIE), "SRTP leaves QIES set");
    wr32(GCMD, rd32(GSTS) | G_WBF);
    check(gsts_is(G_QIE | G_SRTP | G_WBF, G_QIE | G_SRTP),
          "GSTS written back with one more bit keeps what is on");
    check(queue_sync(), "the queue works after that");

    wr32(GCMD, 0);
    check(gsts_is(G_QIE, 0), "QIE off again");
    check_eq(rd64(IQH), 0, "QIE off resets IQH");
    queue_on(0);
    check_eq(rd64(IQH), 0, "QIE on again: IQH is 0");
    check(queue_sync(), "QIE on again: the queue works");
    queue_off();

    /* IQT before QIE. */
    *mem32(POOL_BASE) = 0;
    queue_slot(0)->lo = DESC_WAIT | WAIT_SW | WAIT_DATA(77);
    queue_slot(0)->hi = POOL_BASE;
    wr64(IQA, QUEUE_BASE);
    wr64(IQT, 16);
    check_eq(*mem32(POOL_BASE), 0, "nothing is fetched while QIE is off");
    command(G_QIE);
    check(WAIT_FOR(*mem32(POOL_BASE) == 77),
          "IQT written before QIE: fetched when QIE is set");
    check_eq(rd64(IQH), 16, "IQT written before QIE: IQH follows");
    queue_off();
}

static void check_translation_enable(void)
{
    check(command(G_TE), "TE sets TES");
    check_eq(rd32(GSTS) & G_QIE, 0, "TE alone leaves QIES 0");
    check(command_off(G_TE), "TE off clears TES");

    wr32(GCMD, G_SRTP | G_QIE);
    check(gsts_is(G_SRTP | G_QIE | G_TE, G_SRTP | G_QIE),
          "two bits in one write both complete");
    wr32(GCMD, G_TE | G_QIE);
    check(gsts_is(G_TE | G_QIE, G_TE | G_QIE), "TE on beside QIE");
    wr32(GCMD, rd32(GSTS));
    check(gsts_is(G_TE | G_QIE | G_SRTP, G_TE | G_QIE | G_SRTP),
          "GSTS written back as it is changes nothing");
    wr32(GCMD, G_QIE);
    check(gsts_is(G_TE | G_QIE, G_QIE), "TE off leaves QIES");

    /* A root table in which nothing is present, and none at all. */
    wr64(RTADDR, 0);
    command(G_SRTP);
    check(command(G_TE), "TE with root pointer 0 sets TES");
    check(command_off(G_TE), "TE with root pointer 0 can be cleared");
    wr64(RTADDR, NOWHERE);
    command(G_SRTP);
    check(command(G_TE), "TE with a root pointer to nowhere sets TES");
    check(command_off(G_TE),
          "TE with a root pointer to nowhere can be cleared");
    wr64(RTADDR, UNIT);
    command(G_SRTP);
    check(command(G_TE) && command_off(G_TE),
          "TE with a root pointer to the unit's own page");
    wr64(RTADDR, TOO_WIDE);
    command(G_SRTP);
    check(command(G_TE) && command_off(G_TE),
          "TE with a root pointer beyond the address width");
}

void check_commands(void)
{
    topic("commands");
    pool_reset();
    check_one_shots();
    check_queue_enable();
    check_translation_enable();
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
