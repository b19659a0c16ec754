/* SPDX-License-Identifier: GPL-2.0-only */
/* teardown.h: what lingers. sync_lock held. */
#ifndef VIOMMU_TEARDOWN_H
#define VIOMMU_TEARDOWN_H

#include "format.h"

/* A place in the ring of leaves that linger. */
struct viommu_stale {
    uint64_t shadow;         /* its id */
    uint64_t addr;
    uint64_t since;          /* microseconds */
    uint16_t seq;
    uint8_t level;
};

/* Has the leaf of addr linger; false: it cannot, and has to go now. */
bool __must_check teardown_linger(struct viommu *vi, struct viommu_shadow *s,
                                  uint64_t addr, unsigned int level);
/* The leaf of addr, with that entry, is in use again or goes: no stale one. */
static inline void teardown_unlinger(struct viommu *vi, unsigned int level,
                                     uint64_t pte)
{
    if ( pte & SHADOW_PTE_STALE )
        vi->count[XEN_VIOMMU_CNT_leaves_stale] -= VTD_LEVEL_PAGES(level);
}

/* Many of those that linger longest go. */
void teardown_evict(struct viommu *vi, struct viommu_budget *b);
/*
 * Before leaves are compared: makes room for leaves that will linger, if there
 * is none.
 */
static inline void teardown_make_room(struct viommu *vi,
                                      struct viommu_budget *b)
{
    if ( unlikely(vi->stale.used == vi->stale.size ||
                  vi->count[XEN_VIOMMU_CNT_leaves_stale] >= vi->set.quota) )
        teardown_evict(vi, b);
}

/*
 * After leaves of s were compared: when what came back was another page, what
 * is likely to come back so next goes with the flush that this needs. Returns
 * work items.
 */
unsigned int teardown_join(struct viommu *vi, struct viommu_shadow *s);
/* Ends what lingers for longer than it may, and sets the timer for the rest. */
void teardown_expire(struct viommu *vi);
/*
 * Ends all that lingers, if that was asked for by vi->stale.end.
 *   -ERESTART  the budget is used up, and there is more
 */
int __must_check teardown_end(struct viommu *vi, struct viommu_budget *b);
/* The ring has room for that many pages. Nothing may linger. -ENOMEM */
int __must_check teardown_resize(struct viommu *vi, unsigned int quota);

#endif /* VIOMMU_TEARDOWN_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
