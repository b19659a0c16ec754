/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-remap.c: interrupt remapping (VT-d 5.1, 9.10, 11.4.9.10), of pins of the
 * IOAPIC: an edge by the timer, and a level by a device behind the unit.
 */
#include "unit.h"

#define IOAPIC          0xfec00000ULL
#define IOAPIC_SID      0xff00          /* as the DMAR says */
#define TIMER_PIN       2

/* Redirection entries: masked; remappable format, and the former one. */
#define RTE_MASKED      (1ULL << 16)
#define RTE_LEVEL       (1ULL << 15)
#define RTE_LOW         (1ULL << 13)
#define RTE_INDEX(n)    (((uint64_t)(n) & 0x7fff) << 49 | 1ULL << 48 | \
                         ((uint64_t)(n) >> 15) << 11)
#define RTE_TO(cpu)     ((uint64_t)apic_id(cpu) << 56)

/* Entries of the table. */
#define IRTE_P          1ULL
#define IRTE_FPD        2ULL
#define IRTE_VECTOR(v)  ((uint64_t)(v) << 16)
#define IRTE_XAPIC(cpu) ((uint64_t)apic_id(cpu) << 40)
#define IRTE_X2APIC(cpu) ((uint64_t)apic_id(cpu) << 32)
#define IRTE_SID(sid)   ((uint64_t)(sid) | 1ULL << 18)
#define IRTA_SIZE(s)    ((uint64_t)(s))
#define IRTA_EIME       (1ULL << 11)

#define VECTOR          0x51
#define OTHER           0x63
#define INDEX           300             /* of the second page */

#define ON              (G_QIE | G_IRE)

static uint64_t table;

static void set_entry(uint64_t in, unsigned int index, uint64_t lo, uint64_t hi)
{
    mem64(in)[index * 2] = 0;
    mem64(in)[index * 2 + 1] = hi;
    mem64(in)[index * 2] = lo;
    queue_do(DESC_IEC | 0x10 | (uint64_t)index << 32, 0);
}

static void entry_is(uint64_t lo, uint64_t hi)
{
    set_entry(table, INDEX, lo, hi);
}

static void pin_set(unsigned int pin, uint64_t rte)
{
    mmio_write32(IOAPIC, 0x11 + 2 * pin);
    mmio_write32(IOAPIC + 0x10, rte >> 32);
    mmio_write32(IOAPIC, 0x10 + 2 * pin);
    mmio_write32(IOAPIC + 0x10, rte);
}

/* The timer counts down once, from 1 ms (mode 4; of mode 0 Xen makes none). */
static void timer_fires(void)
{
    irq_forget();
    outb(0x43, 0x38);
    outb(0x40, 1193 & 0xff);
    outb(0x40, 1193 >> 8);
}

static bool arrives(unsigned int vector, unsigned int cpu)
{
    bool arrived;

    timer_fires();
    arrived = WAIT_FOR(irq_count(vector, cpu));
    pause_ms(10);

    return arrived && irq_total() == 1;
}

/*
 * The same for the second CPU. Xen raises a timer's interrupt again until the
 * first one has it, so there may be more than one.
 */
static bool arrives_at_second(unsigned int vector)
{
    timer_fires();

    return WAIT_FOR(irq_count(vector, 1)) &&
           irq_total() == irq_count(vector, 1);
}

static bool blocked(void)
{
    timer_fires();
    pause_ms(200);

    return !irq_total();
}

static void fault_is(unsigned int reason, unsigned int index, const char *what)
{
    struct fault f;

    check(blocked(), "%s: no interrupt", what);
    if ( !check(faults_wait(), "%s: a fault is recorded", what) )
        return;
    fault_get(FSTS_FRI(rd32(FSTS)), &f);
    check_eq(f.reason, reason, "%s: reason", what);
    check_eq(f.sid, IOAPIC_SID, "%s: source-id", what);
    if ( reason != 0x25 )
        check_eq(f.addr >> 48, index, "%s: index", what);
    check_eq(f.addr << 16 >> 28, 0, "%s: the rest of the address is 0", what);
    faults_clear();
}

static void set_table(uint64_t irta)
{
    wr64(IRTA, irta);
    wr32(GCMD, (now32(GSTS) & (G_TE | ON | G_CFI)) | G_SIRTP);
    check(gsts_is(G_SIRTP, G_SIRTP), "SIRTP shows when it is done");
    queue_do(DESC_IEC, 0);
}

static void toggle(uint32_t bits)
{
    wr32(GCMD, G_QIE | bits);
    check(gsts_is(G_IRE | G_CFI, bits), "IRE and CFI show as given");
}

/* Without that there is no use in waiting for more. */
static bool check_arrival(void)
{
    pin_set(TIMER_PIN, RTE_TO(0) | OTHER);
    if ( !check(arrives(OTHER, 0), "before: the timer's interrupt arrives") )
        return false;
    set_table(table | IRTA_SIZE(8));
    toggle(G_IRE);
    pin_set(TIMER_PIN, RTE_INDEX(INDEX) | 0x22);
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0), 0);

    return check(arrives(VECTOR, 0),
                 "the entry's vector arrives, not the pin's");
}

static void check_entries(void)
{
    if ( nr_cpus > 1 )
    {
        entry_is(IRTE_P | IRTE_VECTOR(OTHER) | IRTE_XAPIC(1), 0);
        check(arrives_at_second(OTHER), "the entry's destination gets it");
        entry_is(IRTE_P | IRTE_VECTOR(OTHER) | 1ULL << 2 | 2ULL << 40, 0);
        check(arrives_at_second(OTHER), "a logical destination");
        /* The first one gets what Xen still has. */
        entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0), 0);
        pause_ms(300);
    }
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0),
             IRTE_SID(IOAPIC_SID));
    check(arrives(VECTOR, 0), "the IOAPIC is whom the entry allows");
    faults_clear();

    entry_is(0, 0);
    fault_is(0x22, INDEX, "an entry that is not present");
    entry_is(IRTE_P | 1ULL << 12 | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0), 0);
    fault_is(0x24, INDEX, "a reserved bit of an entry");
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0),
             IRTE_SID(IOAPIC_SID ^ 8));
    fault_is(0x26, INDEX, "an entry for somebody else");
    pin_set(TIMER_PIN, RTE_INDEX(512) | 0x22);
    fault_is(0x21, 512, "an index beyond the table");
    pin_set(TIMER_PIN, RTE_INDEX(INDEX) | 0x22);
    entry_is(IRTE_FPD, 0);
    check(blocked(), "not present, FPD: no interrupt");
    check_eq(faults_count(), 0, "not present, FPD: no fault is recorded");
}

static void check_formats(void)
{
    pin_set(TIMER_PIN, RTE_TO(0) | OTHER);
    fault_is(0x25, 0, "compatibility format");
    toggle(G_IRE | G_CFI);
    check(arrives(OTHER, 0), "compatibility format with CFI arrives");
    set_table(table | IRTA_EIME | IRTA_SIZE(8));
    fault_is(0x25, 0, "compatibility format with CFI and EIME");
    pin_set(TIMER_PIN, RTE_INDEX(INDEX) | 0x22);
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_X2APIC(0), 0);
    check(arrives(VECTOR, 0), "EIME: the destination has 32 bits");
    set_table(table | IRTA_SIZE(8));
    toggle(G_IRE);
}

static void check_tables(void)
{
    uint64_t second = page_new();

    page_new();
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0), 0);
    set_entry(second, INDEX, IRTE_P | IRTE_VECTOR(OTHER) | IRTE_XAPIC(0), 0);
    wr64(IRTA, second | IRTA_SIZE(8));
    check(arrives(VECTOR, 0), "IRTA written, not set: the old table counts");
    set_table(second | IRTA_SIZE(8));
    check(arrives(OTHER, 0), "set: the new one");
    set_table(NOWHERE | IRTA_SIZE(8));
    fault_is(0x23, INDEX, "a table where there is no memory");
    set_table(table | IRTA_SIZE(8));
    check(arrives(VECTOR, 0), "the first one again");

    pin_set(TIMER_PIN, RTE_TO(0) | OTHER);
    toggle(0);
    check(arrives(OTHER, 0), "IRE off: pins are as they were");
    toggle(G_IRE);
}

/* INTx of a device, which is low and level; see the specification of PCI. */
static void check_level(void)
{
    struct edu *e = &edus[0];
    unsigned int pin, i, n;

    if ( !nr_edus )
    {
        skip("there is no edu device", "a level interrupt");
        return;
    }
    /* As Xen wires slots to pins from 16 on. */
    pin = ((((e->devfn >> 3) * 4 + (e->devfn >> 6)) & 31) + 16);
    pin_set(TIMER_PIN, RTE_MASKED);
    /* Linux has all entries say "edge". */
    entry_is(IRTE_P | IRTE_VECTOR(VECTOR) | IRTE_XAPIC(0), 0);
    pin_set(pin, RTE_INDEX(INDEX) | RTE_LEVEL | RTE_LOW | 0x23);
    irq_forget();
    for ( i = 1; i <= 3; i++ )
    {
        n = irq_count(VECTOR, 0);
        mmio_write32(e->bar + 0x60, 1);
        check(WAIT_FOR(irq_count(VECTOR, 0) > n),
              "a level interrupt arrives, time %u", i);
        /* It does so again as long as the device asks for it. */
        n = irq_count(VECTOR, 0);
        check(WAIT_FOR(irq_count(VECTOR, 0) > n), "... and again, time %u", i);
        mmio_write32(e->bar + 0x64, 1);
        pause_ms(200);
        n = irq_count(VECTOR, 0);
        pause_ms(200);
        check_eq(irq_count(VECTOR, 0), n, "... until it is served, time %u", i);
    }
    pin_set(pin, RTE_MASKED);
}

void check_remapping(void)
{
    topic("interrupt remapping");
    if ( !ECAP_IR(ecap) )
    {
        skip("ECAP.IR is 0", "interrupts are remapped");
        return;
    }

    pool_reset();
    table = page_new();
    if ( !check(page_new() == table + PAGE, "two pages in a row") )
        return;
    queue_on(0);
    faults_clear();
    if ( check_arrival() )
    {
        check_entries();
        check_formats();
        check_tables();
        check_level();
    }
    pin_set(TIMER_PIN, RTE_MASKED);
    toggle(0);
    unit_quiet();
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
