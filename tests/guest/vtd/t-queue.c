/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-queue.c: the queue as such: sizes, wrap-around, page boundaries, and which
 * descriptors are taken or refused (VT-d 6.5.2).
 */
#include "unit.h"

static void wait_at(unsigned int index, uint64_t status, uint32_t data)
{
    queue_slot(index)->hi = status;
    queue_slot(index)->lo = DESC_WAIT | WAIT_SW | WAIT_DATA(data);
}

static void tail(unsigned int index)
{
    wr64(IQT, index * 16);
}

/* All of a queue of that size, and once around its end. */
static void whole_queue(unsigned int qs, uint64_t status)
{
    unsigned int i, n;

    queue_on(qs);
    n = queue_entries();
    for ( i = 0; i < n; i++ )
        wait_at(i, status + 16, 0);
    wait_at(n - 2, status, 1);
    wait_at(n - 1, status, 2);
    *mem32(status) = *mem32(status + 4) = 0;

    tail(n - 1);
    check(WAIT_FOR(*mem32(status) == 1) && queue_drained(),
          "QS %u: %u descriptors at once", qs, n - 1);
    wait_at(0, status + 4, 3);
    tail(1);
    check(queue_drained() && *mem32(status) == 2 && *mem32(status + 4) == 3 &&
          rd64(IQH) == 16, "QS %u: goes around the end", qs);
    queue_off();
}

void check_queue(void)
{
    uint64_t status;
    unsigned int qs, i;

    topic("queue");
    pool_reset();
    status = page_new();
    for ( qs = 0; qs < 8; qs++ )
        whole_queue(qs, status);

    /* One by one, over the boundary of two pages. */
    queue_on(1);
    for ( i = 0; i < 255; i++ )
        wait_at(i, status + 16, 0);
    tail(255);
    check(queue_drained(), "up to the last descriptor of a page");
    wait_at(255, status, 10);
    wait_at(256, status + 4, 11);
    wait_at(257, status + 8, 12);
    tail(258);
    check(queue_drained() && *mem32(status) == 10 &&
          *mem32(status + 4) == 11 && *mem32(status + 8) == 12,
          "three descriptors over the boundary of two pages");
    wait_at(258, status, 20);
    tail(259);
    check(queue_drained() && *mem32(status) == 20,
          "a descriptor on the second page");
    tail(259);
    check_eq(rd64(IQH), 259 * 16,
             "IQT written with the same value: no change");

    wait_at(259, status, 30);
    wr32(IQT, 260 * 16);
    check(queue_drained() && *mem32(status) == 30,
          "IQT in an access of 4 bytes");
    wait_at(260, status, 31);
    wait_at(261, status, 32);
    tail(262);
    check(queue_drained() && *mem32(status) == 32,
          "descriptors are done in their order");
    check_eq(rd32(FSTS), 0, "no error");
    unit_quiet();
}

/* ---- Descriptors. ---- */

struct desc_case {
    const char *name;
    uint64_t lo, hi;
};

static void check_taken(void)
{
    const struct desc_case cases[] = {
        { "context, global", DESC_CONTEXT(GLOBAL, 0, 0) },
        { "context, domain", DESC_CONTEXT(DOMAIN, 5, 0) },
        { "context, device", DESC_CONTEXT(SELECTIVE, 5, 0x80) },
        { "context, device, function mask 1",
          DESC_CONTEXT(SELECTIVE, 5, 0x80) | (1ULL << 48) },
        { "context, device, function mask 3",
          DESC_CONTEXT(SELECTIVE, 5, 0x80) | (3ULL << 48) },
        { "context, device that is not there",
          DESC_CONTEXT(SELECTIVE, 5, 0xff00) },
        { "IOTLB, global", DESC_IOTLB(GLOBAL, 0) },
        { "IOTLB, global without DR and DW",
          DESC_IOTLB(GLOBAL, 0) & ~0xc0ULL },
        { "IOTLB, domain", DESC_IOTLB(DOMAIN, 5) },
        { "IOTLB, domain 0xffff", DESC_IOTLB(DOMAIN, 0xffff) },
        { "IOTLB, page", DESC_IOTLB(SELECTIVE, 5), 0x1000 },
        { "IOTLB, page with IH", DESC_IOTLB(SELECTIVE, 5), 0x1040 },
        { "IOTLB, AM 9", DESC_IOTLB(SELECTIVE, 5), 9 },
        { "IOTLB, AM of MAMV", DESC_IOTLB(SELECTIVE, 5), CAP_MAMV(cap) },
        { "IOTLB, page beyond the address width", DESC_IOTLB(SELECTIVE, 5),
          ~(PAGE - 1) },
        { "wait without status and interrupt", DESC_WAIT },
        { "wait with fence", DESC_WAIT | WAIT_FN },
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
    {
        bool done = queue_do(cases[i].lo, cases[i].hi);

        check(done && !(rd32(FSTS) & FSTS_IQE), "%s: done", cases[i].name);
        if ( !done )
        {
            unit_quiet();
            queue_on(0);
        }
    }

    queue_put(DESC_IEC, 0);
    queue_kick();
    check(WAIT_FOR(rd64(IQH) == rd64(IQT) || (rd32(FSTS) & FSTS_IQE)),
          "interrupt entry cache, global: done, or an error");
    unit_quiet();
    queue_on(0);
}

/*
 * The unit stops at a bad descriptor: IQE, IQH on it, nothing behind it is
 * done. It goes on when the descriptor was replaced and IQE is cleared.
 */
static void refused(const struct desc_case *c, uint64_t status)
{
    unsigned int index = queue_tail();
    bool stopped, resumed;

    *mem32(status) = 0;
    queue_put(c->lo, c->hi);
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(1), status);
    queue_kick();
    stopped = WAIT_FOR(rd32(FSTS) & FSTS_IQE) &&
              rd64(IQH) == index * 16 && *mem32(status) == 0;

    queue_slot(index)->lo = DESC_CONTEXT(GLOBAL, 0, 0);
    queue_slot(index)->hi = 0;
    errors_clear();
    resumed = WAIT_FOR(*mem32(status) == 1) && queue_drained() &&
              !(rd32(FSTS) & FSTS_IQE);

    check(stopped && resumed, "%s: refused%s%s", c->name,
          stopped ? "" : ", but the queue did not stop at it",
          resumed ? "" : ", but the queue did not go on");
    if ( !resumed )
    {
        unit_quiet();
        queue_on(0);
    }
}

static void check_refused(uint64_t status)
{
    const struct desc_case cases[] = {
        { "context, granularity 0", DESC_CONTEXT(0, 0, 0) },
        { "context, reserved bit 6", DESC_CONTEXT(GLOBAL, 0, 0) | (1 << 6) },
        { "context, reserved bit 15", DESC_CONTEXT(GLOBAL, 0, 0) | (1 << 15) },
        { "context, reserved bit 50",
          DESC_CONTEXT(GLOBAL, 0, 0) | (1ULL << 50) },
        { "context, reserved bit 63",
          DESC_CONTEXT(GLOBAL, 0, 0) | (1ULL << 63) },
        { "context, reserved bit 64", DESC_CONTEXT(GLOBAL, 0, 0), 1 },
        { "context, reserved bit 127",
          DESC_CONTEXT(GLOBAL, 0, 0), 1ULL << 63 },
        { "IOTLB, granularity 0", DESC_IOTLB(0, 0) },
        { "IOTLB, reserved bit 8", DESC_IOTLB(GLOBAL, 0) | (1 << 8) },
        { "IOTLB, reserved bit 15", DESC_IOTLB(GLOBAL, 0) | (1 << 15) },
        { "IOTLB, reserved bit 32", DESC_IOTLB(GLOBAL, 0) | (1ULL << 32) },
        { "IOTLB, reserved bit 63", DESC_IOTLB(GLOBAL, 0) | (1ULL << 63) },
        { "IOTLB, reserved bit 71", DESC_IOTLB(SELECTIVE, 5), 0x1080 },
        { "IOTLB, reserved bit 75", DESC_IOTLB(SELECTIVE, 5), 0x1800 },
        { "IOTLB, AM above MAMV",
          DESC_IOTLB(SELECTIVE, 5), CAP_MAMV(cap) + 1 },
        { "IOTLB, AM 63", DESC_IOTLB(SELECTIVE, 5), 63 },
        { "device-TLB, as ECAP.DT is 0", 3, 0x1000 },
        { "interrupt entry cache, reserved bit 5", DESC_IEC | (1 << 5) },
        { "interrupt entry cache, reserved bit 64", DESC_IEC, 1 },
        { "wait, reserved bit 8", DESC_WAIT | (1 << 8) },
        { "wait, reserved bit 31", DESC_WAIT | (1U << 31) },
        { "wait, reserved bit 64", DESC_WAIT | WAIT_SW, status | 1 },
        { "wait, reserved bit 65", DESC_WAIT | WAIT_SW, status | 2 },
        { "type 0", 0 },
        { "type 6: PASID cache", 6 | (1 << 4) },
        { "type 7: PASID-based IOTLB", 7 | (2 << 4) },
        { "type 8: PASID-based device-TLB", 8 },
        { "type 9: page group response", 9 },
        { "type 15", 15 },
        { "type 16: upper bits of the type", 1 << 9 },
        { "type 0x71: upper bits, and those of a context command",
          DESC_CONTEXT(GLOBAL, 0, 0) | (7 << 9) },
        { "a descriptor of ones", ~0ULL, ~0ULL },
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
        refused(&cases[i], status);
}

void check_descriptors(void)
{
    uint64_t status;

    topic("descriptors");
    pool_reset();
    status = page_new();
    queue_on(0);
    check_taken();
    check_refused(status);
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
