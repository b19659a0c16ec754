/* SPDX-License-Identifier: GPL-2.0-only */
/* leaf.h: one leaf of a shadow. sync_lock held. */
#ifndef VIOMMU_LEAF_H
#define VIOMMU_LEAF_H

#include "format.h"
#include "frame.h"
#include "table.h"
#include "teardown.h"
#include "walk.h"

/*
 * Whether the page of the guest's leaf came back just as that which lingers at
 * addr, by all that is known: then it is in use again, and nothing else is to
 * be done. Where it gets fewer rights than it asks for, the p2m is asked again.
 */
static inline bool leaf_revive(struct viommu *vi, uint64_t addr,
                               uint64_t rights, gfn_t gfn, uint64_t old)
{
    const uint64_t pte = old & ~SHADOW_PTE_NOTE;

    if ( !(old & SHADOW_PTE_STALE) || !rights || (rights & ~pte) ||
         shadow_pte_leaf(vi, frame_known(vi, gfn), rights) != pte )
        return false;

    teardown_unlinger(vi, 1, old);
    /* The hardware ignores what changes. */
    ACCESS_ONCE(*table_near(vi, addr)) = pte;
    viommu_count(vi, leaves_revived);

    return true;
}

/*
 * Makes the page at addr agree with the guest's leaf or hole g, where the
 * shadow has the entry old, no superpage. Returns the level of a block that is
 * no RAM of the guest's, at addr; else 1.
 */
unsigned int leaf_sync_page(struct viommu *vi, struct viommu_shadow *s,
                            uint64_t addr, const struct guest_leaf *g,
                            uint64_t old);
/*
 * Makes the shadow agree with g at addr, where it has old; one of both is no
 * hole. A superpage as a whole, if it ends by last or is one already. Returns
 * the level of the block that was done; 0: no superpage any more, look again.
 */
unsigned int leaf_sync(struct viommu *vi, struct viommu_shadow *s,
                       uint64_t addr, uint64_t last,
                       const struct guest_leaf *g,
                       const struct shadow_leaf *old, struct viommu_budget *b);

#endif /* VIOMMU_LEAF_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
