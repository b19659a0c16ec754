/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's educational PCI device (1234:11e8), as far as it does DMA: one
 * engine, which copies between memory and a buffer of 4 KiB in the device,
 * 100 ms after it was told to. The rig gives it an address mask of 64 bits. And
 * it raises an interrupt when it is told to.
 */
#ifndef EDU_H
#define EDU_H

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define EDU_ID_MAGIC    0xed
#define EDU_IRQ_RAISE   0x60
#define EDU_IRQ_ACK     0x64
#define EDU_DMA_SRC     0x80
#define EDU_DMA_DST     0x88
#define EDU_DMA_COUNT   0x90
#define EDU_DMA_CMD     0x98
#define EDU_DMA_RUN     1
#define EDU_DMA_TO_RAM  2
#define EDU_BUFFER      0x40000
#define EDU_BUFFER_SIZE 4096

static inline int edu_present(volatile uint8_t *bar)
{
    return (*(volatile uint32_t *)bar & 0xff) == EDU_ID_MAGIC;
}

static inline void edu_raise(volatile uint8_t *bar, uint32_t bits)
{
    *(volatile uint32_t *)(bar + EDU_IRQ_RAISE) = bits;
}

static inline void edu_acknowledge(volatile uint8_t *bar, uint32_t bits)
{
    *(volatile uint32_t *)(bar + EDU_IRQ_ACK) = bits;
}

/* Returns 0 when the engine has finished, whether or not the DMA arrived. */
static inline int edu_dma(volatile uint8_t *bar, int to_ram, uint64_t address,
                          unsigned int offset, unsigned int count)
{
    volatile uint32_t *cmd = (volatile uint32_t *)(bar + EDU_DMA_CMD);
    volatile uint64_t *src = (volatile uint64_t *)(bar + EDU_DMA_SRC);
    volatile uint64_t *dst = (volatile uint64_t *)(bar + EDU_DMA_DST);
    volatile uint64_t *cnt = (volatile uint64_t *)(bar + EDU_DMA_COUNT);

    *src = to_ram ? EDU_BUFFER + offset : address;
    *dst = to_ram ? address : EDU_BUFFER + offset;
    *cnt = count;
    *cmd = EDU_DMA_RUN | (to_ram ? EDU_DMA_TO_RAM : 0);
    for ( int i = 0; i < 1000; i++ )
    {
        usleep(10000);
        if ( !(*cmd & EDU_DMA_RUN) )
            return 0;
    }
    printf("edu: the DMA engine does not finish\n");
    return -1;
}

/* The guest-physical address of a page that was touched and is locked. */
static inline uint64_t physical(int pagemap, const void *page)
{
    uint64_t entry;

    if ( pread(pagemap, &entry, 8, (uintptr_t)page / 4096 * 8) != 8 ||
         !(entry >> 63) )
        return 0;
    return (entry & ((1ul << 55) - 1)) * 4096;
}

#endif
