/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * caps.c: what the unit can do: no more than each unit of the machine, since a
 * device may be behind any of them (VT-d 11.4.2, 11.4.3).
 */
#include "boundary.h"
#include "caps.h"

/* Levels of the biggest second-level tables; 0: less than three. */
static unsigned int levels_of(uint64_t cap)
{
    return cap & VTD_CAP_SAGAW_48 ? 4 : cap & VTD_CAP_SAGAW_39 ? 3 : 0;
}

int caps_init(struct viommu *vi)
{
    uint64_t superpages = hw_superpages();
    unsigned int n, levels = VIOMMU_SHADOW_LEVELS;
    unsigned int width = VTD_LEVEL_WIDTH(VIOMMU_SHADOW_LEVELS);
    bool zlr = true, snoop = hw_snoop();
    struct hw_unit unit;

    for ( n = 0; hw_unit(n, &unit); n++ )
    {
        /* A table may have more levels than the unit takes addresses for. */
        unsigned int mgaw = MASK_EXTR(unit.cap, VTD_CAP_MGAW) + 1;

        levels = min(levels, levels_of(unit.cap));
        width = min(width, mgaw);
        superpages &= unit.cap;
        zlr &= !!(unit.cap & VTD_CAP_ZLR);
        snoop &= !!(unit.ecap & VTD_ECAP_SC);
    }

    /* A shadow's first table of three levels always is one; see table.c. */
    if ( !n || levels < 3 || width < VTD_LEVEL_WIDTH(2) )
        return -EOPNOTSUPP;

    vi->levels = levels;
    vi->width = min(width, VTD_LEVEL_WIDTH(levels) + 0U);
    vi->leaf_level = !(superpages & VTD_CAP_SLLPS_2M) ? 1
                     : superpages & VTD_CAP_SLLPS_1G ? 3 : 2;
    vi->leaf_bits = snoop ? VTD_PTE_SNP : 0;

    vi->cap = MASK_INSR(6ULL, VTD_CAP_ND) |
              VTD_CAP_CM |
              VTD_CAP_SAGAW_39 |
              (levels >= 4 ? VTD_CAP_SAGAW_48 : 0) |
              MASK_INSR((uint64_t)vi->width - 1, VTD_CAP_MGAW) |
              (zlr ? VTD_CAP_ZLR : 0) |
              MASK_INSR((uint64_t)VTD_FRCD / 16, VTD_CAP_FRO) |
              VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G |
              VTD_CAP_PSI |
              MASK_INSR(VIOMMU_NR_FAULT_RECORDS - 1ULL, VTD_CAP_NFR) |
              MASK_INSR((uint64_t)VIOMMU_MAMV, VTD_CAP_MAMV) |
              VTD_CAP_DWD | VTD_CAP_DRD;

    vi->ecap = VTD_ECAP_C |
               VTD_ECAP_QI |
               (vi->overcommit ? 0 : VTD_ECAP_PT) |
               (snoop ? VTD_ECAP_SC : 0) |
               (vi->intremap ? VTD_ECAP_IR | VTD_ECAP_EIM |
                               MASK_INSR(15ULL, VTD_ECAP_MHMV) : 0) |
               MASK_INSR((uint64_t)VTD_IVA / 16, VTD_ECAP_IRO);

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
