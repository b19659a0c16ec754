/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * regfile.h: the register file from inside, without access rules. offset: of a
 * register. reg_lock held, but for glances.
 */
#ifndef VIOMMU_REGFILE_H
#define VIOMMU_REGFILE_H

#include "types.h"

static inline uint32_t regs_get32(const struct viommu *vi, unsigned int offset)
{
    return vi->regs[offset / sizeof(uint32_t)];
}

static inline uint64_t regs_get64(const struct viommu *vi, unsigned int offset)
{
    return regs_get32(vi, offset) |
           ((uint64_t)regs_get32(vi, offset + sizeof(uint32_t)) << 32);
}

static inline void regs_put32(struct viommu *vi, unsigned int offset,
                              uint32_t value)
{
    vi->regs[offset / sizeof(uint32_t)] = value;
}

static inline void regs_put64(struct viommu *vi, unsigned int offset,
                              uint64_t value)
{
    regs_put32(vi, offset, value);
    regs_put32(vi, offset + sizeof(uint32_t), value >> 32);
}

/*
 * Without reg_lock, to see whether there is any work. What comes too late for
 * that is not lost: who writes it then looks for himself, or finds sync_lock
 * taken and has a vCPU look.
 */
static inline uint32_t regs_glance(const struct viommu *vi,
                                   unsigned int offset)
{
    return ACCESS_ONCE(vi->regs[offset / sizeof(uint32_t)]);
}

#endif /* VIOMMU_REGFILE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
