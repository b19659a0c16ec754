/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-intremap.c: interrupts are remapped (VT-d 5.1, 7.1.3, 9.10).
 */
#include "intremap.h"
#include "vm.h"

#define G_IRT      0x200     /* the largest table has 256 pages */
#define G_IRT2     0x300
#define S(entries) (fls(entries) - 2)
#define SIZE       1024      /* entries of the usual table: four pages */
#define GCMD_ON    (VTD_GCMD_QIE | VTD_GCMD_IRE)

/* An entry: to vector 0x41, APIC ID 3 of x2APIC mode, no source check. */
#define LO         (VTD_IRTE_P | 0x410000ULL | 3ULL << 32)

static uint64_t *irte(unsigned int i)
{
    return guest_page(G_IRT + i / 256) + i % 256 * 2;
}

static void set_irte(unsigned int i, uint64_t lo, uint64_t hi)
{
    irte(i)[1] = hi;
    irte(i)[0] = lo;
}

static void set_table(uint64_t irta, uint32_t toggles)
{
    wr64(VTD_IRTA, irta);
    wr32(VTD_GCMD, VTD_GCMD_QIE | toggles | VTD_GCMD_SIRTP);
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SIRTP);
    q_submit(IEC_GLOBAL);
}

/* As Linux does it; extended or not. */
static void start(uint64_t eime)
{
    vm_stop();
    vm_intremap = true;
    CHECK_EQ(vm_create(0), 0);
    vm_queue_on();
    set_table(PAGE(G_IRT) | eime | S(SIZE), 0);
    wr32(VTD_GCMD, GCMD_ON);
    expect_gsts(GCMD_ON | VTD_GCMD_SIRTP);
    CHECK_EQ(vm_no_exit(&vi), vm_polled);
}

/* The message of a device in remappable format. */
static struct viommu_message message(unsigned int index)
{
    struct viommu_message msg = {
        .addr = 0xfee00010ULL | (index & 0x7fff) << 5 | (index >> 15) << 2,
        .sid = vm_devfn(0),
    };

    return msg;
}

static struct viommu_interrupt got;

/* Whatever CPU and lock it comes from. */
static enum viommu_remapped deliver(struct viommu_message msg)
{
    enum viommu_remapped result;
    const unsigned int locks = harness.locks;

    memset(&got, 0xaa, sizeof(got));
    result = intremap_message(&vi, &msg, &got);
    CHECK_EQ(harness.locks, locks);

    return result;
}

static enum viommu_remapped deliver_index(unsigned int index)
{
    return deliver(message(index));
}

/* The one record that there is, and clears it. */
static void expect_fault(unsigned int reason, uint16_t sid, uint16_t index)
{
    unsigned int i, n = 0;

    if ( guest.deferred )
        vm_settle();
    for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
    {
        unsigned int at = VTD_FRCD + i * VTD_FRCD_SIZE;
        uint64_t hi = rd64(at + 8);

        if ( !(hi & VTD_FRCD_HI_F) )
            continue;
        n++;
        CHECK_EQ(MASK_EXTR(hi, VTD_FRCD_HI_FR), reason);
        CHECK_EQ(hi & VTD_FRCD_HI_SID, sid);
        CHECK_EQ(rd64(at), (uint64_t)index << 48);
        wr32(at + 12, VTD_FRCD_HI_F >> 32);
    }
    CHECK_EQ(n, 1);
    CHECK_EQ(rd32(VTD_FSTS), 0);
    guest.time_us += VIOMMU_FAULT_WINDOW_US;
}

static void expect_no_fault(void)
{
    if ( guest.deferred )
        vm_settle();
    CHECK_EQ(rd32(VTD_FSTS), 0);
}

static void expect_dropped(struct viommu_message msg, unsigned int reason,
                           uint16_t index)
{
    CHECK_EQ(deliver(msg), VIOMMU_DROPPED);
    expect_fault(reason, msg.sid, index);
}

/* ---- Registers ---- */

static void without_it_there_is_none(void)
{
    struct viommu_message msg = message(0);

    CHECK_EQ(rd64(VTD_ECAP) & (VTD_ECAP_IR | VTD_ECAP_EIM | VTD_ECAP_MHMV), 0);
    wr64(VTD_IRTA, PAGE(G_IRT));
    CHECK_EQ(rd64(VTD_IRTA), 0);
    wr32(VTD_GCMD, VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_CFI);
    expect_gsts(0);
    CHECK_EQ(deliver(msg), VIOMMU_UNCHANGED);
}

static void with_it_the_unit_says_so(void)
{
    start(0);
    CHECK(rd64(VTD_ECAP) & VTD_ECAP_IR);
    CHECK(rd64(VTD_ECAP) & VTD_ECAP_EIM);
    CHECK_EQ((rd64(VTD_ECAP) >> 20) & 15, 15);
    CHECK_EQ(rd64(VTD_ECAP) >> 24, 0);
}

static void table_address_keeps_its_fields(void)
{
    start(0);
    wr64(VTD_IRTA, ~0ULL);
    CHECK_EQ(rd64(VTD_IRTA), 0xfffffffffffff80fULL);
    wr32(VTD_IRTA + 4, 0x12);
    wr32(VTD_IRTA, 0x3456780f);
    CHECK_EQ(rd64(VTD_IRTA), 0x123456780fULL);
}

static void status_follows_the_command(void)
{
    start(0);
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_CFI);
    expect_gsts(GCMD_ON | VTD_GCMD_CFI | VTD_GCMD_SIRTP);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_CFI);
    expect_gsts(VTD_GCMD_QIE | VTD_GCMD_CFI | VTD_GCMD_SIRTP);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    expect_gsts(VTD_GCMD_QIE | VTD_GCMD_SIRTP);
    /* Both tables, and all at once. */
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_SRTP | VTD_GCMD_SIRTP | VTD_GCMD_TE);
    CHECK_EQ(rd32(VTD_GSTS),
             GCMD_ON | VTD_GCMD_SRTP | VTD_GCMD_SIRTP | VTD_GCMD_TE);
}

/* Also by a page that is memory: it has to trap while that shows. */
static void table_pointer_shows_when_it_is_set_again(void)
{
    start(0);
    vm_lazy = true;
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_SIRTP);
    if ( vm_polled )
        vm_poll(0);
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SIRTP);
    CHECK(!vm_no_exit(&vi));
    harness.trylocks = 1;
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_SIRTP);
    CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_SIRTP));
    vm_settle();
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_SIRTP);
}

static void table_counts_when_latched(void)
{
    start(VTD_IRTA_EIME);
    set_irte(5, LO, 0);
    wr64(VTD_IRTA, PAGE(G_IRT2) | S(2));
    q_submit(IEC_GLOBAL);
    CHECK_EQ(deliver_index(5), VIOMMU_REMAPPED);
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_SIRTP);
    expect_dropped(message(5), VTD_FR_IR_INDEX, 5);
    expect_dropped(message(1), VTD_FR_IR_NOT_PRESENT, 1);
}

/* ---- Requests ---- */

static void off_means_unchanged(void)
{
    struct viommu_message compat = { .addr = 0xfee01000, .data = 0x41 };

    start(0);
    set_irte(5, LO, 0);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    CHECK_EQ(deliver_index(5), VIOMMU_UNCHANGED);
    CHECK_EQ(deliver(compat), VIOMMU_UNCHANGED);
    CHECK_EQ(COUNT(irte_remapped), 0);
    wr32(VTD_GCMD, GCMD_ON);
    CHECK_EQ(deliver(compat), VIOMMU_DROPPED);
}

static void every_field_of_an_entry_counts(void)
{
    static const struct {
        uint64_t lo;
        struct viommu_interrupt is;
    } cases[] = {
        { VTD_IRTE_P, { 0 } },
        { VTD_IRTE_P | 0xff0000, { .vector = 0xff } },
        { VTD_IRTE_P | 0xfedcba98ULL << 32, { .dest = 0xfedcba98 } },
        { VTD_IRTE_P | VTD_IRTE_DM, { .logical = true } },
        { VTD_IRTE_P | VTD_IRTE_RH, { .any = true } },
        { VTD_IRTE_P | VTD_IRTE_TM, { .level = true } },
        { VTD_IRTE_P | 1 << 5, { .mode = VTD_DLM_LOWEST, .any = true } },
        { VTD_IRTE_P | 2 << 5, { .mode = VTD_DLM_SMI } },
        { VTD_IRTE_P | 4 << 5, { .mode = VTD_DLM_NMI } },
        { VTD_IRTE_P | 5 << 5, { .mode = VTD_DLM_INIT } },
        { VTD_IRTE_P | 7 << 5, { .mode = VTD_DLM_EXTINT } },
        /* For software. */
        { VTD_IRTE_P | 0xf00, { 0 } },
        { VTD_IRTE_P | VTD_IRTE_FPD, { 0 } },
    };
    unsigned int i;

    start(VTD_IRTA_EIME);
    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
    {
        set_irte(i, cases[i].lo, 0);
        CHECK_EQ(deliver_index(i), VIOMMU_REMAPPED);
        CHECK_EQ(got.dest, cases[i].is.dest);
        CHECK_EQ(got.vector, cases[i].is.vector);
        CHECK_EQ(got.mode, cases[i].is.mode);
        CHECK_EQ(got.logical, cases[i].is.logical);
        CHECK_EQ(got.any, cases[i].is.any);
        CHECK_EQ(got.level, cases[i].is.level);
    }
    CHECK_EQ(COUNT(irte_remapped), ARRAY_SIZE(cases));
    expect_no_fault();
}

static void xapic_destinations_have_8_bits(void)
{
    unsigned int bit;

    start(0);
    set_irte(1, VTD_IRTE_P | 0xab00ULL << 32, 0);
    CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
    CHECK_EQ(got.dest, 0xab);
    for ( bit = 32; bit < 64; bit++ )
    {
        if ( bit >= 40 && bit < 48 )
            continue;
        set_irte(1, VTD_IRTE_P | 1ULL << bit, 0);
        expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);
    }
}

static void handle_has_16_bits(void)
{
    unsigned int i;

    start(0);
    set_table(PAGE(G_IRT) | 15, VTD_GCMD_IRE);
    for ( i = 0; i < 16; i++ )
    {
        set_irte(1U << i, VTD_IRTE_P | (uint64_t)(i + 16) << 16, 0);
        CHECK_EQ(deliver_index(1U << i), VIOMMU_REMAPPED);
        CHECK_EQ(got.vector, i + 16);
    }
}

static void subhandle_is_added_if_it_is_valid(void)
{
    struct viommu_message msg = message(5);

    start(0);
    set_irte(5, VTD_IRTE_P | 0x300000, 0);
    set_irte(8, VTD_IRTE_P | 0x310000, 0);
    msg.data = 0xffff0003;
    CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x30);
    msg.addr |= VTD_MSI_SHV;
    expect_dropped(msg, VTD_FR_IR_REQUEST_RSVD, 5);
    msg.data = 3;
    CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x31);
}

static void all_sizes_of_tables_end_where_they_do(void)
{
    struct viommu_message msg;
    unsigned int s;

    start(0);
    for ( s = 0; s <= 15; s++ )
    {
        const unsigned int size = 2U << s;

        set_table(PAGE(G_IRT) | s, VTD_GCMD_IRE);
        set_irte(size - 1, VTD_IRTE_P, 0);
        CHECK_EQ(deliver_index(size - 1), VIOMMU_REMAPPED);
        if ( s < 15 )
        {
            set_irte(size, VTD_IRTE_P, 0);
            expect_dropped(message(size), VTD_FR_IR_INDEX, size);
        }
        /* The sum has 17 bits. */
        msg = message(size - 1);
        msg.addr |= VTD_MSI_SHV;
        msg.data = 1;
        expect_dropped(msg, VTD_FR_IR_INDEX, size);
        msg.data = 0xffff;
        expect_dropped(msg, VTD_FR_IR_INDEX, size - 1 + 0xffff);
    }
    CHECK_EQ(guest.mapped - vi.frames.pages, 256);
}

static void without_a_table_nothing_is_let_through(void)
{
    vm_stop();
    vm_intremap = true;
    CHECK_EQ(vm_create(0), 0);
    wr32(VTD_GCMD, VTD_GCMD_IRE);
    expect_gsts(VTD_GCMD_IRE);
    expect_dropped(message(0), VTD_FR_IR_INDEX, 0);
}

static void compatibility_format_needs_its_bit(void)
{
    struct viommu_message msg = { .addr = 0xfee01000, .data = 0x41,
                                  .sid = 0x81 };

    start(0);
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);
    CHECK_EQ(COUNT(irte_blocked), 1);
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_CFI);
    CHECK_EQ(deliver(msg), VIOMMU_UNCHANGED);
    CHECK_EQ(COUNT(irte_compat), 1);
    wr32(VTD_GCMD, GCMD_ON);
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);

    /* Not at all with x2APIC. */
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_CFI);
    set_table(PAGE(G_IRT) | VTD_IRTA_EIME | S(SIZE),
              VTD_GCMD_IRE | VTD_GCMD_CFI);
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);
}

static void other_addresses_are_no_interrupts(void)
{
    static const uint64_t addr[] = {
        0, 0xfed00010, 0xfef00010, 0x1fee00010ULL, 0x80000000fee00010ULL,
    };
    unsigned int i;

    start(0);
    set_irte(0, LO, 0);
    for ( i = 0; i < ARRAY_SIZE(addr); i++ )
        CHECK_EQ(deliver((struct viommu_message){ .addr = addr[i] }),
                 VIOMMU_DROPPED);
    CHECK_EQ(COUNT(irte_blocked), ARRAY_SIZE(addr));
    expect_no_fault();
}

static void reserved_bits_of_an_entry_block_it(void)
{
    unsigned int bit;

    start(VTD_IRTA_EIME);
    for ( bit = 0; bit < 32; bit++ )
    {
        /* 12 to 14, IM, and 24 on. */
        if ( !(0xff00f000U & (1U << bit)) )
            continue;
        set_irte(1, LO | 1U << bit, 0);
        expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);
    }
    for ( bit = 20; bit < 64; bit++ )
    {
        set_irte(1, LO, 1ULL << bit);
        expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);
    }
    /* Values that mean nothing. */
    set_irte(1, LO, MASK_INSR(3ULL, VTD_IRTE_HI_SVT));
    expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);
    set_irte(1, LO | 3 << 5, 0);
    expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);
    set_irte(1, LO | 6 << 5, 0);
    expect_dropped(message(1), VTD_FR_IR_ENTRY_RSVD, 1);

    /* In one that is not present they do not matter. */
    set_irte(1, ~0ULL & ~(VTD_IRTE_P | VTD_IRTE_FPD), ~0ULL);
    expect_dropped(message(1), VTD_FR_IR_NOT_PRESENT, 1);
}

static void requester_is_compared_as_the_entry_says(void)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    struct viommu_message msg = message(1);
    unsigned int sq, bit;

    start(VTD_IRTA_EIME);
    for ( sq = 0; sq < 4; sq++ )
    {
        set_irte(1, LO, 0x1234 | (uint64_t)sq << 16 | 1 << 18);
        msg.sid = 0x1234;
        CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
        for ( bit = 0; bit < 16; bit++ )
        {
            msg.sid = 0x1234 ^ (1U << bit);
            if ( ignored[sq] & (1U << bit) )
                CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
            else
                expect_dropped(msg, VTD_FR_IR_SOURCE, 1);
        }
    }

    /* None is asked for; or the request does not say. */
    set_irte(1, LO, 0x1234);
    msg.sid = 0x4321;
    CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
    set_irte(1, LO, 0x1234 | 1 << 18);
    expect_dropped(msg, VTD_FR_IR_SOURCE, 1);
    msg.no_sid = true;
    CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
}

static void requester_may_be_of_a_range_of_buses(void)
{
    static const struct { uint16_t sid; bool may; } cases[] = {
        { 0x0fff, false }, { 0x1000, true }, { 0x11ab, true },
        { 0x12ff, true }, { 0x1300, false }, { 0, false }, { 0xffff, false },
    };
    struct viommu_message msg = message(1);
    unsigned int i;

    start(VTD_IRTA_EIME);
    set_irte(1, LO, 0x1012 | 2 << 18);
    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
    {
        msg.sid = cases[i].sid;
        if ( cases[i].may )
            CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
        else
            expect_dropped(msg, VTD_FR_IR_SOURCE, 1);
    }
}

static void an_entry_may_say_not_to_record(void)
{
    struct viommu_message msg = message(1);

    start(0);
    set_irte(1, VTD_IRTE_FPD, 0);
    CHECK_EQ(deliver(msg), VIOMMU_DROPPED);
    set_irte(1, VTD_IRTE_FPD | VTD_IRTE_P | 1 << 12, 0);
    CHECK_EQ(deliver(msg), VIOMMU_DROPPED);
    set_irte(1, VTD_IRTE_FPD | VTD_IRTE_P, 0xffff | 1 << 18);
    CHECK_EQ(deliver(msg), VIOMMU_DROPPED);
    expect_no_fault();
    CHECK_EQ(COUNT(irte_blocked), 3);
    CHECK_EQ(COUNT(irte_unreported), 3);

    /* What is wrong with the request itself is recorded all the same. */
    set_irte(0, VTD_IRTE_FPD, 0);
    msg.addr = 0xfee00000;
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);
    msg.addr = 0xfee00010 | VTD_MSI_SHV;
    msg.data = 0x10000;
    expect_dropped(msg, VTD_FR_IR_REQUEST_RSVD, 0);
    expect_dropped(message(SIZE), VTD_FR_IR_INDEX, SIZE);
}

/* No copy of an entry is kept. */
static void an_entry_counts_as_it_is_now(void)
{
    start(VTD_IRTA_EIME);
    set_irte(1, LO, 0);
    CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x41);
    set_irte(1, LO ^ 0x030000, 0);
    CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x42);
    set_irte(1, 0, 0);
    expect_dropped(message(1), VTD_FR_IR_NOT_PRESENT, 1);
}

static void entries_are_invalidated_by_index(void)
{
    start(0);
    q_submit(IEC_INDEX(5, 0));
    q_submit(IEC_INDEX(0xffff, 15));
    CHECK_EQ(COUNT(qi_iec), 3);
}

/* ---- Where the table is ---- */

static void table_outside_of_memory_faults(void)
{
    start(0);
    set_table(PAGE(G_RAM - 1) | S(512), VTD_GCMD_IRE);
    expect_dropped(message(0), VTD_FR_IR_NOT_PRESENT, 0);
    expect_dropped(message(256), VTD_FR_IR_TABLE_ADDR, 256);
    set_table(VTD_IRTA_ADDR | 15, VTD_GCMD_IRE);
    expect_dropped(message(7), VTD_FR_IR_TABLE_ADDR, 7);

    /* It may come later. */
    set_table(PAGE(G_RAM) | S(2), VTD_GCMD_IRE);
    expect_dropped(message(0), VTD_FR_IR_TABLE_ADDR, 0);
    guest_set(G_RAM, 1, GFN_RAM_RO);
    guest_page(G_RAM)[0] = VTD_IRTE_P;
    q_submit(IEC_GLOBAL);
    CHECK_EQ(deliver_index(0), VIOMMU_REMAPPED);
    guest_set(G_RAM, 1, GFN_MISSING);
}

/* Another CPU delivers an interrupt just then. */
static void deliver_300(void)
{
    CHECK_EQ(deliver_index(300), VIOMMU_REMAPPED);
}

static void a_table_that_moved_is_found_again(void)
{
    unsigned long was = guest_frame(G_IRT + 1);

    start(VTD_IRTA_EIME);
    set_irte(300, LO, 0);
    guest_exchange(G_IRT + 1, G_DATA);
    set_irte(300, LO ^ 0x030000, 0);
    /* Where it was is still the guest's, and held. */
    CHECK_EQ(deliver_index(300), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x41);
    CHECK(guest_is_mapped(was));
    guest.on_unmap = deliver_300;
    q_submit(IEC_INDEX(300, 0));
    guest.on_unmap = NULL;
    CHECK_EQ(deliver_index(300), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x42);
    CHECK(!guest_is_mapped(was));
}

/* However little of the budget what came before has left. */
static void a_move_is_found_though_the_budget_ended(void)
{
    struct viommu_budget none = { .left = 0 }, one, enough = { .left = 1000 };

    start(VTD_IRTA_EIME);
    set_irte(1, LO, 0);
    set_irte(300, LO, 0);
    guest_exchange(G_IRT, G_DATA);
    guest_exchange(G_IRT + 1, G_DATA + 1);
    set_irte(1, LO ^ 0x030000, 0);
    set_irte(300, LO ^ 0x030000, 0);

    spin_lock(&vi.sync_lock);
    CHECK_EQ(intremap_refresh(&vi, &none), -ERESTART);
    one = (struct viommu_budget){ .left = 1 };
    CHECK_EQ(intremap_refresh(&vi, &one), -ERESTART);
    CHECK_EQ(intremap_refresh(&vi, &none), -ERESTART);
    CHECK_EQ(intremap_refresh(&vi, &enough), 0);
    spin_unlock(&vi.sync_lock);
    CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x42);
    CHECK_EQ(deliver_index(300), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x42);
}

/* Nothing is looked up but after a change, and then each page once. */
static void invalidations_cost_no_lookups(void)
{
    unsigned int before, i;

    start(0);
    q_submit(IEC_GLOBAL);
    before = guest.lookups;
    for ( i = 0; i < 100; i++ )
        q_submit(IEC_INDEX(i, 0));
    CHECK_EQ(guest.lookups, before);
    guest_exchange(G_DATA, G_DATA + 1);
    q_submit(IEC_GLOBAL);
    CHECK(guest.lookups > before);
    /* Its own pages, and that of the queue. */
    CHECK(guest.lookups <= before + SIZE / 256 + 1);
}

static void invalidations_cost_little(void)
{
    unsigned long items;

    start(0);
    q_submit(IEC_GLOBAL);
    items = items_of(IEC_INDEX(5, 0));
    CHECK(items <= 3);
    guest_exchange(G_DATA, G_DATA + 1);
    CHECK_EQ(items_of(IEC_INDEX(5, 0)), items + SIZE / 256);
    CHECK_EQ(items_of(IEC_GLOBAL), items);
}

static void memory_that_leaves_is_let_go(void)
{
    start(VTD_IRTA_EIME);
    set_irte(300, LO, 0);
    guest_set(G_IRT + 1, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    vm_pass(vi.set.window_us + 1000);
    CHECK(!guest_is_mapped(guest_frame(G_IRT + 1)));
    CHECK(guest_is_mapped(guest_frame(G_IRT)));
    expect_dropped(message(300), VTD_FR_IR_TABLE_ADDR, 300);
    expect_dropped(message(0), VTD_FR_IR_NOT_PRESENT, 0);
}

static void a_page_that_cannot_be_mapped_faults(void)
{
    start(0);
    wr64(VTD_IRTA, PAGE(G_IRT) | S(SIZE));
    /* Two uses of memory for each page. */
    guest.refuse_in = 4;
    wr32(VTD_GCMD, GCMD_ON | VTD_GCMD_SIRTP);
    CHECK_EQ(guest.refused, 1);
    expect_dropped(message(256), VTD_FR_IR_TABLE_ADDR, 256);
    expect_dropped(message(0), VTD_FR_IR_NOT_PRESENT, 0);
    expect_dropped(message(512), VTD_FR_IR_NOT_PRESENT, 512);
}

/*
 * The largest table, in pieces of ten items: interrupts in between come through
 * the old one, and after the last page through the new one.
 */
static void a_table_is_taken_in_pieces(void)
{
    unsigned int n, rounds;
    int rc;

    start(VTD_IRTA_EIME);
    set_irte(1, LO, 0);
    guest_page(G_IRT2)[2] = LO ^ 0x030000;
    spin_lock(&vi.sync_lock);
    for ( rounds = 0; rounds < 2; rounds++ )
    {
        bool changed = false;

        n = 0;
        intremap_latch(&vi, PAGE(rounds ? G_IRT : G_IRT2) | VTD_IRTA_EIME | 15);
        do {
            struct viommu_budget b = BUDGET(10);

            CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
            if ( got.vector == (rounds ? 0x41 : 0x42) )
                changed = true;
            else
                CHECK(!changed);
            rc = intremap_command(&vi, GCMD_ON, &b);
            CHECK(budget_taken(&b) <= 10);
            n++;
        } while ( rc == -ERESTART );
        CHECK_EQ(rc, 0);
        CHECK_EQ(deliver_index(1), VIOMMU_REMAPPED);
        CHECK_EQ(got.vector, rounds ? 0x41 : 0x42);
        CHECK(n >= 26);
    }
    spin_unlock(&vi.sync_lock);
    CHECK_EQ(guest.mapped - vi.frames.pages, 256);

    /* So is looking for it again. */
    guest_exchange(G_DATA, G_DATA + 1);
    spin_lock(&vi.sync_lock);
    n = 0;
    do {
        struct viommu_budget b = BUDGET(10);

        rc = intremap_refresh(&vi, &b);
        CHECK(budget_taken(&b) <= 10);
        n++;
    } while ( rc == -ERESTART );
    spin_unlock(&vi.sync_lock);
    CHECK_EQ(rc, 0);
    CHECK(n >= 26);
}

static void a_guest_may_end_in_the_middle(void)
{
    struct viommu_budget b = BUDGET(3);

    start(0);
    spin_lock(&vi.sync_lock);
    intremap_latch(&vi, PAGE(G_IRT2) | 15);
    CHECK_EQ(intremap_command(&vi, GCMD_ON, &b), -ERESTART);
    spin_unlock(&vi.sync_lock);
    CHECK_EQ(guest.mapped - vi.frames.pages, SIZE / 256 + 3);
    CHECK_EQ(viommu_reap(&vi), 0);
    CHECK_EQ(guest.mapped, 0);
}

/* ---- Who is told ---- */

static void a_storm_is_paced(void)
{
    unsigned int i;

    start(0);
    vm_lazy = true;
    guest.deferred = 0;
    for ( i = 0; i < 1000; i++ )
        CHECK_EQ(deliver_index(3), VIOMMU_DROPPED);
    CHECK_EQ(COUNT(irte_blocked), 1000);
    CHECK_EQ(COUNT(irte_unreported), 1000 - VIOMMU_FAULTS_PER_WINDOW);
    /* One vCPU is asked once. */
    CHECK_EQ(guest.deferred, 1);
    vm_settle();
    CHECK_EQ(COUNT(faults_forwarded), VIOMMU_NR_FAULT_RECORDS);
    CHECK(rd32(VTD_FSTS) & VTD_FSTS_PFO);

    /* The window goes by. */
    guest.time_us += VIOMMU_FAULT_WINDOW_US;
    CHECK_EQ(deliver_index(3), VIOMMU_DROPPED);
    CHECK_EQ(COUNT(irte_unreported), 1000 - VIOMMU_FAULTS_PER_WINDOW);
}

static void a_fault_raises_the_event(void)
{
    start(0);
    wr32(VTD_FEDATA, 0x4041);
    wr32(VTD_FEADDR, 0xfee01000U);
    wr32(VTD_FECTL, 0);
    CHECK_EQ(deliver_index(3), VIOMMU_DROPPED);
    vm_settle();
    /* It is not remapped itself. */
    CHECK_EQ(guest.msis, 1);
    CHECK_EQ(guest.msi_data, 0x4041);
    expect_fault(VTD_FR_IR_NOT_PRESENT, vm_devfn(0), 3);
}

static void machine_blocks(unsigned int dev, uint16_t index)
{
    hw_pcidevs_lock();
    viommu_blocked(&vi, (pci_sbdf_t){ .sbdf = vm_sbdf(dev) }, index,
                   VTD_FR_IR_SOURCE);
    hw_pcidevs_unlock();
}

static void what_the_machine_blocked_is_told(void)
{
    start(0);
    CHECK_EQ(vm_bind(1), 0);
    machine_blocks(1, 77);
    expect_fault(VTD_FR_IR_SOURCE, vm_devfn(1), 77);

    /* Not one who has not asked for it. */
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    machine_blocks(1, 77);
    expect_no_fault();
}

static void without_memory_there_is_no_unit(void)
{
    unsigned int n;
    int rc;

    for ( n = 1; ; n++ )
    {
        vm_stop();
        vm_intremap = true;
        harness.fail_in = n;
        rc = vm_create(0);
        if ( !harness.failed )
            break;
        harness.failed = 0;
        CHECK_EQ(rc, -ENOMEM);
        CHECK_EQ(guest.mapped, 0);
    }
    CHECK_EQ(rc, 0);
    CHECK(n > 3);
}

static void bound_devices_have_requester_ids(void)
{
    const pci_sbdf_t dev[] = { { .sbdf = vm_sbdf(0) }, { .sbdf = vm_sbdf(4) } };

    start(0);
    CHECK_EQ(intremap_requester(&vi, dev[0]), 0xffff);
    CHECK_EQ(vm_bind(0), 0);
    CHECK_EQ(vm_bind(4), 0);
    CHECK_EQ(intremap_requester(&vi, dev[0]), vm_devfn(0));
    CHECK_EQ(intremap_requester(&vi, dev[1]), vm_devfn(4));
    CHECK_EQ(vm_unbind(0), 0);
    CHECK_EQ(intremap_requester(&vi, dev[0]), 0xffff);
    CHECK_EQ(intremap_requester(&vi, dev[1]), vm_devfn(4));
}

/* As the device model packs it; see patches/qemu. */
static uint32_t packed(uint64_t addr, uint32_t data)
{
    return 1U << 31 | (addr >> 5 & 0x7fff) | (addr & 4 ? 0x8000 : 0) |
           (addr & 8 ? 1U << 17 : 0) | (data >> 8 & 0xff) << 18 |
           (data >> 16 ? 1U << 26 : 0);
}

static void messages_of_the_device_model_are_whole(void)
{
    static const struct { uint64_t addr; uint32_t data; } cases[] = {
        { 0xfee00010, 0 }, { 0xfee00018, 0 }, { 0xfeefff10, 0x12 },
        { 0xfeefff1c, 0xffff }, { 0xfee00014, 0x100 }, { 0xfee12358, 0x8001 },
        { 0xfee00018, 0x10000 },
    };
    struct viommu_message msg;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
    {
        /* Bit 16 says something else. */
        uint32_t flags = packed(cases[i].addr, cases[i].data) |
                         (i & 1 ? 1U << 16 : 0);

        msg = intremap_pirq_message(cases[i].data, flags);
        CHECK_EQ(msg.addr, cases[i].addr);
        CHECK_EQ(msg.data, cases[i].data);
    }

    /* Fixed, to one processor, vector 0x41: in compatibility format. */
    msg = intremap_pirq_message(0x41, 0x1a);
    CHECK_EQ(msg.addr & VTD_MSI_REMAPPABLE, 0);
    start(0);
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);
}

static void redirection_entries_become_messages(void)
{
    struct viommu_message msg;

    /* Index 0x8123: bits 63:49, and bit 11; format: bit 48. */
    msg = intremap_rte_message(0x0123ULL << 49 | 1ULL << 48 | 1 << 11 |
                               1 << 15 | 0x33);
    CHECK_EQ(msg.addr, 0xfee00014ULL | 0x123 << 5);
    CHECK_EQ(msg.sid, 0xff00);
    CHECK(!msg.no_sid);

    start(0);
    set_irte(0x123, VTD_IRTE_P | 0x550000, 0xff00 | 1 << 18);
    msg = intremap_rte_message(0x0123ULL << 49 | 1ULL << 48 | 0x33);
    CHECK_EQ(deliver(msg), VIOMMU_REMAPPED);
    CHECK_EQ(got.vector, 0x55);
    /* The old format is blocked like any other. */
    msg = intremap_rte_message(0x02ULL << 56 | 0x33);
    expect_dropped(msg, VTD_FR_IR_COMPATIBILITY, 0);
}

TESTS(intremap_tests) = {
    TEST(without_it_there_is_none),
    TEST(with_it_the_unit_says_so),
    TEST_TRAPPED(table_address_keeps_its_fields),
    TEST(status_follows_the_command),
    TEST(table_pointer_shows_when_it_is_set_again),
    TEST(table_counts_when_latched),
    TEST(off_means_unchanged),
    TEST(every_field_of_an_entry_counts),
    TEST(xapic_destinations_have_8_bits),
    TEST(handle_has_16_bits),
    TEST(subhandle_is_added_if_it_is_valid),
    TEST(all_sizes_of_tables_end_where_they_do),
    TEST(without_a_table_nothing_is_let_through),
    TEST(compatibility_format_needs_its_bit),
    TEST(other_addresses_are_no_interrupts),
    TEST(reserved_bits_of_an_entry_block_it),
    TEST(requester_is_compared_as_the_entry_says),
    TEST(requester_may_be_of_a_range_of_buses),
    TEST(an_entry_may_say_not_to_record),
    TEST(an_entry_counts_as_it_is_now),
    TEST(entries_are_invalidated_by_index),
    TEST(table_outside_of_memory_faults),
    TEST(a_table_that_moved_is_found_again),
    TEST(a_move_is_found_though_the_budget_ended),
    TEST(invalidations_cost_no_lookups),
    TEST_TRAPPED(invalidations_cost_little),
    TEST(memory_that_leaves_is_let_go),
    TEST(a_page_that_cannot_be_mapped_faults),
    TEST(a_table_is_taken_in_pieces),
    TEST(a_guest_may_end_in_the_middle),
    TEST(a_storm_is_paced),
    TEST(a_fault_raises_the_event),
    TEST(what_the_machine_blocked_is_told),
    TEST_TRAPPED(without_memory_there_is_no_unit),
    TEST(bound_devices_have_requester_ids),
    TEST(messages_of_the_device_model_are_whole),
    TEST(redirection_entries_become_messages),
    TESTS_END
};

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
