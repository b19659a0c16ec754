/* SPDX-License-Identifier: GPL-2.0-only */
/* qinval.h: takes up commands, from the queue or the registers. */
#ifndef VIOMMU_QINVAL_H
#define VIOMMU_QINVAL_H

#include "regfile.h"

/*
 * Does what is pending, within the budget. sync_lock held. What is complete
 * shows only after commands_show(), which is to follow.
 *   0          nothing is left
 *   -ERESTART  the budget is used up
 *   -EAGAIN    the next step needs pcidevs_lock
 */
int __must_check commands_run(struct viommu *vi, struct viommu_budget *b);
/*
 * What was taken out of the queue is complete: the head says so. sync_lock and
 * reg_lock held.
 */
static inline void commands_show(struct viommu *vi)
{
    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( vi->queue_behind )
        regs_put32(vi, VTD_IQH, vi->queue_head);
    vi->queue_behind = false;
}

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
