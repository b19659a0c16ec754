/* SPDX-License-Identifier: GPL-2.0-only */
/* quick.h: the commonest pair of descriptors. */
#ifndef VIOMMU_QUICK_H
#define VIOMMU_QUICK_H

#include "types.h"

/*
 * Does the pairs of an invalidation and a wait that the queue begins with, as
 * far as that is quick. No command is in progress, and none is in the
 * registers. Returns whether that was all that the queue has. sync_lock held.
 */
bool __must_check quick_run(struct viommu *vi, struct viommu_budget *b);

#endif /* VIOMMU_QUICK_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
