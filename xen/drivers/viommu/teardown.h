/* SPDX-License-Identifier: GPL-2.0-only */
/* teardown.h: what lingers. sync_lock held. */
#ifndef VIOMMU_TEARDOWN_H
#define VIOMMU_TEARDOWN_H

#include "types.h"

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
void teardown_unlinger(struct viommu *vi, unsigned int level, uint64_t pte);
/*
 * Before leaves are compared: makes room for leaves that will linger, if there
 * is none.
 */
void teardown_make_room(struct viommu *vi, struct viommu_budget *b);
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
