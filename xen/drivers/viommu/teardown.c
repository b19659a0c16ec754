/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * teardown.c: what changed in a shadow, until the flush.
 *
 * Frames and table pages that a shadow no longer names may still be in use by
 * hardware, out of its caches. So both are kept here until a flush that covers
 * them has completed, and only then given back (design, invariant 1).
 */
#include "private.h"

void teardown_changed(struct viommu *vi, uint64_t addr, unsigned int level,
                      bool fresh)
{
    uint64_t first = addr & ~(VTD_LEVEL_SIZE(level) - 1);
    uint64_t last = first + VTD_LEVEL_SIZE(level) - VTD_LEVEL_SIZE(1);

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->changed.due )
    {
        vi->changed.due = true;
        vi->changed.fresh = true;
        vi->changed.first = first;
        vi->changed.last = last;
    }
    vi->changed.fresh &= fresh;
    vi->changed.first = min(vi->changed.first, first);
    vi->changed.last = max(vi->changed.last, last);
}

void teardown_leaf(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                   unsigned int level, mfn_t mfn)
{
    teardown_changed(vi, addr, level, false);
    vi->changed.leaf[vi->changed.leaves].mfn = mfn;
    vi->changed.leaf[vi->changed.leaves++].level = level;
    if ( vi->changed.leaves == VIOMMU_NR_REMOVED )
        teardown_flush(vi, s);
}

void teardown_table(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                    mfn_t mfn)
{
    teardown_changed(vi, addr, 1, false);
    vi->changed.table[vi->changed.tables++] = mfn;
    if ( vi->changed.tables == VIOMMU_NR_REMOVED )
        teardown_flush(vi, s);
}

static void put_frames(struct viommu *vi, mfn_t mfn, unsigned int n)
{
    vi->count[XEN_VIOMMU_CNT_pages_pinned] -= n;
    while ( n-- )
        guest_put_frame(mfn_add(mfn, n));
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
    while ( vi->changed.leaves )
    {
        unsigned int i = --vi->changed.leaves;

        put_frames(vi, vi->changed.leaf[i].mfn,
                   VTD_LEVEL_PAGES(vi->changed.leaf[i].level));
    }

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
