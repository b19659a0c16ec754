/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * h-phases.c: keeping Xen busy, on both CPUs, for as long as one likes. A key
 * ends what is being done and begins something else:
 *
 *   s  both CPUs spin, without any access to the unit
 *   q  the queue is kept full, by both CPUs
 *   t  leaves come and go, in more tables than there may be
 *   c  a device gets one context after the other
 *   d  a device writes to memory: a round is a DMA that arrives
 *   g  the second GiB of memory is mapped by one leaf: a round is a DMA to its
 *      first and one to its last word that arrive, and one behind it that
 *      does not
 *   i  interrupts are asked for, while what remaps them changes
 *   e  a command that takes for ever; no key is seen any more
 *   x  the guest crashes, while a device writes to memory
 *
 * What begins and ends is said, with the number of rounds that were done.
 */
#include "hostile.h"
#include "xen.h"

#define IOVA            0x40000000ULL
#define BIG_IOVA        0x1000000000ULL
#define QUEUE_SIZE      7               /* QS: the most */

static volatile bool stop;
static struct domain scattered, other;

/* Without a pause instruction, which would give way to others. */
static bool spin(void)
{
    uint64_t end = now_ms() + 1;

    while ( now_ms() <= end )
        ;

    return true;
}

/* Whoever finds it empty comes back from Xen, and fills it. */
static bool queue_full(void)
{
    const uint64_t size = queue_entries() * sizeof(struct descriptor);

    mmio_write64(UNIT + IQT, (mmio_read64(UNIT + IQH) + size - 16) % size);

    return true;
}

static void queue_begin(void)
{
    unsigned int i;

    queue_off();
    queue_on(QUEUE_SIZE);
    for ( i = 0; i < queue_entries(); i++ )
    {
        queue_slot(i)->hi = 0;
        queue_slot(i)->lo = i % 1024 ? DESC_IEC : DESC_IOTLB(GLOBAL, 0);
    }
}

static void tables_begin(void)
{
    static const unsigned int used[4] = { 1, 8, 16, 16 };

    scatter(&scattered, 7, used);
    context_now(&scattered);
}

static bool leaves_change(void)
{
    scatter_set(RW);
    inv_domain(scattered.did);
    scatter_set(0);

    return inv_domain(scattered.did);
}

/* Meant for the second CPU; the queue is the first one's. */
static bool registers(void)
{
    mmio_write64(UNIT + reg_iotlb, IOTLB_IVT | IOTLB_IIRG(GLOBAL));

    return true;
}

static void contexts_begin(void)
{
    domain_new(&other, 4, 9);
    map(&other, IOVA, MEMORY_BASE, 1, RW);
}

static bool contexts_change(void)
{
    context_now(&other);
    context_set(&edus[0], 0, 0);
    inv_context();
    context_now(&dom);

    return true;
}

static bool context_registers(void)
{
    mmio_write64(UNIT + CCMD, CCMD_ICC | CCMD_CIRG(GLOBAL));

    return true;
}

/* What the device has in its buffer does not matter. */
static bool arrives(uint64_t iova, uint64_t phys, unsigned int count)
{
    *mem32(phys) = ~0U;
    edu_dma(&edus[0], true, iova, 0, count);

    return *mem32(phys) != ~0U;
}

static bool dma(void)
{
    return arrives(IOVA, MEMORY_BASE, 1024);
}

static void big_begin(void)
{
    map(&dom, BIG_IOVA, GB, 3, RW);
    inv_domain(dom.did);
}

static bool big(void)
{
    return arrives(BIG_IOVA, GB, 4) &&
           arrives(BIG_IOVA + GB - 4, 2 * GB - 4, 4) &&
           !arrives(BIG_IOVA + GB, 2 * GB, 4);
}

static bool endless(void)
{
    struct domain d = { .table = page_new(), .levels = 4, .did = 11 };
    unsigned int i;

    for ( i = 0; i < 512; i++ )
        mem64(d.table)[i] = d.table | RW;
    attach(&edus[0], &d);
    queue_put(DESC_CONTEXT(GLOBAL, 0, 0), 0);
    queue_kick();

    return false;
}

static bool crash(void)
{
    if ( xen_init() )
    {
        edu_start(&edus[0], true, IOVA, 0, 1024);
        xen_crash();
    }

    return false;
}

static const struct phase {
    char key;
    const char *name;
    void (*begin)(void);
    bool (*first)(void), (*second)(void);
    void (*end)(void);
} phases[] = {
    { 's', "spin", NULL, spin, spin },
    { 'q', "queue", queue_begin, queue_full, queue_full },
    { 't', "tables", tables_begin, leaves_change, registers },
    { 'c', "contexts", contexts_begin, contexts_change, context_registers },
    { 'd', "dma", NULL, dma, spin },
    { 'g', "big", big_begin, big, spin },
    { 'i', "interrupts", interrupts_begin, interrupts_ask, interrupts_turn,
      interrupts_end },
    { 'e', "endless", NULL, endless, spin },
    { 'x', "crash", NULL, crash, spin },
};
static const struct phase *phase;

static void second(void)
{
    while ( !stop )
        (void)phase->second();
}

/* Until a key comes; looking for one is an exit, too. */
static void run(void)
{
    unsigned int rounds = 0;
    uint64_t look = 0;

    unit_quiet();
    fixture(4);
    map(&dom, IOVA, MEMORY_BASE, 1, RW);
    inv_domain(dom.did);
    if ( phase->begin )
        phase->begin();
    say("phase %s\n", phase->name);
    stop = false;
    if ( nr_cpus > 1 )
        second_begin(second);
    for ( ; ; )
    {
        rounds += phase->first();
        if ( now_ms() < look )
            continue;
        if ( console_pending() )
            break;
        look = now_ms() + 100;
    }
    stop = true;
    if ( nr_cpus > 1 && !second_wait() )
        say("the second CPU does not come back\n");
    if ( phase->end )
        phase->end();
    say("end of phase %s: %u rounds\n", phase->name, rounds);
}

void hostile_phases(void)
{
    unsigned int i;

    for ( ; ; )
    {
        char key = console_key();

        for ( i = 0; i < ARRAY_SIZE(phases); i++ )
            if ( phases[i].key == key )
            {
                phase = &phases[i];
                run();
            }
    }
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
