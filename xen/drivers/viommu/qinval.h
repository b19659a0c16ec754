/* SPDX-License-Identifier: GPL-2.0-only */
/* qinval.h: takes up commands, from the queue or the registers. */
#ifndef VIOMMU_QINVAL_H
#define VIOMMU_QINVAL_H

#include "quick.h"
#include "regfile.h"

/* Whether there is a command that is none of the queue's. sync_lock held. */
static inline bool commands_in_registers(const struct viommu *vi)
{
    return vi->rebind || ACCESS_ONCE(vi->gcmd_pending) ||
           ((regs_glance(vi, VTD_CCMD + 4) & (VTD_CCMD_ICC >> 32)) |
            (regs_glance(vi, VTD_IOTLB + 4) & (VTD_IOTLB_IVT >> 32)));
}

/* That which follows, in full. */
int __must_check commands_run_all(struct viommu *vi, struct viommu_budget *b);
/*
 * Does what is pending, within the budget. sync_lock held. What is complete
 * shows only after commands_show(), which is to follow.
 *   0          nothing is left
 *   -ERESTART  the budget is used up
 *   -EAGAIN    the next step needs pcidevs_lock
 */
static inline int __must_check commands_run(struct viommu *vi,
                                            struct viommu_budget *b)
{
    ASSERT(spin_is_locked(&vi->sync_lock));

    /* Mostly there are quick pairs in the queue, and nothing else. */
    if ( likely(vi->cmd.op == VIOMMU_CMD_NONE && !vi->dying &&
                !ACCESS_ONCE(vi->stale.end) && !commands_in_registers(vi)) &&
         quick_run(vi, b) )
        return 0;

    return commands_run_all(vi, b);
}
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
