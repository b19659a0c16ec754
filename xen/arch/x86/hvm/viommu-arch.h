/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu-arch.h: what the emulated VT-d unit of a domain has on x86.
 */
#ifndef X86_HVM_VIOMMU_ARCH_H
#define X86_HVM_VIOMMU_ARCH_H

#include <xen/timer.h>

#include <public/hvm/save.h>

#include "../../../drivers/viommu/boundary.h"

/* One vCPU's, for viommu-trap.c. Nobody else looks at it. */
struct viommu_trap {
    /*
     * Where frames are that the last walk used: of the instruction, and of the
     * guest's page tables by level. As long as the p2m does not change.
     */
    uint64_t generation;
    struct {
        unsigned long gfn;           /* INVALID_GFN: nothing */
        mfn_t mfn;
    } page[5];
};

/* An event message of the unit, which is not remapped itself. */
void viommu_send_event(struct domain *d, uint64_t addr, uint32_t data);

/* Of the only IOAPIC that an HVM guest has. */
#define VIOMMU_IOAPIC_PINS \
    ARRAY_SIZE(((struct hvm_hw_vioapic *)NULL)->redirtbl)

struct viommu_arch {
    struct timer timer[VIOMMU_NR_TIMERS];
    struct page_info *inbox;         /* vi->inbox.page; NULL: none yet */
    bool complete;                   /* created */
    /* What a pin was last delivered as; 0: it was not remapped. irq_lock */
    uint8_t pin_vector[VIOMMU_IOAPIC_PINS];
    struct viommu_trap trap[];       /* by vCPU */
};

#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
