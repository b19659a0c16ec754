/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu_slots.c: where devices behind the emulated VT-d unit go.
 *
 * The unit's DMAR table is written before the device model decides anything
 * and names fixed slots, so a device has to be in one of them.
 */
#include "libxl_viommu_guest.h"

enum viommu_place viommu_place(uint32_t *vdevfn, unsigned int nr,
                               uint32_t taken, unsigned int *culprit)
{
    unsigned int i, slot;

    for (i = 0; i < nr; i++) {
        if (!vdevfn[i])
            continue;

        *culprit = i;
        slot = vdevfn[i] >> 3;
        if (slot < XEN_VIOMMU_SLOT_FIRST || slot > XEN_VIOMMU_SLOT_LAST)
            return VIOMMU_PLACE_OUTSIDE;
        if (taken & (1U << slot))
            return VIOMMU_PLACE_TAKEN;
        taken |= 1U << slot;
    }

    for (i = 0, slot = XEN_VIOMMU_SLOT_FIRST; i < nr; i++) {
        if (vdevfn[i])
            continue;

        while (slot <= XEN_VIOMMU_SLOT_LAST && taken & (1U << slot))
            slot++;
        if (slot > XEN_VIOMMU_SLOT_LAST) {
            *culprit = i;
            return VIOMMU_PLACE_FULL;
        }
        vdevfn[i] = slot++ << 3;
    }

    return VIOMMU_PLACED;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
