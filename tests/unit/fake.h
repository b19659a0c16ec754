/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake.h: a guest and a machine, as the two boundaries of the core see them.
 *
 * Both are hostile where they may be. The machine has cached every translation
 * that any table in use ever held, until a flush that covers it; so a flush
 * that is missing, too late or too small is seen at once, not by luck.
 */
#ifndef VIOMMU_UNIT_FAKE_H
#define VIOMMU_UNIT_FAKE_H

#include "boundary.h"
#include "fault.h"
#include "format.h"
#include "inbox.h"
#include "pinned.h"
#include "regfile.h"
#include "sidecore.h"
#include "viommu.h"

/* ---- The guest ---- */

/* Guest frames: enough for a 1G superpage and small things below it. */
#define NR_GFNS (VTD_LEVEL_STRIDE == 9 ? 0x90000U : 0x110U)
/* Frames of the domain, disjoint from its gfns and from table pages. */
#define MFN_GUEST (VTD_LEVEL_STRIDE == 9 ? 0x1000000UL : 0x200UL)
#define MFN_TABLE 0x5000000UL

enum gfn_type {
    GFN_MISSING,
    GFN_RAM,
    GFN_RAM_RO,
    GFN_MMIO,
};

/* What each unit has; unit 0 is the first one that asked for anything. */
#define NR_UNITS 8
struct fake_unit {
    struct viommu *vi;
    unsigned int deferred;       /* guest_defer*() calls not yet served */
    uint64_t timer[VIOMMU_NR_TIMERS]; /* when they are due; 0: not set */
    bool inbox_mapped;           /* the register page is memory: this one */
    uint32_t inbox[1024];
};

struct fake_guest {
    struct fake_unit unit[NR_UNITS];
    unsigned int deferred;       /* of all units */
    unsigned int mapped;         /* pages mapped now */
    unsigned int frames;         /* references held, of all frames */
    unsigned int pinned;         /* frames with references */
    unsigned int refuse_in;      /* the n-th use of its memory is refused */
    unsigned int refused;        /* that were */
    unsigned int gets;           /* references that were taken */
    unsigned int lookups;        /* guest_lookup()s */
    unsigned int populated_under_pcidevs; /* of those, which must not be */
    unsigned int msis;
    uint64_t msi_addr;           /* of the last one */
    uint32_t msi_data;
    uint64_t time_us;            /* on its clock */
    unsigned int tick_us;        /* how far that goes each time it is read */
    bool no_inbox_map;           /* no register page can become memory */
    struct domain *polling;      /* whose vCPU calls */
    unsigned int blocked;        /* sidecores that sleep, bits of their IDs */
    unsigned int rounds;         /* more that a sidecore_poll() may make */
    /*
     * What other CPUs do while the register page is about to be memory, while
     * it still is, just when it is no more, or when a sidecore falls asleep.
     */
    void (*on_inbox_map)(void);
    void (*on_inbox_unmap)(void);
    void (*on_inbox_unmapped)(void);
    void (*on_block)(void);
    unsigned long max_pages;     /* of the guest; 0: NR_GFNS */
    /* How big a block around gfn is no RAM; NULL: the page. */
    unsigned int (*hole_level)(unsigned long gfn);
    /* Whether a frame is not the guest's (any more); NULL: none is. */
    bool (*is_foreign)(unsigned long mfn);
    /* Called when the p2m has been asked, with the gfn. */
    void (*on_lookup)(unsigned long gfn);
    /* Called before a reference to a frame that is known is taken. */
    void (*on_get)(unsigned long mfn);
    /* Called when a page is not mapped any more. */
    void (*on_unmap)(void);
    /* Called when the status of a wait descriptor is written. */
    void (*on_status)(void);
    /* Called when a superpage was found to be one mapping, after that. */
    void (*on_superpage)(void);
};
extern struct fake_guest guest;

void guest_reset(void);
void guest_set(unsigned long gfn, unsigned long n, enum gfn_type type);
enum gfn_type guest_type(unsigned long gfn);
/* The frames behind two gfns are exchanged, with what is in them. */
void guest_exchange(unsigned long gfn, unsigned long with);
/* The same, and what is in the frames too: so the guest notices nothing. */
void guest_move(unsigned long gfn, unsigned long with);
/* Contents of a page; they survive any change of type. */
uint64_t *guest_page(unsigned long gfn);
/* The frame behind a gfn. */
unsigned long guest_frame(unsigned long gfn);
unsigned int guest_refs(unsigned long mfn);
/* The unit has it mapped. */
bool guest_is_mapped(unsigned long mfn);
struct fake_unit *guest_unit(struct viommu *vi);
/* What the unit says of the pages that it holds, whatever lacks memory. */
uint64_t pages_pinned(struct viommu *vi);
/*
 * The clock goes on to the next timer that is due by then, which fires; else to
 * that time, and false is returned.
 */
bool guest_timer_fires(uint64_t until);
/* As if another CPU did it. */
void guest_other_cpu(void (*hook)(void));

/* ---- The machine ---- */

#define NR_HW_DEVICES 8

/* What each unit of the machine can. */
struct fake_caps {
    unsigned int levels;
    unsigned int width;          /* of addresses; 0: of so many levels */
    bool snoop, zlr;
    unsigned int leaf_level;     /* biggest leaves */
};

struct fake_hw {
    struct fake_caps caps;
    bool caching_mode;           /* not-present is cached, too */
    bool is_rmrr;                /* hw_check_device() refuses */
    unsigned int attach_fails;   /* so many hw_attach() from now fail */
    unsigned int attach_failed;  /* that were made to */
    unsigned int flushes;        /* that were needed: not fresh ones */
    unsigned int fresh_flushes;
    unsigned int attaches;
    unsigned int writes;         /* of entries that hardware was told of */
    unsigned int tables;         /* table pages allocated now */
    unsigned int shadows;        /* initialised now */
    unsigned int stale;          /* translations cached that are gone */
    unsigned int huge;           /* leaves of 1G that ever were in tables */
    unsigned long last_order;    /* of the last flush */
};
extern struct fake_hw hw;

void hw_reset(void);
/* A device has to be made known before it is bound. */
void hw_add_device(uint32_t sbdf);

/* Back on the domain's own table: what assigning it anew does. */
void hw_reassign(uint32_t sbdf);

enum hw_attached { ON_IDENTITY, ON_SHADOW, ON_NOTHING };
enum hw_attached hw_attached_to(uint32_t sbdf, struct viommu_shadow **s);

/* What a device gets, by DMA. */
struct dma {
    bool ok;
    unsigned long mfn;
};
struct dma device_dma(uint32_t sbdf, uint64_t addr, bool write);

/* Calls back for each leaf that the tables of s hold for hardware. */
void hw_scan(const struct viommu_shadow *s,
             void (*leaf)(void *arg, uint64_t addr, unsigned long mfn,
                          bool read, bool write), void *arg);
/* Whether a frame is reachable through any table or cache. */
bool hw_reaches(unsigned long mfn);
/* The hardware was told of everything that was written. */
void hw_check(void);

#endif /* VIOMMU_UNIT_FAKE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
