/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * boundary.h: what the emulation needs of its guest and of the hardware. Plain
 * functions, resolved at link time: in Xen those of the two files named below,
 * in user space those of tests/unit.
 */
#ifndef VIOMMU_BOUNDARY_H
#define VIOMMU_BOUNDARY_H

#include "types.h"

/*
 * ---- The boundary to the guest: arch/x86/hvm/viommu.c ----
 *
 * Any gfn is fine to ask for; what is no RAM of the guest is refused.
 */

/* What the p2m says of a gfn. */
struct guest_lookup {
    bool read, write;        /* what the guest may do; neither: it is no RAM */
    mfn_t mfn;
    unsigned int level;      /* of no RAM: so big a block of it, as of a leaf */
};
/*
 * Looks a gfn up. populate: as an access of the guest would, so memory that is
 * to be populated is, and what is shared is not any more if that access would
 * write. hold: with a reference to the frame, if it is RAM, taken while it is
 * the gfn's.
 */
void guest_lookup(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                  bool hold, struct guest_lookup *result);
/* A reference to a frame; false: it is none of the guest's (any more). */
bool __must_check guest_get_frame(struct viommu *vi, mfn_t mfn);
void guest_put_frame(mfn_t mfn);
/* Whether a frame that is held would be the guest's also if it were not. */
bool __must_check guest_has_frame(struct viommu *vi, mfn_t mfn);
/* A reference, and it is mapped. NULL: as false above, or no memory to map. */
void *guest_map(struct viommu *vi, mfn_t mfn);
void guest_unmap(void *va, mfn_t mfn);
#ifdef CONFIG_VIOMMU_CHECK
/* References to a frame; 0: it is none of the guest's. */
unsigned int guest_frame_refs(struct viommu *vi, mfn_t mfn);
/*
 * The shadow is not what it should be: to be printed, and the guest crashed.
 * addr: of the device; entry: the guest's; what its leaf should be, and is.
 */
void guest_inconsistent(struct viommu *vi, const char *what, uint64_t addr,
                        uint64_t entry, uint64_t expected, uint64_t found);
#endif
/* The page of gfn was written to. */
void guest_dirtied(struct viommu *vi, gfn_t gfn);
/* More than any frame of the machine. */
unsigned long guest_max_frame(void);
/* Most pages that the guest has, or may have. */
unsigned long guest_max_pages(const struct viommu *vi);
/*
 * Whether the gfns from gfn, aligned, as many as a leaf of that level has, are
 * one mapping of RAM, or part of one; then read, write and mfn are as above, of
 * the first frame. No reference is taken, so this is a hint that can be wrong
 * at once.
 */
bool __must_check guest_superpage(struct viommu *vi, gfn_t gfn,
                                  unsigned int level, bool *read, bool *write,
                                  mfn_t *mfn);
/* Of this CPU's clock; those of other CPUs may differ a little. */
uint64_t guest_time_us(void);

/*
 * From then to now. Then may come from another CPU, and from after this one
 * read its clock: that is no time, not nearly for ever.
 */
static inline uint64_t elapsed_us(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}
void guest_send_msi(struct viommu *vi, uint64_t addr, uint32_t data);
/* Has the current vCPU, or all, call viommu_work() before it runs on. */
void guest_defer(struct viommu *vi);
void guest_defer_all(struct viommu *vi);

/* Calls back at that time of guest_time_us(), once; again replaces it. */
enum viommu_timer {
    VIOMMU_TIMER_WATCH,      /* sidecore_watch() */
    VIOMMU_TIMER_STALE,      /* viommu_stale_timer() */
    VIOMMU_NR_TIMERS,
};
void guest_set_timer(struct viommu *vi, enum viommu_timer timer, uint64_t at);

/* vi->inbox.page, zeroed; freed with the unit only. 0, -ENOMEM */
int __must_check guest_inbox_alloc(struct viommu *vi);
/* Maps it at the register address. sync_lock. */
int __must_check guest_inbox_map(struct viommu *vi);
/* After it no vCPU has it mapped there. sync_lock. */
void guest_inbox_unmap(struct viommu *vi);

/* Has the calling vCPU sleep when it returns to its guest, until unblocked. */
void sidecore_block(void);
void sidecore_unblock(struct domain *d);
/* Whether the CPU has other things to do. */
bool sidecore_preempted(void);

/*
 * ---- The boundary to the hardware: drivers/passthrough/vtd/viommu.c ----
 */

/* A unit of the machine. */
struct hw_unit {
    uint64_t cap, ecap;      /* its registers */
};
/* The n-th one; false: there are no more. */
bool __must_check hw_unit(unsigned int n, struct hw_unit *unit);
/* What the host allows: VTD_CAP_SLLPS_*; and whether leaves ask for snoop. */
uint64_t hw_superpages(void);
bool hw_snoop(void);

void hw_pcidevs_lock(void);
bool __must_check hw_pcidevs_trylock(void);
void hw_pcidevs_unlock(void);

/*
 * Pages of tables, zeroed. They are mapped as long as they exist. A write of an
 * entry reaches the hardware with hw_table_sync(). Those that are freed stay
 * the unit's, for the next one. sync_lock, once others know the unit.
 */
mfn_t hw_table_alloc(struct viommu *vi);
void hw_table_free(struct viommu *vi, mfn_t mfn);
uint64_t *hw_table(mfn_t mfn);
void hw_table_sync(const uint64_t *entry);

/*
 * Sets as many pages aside as the quota allows, so that what others take from
 * the host's memory later does not matter; gives back those that are free. Both
 * do a part at a time. 0, -ERESTART: there is more to do, -ENOMEM
 */
int __must_check hw_tables_reserve(struct viommu *vi);
int __must_check hw_tables_release(struct viommu *vi);

int __must_check hw_shadow_init(struct viommu_shadow *s);
void hw_shadow_fini(struct viommu_shadow *s);

/*
 * -EOPNOTSUPP for a device that cannot have a table of its own. pcidevs_lock.
 */
int __must_check hw_check_device(struct viommu *vi, pci_sbdf_t sbdf);
/*
 * Attaches a device to a shadow (NULL: to the domain's own table) instead of
 * to dev->shadow, and flushes what was cached of that. On error it is attached
 * to nothing, and blocked. pcidevs_lock and sync_lock.
 */
int __must_check hw_attach(struct viommu *vi, struct viommu_device *dev,
                           struct viommu_shadow *s);
/*
 * Flushes what is cached of 2^order pages of s from addr, aligned; of all
 * where a unit cannot flush so few. fresh: nothing there was present before,
 * so that only a unit which caches that (CAP.CM) needs it.
 */
void hw_flush(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
              unsigned int order, bool fresh);

#endif /* VIOMMU_BOUNDARY_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
