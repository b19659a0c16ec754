/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * private.h: types of the emulated VT-d unit, and its parts.
 *
 * Everything in this folder uses nothing of Xen but what is declared in the two
 * boundaries (boundary.h) and in the headers below, and so compiles for user
 * space as well (tests/unit).
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
 *   tables, latched state, the command in progress. All work on behalf of the
 *   guest happens under it, in pieces with a budget.
 * reg_lock protects the register file. It is a leaf: nothing is taken, read
 *   from or written to guest memory, or injected inside it.
 * pcidevs_lock is needed in addition to attach a device to another table.
 *
 * An MMIO handler may run with the p2m lock held by this CPU (an access that
 * starts on the page before ours). So there only reg_lock is taken
 * unconditionally; where sync_lock is not free, or pcidevs_lock is needed, the
 * work is left to viommu_process_pending(), which starts without any lock.
 */
#ifndef VIOMMU_PRIVATE_H
#define VIOMMU_PRIVATE_H

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

/* Shadow table pages a guest may have in use, unless create says otherwise. */
#define VIOMMU_TABLE_PAGES      16384

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
/* Of the table that counts frames, for all addresses of the machine. */
#define VIOMMU_FRAME_LEVELS     5

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
    bool for_hw;             /* else it is that of frame.c */
    unsigned int levels;
    unsigned int refs;
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
    uint64_t last_poll;      /* microseconds */
};

/* A page of the guest, mapped for reading. */
struct guest_page {
    const void *va;          /* NULL: not mapped */
    gfn_t gfn;
    void *cookie;            /* of the guest boundary */
};

struct viommu {
    struct domain *d;
    struct viommu_arch *arch;        /* owned by the guest boundary */
    spinlock_t sync_lock;
    spinlock_t reg_lock;

    /* Constant after creation. */
    uint64_t cap, ecap;
    unsigned int table_quota;
    unsigned int width;              /* of addresses, in bits */
    unsigned int leaf_level;         /* of the biggest shadow leaves */

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
        bool root_shows;             /* SRTP is done, and nothing after that */
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
    unsigned int queue_entries;

    /* Under sync_lock. */
    bool rebind;                     /* a device came: read its context */
    bool pcidevs_held;               /* by whoever holds sync_lock */
    struct viommu_command cmd;
    struct viommu_device *devices[VIOMMU_NR_DEVICES];
    unsigned int nr_devices;
    struct viommu_shadow *shadows;   /* in use */
    struct viommu_shadow *dying;     /* not in use, still hold memory */
    struct viommu_shadow *blocked;   /* the empty one */
    struct viommu_shadow *frames;    /* counts of frames; see frame.c */
    uint64_t last_shadow;            /* id of the latest one */
    bool overcommit;                 /* no device ever has the domain's table */
    struct {
        struct {                     /* frames to put after the flush */
            mfn_t mfn;
            unsigned int level;
        } leaf[VIOMMU_NR_REMOVED];
        unsigned int leaves;
        mfn_t table[VIOMMU_NR_REMOVED];  /* pages to free after the flush */
        unsigned int tables;
        bool due;                    /* first and last are valid */
        bool fresh;                  /* all of it was not present before */
        uint64_t first, last;        /* pages that need a flush */
    } changed;
    /* A table page in reserve for each leaf of 1G; see table.c. */
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
        unsigned int joining;        /* places that end with the next flush */
        uint64_t revived, replaced;  /* those counters, at the latest one */
    } stale;
    struct guest_page queue_page;    /* of the queue, while commands run */

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
    unsigned int enough;     /* after so many, no further command begins */
};
#define BUDGET(n) { .left = (n), .given = (n), .enough = (n) }

/* Takes n items. They may exceed what is left: the last piece is whole. */
static inline void budget_take(struct viommu_budget *b, unsigned int n)
{
    b->left -= min(b->left, n);
}

static inline unsigned int budget_taken(const struct viommu_budget *b)
{
    return b->given - b->left;
}

/* ---- regs.c: the register file. reg_lock held by the callee. ---- */

void regs_init(struct viommu *vi);
/* size: 4 or 8, offset aligned to it; else nothing happens, and 0 is read. */
uint64_t regs_read(struct viommu *vi, unsigned int offset, unsigned int size);
/* Returns whether there is work to do now. */
bool __must_check regs_write(struct viommu *vi, unsigned int offset,
                             unsigned int size, uint64_t value);
/* From inside, without access rules. offset: of a register. reg_lock. */
uint32_t regs_get32(const struct viommu *vi, unsigned int offset);
uint64_t regs_get64(const struct viommu *vi, unsigned int offset);
void regs_put32(struct viommu *vi, unsigned int offset, uint32_t value);
void regs_put64(struct viommu *vi, unsigned int offset, uint64_t value);

/* A dword written by the guest, however. reg_lock. As regs_write(). */
bool __must_check regs_apply(struct viommu *vi, unsigned int offset,
                             uint32_t value);

/* ---- inbox.c: the register page as memory. ---- */

/* What the guest wrote there becomes register writes. reg_lock. */
void inbox_absorb(struct viommu *vi);
/* The same for plain registers as well. */
void inbox_absorb_all(struct viommu *vi);
/* The guest sees there what commands, or (all) anything, changed. reg_lock. */
void inbox_show(struct viommu *vi);
void inbox_show_all(struct viommu *vi);
/* Whether there is something to absorb, or absorbed and to be done. No lock. */
bool inbox_peek(struct viommu *vi);
/* An idle look at a further part of the page. sync_lock. */
void inbox_scrub(struct viommu *vi);
/* The page becomes memory. False: it cannot be now. sync_lock. */
bool inbox_enter(struct viommu *vi);
/* It traps, if it did not. Returns whether there is work. sync_lock. */
bool inbox_leave(struct viommu *vi);

/* ---- sidecore.c: polls for guests whose register page is memory. ---- */

/* The guest is in sidecore mode from now on. -ENXIO: there is no sidecore. */
int __must_check sidecore_assign(struct viommu *vi);
/* It is not; its page traps, and what was in it is to be done. No lock. */
void sidecore_unassign(struct viommu *vi);
/* A command came by a trap. No lock of the unit held. */
void sidecore_knock(struct viommu *vi);
/* The limit in the settings has changed. sync_lock. */
void sidecore_limit(struct viommu *vi);
/* The timer VIOMMU_TIMER_WATCH. */
void sidecore_watch(struct viommu *vi);
/* On a vCPU of the guest, in case that asked for it. sync_lock. */
void sidecore_fallback(struct viommu *vi);

/* -EEXIST, -ENOSPC. */
int __must_check sidecore_start(struct domain *d);
/* d dies; it need not be a sidecore. */
void sidecore_end(struct domain *d);
/* A copy, for its statistics. -ENOENT: d is none. */
int __must_check sidecore_info(const struct domain *d,
                               struct viommu_sidecore *info);
/* The domain that serves the guest, or DOMID_INVALID. */
domid_t sidecore_of(struct viommu *vi);
/* HVMOP_viommu_poll of d. -EPERM: d is none. */
int __must_check sidecore_poll(struct domain *d);

/* ---- qinval.c: takes up commands, from the queue or the registers. ---- */

/*
 * Does what is pending, within the budget. sync_lock held.
 *   0          nothing is left
 *   -ERESTART  the budget is used up
 *   -EAGAIN    the next step needs pcidevs_lock
 */
int __must_check commands_run(struct viommu *vi, struct viommu_budget *b);

/* ---- walk.c: reads the guest's tables. sync_lock held. ---- */

/*
 * What the guest's tables say about a device's requests. Returns the reason of
 * the fault if they all fault (VTD_FR_*), else 0. fpd: whether faults are not
 * to be reported; may be NULL.
 */
unsigned int walk_context(struct viommu *vi, uint8_t devfn,
                          struct viommu_target *target, bool *fpd);

/* A leaf of the guest's tables, or the hole in its place. */
struct guest_leaf {
    bool present;
    bool read, write;        /* rights of the whole path */
    unsigned int level;      /* 1: 4K, 2: 2M, 3: 1G; of a hole: any */
    unsigned int fault;      /* of a hole: VTD_FR_*, 0: no rights */
    gfn_t gfn;               /* of its first page */
};

/* A walk down one of the guest's tables, with the pages it passed mapped. */
struct guest_walk {
    struct viommu *vi;
    const struct viommu_target *of;
    struct guest_page page[VIOMMU_SHADOW_LEVELS];   /* [level - 1] */
};

void walk_begin(struct guest_walk *w, struct viommu *vi,
                const struct viommu_target *of);
void walk_leaf(struct guest_walk *w, uint64_t addr, struct guest_leaf *leaf);
void walk_end(struct guest_walk *w);

/* ---- table.c: the shadow tables. sync_lock held. ---- */

/* A leaf of a shadow table, or the hole in its place. */
struct shadow_leaf {
    uint64_t pte;            /* 0: a hole */
    unsigned int level;      /* of the table whose entry it is */
};

/* In an entry that points to a table: how many of its entries are not 0. */
#define SHADOW_PTE_LIVE     0x3ff0000000000000ULL
/*
 * In a leaf that lingers: that it does, and the last bits of its number in the
 * ring of those, to tell it from one that did before at the same place.
 */
#define SHADOW_PTE_STALE    0x2000000000000000ULL
#define SHADOW_PTE_SEQ      0x1ff0000000000000ULL
#define SHADOW_PTE_NOTE     (SHADOW_PTE_STALE | SHADOW_PTE_SEQ)

/*
 * In a link, too: a superpage of the guest, as big as all that is translated
 * by the table, may have left leaves in it.
 */
#define SHADOW_PTE_MARK     0x8000000000000000ULL

static inline bool shadow_pte_present(uint64_t pte)
{
    return pte & (VTD_PTE_R | VTD_PTE_W);
}

static inline mfn_t shadow_pte_mfn(uint64_t pte)
{
    return _mfn((pte & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
}

/* for_hw: the hardware is to see it. */
struct viommu_shadow *table_create(struct viommu *vi, bool for_hw);
/* Of an empty table, not attached to any device. */
void table_destroy(struct viommu *vi, struct viommu_shadow *s);

/* A walk down a shadow table, with the pages it passed mapped. */
struct shadow_walk {
    struct viommu *vi;
    struct viommu_shadow *s;
    bool linger;             /* what the guest unmaps may */
    uint64_t *table[VIOMMU_FRAME_LEVELS]; /* [level - 1], NULL: not mapped */
    uint64_t base[VIOMMU_FRAME_LEVELS];   /* first address it translates */
};

void table_begin(struct shadow_walk *w, struct viommu *vi,
                 struct viommu_shadow *s);
void table_end(struct shadow_walk *w);
void table_lookup(struct shadow_walk *w, uint64_t addr,
                  struct shadow_leaf *leaf);
/*
 * Writes the leaf of addr in a table of that level, where there is a leaf or a
 * hole, and makes the tables above it. An emptied table goes to
 * teardown_table().
 *   -ENOSPC  the quota is used up
 *   -ENOMEM
 */
int __must_check table_write(struct shadow_walk *w, uint64_t addr,
                             unsigned int level, uint64_t pte);
/* Sets SHADOW_PTE_NOTE of a leaf, which hardware ignores. */
void table_annotate(struct shadow_walk *w, uint64_t addr, unsigned int level,
                    uint64_t bits);
/* Marks what a guest superpage of that level has put at addr. */
void table_mark(struct shadow_walk *w, uint64_t addr, unsigned int level);
/* Of a block of which all is about to be compared: the marks are made anew. */
void table_unmark(struct shadow_walk *w, uint64_t addr, unsigned int level);
/* The level of the biggest superpage that may have left something at addr. */
unsigned int table_origin(struct shadow_walk *w, uint64_t addr);
/*
 * Turns the superpage of addr into 512 leaves of the level below. Of 2M: errors
 * as table_write(). One of 1G has its table page in reserve.
 */
int __must_check table_split(struct shadow_walk *w, uint64_t addr);
/*
 * Turns the 512 leaves below the entry of addr in a table of that level into
 * the one leaf pte, if that says the same. Returns whether it did.
 */
bool table_merge(struct shadow_walk *w, uint64_t addr, unsigned int level,
                 uint64_t pte);
/* A page that no table links to, once that was flushed. */
void table_free(struct viommu *vi, mfn_t mfn);

/* ---- leaf.c: one leaf of a shadow. sync_lock held. ---- */

/*
 * Makes the shadow agree with the guest's leaf or hole g at addr, where it has
 * old; a superpage as a whole, if it ends by last or is one already. Returns
 * the level of the block that was done; 0: no superpage any more, look again.
 */
unsigned int leaf_sync(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                       uint64_t last, const struct guest_leaf *g,
                       const struct shadow_leaf *old, struct viommu_budget *b);

/* ---- sync.c: differences between the guest's tables and the shadows. ---- */

/* One IOTLB, one context-cache invalidation. As commands_run(). */
int __must_check sync_iotlb(struct viommu *vi, struct viommu_command *cmd,
                            struct viommu_budget *b);
int __must_check sync_contexts(struct viommu *vi, struct viommu_command *cmd,
                               struct viommu_budget *b);
/* Drops a command's hold on the shadow it was building. */
void sync_abandon(struct viommu *vi, struct viommu_command *cmd);
/*
 * Takes a device off its table, onto the domain's own, or off any if that
 * fails. pcidevs_lock too.
 */
void sync_release_device(struct viommu *vi, struct viommu_device *dev);
/*
 * Gives back the memory of shadows that no device uses.
 *   -ERESTART  the budget is used up, and there is more
 */
int __must_check sync_reap(struct viommu *vi, struct viommu_budget *b);

/* ---- frame.c: which frames the shadows name. sync_lock held. ---- */

/* One more leaf names the n frames. -ENOSPC, -ENOMEM: as table_write(). */
int __must_check frame_hold(struct viommu *vi, mfn_t mfn, unsigned int n);
void frame_drop(struct viommu *vi, mfn_t mfn, unsigned int n);

/* ---- teardown.c: what goes away, when. sync_lock held. ---- */

/* A place in the ring of leaves that linger. */
struct viommu_stale {
    uint64_t shadow;         /* its id */
    uint64_t addr;
    uint64_t since;          /* microseconds */
    uint16_t seq;
    uint8_t level;
};

/* The leaf of addr was that in s; frees its frames after the flush. */
void teardown_leaf(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                   unsigned int level, uint64_t pte);
/* Has the leaf of addr linger; false: it cannot, and has to go now. */
bool __must_check teardown_linger(struct viommu *vi, struct shadow_walk *w,
                                  uint64_t addr, unsigned int level);
/* The leaf of addr, with that entry, is in use again or goes: no stale one. */
void teardown_unlinger(struct viommu *vi, unsigned int level, uint64_t pte);
/* Before a walk: makes room for leaves that will linger, if there is none. */
void teardown_make_room(struct viommu *vi, struct viommu_budget *b);
/*
 * After a walk by w: when what came back was another page, what is likely to
 * come back so next goes with the flush that this needs. Returns work items.
 */
unsigned int teardown_join(struct viommu *vi, struct shadow_walk *w);
/* Ends what lingers for longer than it may, and sets the timer for the rest. */
void teardown_expire(struct viommu *vi);
/*
 * Ends all that lingers, if that was asked for by vi->stale.end.
 *   -ERESTART  the budget is used up, and there is more
 */
int __must_check teardown_end(struct viommu *vi, struct viommu_budget *b);
/* The ring has room for that many pages. Nothing may linger. -ENOMEM */
int __must_check teardown_resize(struct viommu *vi, unsigned int quota);
/* A table page is no longer linked into s; freed after the flush. */
void teardown_table(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                    mfn_t mfn);
/* The leaf of addr has other rights, or (fresh) was not present before. */
void teardown_changed(struct viommu *vi, uint64_t addr, unsigned int level,
                      bool fresh);
/* Flushes what is due; after it nothing removed is reachable. */
void teardown_flush(struct viommu *vi, struct viommu_shadow *s);

/* ---- fault.c: fault records, status, and event interrupts. ---- */

enum viommu_event {
    VIOMMU_EVENT_FAULT,
    VIOMMU_EVENT_COMPLETION,
};

/* Sets bits in FSTS, and raises the fault event. Takes reg_lock. */
void fault_status(struct viommu *vi, uint32_t bits);
/* Records the fault of a request, and raises the event. Takes reg_lock. */
void fault_record(struct viommu *vi, uint16_t sid, uint64_t addr, bool read,
                  unsigned int reason);
/* After a record was cleared. reg_lock held. */
void fault_records_update(struct viommu *vi);
/* ICS.IWC, and its event. Takes reg_lock. */
void fault_completion(struct viommu *vi);
/* After a write to an event control or status register. reg_lock held. */
void fault_event_update(struct viommu *vi, enum viommu_event event);
/* Sends the MSIs that are due. No lock of the unit held. */
void fault_send_events(struct viommu *vi);

/* ---- viommu.c: entry points. No lock held. ---- */

/* d, arch and overcommit are set, the rest is 0. */
int viommu_init(struct viommu *vi, unsigned int table_quota);
void viommu_fini(struct viommu *vi);
void viommu_mmio_write(struct viommu *vi, unsigned int offset,
                       unsigned int size, uint64_t value);
uint64_t viommu_mmio_read(struct viommu *vi, unsigned int offset,
                          unsigned int size);
/* Returns whether work is left. */
bool __must_check viommu_work(struct viommu *vi);
/* The same for a sidecore, with less patience. sync_lock held. */
bool __must_check viommu_run(struct viommu *vi, struct viommu_budget *b);
/* XEN_DOMCTL_VIOMMU_set; errors are listed there. */
int viommu_set(struct viommu *vi, const struct xen_viommu_settings *set);
/* The rest needs pcidevs_lock, held by the caller. */
int viommu_bind(struct viommu *vi, pci_sbdf_t sbdf, uint32_t vsbdf);
int viommu_unbind(struct viommu *vi, pci_sbdf_t sbdf);
/* Memory left the guest: what lingers goes before a vCPU runs on. No lock. */
void viommu_end_stale(struct viommu *vi);
/* The timer VIOMMU_TIMER_STALE. No lock. */
void viommu_stale_timer(struct viommu *vi);
/* A request of a bound device faulted in hardware. pcidevs_lock held. */
void viommu_fault(struct viommu *vi, pci_sbdf_t sbdf, uint64_t addr,
                  bool read);
/* -ERESTART while memory is left. */
int viommu_reap(struct viommu *vi);

#include "boundary.h"

#endif /* VIOMMU_PRIVATE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
