/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaf.c: makes a leaf of a shadow agree with the guest's, page or superpage.
 *
 * A guest's superpage is one leaf of the shadow where the guest's memory is
 * mapped by that size as well, and smaller ones otherwise; so which it is
 * changes only when one of the two does. All references of a 2M leaf are taken
 * and dropped at once; those of 1G would be too many. So a leaf of 1G is made
 * of 512 leaves of 2M that are all there, and comes apart into these again
 * before it changes.
 */
#include "agreed.h"
#include "boundary.h"
#include "frame.h"
#include "leaf.h"
#include "removed.h"
#include "table.h"
#include "teardown.h"
#include "walk.h"

/* The guest's frame number behind addr, of the leaf that it is in. */
static gfn_t leaf_gfn(const struct guest_leaf *g, uint64_t addr)
{
    return gfn_add(g->gfn, (addr & (VTD_LEVEL_SIZE(g->level) - 1)) >>
                           VTD_PAGE_SHIFT);
}

/* Removes the leaf of addr, or has it linger. */
static void unmap(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  unsigned int level, uint64_t old)
{
    agreed_void(vi, s, addr);
    if ( vi->stale.linger && (old & SHADOW_PTE_STALE) )
        return;
    if ( !(old & SHADOW_PTE_STALE) && teardown_linger(vi, s, addr, level) )
        return;

    /* A leaf's table is there, so this cannot fail. */
    if ( table_write(vi, s, addr, level, 0) )
    {
        ASSERT_UNREACHABLE();
        return;
    }
    teardown_unlinger(vi, level, old);
    removed_leaf(vi, s, addr, level, old);
}

/*
 * Keeps a leaf whose frames the guest's leaf names, too: with other rights, or
 * as it is, which is all that is to do where one that lingered comes back.
 */
static void keep(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                 unsigned int level, const struct guest_leaf *g,
                 uint64_t old, uint64_t pte)
{
    bool stale = old & SHADOW_PTE_STALE;

    if ( stale )
        teardown_unlinger(vi, level, old);
    if ( pte == (old & ~SHADOW_PTE_NOTE) )
    {
        if ( stale )
        {
            table_annotate(vi, s, addr, level, 0);
            viommu_count(vi, leaves_revived);
        }
    }
    else
    {
        agreed_void(vi, s, addr);
        /* The leaf is there, so this cannot fail. */
        if ( table_write(vi, s, addr, level, pte) )
            ASSERT_UNREACHABLE();
        removed_changed(vi, s, addr, level, false);
        if ( stale )
            viommu_count(vi, stale_replaced);
    }

    if ( g->level > 1 )
        table_mark(vi, s, addr, g->level);
}

/*
 * The leaf for the page of gfn, with a reference from before it is written,
 * unless it has the frame of old. 0: it is no RAM; then level as frame_find().
 */
static uint64_t page_pte(struct viommu *vi, gfn_t gfn,
                         const struct guest_leaf *g, uint64_t old,
                         unsigned int *level)
{
    const bool write = g->rights & VTD_PTE_W, had = shadow_pte_present(old);
    uint64_t found, pte;

    if ( had )
    {
        pte = shadow_pte_leaf(vi, frame_find(vi, gfn, write, true, level),
                              g->rights);
        if ( !shadow_pte_present(pte) )
            return 0;
        if ( mfn_eq(shadow_pte_mfn(pte), shadow_pte_mfn(old)) )
            return pte;
    }

    found = frame_take(vi, gfn, write, true, level);
    pte = shadow_pte_leaf(vi, found, g->rights);
    if ( found && (!shadow_pte_present(pte) ||
                   (had && mfn_eq(shadow_pte_mfn(pte), shadow_pte_mfn(old)))) )
        guest_put_frame(shadow_pte_mfn(found));

    return shadow_pte_present(pte) ? pte : 0;
}

unsigned int leaf_sync_page(struct viommu *vi, struct viommu_shadow *s,
                            uint64_t addr, const struct guest_leaf *g,
                            uint64_t old)
{
    bool had = shadow_pte_present(old);
    unsigned int level;
    uint64_t pte;

    if ( g->level == 1 && leaf_revive(vi, addr, g->rights, g->gfn, old) )
        return 1;

    if ( !g->rights )
    {
        if ( had )
            unmap(vi, s, addr, 1, old);
        return 1;
    }

    pte = page_pte(vi, leaf_gfn(g, addr), g, old, &level);
    if ( pte && had && !((pte ^ old) & VTD_PTE_ADDR) )
    {
        keep(vi, s, addr, 1, g, old, pte);
        return 1;
    }

    if ( !pte )
        viommu_count(vi, rej_frame);
    if ( !pte && !had )
        return level;

    agreed_void(vi, s, addr);
    if ( table_write(vi, s, addr, 1, pte) )
    {
        /* No table for it, so there was no leaf either. */
        viommu_count(vi, rej_quota);
        guest_put_frame(shadow_pte_mfn(pte));
        return 1;
    }

    if ( pte )
    {
        if ( g->level > 1 )
            table_mark(vi, s, addr, g->level);
        viommu_count(vi, leaves_mapped);
        removed_changed(vi, s, addr, 1, !had);
    }
    if ( had )
    {
        if ( old & SHADOW_PTE_STALE )
            viommu_count(vi, stale_replaced);
        teardown_unlinger(vi, 1, old);
        removed_leaf(vi, s, addr, 1, old);
    }

    return 1;
}

/* ---- 2M, 1G. ---- */

/*
 * The shadow leaf of that level for addr, or 0 where it cannot be one; no
 * references.
 */
static uint64_t make_superpage(struct viommu *vi, uint64_t addr,
                               unsigned int level, const struct guest_leaf *g)
{
    bool read = g->rights & VTD_PTE_R, write = g->rights & VTD_PTE_W;
    mfn_t mfn;

    addr &= ~(VTD_LEVEL_SIZE(level) - 1);
    if ( level > vi->leaf_level || !g->rights || g->level < level ||
         !guest_superpage(vi, leaf_gfn(g, addr), level, &read, &write, &mfn) )
        return 0;

    return shadow_pte_leaf(vi, mfn_x(mfn) << VTD_PAGE_SHIFT |
                               (read ? VTD_PTE_R : 0) |
                               (write ? VTD_PTE_W : 0), g->rights) |
           VTD_PTE_SP;
}

static void put_frames(mfn_t mfn, unsigned int n)
{
    while ( n-- )
        guest_put_frame(mfn_add(mfn, n));
}

/* References to all frames of a 2M leaf, if they are those behind the gfns. */
static bool get_superpage(struct viommu *vi, gfn_t gfn, uint64_t pte)
{
    unsigned int n, level;

    for ( n = 0; n < VTD_LEVEL_PAGES(2); n++ )
    {
        mfn_t mfn = mfn_add(shadow_pte_mfn(pte), n);
        uint64_t frame = frame_take(vi, gfn_add(gfn, n), pte & VTD_PTE_W, true,
                                    &level);

        if ( mfn_eq(shadow_pte_mfn(frame), mfn) &&
             !(pte & ~frame & (VTD_PTE_R | VTD_PTE_W)) )
            continue;
        if ( frame )
            guest_put_frame(shadow_pte_mfn(frame));
        break;
    }

    if ( n == VTD_LEVEL_PAGES(2) )
        return true;

    put_frames(shadow_pte_mfn(pte), n);

    return false;
}

/* Enters a 2M leaf into a hole; false: not possible, enter pages. */
static bool map_superpage(struct viommu *vi, struct viommu_shadow *s,
                          uint64_t addr, const struct guest_leaf *g,
                          struct viommu_budget *b)
{
    uint64_t pte = make_superpage(vi, addr, 2, g);

    if ( !pte )
        return false;

    budget_take(b, VTD_LEVEL_PAGES(2) - 1);
    if ( !get_superpage(vi, leaf_gfn(g, addr), pte) )
        return false;

    agreed_void(vi, s, addr);
    if ( table_write(vi, s, addr, 2, pte) )
    {
        viommu_count(vi, rej_quota);
        put_frames(shadow_pte_mfn(pte), VTD_LEVEL_PAGES(2));
        return false;
    }

    table_mark(vi, s, addr, g->level);
    viommu_count(vi, leaves_mapped);
    removed_changed(vi, s, addr, 2, true);

    return true;
}

/*
 * Where the shadow has a superpage, all of which is to be compared. Returns
 * whether that is done; if not, it is smaller leaves or a hole now.
 */
static bool sync_superpage(struct viommu *vi, struct viommu_shadow *s,
                           uint64_t addr, const struct guest_leaf *g,
                           const struct shadow_leaf *old,
                           struct viommu_budget *b)
{
    uint64_t pte = make_superpage(vi, addr, old->level, g);

    if ( pte && mfn_eq(shadow_pte_mfn(pte), shadow_pte_mfn(old->pte)) )
    {
        keep(vi, s, addr, old->level, g, old->pte, pte);
        return true;
    }

    /* Nothing of it remains, or its parts differ one by one. */
    agreed_void(vi, s, addr);
    budget_take(b, VTD_TABLE_ENTRIES - 1);
    if ( old->level == 2 && !g->rights && g->level >= 2 )
    {
        unmap(vi, s, addr, 2, old->pte);
        return true;
    }

    /* One that lingers is not split, as the ring knows it as a whole. */
    if ( (old->pte & SHADOW_PTE_STALE) || table_split(vi, s, addr) )
    {
        if ( old->pte & SHADOW_PTE_STALE )
            viommu_count(vi, stale_replaced);
        else
            viommu_count(vi, rej_quota);
        if ( table_write(vi, s, addr, old->level, 0) )
            ASSERT_UNREACHABLE();
        else
        {
            teardown_unlinger(vi, old->level, old->pte);
            removed_leaf(vi, s, addr, old->level, old->pte);
        }
    }

    return false;
}

/*
 * After the last part of a superpage, of that level: one leaf for all, where it
 * would be one anew; and so on with what that is the last part of.
 */
static void try_merge(struct viommu *vi, struct viommu_shadow *s,
                      uint64_t addr, unsigned int level,
                      const struct guest_leaf *g)
{
    const uint64_t end = addr | (VTD_LEVEL_SIZE(level) - 1);

    while ( g->level > level && !(~end & (VTD_LEVEL_SIZE(++level) - 1)) )
    {
        uint64_t pte = make_superpage(vi, addr, level, g);

        if ( !pte || !table_merge(vi, s, addr, level, pte) )
            break;
    }
}

unsigned int leaf_sync(struct viommu *vi, struct viommu_shadow *s,
                       uint64_t addr, uint64_t last,
                       const struct guest_leaf *g,
                       const struct shadow_leaf *old, struct viommu_budget *b)
{
    const uint64_t mask = VTD_LEVEL_SIZE(2) - 1;
    bool whole = !(addr & mask) && (addr | mask) <= last;
    unsigned int done = 0, level = 1;

    if ( old->level >= 2 && old->pte )
    {
        if ( !sync_superpage(vi, s, addr, g, old, b) )
            return 0;
        done = old->level;
    }
    else if ( whole && g->rights && g->level >= 2 && !old->pte &&
              (old->level >= 2 || table_drop_empty(vi, s, addr)) &&
              map_superpage(vi, s, addr, g, b) )
        done = 2;

    if ( !done )
    {
        level = leaf_sync_page(vi, s, addr, g, old->pte);
        done = 1;
    }
    try_merge(vi, s, addr, done, g);

    /* No RAM, for as far as that goes and the shadow has nothing either. */
    if ( level > 1 )
        done = min(min(level, g->level), old->level);

    return done;
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
