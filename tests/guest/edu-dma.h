/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests/guest/linux/edu_dma.c does for tests/guest/edu-map.c by
 * /dev/edu-dma: one call of Linux's DMA API for each ioctl, on pages that the
 * file maps.
 */
#ifndef EDU_DMA_H
#define EDU_DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ARENA_PAGES 64 /* in a row; at offset 0 of the file */
#define COHERENT_AT (1ul << 20) /* where the coherent memory is in it */
#define EDU_PARTS 16

/* As enum dma_data_direction has them. */
#define EDU_BOTH 0
#define EDU_TO_DEVICE 1
#define EDU_FROM_DEVICE 2

enum edu_op {
    EDU_MAP,      /* offset, len, dir -> addr[0]; dma_map_page() */
    EDU_UNMAP,    /* addr[0], len, dir */
    EDU_MAP_SG,   /* count parts of len at offset, offset + stride, ... */
    EDU_UNMAP_SG, /* the list of the last EDU_MAP_SG */
    EDU_ALLOC,    /* len -> addr[0]; coherent memory, one piece at a time */
    EDU_FREE,
    EDU_RESOURCE, /* the device's own registers -> addr[0], and unmapped */
    EDU_MASK,     /* count bits */
    EDU_PAIRS,    /* maps and unmaps count times, pages of the arena by turns */
    EDU_MEMORY,   /* -> addr[0]: the physical address of the arena */
};

struct edu_call {
    __u32 op, dir;
    __u32 offset, len;
    __u32 count, stride;
    __u64 addr[EDU_PARTS];
};

#define EDU_CALL _IOWR('e', 1, struct edu_call)

#endif
