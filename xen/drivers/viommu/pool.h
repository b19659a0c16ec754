/* SPDX-License-Identifier: GPL-2.0-only */
/* pool.h: the pages that shadow tables are made of. sync_lock held. */
#ifndef VIOMMU_POOL_H
#define VIOMMU_POOL_H

#include "types.h"

/* Whether n more pages are within the quota. */
bool pool_has_room(const struct viommu *vi, unsigned int n);
/* A page, zeroed, or INVALID_MFN. The caller has asked for room. */
mfn_t pool_alloc(struct viommu *vi);
/* Of a page that the hardware does not know, or not any more. */
void pool_free(struct viommu *vi, mfn_t mfn);
/* One page more stays in reserve, of those that are freed from now on. */
void pool_reserve(struct viommu *vi);
/* A page of the reserve; one fewer stays. */
mfn_t pool_take_reserve(struct viommu *vi);

#endif /* VIOMMU_POOL_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
