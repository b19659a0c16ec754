/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edits.h: where a random guest has what, and how it changes that.
 */
#ifndef VIOMMU_UNIT_EDITS_H
#define VIOMMU_UNIT_EDITS_H

#include "fake.h"

/* Guest frames, all but the queue below what an address can name. */
#define G_DATA    0x00       /* up to G_TABLES: targets of leaves */
#define G_TABLES  0xc0
#define N_TABLES  7
#define G_ROOT    0xe0       /* two of each */
#define G_CONTEXT 0xe2
#define G_STATUS  0x101      /* out of reach of tables, as the queue is */
#define G_QUEUE   0x100      /* 256 descriptors */
#define G_SPARE   0x102      /* two, likewise: nothing is in them */
#define G_IR      0x104      /* tables of interrupts, likewise */
#define N_IR      4
#define G_RAM     0x108

#define R   VTD_PTE_R
#define W   VTD_PTE_W
#define PAGE(gfn) ((uint64_t)(gfn) << VTD_PAGE_SHIFT)

static inline unsigned int rnd(unsigned int n)
{
    return harness_random() % n;
}

void __attribute__((format(printf, 1, 2))) say(const char *format, ...);

/* Only what drivers make of it: one table for all devices, of pages. */
extern bool edit_plain;

/* Tables that make sense, to start with. */
void edit_first(void);
/* A change on the way to a page, as drivers make it: a leaf comes or goes. */
void edit_path(unsigned long page);
/* The last leaf that went, of that page, is there again; false: none is. */
bool edit_back(unsigned long *page);
/* A random change of what is behind the guest's pages; that of no table. */
void edit_p2m(void);
void edit_data(void);
/* A random change of the guest's memory; that, too. */
void edit_any(void);
/* Called by all of these when memory has left the guest. */
void edit_memory_left(void);

#endif /* VIOMMU_UNIT_EDITS_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
