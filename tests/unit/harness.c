/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * harness.c: locks, memory and failures of the tests; runs them.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "test.h"

struct harness harness;
unsigned int test_budget;

static jmp_buf *catcher;
static char reason[256];

/* xorshift64*: the same numbers on every host. */
static uint64_t random_state = 1;

void harness_seed(uint64_t seed)
{
    random_state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
}

uint32_t harness_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;

    return (random_state * 0x2545f4914f6cdd1dULL) >> 32;
}

void harness_fail(const char *file, int line, const char *format, ...)
{
    const char *base = strrchr(file, '/');
    va_list args;
    int n;

    n = snprintf(reason, sizeof(reason), "%s:%d: ", base ? base + 1 : file,
                 line);
    va_start(args, format);
    vsnprintf(reason + n, sizeof(reason) - n, format, args);
    va_end(args);

    if ( catcher )
        longjmp(*catcher, 1);

    fprintf(stderr, "%s\n", reason);
    abort();
}

bool harness_try(void (*body)(void))
{
    jmp_buf here;
    bool ok = false;

    catcher = &here;
    if ( !setjmp(here) )
    {
        body();
        ok = true;
    }
    catcher = NULL;

    return ok;
}

const char *harness_reason(void)
{
    return reason;
}

/* Of the sanitizer; absent when it is. */
void __attribute__((weak))
__asan_poison_memory_region(const volatile void *p, size_t size);
void __attribute__((weak))
__asan_unpoison_memory_region(const volatile void *p, size_t size);

/*
 * Every other block that is freed is the next one of that size: so that it
 * shows who knows a thing by where it was.
 */
static void *kept;
static bool keep;

static void keep_block(void *p)
{
    free(kept);
    kept = p;
    if ( __asan_poison_memory_region )
        __asan_poison_memory_region(p, malloc_usable_size(p));
}

static void *kept_block(size_t size)
{
    void *p = kept;

    if ( !p || malloc_usable_size(p) - size >= 16 )
        return NULL;

    kept = NULL;
    if ( __asan_unpoison_memory_region )
        __asan_unpoison_memory_region(p, size);

    return memset(p, 0, size);
}

static void forget_kept(void)
{
    free(kept);
    kept = NULL;
    keep = false;
}

/* Locks that are held, for when a test ends with some. */
static spinlock_t *held[32];

void harness_reset(void)
{
    unsigned int allocations = harness.allocations, i;

    forget_kept();
    for ( i = 0; i < ARRAY_SIZE(held); i++ )
        if ( held[i] )
            held[i]->locked = false;
    memset(held, 0, sizeof(held));
    memset(&harness, 0, sizeof(harness));
    harness.allocations = allocations;
}

/* ---- Locks ---- */

void harness_lock_init(spinlock_t *lock, const char *name)
{
    lock->locked = false;
    if ( strstr(name, "sync_lock") )
        lock->rank = RANK_SYNC;
    else if ( strstr(name, "reg_lock") )
        lock->rank = RANK_REG;
    else if ( strstr(name, "remap_lock") )
        lock->rank = RANK_REMAP;
    else if ( strstr(name, "wake_lock") )
        lock->rank = RANK_WAKE;
    else if ( strstr(name, "s->lock") )
        lock->rank = RANK_SIDECORE;
    else
        FAIL("%s has no place in the lock order", name);
}

unsigned int harness_locks_held(unsigned int rank)
{
    return harness.locks >> rank;
}

static void check_init(const spinlock_t *lock)
{
    if ( !lock->rank )
        FAIL("a lock that was not initialised");
}

static void take(spinlock_t *lock)
{
    lock->locked = true;
    held[lock->rank] = lock;
    harness.locks |= 1U << lock->rank;
}

void spin_lock(spinlock_t *lock)
{
    check_init(lock);
    if ( lock->locked )
        FAIL("deadlock: lock of rank %u taken twice", lock->rank);
    if ( harness_locks_held(lock->rank) )
        FAIL("lock order: rank %u after %#x", lock->rank, harness.locks);

    take(lock);
}

bool spin_trylock(spinlock_t *lock)
{
    check_init(lock);
    if ( lock->locked )
        return false;
    if ( harness.trylocks )
    {
        harness.trylocks--;
        return false;
    }

    take(lock);

    return true;
}

void spin_unlock(spinlock_t *lock)
{
    check_init(lock);
    if ( !lock->locked )
        FAIL("lock of rank %u released but not held", lock->rank);

    lock->locked = false;
    held[lock->rank] = NULL;
    harness.locks &= ~(1U << lock->rank);
    if ( lock->rank == RANK_REG && harness.on_registers )
        harness.on_registers();
}

/* ---- Memory ---- */

bool harness_starve(void)
{
    if ( (harness.fail_in && !--harness.fail_in) ||
         (harness.fail_rate && harness_random() % 256 < harness.fail_rate) )
    {
        harness.failed++;
        return true;
    }

    return false;
}

void *harness_alloc(size_t size)
{
    void *p;

    if ( harness_locks_held(RANK_REG) )
        FAIL("allocation under reg_lock");
    if ( harness_starve() )
        return NULL;

    p = kept_block(size) ?: calloc(1, size);
    if ( !p )
        abort();
    harness.allocations++;

    return p;
}

void xfree(void *p)
{
    if ( !p )
        return;
    if ( !harness.allocations )
        FAIL("xfree() of what was not allocated");
    harness.allocations--;
    keep = harness.recycle && !keep;
    if ( keep )
        keep_block(p);
    else
        free(p);
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
