/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h: a guest with a unit and some devices, and what its driver does.
 */
#ifndef VIOMMU_UNIT_VM_H
#define VIOMMU_UNIT_VM_H

#include "fake.h"
#include "test.h"

extern struct viommu vi;

/* Devices 0 to 3, in slots 0x10 on; device 4 is function 1 of device 0. */
#define NR_VM_DEVICES 5
uint32_t vm_sbdf(unsigned int dev);
uint8_t vm_devfn(unsigned int dev);

/* Where the guest has what. */
#define G_ROOT    0x10
#define G_CONTEXT 0x11
#define G_STATUS  0x12
#define G_TABLES  0x20
#define G_DATA    0x80       /* RAM for DMA, 128 pages */
#define G_QUEUE   0x100      /* room for 2^15 descriptors */
#define G_RAM     0x800      /* all below is RAM; 2M pages at 0x200, ... */
#define G_HUGE    0x40000    /* where a test may put a 1G page */

#define PAGE(gfn) ((uint64_t)(gfn) << VTD_PAGE_SHIFT)
#define R   VTD_PTE_R
#define W   VTD_PTE_W
#define RW  (R | W)

/* ---- The machine ---- */

/* A fresh guest with a unit. Before every test, with these: */
void vm_start(void);
/* The same with other capabilities, set in hw.caps, or another quota. */
int vm_create(unsigned int quota);
/* Whether it then may lack memory, and whether it remaps interrupts. */
extern bool vm_overcommit, vm_intremap;
/* Destroys the guest, and checks that nothing is left. */
void vm_stop(void);
/* Does what was deferred. */
void vm_settle(void);
/* Whether register writes settle at once (the default). */
extern bool vm_lazy;
int vm_bind(unsigned int dev);
int vm_unbind(unsigned int dev);

/* ---- Sidecores ---- */

#define NR_SIDECORES (XEN_VIOMMU_MAX_SIDECORES + 1)
extern struct domain vm_sidecore[NR_SIDECORES];
/* Whether a fresh guest is in sidecore mode at once. */
extern bool vm_polled;
/* Sidecore 0 starts, and serves the guest. */
void vm_use_sidecore(void);
/* Unless it sleeps, it looks at its guests once. */
void vm_poll(unsigned int sidecore);
/* ... until it finds nothing new. */
void vm_poll_all(void);
/* Sets one setting. */
#define vm_set(name, value)                                 \
    do {                                                    \
        struct xen_viommu_settings set_ = vi.set;           \
                                                            \
        set_.name = (value);                                \
        CHECK_EQ(viommu_set(&vi, &set_), 0);                \
        if ( !vm_lazy )                                     \
            vm_settle();                                    \
    } while ( 0 )
/* Time passes: timers fire, and what they defer is done. */
void vm_pass(uint64_t us);
/* One more unit, without devices; and for any: it is in sidecore mode. */
struct viommu *vm_add(void);
void vm_serve(struct viommu *v);
/* Whether its register page is memory now. */
bool vm_no_exit(struct viommu *v);

/* ---- Registers ---- */

/* Of any unit: where the page is memory, that is what the guest uses. */
uint64_t vm_read(struct viommu *v, unsigned int offset, unsigned int size);
void vm_write(struct viommu *v, unsigned int offset, unsigned int size,
              uint64_t value);
uint32_t rd32(unsigned int offset);
uint64_t rd64(unsigned int offset);
void wr32(unsigned int offset, uint32_t value);
void wr64(unsigned int offset, uint64_t value);
/* GSTS is that, but for what memory cannot show (see inbox.c). */
void expect_gsts(uint32_t value);
#define COUNT(name) (*vm_counter(XEN_VIOMMU_CNT_##name))
/* pages_pinned is counted when it is asked for. */
uint64_t *vm_counter(unsigned int i);

/* ---- The driver's tables ---- */

uint64_t *vm_root(unsigned int bus);
uint64_t *vm_context(unsigned int dev);
void vm_set_context(unsigned int dev, unsigned long table, unsigned int levels,
                    unsigned int did);
void vm_clear_context(unsigned int dev);
/* An empty table page: its gfn. */
unsigned long vm_table(void);
/* The entry of addr at a level; the tables above it are made. */
uint64_t *vm_entry(unsigned long table, unsigned int levels, uint64_t addr,
                   unsigned int level);
void vm_map(unsigned long table, unsigned int levels, uint64_t addr,
            unsigned long gfn, unsigned int level, uint64_t rights);

/* ---- The driver's commands ---- */

void vm_queue_on(void);
/* Root table, device 0 to NR-1 bound, translation on. */
void vm_translate(unsigned int nr);
void q_submit(uint64_t lo, uint64_t hi);
/* Puts it into the queue without telling the unit. */
void q_put(uint64_t lo, uint64_t hi);
void q_kick(void);
/* Items that may go into the last piece of a turn: the levels of one walk. */
#define SLACK             8
/* Work items of one command, the sum of all entries. */
unsigned long items_of(uint64_t lo, uint64_t hi);
extern unsigned int q_tail;

#define CTX_GLOBAL        0x11ULL, 0
#define CTX_DOMAIN(did)   (0x21ULL | (uint64_t)(did) << 16), 0
#define CTX_DEVICE(did, sid, fm) \
    (0x31ULL | (uint64_t)(did) << 16 | (uint64_t)(sid) << 32 | \
     (uint64_t)(fm) << 48), 0
#define IOTLB_GLOBAL      0xd2ULL, 0
#define IOTLB_DOMAIN(did) (0xe2ULL | (uint64_t)(did) << 16), 0
#define IOTLB_PAGE(did, addr, am) \
    (0xf2ULL | (uint64_t)(did) << 16), ((uint64_t)(addr) | (am))
#define WAIT_STATUS(data, addr) (0x25ULL | (uint64_t)(data) << 32), (addr)
#define WAIT_INTERRUPT    0x15ULL, 0
#define IEC_GLOBAL        0x04ULL, 0
#define IEC_INDEX(i, im)  (0x14ULL | (uint64_t)(im) << 27 | \
                           (uint64_t)(i) << 32), 0

/* A wait, whose status is seen. */
void q_wait(void);
uint32_t *vm_status(void);
/* The queue took all, and found no error. */
void q_check(void);

/* ---- What devices see ---- */

/* addr leads to gfn with exactly these rights. 0: to nothing. */
void expect(unsigned int dev, uint64_t addr, unsigned long gfn,
            uint64_t rights);
#define expect_none(dev, addr) expect(dev, addr, 0, 0)

#endif /* VIOMMU_UNIT_VM_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
