/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * intremap.h: interrupts are remapped by the guest's table (VT-d 5.1).
 *
 * intremap_message() is what an interrupt comes through when it is delivered.
 * Everything else keeps up what that works by.
 */
#ifndef VIOMMU_INTREMAP_H
#define VIOMMU_INTREMAP_H

#include "types.h"

/* An interrupt request. */
struct viommu_message {
    uint64_t addr;
    uint32_t data;
    uint16_t sid;            /* of the requester */
    bool no_sid;             /* it is not known: no entry asks for it */
};

/* What an interrupt request becomes. */
struct viommu_interrupt {
    uint32_t dest;           /* an APIC ID, 32 bits of x2APIC, or a set */
    uint8_t vector;
    uint8_t mode;            /* VTD_DLM_* */
    bool logical;
    bool level;
    bool any;                /* to one of them only */
};

enum viommu_remapped {
    VIOMMU_UNCHANGED,        /* to be delivered as it is */
    VIOMMU_REMAPPED,         /* to be delivered as *irq says */
    VIOMMU_DROPPED,          /* not to be delivered */
};

/*
 * Looks a request up in the guest's table as it is now. Takes remap_lock, for a
 * short time, and nothing else; whatever lock may be held, but that.
 */
enum viommu_remapped __must_check
intremap_message(struct viommu *vi, const struct viommu_message *msg,
                 struct viommu_interrupt *irq);
/* What an IOAPIC sends for a redirection entry. */
struct viommu_message intremap_rte_message(uint64_t rte);
/*
 * What a passed-through device sends, as XEN_DOMCTL_bind_pt_irq has it; without
 * its requester ID. Of a message in compatibility format only that is kept: no
 * more decides what becomes of it here.
 */
struct viommu_message intremap_pirq_message(uint8_t gvec, uint32_t gflags);
/* The requester ID of a device behind the unit; ~0: it is none. No lock. */
uint16_t intremap_requester(const struct viommu *vi, pci_sbdf_t sbdf);

/* A blocked request, as its fault record has it. */
struct viommu_ir_fault {
    uint16_t sid, index;
    uint8_t reason;
};
/* Takes out one that is still to be reported. No lock. */
bool __must_check intremap_take_fault(struct viommu *vi,
                                      struct viommu_ir_fault *fault);
/*
 * The machine blocked a request of a device. False: no record is due now, since
 * there were many.
 */
bool __must_check intremap_blocked(struct viommu *vi, uint16_t sid,
                                   uint16_t index, unsigned int reason);

/* -ENOMEM. Nothing to do unless vi->intremap. */
int __must_check intremap_init(struct viommu *vi);
void intremap_fini(struct viommu *vi);

/* The rest with sync_lock held. */

/* SIRTP was given, with this IRTA. */
void intremap_latch(struct viommu *vi, uint64_t irta);
/* The global command is done. -ERESTART: the budget is used up. */
int __must_check intremap_command(struct viommu *vi, uint32_t gcmd,
                                  struct viommu_budget *b);
/* The guest changed entries, perhaps where they are. -ERESTART */
int __must_check intremap_refresh(struct viommu *vi, struct viommu_budget *b);
/* Lets go of pages that are not the guest's any more, or (all) of all. */
void intremap_unmap(struct viommu *vi, bool all);
/* Whether pages may be mapped, and whether requests are remapped. No lock. */
bool intremap_maps(const struct viommu *vi);
bool intremap_is_on(const struct viommu *vi);
/* A device came to a place of vi->devices[], or left it (NULL). */
void intremap_bind(struct viommu *vi, unsigned int place,
                   const pci_sbdf_t *sbdf);

#endif /* VIOMMU_INTREMAP_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
