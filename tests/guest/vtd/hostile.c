/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hostile.c: what the hostile parts have in common, and their order.
 */
#include "hostile.h"

#define BUFFER          2048U           /* the half that holds what was read */

uint32_t device_reads(uint64_t iova)
{
    *mem32(window_page) = 0;
    edu_dma(&edus[0], false, iova, BUFFER, 4);
    edu_dma(&edus[0], true, WINDOW, BUFFER, 4);

    return *mem32(window_page);
}

void device_writes(uint64_t iova, uint32_t value)
{
    *mem32(window_page) = value;
    edu_dma(&edus[0], false, WINDOW, BUFFER, 4);
    device_repeats(iova);
}

void device_repeats(uint64_t iova)
{
    edu_dma(&edus[0], true, iova, BUFFER, 4);
}

void hostile(bool checks)
{
    edu_init();
    if ( checks )
    {
        hostile_memory();
        hostile_tables();
        summary();
    }
    hostile_phases();
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
