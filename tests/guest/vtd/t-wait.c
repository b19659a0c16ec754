/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-wait.c: the status that a wait descriptor writes (VT-d 6.5.2.8).
 */
#include "unit.h"

#define FILL            0xa5a5a5a5U

static void fill(uint64_t page)
{
    unsigned int i;

    for ( i = 0; i < PAGE; i += 4 )
        *mem32(page + i) = FILL;
}

/* How many words of the page are not what they were filled with. */
static unsigned int written(uint64_t page)
{
    unsigned int i, n = 0;

    for ( i = 0; i < PAGE; i += 4 )
        n += *mem32(page + i) != FILL;

    return n;
}

static void check_status(uint64_t page, unsigned int offset, uint32_t data)
{
    fill(page);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(data), page + offset);
    queue_kick();
    queue_drained();
    check(*mem32(page + offset) == data && written(page) == 1,
          "0x%x at offset 0x%x of a page, and nothing beside it", data,
          offset);
}

/*
 * Whatever becomes of the write, the unit and the guest live on. The unit's
 * page may be memory, into which a status can be written.
 */
static void check_harmless(const char *name, uint64_t addr)
{
    uint32_t fedata = rd32(FEDATA);
    bool ended;

    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(0x4321), addr);
    queue_kick();
    ended = WAIT_FOR(rd64(IQH) == rd64(IQT) || rd32(FSTS));
    if ( rd32(FSTS) )
    {
        unit_quiet();
        queue_on(0);
    }
    check(ended && queue_sync() && (sidecore || rd32(FEDATA) == fedata),
          "status %s: harmless", name);
    wr32(FEDATA, fedata);
}

void check_wait(void)
{
    uint64_t page, other;

    topic("wait");
    unit_quiet();
    pool_reset();
    page = page_new();
    other = page_new();
    queue_on(0);

    check_status(page, 0, 0xdeadbeef);
    check_status(page, 4, 1);
    check_status(page, 8, 0);
    check_status(page, 0x7fc, 0x80000000);
    check_status(page, 0xffc, 0xffffffff);

    fill(page);
    queue_put(DESC_WAIT | WAIT_DATA(5), page);
    queue_kick();
    check(queue_drained() && !written(page), "without SW nothing is written");

    fill(page);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_FN | WAIT_DATA(6), page);
    queue_kick();
    check(queue_drained() && *mem32(page) == 6, "SW with a fence");

    fill(page);
    fill(other);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(7), page);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(8), other);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(9), page);
    queue_kick();
    check(queue_drained() && *mem32(page) == 9 && *mem32(other) == 8 &&
          written(page) == 1 && written(other) == 1,
          "three waits in one submission, the last write stays");

    fill(page);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_FN | WAIT_IF | WAIT_DATA(10), page);
    queue_kick();
    check(queue_drained() && *mem32(page) == 10 && (rd32(ICS) & 1),
          "SW, IF and fence together: status, and ICS.IWC");
    wr32(ICS, 1);

    check_harmless("nowhere", NOWHERE);
    check_harmless("beyond the address width", TOO_WIDE);
    check_harmless("at the greatest address", ~3ULL);
    check_harmless("in the unit's page", UNIT + FEDATA);
    check_harmless("in the local APIC", 0xfee00300);
    check_harmless("in a hole", 0xf0000000);
    check_eq(rd32(FSTS), 0, "no error is left");
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
