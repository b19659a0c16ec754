/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * teardown.c: what changed in a shadow, until the flush.
 *
 * Frames and table pages that a shadow no longer names may still be in use by
 * hardware, out of its caches. So both are kept here until a flush that covers
 * them has completed, and only then given back (design, invariant 1).
 */
#include "private.h"

static void extend(struct viommu *vi, uint64_t addr, bool fresh)
{
    addr &= ~((1ULL << VTD_PAGE_SHIFT) - 1);

    if ( !vi->changed.due )
    {
        vi->changed.due = true;
        vi->changed.fresh = true;
        vi->changed.first = vi->changed.last = addr;
    }
    vi->changed.fresh &= fresh;
    vi->changed.first = min(vi->changed.first, addr);
    vi->changed.last = max(vi->changed.last, addr);
}

void teardown_changed(struct viommu *vi, uint64_t addr, bool fresh)
{
    ASSERT(spin_is_locked(&vi->sync_lock));
    extend(vi, addr, fresh);
}

void teardown_leaf(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                   mfn_t mfn)
{
    ASSERT(spin_is_locked(&vi->sync_lock));

    extend(vi, addr, false);
    vi->changed.leaf[vi->changed.leaves++] = mfn;
    if ( vi->changed.leaves == VIOMMU_NR_REMOVED )
        teardown_flush(vi, s);
}

void teardown_table(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                    mfn_t mfn)
{
    ASSERT(spin_is_locked(&vi->sync_lock));

    extend(vi, addr, false);
    vi->changed.table[vi->changed.tables++] = mfn;
    if ( vi->changed.tables == VIOMMU_NR_REMOVED )
        teardown_flush(vi, s);
}

void teardown_flush(struct viommu *vi, struct viommu_shadow *s)
{
    unsigned int order;
    uint64_t first;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->changed.due )
        return;

    /* The smallest naturally aligned block with all that changed. */
    order = flsl((vi->changed.first ^ vi->changed.last) >> VTD_PAGE_SHIFT);
    first = vi->changed.first & ~((1ULL << (VTD_PAGE_SHIFT + order)) - 1);
    hw_flush(vi, s, first, order, vi->changed.fresh);
    vi->changed.due = false;

    viommu_count_n(vi, leaves_unmapped, vi->changed.leaves);
    vi->count[XEN_VIOMMU_CNT_pages_pinned] -= vi->changed.leaves;
    while ( vi->changed.leaves )
        guest_put_frame(vi->changed.leaf[--vi->changed.leaves]);

    vi->count[XEN_VIOMMU_CNT_table_pages] -= vi->changed.tables;
    while ( vi->changed.tables )
        hw_table_free(vi->changed.table[--vi->changed.tables]);
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
