/* SPDX-License-Identifier: GPL-2.0-only */
/* sidecore.h: polls for guests whose register page is memory. */
#ifndef VIOMMU_SIDECORE_H
#define VIOMMU_SIDECORE_H

#include "types.h"

/* Looks at all pages before anything else is looked at, the clock included. */
#define SIDECORE_LOOKS 8

/* The guest is in sidecore mode from now on. -ENXIO: there is no sidecore. */
int __must_check sidecore_assign(struct viommu *vi);
/* It is not; its page traps, and what was in it is to be done. No lock. */
void sidecore_unassign(struct viommu *vi);
/* A command came by a trap, and there is a sidecore. */
void sidecore_wake(struct viommu *vi);
/* A command came by a trap. No lock of the unit held. */
static inline void sidecore_knock(struct viommu *vi)
{
    if ( ACCESS_ONCE(vi->sc.on) )
        sidecore_wake(vi);
}
/* The limit in the settings has changed. sync_lock. */
void sidecore_limit(struct viommu *vi);
/* The timer VIOMMU_TIMER_WATCH. */
void sidecore_watch(struct viommu *vi);
/* On a vCPU of the guest, in case that asked for it. sync_lock. */
void sidecore_fallback(struct viommu *vi);

/* -EEXIST, -ENOSPC. */
int __must_check sidecore_start(struct domain *d);
/* d dies; it need not be a sidecore. */
void sidecore_end(struct domain *d);
/* A copy, for its statistics. -ENOENT: d is none. */
int __must_check sidecore_info(const struct domain *d,
                               struct viommu_sidecore *info);
/* The domain that serves the guest, or DOMID_INVALID. */
domid_t sidecore_of(struct viommu *vi);
/* HVMOP_viommu_poll of d. -EPERM: d is none. */
int __must_check sidecore_poll(struct domain *d);

#endif /* VIOMMU_SIDECORE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
