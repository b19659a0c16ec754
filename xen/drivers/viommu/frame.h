/* SPDX-License-Identifier: GPL-2.0-only */
/* frame.h: the guest's memory, and what is remembered of it. sync_lock held. */
#ifndef VIOMMU_FRAME_H
#define VIOMMU_FRAME_H

#include "types.h"

/* -ENOMEM */
int __must_check frame_init(struct viommu *vi);
void frame_fini(struct viommu *vi);
/*
 * The frame behind a gfn and what the guest may do with it, in the form of a
 * leaf: address, VTD_PTE_R, VTD_PTE_W. 0: it is no RAM of the guest; then
 * *level says for how big a block that holds, aligned, as a leaf has. write:
 * that is wanted, too. populate: as in guest_lookup(). No reference is taken.
 */
uint64_t frame_find(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                    unsigned int *level);
/*
 * Takes a reference to what frame_find() has found for a gfn. False: it is not
 * the guest's any more, or the gfn's: ask again, FRAME_TRIES times in all, since
 * only the guest's own memory changes that fast.
 */
bool __must_check frame_hold(struct viommu *vi, gfn_t gfn, bool write,
                             mfn_t mfn);
#define FRAME_TRIES 4
/*
 * A page of the guest, to be read; NULL: it is no RAM. Valid until the next
 * call for another page.
 */
const void *frame_page(struct viommu *vi, gfn_t gfn, bool populate);
/* Writes one aligned dword; false: that is no writable RAM of the guest. */
bool __must_check frame_write32(struct viommu *vi, paddr_t addr,
                                uint32_t value);
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
