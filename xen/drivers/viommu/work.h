/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work.h: a piece of the guest's work: what is in the register page, the
 * commands that follow from it, and what the guest is to see of them. sync_lock
 * held.
 */
#ifndef VIOMMU_WORK_H
#define VIOMMU_WORK_H

#include "inbox.h"
#include "qinval.h"

/* Errors are those of commands_run(). */
static inline int __must_check work_run(struct viommu *vi,
                                        struct viommu_budget *b)
{
    int rc;

    if ( vi->inbox.live )
    {
        spin_lock(&vi->reg_lock);
        inbox_absorb(vi);
        vi->inbox.work = false;
        spin_unlock(&vi->reg_lock);
    }

    rc = commands_run(vi, b);

    if ( vi->inbox.live || vi->queue_behind )
    {
        spin_lock(&vi->reg_lock);
        commands_show(vi);
        if ( vi->inbox.live )
            inbox_show(vi);
        spin_unlock(&vi->reg_lock);
    }

    vi->count[XEN_VIOMMU_CNT_longest_entry] =
        max(vi->count[XEN_VIOMMU_CNT_longest_entry],
            (uint64_t)(b->given - b->left));

    return rc;
}

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
