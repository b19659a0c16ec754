/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.c: fault records and status, and the two event interrupts (VT-d 7.2,
 * 7.3, 6.5.2.8).
 *
 * An event sets its IP bit when its status goes from nothing to something.
 * While it is not masked, IP turns into a message at once; otherwise when the
 * mask goes, unless software has cleared the status before.
 */
#include "boundary.h"
#include "fault.h"
#include "regfile.h"

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

static unsigned int record_offset(unsigned int i)
{
    return VTD_FRCD + i * VTD_FRCD_SIZE;
}

static bool record_in_use(const struct viommu *vi, unsigned int i)
{
    return regs_get64(vi, record_offset(i) + 8) & VTD_FRCD_HI_F;
}

void fault_records_update(struct viommu *vi)
{
    unsigned int i;

    ASSERT(spin_is_locked(&vi->reg_lock));

    for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
        if ( record_in_use(vi, i) )
            return;

    regs_put32(vi, VTD_FSTS,
               regs_get32(vi, VTD_FSTS) & ~(VTD_FSTS_PPF | VTD_FSTS_FRI));
    fault_event_update(vi, VIOMMU_EVENT_FAULT);
}

/*
 * Whether one more fault may be told to the guest now. A device can raise
 * faults faster than a guest can read them, and each read is an exit.
 */
static bool in_pace(struct viommu *vi)
{
    uint64_t now = guest_time_us();

    if ( elapsed_us(vi->fault_window, now) >= VIOMMU_FAULT_WINDOW_US )
    {
        vi->fault_window = now;
        vi->faults_in_window = 0;
    }

    return vi->faults_in_window++ < VIOMMU_FAULTS_PER_WINDOW;
}

void fault_record(struct viommu *vi, uint16_t sid, uint64_t addr, bool read,
                  unsigned int reason)
{
    unsigned int i;
    uint32_t fsts;

    spin_lock(&vi->reg_lock);

    i = vi->next_record;
    fsts = regs_get32(vi, VTD_FSTS);
    if ( !in_pace(vi) || (fsts & VTD_FSTS_PFO) )
        viommu_count(vi, faults_dropped);
    else if ( record_in_use(vi, i) )
    {
        viommu_count(vi, faults_dropped);
        raise(vi, VIOMMU_EVENT_FAULT, VTD_FSTS_PFO);
    }
    else
    {
        viommu_count(vi, faults_forwarded);
        regs_put64(vi, record_offset(i), addr & VTD_FRCD_LO_FI);
        regs_put64(vi, record_offset(i) + 8,
                   VTD_FRCD_HI_F | (read ? VTD_FRCD_HI_T1 : 0) |
                   MASK_INSR((uint64_t)reason, VTD_FRCD_HI_FR) |
                   MASK_INSR((uint64_t)sid, VTD_FRCD_HI_SID));
        vi->next_record = (i + 1) % VIOMMU_NR_FAULT_RECORDS;

        /* FRI is that of the first record since there was none. */
        if ( !(fsts & VTD_FSTS_PPF) )
            regs_put32(vi, VTD_FSTS, fsts | MASK_INSR(i, VTD_FSTS_FRI));
        raise(vi, VIOMMU_EVENT_FAULT, VTD_FSTS_PPF);
    }

    spin_unlock(&vi->reg_lock);
}

void fault_completion(struct viommu *vi)
{
    spin_lock(&vi->reg_lock);
    raise(vi, VIOMMU_EVENT_COMPLETION, VTD_ICS_IWC);
    spin_unlock(&vi->reg_lock);
}

void fault_send_all(struct viommu *vi)
{
    unsigned int event;

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
