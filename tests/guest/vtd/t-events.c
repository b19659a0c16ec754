/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-events.c: the invalidation completion event (VT-d 11.4.9.4 to 11.4.9.8),
 * and the fault event (11.4.7.2 to 11.4.7.5), which follow the same rules.
 */
#include "unit.h"

#define VECTOR          0x50
#define OTHER           0x61

struct event {
    unsigned int control, data, addr;   /* registers */
    unsigned int status;
    uint32_t bit;                       /* of status */
    void (*cause)(void);
    void (*clear)(void);
};

static void completion_cause(void)
{
    queue_put(DESC_WAIT | WAIT_IF, 0);
    queue_kick();
    queue_drained();
}

static void completion_clear(void)
{
    wr32(ICS, 1);
}

static unsigned int bad;

static void error_cause(void)
{
    bad = queue_tail();
    queue_put(0, 0);
    queue_kick();
    WAIT_FOR(rd32(FSTS) & FSTS_IQE);
}

static void error_clear(void)
{
    queue_slot(bad)->lo = DESC_CONTEXT(GLOBAL, 0, 0);
    errors_clear();
    queue_drained();
}

static void message(const struct event *ev, uint64_t addr, uint32_t data)
{
    wr32(ev->data, data);
    wr32(ev->addr, addr);
    wr32(ev->addr + 4, addr >> 32);
}

static uint64_t to_cpu(unsigned int cpu)
{
    return 0xfee00000 | (apic_id(cpu) << 12);
}

/* Waits until the vector has arrived; then no other may. */
static bool arrives_once(unsigned int vector)
{
    bool arrived = WAIT_FOR(irq_count(vector, 0));

    pause_ms(10);

    return arrived && irq_total() == 1;
}

static bool nothing_arrives(void)
{
    pause_ms(20);

    return !irq_total();
}

static void check_masked(const struct event *ev)
{
    wr32(ev->control, EVENT_IM);
    message(ev, to_cpu(0), VECTOR);
    irq_forget();
    ev->cause();
    check_eq(rd32(ev->status) & ev->bit, ev->bit, "masked: the status is set");
    check_eq(rd32(ev->control), EVENT_IM | EVENT_IP, "masked: IP is set");
    check(nothing_arrives(), "masked: no interrupt");
    wr32(ev->control, EVENT_IM | EVENT_IP);
    check_eq(rd32(ev->control), EVENT_IM | EVENT_IP,
             "IP does not change when it is written as 1");
    wr32(ev->control, EVENT_IM);
    check_eq(rd32(ev->control), EVENT_IM | EVENT_IP,
             "IP does not change when it is written as 0");
    wr32(ev->control, 0);
    check(arrives_once(VECTOR), "unmasked: the interrupt arrives, once");
    check_eq(rd32(ev->control), 0, "unmasked: IP is cleared when it is sent");
    check_eq(rd32(ev->status) & ev->bit, ev->bit,
             "the status stays until software clears it");
    irq_forget();
    wr32(ev->control, EVENT_IM);
    wr32(ev->control, 0);
    check(nothing_arrives(), "masked and unmasked again: no second one");
    ev->clear();
    check_eq(rd32(ev->status) & ev->bit, 0, "the status is cleared");
    check(nothing_arrives(), "... which sends nothing");

    wr32(ev->control, EVENT_IM);
    ev->cause();
    ev->clear();
    check_eq(rd32(ev->control), EVENT_IM,
             "IP goes when the status is cleared while masked");
    wr32(ev->control, 0);
    check(nothing_arrives(), "... and unmasking sends nothing");
}

static void check_unmasked(const struct event *ev)
{
    unsigned int i;

    for ( i = 1; i <= 3; i++ )
    {
        irq_forget();
        ev->cause();
        check(arrives_once(VECTOR), "not masked: arrives, time %u", i);
        check_eq(rd32(ev->control), 0, "not masked: IP is 0, time %u", i);
        ev->clear();
    }
}

/* Bits of CPUs. */
#define NOBODY          0
#define FIRST           1
#define SECOND          2
#define BOTH            3
#define ONE_OF_BOTH     4

/* Where the vector has arrived; no other may have, and none twice. */
static bool arrives_at(unsigned int vector, unsigned int wanted)
{
    unsigned int n = wanted == NOBODY ? 0 : wanted == BOTH ? 2 : 1;
    unsigned int cpu, at = 0;

    if ( n )
        WAIT_FOR(irq_total() >= n);
    pause_ms(n ? 10 : 20);
    for ( cpu = 0; cpu < MAX_CPUS; cpu++ )
        if ( irq_count(vector, cpu) )
            at |= 1U << cpu;

    return irq_total() == n &&
           (wanted == ONE_OF_BOTH ? at == FIRST || at == SECOND : at == wanted);
}

static void check_messages(const struct event *ev)
{
    const struct {
        const char *name;
        uint64_t addr;
        uint32_t data;
        unsigned int at;
        bool two_cpus;
    } cases[] = {
        { "vector 16, the lowest one", to_cpu(0), 16, FIRST },
        { "vector 20", to_cpu(0), 20, FIRST },
        { "vector 0x1f", to_cpu(0), 0x1f, FIRST },
        { "vector 0x20", to_cpu(0), 0x20, FIRST },
        { "vector 0xfe", to_cpu(0), 0xfe, FIRST },
        { "logical destination", 0xfee01004, VECTOR, FIRST },
        { "lowest priority, logical destination", 0xfee0100c, VECTOR | 0x100,
          FIRST },
        { "a destination that nobody has", 0xfee7e000, VECTOR, NOBODY },
        { "vector 0", to_cpu(0), 0, NOBODY },
        { "vector 15", to_cpu(0), 15, NOBODY },
        { "an address that is none of an APIC", NOWHERE, VECTOR, NOBODY },
        { "an APIC's with an upper half", to_cpu(0) | 1ULL << 32, VECTOR,
          NOBODY },
        { "the second CPU", to_cpu(1), VECTOR, SECOND, true },
        { "the second CPU, vector 16", to_cpu(1), 16, SECOND, true },
        { "the second CPU, vector 0xfe", to_cpu(1), 0xfe, SECOND, true },
        { "the second CPU, logical", 0xfee02004, VECTOR, SECOND, true },
        { "both CPUs, logical", 0xfee03004, VECTOR, BOTH, true },
        { "all CPUs, physical", 0xfeeff000, VECTOR, BOTH, true },
        { "lowest priority of both CPUs", 0xfee0300c, VECTOR | 0x100,
          ONE_OF_BOTH, true },
        { "the first CPU again", to_cpu(0), VECTOR, FIRST, true },
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(cases); i++ )
    {
        if ( cases[i].two_cpus && nr_cpus < 2 )
        {
            skip("one CPU only", "%s: arrives", cases[i].name);
            continue;
        }
        wr32(ev->control, EVENT_IM);
        message(ev, cases[i].addr, cases[i].data);
        wr32(ev->control, 0);
        irq_forget();
        ev->cause();
        check(arrives_at(cases[i].data & 0xff, cases[i].at), "%s: %s",
              cases[i].name, cases[i].at ? "arrives" : "nothing arrives");
        ev->clear();
    }

    wr32(ev->control, EVENT_IM);
    message(ev, to_cpu(0), VECTOR);
    irq_forget();
    ev->cause();
    wr32(ev->data, OTHER);
    wr32(ev->control, 0);
    check(arrives_once(OTHER), "a vector that changes while masked is used");
    ev->clear();
    wr32(ev->control, EVENT_IM);
}

static void check_event(const struct event *ev)
{
    unit_quiet();
    queue_on(0);
    check_masked(ev);
    check_unmasked(ev);
    check_messages(ev);
    check_eq(rd32(FSTS) | rd32(ICS), 0, "nothing is left pending");
    unit_quiet();
}

void check_completion(void)
{
    static const struct event ev = {
        IECTL, IEDATA, IEADDR, ICS, 1, completion_cause, completion_clear,
    };
    uint64_t status;
    unsigned int i;

    topic("completion event");
    pool_reset();
    status = page_new();
    check_event(&ev);

    queue_on(0);
    message(&ev, to_cpu(0), VECTOR);
    wr32(IECTL, 0);
    irq_forget();
    completion_cause();
    arrives_once(VECTOR);
    completion_cause();
    check(arrives_once(VECTOR), "a second one while IWC is set: no interrupt");
    completion_clear();
    irq_forget();
    queue_put(DESC_WAIT | WAIT_IF | WAIT_SW | WAIT_DATA(3), status);
    queue_kick();
    check(arrives_once(VECTOR) && *mem32(status) == 3, "IF with SW: both");
    completion_clear();
    irq_forget();
    for ( i = 0; i < 3; i++ )
        queue_put(DESC_WAIT | WAIT_IF, 0);
    queue_kick();
    check(arrives_once(VECTOR), "three in one submission: one interrupt");
    completion_clear();
    irq_forget();
    queue_put(DESC_WAIT | WAIT_SW, status);
    queue_kick();
    check(queue_drained() && nothing_arrives() && !(rd32(ICS) & 1),
          "without IF: no interrupt, IWC stays 0");
    check_eq(rd32(FECTL), EVENT_IM, "FECTL is not touched");
    unit_quiet();
}

void check_error_event(void)
{
    static const struct event ev = {
        FECTL, FEDATA, FEADDR, FSTS, FSTS_IQE, error_cause, error_clear,
    };

    topic("fault event of the queue");
    check_event(&ev);
    check_eq(rd32(IECTL), EVENT_IM, "IECTL is not touched");
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
