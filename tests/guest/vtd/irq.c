/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq.c: the local APICs, and a count of what arrives there.
 */
#include "guest.h"

#define APIC            0xfee00000ULL
#define APIC_ID         (APIC + 0x20)
#define APIC_TPR        (APIC + 0x80)
#define APIC_EOI        (APIC + 0xb0)
#define APIC_LDR        (APIC + 0xd0)
#define APIC_DFR        (APIC + 0xe0)
#define APIC_SVR        (APIC + 0xf0)
#define APIC_ICR        (APIC + 0x300)
#define APIC_ICR_HIGH   (APIC + 0x310)
#define ICR_BUSY        (1U << 12)
#define SVR_ENABLE      0x100
#define SPURIOUS        0xff

/*
 * 16 is the lowest vector that an interrupt can have. Up to 31 exceptions use
 * them as well; those that this guest could cause are not among LOW_VECTORS.
 */
#define NR_EXCEPTIONS   31
#define LOW_VECTORS     ((1U << 16) | (1U << 20))
#define DEBUG           1

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, zero;
};

extern char entries[];

static struct gate idt[256];
static volatile unsigned int counts[MAX_CPUS][256];
static uint32_t ids[MAX_CPUS];

volatile bool debug_expected;
volatile unsigned int debug_traps;

void irq_init(void)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(idt); i++ )
    {
        uint64_t entry = (uint64_t)entries + i * 16;

        idt[i] = (struct gate){ .offset_low = entry, .selector = 8,
                                .type = 0x8e, .offset_mid = entry >> 16,
                                .offset_high = entry >> 32 };
    }

    /* Nothing from the PICs. */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);

    irq_init_cpu(0);
}

/* Logical destinations are flat: bit 0 is the first CPU. */
void irq_init_cpu(unsigned int cpu)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };

    ids[cpu] = mmio_read32(APIC_ID) >> 24;
    asm volatile ( "lidt %0" :: "m" (pointer) );
    mmio_write32(APIC_DFR, ~0U);
    mmio_write32(APIC_LDR, 1U << (24 + cpu));
    mmio_write32(APIC_TPR, 0);
    mmio_write32(APIC_SVR, SVR_ENABLE | SPURIOUS);
    asm volatile ( "sti" );
}

void interrupt(unsigned int vector, uint64_t where)
{
    unsigned int cpu;

    if ( vector == DEBUG && debug_expected )
    {
        debug_traps++;
        return;
    }

    if ( vector < NR_EXCEPTIONS && !(LOW_VECTORS & (1U << vector)) )
    {
        check(false, "exception %u at 0x%lx", vector, where);
        summary();
        for ( ; ; )
            asm volatile ( "cli; hlt" );
    }

    cpu = mmio_read32(APIC_ID) >> 24 == ids[0] ? 0 : 1;
    if ( vector != WAKE )
        counts[cpu][vector]++;
    if ( vector != SPURIOUS )
        mmio_write32(APIC_EOI, 0);
}

void irq_forget(void)
{
    unsigned int cpu, i;

    for ( cpu = 0; cpu < MAX_CPUS; cpu++ )
        for ( i = 0; i < ARRAY_SIZE(counts[cpu]); i++ )
            counts[cpu][i] = 0;
}

unsigned int irq_count(unsigned int vector, unsigned int cpu)
{
    return counts[cpu][vector];
}

unsigned int irq_total(void)
{
    unsigned int cpu, i, n = 0;

    for ( cpu = 0; cpu < MAX_CPUS; cpu++ )
        for ( i = 0; i < ARRAY_SIZE(counts[cpu]); i++ )
            n += counts[cpu][i];

    return n;
}

uint32_t apic_id(unsigned int cpu)
{
    return ids[cpu];
}

/* Low and high half of the ICR. */
void apic_send(uint32_t how, uint32_t to)
{
    mmio_write32(APIC_ICR_HIGH, to << 24);
    mmio_write32(APIC_ICR, how);
    while ( mmio_read32(APIC_ICR) & ICR_BUSY )
        asm volatile ( "pause" );
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
