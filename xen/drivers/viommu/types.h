/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * types.h: types of the emulated VT-d unit. Layer 0.
 *
 * Everything in this folder uses nothing of Xen but what is declared in the
 * boundaries (boundary.h) and in the headers below, and so compiles for user
 * space as well (tests/unit).
 *
 * Layers. Each file has a header of what it offers, and includes only what
 * stands below it here (tests/unit/layers sees to that):
 *
 *   viommu.c                     entry points
 *   sidecore.c                   polling
 *   work.c                       a piece of the guest's work
 *   qinval.c                     commands, one after the other
 *   quick.c                      the commonest two of them at once
 *   intremap.c                   remapping of interrupts
 *   inbox.c                      the register page as memory
 *   regs.c                       accesses to registers
 *   sync.c  pinned.c  fault.c    invalidations; counting; fault records
 *   check.c                      what they should have led to, for debugging
 *   leaf.c                       one leaf of a shadow
 *   teardown.c                   what lingers
 *   agreed.c                     superpages that are known to agree
 *   table.c  walk.c  caps.c      shadows; guest tables; capabilities
 *   removed.c  frame.c           what waits for a flush; guest memory
 *   pool.c                       pages of tables
 *   boundary.h  regfile.h  format.h  types.h  vtd-spec.h
 *
 * Locking. There are two locks a unit, two of the sidecores (sidecore.c), and
 * two of Xen's. Order:
 *
 *   assign_lock -> sidecore.lock ->
 *   pcidevs_lock -> viommu.sync_lock -> p2m lock -> viommu.reg_lock
 *
 * assign_lock protects which sidecore serves a guest, sidecore.lock the list of
 *   guests that one serves; the latter is held while it does so.
 * sync_lock protects what devices reach: bound devices, shadows and their
 *   tables, latched state, the command in progress, and what is remembered of
 *   the guest's memory. All work on behalf of the guest happens under it, in
 *   pieces with a budget.
 * reg_lock protects the register file. It is a leaf: nothing is taken, read
 *   from or written to guest memory, or injected inside it.
 * remap_lock protects by what interrupts are remapped (intremap.c). It is a
 *   leaf, too, held for some loads and stores: whoever delivers an interrupt
 *   takes it, whatever he holds.
 * pcidevs_lock is needed in addition to attach a device to another table.
 *
 * An MMIO handler may run with the p2m lock held by this CPU (an access that
 * starts on the page before ours). So there only reg_lock is taken
 * unconditionally; where sync_lock is not free, or pcidevs_lock is needed, the
 * work is left to viommu_process_pending(), which starts without any lock.
 */
#ifndef VIOMMU_TYPES_H
#define VIOMMU_TYPES_H

#ifdef __XEN__

#include <xen/bitops.h>
#include <xen/errno.h>
#include <xen/lib.h>
#include <xen/macros.h>
#include <xen/mm-frame.h>
#include <xen/nospec.h>
#include <xen/pci.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/types.h>
#include <xen/xmalloc.h>
#include <xen/xvmalloc.h>

#include <asm/processor.h>
#include <asm/system.h>

#include <public/domctl.h>

#else

#include "harness.h"

#endif

#include "vtd-spec.h"

/* Registers end with the last fault record. */
#define VIOMMU_NR_FAULT_RECORDS 8
#define VIOMMU_REGS_SIZE        (VTD_FRCD + \
                                 VIOMMU_NR_FAULT_RECORDS * VTD_FRCD_SIZE)
#define VIOMMU_MAMV             18

/* Devices that can be bound: all functions of the slots of the DMAR table. */
#define VIOMMU_NR_DEVICES \
    ((XEN_VIOMMU_SLOT_LAST - XEN_VIOMMU_SLOT_FIRST + 1) * 8)

#define VIOMMU_MAX_VCPUS        128

/*
 * Work items in one entry to the hypervisor: a table entry looked at, a
 * descriptor, a context entry read, or a frame released. It is more than twice
 * VIOMMU_NR_REMOVED, so that removals that fit one flush do not get two
 * because the budget ends between them.
 */
#define VIOMMU_BUDGET           1024

/*
 * Faults of its devices that a guest is told of. More are dropped: a record
 * costs the guest several exits, and a device can fault without end.
 */
#define VIOMMU_FAULTS_PER_WINDOW 16
#define VIOMMU_FAULT_WINDOW_US   10000

/* Removed leaves that wait for one flush. */
#define VIOMMU_NR_REMOVED       512

/* Levels of every shadow table; VT-d's most in legacy mode. */
#define VIOMMU_SHADOW_LEVELS    4

/* Frames of the guest that are remembered: two places for each set. */
#define VIOMMU_FRAME_SETS       4096
#define VIOMMU_FRAME_WAYS       2

/* Pages of the guest that stay mapped: its tables, queue and status. */
#define VIOMMU_PAGE_SETS        32
#define VIOMMU_PAGE_WAYS        4

/* Empty leaf tables that stay linked, of all shadows; see table.c. */
#define VIOMMU_NR_IDLE          32

/* What the guest's tables say about a device: who translates its DMA, how. */
struct viommu_target {
    enum {
        VIOMMU_IDENTITY = XEN_VIOMMU_TABLE_identity,
        VIOMMU_SHADOW = XEN_VIOMMU_TABLE_shadow,
        VIOMMU_BLOCKED = XEN_VIOMMU_TABLE_blocked,
    } kind;
    uint16_t did;            /* the guest's domain ID, if it has one */
    /* VIOMMU_SHADOW only: */
    unsigned int levels;     /* of the guest's table: 3 or 4 */
    paddr_t table;           /* its address */
};

/*
 * A second-level table in hardware format that mirrors one of the guest's.
 * refs counts the devices attached to it, and the command that builds it.
 */
struct viommu_shadow {
    struct viommu_shadow *next;
    struct viommu_target of; /* VIOMMU_BLOCKED: mirrors nothing */
    uint64_t id;             /* never used twice in a unit */
    unsigned int refs;
    bool marked;             /* a superpage of the guest ever was in it */
    bool built;              /* has been walked from end to end once */
    uint64_t reaped;         /* of a dying one: what lies below is free */
    mfn_t root;
    struct hw_attachment *hw; /* owned by the hardware boundary */
};

/* A device behind the unit. */
struct viommu_device {
    uint8_t devfn;           /* in the guest, on bus 0 */
    pci_sbdf_t sbdf;         /* of the host */
    bool fresh;              /* its context was never read */
    struct viommu_target at; /* what it is attached to now */
    struct viommu_shadow *shadow; /* and that table; NULL: not one of ours */
};

/* A command in progress, from the queue or from a register. */
struct viommu_command {
    enum {
        VIOMMU_CMD_NONE,
        VIOMMU_CMD_IOTLB,    /* granu, did, addr, am */
        VIOMMU_CMD_CONTEXT,  /* granu, did, sid, fm */
        VIOMMU_CMD_WAIT,     /* wait: addr, data, write, interrupt */
        VIOMMU_CMD_REMAPPING, /* data; op is then what "then" says */
        VIOMMU_CMD_IEC,
        VIOMMU_CMD_NOP,
    } op;
    enum {
        VIOMMU_FROM_QUEUE,
        VIOMMU_FROM_GCMD,
        VIOMMU_FROM_CCMD,
        VIOMMU_FROM_IOTLB,
        VIOMMU_FROM_BIND,
    } from;
    unsigned int granu;
    uint16_t did, sid;
    unsigned int fm, am;
    uint64_t addr;
    uint32_t data;
    bool write, interrupt;
    unsigned int then;

    /* Progress. */
    unsigned int device;             /* CONTEXT: next device to look at */
    bool done;                       /* but for what lingers */
    bool have_target;                /* ... and what its entry said */
    struct viommu_target target;
    struct viommu_shadow *shadow;    /* CONTEXT: held, to be attached to; */
                                     /* IOTLB: the one being synced */
    bool entered;                    /* IOTLB: shadow is valid */
    uint64_t cursor, last;           /* to do in it; IOTLB: 0, not known */
};

/* A domain that polls for guests; see sidecore.c. */
struct viommu_sidecore {
    struct domain *d;        /* assign_lock and wake_lock; NULL: not in use */
    bool initialised;

    spinlock_t lock;
    struct viommu *guests;
    unsigned int nr_guests;

    spinlock_t wake_lock;    /* a leaf: keeps d while its vCPU is woken */
    bool asleep, wanted;

    /* Statistics; written by the sidecore, but for wakeups. */
    uint64_t polls, batches, wakeups;
    unsigned int rounds;
    uint64_t last_poll;      /* microseconds */
};

/* Tags: a gfn, and the epoch, which stands for a generation of the p2m. */
#define VIOMMU_TAG_GFN          0x000000ffffffffffULL
#define VIOMMU_TAG_EPOCH        0xffffff0000000000ULL

/*
 * What the p2m said of a frame of the guest, at a generation; see frame.c.
 */
struct viommu_frame {
    uint64_t tag;            /* gfn and generation; 0: nothing */
    uint64_t value;          /* address of the frame, VTD_PTE_R, VTD_PTE_W */
};

/* A page of the guest, mapped, with a reference. */
struct viommu_page {
    uint64_t tag;            /* as of a frame */
    mfn_t mfn;
    void *va;                /* NULL: not mapped */
    bool writable;
};

/*
 * The page that was last used for something: only a place to look first. It is
 * one of those above, and forgotten when that is unmapped.
 */
struct viommu_last {
    paddr_t addr;            /* of the guest */
    uint64_t generation;     /* of the p2m, for which it is true */
    void *va;                /* NULL: nothing */
};

/* What pages of the guest are for: tables by their level. */
enum viommu_use {
    VIOMMU_USE_TABLE = 0,
    VIOMMU_USE_CONTEXT = VIOMMU_SHADOW_LEVELS,
    VIOMMU_USE_QUEUE,
    VIOMMU_USE_STATUS,
    VIOMMU_NR_USES,
};

/*
 * A superpage of the guest that the shadow agrees with, although it is made of
 * smaller leaves, or of none; see agreed.c.
 */
struct viommu_agreed {
    uint64_t shadow;         /* its id; 0: nothing */
    uint64_t addr;
    uint64_t leaf;           /* what the guest's says: address and rights */
    unsigned int level;
    uint64_t generation;
};
#define VIOMMU_NR_AGREED 64

/* An empty leaf table that is still linked. */
struct viommu_idle {
    uint64_t shadow;         /* its id */
    uint64_t addr;
};

/* Counting pinned pages, in pieces; see pinned.c. */
struct viommu_pinned;

#ifdef CONFIG_VIOMMU_CHECK

/* What a command is to be compared with; see check.c. */
#define VIOMMU_CHECK_SAMPLES 64U

struct viommu_check {
    struct viommu_check_sample {
        uint64_t shadow;         /* its id */
        uint64_t addr;
        uint64_t entry;          /* the guest's, before the command */
        uint64_t expected;       /* in the shadow */
    } sample[VIOMMU_CHECK_SAMPLES];
    unsigned int samples;
    uint64_t generation;         /* of the p2m, before the command */
    uint64_t refused;            /* counters, before the command */
    uint64_t random;
    bool failed;
};

#endif

struct viommu {
    struct domain *d;
    struct viommu_arch *arch;        /* owned by the guest boundary */
    spinlock_t sync_lock;
    spinlock_t reg_lock;

    /* Constant after creation. */
    uint64_t cap, ecap;
    unsigned int table_quota;

    /* Pages of tables that are free, linked by their first word. sync_lock */
    mfn_t table_free;
    unsigned int tables_free;

    unsigned int levels;             /* most that a guest's table has */
    unsigned int width;              /* of addresses, in bits */
    unsigned int leaf_level;         /* of the biggest shadow leaves */
    uint64_t leaf_bits;              /* in each leaf */
    /* Bits that no entry of the guest's tables of a level has; [level - 1]. */
    uint64_t link_rsvd[VIOMMU_SHADOW_LEVELS];
    uint64_t leaf_rsvd[VIOMMU_SHADOW_LEVELS];

    /*
     * Counts changes of what any gfn maps: whatever the p2m said before the
     * latest may be wrong. Under the p2m lock; read without.
     */
    uint64_t generation;

    /* Under reg_lock: the register file, and commands not yet taken up. */
    uint32_t regs[VIOMMU_REGS_SIZE / sizeof(uint32_t)];
    bool gcmd_pending;               /* gcmd was written */
    uint32_t gcmd;
    unsigned int next_record;        /* fault record to use next */
    uint64_t fault_window;           /* when it began, in microseconds */
    unsigned int faults_in_window;

    /*
     * The register page as memory; see inbox.c. Under reg_lock; live changes
     * under sync_lock as well.
     */
    struct {
        uint32_t *page;              /* NULL: none yet; else constant */
        bool live;                   /* the guest may have it mapped */
        bool work;                   /* something in it is to be done */
        bool root_shows;             /* SRTP or SIRTP is done, and nothing */
                                     /* after that */
        bool root_seen;              /* ... since the driver has read it */
        unsigned int scrub;          /* where the next look is due */
        uint32_t shown[VIOMMU_REGS_SIZE / sizeof(uint32_t)];
    } inbox;

    /* Times are in microseconds. Under sync_lock, unless it says otherwise. */
    struct {
        bool assigned;               /* assign_lock: to one, or an orphan */
        struct viommu_sidecore *on;  /* assign_lock and its lock */
        struct viommu *next;         /* likewise */
        bool wanted;                 /* there is work: page may be memory */
        bool more;                   /* a batch is not done yet */
        bool given_up;               /* timer to vCPUs: fall back */
        uint64_t last_poll;          /* of this guest; no lock */
        uint64_t last_work, entered;
        uint64_t backoff, not_before;
        unsigned int debt;           /* items more than its share */
        unsigned int batches;        /* since the page became memory */
        unsigned int knocks, knocks_needed; /* trapped commands; no lock */
    } sc;

    /* Under sync_lock. */
    struct xen_viommu_settings set;

    /* Under sync_lock: values that registers had when they were latched. */
    bool translation;
    paddr_t root;
    bool queue_enabled;
    paddr_t queue;
    unsigned int queue_size;         /* in bytes */
    /* Where the queue is read next; the register follows when it is done. */
    unsigned int queue_head;
    bool queue_behind;               /* the register */

    /* Under sync_lock. */
    bool rebind;                     /* a device came: read its context */
    bool pcidevs_held;               /* by whoever holds sync_lock */
    struct viommu_command cmd;
    struct viommu_device *devices[VIOMMU_NR_DEVICES];
    unsigned int nr_devices;
    struct viommu_shadow *shadows;   /* in use */
    struct viommu_shadow *dying;     /* not in use, still hold memory */
    struct viommu_shadow *blocked;   /* the empty one */
    uint64_t last_shadow;            /* id of the latest one */
    bool overcommit;                 /* no device ever has the domain's table */
    bool intremap;                   /* interrupts are to be remapped, too */
    /* What was removed and waits for a flush of s; see removed.c. */
    struct {
        struct viommu_shadow *s;     /* NULL: nothing */
        struct {                     /* frames to put after it */
            mfn_t mfn;
            unsigned int level;
        } leaf[VIOMMU_NR_REMOVED];
        unsigned int leaves;
        mfn_t table[VIOMMU_NR_REMOVED];  /* pages to free after it */
        unsigned int tables;
        bool fresh;                  /* all of it was not present before */
        uint64_t first, last;        /* pages that need it */
    } removed;
    /* The tables that were last walked down to; see table.c. */
    struct {
        struct viommu_shadow *s;     /* NULL: nowhere */
        uint64_t *table[VIOMMU_SHADOW_LEVELS]; /* [level - 1]; NULL: unknown */
        uint64_t base[VIOMMU_SHADOW_LEVELS];   /* first address it translates */
    } path;
    /* Superpages that need not be looked at again, and the one in progress. */
    struct viommu_agreed agreed[VIOMMU_NR_AGREED], agreeing;
    uint64_t agreeing_refused;       /* rej_quota, as that began */
    /* Empty tables that stay, oldest first; see table.c. */
    struct {
        struct viommu_idle place[VIOMMU_NR_IDLE];
        unsigned int first, used;
    } idle;
    /* A table page in reserve for each leaf of 1G; see pool.c. */
    struct {
        mfn_t first;                 /* each names the next one */
        unsigned int pages;
        unsigned int wanted;         /* leaves of 1G */
    } spare;
    /* Leaves that linger, oldest first; see teardown.c. */
    struct {
        struct viommu_stale *ring;   /* NULL: none yet */
        unsigned int size, first, used;
        unsigned int seq;            /* of the latest one */
        bool end;                    /* all have to go; set without a lock */
        bool linger;                 /* what the guest unmaps now may */
        unsigned int joining;        /* places that end with the next flush */
        uint64_t revived, replaced;  /* those counters, at the latest one */
    } stale;
    /* What is known of the guest's memory; see frame.c. */
    struct {
        uint64_t generation;         /* that all of it is of */
        uint64_t epoch;              /* of that generation, for the tags */
        struct viommu_frame *sets;   /* [VIOMMU_FRAME_SETS][.._WAYS] */
        struct viommu_page page[VIOMMU_PAGE_SETS][VIOMMU_PAGE_WAYS];
        struct viommu_last last[VIOMMU_NR_USES];
        unsigned int pages;          /* that are mapped */
        /*
         * The way to the leaf table that was walked to last: where its links
         * are, in mapped pages, and what they said; see walk.h.
         */
        struct {
            uint64_t generation;
            uint64_t region;         /* address, in leaf tables; ~0: no way */
            uint64_t from;           /* root and levels of the guest's table */
            const uint64_t *link[VIOMMU_SHADOW_LEVELS - 1];
            uint64_t said[VIOMMU_SHADOW_LEVELS - 1];
            const uint64_t *table;
            uint64_t rights;
        } way;
        unsigned int victim;         /* the next to lose its place */
        unsigned int unmapped;       /* counts pages that were let go */
        bool expiring;               /* pages go with the timer; no lock */
    } frames;
    struct viommu_pinned *pinned;    /* NULL: nobody asked */
    struct viommu_intremap *ir;      /* constant; NULL: interrupts are not */
                                     /* remapped; see intremap.c */
#ifdef CONFIG_VIOMMU_CHECK
    struct viommu_check check;
#endif

    /* MSIs to send once no lock is held; bits of enum viommu_event. */
    unsigned int events;

    /* vCPUs that have to finish work before they run on. */
    DECLARE_BITMAP(deferred, VIOMMU_MAX_VCPUS);

    /* Statistics; the lock of whatever is counted. */
    uint64_t count[XEN_VIOMMU_NR_COUNTERS];
};

#define viommu_count_n(vi, name, n) ((vi)->count[XEN_VIOMMU_CNT_##name] += (n))
#define viommu_count(vi, name)      viommu_count_n(vi, name, 1)

/* Work items left before the caller has to be let go. */
struct viommu_budget {
    unsigned int left, given;
    unsigned int rest;       /* with no more left, no further command begins */
};
#define BUDGET(n) { .left = (n), .given = (n) }

/* Takes n items. They may exceed what is left: the last piece is whole. */
static inline void budget_take(struct viommu_budget *b, unsigned int n)
{
    b->left -= min(b->left, n);
}

static inline unsigned int budget_taken(const struct viommu_budget *b)
{
    return b->given - b->left;
}

#endif /* VIOMMU_TYPES_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
