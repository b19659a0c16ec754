/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quick.c: the two descriptors that a driver puts into the queue nearly always:
 * an invalidation of one page, and a wait behind it that writes a status
 * (VT-d 6.5.2.3, 6.5.2.8).
 *
 * Where it is known already where the leaf is, in the guest's table and in the
 * shadow, both are done here in one go. What is done is the same:
 * leaf_sync_page() decides what becomes of the leaf. Anything that is not just
 * so is left in the queue, to qinval.c, which takes up everything.
 */
#include "boundary.h"
#include "check.h"
#include "frame.h"
#include "leaf.h"
#include "quick.h"
#include "regfile.h"
#include "removed.h"
#include "table.h"
#include "teardown.h"
#include "walk.h"

#define PAIR_SIZE  (2 * sizeof(struct vtd_descriptor))
/* Two commands, and a shadow to look at. */
#define PAIR_ITEMS 3U

/* Nothing of it is reserved, and no other type or granularity. */
static inline bool is_page(const struct vtd_descriptor *desc)
{
    const uint64_t any = VTD_DESC_IOTLB_DID | VTD_DESC_IOTLB_DR |
                         VTD_DESC_IOTLB_DW;

    return (desc->lo & ~any) ==
           (MASK_INSR(VTD_DESC_IOTLB, VTD_DESC_TYPE) |
            MASK_INSR((uint64_t)VTD_GRANU_SELECTIVE, VTD_DESC_GRANU)) &&
           !(desc->hi & (VTD_DESC_IOTLB_AM | VTD_DESC_IOTLB_HI_RSVD));
}

static inline bool is_wait(const struct vtd_descriptor *desc)
{
    const uint64_t any = VTD_DESC_WAIT_DATA | VTD_DESC_WAIT_FN;

    return (desc->lo & ~any) ==
           (MASK_INSR(VTD_DESC_WAIT, VTD_DESC_TYPE) | VTD_DESC_WAIT_SW) &&
           !(desc->hi & ~VTD_DESC_WAIT_ADDR);
}

/* Reads both, if both are there and in one page; each half once. */
static bool read_pair(struct viommu *vi, struct vtd_descriptor pair[2])
{
    const unsigned int head = vi->queue_head, tail = regs_glance(vi, VTD_IQT);
    const paddr_t addr = vi->queue + head;
    const unsigned int offset = addr & (VTD_LEVEL_SIZE(1) - 1);
    const struct vtd_descriptor *from;
    unsigned int i;

    /* The size is a power of two. */
    if ( tail >= vi->queue_size ||
         ((tail - head) & (vi->queue_size - 1)) < PAIR_SIZE ||
         offset > VTD_LEVEL_SIZE(1) - PAIR_SIZE )
        return false;

    from = frame_page(vi, addr, VIOMMU_USE_QUEUE, true);
    if ( unlikely(!from) )
        return false;

    from += offset / sizeof(*from);
    for ( i = 0; i < 2; i++ )
    {
        pair[i].lo = ACCESS_ONCE(from[i].lo);
        pair[i].hi = ACCESS_ONCE(from[i].hi);
    }

    return is_page(&pair[0]) && is_wait(&pair[1]);
}

/* The shadow of a domain ID; NULL: there is none, or more than one. */
static inline struct viommu_shadow *only_shadow(const struct viommu *vi,
                                                unsigned int did)
{
    struct viommu_shadow *s, *found = NULL;

    for ( s = vi->shadows; s; s = s->next )
    {
        if ( s->of.did != did )
            continue;
        if ( found )
            return NULL;
        found = s;
    }

    return found;
}

/* False: nothing was done. */
static inline bool sync_page(struct viommu *vi,
                             const struct vtd_descriptor *desc,
                             struct viommu_budget *b)
{
    const struct viommu_command cmd = {
        .op = VIOMMU_CMD_IOTLB,
        .granu = VTD_GRANU_SELECTIVE,
        .did = MASK_EXTR(desc->lo, VTD_DESC_IOTLB_DID),
        .addr = desc->hi & VTD_DESC_IOTLB_ADDR,
    };
    struct viommu_shadow *s = only_shadow(vi, cmd.did);
    const uint64_t *table;
    uint64_t entry, old;

    if ( !s || s->marked )
        return false;
    table = walk_way(vi, &s->of, cmd.addr);
    if ( unlikely(!table) )
        return false;

    check_begin(vi, &cmd);
    viommu_count(vi, syncs);
    vi->stale.linger = vi->set.teardown == XEN_VIOMMU_TEARDOWN_optimistic;
    if ( vi->stale.linger )
        teardown_make_room(vi, b);

    entry = ACCESS_ONCE(table[VTD_LEVEL_INDEX(cmd.addr, 1)]);
    old = table_page(vi, s, cmd.addr);
    if ( !leaf_revive(vi, cmd.addr,
                      walk_rights(vi, entry, vi->frames.way.rights),
                      walk_gfn(entry), old) )
    {
        struct guest_leaf g = {
            .table = table, .above = vi->frames.way.rights,
        };

        walk_entry(vi, entry, &g);
        if ( g.rights || old )
            leaf_sync_page(vi, s, cmd.addr, &g, old);
    }
    if ( vi->count[XEN_VIOMMU_CNT_stale_replaced] != vi->stale.replaced )
        budget_take(b, teardown_join(vi, s));
    check_end(vi, &cmd);

    return true;
}

bool quick_run(struct viommu *vi, struct viommu_budget *b)
{
    struct vtd_descriptor pair[2];

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->queue_enabled || vi->pcidevs_held || vi->inbox.root_shows ||
         (regs_glance(vi, VTD_FSTS) & VTD_FSTS_IQE) )
        return false;

    while ( b->left > b->rest + PAIR_ITEMS &&
            likely(!ACCESS_ONCE(vi->stale.end)) && read_pair(vi, pair) &&
            sync_page(vi, &pair[0], b) )
    {
        budget_take(b, PAIR_ITEMS);

        /* What the guest waits for comes after the flush. */
        if ( vi->removed.s )
            removed_flush(vi);
        if ( unlikely(!frame_write32(vi, pair[1].hi,
                                     MASK_EXTR(pair[1].lo,
                                               VTD_DESC_WAIT_DATA))) )
            viommu_count(vi, rej_status);

        vi->queue_head = (vi->queue_head + PAIR_SIZE) & (vi->queue_size - 1);
        vi->queue_behind = true;
        viommu_count(vi, qi_iotlb);
        viommu_count(vi, qi_wait);

        if ( vi->queue_head == regs_glance(vi, VTD_IQT) )
            return true;
    }

    return false;
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
