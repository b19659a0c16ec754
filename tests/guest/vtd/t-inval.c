/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-inval.c: changed tables are in effect when the invalidation that they need
 * has completed (VT-d 6.1, 6.5). What devices reach between the change and
 * that is up to the unit, and not looked at.
 */
#include "unit.h"

#define IOVA            0x80600000ULL   /* aligned to 2M */

static struct edu *dev = &edus[0];
static uint64_t page, page2;

static enum dma writes(uint64_t offset, uint64_t phys)
{
    return edu_writes(dev, IOVA + offset, phys);
}

static bool queue_page(void)
{
    return queue_do(DESC_IOTLB(SELECTIVE, dom.did), IOVA);
}

static bool queue_page_hint(void)
{
    return queue_do(DESC_IOTLB(SELECTIVE, dom.did), IOVA | IVA_IH);
}

static bool queue_domain(void)
{
    return queue_do(DESC_IOTLB(DOMAIN, dom.did), 0);
}

static bool queue_global(void)
{
    return queue_do(DESC_IOTLB(GLOBAL, 0), 0);
}

static bool reg_page(void)
{
    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(SELECTIVE) | IOTLB_DR_DW |
                            IOTLB_DID(dom.did), IOVA));
}

static bool reg_domain(void)
{
    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(DOMAIN) | IOTLB_DR_DW |
                            IOTLB_DID(dom.did), 0));
}

static bool reg_global(void)
{
    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(GLOBAL) | IOTLB_DR_DW, 0));
}

static void check_method(const char *name, bool (*invalidate)(void))
{
    bool done;

    map(&dom, IOVA, page, 1, RW);
    done = invalidate();
    check(done && writes(0, page) == ARRIVED, "%s: a page made is there",
          name);
    map(&dom, IOVA, page2, 1, RW);
    done = invalidate();
    *mem32(page) = 0;
    check(done && writes(0, page2) == ARRIVED && !*mem32(page),
          "%s: another page in its place", name);
    map(&dom, IOVA, page2, 1, R);
    done = invalidate();
    check(done && writes(0, page2) == BLOCKED, "%s: write right taken away",
          name);
    *entry(&dom, IOVA, 1) = 0;
    done = invalidate();
    check(done && edu_reads(dev, IOVA, page2) == BLOCKED,
          "%s: a page removed is gone", name);
}

/* AM: low bits of the address do not matter. */
static void check_masks(void)
{
    unsigned int i;

    for ( i = 0; i < 4; i++ )
        map(&dom, IOVA + i * PAGE, page, 1, RW);
    inv_pages(dom.did, IOVA, 2);
    check(writes(0, page) == ARRIVED && writes(3 * PAGE, page) == ARRIVED,
          "AM 2: four pages made");
    for ( i = 0; i < 4; i++ )
        *entry(&dom, IOVA + i * PAGE, 1) = 0;
    inv_pages(dom.did, IOVA + 2 * PAGE, 2);
    check(writes(0, page) == BLOCKED && writes(3 * PAGE, page) == BLOCKED,
          "AM 2 with an address in the middle: four pages gone");

    map(&dom, IOVA, page, 1, RW);
    map(&dom, IOVA + 2 * MB - PAGE, page, 1, RW);
    inv_pages(dom.did, IOVA, 9);
    check(writes(0, page) == ARRIVED &&
          writes(2 * MB - PAGE, page) == ARRIVED, "AM 9: first and last page");
    *entry(&dom, IOVA, 1) = *entry(&dom, IOVA + 2 * MB - PAGE, 1) = 0;
    inv_pages(dom.did, IOVA & ~(GB - 1), 18);
    check(writes(0, page) == BLOCKED &&
          writes(2 * MB - PAGE, page) == BLOCKED, "AM 18: two pages gone");
}

static void check_tables(void)
{
    volatile uint64_t *level2 = entry(&dom, IOVA, 2);
    uint64_t table, i;

    map(&dom, IOVA, page, 1, RW);
    map(&dom, IOVA + PAGE, page2, 1, RW);
    inv_pages(dom.did, IOVA, 1);
    *entry(&dom, IOVA, 1) = 0;
    inv_pages(dom.did, IOVA, 0);
    check(writes(0, page) == BLOCKED && writes(PAGE, page2) == ARRIVED,
          "a page removed, its neighbour stays");
    inv_pages(99, IOVA, 9);
    inv_domain(99);
    check_eq(writes(PAGE, page2), ARRIVED,
             "another domain's invalidation takes nothing away");

    table = *level2 & ~(PAGE - 1);
    *level2 = 0;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(PAGE, page2), BLOCKED, "a table removed: its pages gone");
    for ( i = 0; i < PAGE; i += 8 )
        *mem64(table + i) = page | RW;
    check(writes(0, page) == BLOCKED && writes(PAGE, page) == BLOCKED,
          "a table that was removed is not read any more");
    *level2 = table | RW;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(2 * MB - PAGE, page), ARRIVED, "the table is put back");

    *level2 = BIG_BASE | RW | SP;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(0x6000, BIG_BASE + 0x6000), ARRIVED,
             "a table replaced by a leaf of 2M");
    *level2 = (BIG_BASE + 2 * MB) | RW | SP;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(0x7000, BIG_BASE + 2 * MB + 0x7000), ARRIVED,
             "another leaf of 2M in its place");
    for ( i = 0; i < 512; i++ )
        mem64(table)[i] = (BIG_BASE + 2 * MB + i * PAGE) | RW;
    mem64(table)[5] = 0;
    *level2 = table | RW;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(0x4000, BIG_BASE + 2 * MB + 0x4000), ARRIVED,
             "a leaf of 2M split: a page that stayed");
    check_eq(writes(0x5000, BIG_BASE + 2 * MB + 0x5000), BLOCKED,
             "a leaf of 2M split: the page that is missing");
    mem64(table)[5] = (BIG_BASE + 2 * MB + 5 * PAGE) | RW;
    inv_pages(dom.did, IOVA + 5 * PAGE, 0);
    check_eq(writes(0x5000, BIG_BASE + 2 * MB + 0x5000), ARRIVED,
             "... which is put back");
    *level2 = BIG_BASE | RW | SP;
    inv_domain(dom.did);
    check_eq(writes(0x5000, BIG_BASE + 0x5000), ARRIVED,
             "pages replaced by a leaf of 2M, domain-selective");
    *level2 = BIG_BASE | R | SP;
    inv_pages(dom.did, IOVA, 9);
    check_eq(writes(0x5000, BIG_BASE + 0x5000), BLOCKED,
             "a leaf of 2M loses the right to write");
    *level2 = 0;
    inv_global();
    check_eq(writes(0x4000, BIG_BASE + 0x4000), BLOCKED,
             "a leaf of 2M removed");
}

static void check_giant(void)
{
    const uint64_t at = 0x280000000ULL;
    uint64_t table = page_new(), i;

    map(&dom, at, 0, 3, RW);
    inv_pages(dom.did, at, 18);
    check_eq(edu_writes(dev, at + page, page), ARRIVED, "a leaf of 1G made");
    for ( i = 0; i < 512; i++ )
        mem64(table)[i] = (i * 2 * MB) | RW | SP;
    mem64(table)[BIG_BASE / (2 * MB)] = 0;
    *entry(&dom, at, 3) = table | RW;
    inv_pages(dom.did, at, 18);
    check(edu_writes(dev, at + BIG_BASE, BIG_BASE) == BLOCKED &&
          edu_writes(dev, at + page, page) == ARRIVED,
          "a leaf of 1G split, without one of its 2M");
    *entry(&dom, at, 3) = 0;
    inv_domain(dom.did);
    check_eq(edu_writes(dev, at + page, page), BLOCKED, "all of it removed");
}

/* A wait is done only when what stands before it in the queue is. */
static void check_order(void)
{
    map(&dom, IOVA, page, 1, RW);
    map(&dom, IOVA + 7 * PAGE, page2, 1, RW);
    queue_put(DESC_IOTLB(SELECTIVE, dom.did), IOVA);
    queue_put(DESC_IOTLB(SELECTIVE, dom.did), IOVA + 7 * PAGE);
    check(queue_sync() && writes(0, page) == ARRIVED &&
          writes(7 * PAGE, page2) == ARRIVED,
          "two invalidations and a wait in one submission");
    *entry(&dom, IOVA, 1) = *entry(&dom, IOVA + 7 * PAGE, 1) = 0;
    queue_put(DESC_IOTLB(SELECTIVE, dom.did), IOVA);
    queue_put(DESC_IOTLB(SELECTIVE, dom.did), IOVA + 7 * PAGE);
    check(queue_sync() && writes(0, page) == BLOCKED &&
          writes(7 * PAGE, page2) == BLOCKED, "... and both removed");
}

void check_invalidation(void)
{
    topic("invalidation");
    if ( !nr_edus )
        return;

    fixture(3);
    page = page_new();
    page2 = page_new();
    check_method("page, by the queue", queue_page);
    check_method("page with IH, by the queue", queue_page_hint);
    check_method("domain, by the queue", queue_domain);
    check_method("global, by the queue", queue_global);
    check_method("page, by IOTLB", reg_page);
    check_method("domain, by IOTLB", reg_domain);
    check_method("global, by IOTLB", reg_global);
    check_masks();
    check_tables();
    check_giant();
    check_order();
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
