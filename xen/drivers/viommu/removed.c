/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * removed.c: what was removed, until the hardware has forgotten it.
 *
 * Frames and table pages that a shadow no longer names may still be in use by
 * hardware, out of its caches. So both are kept here until a flush that covers
 * them has completed, and only then given back (design, invariant 1). All that
 * the guest asks for before it waits shares one flush (qinval.c), and nothing
 * is kept when sync_lock is released.
 */
#include "boundary.h"
#include "format.h"
#include "pool.h"
#include "removed.h"

void removed_leaf(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  unsigned int level, uint64_t pte)
{
    removed_changed(vi, s, addr, level, false);
    vi->removed.leaf[vi->removed.leaves].mfn = shadow_pte_mfn(pte);
    vi->removed.leaf[vi->removed.leaves++].level = level;
    if ( vi->removed.leaves == VIOMMU_NR_REMOVED )
        removed_flush(vi);
}

void removed_table(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                   mfn_t mfn)
{
    removed_changed(vi, s, addr, 1, false);
    vi->removed.table[vi->removed.tables++] = mfn;
    if ( vi->removed.tables == VIOMMU_NR_REMOVED )
        removed_flush(vi);
}

void removed_flush(struct viommu *vi)
{
    unsigned int order;
    uint64_t first;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->removed.s )
        return;

    /* The smallest naturally aligned block with all that changed. */
    order = flsl((vi->removed.first ^ vi->removed.last) >> VTD_PAGE_SHIFT);
    first = vi->removed.first & ~((1ULL << (VTD_PAGE_SHIFT + order)) - 1);
    hw_flush(vi, vi->removed.s, first, order, vi->removed.fresh);
    vi->removed.s = NULL;

    viommu_count_n(vi, leaves_unmapped, vi->removed.leaves);
    while ( vi->removed.leaves )
    {
        unsigned int i = --vi->removed.leaves;
        unsigned int n = VTD_LEVEL_PAGES(vi->removed.leaf[i].level);

        while ( n-- )
            guest_put_frame(mfn_add(vi->removed.leaf[i].mfn, n));
    }

    while ( vi->removed.tables )
        pool_free(vi, vi->removed.table[--vi->removed.tables]);
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
