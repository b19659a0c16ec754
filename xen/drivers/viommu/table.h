/* SPDX-License-Identifier: GPL-2.0-only */
/* table.h: the shadow tables. sync_lock held. */
#ifndef VIOMMU_TABLE_H
#define VIOMMU_TABLE_H

#include "format.h"

/* NULL: no memory, or the quota is used up. */
struct viommu_shadow *table_create(struct viommu *vi);
/* Of one whose entries are all 0, not attached to any device. */
void table_destroy(struct viommu *vi, struct viommu_shadow *s);

/* The shadow of that id, in use; NULL: there is none (any more). */
struct viommu_shadow *table_find(const struct viommu *vi, uint64_t id);

/* Whether the leaf table of addr was the last one that was walked down to. */
static inline bool table_is_near(const struct viommu *vi,
                                 const struct viommu_shadow *s, uint64_t addr)
{
    return vi->path.s == s && vi->path.table[0] &&
           vi->path.base[0] == (addr & ~(VTD_LEVEL_SIZE(2) - 1));
}

/* The leaf of addr, or the hole that it is in. */
void table_lookup(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  struct shadow_leaf *leaf);
/*
 * The entry of addr in the leaf table that was walked down to, where nothing
 * has been changed since.
 */
static inline uint64_t *table_near(const struct viommu *vi, uint64_t addr)
{
    return &vi->path.table[0][VTD_LEVEL_INDEX(addr, 1)];
}
/* The leaf of addr, or the hole there, in a shadow without superpages. */
static inline uint64_t table_page(struct viommu *vi, struct viommu_shadow *s,
                                  uint64_t addr)
{
    struct shadow_leaf leaf;

    if ( likely(table_is_near(vi, s, addr)) )
        return *table_near(vi, addr);
    table_lookup(vi, s, addr, &leaf);

    return leaf.pte;
}

/*
 * How many holes there are from the entry of addr on in a table of that level,
 * so many at the most, and none beyond the table; what table_lookup() found
 * there is one.
 */
unsigned int table_holes(struct viommu *vi, struct viommu_shadow *s,
                         uint64_t addr, unsigned int level,
                         unsigned int most);
/*
 * Writes the leaf of addr in a table of that level, where there is a leaf or a
 * hole, and makes the tables above it.
 *   -ENOSPC  the quota is used up
 *   -ENOMEM
 */
int __must_check table_write(struct viommu *vi, struct viommu_shadow *s,
                             uint64_t addr, unsigned int level, uint64_t pte);
/* Sets SHADOW_PTE_NOTE of the leaf there, which hardware ignores. */
void table_annotate(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                    unsigned int level, uint64_t bits);
/* Marks what a guest superpage of that level has put at addr. */
void table_mark(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                unsigned int level);
/* Of a block of which all is about to be compared: the marks are made anew. */
void table_unmark(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  unsigned int level);
/* The level of the biggest superpage that may have left something at addr. */
unsigned int table_origin(struct viommu *vi, struct viommu_shadow *s,
                          uint64_t addr);
/*
 * Turns the superpage of addr into 512 leaves of the level below. Of 2M: errors
 * as table_write(). One of 1G has its table page in reserve.
 */
int __must_check table_split(struct viommu *vi, struct viommu_shadow *s,
                             uint64_t addr);
/*
 * Turns the 512 leaves below the entry of addr in a table of that level into
 * the one leaf pte, if that says the same. Returns whether it did.
 */
bool table_merge(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                 unsigned int level, uint64_t pte);
/* Unlinks the leaf table of addr, if it is empty, for a superpage. */
bool table_drop_empty(struct viommu *vi, struct viommu_shadow *s,
                      uint64_t addr);
/*
 * Unlinks all empty tables that stayed, and flushes: their pages are free.
 * Returns whether there were any.
 */
bool table_trim(struct viommu *vi);

#endif /* VIOMMU_TABLE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
