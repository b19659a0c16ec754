/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edu.c: QEMU's educational PCI device (1234:11e8). Its engine copies between
 * memory and a buffer of 4 KiB in the device, 100 ms after it was told to.
 *
 * The lower half of the buffer is loaded once with words that are all
 * different, for the device to write; the upper half takes what it reads.
 */
#include "guest.h"

#define ID              0x11e81234U
#define FIRST_SLOT      0x10
#define LAST_SLOT       0x1f
#define BAR             0xf0000000ULL   /* in the hole below 4 GiB */
#define BAR_SIZE        0x100000ULL
#define PCI_COMMAND     0x04
#define PCI_BAR0        0x10
#define COMMAND_MEMORY_MASTER 6

#define REG_SRC         0x80
#define REG_DST         0x88
#define REG_COUNT       0x90
#define REG_CMD         0x98
#define CMD_RUN         1
#define CMD_TO_MEMORY   2
#define BUFFER          0x40000
#define HALF            2048U

#define UNTOUCHED       0x0badf00dU

struct edu edus[2];
unsigned int nr_edus;
uint64_t window_page;

/* There is no firmware: memory is assigned to the device here. */
void edu_init(void)
{
    unsigned int slot;

    for ( slot = FIRST_SLOT; slot <= LAST_SLOT && nr_edus < ARRAY_SIZE(edus);
          slot++ )
    {
        struct edu *e = &edus[nr_edus];

        if ( pci_read(slot << 3, 0) != ID )
            continue;

        e->devfn = slot << 3;
        e->number = nr_edus;
        e->bar = BAR + nr_edus * BAR_SIZE;
        pci_write(e->devfn, PCI_BAR0, e->bar);
        pci_write(e->devfn, PCI_COMMAND, COMMAND_MEMORY_MASTER);
        if ( (mmio_read32(e->bar) & 0xff) == 0xed )
            nr_edus++;
        else
            say("the device in slot 0x%x does not answer\n", slot);
    }
    say("%u devices for DMA\n", nr_edus);
}

void edu_start(struct edu *e, bool to_memory, uint64_t addr,
               unsigned int offset, unsigned int count)
{
    uint64_t buffer = BUFFER + offset;

    mmio_write64(e->bar + REG_SRC, to_memory ? buffer : addr);
    mmio_write64(e->bar + REG_DST, to_memory ? addr : buffer);
    mmio_write64(e->bar + REG_COUNT, count);
    mmio_write32(e->bar + REG_CMD, CMD_RUN | (to_memory ? CMD_TO_MEMORY : 0));
}

/* False if the engine does not finish; whether the DMA arrived is not said. */
bool edu_dma(struct edu *e, bool to_memory, uint64_t addr, unsigned int offset,
             unsigned int count)
{
    edu_start(e, to_memory, addr, offset, count);
    if ( WAIT_FOR(!(mmio_read32(e->bar + REG_CMD) & CMD_RUN)) )
        return true;

    say("the DMA engine does not finish\n");

    return false;
}

/* The word that the device has at that offset of its buffer. */
static uint32_t loaded(const struct edu *e, unsigned int offset)
{
    return 0xed000000U | (e->number << 16) | (offset + 1);
}

/* Fills the lower half of the buffer; translation is off. */
bool edu_load(struct edu *e)
{
    uint64_t page = page_new();
    unsigned int i;

    for ( i = 0; i < HALF; i += 4 )
        *mem32(page + i) = loaded(e, i);
    if ( !edu_dma(e, false, page, 0, HALF) )
        return false;

    for ( i = 0; i < HALF; i += 4 )
        *mem32(page + i) = 0;
    if ( !edu_dma(e, true, page, 0, HALF) )
        return false;

    for ( i = 0; i < HALF; i += 4 )
        if ( *mem32(page + i) != loaded(e, i) )
            return false;

    return true;
}

enum dma edu_writes(struct edu *e, uint64_t addr, uint64_t phys)
{
    unsigned int offset = e->next;
    uint32_t word;

    e->next = (offset + 4) % HALF;
    *mem32(phys) = UNTOUCHED;
    edu_dma(e, true, addr, offset, 4);
    word = *mem32(phys);

    return word == loaded(e, offset) ? ARRIVED :
           word == UNTOUCHED ? BLOCKED : GARBLED;
}

enum dma edu_reads(struct edu *e, uint64_t addr, uint64_t phys)
{
    static uint32_t number = 0x5eed0000U;
    unsigned int offset = HALF + e->next;

    e->next = (e->next + 4) % HALF;
    *mem32(phys) = ++number;
    edu_dma(e, false, addr, offset, 4);

    *mem32(window_page) = UNTOUCHED;
    edu_dma(e, true, WINDOW, offset, 4);

    return *mem32(window_page) == number ? ARRIVED :
           *mem32(window_page) == UNTOUCHED ? GARBLED : BLOCKED;
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
