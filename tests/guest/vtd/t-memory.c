/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-memory.c: what is particular to a register page that is memory, in which a
 * sidecore looks for what was written. All begin while it is memory.
 */
#include "unit.h"

#define ROUNDS          20
#define VECTOR          0x83
#define IOVA            0x50007000ULL
#define BAD             0x7e000000ULL   /* nothing is mapped there */

static struct edu *dev = &edus[0];
static uint64_t page, page2;

/* ---- One-shot commands. ---- */

static void check_root_pointer(void)
{
    uint64_t root2 = page_new(), contexts2 = page_new();
    struct domain dom2;
    unsigned int i;

    topic("SRTP in memory");
    domain_new(&dom2, 3, 2);
    map(&dom, IOVA, page, 1, RW);
    map(&dom2, IOVA, page2, 1, RW);
    mem64(root2)[0] = contexts2 | 1;
    mem64(contexts2 + dev->devfn * 16)[0] = dom2.table | CTX_P;
    mem64(contexts2 + dev->devfn * 16)[1] = (dom2.levels - 2) | (2 << 8);
    inv_all();

    for ( i = 1; i <= 4; i++ )
    {
        bool second = i & 1;

        if ( !check(memory_wait(), "time %u: the page is memory", i) )
            continue;
        wr64(RTADDR, second ? root2 : root);
        check(command(G_SRTP), "time %u: SRTP, given again, completes", i);
        inv_all();
        check_eq(edu_writes(dev, IOVA, second ? page2 : page), ARRIVED,
                 "time %u: the root table is the new one", i);
    }
}

static void check_queue_again(void)
{
    unsigned int i, n = 0;

    topic("QIE in memory");
    for ( i = 0; i < ROUNDS; i++ )
    {
        queue_off();
        n += memory_wait() && !rd64(IQH);
        queue_on(0);
        n += queue_sync() && rd64(IQH) == 16;
    }
    check_eq(n, 2 * ROUNDS, "off and on again, %u times", ROUNDS);
}

/* ---- Bits that are cleared by writing 1, and their events. ---- */

/*
 * They are written while nothing is pending, and at once a command follows that
 * sets them: the write came before and must not clear them.
 */
static void check_clearing(void)
{
    unsigned int i, memory = 0, set = 0, cleared = 0;

    topic("completion in memory");
    for ( i = 0; i < ROUNDS; i++ )
    {
        memory += memory_wait();
        wr32(ICS, 1);
        queue_put(DESC_WAIT | WAIT_IF, 0);
        queue_kick();
        set += WAIT_FOR(now32(ICS) & 1) && queue_drained();
        set += (rd32(ICS) & 1) && rd32(IECTL) == (EVENT_IM | EVENT_IP);
        wr32(ICS, 1);
        cleared += !(rd32(ICS) & 1) && rd32(IECTL) == EVENT_IM;
    }
    check_eq(memory, ROUNDS, "the page is memory, %u times", ROUNDS);
    check_eq(set, 2 * ROUNDS, "ICS written before the event: IWC is set");
    check_eq(cleared, ROUNDS, "ICS written after it: IWC is cleared");

    topic("queue error in memory");
    memory = set = cleared = 0;
    for ( i = 0; i < ROUNDS; i++ )
    {
        unsigned int bad;

        memory += memory_wait();
        bad = queue_tail();
        wr32(FSTS, ~0U);
        queue_put(0, 0);
        queue_kick();
        /* All bits are what was written, and is not taken up yet. */
        set += WAIT_FOR(now32(FSTS) == FSTS_IQE) && rd64(IQH) == bad * 16;
        queue_slot(bad)->lo = DESC_CONTEXT(GLOBAL, 0, 0);
        errors_clear();
        cleared += queue_drained() && !rd32(FSTS);
    }
    check_eq(memory, ROUNDS, "the page is memory, %u times", ROUNDS);
    check_eq(set, ROUNDS, "FSTS written before the error: IQE is set");
    check_eq(cleared, ROUNDS, "FSTS written after it: IQE is cleared");
}

static bool arrives_once(void)
{
    bool arrived = WAIT_FOR(irq_total());

    pause_ms(5);

    return arrived && irq_total() == 1 && irq_count(VECTOR, 0) == 1;
}

static void check_interrupts(void)
{
    unsigned int i, memory = 0, arrived = 0;
    struct fault f;

    topic("events in memory");
    for ( i = 0; i < ROUNDS; i++ )
    {
        memory += memory_wait();
        /* All of it is seen before the event, which the tail starts. */
        wr32(IEDATA, VECTOR);
        wr64(IEADDR, 0xfee00000 | (apic_id(0) << 12));
        wr32(IECTL, 0);
        irq_forget();
        queue_put(DESC_WAIT | WAIT_IF, 0);
        queue_kick();
        arrived += arrives_once() && (rd32(ICS) & 1);
        wr32(IECTL, EVENT_IM);
        wr32(IEDATA, 0);
        wr32(ICS, 1);
    }
    check_eq(memory, ROUNDS, "the page is memory, %u times", ROUNDS);
    check_eq(arrived, ROUNDS, "completion: each interrupt arrives once");

    for ( i = 0; i < 3; i++ )
    {
        check(memory_wait(), "fault %u: the page is memory", i);
        wr32(FEDATA, VECTOR);
        wr64(FEADDR, 0xfee00000 | (apic_id(0) << 12));
        wr32(FECTL, 0);
        settle();
        irq_forget();
        check_eq(edu_writes(dev, BAD + i * PAGE, page), BLOCKED,
                 "fault %u: the DMA is blocked", i);
        check(arrives_once(), "fault %u: its interrupt arrives once", i);
        fault_get(FSTS_FRI(rd32(FSTS)), &f);
        check(f.valid && f.addr == BAD + i * PAGE && f.sid == dev->devfn &&
              f.reason == REASON_WRITE, "fault %u: its record is right", i);
        faults_clear();
        check_eq(rd32(FSTS), 0, "fault %u: cleared", i);
        wr32(FECTL, EVENT_IM);
    }
    check(memory_wait(), "the page is memory after all that");
}

/* ---- Garbage. ---- */

static uint32_t random(void)
{
    static uint32_t state = 0x2545f491;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;

    return state;
}

/* What nothing but a fault changes: a hash of it. */
static uint64_t fixed_registers(void)
{
    uint64_t hash = rd32(VER) ^ rd64(CAP) ^ (rd64(ECAP) << 1);
    unsigned int i;

    for ( i = reg_frcd; i < PAGE; i += 4 )
        hash = hash * 33 + rd32(i);

    return hash;
}

/* Over the whole page, with commands. What it asks for is up to the unit. */
static void check_garbage(void)
{
    static const uint32_t patterns[] = {
        ~0U, 0, 0x55555555, 0xaaaaaaaa, 0x80000000, 0x7fffffff,
    };
    unsigned int i, j;
    uint64_t before;

    topic("garbage in memory");
    for ( i = 0; i < ARRAY_SIZE(patterns) + 6; i++ )
    {
        unit_quiet();
        before = fixed_registers();
        check(memory_wait(), "garbage %u: the page is memory", i);
        for ( j = 0; j < PAGE; j += 4 )
        {
            uint32_t value = i < ARRAY_SIZE(patterns) ? patterns[i] : random();

            /* No interrupt with a vector of an exception. */
            if ( j == FEADDR || j == IEADDR )
                value &= 0x0fffffff;
            wr32(j, value);
        }
        check_eq(fixed_registers(), before,
                 "garbage %u: what is read-only comes back", i);
        unit_quiet();
        check_eq(rd32(GSTS) & ~G_SRTP, 0, "garbage %u: all can be turned off",
                 i);
        queue_on(0);
        check(queue_sync() && !rd32(FSTS), "garbage %u: the queue works", i);
        check_eq(IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(GLOBAL), 0)), GLOBAL,
                 "garbage %u: IOTLB works", i);
    }
    unit_quiet();

    /* Where drivers do not write, while they wait for commands. */
    queue_on(0);
    check(memory_wait(), "the page is memory");
    before = fixed_registers();
    for ( i = j = 0; i < ROUNDS; i++ )
    {
        wr64(CAP, random());
        wr64(ECAP, random());
        wr64(reg_frcd, random());
        wr64(reg_frcd + 8, random() | FRCD_F);
        wr32(IQH + 4, random());
        wr32(PMEN, random());
        j += queue_do(DESC_IOTLB(GLOBAL, 0), 0);
    }
    check_eq(j, ROUNDS, "commands between garbage complete");
    check(fixed_registers() == before && !rd32(IQH + 4) && !rd32(PMEN),
          "what is read-only comes back");
    unit_quiet();

    fixture(3);
    page = page_new();
    map(&dom, IOVA, page, 1, RW);
    inv_all();
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "DMA works after all that");
}

void check_memory(void)
{
    if ( !nr_edus )
        return;

    fixture(3);
    page = page_new();
    page2 = page_new();
    check_root_pointer();
    fixture(3);
    page = page_new();
    check_queue_again();
    check_clearing();
    check_interrupts();
    check_garbage();
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
