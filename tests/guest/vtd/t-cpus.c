/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-cpus.c: two CPUs at the unit at a time. Each has registers of its own, as
 * drivers see to by their locks; reading is free.
 */
#include "unit.h"

#define ROUNDS          200

static volatile bool stop;
static volatile unsigned int rounds, wrong;

/* Reads registers until it is told to stop. */
static void reads(void)
{
    while ( !stop )
    {
        uint32_t state = now32(GSTS) & (G_QIE | G_TE);
        uint64_t head = now64(IQH);

        wrong += now32(VER) != 0x10 || now64(CAP) != cap ||
                 now64(ECAP) != ecap || state != G_QIE || now32(FSTS) ||
                 head % 16 || head >= queue_entries() * 16;
        rounds++;
    }
}

/* Invalidates by registers, while the first CPU does so by the queue. */
static void invalidates(void)
{
    uint64_t last = 0;

    for ( rounds = 0; rounds < ROUNDS; rounds++ )
    {
        mmio_write64(UNIT + reg_iotlb, IOTLB_IVT | IOTLB_IIRG(GLOBAL));
        if ( !WAIT_FOR(!((last = now64(reg_iotlb)) & IOTLB_IVT)) )
            wrong++;
        wrong += IOTLB_IAIG(last) != GLOBAL;
    }
}

/* Takes each completion as the handler of its interrupt would. */
static void takes(void)
{
    for ( rounds = 0; rounds < ROUNDS; rounds++ )
    {
        if ( !WAIT_FOR(now32(ICS) & 1) )
        {
            wrong++;
            break;
        }
        mmio_write32(UNIT + ICS, 1);
    }
}

static unsigned int syncs(void)
{
    unsigned int i, n = 0;

    for ( i = 0; i < ROUNDS; i++ )
        n += queue_do(DESC_IOTLB(GLOBAL, 0), 0);

    return n;
}

void check_cpus(void)
{
    unsigned int i, n;

    topic("two CPUs");
    if ( nr_cpus < 2 )
    {
        skip("one CPU only", "all of it");
        return;
    }
    pool_reset();
    queue_on(0);

    stop = false;
    rounds = wrong = 0;
    second_begin(reads);
    n = syncs();
    for ( i = 0; i < 20; i++ )
        n += command(G_SRTP);
    stop = true;
    check(second_wait() && rounds, "one reads while the other gives commands");
    check_eq(n, ROUNDS + 20, "... which complete");
    check_eq(wrong, 0, "... and the one reads nothing strange");

    rounds = wrong = 0;
    second_begin(invalidates);
    n = syncs();
    check(second_wait() && n == ROUNDS, "the queue beside IOTLB: it completes");
    check(rounds == ROUNDS && !wrong, "IOTLB beside the queue: it completes");

    rounds = wrong = 0;
    second_begin(takes);
    for ( n = i = 0; i < ROUNDS; i++ )
    {
        queue_put(DESC_WAIT | WAIT_IF, 0);
        queue_kick();
        /* The other one has seen it, or sees it before the next. */
        n += WAIT_FOR(rounds > i) && !(rd32(ICS) & 1);
    }
    check(second_wait() && !wrong && n == ROUNDS,
          "one causes completion events, the other takes them");
    check_eq(rd32(FSTS), 0, "no error is left");
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
