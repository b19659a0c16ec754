/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unit.h: the VT-d unit as software sees it. Written from the specification
 * (sections of revision 4.1) and not from the hypervisor's headers, so that
 * the same mistake is not made twice.
 */
#ifndef UNIT_H
#define UNIT_H

#include "guest.h"

#define UNIT            0xfed90000ULL

/* 11.4: registers. */
#define VER             0x00
#define CAP             0x08
#define ECAP            0x10
#define GCMD            0x18
#define GSTS            0x1c
#define RTADDR          0x20
#define CCMD            0x28
#define FSTS            0x34
#define FECTL           0x38
#define FEDATA          0x3c
#define FEADDR          0x40
#define FEUADDR         0x44
#define PMEN            0x64
#define IQH             0x80
#define IQT             0x88
#define IQA             0x90
#define ICS             0x9c
#define IECTL           0xa0
#define IEDATA          0xa4
#define IEADDR          0xa8
#define IEUADDR         0xac
#define IQERCD          0xb0
#define IRTA            0xb8

/* 11.4.2 */
#define CAP_BITS(cap, low, n) (((cap) >> (low)) & ((1ULL << (n)) - 1))
#define CAP_ND(c)       CAP_BITS(c, 0, 3)
#define CAP_AFL(c)      CAP_BITS(c, 3, 1)
#define CAP_RWBF(c)     CAP_BITS(c, 4, 1)
#define CAP_PLMR(c)     CAP_BITS(c, 5, 1)
#define CAP_PHMR(c)     CAP_BITS(c, 6, 1)
#define CAP_CM(c)       CAP_BITS(c, 7, 1)
#define CAP_SAGAW(c)    CAP_BITS(c, 8, 5)
#define CAP_MGAW(c)     CAP_BITS(c, 16, 6)
#define CAP_ZLR(c)      CAP_BITS(c, 22, 1)
#define CAP_FRO(c)      CAP_BITS(c, 24, 10)
#define CAP_SLLPS(c)    CAP_BITS(c, 34, 4)
#define CAP_PSI(c)      CAP_BITS(c, 39, 1)
#define CAP_NFR(c)      CAP_BITS(c, 40, 8)
#define CAP_MAMV(c)     CAP_BITS(c, 48, 6)
#define CAP_DWD(c)      CAP_BITS(c, 54, 1)
#define CAP_DRD(c)      CAP_BITS(c, 55, 1)
#define SAGAW_39        2
#define SAGAW_48        4

/* 11.4.3 */
#define ECAP_C(e)       CAP_BITS(e, 0, 1)
#define ECAP_QI(e)      CAP_BITS(e, 1, 1)
#define ECAP_DT(e)      CAP_BITS(e, 2, 1)
#define ECAP_IR(e)      CAP_BITS(e, 3, 1)
#define ECAP_EIM(e)     CAP_BITS(e, 4, 1)
#define ECAP_PT(e)      CAP_BITS(e, 6, 1)
#define ECAP_SC(e)      CAP_BITS(e, 7, 1)
#define ECAP_IRO(e)     CAP_BITS(e, 8, 10)
#define ECAP_MHMV(e)    CAP_BITS(e, 20, 4)

/* 11.4.4: command and status bits are at the same place. */
#define G_TE            (1U << 31)
#define G_SRTP          (1U << 30)
#define G_SFL           (1U << 29)
#define G_EAFL          (1U << 28)
#define G_WBF           (1U << 27)
#define G_QIE           (1U << 26)
#define G_IRE           (1U << 25)
#define G_SIRTP         (1U << 24)
#define G_CFI           (1U << 23)

/* 11.4.6.1, 11.4.8.1, 11.4.8.2 */
#define CCMD_ICC        (1ULL << 63)
#define CCMD_CIRG(g)    ((uint64_t)(g) << 61)
#define CCMD_CAIG(r)    (((r) >> 59) & 3)
#define CCMD_CAIG_MASK  (3ULL << 59)
#define CCMD_SID(sid)   ((uint64_t)(sid) << 16)
#define IOTLB_IVT       (1ULL << 63)
#define IOTLB_IIRG(g)   ((uint64_t)(g) << 60)
#define IOTLB_IAIG(r)   (((r) >> 57) & 3)
#define IOTLB_IAIG_MASK (3ULL << 57)
#define IOTLB_DR_DW     (3ULL << 48)
#define IOTLB_DID(did)  ((uint64_t)(did) << 32)
#define IVA_IH          (1ULL << 6)
#define GLOBAL          1
#define DOMAIN          2
#define SELECTIVE       3       /* device or page */

/* 11.4.7.1 */
#define FSTS_PFO        (1U << 0)
#define FSTS_PPF        (1U << 1)
#define FSTS_IQE        (1U << 4)
#define FSTS_ICE        (1U << 5)
#define FSTS_ITE        (1U << 6)
#define FSTS_FRI(r)     (((r) >> 8) & 0xff)

/* 11.4.7.2, 11.4.9.6 */
#define EVENT_IM        (1U << 31)
#define EVENT_IP        (1U << 30)

/* 11.4.7.8, upper half of a record */
#define FRCD_F          (1ULL << 63)
#define FRCD_T          (1ULL << 62)    /* 1: a read */
#define FRCD_UNUSED     0x30000000e0000000ULL   /* AT, PP, EXE, PRIV */
#define FRCD_REASON(hi) (((hi) >> 32) & 0xff)
#define FRCD_SID(hi)    ((hi) & 0xffff)

/* 7.1.3: reasons of legacy mode */
#define REASON_ROOT             0x1
#define REASON_CONTEXT          0x2
#define REASON_CONTEXT_INVALID  0x3
#define REASON_WIDTH            0x4
#define REASON_WRITE            0x5
#define REASON_READ             0x6
#define REASON_TABLE_ACCESS     0x7
#define REASON_ROOT_ACCESS      0x8
#define REASON_CONTEXT_ACCESS   0x9
#define REASON_ROOT_RSVD        0xa
#define REASON_CONTEXT_RSVD     0xb
#define REASON_ENTRY_RSVD       0xc
#define EITHER(a, b)            ((a) | ((b) << 8))

/*
 * unit.c: with a sidecore the page may be memory that Xen looks at now and
 * then. To know what a write has done, a read by rd32() or rd64() first waits
 * until Xen has seen all writes before it. Those that wait for a command do as
 * drivers do, by now32() and now64(). Only for the first CPU.
 */
extern bool sidecore;
extern bool unsettled;          /* something was written since */

void settle(void);
/* Gives a command, and waits until the page is memory after it. */
bool memory_wait(void);

static inline uint32_t now32(unsigned int reg)
{
    return mmio_read32(UNIT + reg);
}

static inline uint64_t now64(unsigned int reg)
{
    return mmio_read64(UNIT + reg);
}

static inline uint32_t rd32(unsigned int reg)
{
    if ( unsettled )
        settle();

    return now32(reg);
}

static inline uint64_t rd64(unsigned int reg)
{
    if ( unsettled )
        settle();

    return now64(reg);
}

static inline void wr32(unsigned int reg, uint32_t value)
{
    unsettled = true;
    mmio_write32(UNIT + reg, value);
}

static inline void wr64(unsigned int reg, uint64_t value)
{
    unsettled = true;
    mmio_write64(UNIT + reg, value);
}

extern uint64_t cap, ecap;
extern unsigned int reg_iva, reg_iotlb, reg_frcd, nr_frcd;
extern unsigned int width;      /* of addresses */

void unit_init(void);
bool gsts_is(uint32_t mask, uint32_t value);
bool command(uint32_t bits);    /* sets or triggers, and waits */
bool command_off(uint32_t bits);
uint64_t ccmd(uint64_t bits);   /* the register, when the command is done */
uint64_t iotlb(uint64_t bits, uint64_t iva);
void errors_clear(void);        /* of the queue */
void unit_quiet(void);          /* all off, nothing pending, all masked */

/* A fault record; taking it does not clear it. */
struct fault {
    bool valid, read;
    unsigned int reason, sid;
    uint64_t addr;
};
void faults_clear(void);
bool faults_wait(void);         /* for some fault */
void fault_get(unsigned int index, struct fault *f);
unsigned int faults_count(void);

/* queue.c */
struct descriptor {
    uint64_t lo, hi;
};
#define DESC_CONTEXT(g, did, sid) \
    (0x1 | ((uint64_t)(g) << 4) | ((uint64_t)(did) << 16) | \
     ((uint64_t)(sid) << 32))
#define DESC_IOTLB(g, did) \
    (0xc2 | ((uint64_t)(g) << 4) | ((uint64_t)(did) << 16))
#define DESC_IEC        0x4
#define DESC_WAIT       0x5
#define WAIT_IF         0x10
#define WAIT_SW         0x20
#define WAIT_FN         0x40
#define WAIT_DATA(d)    ((uint64_t)(d) << 32)

void queue_on(unsigned int qs);
void queue_off(void);
unsigned int queue_entries(void);
unsigned int queue_tail(void);
volatile struct descriptor *queue_slot(unsigned int index);
void queue_put(uint64_t lo, uint64_t hi);
void queue_kick(void);
bool queue_drained(void);       /* head has reached tail */
bool queue_sync(void);          /* a wait descriptor is done */
bool queue_do(uint64_t lo, uint64_t hi);

/* Each invalidates and waits, by the queue if it is on. */
bool inv_context(void);
bool inv_global(void);
bool inv_domain(unsigned int did);
bool inv_pages(unsigned int did, uint64_t addr, unsigned int am);
bool inv_all(void);

/* tables.c */
#define R               1ULL
#define W               2ULL
#define RW              3ULL
#define SP              0x80ULL
#define CTX_P           1ULL
#define CTX_FPD         2ULL
#define CTX_TT(t)       ((uint64_t)(t) << 2)

struct domain {
    uint64_t table;
    unsigned int levels, did;
};

extern uint64_t root, contexts;     /* tables of the fixture */
extern struct domain dom;           /* its domain, in which WINDOW is mapped */

void fixture(unsigned int levels);
void domain_new(struct domain *d, unsigned int levels, unsigned int did);
volatile uint64_t *entry(struct domain *d, uint64_t iova, unsigned int level);
void map(struct domain *d, uint64_t iova, uint64_t phys, unsigned int level,
         uint64_t flags);
volatile uint64_t *context(const struct edu *e);
void context_set(const struct edu *e, uint64_t lo, uint64_t hi);
void attach(const struct edu *e, const struct domain *d);

/* hostile.c: does not return */
void hostile(bool checks);

/* t-*.c */
void check_reset(void);
void check_access(void);
void check_forms(void);
void check_access_in_memory(void);
void check_commands(void);
void check_registers(void);
void check_queue(void);
void check_descriptors(void);
void check_errors(void);
void check_wait(void);
void check_completion(void);
void check_error_event(void);
void check_leaves(void);
void check_contexts(void);
void check_invalidation(void);
void check_reasons(void);
void check_records(void);
void check_cpus(void);
void check_memory(void);
void check_remapping(void);

#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
