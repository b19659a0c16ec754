/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fair.c: whether a hostile guest makes others wait for their sidecore.
 *
 *   fair          checks; ends with "N passed, N failed"
 *   fair --csv    figures
 *
 * Several guests on one sidecore, in one thread and simulated time, so that all
 * of it is the same in each run. Four of them map and unmap pages one by one,
 * with pauses; the last one attacks, or behaves like them. How long a command
 * waits is counted in polls (visits to each guest) and in work items that the
 * sidecore did meanwhile, for whomever.
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define NR_VICTIMS 4
#define ROUNDS     20000
#define MAX        100000    /* samples */

/*
 * The work items that are a guest's share of a round, and that one visit may
 * take: the removals of one flush more, for a command that is in progress.
 */
#define SHARE       128
#define VISIT_ITEMS (SHARE + VIOMMU_NR_REMOVED + 32)

static struct domain sidecore;
static struct world *worlds[NR_VICTIMS + 1];
static unsigned int nr_worlds;

/* ---- Numbers. ---- */

static uint64_t random_state;

static unsigned int below(unsigned int n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;

    return ((random_state * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

struct samples {
    unsigned int n;
    unsigned int v[MAX];
};

static int compare(const void *a, const void *b)
{
    unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

    return x < y ? -1 : x > y;
}

static unsigned int quantile(struct samples *s, double q)
{
    CHECK(s->n);
    qsort(s->v, s->n, sizeof(s->v[0]), compare);

    return s->v[(unsigned int)((s->n - 1) * q)];
}

static void add(struct samples *s, unsigned int v)
{
    CHECK(s->n < MAX);
    s->v[s->n++] = v;
}

/* ---- Guests. ---- */

struct victim {
    struct world *w;
    volatile uint32_t *status;   /* NULL: nothing asked for */
    unsigned int since, pause;
    uint64_t items;
    bool mapped;
};

static uint64_t items;           /* that the sidecore did so far */
static struct samples polls_waited, items_waited;
static unsigned int attacker_batches, attacker_begins, attacker_items;
static unsigned int longest_visit;

#define ADDR 0x80000000ULL

static void victim_acts(struct victim *v, unsigned int now)
{
    if ( v->status )
    {
        if ( *v->status != DONE )
            return;
        add(&polls_waited, now - v->since);
        add(&items_waited, items - v->items);
        v->status = NULL;
        v->pause = below(4);
        return;
    }
    if ( v->pause && v->pause-- )
        return;

    v->mapped = !v->mapped;
    *leaf_entry(v->w, ADDR) = v->mapped ? PAGE(G_DATA + below(64)) | LEAF_RW
                                        : 0;
    v->status = put_with_wait(v->w, DESC_PAGE(ADDR));
    v->since = now;
    v->items = items;
    kick(v->w);
    settle(v->w);
}

/* ---- Attacks. ---- */

static bool queue_full(struct world *w)
{
    return (w->tail + 1) % NR_DESC == reg_read64(w, VTD_IQH) / 16;
}

/* The queue is always full of what takes longest. */
static void flood(struct world *w)
{
    while ( !queue_full(w) )
        put(w, DESC_DOMAIN);
    kick(w);
    settle(w);
}

/* Translation on and off; each reads all contexts and builds a shadow. */
static void toggle(struct world *w)
{
    static bool off;

    off = !off;
    reg_write32(w, VTD_GCMD, VTD_GCMD_QIE | (off ? 0 : VTD_GCMD_TE));
    settle(w);
}

/* The page traps while a status is set: it clears all, so that it does not. */
static void clear(struct world *w)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_NR_FAULT_RECORDS; i++ )
        reg_write32(w, VTD_FRCD + i * VTD_FRCD_SIZE + 12, 1U << 31);
    reg_write32(w, VTD_FSTS, ~0U);
    reg_write32(w, VTD_ICS, ~0U);
    reg_write32(w, VTD_FECTL, 0);
    reg_write32(w, VTD_IECTL, 0);
    settle(w);
}

/* Errors of the queue, one after the other. */
static void nonsense(struct world *w)
{
    reg_write64(w, VTD_IQA, ~0xfffULL & (uint64_t)below(1U << 31) << 20);
    reg_write32(w, VTD_GCMD, VTD_GCMD_TE);
    settle(w);
    reg_write32(w, VTD_GCMD, VTD_GCMD_TE | VTD_GCMD_QIE);
    reg_write32(w, VTD_IQT, below(256) * 16);
    clear(w);
}

/* Anything, anywhere in the register page. */
static void scribble(struct world *w)
{
    unsigned int i;

    for ( i = 0; i < 64; i++ )
        reg_write32(w, below(1024) * 4, below(~0U));
    clear(w);
}

/* The page has to come and go for a fault, each time. */
static void faults(struct world *w)
{
    const pci_sbdf_t sbdf = { .sbdf = 0x300 };

    if ( w->inbox_mapped )
    {
        hw_pcidevs_lock();
        viommu_fault(&w->vi, sbdf, ADDR + PAGE(100), false);
        hw_pcidevs_unlock();
    }
    clear(w);
    kick(w);
    settle(w);
}

/* ---- The simulation. ---- */

static void set_sidecore(struct world *w)
{
    struct xen_viommu_settings s = w->vi.set;

    s.mode = XEN_VIOMMU_MODE_sidecore;
    s.teardown = XEN_VIOMMU_TEARDOWN_strict;
    s.idle_us = 60000000;
    s.fallback_us = 1000000;
    CHECK(!viommu_set(&w->vi, &s));
    settle(w);
}

static void poll_all(void)
{
    unsigned int i, n = 0;

    for ( i = 0; i < nr_worlds; i++ )
        worlds[i]->vi.count[XEN_VIOMMU_CNT_longest_entry] = 0;
    CHECK(!sidecore_poll(&sidecore));
    /* Each guest was visited once, so this is what the visit took. */
    for ( i = 0; i < nr_worlds; i++ )
    {
        n = worlds[i]->vi.count[XEN_VIOMMU_CNT_longest_entry];
        longest_visit = n > longest_visit ? n : longest_visit;
        items += n;
    }
    /* The last one. */
    attacker_items += n;
}

static void simulate(void (*attack)(struct world *w))
{
    struct victim victims[NR_VICTIMS + 1] = {};
    unsigned int i, round;

    random_state = 88172645463325252ULL;
    items = longest_visit = attacker_items = 0;
    polls_waited.n = items_waited.n = 0;
    memset(&sidecore, 0, sizeof(sidecore));
    sidecore.domain_id = 100;
    CHECK(!sidecore_start(&sidecore));

    nr_worlds = NR_VICTIMS + 1;
    for ( i = 0; i < nr_worlds; i++ )
    {
        worlds[i] = victims[i].w = world_new();
        set_sidecore(worlds[i]);
        submit(worlds[i], DESC_GLOBAL);
    }
    if ( attack )
    {
        struct world *w = worlds[NR_VICTIMS];

        /* Much to look at for an invalidation of the domain. */
        for ( i = 0; i < 100000; i++ )
            *leaf_entry(w, ADDR + PAGE(i)) = PAGE(G_DATA + i % 64) | LEAF_RW;
    }

    for ( round = 0; round < ROUNDS; round++ )
    {
        world_time += 2;
        for ( i = 0; i < NR_VICTIMS; i++ )
            victim_acts(&victims[i], round);
        if ( attack )
            attack(worlds[NR_VICTIMS]);
        else
            victim_acts(&victims[NR_VICTIMS], round);
        poll_all();
        /* What a kick would have them do. */
        for ( i = 0; i < nr_worlds; i++ )
            settle(worlds[i]);
    }

    attacker_batches =
        worlds[NR_VICTIMS]->vi.count[XEN_VIOMMU_CNT_sidecore_batches];
    attacker_begins =
        worlds[NR_VICTIMS]->vi.count[XEN_VIOMMU_CNT_no_exit_begins];

    sidecore_end(&sidecore);
    for ( i = 0; i < nr_worlds; i++ )
    {
        sidecore_unassign(&worlds[i]->vi);
        settle(worlds[i]);
        world_delete(worlds[i]);
    }
}

/* ---- The program. ---- */

static const struct {
    const char *name;
    void (*attack)(struct world *w);
} attacks[] = {
    { "nobody attacks", NULL },
    { "queue always full", flood },
    { "translation on and off", toggle },
    { "queue at random addresses", nonsense },
    { "anything into all registers", scribble },
    { "faults and their records", faults },
};

int main(int argc, char **argv)
{
    bool csv = argc > 1 && !strcmp(argv[1], "--csv");
    unsigned int i, passed = 0, failed = 0, base_n = 0, base_items = 0;

    world_simulated = world_preempted = true;
    for ( i = 0; i < ARRAY_SIZE(attacks); i++ )
    {
        unsigned int p50, p99, i50, i99;
        bool ok;

        simulate(attacks[i].attack);
        p50 = quantile(&polls_waited, 0.5);
        p99 = quantile(&polls_waited, 0.99);
        i50 = quantile(&items_waited, 0.5);
        i99 = quantile(&items_waited, 0.99);
        if ( csv )
        {
            printf("one of 5 guests; %s: a command waits,%u (p99 %u),polls\n",
                   attacks[i].name, p50, p99);
            printf("one of 5 guests; %s: meanwhile,%u (p99 %u),items\n",
                   attacks[i].name, i50, i99);
            printf("one of 5 guests; %s: its page came and went,%.2f,times "
                   "a poll\n", attacks[i].name,
                   attacker_begins / (double)ROUNDS);
            continue;
        }

        /*
         * A command is done in the visit after it came; the attacker's own
         * visit comes between once, and it has its share of all rounds.
         */
        if ( !attacks[i].attack )
        {
            base_n = polls_waited.n / (NR_VICTIMS + 1);
            base_items = i99;
        }
        ok = p99 <= 1 && longest_visit <= VISIT_ITEMS &&
             i99 <= base_items + VISIT_ITEMS && i50 <= base_items + SHARE &&
             attacker_items <= ROUNDS * SHARE + VISIT_ITEMS &&
             polls_waited.n / (NR_VICTIMS + !attacks[i].attack) >=
             base_n * 9 / 10;
        printf("%s %s: %u commands, polls %u (p99 %u), items %u (p99 %u); "
               "it had %u batches of at most %u, %.1f items a round; page %u "
               "times memory\n",
               ok ? "PASS" : "FAIL", attacks[i].name, polls_waited.n, p50,
               p99, i50, i99, attacker_batches, longest_visit,
               attacker_items / (double)ROUNDS, attacker_begins);
        passed += ok;
        failed += !ok;
    }
    if ( !csv )
        printf("%u passed, %u failed\n", passed, failed);

    return failed != 0;
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
