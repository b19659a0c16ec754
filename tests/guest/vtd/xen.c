/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xen.c: the few hypercalls with which a guest changes its own memory. Numbers
 * and structures are those of Xen's public interface (memory.h, grant_table.h,
 * hvm/hvm_op.h, sched.h).
 */
#include "guest.h"
#include "xen.h"

#define MEMORY_OP               12
#define GRANT_TABLE_OP          20
#define SCHED_OP                29
#define HVM_OP                  34

#define DECREASE_RESERVATION    1
#define POPULATE_PHYSMAP        6
#define ADD_TO_PHYSMAP          7
#define EXCHANGE                11
#define MAP_GRANT_REF           0
#define UNMAP_GRANT_REF         1
#define MAP_HOST                2
#define GET_PARAM               1
#define PARAM_STORE_PFN         1
#define SHUTDOWN                2
#define SHUTDOWN_CRASH          3

#define SELF                    0x7ff0
#define CPUID_XEN               0x40000000U
#define CPUID_HAS_DOMID         0x10
#define MAX_PAGES               512

struct reservation {
    uint64_t *gfns, nr;
    uint32_t order, flags;
    uint16_t domid;
};

static uint8_t code[PAGE] __attribute__((aligned(PAGE)));
static uint64_t gfns[MAX_PAGES];

static void cpuid(uint32_t leaf, uint32_t r[4])
{
    asm volatile ( "cpuid" : "=a" (r[0]), "=b" (r[1]), "=c" (r[2]), "=d" (r[3])
                   : "0" (leaf), "2" (0) );
}

bool xen_init(void)
{
    uint32_t r[4];

    cpuid(CPUID_XEN, r);
    if ( r[1] != 0x566e6558 /* "XenV" */ )
        return false;

    cpuid(CPUID_XEN + 2, r);
    asm volatile ( "wrmsr" :: "c" (r[1]), "a" ((uint32_t)(uint64_t)code),
                   "d" (0) : "memory" );

    return true;
}

uint16_t xen_domid(void)
{
    uint32_t r[4];

    cpuid(CPUID_XEN + 4, r);

    return r[0] & CPUID_HAS_DOMID ? r[2] : SELF;
}

static long hypercall(unsigned int number, uint64_t a, void *b, uint64_t c)
{
    long result;

    asm volatile ( "call *%[entry]"
                   : "=a" (result), "+D" (a), "+S" (b), "+d" (c)
                   : [entry] "0" (code + number * 32)
                   : "memory", "rcx", "r8", "r9", "r10", "r11" );

    return result;
}

static long balloon(unsigned int op, uint64_t gfn, unsigned int n)
{
    struct reservation r = { .gfns = gfns, .nr = n, .domid = SELF };
    unsigned int i;

    for ( i = 0; i < n; i++ )
        gfns[i] = gfn + i;

    return hypercall(MEMORY_OP, op, &r, 0);
}

long xen_balloon_out(uint64_t gfn, unsigned int n)
{
    return balloon(DECREASE_RESERVATION, gfn, n);
}

long xen_balloon_in(uint64_t gfn, unsigned int n)
{
    return balloon(POPULATE_PHYSMAP, gfn, n);
}

long xen_exchange(uint64_t gfn)
{
    uint64_t in = gfn, out = gfn;
    struct {
        struct reservation in, out;
        uint64_t done;
    } x = {
        .in = { .gfns = &in, .nr = 1, .domid = SELF },
        .out = { .gfns = &out, .nr = 1, .domid = SELF },
    };
    long rc = hypercall(MEMORY_OP, EXCHANGE, &x, 0);

    return rc ? rc : (long)x.done;
}

long xen_put_at(unsigned int space, uint64_t gfn)
{
    struct {
        uint16_t domid, size;
        uint32_t space;
        uint64_t index, gfn;
    } x = { .domid = SELF, .space = space, .gfn = gfn };

    return hypercall(MEMORY_OP, ADD_TO_PHYSMAP, &x, 0);
}

uint64_t xen_store_gfn(void)
{
    struct {
        uint16_t domid, pad;
        uint32_t index;
        uint64_t value;
    } x = { .domid = SELF, .index = PARAM_STORE_PFN };

    return hypercall(HVM_OP, GET_PARAM, &x, 0) ? 0 : x.value;
}

long xen_grant_map(unsigned int ref, uint64_t gfn, uint32_t *handle)
{
    struct {
        uint64_t addr;
        uint32_t flags, ref;
        uint16_t domid;
        int16_t status;
        uint32_t handle;
        uint64_t bus;
    } x = { .addr = gfn * PAGE, .flags = MAP_HOST, .ref = ref,
            .domid = xen_domid() };
    long rc = hypercall(GRANT_TABLE_OP, MAP_GRANT_REF, &x, 1);

    *handle = x.handle;

    return rc ? rc : x.status;
}

long xen_grant_unmap(uint64_t gfn, uint32_t handle)
{
    struct {
        uint64_t addr, bus;
        uint32_t handle;
        int16_t status;
    } x = { .addr = gfn * PAGE, .handle = handle };
    long rc = hypercall(GRANT_TABLE_OP, UNMAP_GRANT_REF, &x, 1);

    return rc ? rc : x.status;
}

void xen_crash(void)
{
    uint32_t reason = SHUTDOWN_CRASH;

    hypercall(SCHED_OP, SHUTDOWN, &reason, 0);
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
