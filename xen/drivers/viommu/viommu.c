/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu.c: the entry points of the emulated unit: creation, register
 * accesses, deferred work, devices.
 */
#include "boundary.h"
#include "caps.h"
#include "fault.h"
#include "frame.h"
#include "inbox.h"
#include "intremap.h"
#include "pinned.h"
#include "regs.h"
#include "removed.h"
#include "sidecore.h"
#include "sync.h"
#include "table.h"
#include "teardown.h"
#include "viommu.h"
#include "walk.h"
#include "work.h"

/* When the timer comes again, where it could not do its work. */
#define STALE_RETRY_US 100

int viommu_init(struct viommu *vi, unsigned int table_quota)
{
    static const struct xen_viommu_settings defaults =
        XEN_VIOMMU_DEFAULT_SETTINGS;
    int rc = caps_init(vi);

    if ( rc )
        return rc;

    spin_lock_init(&vi->sync_lock);
    spin_lock_init(&vi->reg_lock);
    vi->table_quota =
        table_quota ?: XEN_VIOMMU_TABLE_PAGES(guest_max_pages(vi));
    vi->set = defaults;
    regs_init(vi);
    walk_init(vi);

    vi->blocked = table_create(vi);
    if ( vi->blocked && !frame_init(vi) && !intremap_init(vi) &&
         !teardown_resize(vi, vi->set.quota) )
        return 0;

    viommu_fini(vi);

    return -ENOMEM;
}

void viommu_fini(struct viommu *vi)
{
    ASSERT(!vi->nr_devices && !vi->shadows && !vi->dying);
    ASSERT(!vi->spare.pages && !vi->removed.s);

    /* Places of what is gone. */
    vi->stale.used = 0;
    if ( teardown_resize(vi, 0) )
        ASSERT_UNREACHABLE();
    pinned_forget(vi);
    intremap_fini(vi);
    frame_fini(vi);
    if ( vi->blocked )
        table_destroy(vi, vi->blocked);
    vi->blocked = NULL;
}

/* Other sizes are undefined (11.2), and have no effect here. */
static bool access_valid(unsigned int offset, unsigned int size)
{
    return (size == 4 || size == 8) && IS_ALIGNED(offset, size);
}

uint64_t viommu_mmio_read(struct viommu *vi, unsigned int offset,
                          unsigned int size)
{
    return access_valid(offset, size) ? inbox_trapped_read(vi, offset, size)
                                      : 0;
}

void viommu_mmio_write(struct viommu *vi, unsigned int offset,
                       unsigned int size, uint64_t value)
{
    struct viommu_budget b = BUDGET(VIOMMU_BUDGET);
    int rc = -ERESTART;

    /* The upper half of a tail is nothing. */
    if ( likely(offset == VTD_IQT && size >= 4) )
        inbox_trapped_tail(vi, value);
    else if ( !access_valid(offset, size) ||
              !inbox_trapped_write(vi, offset, size, value) )
        goto out;

    /* Only a trylock: see types.h. */
    if ( spin_trylock(&vi->sync_lock) )
    {
        rc = work_run(vi, &b);
        if ( rc )
            viommu_count(vi, deferrals);
        spin_unlock(&vi->sync_lock);
    }
    if ( rc )
        guest_defer(vi);
    sidecore_knock(vi);

 out:
    fault_send_events(vi);
}

/* The page has to trap before a record changes. sync_lock held. */
static void record_blocked(struct viommu *vi)
{
    struct viommu_ir_fault fault;

    while ( unlikely(intremap_take_fault(vi, &fault)) )
    {
        if ( inbox_leave(vi) || vi->sc.more )
            guest_defer_all(vi);
        fault_record(vi, fault.sid,
                     MASK_INSR((uint64_t)fault.index, VTD_FRCD_LO_INDEX),
                     false, fault.reason);
    }
}

bool viommu_work(struct viommu *vi)
{
    struct viommu_budget b = BUDGET(VIOMMU_BUDGET);
    int rc;

    spin_lock(&vi->sync_lock);
    sidecore_fallback(vi);
    record_blocked(vi);
    rc = work_run(vi, &b);
    spin_unlock(&vi->sync_lock);

    if ( rc == -EAGAIN )
    {
        hw_pcidevs_lock();
        spin_lock(&vi->sync_lock);
        vi->pcidevs_held = true;
        rc = work_run(vi, &b);
        vi->pcidevs_held = false;
        spin_unlock(&vi->sync_lock);
        hw_pcidevs_unlock();
    }

    fault_send_events(vi);

    return rc;
}

static struct viommu_device **find_device(struct viommu *vi, pci_sbdf_t sbdf)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_NR_DEVICES; i++ )
        if ( vi->devices[i] && vi->devices[i]->sbdf.sbdf == sbdf.sbdf )
            return &vi->devices[i];

    return NULL;
}

int viommu_bind(struct viommu *vi, pci_sbdf_t sbdf, uint32_t vsbdf)
{
    const struct viommu_target blocked = { .kind = VIOMMU_BLOCKED };
    const unsigned int first = XEN_VIOMMU_SLOT_FIRST * 8;
    struct viommu_device *dev;
    int rc;

    if ( vsbdf < first || vsbdf - first >= VIOMMU_NR_DEVICES )
        return -ERANGE;

    rc = hw_check_device(vi, sbdf);
    if ( rc )
        return rc;

    dev = xzalloc(struct viommu_device);
    if ( !dev )
        return -ENOMEM;

    dev->devfn = vsbdf;
    dev->sbdf = sbdf;
    dev->fresh = true;
    dev->at.kind = VIOMMU_IDENTITY;

    spin_lock(&vi->sync_lock);
    if ( find_device(vi, sbdf) || vi->devices[vsbdf - first] )
        rc = -EEXIST;
    else if ( vi->translation || vi->overcommit )
    {
        /* Nothing is reachable until a vCPU has read the guest's context. */
        rc = hw_attach(vi, dev, vi->blocked);
        dev->shadow = vi->blocked;
        dev->at = blocked;
        vi->rebind = true;
    }
    if ( !rc )
    {
        vi->devices[vsbdf - first] = dev;
        vi->nr_devices++;
        intremap_bind(vi, vsbdf - first, &sbdf);
    }
    spin_unlock(&vi->sync_lock);

    if ( rc )
        xfree(dev);
    else
        guest_defer_all(vi);

    return rc;
}

int viommu_unbind(struct viommu *vi, pci_sbdf_t sbdf)
{
    struct viommu_device **slot, *dev = NULL;

    spin_lock(&vi->sync_lock);
    slot = find_device(vi, sbdf);
    if ( slot )
    {
        dev = *slot;
        vi->pcidevs_held = true;
        sync_release_device(vi, dev);
        vi->pcidevs_held = false;
        intremap_bind(vi, slot - vi->devices, NULL);
        *slot = NULL;
        vi->nr_devices--;
    }
    spin_unlock(&vi->sync_lock);

    if ( !dev )
        return -ENODEV;

    xfree(dev);
    guest_defer_all(vi);

    return 0;
}

/*
 * The reason by the guest's own tables (7.1.3). Hardware saw the shadow, where
 * everything that the guest's tables do not grant is just not present. False:
 * it is none of the guest's business.
 */
static bool fault_reason(struct viommu *vi, const struct viommu_device *dev,
                         uint64_t addr, bool read, unsigned int *reason)
{
    struct viommu_target target;
    struct guest_leaf leaf;
    bool fpd;

    /* The guest was not asked. */
    if ( !vi->translation )
        return false;

    /* Nothing is populated for a request that faulted, and with that lock. */
    *reason = walk_context(vi, dev->devfn, false, &target, &fpd);
    if ( fpd || (!*reason && target.kind != VIOMMU_SHADOW) )
        return false;

    if ( !*reason )
    {
        walk_leaf(vi, &target, addr, false, &leaf);
        *reason = leaf.fault;
    }

    /* No rights; or not yet invalidated, or not on RAM. */
    if ( !*reason )
        *reason = read ? VTD_FR_READ : VTD_FR_WRITE;

    return true;
}

void viommu_fault(struct viommu *vi, pci_sbdf_t sbdf, uint64_t addr, bool read)
{
    struct viommu_device **slot;
    unsigned int reason;

    spin_lock(&vi->sync_lock);
    slot = find_device(vi, sbdf);
    if ( slot && fault_reason(vi, *slot, addr, read, &reason) )
    {
        /* What was in the page, or is not done yet, is for the vCPUs. */
        if ( inbox_leave(vi) || vi->sc.more )
            guest_defer_all(vi);
        fault_record(vi, (*slot)->devfn, addr, read, reason);
    }
    else
        viommu_count(vi, faults_dropped);
    spin_unlock(&vi->sync_lock);

    fault_send_events(vi);
}

void viommu_blocked(struct viommu *vi, pci_sbdf_t sbdf, uint16_t index,
                    unsigned int reason)
{
    uint16_t sid = intremap_requester(vi, sbdf);

    /* The guest that has not asked for it is not told. */
    if ( intremap_is_on(vi) && intremap_blocked(vi, sid, index, reason) )
        guest_defer_all(vi);
}

static bool in_range(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most;
}

int viommu_set(struct viommu *vi, const struct xen_viommu_settings *set)
{
    struct viommu_budget b = BUDGET(VIOMMU_BUDGET);
    int rc;

    if ( set->mode > XEN_VIOMMU_MODE_sidecore ||
         set->teardown > XEN_VIOMMU_TEARDOWN_optimistic ||
         !in_range(set->window_us, 1, 1000000) ||
         !in_range(set->quota, 1, 65536) ||
         !in_range(set->fallback_us, 1000, 1000000) ||
         !in_range(set->idle_us, 1000, 60000000) )
        return -ERANGE;

    if ( set->mode == XEN_VIOMMU_MODE_sidecore )
    {
        rc = guest_inbox_alloc(vi);
        if ( !rc )
            rc = sidecore_assign(vi);
        if ( rc )
            return rc;
    }

    /* All that lingers goes first; nothing begins to meanwhile. */
    spin_lock(&vi->sync_lock);
    ACCESS_ONCE(vi->stale.end) = true;
    rc = teardown_end(vi, &b) ?: teardown_resize(vi, set->quota);
    if ( !rc )
    {
        vi->set = *set;
        sidecore_limit(vi);
    }
    spin_unlock(&vi->sync_lock);

    if ( rc == -ERESTART )
        return rc;

    /* Nothing changes that does not change as a whole. */
    if ( vi->set.mode == XEN_VIOMMU_MODE_trap )
        sidecore_unassign(vi);

    /* What was left in the register page. */
    guest_defer_all(vi);

    return rc;
}

void viommu_end_stale(struct viommu *vi)
{
    /*
     * Racy, but whatever named the memory lingers by now, or is gone; and a
     * page that is mapped only now is the guest's.
     */
    if ( !ACCESS_ONCE(vi->stale.used) )
    {
        /* Few pages, which are held no matter what for: with less haste. */
        if ( (ACCESS_ONCE(vi->frames.pages) || intremap_maps(vi)) &&
             !ACCESS_ONCE(vi->frames.expiring) )
        {
            ACCESS_ONCE(vi->frames.expiring) = true;
            guest_set_timer(vi, VIOMMU_TIMER_STALE,
                            guest_time_us() + ACCESS_ONCE(vi->set.window_us));
        }
        return;
    }

    /* The caller may hold the p2m lock, so no lock here. */
    ACCESS_ONCE(vi->stale.end) = true;
    guest_defer_all(vi);
}

void viommu_stale_timer(struct viommu *vi)
{
    /* Not to wait for: the timer runs between other things. */
    if ( spin_trylock(&vi->sync_lock) )
    {
        if ( ACCESS_ONCE(vi->frames.expiring) )
        {
            ACCESS_ONCE(vi->frames.expiring) = false;
            frame_unmap_pages(vi);
            intremap_unmap(vi, false);
        }
        teardown_expire(vi);
        spin_unlock(&vi->sync_lock);
    }
    else
        guest_set_timer(vi, VIOMMU_TIMER_STALE,
                        guest_time_us() + STALE_RETRY_US);
}

int viommu_reap(struct viommu *vi)
{
    struct viommu_budget b = BUDGET(VIOMMU_BUDGET);
    int rc;

    sidecore_unassign(vi);
    spin_lock(&vi->sync_lock);
    frame_unmap_pages(vi);
    intremap_unmap(vi, true);
    sync_abandon(vi, &vi->cmd);
    vi->cmd.op = VIOMMU_CMD_NONE;
    vi->cmd.done = false;
    rc = sync_reap(vi, &b);
    removed_flush(vi);
    spin_unlock(&vi->sync_lock);

    return rc;
}

int viommu_count_pinned(struct viommu *vi)
{
    struct viommu_budget b = BUDGET(8 * VIOMMU_BUDGET);
    int rc;

    spin_lock(&vi->sync_lock);
    rc = pinned_count(vi, &b);
    spin_unlock(&vi->sync_lock);

    return rc;
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
