/* SPDX-License-Identifier: GPL-2.0-only */
/* frame.h: the guest's memory, and what is remembered of it. sync_lock held. */
#ifndef VIOMMU_FRAME_H
#define VIOMMU_FRAME_H

#include "boundary.h"

/* -ENOMEM */
int __must_check frame_init(struct viommu *vi);
void frame_fini(struct viommu *vi);
/* The slow ways of those below, with what is not remembered. */
uint64_t frame_ask(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                   unsigned int *level);
const void *frame_map(struct viommu *vi, paddr_t addr, enum viommu_use use,
                      bool populate);
bool frame_map_write32(struct viommu *vi, paddr_t addr, uint32_t value);

/*
 * The tag of what is remembered of a gfn in this epoch; that of nothing, if it
 * is wider than tags are, and than any memory.
 */
static inline uint64_t frame_tag(const struct viommu *vi, gfn_t gfn)
{
    return likely(!(gfn_x(gfn) & ~VIOMMU_TAG_GFN))
           ? gfn_x(gfn) | vi->frames.epoch : ~0ULL;
}

/* What is remembered of a gfn; 0: nothing that is true now. */
static inline uint64_t frame_known(const struct viommu *vi, gfn_t gfn)
{
    const struct viommu_frame *set =
        vi->frames.sets + (gfn_x(gfn) % VIOMMU_FRAME_SETS) * VIOMMU_FRAME_WAYS;
    const uint64_t tag = frame_tag(vi, gfn);

    BUILD_BUG_ON(VIOMMU_FRAME_WAYS != 2);
    if ( unlikely(ACCESS_ONCE(vi->generation) != vi->frames.generation) )
        return 0;
    if ( likely(set[0].tag == tag) )
        return set[0].value;

    return set[1].tag == tag ? set[1].value : 0;
}

/*
 * The frame behind a gfn and what the guest may do with it, in the form of a
 * leaf: address, VTD_PTE_R, VTD_PTE_W. 0: it is no RAM of the guest; then
 * *level says for how big a block that holds, aligned, as a leaf has. write:
 * that is wanted, too. populate: as in guest_lookup(). No reference is taken.
 */
static inline uint64_t frame_find(struct viommu *vi, gfn_t gfn, bool write,
                                  bool populate, unsigned int *level)
{
    uint64_t known = frame_known(vi, gfn);

    return known & (write ? VTD_PTE_W : VTD_PTE_R)
           ? known : frame_ask(vi, gfn, write, populate, level);
}

/*
 * The same, with a reference to the frame, unless it returns 0. However fast
 * the guest's memory changes, the frame was the gfn's when it was taken.
 */
uint64_t __must_check frame_take(struct viommu *vi, gfn_t gfn, bool write,
                                 bool populate, unsigned int *level);
/* The page that was last used for that, if it is the one of addr; else NULL. */
static inline void *frame_last(const struct viommu *vi, paddr_t addr,
                               enum viommu_use use)
{
    const struct viommu_last *last = &vi->frames.last[use];

    return likely(last->addr == (addr & ~(VTD_LEVEL_SIZE(1) - 1)) &&
                  last->generation == ACCESS_ONCE(vi->generation))
           ? last->va : NULL;
}

/*
 * The page of the guest that addr is in, to be read; NULL: it is no RAM. Valid
 * until the next call for another page.
 */
static inline const void *frame_page(struct viommu *vi, paddr_t addr,
                                     enum viommu_use use, bool populate)
{
    const void *page = frame_last(vi, addr, use);

    return likely(page) ? page : frame_map(vi, addr, use, populate);
}

/* The dword at addr, which is aligned, in its page. */
static inline void frame_put32(struct viommu *vi, void *page, paddr_t addr,
                               uint32_t value)
{
    uint32_t *dword = page + (addr & (VTD_LEVEL_SIZE(1) - sizeof(*dword)));

    ACCESS_ONCE(*dword) = value;
    guest_dirtied(vi, _gfn(addr >> VTD_PAGE_SHIFT));
}

/* Writes one aligned dword; false: that is no writable RAM of the guest. */
static inline bool __must_check frame_write32(struct viommu *vi, paddr_t addr,
                                              uint32_t value)
{
    /* Only what may be written is remembered for this. */
    void *page = frame_last(vi, addr, VIOMMU_USE_STATUS);

    if ( unlikely(!page) )
        return frame_map_write32(vi, addr, value);
    frame_put32(vi, page, addr, value);

    return true;
}
/* Lets go of all pages. They may have left the guest. */
void frame_unmap_pages(struct viommu *vi);

#endif /* VIOMMU_FRAME_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
