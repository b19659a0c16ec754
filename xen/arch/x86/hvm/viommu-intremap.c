/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu-intremap.c: the interrupts of a guest whose emulated VT-d unit remaps
 * them: IOAPIC pins, messages of the device model's devices, and those of
 * passed-through devices. Each asks the unit when it is delivered.
 */
#include <xen/irq.h>
#include <xen/sched.h>
#include <xen/viommu.h>

#include <asm/event.h>
#include <asm/hvm/hvm.h>
#include <asm/hvm/irq.h>
#include <asm/hvm/vlapic.h>
#include <asm/msi.h>

#include "../../../drivers/viommu/intremap.h"

#include "viommu-arch.h"

static struct viommu *remapping_unit(const struct domain *d)
{
    struct viommu *vi = is_hvm_domain(d) ? d->arch.hvm.viommu : NULL;

    return vi && vi->ir ? vi : NULL;
}

bool viommu_remaps(const struct domain *d)
{
    return remapping_unit(d);
}

/* Returns the vCPU that got it; -1: none, or more than one. */
static int deliver(struct domain *d, const struct viommu_interrupt *irq,
                   bool level)
{
    struct vlapic *one = NULL;
    struct vcpu *v;
    int to = -1;
    unsigned int n = 0;

    switch ( irq->mode )
    {
    case VTD_DLM_FIXED:
    case VTD_DLM_LOWEST:
    case VTD_DLM_NMI:
        break;

    default: /* SMI, INIT, ExtINT: there is nobody to take them */
        return -1;
    }

    if ( irq->any )
        one = vlapic_lowest_prio(d, NULL, 0, irq->dest, irq->logical);

    for_each_vcpu ( d, v )
    {
        struct vlapic *vlapic = vcpu_vlapic(v);

        if ( irq->any ? vlapic != one
                      : !vlapic_match_dest(vlapic, NULL, 0, irq->dest,
                                           irq->logical) )
            continue;

        if ( irq->mode == VTD_DLM_NMI )
        {
            if ( !test_and_set_bool(v->arch.nmi_pending) )
                vcpu_kick(v);
        }
        else if ( vlapic_enabled(vlapic) )
            vlapic_set_irq(vlapic, irq->vector, level);
        else
            continue;

        to = v->vcpu_id;
        n++;
    }

    return n == 1 ? to : -1;
}

void viommu_send_event(struct domain *d, uint64_t addr, uint32_t data)
{
    const struct viommu_interrupt irq = {
        .dest = MASK_EXTR(addr, MSI_ADDR_DEST_ID_MASK) | (addr >> 40 << 8),
        .vector = MASK_EXTR(data, MSI_DATA_VECTOR_MASK),
        .mode = MASK_EXTR(data, MSI_DATA_DELIVERY_MODE_MASK),
        .logical = addr & MSI_ADDR_DESTMODE_MASK,
        .any = MASK_EXTR(data, MSI_DATA_DELIVERY_MODE_MASK) == VTD_DLM_LOWEST,
    };

    (void)deliver(d, &irq, false);
}

/* ---- IOAPIC pins. ---- */

bool viommu_ioapic_deliver(struct domain *d, unsigned int gsi, uint64_t rte,
                           bool level)
{
    struct viommu *vi = remapping_unit(d);
    struct viommu_message msg;
    struct viommu_interrupt irq;

    if ( likely(!vi) || gsi >= ARRAY_SIZE(vi->arch->pin_vector) )
        return false;

    ASSERT(spin_is_locked(&d->arch.hvm.irq_lock));

    vi->arch->pin_vector[gsi] = 0;
    msg = intremap_rte_message(rte);
    switch ( intremap_message(vi, &msg, &irq) )
    {
    case VIOMMU_UNCHANGED:
        return false;

    case VIOMMU_REMAPPED:
        /*
         * The pin has it until the end of this vector. That this comes to the
         * IOAPIC at all is decided by the trigger mode, and Linux has all
         * entries say that it is edge.
         */
        vi->arch->pin_vector[gsi] = irq.vector;
        (void)deliver(d, &irq, level);
        break;

    case VIOMMU_DROPPED:
    default:
        break;
    }

    return true;
}

uint8_t viommu_ioapic_vector(const struct domain *d, unsigned int gsi,
                             uint8_t vector)
{
    const struct viommu *vi = remapping_unit(d);

    if ( likely(!vi) || gsi >= ARRAY_SIZE(vi->arch->pin_vector) )
        return vector;

    return vi->arch->pin_vector[gsi] ?: vector;
}

bool viommu_ioapic_ends(const struct domain *d, unsigned int gsi,
                        uint8_t vector, bool remote_irr, uint8_t ended)
{
    const struct viommu *vi = remapping_unit(d);

    if ( likely(!vi) || gsi >= ARRAY_SIZE(vi->arch->pin_vector) ||
         !vi->arch->pin_vector[gsi] )
        return vector == ended;

    /*
     * An interrupt ends once. Linux ends one by switching its pin to edge and
     * back, too, and the vector may be another pin's by now: without remote IRR
     * the device's line was deasserted already. A second time would leave its
     * count of pending interrupts below 0, and it masked in the host.
     */
    return remote_irr && vi->arch->pin_vector[gsi] == ended;
}

/* ---- Messages of the device model's devices. ---- */

bool viommu_inject_msi(struct domain *d, uint64_t addr, uint32_t data)
{
    struct viommu *vi = remapping_unit(d);
    const struct viommu_message msg = {
        .addr = addr, .data = data, .no_sid = true,
    };
    struct viommu_interrupt irq;

    if ( likely(!vi) )
        return false;

    switch ( intremap_message(vi, &msg, &irq) )
    {
    case VIOMMU_UNCHANGED:
        return false;

    case VIOMMU_REMAPPED:
        (void)deliver(d, &irq, irq.level);
        break;

    case VIOMMU_DROPPED:
    default:
        break;
    }

    return true;
}

/* ---- Messages of passed-through devices. ---- */

bool viommu_deliver_pirq(struct domain *d, struct hvm_pirq_dpci *pirq_dpci)
{
    struct viommu *vi = remapping_unit(d);
    struct viommu_message msg;
    struct viommu_interrupt irq;
    struct irq_desc *desc;
    unsigned long flags;

    if ( likely(!vi) )
        return false;

    msg = intremap_pirq_message(pirq_dpci->gmsi.gvec, pirq_dpci->gmsi.gflags);
    msg.sid = ~0;
    desc = pirq_spin_lock_irq_desc(dpci_pirq(pirq_dpci), &flags);
    if ( desc )
    {
        if ( desc->msi_desc && desc->msi_desc->dev )
            msg.sid = intremap_requester(vi, desc->msi_desc->dev->sbdf);
        spin_unlock_irqrestore(&desc->lock, flags);
    }

    pirq_dpci->gmsi.remapped = 0;
    switch ( intremap_message(vi, &msg, &irq) )
    {
    case VIOMMU_UNCHANGED:
        /* While it is off, this names no vector that there could be. */
        return pirq_dpci->gmsi.gflags & XEN_VIOMMU_MSI_REMAPPABLE;

    case VIOMMU_REMAPPED:
        /* Its end waits for event_lock. */
        pirq_dpci->gmsi.dest_vcpu_id = deliver(d, &irq, irq.level);
        pirq_dpci->gmsi.remapped = irq.vector;
        break;

    case VIOMMU_DROPPED:
    default:
        break;
    }

    return true;
}

bool viommu_msi_eoi(struct hvm_pirq_dpci *pirq_dpci, uint8_t vector)
{
    const struct hvm_gmsi_info *gmsi = &pirq_dpci->gmsi;

    /* Other vCPUs may have the same vector for something else. */
    if ( likely(!gmsi->remapped) || gmsi->remapped != vector ||
         (gmsi->dest_vcpu_id >= 0 && gmsi->dest_vcpu_id != current->vcpu_id) )
        return false;

    pirq_dpci->gmsi.remapped = 0;

    return true;
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
