/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * format.h: the entries of shadow tables as the hardware reads them (VT-d
 * 9.8), and what is noted in bits that it ignores. Layer 1: no calls.
 */
#ifndef VIOMMU_FORMAT_H
#define VIOMMU_FORMAT_H

#include "types.h"

/* A leaf of a shadow table, or the hole in its place. */
struct shadow_leaf {
    uint64_t pte;            /* 0: a hole */
    unsigned int level;      /* of the table whose entry it is */
};

/* In an entry that points to a table: how many of its entries are not 0. */
#define SHADOW_PTE_LIVE     0x3ff0000000000000ULL
/*
 * In a leaf that lingers: that it does, and the last bits of its number in the
 * ring of those, to tell it from one that did before at the same place.
 */
#define SHADOW_PTE_STALE    0x2000000000000000ULL
#define SHADOW_PTE_SEQ      0x1ff0000000000000ULL
#define SHADOW_PTE_NOTE     (SHADOW_PTE_STALE | SHADOW_PTE_SEQ)

/*
 * In a link, too: a superpage of the guest, as big as all that is translated
 * by the table, may have left leaves in it.
 */
#define SHADOW_PTE_MARK     0x8000000000000000ULL

/* In a link to a leaf table: it has a place among those that may be empty. */
#define SHADOW_PTE_IDLE     VTD_PTE_IGNORED_LINK

static inline bool shadow_pte_present(uint64_t pte)
{
    return pte & (VTD_PTE_R | VTD_PTE_W);
}

static inline mfn_t shadow_pte_mfn(uint64_t pte)
{
    return _mfn((pte & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
}

static inline uint64_t shadow_pte_link(mfn_t mfn, unsigned int live)
{
    return (mfn_x(mfn) << VTD_PAGE_SHIFT) | VTD_PTE_R | VTD_PTE_W |
           MASK_INSR((uint64_t)live, SHADOW_PTE_LIVE);
}

/*
 * Of a page; a superpage is that and VTD_PTE_SP. frame: as frame.h says it, of
 * which no more than rights.
 */
static inline uint64_t shadow_pte_leaf(const struct viommu *vi, uint64_t frame,
                                       uint64_t rights)
{
    return (frame & (VTD_PTE_ADDR | rights)) | vi->leaf_bits;
}

/* Whether any of 16 entries has one of those bits: most have not. */
static inline bool any_of_16(const uint64_t *e, uint64_t bits)
{
    return (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7] |
            e[8] | e[9] | e[10] | e[11] | e[12] | e[13] | e[14] | e[15]) &
           bits;
}

/*
 * How many entries from e on, n at the most, have none of those bits. Of a
 * table that the guest may write this is a hint: it may change at once.
 */
static inline unsigned int count_without(const uint64_t *e, unsigned int n,
                                         uint64_t bits)
{
    const uint64_t *first = e, *end = e + n;

    while ( end - e >= 16 && !any_of_16(e, bits) )
        e += 16;
    while ( e < end && !(ACCESS_ONCE(*e) & bits) )
        e++;

    return e - first;
}

#endif /* VIOMMU_FORMAT_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
