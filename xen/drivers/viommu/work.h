/* SPDX-License-Identifier: GPL-2.0-only */
/* work.h: a piece of the guest's work. sync_lock held. */
#ifndef VIOMMU_WORK_H
#define VIOMMU_WORK_H

#include "types.h"

/* Errors are those of commands_run(). */
int __must_check work_run(struct viommu *vi, struct viommu_budget *b);
/* The same, with pcidevs_lock if that is needed and free. */
int __must_check work_run_trylock(struct viommu *vi, struct viommu_budget *b);

#endif /* VIOMMU_WORK_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
