/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h: guests, their memory, and a machine with devices, for threads.
 *
 * What the fakes do among themselves ThreadSanitizer does not see: they are
 * compiled without it and have locks of their own. So they do not hide a race
 * of the core by putting its threads into an order that Xen would not.
 */
#ifndef VIOMMU_THREADS_WORLD_H
#define VIOMMU_THREADS_WORLD_H

#include "boundary.h"
#include "sidecore.h"
#include "viommu.h"

#define NR_WORLDS  2         /* guests */
#define NR_VCPUS   3         /* of the first one; the others have one */
#define NR_DEVICES 3         /* of each guest; the last one comes and goes */

/* Where a guest has what, in frames. */
#define G_ROOT     0x01
#define G_CONTEXT  0x02
#define G_QUEUE    0x03      /* 256 descriptors */
#define G_STATUS   0x04      /* a page for each vCPU */
#define G_TABLES   0x10
#define G_POOL     0x20      /* leaf tables; two places for each */
#define G_BIG      0x80      /* data that may be superpages ... */
#define G_SMALL    0xc0      /* ... and that are not; */
#define NR_GFNS    0x100     /* these two come and go */

#define PAGE(gfn)  ((uint64_t)(gfn) << VTD_PAGE_SHIFT)
#define NR_DESC    256U

/* ---- A thread of the test ---- */

struct world;

struct cpu {
    struct world *w;         /* of a vCPU: its guest */
    unsigned int vcpu;
    unsigned int locks;      /* bits of the ranks held */
    uint64_t random;
};
extern __thread struct cpu cpu;

uint32_t rnd(uint32_t n);    /* below n; own numbers for each thread */

/* A lock that ThreadSanitizer does not see. */
typedef volatile int quiet_lock_t;
void quiet_lock(quiet_lock_t *lock);
void quiet_unlock(quiet_lock_t *lock);
/* The other threads may run. */
void pause_a_bit(void);
/* Atomic, and not seen. */
unsigned int quiet_add(volatile unsigned int *p, int n);
unsigned int quiet_get(const volatile unsigned int *p);
void quiet_set(volatile unsigned int *p, unsigned int value);
/* Allocations of the core that were not freed. */
unsigned int allocations(void);

/* ---- Guests ---- */

enum gfn_type { GFN_MISSING, GFN_RAM, GFN_RAM_RO };

struct world {
    struct viommu vi;        /* first: the boundary finds the rest by it */
    struct domain d;
    unsigned int index;
    unsigned int vcpus;

    /* The p2m, under its lock. */
    quiet_lock_t p2m_lock;
    struct {
        enum gfn_type type;
        unsigned int frame;
    } p2m[NR_GFNS];

    /* vCPUs. */
    volatile unsigned int deferred;          /* bits of vCPUs */
    volatile uint64_t timer[VIOMMU_NR_TIMERS];
    volatile unsigned int msis;
    volatile unsigned int mapped;            /* the register page is memory */
    volatile unsigned int accessing[NR_VCPUS];
    uint32_t inbox[1024];

    /* The driver. */
    quiet_lock_t queue_lock, register_lock;
    volatile unsigned int tail;

    /* The settings, for those who need to know: odd while they change. */
    volatile unsigned int set_epoch, strict;
};
extern struct world worlds[NR_WORLDS];

void memory_init(void);
/* An access of a vCPU to memory; of what is not there, 0 is read. */
uint64_t guest_read(struct world *w, unsigned long gfn, unsigned int index);
void guest_write(struct world *w, unsigned long gfn, unsigned int index,
                 uint64_t value);

/* What a toolstack and the guest itself do to its memory. */
void balloon_out(struct world *w, unsigned long gfn);
void balloon_in(struct world *w, unsigned long gfn);
void change_type(struct world *w, unsigned long gfn, enum gfn_type type);
/* n pages, aligned, get other frames in a row, with the same contents. */
void exchange(struct world *w, unsigned long gfn, unsigned int n);

/* Before a vCPU runs on. */
void process_pending(void);
/* An access of a vCPU to the register page: by a trap, or none. */
uint64_t reg_read(unsigned int offset, unsigned int size);
void reg_write(unsigned int offset, unsigned int size, uint64_t value);

/* Time goes on, and timers that are due fire. */
void time_passes(unsigned int us);

/* The sidecore's vCPU sleeps. */
bool sidecore_sleeps(void);

/* No page is referenced but by the p2m; the guests' memory is given back. */
void memory_check(void);

/* ---- The machine ---- */

uint32_t device_sbdf(const struct world *w, unsigned int dev);
uint32_t device_vsbdf(unsigned int dev);
void machine_init(void);
/*
 * A request. Fails the test if it reaches a frame that is not held for this.
 * Returns whether it reaches anything. cache: the device keeps the translation.
 */
bool device_dma(struct world *w, unsigned int dev, uint64_t addr, bool write,
                bool cache);
/* Nothing is left. */
void machine_check(void);

/* Reference counts. The frame is the machine's n-th one. */
#define MFN_GUEST 0x1000UL
#define NR_FRAMES 0x1000U
bool frame_get(struct world *w, unsigned int frame, bool pin);
void frame_put(unsigned int frame, bool pin);
bool frame_pinned(const struct world *w, unsigned int frame);

#endif /* VIOMMU_THREADS_WORLD_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
