/* SPDX-License-Identifier: GPL-2.0-only */
/* sync.h: what invalidations do to the shadows. sync_lock held. */
#ifndef VIOMMU_SYNC_H
#define VIOMMU_SYNC_H

#include "types.h"

/* One IOTLB, one context-cache invalidation. As commands_run(). */
int __must_check sync_iotlb(struct viommu *vi, struct viommu_command *cmd,
                            struct viommu_budget *b);
int __must_check sync_contexts(struct viommu *vi, struct viommu_command *cmd,
                               struct viommu_budget *b);
/* Drops a command's hold on the shadow it was building. */
void sync_abandon(struct viommu *vi, struct viommu_command *cmd);
/*
 * Takes a device off its table, onto the domain's own, or off any if that
 * fails. pcidevs_lock too.
 */
void sync_release_device(struct viommu *vi, struct viommu_device *dev);
/*
 * Gives back the memory of shadows that no device uses.
 *   -ERESTART  the budget is used up, and there is more
 */
int __must_check sync_reap(struct viommu *vi, struct viommu_budget *b);

#endif /* VIOMMU_SYNC_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
