/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-leaves.c: what a device reaches through leaves of each size, with each set
 * of rights (VT-d 3.7, 9.8).
 */
#include "unit.h"

#define IOVA            0x123450000ULL
#define LOW_PAGE        0x00080000ULL   /* below the hole at 640K */

static struct edu *dev = &edus[0];

static void map_now(uint64_t iova, uint64_t phys, unsigned int level,
                    uint64_t flags)
{
    map(&dom, iova, phys, level, flags);
    inv_domain(dom.did);
}

static void check_rights(uint64_t page)
{
    map_now(IOVA, page, 1, RW);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED, "4K, RW: written");
    check_eq(edu_reads(dev, IOVA + 16, page + 16), ARRIVED, "4K, RW: read");
    check_eq(edu_writes(dev, IOVA + 0xffc, page + 0xffc), ARRIVED,
             "4K, RW: last word written");
    check_eq(edu_writes(dev, page, page), BLOCKED,
             "its guest-physical address is not reachable");
    check_eq(edu_writes(dev, IOVA + PAGE, page + PAGE), BLOCKED,
             "the page behind it is not");
    check_eq(edu_writes(dev, IOVA - PAGE, page - PAGE), BLOCKED,
             "the page before it is not");

    map_now(IOVA, page, 1, R);
    check_eq(edu_reads(dev, IOVA, page), ARRIVED, "4K, R: read");
    check_eq(edu_writes(dev, IOVA, page), BLOCKED, "4K, R: not written");
    map_now(IOVA, page, 1, W);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED, "4K, W: written");
    check_eq(edu_reads(dev, IOVA, page), BLOCKED, "4K, W: not read");
    map_now(IOVA, page, 1, RW);
    *entry(&dom, IOVA, 2) &= ~W;
    inv_domain(dom.did);
    check_eq(edu_reads(dev, IOVA, page), ARRIVED, "R in level 2: read");
    check_eq(edu_writes(dev, IOVA, page), BLOCKED,
             "R in level 2: not written");
    *entry(&dom, IOVA, 2) ^= RW;
    inv_domain(dom.did);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED, "W in level 2: written");
    check_eq(edu_reads(dev, IOVA, page), BLOCKED, "W in level 2: not read");
    *entry(&dom, IOVA, 2) |= RW;
    *entry(&dom, IOVA, 1) = page | RW | (0x3ffULL << 52);
    inv_domain(dom.did);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "bits that are for software are ignored");
}

static void check_superpages(uint64_t page)
{
    const uint64_t at2m = 0x1c0000000ULL, at1g = 0x240000000ULL;

    map_now(at2m, BIG_BASE, 2, RW);
    check_eq(edu_writes(dev, at2m, BIG_BASE), ARRIVED, "2M: first word");
    check_eq(edu_writes(dev, at2m + 0x123450, BIG_BASE + 0x123450), ARRIVED,
             "2M: a word in the middle");
    check_eq(edu_reads(dev, at2m + 2 * MB - 4, BIG_BASE + 2 * MB - 4), ARRIVED,
             "2M: last word");
    check_eq(edu_writes(dev, at2m + 2 * MB, BIG_BASE + 2 * MB), BLOCKED,
             "2M: not behind it");
    map_now(at2m, BIG_BASE, 2, R);
    check_eq(edu_writes(dev, at2m + PAGE, BIG_BASE + PAGE), BLOCKED,
             "2M, R: not written");
    check_eq(edu_reads(dev, at2m + PAGE, BIG_BASE + PAGE), ARRIVED,
             "2M, R: read");

    map_now(at2m, 0, 2, RW);
    check_eq(edu_writes(dev, at2m + LOW_PAGE, LOW_PAGE), ARRIVED,
             "2M of which a part is no memory: the part that is");

    map_now(at1g, 0, 3, RW);
    check_eq(edu_writes(dev, at1g + page, page), ARRIVED, "1G: written");
    check_eq(edu_reads(dev, at1g + BIG_BASE, BIG_BASE), ARRIVED, "1G: read");
    check_eq(edu_writes(dev, at1g - PAGE + page, page), BLOCKED,
             "1G: at no other distance");
    map_now(at1g, 0, 3, W);
    check_eq(edu_reads(dev, at1g + page, page), BLOCKED, "1G, W: not read");
}

static void check_places(uint64_t page)
{
    uint64_t other = page_new(), last = (1ULL << (12 + 9 * dom.levels)) - PAGE;
    unsigned int i, wrong = 0;

    map_now(last, page, 1, RW);
    check_eq(edu_writes(dev, last + 8, page + 8), ARRIVED,
             "the last page of the address space, 0x%lx", last);
    map_now(0, page, 1, RW);
    check_eq(edu_writes(dev, 0, page), ARRIVED, "the first page, address 0");
    check_eq(edu_writes(dev, last + PAGE, page), BLOCKED,
             "beyond the address space nothing is reachable");

    map(&dom, IOVA, page, 1, RW);
    map_now(IOVA + PAGE, other, 1, RW);
    for ( i = 0; i < PAGE; i += 4 )
        *mem32(page + i) = *mem32(other + i) = 0;
    edu_dma(dev, true, IOVA + PAGE - 64, 0, 128);
    for ( i = 0; i < 64; i += 4 )
        wrong += !*mem32(page + PAGE - 64 + i) || !*mem32(other + i);
    for ( i = 64; i < PAGE - 64; i += 4 )
        wrong += *mem32(page + i) || *mem32(other + i);
    check_eq(wrong, 0, "one transfer to two pages that lie apart");
    map_now(IOVA + PAGE, page, 1, RW);
    check(edu_writes(dev, IOVA, page) == ARRIVED &&
          edu_writes(dev, IOVA + PAGE, page) == ARRIVED,
          "one page at two addresses");
}

static void check_levels(unsigned int levels)
{
    uint64_t page;

    fixture(levels);
    page_new();
    page = page_new();
    page_new();
    check_rights(page);
    check_superpages(page);
    check_places(page);
    check_eq(rd32(FSTS) & FSTS_IQE, 0, "no error of the queue");
    unit_quiet();
}

void check_leaves(void)
{
    topic("translation off");
    if ( !nr_edus )
    {
        skip("no device", "all that needs DMA");
        return;
    }
    pool_reset();
    check(edu_load(&edus[0]),
          "a device reads and writes guest-physical memory");
    if ( nr_edus < 2 )
        skip("one device only", "the second device does as well");
    else
        check(edu_load(&edus[1]), "the second device does as well");

    topic("3 levels");
    check_levels(3);
    topic("4 levels");
    if ( CAP_SAGAW(cap) & SAGAW_48 )
        check_levels(4);
    else
        skip("CAP.SAGAW", "leaves of a table of 4 levels");
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
