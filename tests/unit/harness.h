/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * harness.h: what xen/drivers/viommu uses of Xen, for user space.
 *
 * As strict as Xen or stricter: frame numbers are types of their own, min()
 * and max() want equal types, locks complain about misuse, allocations may
 * fail and are counted. Values of errno.h are those of Linux, as Xen's are.
 */
#ifndef VIOMMU_UNIT_HARNESS_H
#define VIOMMU_UNIT_HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- Failures ---- */

/* Ends the test in progress as failed; the process if there is none. */
void __attribute__((noreturn, format(printf, 3, 4)))
harness_fail(const char *file, int line, const char *format, ...);

#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond) \
    do { if ( !(cond) ) FAIL("not so: %s", #cond); } while ( 0 )
#define CHECK_EQ(a, b)                                                  \
    do {                                                                \
        unsigned long long a_ = (a), b_ = (b);                          \
                                                                        \
        if ( a_ != b_ )                                                 \
            FAIL("%s is %#llx, not %#llx", #a, a_, b_);                 \
    } while ( 0 )

#ifndef NDEBUG
#define ASSERT(cond) \
    do { if ( !(cond) ) FAIL("ASSERT(%s)", #cond); } while ( 0 )
#define ASSERT_UNREACHABLE() FAIL("ASSERT_UNREACHABLE()")
#else
#define ASSERT(cond) do { if ( 0 && (cond) ) {} } while ( 0 )
#define ASSERT_UNREACHABLE() ((void)0)
#endif
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), "!(" #cond ")")

/* ---- Language ---- */

#define __must_check __attribute__((warn_unused_result))
#define always_inline inline __attribute__((always_inline))
#define cf_check
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DECLARE_BITMAP(name, bits) \
    unsigned long name[((bits) + 8 * sizeof(long) - 1) / (8 * sizeof(long))]
#define ROUNDUP(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define IS_ALIGNED(x, a) (!((x) & ((a) - 1)))
#define MASK_EXTR(v, m) (((v) & (m)) / ((m) & -(m)))
#define MASK_INSR(v, m) (((v) * ((m) & -(m))) & (m))
#define ACCESS_ONCE(x) (*(volatile typeof(x) *)&(x))
#define smp_rmb() __asm__ volatile ( "" ::: "memory" )
#define smp_wmb() smp_rmb()
#define smp_mb()  __sync_synchronize()
#define xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cpu_relax() __builtin_ia32_pause()

#define min(x, y)                                                       \
    ({                                                                  \
        const typeof(x) x_ = (x);                                       \
        const typeof(y) y_ = (y);                                       \
                                                                        \
        (void)(&x_ == &y_);                                             \
        x_ < y_ ? x_ : y_;                                              \
    })
#define max(x, y)                                                       \
    ({                                                                  \
        const typeof(x) x_ = (x);                                       \
        const typeof(y) y_ = (y);                                       \
                                                                        \
        (void)(&x_ == &y_);                                             \
        x_ > y_ ? x_ : y_;                                              \
    })
#define min_t(type, x, y) min((type)(x), (type)(y))
#define max_t(type, x, y) max((type)(x), (type)(y))

/* What a speculating processor would see: index 0 for one out of bounds. */
#define array_index_nospec(i, size) ((i) < (size) ? (i) : 0)

/* Number of the last bit set, from 1; 0 for none. */
static inline unsigned int flsl(unsigned long x)
{
    return x ? 64 - __builtin_clzl(x) : 0;
}
#define fls(x)     flsl((unsigned int)(x))
#define fls64(x)   flsl(x)
#define ffsl(x)    ((unsigned int)__builtin_ffsl(x))
#define hweight64(x) ((unsigned int)__builtin_popcountl(x))

#define printk(...)  ((void)0)
#define gprintk(...) ((void)0)
#define XENLOG_WARNING ""
#define XENLOG_G_INFO  ""
#define XENLOG_ERR     ""

/* ---- Types ---- */

typedef uint64_t paddr_t;
typedef uint16_t domid_t;
#define DOMID_INVALID 0x7ff4U
struct domain { domid_t domain_id; };
typedef struct { unsigned long x; } gfn_t;
typedef struct { unsigned long x; } mfn_t;
typedef struct { uint32_t sbdf; } pci_sbdf_t;

#define DEFINE_FRAME_NUMBER(name)                                       \
    static inline name##_t _##name(unsigned long x)                     \
    { return (name##_t){ x }; }                                         \
    static inline unsigned long name##_x(name##_t f)                    \
    { return f.x; }                                                     \
    static inline name##_t name##_add(name##_t f, unsigned long n)      \
    { return (name##_t){ f.x + n }; }                                   \
    static inline bool name##_eq(name##_t a, name##_t b)                \
    { return a.x == b.x; }
DEFINE_FRAME_NUMBER(gfn)
DEFINE_FRAME_NUMBER(mfn)
#define INVALID_GFN _gfn(~0UL)
#define INVALID_MFN _mfn(~0UL)

/* ---- Locks ---- */

typedef struct {
    bool locked;
    unsigned int rank;       /* a lock of higher rank is taken later */
} spinlock_t;

enum {
    RANK_ASSIGN = 1, RANK_SIDECORE, RANK_PCIDEVS, RANK_SYNC, RANK_REG,
    RANK_REMAP, RANK_WAKE
};

#define DEFINE_SPINLOCK(name) spinlock_t name = { .rank = RANK_ASSIGN }
void harness_lock_init(spinlock_t *lock, const char *name);
#define spin_lock_init(lock) harness_lock_init(lock, #lock)
void spin_lock(spinlock_t *lock);
bool __must_check spin_trylock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
static inline bool spin_is_locked(const spinlock_t *lock)
{
    return lock->locked;
}
/* Locks held whose rank is at least that. */
unsigned int harness_locks_held(unsigned int rank);

/* ---- Memory ---- */

void *harness_alloc(size_t size);
void xfree(void *p);
#define xzalloc(type) ((type *)harness_alloc(sizeof(type)))
#define xzalloc_array(type, n) ((type *)harness_alloc(sizeof(type) * (n)))
#define xmalloc(type) xzalloc(type)
#define xmalloc_array(type, n) xzalloc_array(type, n)
#define xvzalloc_array(type, n) xzalloc_array(type, n)
#define xvfree(p) xfree(p)
#define XFREE(p) do { xfree(p); (p) = NULL; } while ( 0 )

struct harness {
    unsigned int allocations;   /* xzalloc()ed now */
    unsigned int fail_in;       /* the n-th allocation from now fails */
    unsigned int fail_rate;     /* so many of 256 fail */
    unsigned int failed;        /* that were made to fail */
    unsigned int trylocks;      /* so many spin_trylock()s fail */
    unsigned int locks;         /* bits of the ranks that are held */
    bool recycle;               /* what was freed is allocated again soon */
    void (*on_registers)(void); /* called when reg_lock was released */
};
extern struct harness harness;

/* Whether an allocation that is about to be made shall fail. */
bool harness_starve(void);
/* Forgets everything but what would be a leak. */
void harness_reset(void);
uint32_t harness_random(void);
void harness_seed(uint64_t seed);

/* The small build of the core has this as its budget. */
extern unsigned int test_budget;

/* ---- The public header ---- */

typedef uint64_t __attribute__((aligned(8))) uint64_aligned_t;
#define DEFINE_XEN_GUEST_HANDLE(type) \
    typedef struct { type *p; } handle_##type
#define XEN_GUEST_HANDLE_64(type) handle_##type
typedef struct { uint64_t *p; } handle_uint64;

#define __XEN_TOOLS__
#include "viommu_domctl.h"

#endif /* VIOMMU_UNIT_HARNESS_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
