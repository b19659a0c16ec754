/* SPDX-License-Identifier: GPL-2.0-only */
/* removed.h: what was removed, until it was flushed. sync_lock held. */
#ifndef VIOMMU_REMOVED_H
#define VIOMMU_REMOVED_H

#include "types.h"

/* Flushes what is due; after it nothing removed is reachable. */
void removed_flush(struct viommu *vi);
/* The leaf of addr has other rights, or (fresh) was not present before. */
static inline void removed_changed(struct viommu *vi, struct viommu_shadow *s,
                                   uint64_t addr, unsigned int level,
                                   bool fresh)
{
    uint64_t first = addr & ~(VTD_LEVEL_SIZE(level) - 1);
    uint64_t last = first + VTD_LEVEL_SIZE(level) - VTD_LEVEL_SIZE(1);

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( vi->removed.s != s )
    {
        if ( unlikely(vi->removed.s) )
            removed_flush(vi);
        vi->removed.s = s;
        vi->removed.fresh = fresh;
        vi->removed.first = first;
        vi->removed.last = last;
        return;
    }

    vi->removed.fresh &= fresh;
    vi->removed.first = min(vi->removed.first, first);
    vi->removed.last = max(vi->removed.last, last);
}
/* The leaf of addr was that in s; its frames are put after the flush. */
void removed_leaf(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  unsigned int level, uint64_t pte);
/* A table page is no longer linked into s; it is freed after the flush. */
void removed_table(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                   mfn_t mfn);

#endif /* VIOMMU_REMOVED_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
