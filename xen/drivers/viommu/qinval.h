/* SPDX-License-Identifier: GPL-2.0-only */
/* qinval.h: takes up commands, from the queue or the registers. */
#ifndef VIOMMU_QINVAL_H
#define VIOMMU_QINVAL_H

#include "types.h"

/*
 * Does what is pending, within the budget. sync_lock held. What is complete
 * shows only after commands_show(), which is to follow.
 *   0          nothing is left
 *   -ERESTART  the budget is used up
 *   -EAGAIN    the next step needs pcidevs_lock
 */
int __must_check commands_run(struct viommu *vi, struct viommu_budget *b);
/* sync_lock and reg_lock held. */
void commands_show(struct viommu *vi);

#endif /* VIOMMU_QINVAL_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
