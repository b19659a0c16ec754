/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work.c: a piece of the guest's work: what is in the register page, the
 * commands that follow from it, and what the guest is to see of them.
 */
#include "boundary.h"
#include "inbox.h"
#include "qinval.h"
#include "work.h"

int work_run(struct viommu *vi, struct viommu_budget *b)
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

int work_run_trylock(struct viommu *vi, struct viommu_budget *b)
{
    int rc = work_run(vi, b);

    /* Against the order of locks, so it may only try. */
    if ( rc == -EAGAIN && hw_pcidevs_trylock() )
    {
        vi->pcidevs_held = true;
        rc = work_run(vi, b);
        vi->pcidevs_held = false;
        hw_pcidevs_unlock();
    }

    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
