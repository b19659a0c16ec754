/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq.c: the local APIC, and a count of what arrives there.
 */
#include "guest.h"

#define APIC            0xfee00000ULL
#define APIC_ID         (APIC + 0x20)
#define APIC_TPR        (APIC + 0x80)
#define APIC_EOI        (APIC + 0xb0)
#define APIC_LDR        (APIC + 0xd0)
#define APIC_DFR        (APIC + 0xe0)
#define APIC_SVR        (APIC + 0xf0)
#define SVR_ENABLE      0x100
#define SPURIOUS        0xff
#define NR_EXCEPTIONS   31          /* 31 is the lowest that is none */

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, zero;
};

extern char entries[];

static struct gate idt[256];
static volatile unsigned int counts[256];

void irq_init(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(idt); i++ )
    {
        uint64_t entry = (uint64_t)entries + i * 16;

        idt[i] = (struct gate){ .offset_low = entry, .selector = 8,
                                .type = 0x8e, .offset_mid = entry >> 16,
                                .offset_high = entry >> 32 };
    }
    asm volatile ( "lidt %0" :: "m" (pointer) );

    /* Nothing from the PICs. */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);

    mmio_write32(APIC_DFR, ~0U);
    mmio_write32(APIC_LDR, 1U << 24);
    mmio_write32(APIC_TPR, 0);
    mmio_write32(APIC_SVR, SVR_ENABLE | SPURIOUS);
    asm volatile ( "sti" );
}

void interrupt(unsigned int vector, uint64_t where)
{
    if ( vector < NR_EXCEPTIONS )
    {
        check(false, "exception %u at 0x%lx", vector, where);
        summary();
        for ( ; ; )
            asm volatile ( "cli; hlt" );
    }

    counts[vector]++;
    if ( vector != SPURIOUS )
        mmio_write32(APIC_EOI, 0);
}

void irq_forget(void)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(counts); i++ )
        counts[i] = 0;
}

unsigned int irq_count(unsigned int vector)
{
    return counts[vector];
}

unsigned int irq_total(void)
{
    unsigned int i, n = 0;

    for ( i = 0; i < ARRAY_SIZE(counts); i++ )
        n += counts[i];

    return n;
}

uint32_t apic_id(void)
{
    return mmio_read32(APIC_ID) >> 24;
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
