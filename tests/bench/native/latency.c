/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.c: how long a guest waits for an invalidation by a sidecore.
 *
 *   latency CPU CPU      prints "name,nanoseconds,unit" lines
 *
 * Two threads on two processors: a guest that does what Linux's driver does,
 * and the poll loop. Beside it, in the same run: a cache line that two threads
 * pass to each other, and a responder that does no more than the protocol asks
 * (reads the tail, the descriptors and the guest's leaf, writes status and
 * head). The first is what the machine costs, the second what any emulation
 * costs; the rest is ours. All are taken in turns, so that they see the same
 * machine; medians, since other things run here too. At last, what it waits for
 * where the sidecore has idle guests to look at as well.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define TURNS  40
#define PASSES 500
#define NR     (TURNS * PASSES)

static struct world *w;
static struct domain sidecore = { .domain_id = 100 };

/* What the other thread is to do. */
static volatile enum { STOP, PONG, RESPOND, POLL } role;
static volatile bool idle = true;

static struct {
    volatile uint64_t v;
    char pad[56];
} ball[2] __attribute__((aligned(64)));

static void on_cpu(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(!sched_setaffinity(0, sizeof(set), &set));
}

/* What the protocol asks for, of one page and a wait. */
static void respond(void)
{
    static uint64_t sink;
    uint32_t tail = w->regs[VTD_IQT / 4], head = w->regs[VTD_IQH / 4];
    uint64_t *d;

    while ( head != tail )
    {
        d = (uint64_t *)((char *)guest_at(w, G_QUEUE) + head);
        if ( (d[0] & 0xf) == 2 )
            sink += *(volatile uint64_t *)(leaf_entry(w, d[1]));
        else
            ACCESS_ONCE(*(uint32_t *)(w->memory + d[1])) = d[0] >> 32;
        head = (head + 16) % (NR_DESC * 16);
        w->regs[VTD_IQH / 4] = head;
    }
}

static void *other(void *arg)
{
    on_cpu(*(int *)arg);
    for ( ; ; )
    {
        switch ( role )
        {
        case STOP:
            idle = true;
            cpu_relax();
            continue;
        case PONG:
            idle = false;
            if ( ball[0].v != ball[1].v )
                ball[1].v = ball[0].v;
            break;
        case RESPOND:
            idle = false;
            respond();
            break;
        case POLL:
            idle = false;
            CHECK(!sidecore_poll(&sidecore));
            break;
        }
    }

    return NULL;
}

static void play(unsigned int as)
{
    role = STOP;
    while ( !idle )
        cpu_relax();
    role = as;
}

/* ---- One pass of each kind, with the cycles that the guest waited. ---- */

static uint64_t ping(unsigned int i)
{
    uint64_t t = cycles();

    ball[0].v++;
    while ( ball[1].v != ball[0].v )
        cpu_relax();

    return cycles() - t;
}

#define ADDR 0xfffff000ULL

/*
 * As qi_submit_sync(): descriptors, tail, then status and the fault register
 * until the status is there.
 */
static uint64_t by_queue(uint64_t leaf)
{
    volatile uint32_t *status;
    uint64_t t;

    *leaf_entry(w, ADDR) = leaf;
    t = cycles();
    status = put_with_wait(w, DESC_PAGE(ADDR));
    kick(w);
    while ( *status != DONE )
    {
        CHECK(!w->regs[VTD_FSTS / 4]);
        cpu_relax();
    }

    return cycles() - t;
}

/* As __iommu_flush_iotlb(). */
static uint64_t by_register(uint64_t leaf)
{
    uint64_t t;

    *leaf_entry(w, ADDR) = leaf;
    t = cycles();
    reg_write64(w, VTD_IVA, ADDR);
    reg_write64(w, VTD_IOTLB, VTD_IOTLB_IVT | 3ULL << 60 | 1ULL << 32);
    while ( reg_read64(w, VTD_IOTLB) & VTD_IOTLB_IVT )
        cpu_relax();

    return cycles() - t;
}

#define LEAF (PAGE(G_DATA) | LEAF_RW)

static uint64_t queue_map(unsigned int i) { return by_queue(LEAF); }
static uint64_t queue_unmap(unsigned int i) { return by_queue(0); }
static uint64_t register_map(unsigned int i) { return by_register(LEAF); }
static uint64_t register_unmap(unsigned int i) { return by_register(0); }

/* ---- The program. ---- */

static struct kind {
    const char *name;
    unsigned int role;
    int teardown;
    bool queue;
    uint64_t (*even)(unsigned int i), (*odd)(unsigned int i);
    const char *even_name, *odd_name;
    uint32_t *samples[2];
} kinds[] = {
    { "ping-pong of a cache line", PONG, -1, true, ping, ping,
      "ping-pong of a cache line", NULL },
    { "responder", RESPOND, -1, true, queue_map, queue_unmap,
      "queue: least that the protocol asks for", NULL },
    { "strict", POLL, XEN_VIOMMU_TEARDOWN_strict, true, queue_map,
      queue_unmap, "queue: map", "queue: unmap; strict" },
    { "optimistic", POLL, XEN_VIOMMU_TEARDOWN_optimistic, true, queue_map,
      queue_unmap, "queue: map; revived", "queue: unmap; lingers" },
    { "registers", POLL, XEN_VIOMMU_TEARDOWN_strict, false, register_map,
      register_unmap, "registers: map", "registers: unmap; strict" },
};

static void set_teardown(unsigned int teardown)
{
    struct xen_viommu_settings set = w->vi.set;

    set.mode = XEN_VIOMMU_MODE_sidecore;
    set.teardown = teardown;
    set.window_us = 1000000;
    set.idle_us = 60000000;
    set.fallback_us = 1000000;
    CHECK(!viommu_set(&w->vi, &set));
}

/* The page is memory once a command trapped and the sidecore has seen it. */
static void to_memory(void)
{
    role = POLL;
    submit(w, DESC_GLOBAL);
    while ( !w->inbox_mapped )
        cpu_relax();
}

/* What a driver keeps mapped beside its buffers, so that tables stay. */
static void map_rings(void)
{
    *leaf_entry(w, ADDR - PAGE(1)) = PAGE(G_DATA + 1) | LEAF_RW;
    submit(w, DESC_PAGE(ADDR - PAGE(1)));
}

static void set_queue(bool on)
{
    uint32_t gcmd = VTD_GCMD_TE | (on ? VTD_GCMD_QIE : 0);

    if ( w->vi.queue_enabled == on )
        return;
    if ( on )
        reg_write32(w, VTD_IQT, 0);
    reg_write32(w, VTD_GCMD, gcmd);
    while ( ACCESS_ONCE(w->vi.queue_enabled) != on )
        cpu_relax();
    w->tail = 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* In nanoseconds. */
static double median(uint32_t *samples, unsigned int n)
{
    qsort(samples, n, sizeof(*samples), compare);

    return samples[n / 2] / cycles_per_us() * 1000;
}

/* Another guest of the sidecore, which does nothing; its page is memory. */
static void add_idle_guest(void)
{
    struct world *busy = w;

    w = world_new();
    set_teardown(XEN_VIOMMU_TEARDOWN_strict);
    to_memory();
    w = busy;
}

static void beside_idle_guests(void)
{
    static const unsigned int all[] = { 1, 8, 64 };
    static uint32_t samples[NR];
    unsigned int i, k, guests = 1;
    double first = 0, ns = 0;

    play(POLL);
    set_teardown(XEN_VIOMMU_TEARDOWN_strict);
    set_queue(true);
    for ( k = 0; k < ARRAY_SIZE(all); k++ )
    {
        for ( ; guests < all[k]; guests++ )
            add_idle_guest();
        for ( i = 0; i < NR; i++ )
        {
            queue_map(i);
            samples[i] = queue_unmap(i);
        }
        ns = median(samples, NR);
        if ( !k )
            first = ns;
        printf("queue: unmap; strict; 1 of %u guests is busy,%.0f,ns\n",
               guests, ns);
    }
    printf("queue: unmap; strict; for each idle guest,%.1f,ns\n",
           (ns - first) / (guests - 1));
}

int main(int argc, char **argv)
{
    int cpus[2] = { argc > 1 ? atoi(argv[1]) : 0,
                    argc > 2 ? atoi(argv[2]) : 1 };
    unsigned int turn, i, k;
    double base = 0, ns;
    pthread_t thread;

    on_cpu(cpus[0]);
    w = world_new();
    CHECK(!sidecore_start(&sidecore));
    set_teardown(XEN_VIOMMU_TEARDOWN_strict);
    map_rings();
    CHECK(!pthread_create(&thread, NULL, other, &cpus[1]));
    to_memory();

    for ( k = 0; k < ARRAY_SIZE(kinds); k++ )
        for ( i = 0; i < 2; i++ )
            CHECK((kinds[k].samples[i] = malloc(NR * 4)) != NULL);

    for ( turn = 0; turn < TURNS; turn++ )
        for ( k = 0; k < ARRAY_SIZE(kinds); k++ )
        {
            const struct kind *kind = &kinds[k];

            /* The responder leaves the queue as if the unit had done it. */
            play(POLL);
            if ( kind->role == POLL )
            {
                play(STOP);
                set_teardown(kind->teardown);
                play(POLL);
                set_queue(kind->queue);
            }
            play(kind->role);
            for ( i = 0; i < PASSES; i++ )
            {
                kind->samples[0][turn * PASSES + i] = kind->even(i);
                kind->samples[1][turn * PASSES + i] = kind->odd(i);
            }
            if ( kind->role == RESPOND )
            {
                /* It knows nothing of these. */
                play(STOP);
                w->tail = w->vi.regs[VTD_IQT / 4] / 16;
                w->regs[VTD_IQT / 4] = w->tail * 16;
                w->regs[VTD_IQH / 4] = w->tail * 16;
            }
        }
    play(STOP);

    for ( k = 0; k < ARRAY_SIZE(kinds); k++ )
        for ( i = 0; i < 2; i++ )
        {
            const char *name = i ? kinds[k].odd_name : kinds[k].even_name;

            if ( !name )
                continue;
            ns = median(kinds[k].samples[i], NR);
            if ( !base )
                base = ns;
            printf("%s,%.0f,ns\n", name, ns);
            printf("%s / ping-pong,%.2f,\n", name, ns / base);
        }

    beside_idle_guests();

    return 0;
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
