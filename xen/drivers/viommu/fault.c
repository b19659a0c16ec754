/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.c: fault status, and the two event interrupts (VT-d 7.3, 6.5.2.8).
 *
 * An event sets its IP bit when its status goes from nothing to something.
 * While it is not masked, IP turns into a message at once; otherwise when the
 * mask goes, unless software has cleared the status before.
 */
#include "private.h"

static const struct {
    unsigned int control, data, addr, upper_addr;
    unsigned int status;
    uint32_t status_mask;
} event_regs[] = {
    [VIOMMU_EVENT_FAULT] = {
        VTD_FECTL, VTD_FEDATA, VTD_FEADDR, VTD_FEUADDR, VTD_FSTS,
        VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE |
        VTD_FSTS_ITE,
    },
    [VIOMMU_EVENT_COMPLETION] = {
        VTD_IECTL, VTD_IEDATA, VTD_IEADDR, VTD_IEUADDR, VTD_ICS, VTD_ICS_IWC,
    },
};

void fault_event_update(struct viommu *vi, enum viommu_event event)
{
    uint32_t control = regs_get32(vi, event_regs[event].control);

    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( !(regs_get32(vi, event_regs[event].status) &
           event_regs[event].status_mask) )
        control &= ~VTD_EVENT_IP;

    if ( (control & VTD_EVENT_IP) && !(control & VTD_EVENT_IM) )
    {
        control &= ~VTD_EVENT_IP;
        vi->events |= 1U << event;
    }

    regs_put32(vi, event_regs[event].control, control);
}

/* reg_lock held. */
static void raise(struct viommu *vi, enum viommu_event event, uint32_t bits)
{
    unsigned int control = event_regs[event].control;
    unsigned int status = event_regs[event].status;
    uint32_t old = regs_get32(vi, status);

    regs_put32(vi, status, old | bits);
    if ( !(old & event_regs[event].status_mask) )
        regs_put32(vi, control, regs_get32(vi, control) | VTD_EVENT_IP);
    fault_event_update(vi, event);
}

void fault_status(struct viommu *vi, uint32_t bits)
{
    spin_lock(&vi->reg_lock);
    raise(vi, VIOMMU_EVENT_FAULT, bits);
    spin_unlock(&vi->reg_lock);
}

void fault_completion(struct viommu *vi)
{
    spin_lock(&vi->reg_lock);
    raise(vi, VIOMMU_EVENT_COMPLETION, VTD_ICS_IWC);
    spin_unlock(&vi->reg_lock);
}

void fault_send_events(struct viommu *vi)
{
    unsigned int event;

    /* Whoever sets a bit comes here after it. */
    if ( !ACCESS_ONCE(vi->events) )
        return;

    for ( event = 0; event < ARRAY_SIZE(event_regs); event++ )
    {
        uint64_t addr;
        uint32_t data;
        bool due;

        spin_lock(&vi->reg_lock);
        due = vi->events & (1U << event);
        vi->events &= ~(1U << event);
        addr = regs_get32(vi, event_regs[event].addr) |
               ((uint64_t)regs_get32(vi, event_regs[event].upper_addr) << 32);
        data = regs_get32(vi, event_regs[event].data);
        spin_unlock(&vi->reg_lock);

        if ( due )
            guest_send_msi(vi, addr, data);
    }
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
