/* SPDX-License-Identifier: GPL-2.0-only */
/* inbox.h: the register page, as memory and for trapped accesses. */
#ifndef VIOMMU_INBOX_H
#define VIOMMU_INBOX_H

#include "types.h"

/* What the guest wrote there becomes register writes. reg_lock. */
void inbox_absorb(struct viommu *vi);
/* The same for plain registers as well. */
void inbox_absorb_all(struct viommu *vi);
/* The guest sees there what commands, or (all) anything, changed. reg_lock. */
void inbox_show(struct viommu *vi);
void inbox_show_all(struct viommu *vi);
/* 0: the register at offset is what was shown of it last. No lock. */
static inline uint32_t inbox_differs(const struct viommu *vi,
                                     unsigned int offset)
{
    return ACCESS_ONCE(vi->inbox.page[offset / sizeof(uint32_t)]) ^
           ACCESS_ONCE(vi->inbox.shown[offset / sizeof(uint32_t)]);
}
/*
 * Not 0: there is something to absorb, or absorbed and to be done. No lock. It
 * looks at the registers that start something (polled[] in inbox.c).
 */
static inline uint32_t inbox_peek(const struct viommu *vi)
{
    return inbox_differs(vi, VTD_IQT) | inbox_differs(vi, VTD_GCMD) |
           inbox_differs(vi, VTD_IOTLB + 4) | inbox_differs(vi, VTD_CCMD + 4) |
           inbox_differs(vi, VTD_FSTS) | (uint32_t)ACCESS_ONCE(vi->inbox.work);
}
/* The same of the tail alone, which is what a driver with a queue writes. */
static inline uint32_t inbox_peek_tail(const struct viommu *vi)
{
    return inbox_differs(vi, VTD_IQT) | (uint32_t)ACCESS_ONCE(vi->inbox.work);
}
/* An idle look at a further part of the page. sync_lock. */
void inbox_scrub(struct viommu *vi);
/* The page becomes memory. False: it cannot be now. sync_lock. */
bool inbox_enter(struct viommu *vi);
/* It traps, if it did not. Returns whether there is work. sync_lock. */
bool inbox_leave(struct viommu *vi);

/*
 * A trapped access. size: 4 or 8; offset aligned to it, and below 4 KiB. What
 * is there but no register reads 0 and ignores writes. No lock.
 */
uint64_t inbox_trapped_read(struct viommu *vi, unsigned int offset,
                            unsigned int size);
/* Returns whether there is work to do now. */
bool __must_check inbox_trapped_write(struct viommu *vi, unsigned int offset,
                                      unsigned int size, uint64_t value);
/* The same of VTD_IQT, of either size, which always leaves some. */
void inbox_trapped_tail(struct viommu *vi, uint32_t value);

#endif /* VIOMMU_INBOX_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
