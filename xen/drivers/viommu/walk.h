/* SPDX-License-Identifier: GPL-2.0-only */
/* walk.h: reads the guest's tables. sync_lock held. */
#ifndef VIOMMU_WALK_H
#define VIOMMU_WALK_H

#include "types.h"

/* After the capabilities are set. */
void walk_init(struct viommu *vi);
/*
 * What the guest's tables say about a device's requests. Returns the reason of
 * the fault if they all fault (VTD_FR_*), else 0. fpd: whether faults are not
 * to be reported; may be NULL. populate: see guest_lookup().
 */
unsigned int walk_context(struct viommu *vi, uint8_t devfn, bool populate,
                          struct viommu_target *target, bool *fpd);

/* A leaf of the guest's tables, or the hole in its place. */
struct guest_leaf {
    uint64_t rights;         /* VTD_PTE_R, _W of the whole path; 0: a hole */
    unsigned int level;      /* 1: 4K, 2: 2M, 3: 1G; of a hole: any */
    unsigned int fault;      /* of a hole: VTD_FR_*, 0: no rights */
    gfn_t gfn;               /* of its first page */

    /*
     * The table that the entry is in (NULL: none was read), with the rights of
     * the path to it. Valid until another page is read.
     */
    const uint64_t *table;
    uint64_t above;
};

/* The leaf of addr, from the root of a table on. */
void walk_leaf(struct viommu *vi, const struct viommu_target *of,
               uint64_t addr, bool populate, struct guest_leaf *leaf);

/* Where the walk of a table begins, in a word. */
static inline uint64_t walk_from(const struct viommu_target *of)
{
    return of->table | of->levels;
}

/*
 * The leaf table of addr, if the way to it is the one that was gone last, and
 * its links, which are read anew, still lead there; else NULL. The rights of
 * that path are vi->frames.way.rights.
 */
static inline const uint64_t *walk_way(const struct viommu *vi,
                                       const struct viommu_target *of,
                                       uint64_t addr)
{
    if ( vi->frames.way.region != addr >> VTD_LEVEL_SHIFT(2) ||
         vi->frames.way.from != walk_from(of) ||
         of->kind != VIOMMU_SHADOW ||
         vi->frames.way.generation != ACCESS_ONCE(vi->generation) ||
         ACCESS_ONCE(*vi->frames.way.link[2]) != vi->frames.way.said[2] ||
         ACCESS_ONCE(*vi->frames.way.link[1]) != vi->frames.way.said[1] ||
         ACCESS_ONCE(*vi->frames.way.link[0]) != vi->frames.way.said[0] )
        return NULL;

    return vi->frames.way.table;
}

/* The rights that an entry of a leaf table gives, below those; 0: a hole. */
static inline uint64_t walk_rights(const struct viommu *vi, uint64_t entry,
                                   uint64_t above)
{
    return likely(!(entry & vi->leaf_rsvd[0])) ? entry & above : 0;
}

static inline gfn_t walk_gfn(uint64_t entry)
{
    return _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
}

/*
 * What an entry of a leaf table is, which was read from leaf->table, below
 * leaf->above.
 */
void walk_entry(struct viommu *vi, uint64_t entry, struct guest_leaf *leaf);
/*
 * How many entries without rights there are in that table from that of addr on,
 * to its end at the most.
 */
unsigned int walk_holes(const struct guest_leaf *leaf, uint64_t addr);

#endif /* VIOMMU_WALK_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
