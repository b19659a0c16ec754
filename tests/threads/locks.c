/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * locks.c: locks and memory of the core for real threads, and what
 * ThreadSanitizer is told of them. Compiled without it.
 */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sanitizer/tsan_interface.h>

#include "world.h"

__thread struct cpu cpu;
struct harness harness;
unsigned int test_budget;

void harness_fail(const char *file, int line, const char *format, ...)
{
    const char *base = strrchr(file, '/');
    va_list args;

    fprintf(stderr, "%s:%d: ", base ? base + 1 : file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    _exit(1);
}

uint32_t rnd(uint32_t n)
{
    cpu.random ^= cpu.random >> 12;
    cpu.random ^= cpu.random << 25;
    cpu.random ^= cpu.random >> 27;

    return ((cpu.random * 0x2545f4914f6cdd1dULL) >> 32) % n;
}

/* ---- The core's locks ---- */

void pause_a_bit(void)
{
    sched_yield();
}

static void wait_for(volatile bool *locked)
{
    unsigned int i;

    for ( i = 0; __atomic_exchange_n(locked, true, __ATOMIC_ACQUIRE); i++ )
        if ( i < 20 )
            cpu_relax();
        else
            sched_yield();
}

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
    __tsan_mutex_create(lock, __tsan_mutex_not_static);
}

unsigned int harness_locks_held(unsigned int rank)
{
    return cpu.locks >> rank;
}

void spin_lock(spinlock_t *lock)
{
    if ( harness_locks_held(lock->rank) )
        FAIL("lock order: rank %u after %#x", lock->rank, cpu.locks);

    __tsan_mutex_pre_lock(lock, 0);
    wait_for(&lock->locked);
    __tsan_mutex_post_lock(lock, 0, 0);
    cpu.locks |= 1U << lock->rank;
}

bool spin_trylock(spinlock_t *lock)
{
    bool taken;

    __tsan_mutex_pre_lock(lock, __tsan_mutex_try_lock);
    taken = !__atomic_exchange_n(&lock->locked, true, __ATOMIC_ACQUIRE);
    __tsan_mutex_post_lock(lock, taken ? __tsan_mutex_try_lock
                                       : __tsan_mutex_try_lock_failed, 0);
    if ( taken )
        cpu.locks |= 1U << lock->rank;

    return taken;
}

void spin_unlock(spinlock_t *lock)
{
    if ( !lock->locked || !(cpu.locks & (1U << lock->rank)) )
        FAIL("lock of rank %u released but not held", lock->rank);

    cpu.locks &= ~(1U << lock->rank);
    __tsan_mutex_pre_unlock(lock, 0);
    __atomic_store_n(&lock->locked, false, __ATOMIC_RELEASE);
    __tsan_mutex_post_unlock(lock, 0);
}

/* ---- What is not seen ---- */

void quiet_lock(quiet_lock_t *lock)
{
    unsigned int i;

    for ( i = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); i++ )
        if ( i < 20 )
            cpu_relax();
        else
            sched_yield();
}

void quiet_unlock(quiet_lock_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

unsigned int quiet_add(volatile unsigned int *p, int n)
{
    return __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST);
}

unsigned int quiet_get(const volatile unsigned int *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

void quiet_set(volatile unsigned int *p, unsigned int value)
{
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

/*
 * The compiler calls these for each access by ACCESS_ONCE(), before it. Such a
 * read may come upon any write; such a write must not meet a plain access, so
 * ThreadSanitizer sees an atomic one that changes nothing.
 */
#define DECLARED(bytes, bits)                                           \
    void __tsan_volatile_read##bytes(void *p);                          \
    void __tsan_volatile_write##bytes(void *p);                         \
    unsigned long __tsan_atomic##bits##_fetch_add(volatile void *,      \
                                                  unsigned long, int);  \
    void __tsan_volatile_read##bytes(void *p) {}                        \
    void __tsan_volatile_write##bytes(void *p)                          \
    { __tsan_atomic##bits##_fetch_add(p, 0, __ATOMIC_RELAXED); }

#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
DECLARED(1, 8)
DECLARED(2, 16)
DECLARED(4, 32)
DECLARED(8, 64)

/* ---- Memory ---- */

static volatile unsigned int allocated;

void *harness_alloc(size_t size)
{
    void *p = calloc(1, size);

    if ( harness_locks_held(RANK_REG) )
        FAIL("allocation under reg_lock");
    if ( !p )
        abort();
    quiet_add(&allocated, 1);

    return p;
}

void xfree(void *p)
{
    if ( p )
        quiet_add(&allocated, -1);
    free(p);
}

unsigned int allocations(void)
{
    return quiet_get(&allocated);
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
