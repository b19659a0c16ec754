/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu.h: all that the rest of Xen may call of the emulated VT-d unit.
 */
#ifndef XEN_VIOMMU_H
#define XEN_VIOMMU_H

#include <xen/errno.h>
#include <xen/mm.h>
#include <xen/pci.h>
#include <xen/types.h>

struct domain;
struct hvm_pirq_dpci;
struct vcpu;
struct xen_domctl_viommu_op;

#ifdef CONFIG_VIOMMU

/* XEN_DOMCTL_viommu_op, see public/viommu_domctl.h. */
int viommu_domctl(struct domain *d, struct xen_domctl_viommu_op *op);

/*
 * Does work that a register write of the vCPU left. To be called before the
 * vCPU runs on, with no lock held. Returns whether more is left.
 */
bool viommu_process_pending(struct vcpu *v);

/*
 * A guest-physical address of the current vCPU faulted. True: it was a plain
 * access to the register page, and is done. No lock held.
 */
bool viommu_access(paddr_t gpa, unsigned long gla, struct npfec npfec);

/*
 * Takes a device from behind the domain's unit, if it is there, and puts it
 * back on the domain's own table, so that it can be deassigned. pcidevs_lock
 * held.
 */
void viommu_detach_device(struct domain *d, const struct pci_dev *pdev);

/*
 * A DMA request of a device faulted. If the device is behind its domain's unit,
 * the guest is told, with the reason that its own tables give. No lock held.
 */
void viommu_report_fault(pci_sbdf_t sbdf, uint64_t addr, bool read);

/*
 * Likewise, an interrupt request was blocked, with that fault reason. addr: as
 * the fault record has it. No lock held.
 */
void viommu_report_blocked(pci_sbdf_t sbdf, uint64_t addr, uint8_t reason);

/* Whether the domain's unit may remap interrupts. */
bool viommu_remaps(const struct domain *d);

/*
 * An interrupt of the domain is about to be delivered: of an IOAPIC pin with
 * that redirection entry (irq_lock held), a message of an emulated device, or
 * of a passed-through one (event_lock held). True: it has been, or has to be
 * dropped.
 */
bool viommu_ioapic_deliver(struct domain *d, unsigned int gsi, uint64_t rte,
                           bool level);
bool viommu_inject_msi(struct domain *d, uint64_t addr, uint32_t data);
bool viommu_deliver_pirq(struct domain *d, struct hvm_pirq_dpci *pirq_dpci);

/*
 * The vector that a pin was last delivered as; vector, that of its redirection
 * entry, unless it was remapped. irq_lock held.
 */
uint8_t viommu_ioapic_vector(const struct domain *d, unsigned int gsi,
                             uint8_t vector);

/*
 * The end of a vector came. Whether it is that of the pin, whose redirection
 * entry has that vector and remote IRR. irq_lock held.
 */
bool viommu_ioapic_ends(const struct domain *d, unsigned int gsi,
                        uint8_t vector, bool remote_irr, uint8_t ended);

/*
 * The end of a vector came. Whether the device's message was remapped to it,
 * and is at its end now. event_lock held.
 */
bool viommu_msi_eoi(struct hvm_pirq_dpci *pirq_dpci, uint8_t vector);

/* HVMOP_viommu_poll, see public/hvm/hvm_op.h. */
long viommu_poll(void);

/*
 * A page left the domain's memory. What devices reach of it only because it is
 * to be unmapped a little later goes before a vCPU of the domain runs on. The
 * p2m lock may be held.
 */
void viommu_memory_removed(struct domain *d);

/*
 * What a gfn of the domain maps, or what may be done with it, has changed. p2m
 * lock held.
 */
void viommu_p2m_changed(struct domain *d);

/*
 * Whether the domain may lack memory although devices are assigned to it: its
 * unit lets them reach nothing but what the guest maps, which is populated
 * then.
 */
bool viommu_overcommitted(const struct domain *d);

/* Gives back the guest's frames. -ERESTART while some are left. */
int viommu_relinquish(struct domain *d);

/* Frees the unit. Idempotent. */
void viommu_domain_destroy(struct domain *d);

#else

static inline int viommu_domctl(struct domain *d,
                                struct xen_domctl_viommu_op *op)
{
    return -EOPNOTSUPP;
}

static inline bool viommu_process_pending(struct vcpu *v)
{
    return false;
}

static inline bool viommu_access(paddr_t gpa, unsigned long gla,
                                 struct npfec npfec)
{
    return false;
}

static inline void viommu_detach_device(struct domain *d,
                                        const struct pci_dev *pdev) {}

static inline void viommu_report_fault(pci_sbdf_t sbdf, uint64_t addr,
                                       bool read) {}

static inline void viommu_report_blocked(pci_sbdf_t sbdf, uint64_t addr,
                                         uint8_t reason) {}

static inline bool viommu_remaps(const struct domain *d)
{
    return false;
}

static inline bool viommu_ioapic_deliver(struct domain *d, unsigned int gsi,
                                         uint64_t rte, bool level)
{
    return false;
}

static inline bool viommu_inject_msi(struct domain *d, uint64_t addr,
                                     uint32_t data)
{
    return false;
}

static inline bool viommu_deliver_pirq(struct domain *d,
                                       struct hvm_pirq_dpci *pirq_dpci)
{
    return false;
}

static inline uint8_t viommu_ioapic_vector(const struct domain *d,
                                           unsigned int gsi, uint8_t vector)
{
    return vector;
}

static inline bool viommu_ioapic_ends(const struct domain *d, unsigned int gsi,
                                      uint8_t vector, bool remote_irr,
                                      uint8_t ended)
{
    return vector == ended;
}

static inline bool viommu_msi_eoi(struct hvm_pirq_dpci *pirq_dpci,
                                  uint8_t vector)
{
    return false;
}

static inline long viommu_poll(void)
{
    return -ENOSYS;
}

static inline void viommu_memory_removed(struct domain *d) {}

static inline void viommu_p2m_changed(struct domain *d) {}

static inline bool viommu_overcommitted(const struct domain *d)
{
    return false;
}

static inline int viommu_relinquish(struct domain *d)
{
    return 0;
}

static inline void viommu_domain_destroy(struct domain *d) {}

#endif

#endif /* XEN_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
