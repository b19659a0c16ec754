/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.c: verdicts, and time.
 */
#include "guest.h"

static unsigned int passed, failed, skipped;
static const char *subject = "";
static uint64_t tsc_per_ms;

/* ---- Verdicts. ---- */

void topic(const char *name)
{
    subject = name;
}

static void verdict(const char *word, const char *fmt, __builtin_va_list args)
{
    say("%s %s: ", word, subject);
    vsay(fmt, args);
}

bool check(bool holds, const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    verdict(holds ? "PASS" : "FAIL", fmt, args);
    __builtin_va_end(args);
    say("\n");
    if ( holds )
        passed++;
    else
        failed++;

    return holds;
}

bool check_eq(uint64_t is, uint64_t wanted, const char *fmt, ...)
{
    bool holds = is == wanted;
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    verdict(holds ? "PASS" : "FAIL", fmt, args);
    __builtin_va_end(args);
    if ( holds )
    {
        say("\n");
        passed++;
    }
    else
    {
        say(" -- is 0x%lx, not 0x%lx\n", is, wanted);
        failed++;
    }

    return holds;
}

void skip(const char *why, const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    verdict("SKIP", fmt, args);
    __builtin_va_end(args);
    say(" -- %s\n", why);
    skipped++;
}

void summary(void)
{
    say("vtd: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
}

/* ---- Time. ---- */

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *a, uint32_t *b,
                  uint32_t *c, uint32_t *d)
{
    asm volatile ( "cpuid" : "=a" (*a), "=b" (*b), "=c" (*c), "=d" (*d)
                   : "0" (leaf), "2" (subleaf) );
}

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile ( "rdtsc" : "=a" (low), "=d" (high) );

    return low | ((uint64_t)high << 32);
}

/* Xen says how fast its clock for the guest is; 2 GHz elsewhere. */
void time_init(void)
{
    uint32_t max, a, b, c, d;

    tsc_per_ms = 2000000;
    cpuid(0x40000000, 0, &max, &b, &c, &d);
    if ( b == 0x566e6558 /* "XenV" */ && max >= 0x40000003 )
    {
        cpuid(0x40000003, 0, &a, &b, &c, &d);
        if ( c )
            tsc_per_ms = c;
    }
}

uint64_t now_ms(void)
{
    return rdtsc() / tsc_per_ms;
}

void pause_ms(unsigned int ms)
{
    uint64_t end = rdtsc() + ms * tsc_per_ms;

    while ( rdtsc() < end )
        asm volatile ( "pause" );
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
