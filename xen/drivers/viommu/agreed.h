/* SPDX-License-Identifier: GPL-2.0-only */
/* agreed.h: superpages that need not be looked at again. sync_lock held. */
#ifndef VIOMMU_AGREED_H
#define VIOMMU_AGREED_H

#include "walk.h"

/*
 * Before the superpage g of the guest at addr, its first, is compared with s:
 * returns whether all of it is known to agree.
 */
bool agreed_begin(struct viommu *vi, const struct viommu_shadow *s,
                  uint64_t addr, const struct guest_leaf *g);
/* A part of it has been compared with g, and all before cursor. */
void agreed_part(struct viommu *vi, struct viommu_shadow *s,
                 const struct guest_leaf *g, uint64_t cursor);
/* A leaf of s at addr is about to come, to go, to linger, or to be another. */
void agreed_void(struct viommu *vi, const struct viommu_shadow *s,
                 uint64_t addr);

#endif /* VIOMMU_AGREED_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
