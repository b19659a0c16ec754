/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h: guests and hardware that cost nothing, and what a guest's driver
 * does. With them the core's own cost is what is left to measure.
 */
#ifndef VIOMMU_BENCH_WORLD_H
#define VIOMMU_BENCH_WORLD_H

#include "boundary.h"
#include "format.h"
#include "inbox.h"
#include "regfile.h"
#include "removed.h"
#include "sidecore.h"
#include "teardown.h"
#include "viommu.h"

/* Where a guest has what, in frames. */
#define G_ROOT    1
#define G_CONTEXT 2
#define G_STATUS  3
#define G_QUEUE   4          /* 256 descriptors */
#define G_IRT     8          /* 256 entries that remap interrupts */
#define G_TABLES  16
#define G_DATA    0x1000
#define G_END     0x2000

#define PAGE(gfn) ((uint64_t)(gfn) << VTD_PAGE_SHIFT)
#define NR_DESC   256

/* What one side writes does not lie beside what the other one uses. */
#define OWN_LINE __attribute__((aligned(128)))

struct world {
    struct viommu vi;        /* first: the boundary finds the rest by it */
    struct domain d;

    /* Hardly ever changes. */
    char *memory OWN_LINE;
    volatile uint32_t *regs; /* the register page as memory, when mapped */
    bool inbox_mapped;

    /* The boundary. */
    bool deferred OWN_LINE;
    uint64_t timer[VIOMMU_NR_TIMERS];
    unsigned long flushes;

    /* The driver. */
    unsigned int tail OWN_LINE;
    unsigned int next_table;
};

/* Simulated time; until it is set, the processor's. */
extern uint64_t world_time;
extern bool world_simulated;
extern bool world_preempted;     /* what sidecore_preempted() says */
extern bool world_blocked;       /* a sidecore's vCPU sleeps */
/* Of all guests: entries that hardware was told of, and references taken. */
extern unsigned long world_entries, world_references;
double cycles_per_us(void);

static inline uint64_t cycles(void)
{
    return __builtin_ia32_rdtsc();
}

/* A guest with a bound device, translation and queue on. */
struct world *world_new(void);
/* The same with a unit that can remap interrupts, and has a table of them. */
struct world *world_new_remapping(void);
#define DEVICE_SBDF 0x300
void world_delete(struct world *w);
void *guest_at(struct world *w, unsigned long gfn);

/* ---- The driver ---- */

/* A register write: to memory if it is that now, else by a trap. */
void reg_write32(struct world *w, unsigned int offset, uint32_t value);
void reg_write64(struct world *w, unsigned int offset, uint64_t value);
uint64_t reg_read64(struct world *w, unsigned int offset);

/* The guest's leaf entry for an address. */
uint64_t *leaf_entry(struct world *w, uint64_t addr);
#define LEAF_RW (VTD_PTE_R | VTD_PTE_W)

/* Puts descriptors, without telling the unit. */
void put(struct world *w, uint64_t lo, uint64_t hi);
#define DESC_PAGE(addr)  (0xf2ULL | 1ULL << 16), (addr)
#define DESC_DOMAIN      (0xe2ULL | 1ULL << 16), 0ULL
#define DESC_GLOBAL      0xd2ULL, 0ULL
#define DESC_CONTEXT     0x11ULL, 0ULL
#define DESC_ENTRIES     0x04ULL, 0ULL

/*
 * As Linux does it: the descriptor, and a wait behind it. Returns where the
 * status will be; it becomes DONE.
 */
volatile uint32_t *put_with_wait(struct world *w, uint64_t lo, uint64_t hi);
#define IN_USE 1U
#define DONE   2U
/* Tells the unit of all that was put. */
static inline void kick(struct world *w)
{
    reg_write32(w, VTD_IQT, w->tail * 16);
}

/* All of it, waiting for the end; for trap mode. */
void submit(struct world *w, uint64_t lo, uint64_t hi);
/* What the vCPUs were to do. */
void settle(struct world *w);

#endif /* VIOMMU_BENCH_WORLD_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
