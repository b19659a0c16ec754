/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake-hw.h: the inside of the machine, for fake-hw.c and dma.c.
 */
#ifndef VIOMMU_UNIT_FAKE_HW_H
#define VIOMMU_UNIT_FAKE_HW_H

#include "fake.h"

/* A translation that the tables do not hold any more. */
struct stale {
    uint64_t addr;
    uint64_t entry;              /* 0: it was not present, and is now */
};

struct hw_attachment {
    struct viommu_shadow *s;
    unsigned int devices;
    struct stale *stale;
    unsigned int nr_stale, room;
    unsigned int unlinked;       /* tables that were, since the last flush */
};

struct table {
    void *block;                 /* that they are in */
    uint64_t *entries;           /* as the core wrote them; NULL: free */
    uint64_t *seen;              /* as the hardware sees them */
    unsigned int index, next_free;
    struct hw_attachment *in;    /* the shadow that it is linked into */
    struct hw_attachment *unlinked_from;
    unsigned int level;
    uint64_t base;               /* the first address it translates */
};

struct table *hw_table_of(unsigned long mfn);

static inline unsigned long entry_mfn(uint64_t entry)
{
    return (entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
}

#endif /* VIOMMU_UNIT_FAKE_HW_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
