/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * h-interrupts.c: interrupts are asked for without end, most of them in vain,
 * while their table changes and moves, and remapping comes and goes.
 */
#include "hostile.h"

#define IOAPIC          0xfec00000ULL
#define RTE_MASKED      (1ULL << 16)
#define RTE_LEVEL       (1U << 15)
#define RTE_LOW         (1U << 13)
#define IRTA_EIME       (1ULL << 11)
#define ENTRIES         512U            /* of the table that is one */

static uint64_t table;
static unsigned int pin;

/* Each CPU has its own. */
static uint32_t rnd(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;

    return *state >> 33;
}

/* The device asks for its level interrupt, and nobody serves it. */
void interrupts_begin(void)
{
    const struct edu *e = &edus[0];

    table = page_new();
    page_new();
    /* As Xen wires slots to pins from 16 on. */
    pin = ((((e->devfn >> 3) * 4 + (e->devfn >> 6)) & 31) + 16);
    mmio_write32(e->bar + 0x60, 1);
}

void interrupts_end(void)
{
    mmio_write32(edus[0].bar + 0x64, 1);
    mmio_write32(IOAPIC, 0x10 + 2 * pin);
    mmio_write32(IOAPIC + 0x10, RTE_MASKED);
}

/* An entry is any; what it lets through has a vector that is no exception's. */
static void change_entry(uint64_t *state)
{
    static const uint8_t modes[] = { 0, 0, 0, 1, 2, 3, 5, 7 };
    unsigned int i = rnd(state) % ENTRIES;
    uint64_t lo = modes[rnd(state) % 8] << 5 | (0x40 + rnd(state) % 0x80) << 16;

    lo |= rnd(state) & 0x1f;
    lo |= (uint64_t)(rnd(state) & 3) << (rnd(state) % 2 ? 40 : 32);
    if ( !(rnd(state) % 8) )
        lo |= 1ULL << (12 + rnd(state) % 4);
    mem64(table)[i * 2 + 1] = rnd(state) % 4 ? 0 : rnd(state) & 0xfffff;
    mem64(table)[i * 2] = lo;
}

/* The pin is made to ask again: to edge and back, with any index. */
bool interrupts_ask(void)
{
    static uint64_t state = 1;
    const uint32_t low = (rnd(&state) % 2 ? 1U << 11 : 0) | 0x4f;

    change_entry(&state);
    if ( !(rnd(&state) % 2) )
    {
        mmio_write32(IOAPIC, 0x11 + 2 * pin);
        mmio_write32(IOAPIC + 0x10, rnd(&state) % 4
                     ? (rnd(&state) % ENTRIES) << 17 | 1U << 16
                     : rnd(&state));
    }
    mmio_write32(IOAPIC, 0x10 + 2 * pin);
    mmio_write32(IOAPIC + 0x10, low);
    mmio_write32(IOAPIC + 0x10, low | RTE_LEVEL | RTE_LOW);

    return true;
}

/* Meant for the second CPU. */
bool interrupts_turn(void)
{
    static uint64_t state = 2;
    const uint64_t places[] = {
        table, table, NOWHERE, MEMORY_BASE + 16 * MB, RAM_END - PAGE,
        TOO_WIDE | PAGE,
    };
    uint32_t keep;

    switch ( rnd(&state) % 4 )
    {
    case 0:
        mmio_write64(UNIT + IRTA, places[rnd(&state) % ARRAY_SIZE(places)] |
                     (rnd(&state) % 2 ? IRTA_EIME : 0) | rnd(&state) % 16);
        break;

    case 1:
        mmio_write64(UNIT + reg_frcd + rnd(&state) % nr_frcd * 16 + 8, FRCD_F);
        mmio_write32(UNIT + FSTS, FSTS_PFO);
        break;

    default:
        keep = mmio_read32(UNIT + GSTS) & (G_TE | G_QIE);
        mmio_write32(UNIT + GCMD, keep | (rnd(&state) % 4 ? G_IRE : 0) |
                     (rnd(&state) % 2 ? G_CFI : 0) |
                     (rnd(&state) % 2 ? G_SIRTP : 0));
        break;
    }

    return true;
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
