/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-requests.c: random tables, requests, and changes of where the tables are,
 * compared with a naive reading of the specification, which knows nothing of
 * vtd-spec.h.
 */
#include "intremap.h"
#include "vm.h"

#define ROUNDS 3000

/* What the unit was told, and which memory it may read. */
static struct {
    bool ire, cfi, eime;
    unsigned int entries;
    unsigned long gfn;
    uint64_t *page[256];     /* as of SIRTP, or the last IEC; NULL: no RAM */
} m;

/* Tables begin at these; the second one leaves memory, the third has none. */
static const unsigned long places[] = { 0x200, G_RAM - 3, G_RAM + 0x100 };

static uint32_t rnd(uint32_t n)
{
    return harness_random() % n;
}

static bool one_in(uint32_t n)
{
    return !rnd(n);
}

/* ---- The naive reading ---- */

struct reading {
    enum viommu_remapped is;
    unsigned int reason, index;
    bool recorded;
    struct viommu_interrupt irq;
};

static struct reading blocked(unsigned int reason, unsigned int index,
                              bool recorded)
{
    return (struct reading){
        .is = VIOMMU_DROPPED, .reason = reason, .index = index,
        .recorded = recorded,
    };
}

static bool reserved(uint64_t lo, uint64_t hi)
{
    unsigned int dlm = lo >> 5 & 7;

    if ( lo >> 12 & 0xf )            /* 14:12, and IM */
        return true;
    if ( lo >> 24 & 0xff )
        return true;
    if ( hi >> 20 )
        return true;
    if ( (hi >> 18 & 3) == 3 || dlm == 3 || dlm == 6 )
        return true;

    return !m.eime && ((lo >> 32 & 0xff) || lo >> 48);
}

static bool source_ok(uint64_t hi, uint16_t sid)
{
    uint16_t of = hi, mask;

    if ( (hi >> 18 & 3) == 0 )
        return true;
    if ( (hi >> 18 & 3) == 2 )
        return sid / 256 >= of / 256 && sid / 256 <= of % 256;

    mask = 0xffff;
    if ( (hi >> 16 & 3) == 1 )
        mask = 0xfffb;
    if ( (hi >> 16 & 3) == 2 )
        mask = 0xfff9;
    if ( (hi >> 16 & 3) == 3 )
        mask = 0xfff8;

    return (of & mask) == (sid & mask);
}

static struct reading read_request(const struct viommu_message *msg)
{
    struct reading r = { .is = VIOMMU_UNCHANGED };
    unsigned int index;
    uint64_t *page, lo, hi;

    if ( !m.ire )
        return r;
    if ( msg->addr < 0xfee00000ULL || msg->addr > 0xfeefffffULL )
        return blocked(0, 0, false);
    if ( !(msg->addr & 1U << 4) )
        return m.cfi && !m.eime ? r : blocked(0x25, 0, true);

    index = (msg->addr >> 5) % 0x8000 + (msg->addr & 4 ? 0x8000 : 0);
    if ( msg->addr & 8 )
    {
        if ( msg->data > 0xffff )
            return blocked(0x20, index, true);
        index += msg->data;
    }
    if ( index >= m.entries )
        return blocked(0x21, index, true);

    page = m.page[index / 256];
    if ( !page )
        return blocked(0x23, index, true);
    lo = page[index % 256 * 2];
    hi = page[index % 256 * 2 + 1];

    if ( !(lo & 1) )
        return blocked(0x22, index, !(lo & 2));
    if ( reserved(lo, hi) )
        return blocked(0x24, index, !(lo & 2));
    if ( !msg->no_sid && !source_ok(hi, msg->sid) )
        return blocked(0x26, index, !(lo & 2));

    r.is = VIOMMU_REMAPPED;
    r.irq.vector = lo >> 16;
    r.irq.dest = m.eime ? lo >> 32 : (uint8_t)(lo >> 40);
    r.irq.mode = lo >> 5 & 7;
    r.irq.logical = lo >> 2 & 1;
    r.irq.level = lo >> 4 & 1;
    r.irq.any = (lo >> 3 & 1) || r.irq.mode == 1;

    return r;
}

/* ---- What the guest does ---- */

static bool is_ram(unsigned long gfn)
{
    return guest_type(gfn) == GFN_RAM || guest_type(gfn) == GFN_RAM_RO;
}

static void look_again(void)
{
    unsigned int i;

    for ( i = 0; i < 256; i++ )
        m.page[i] = i * 256 < m.entries && is_ram(m.gfn + i)
                    ? guest_page(m.gfn + i) : NULL;
}

/* A page of a table, in use or not, that there is. */
static unsigned long any_page(void)
{
    unsigned long gfn;

    do
        gfn = places[rnd(2)] + rnd(one_in(4) ? 256 : 3);
    while ( gfn >= G_RAM );

    return gfn;
}

static void edit(void)
{
    uint64_t *e = guest_page(any_page()) + rnd(one_in(4) ? 256 : 4) * 2;
    uint64_t lo = (uint64_t)harness_random() << 32 | harness_random();
    uint64_t hi = rnd(0x100000);

    if ( !one_in(4) )
    {
        lo &= 0xffffffff00ff0fffULL;
        if ( !m.eime )
            lo &= 0x0000ff0000ffffffULL;
        lo |= 1;
    }
    if ( one_in(3) )
        hi &= ~0xc0000ULL;
    if ( one_in(3) )
        hi = (hi & 0xf0000) | vm_devfn(0);
    if ( one_in(16) )
        hi |= 1ULL << (20 + rnd(44));
    e[0] = lo;
    e[1] = hi;
}

static void command(void)
{
    bool latch = one_in(3);
    uint64_t irta = 0;

    m.ire = !one_in(6);
    m.cfi = one_in(2);
    if ( latch )
    {
        unsigned int s = one_in(3) ? rnd(16) : 7 + rnd(4);

        m.gfn = places[rnd(ARRAY_SIZE(places))];
        m.entries = 2U << s;
        m.eime = one_in(2);
        irta = PAGE(m.gfn) | (m.eime ? 0x800 : 0) | s;
        wr64(0xb8, irta);
        look_again();
    }
    wr32(0x18, 0x04000000 | (m.ire ? 0x02000000 : 0) |
               (m.cfi ? 0x00800000 : 0) | (latch ? 0x01000000 : 0));
    CHECK_EQ(rd32(0x1c) & 0x02800000,
             (m.ire ? 0x02000000 : 0) | (m.cfi ? 0x00800000 : 0));
    if ( latch )
        CHECK(rd32(0x1c) & 0x01000000);
    /* It goes on, so that the page may be memory again. */
    q_submit(0x04, 0);
    look_again();
}

static void move(void)
{
    unsigned long a = any_page(), b = one_in(2) ? any_page() : G_DATA + rnd(64);

    if ( is_ram(a) && is_ram(b) )
        guest_exchange(a, b);
}

/* A page comes or goes; then what left is let go after a while. */
static void come_or_go(void)
{
    unsigned long gfn = any_page();
    uint64_t *was = guest_page(gfn);
    unsigned int i;

    if ( !is_ram(gfn) )
    {
        guest_set(gfn, 1, one_in(4) ? GFN_RAM_RO : GFN_RAM);
        return;
    }
    guest_set(gfn, 1, GFN_MISSING);
    viommu_end_stale(&vi);
    vm_pass(vi.set.window_us + 1000);
    for ( i = 0; i < 256; i++ )
        if ( m.page[i] == was )
            m.page[i] = NULL;
}

static void request(void)
{
    unsigned int handle = one_in(4) ? rnd(0x10000)
                                    : rnd(3) * 256 + rnd(4);
    struct viommu_message msg = {
        .addr = 0xfee00000ULL | (handle & 0x7fff) << 5 |
                (handle & 0x8000 ? 4 : 0) | (one_in(8) ? 0 : 0x10) |
                (one_in(3) ? 8 : 0) | rnd(4),
        .data = one_in(8) ? harness_random() : rnd(4),
        .sid = one_in(2) ? vm_devfn(0) ^ (one_in(2) ? rnd(8) : 0)
                         : rnd(0x10000),
        .no_sid = one_in(8),
    };
    struct viommu_interrupt irq;
    struct viommu_ir_fault fault;
    struct reading r;

    if ( one_in(32) )
        msg.addr ^= 1ULL << (20 + rnd(44));
    r = read_request(&msg);
    guest.time_us += VIOMMU_FAULT_WINDOW_US;
    memset(&irq, 0x5a, sizeof(irq));
    CHECK_EQ(intremap_message(&vi, &msg, &irq), r.is);
    if ( r.is == VIOMMU_REMAPPED )
    {
        CHECK_EQ(irq.vector, r.irq.vector);
        CHECK_EQ(irq.dest, r.irq.dest);
        CHECK_EQ(irq.mode, r.irq.mode);
        CHECK_EQ(irq.logical, r.irq.logical);
        CHECK_EQ(irq.level, r.irq.level);
        CHECK_EQ(irq.any, r.irq.any);
    }
    CHECK_EQ(intremap_take_fault(&vi, &fault), r.recorded);
    if ( r.recorded )
    {
        CHECK_EQ(fault.reason, r.reason);
        CHECK_EQ(fault.index, r.index & 0xffff);
        CHECK_EQ(fault.sid, msg.sid);
        CHECK(!intremap_take_fault(&vi, &fault));
    }
}

static void requests_agree_with_a_naive_reading(void)
{
    unsigned int i, j;

    vm_stop();
    vm_intremap = true;
    CHECK_EQ(vm_create(0), 0);
    harness_seed(vm_polled ? 77 : 42);
    memset(&m, 0, sizeof(m));
    vm_queue_on();
    for ( i = 0; i < ROUNDS; i++ )
    {
        switch ( rnd(10) )
        {
        case 0:
        case 1:
            command();
            break;

        case 2:
            move();
            break;

        case 3:
            come_or_go();
            break;

        case 4:
            q_submit(0x04, 0);
            look_again();
            break;

        default:
            edit();
            break;
        }
        for ( j = 0; j < 4; j++ )
            request();
    }
    CHECK(COUNT(irte_remapped) > ROUNDS / 20);
    CHECK(COUNT(irte_blocked) > ROUNDS);
    CHECK(COUNT(irte_compat) > 0);
    guest_set(0, G_RAM, GFN_RAM);
}

TESTS(request_tests) = {
    TEST(requests_agree_with_a_naive_reading),
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
