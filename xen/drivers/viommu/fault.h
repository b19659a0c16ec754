/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.h: fault records, status, and event interrupts. The register page must
 * trap before any of it changes (inbox.c).
 */
#ifndef VIOMMU_FAULT_H
#define VIOMMU_FAULT_H

#include "types.h"

enum viommu_event {
    VIOMMU_EVENT_FAULT,
    VIOMMU_EVENT_COMPLETION,
};

/* Sets bits in FSTS, and raises the fault event. Takes reg_lock. */
void fault_status(struct viommu *vi, uint32_t bits);
/* Records the fault of a request, and raises the event. Takes reg_lock. */
void fault_record(struct viommu *vi, uint16_t sid, uint64_t addr, bool read,
                  unsigned int reason);
/* After a record was cleared. reg_lock held. */
void fault_records_update(struct viommu *vi);
/* ICS.IWC, and its event. Takes reg_lock. */
void fault_completion(struct viommu *vi);
/* After a write to an event control or status register. reg_lock held. */
void fault_event_update(struct viommu *vi, enum viommu_event event);
/* Sends the MSIs that are due, of which there are. */
void fault_send_all(struct viommu *vi);
/* Sends the MSIs that are due. No lock of the unit held. */
static inline void fault_send_events(struct viommu *vi)
{
    /* Whoever sets a bit comes here after it. */
    if ( unlikely(ACCESS_ONCE(vi->events)) )
        fault_send_all(vi);
}

#endif /* VIOMMU_FAULT_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
