/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * naive-ir.h: what becomes of an interrupt request, by a naive reading of the
 * specification, which knows nothing of vtd-spec.h.
 */
#ifndef VIOMMU_UNIT_NAIVE_IR_H
#define VIOMMU_UNIT_NAIVE_IR_H

#include "intremap.h"

/* What the unit was told, and which memory it may read. */
struct told {
    bool ire, cfi, eime;
    unsigned int entries;
    unsigned long gfn;
    uint64_t *page[256];     /* as of SIRTP, or the last IEC; NULL: no RAM */
};

struct reading {
    enum viommu_remapped is;
    unsigned int reason, index;
    bool recorded;
    struct viommu_interrupt irq;
};

struct reading read_request(const struct told *m,
                            const struct viommu_message *msg);

/* An entry that is random, but makes sense most often. */
void random_irte(uint64_t *entry, bool eime, uint16_t sid);

#endif /* VIOMMU_UNIT_NAIVE_IR_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
