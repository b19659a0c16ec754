/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work.c: a piece of the guest's work, with another lock.
 */
#include "boundary.h"
#include "work.h"

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
