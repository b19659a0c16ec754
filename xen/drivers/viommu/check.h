/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h: after each command, whether the shadows are what they should be; for
 * debugging. sync_lock held.
 */
#ifndef VIOMMU_CHECK_H
#define VIOMMU_CHECK_H

#include "types.h"

#ifdef CONFIG_VIOMMU_CHECK

/* Before a piece of a command; and after the last one. */
void check_begin(struct viommu *vi, const struct viommu_command *cmd);
void check_end(struct viommu *vi, const struct viommu_command *cmd);

#else

static inline void check_begin(struct viommu *vi,
                               const struct viommu_command *cmd) {}
static inline void check_end(struct viommu *vi,
                             const struct viommu_command *cmd) {}

#endif

#endif /* VIOMMU_CHECK_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
