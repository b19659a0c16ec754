/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-requests.c: random tables, requests, and changes of where the tables are,
 * compared with a naive reading of the specification.
 */
#include "naive-ir.h"
#include "vm.h"

#define ROUNDS 3000

static struct told m;

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

    random_irte(e, m.eime, vm_devfn(0));
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
    r = read_request(&m, &msg);
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
