/* SPDX-License-Identifier: GPL-2.0-only */
/* regs.h: access rules of the register file. */
#ifndef VIOMMU_REGS_H
#define VIOMMU_REGS_H

#include "regfile.h"

void regs_init(struct viommu *vi);
/*
 * A dword written by the guest, however. Returns whether that may have left
 * work. offset: aligned. reg_lock held.
 */
bool __must_check regs_apply(struct viommu *vi, unsigned int offset,
                             uint32_t value);
/* The same for the lower half of IQT, which is what is mostly written. */
static inline void regs_apply_tail(struct viommu *vi, uint32_t value)
{
    regs_put32(vi, VTD_IQT, value & VTD_IQ_OFFSET);
}

#endif /* VIOMMU_REGS_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
