/* SPDX-License-Identifier: GPL-2.0-only */
/* leaf.h: one leaf of a shadow. sync_lock held. */
#ifndef VIOMMU_LEAF_H
#define VIOMMU_LEAF_H

#include "format.h"
#include "walk.h"

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
