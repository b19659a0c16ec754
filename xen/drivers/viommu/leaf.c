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
#include "private.h"

/* The guest's frame number behind addr, of the leaf that it is in. */
static gfn_t leaf_gfn(const struct guest_leaf *g, uint64_t addr)
{
    return gfn_add(g->gfn, (addr & (VTD_LEVEL_SIZE(g->level) - 1)) >>
                           VTD_PAGE_SHIFT);
}

static uint64_t make_pte(const struct viommu *vi, mfn_t mfn, bool read,
                         bool write)
{
    return (mfn_x(mfn) << VTD_PAGE_SHIFT) |
           (read ? VTD_PTE_R : 0) | (write ? VTD_PTE_W : 0) |
           (vi->ecap & VTD_ECAP_SC ? VTD_PTE_SNP : 0);
}

/* Removes the leaf of addr, or has it linger. */
static void unmap(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                  unsigned int level, uint64_t old)
{
    if ( w->linger && (old & SHADOW_PTE_STALE) )
        return;
    if ( !(old & SHADOW_PTE_STALE) && teardown_linger(vi, w, addr, level) )
        return;

    /* A leaf's table is there, so this cannot fail. */
    if ( table_write(w, addr, level, 0) )
        ASSERT_UNREACHABLE();
    else
        teardown_leaf(vi, w->s, addr, level, old);
}

/*
 * Keeps a leaf whose frames the guest's leaf names, too: with other rights, or
 * as it is, which is all that is to do where one that lingered comes back.
 */
static void keep(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                 unsigned int level, const struct guest_leaf *g,
                 uint64_t old, uint64_t pte)
{
    bool stale = old & SHADOW_PTE_STALE;

    teardown_unlinger(vi, level, old);
    if ( pte == (old & ~SHADOW_PTE_NOTE) )
    {
        if ( stale )
        {
            table_annotate(w, addr, level, 0);
            viommu_count(vi, leaves_revived);
        }
    }
    else
    {
        /* The leaf is there, so this cannot fail. */
        if ( table_write(w, addr, level, pte) )
            ASSERT_UNREACHABLE();
        teardown_changed(vi, addr, level, false);
        if ( stale )
            viommu_count(vi, stale_replaced);
    }

    if ( g->level > 1 )
        table_mark(w, addr, g->level);
}

/* The shadow leaf for the page at addr, with a reference; 0: it is no RAM. */
static uint64_t make_leaf(struct viommu *vi, uint64_t addr,
                          const struct guest_leaf *g)
{
    bool read = g->read, write = g->write;
    mfn_t mfn;

    if ( !guest_get_frame(vi, leaf_gfn(g, addr), &read, &write, &mfn) )
    {
        viommu_count(vi, rej_frame);
        return 0;
    }

    if ( frame_hold(vi, mfn, 1) )
    {
        viommu_count(vi, rej_quota);
        guest_put_frame(mfn);
        return 0;
    }

    return make_pte(vi, mfn, read, write);
}

static void release(struct viommu *vi, uint64_t pte, unsigned int n)
{
    frame_drop(vi, shadow_pte_mfn(pte), n);
    while ( n-- )
        guest_put_frame(mfn_add(shadow_pte_mfn(pte), n));
}

static void sync_page(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                      const struct guest_leaf *g, uint64_t old)
{
    bool had = shadow_pte_present(old);
    bool read = g->read, write = g->write;
    uint64_t pte = 0;

    if ( had && g->present &&
         guest_frame_is(vi, leaf_gfn(g, addr), shadow_pte_mfn(old), &read,
                        &write) )
    {
        keep(vi, w, addr, 1, g, old,
             make_pte(vi, shadow_pte_mfn(old), read, write));
        return;
    }

    if ( g->present )
        pte = make_leaf(vi, addr, g);
    if ( !pte )
    {
        if ( !had )
            return;
        if ( !g->present )
        {
            unmap(vi, w, addr, 1, old);
            return;
        }
    }

    if ( table_write(w, addr, 1, pte) )
    {
        /* No table for it, so there was no leaf either. */
        viommu_count(vi, rej_quota);
        release(vi, pte, 1);
        return;
    }

    if ( pte )
    {
        if ( g->level > 1 )
            table_mark(w, addr, g->level);
        viommu_count(vi, leaves_mapped);
        teardown_changed(vi, addr, 1, !had);
    }
    if ( had )
    {
        if ( old & SHADOW_PTE_STALE )
            viommu_count(vi, stale_replaced);
        teardown_leaf(vi, w->s, addr, 1, old);
    }
}

/* ---- 2M, 1G. ---- */

/*
 * The shadow leaf of that level for addr, or 0 where it cannot be one; no
 * references.
 */
static uint64_t make_superpage(struct viommu *vi, uint64_t addr,
                               unsigned int level, const struct guest_leaf *g)
{
    bool read = g->read, write = g->write;
    mfn_t mfn;

    addr &= ~(VTD_LEVEL_SIZE(level) - 1);
    if ( level > vi->leaf_level || !g->present || g->level < level ||
         !guest_superpage(vi, leaf_gfn(g, addr), level, &read, &write, &mfn) )
        return 0;

    return make_pte(vi, mfn, read, write) | VTD_PTE_SP;
}

/* References to all frames of a 2M leaf, if they are those behind the gfns. */
static bool get_superpage(struct viommu *vi, gfn_t gfn, uint64_t pte)
{
    unsigned int n;

    for ( n = 0; n < VTD_LEVEL_PAGES(2); n++ )
    {
        bool read = pte & VTD_PTE_R, write = pte & VTD_PTE_W;
        mfn_t want = mfn_add(shadow_pte_mfn(pte), n), mfn;

        if ( !guest_get_frame(vi, gfn_add(gfn, n), &read, &write, &mfn) )
            break;
        if ( !mfn_eq(mfn, want) || read != !!(pte & VTD_PTE_R) ||
             write != !!(pte & VTD_PTE_W) )
        {
            guest_put_frame(mfn);
            break;
        }
    }

    if ( n == VTD_LEVEL_PAGES(2) )
    {
        if ( !frame_hold(vi, shadow_pte_mfn(pte), n) )
            return true;
        viommu_count(vi, rej_quota);
    }

    while ( n-- )
        guest_put_frame(mfn_add(shadow_pte_mfn(pte), n));

    return false;
}

/* Enters a 2M leaf into a hole; false: not possible, enter pages. */
static bool map_superpage(struct viommu *vi, struct shadow_walk *w,
                          uint64_t addr, const struct guest_leaf *g)
{
    uint64_t pte = make_superpage(vi, addr, 2, g);

    if ( !pte || !get_superpage(vi, leaf_gfn(g, addr), pte) )
        return false;

    if ( table_write(w, addr, 2, pte) )
    {
        viommu_count(vi, rej_quota);
        release(vi, pte, VTD_LEVEL_PAGES(2));
        return false;
    }

    table_mark(w, addr, g->level);
    viommu_count(vi, leaves_mapped);
    teardown_changed(vi, addr, 2, true);

    return true;
}

/*
 * Where the shadow has a superpage, all of which is to be compared. Returns
 * whether that is done; if not, it is smaller leaves or a hole now.
 */
static bool sync_superpage(struct viommu *vi, struct shadow_walk *w,
                           uint64_t addr, const struct guest_leaf *g,
                           const struct shadow_leaf *old,
                           struct viommu_budget *b)
{
    uint64_t pte = make_superpage(vi, addr, old->level, g);

    if ( pte && mfn_eq(shadow_pte_mfn(pte), shadow_pte_mfn(old->pte)) )
    {
        keep(vi, w, addr, old->level, g, old->pte, pte);
        return true;
    }

    /* Nothing of it remains, or its parts differ one by one. */
    budget_take(b, VTD_TABLE_ENTRIES - 1);
    if ( old->level == 2 && !g->present && g->level >= 2 )
    {
        unmap(vi, w, addr, 2, old->pte);
        return true;
    }

    /* One that lingers is not split, as the ring knows it as a whole. */
    if ( (old->pte & SHADOW_PTE_STALE) || table_split(w, addr) )
    {
        if ( old->pte & SHADOW_PTE_STALE )
            viommu_count(vi, stale_replaced);
        else
            viommu_count(vi, rej_quota);
        if ( table_write(w, addr, old->level, 0) )
            ASSERT_UNREACHABLE();
        else
            teardown_leaf(vi, w->s, addr, old->level, old->pte);
    }

    return false;
}

/*
 * After the last part of a superpage, of that level: one leaf for all, where it
 * would be one anew; and so on with what that is the last part of.
 */
static void try_merge(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                      unsigned int level, const struct guest_leaf *g)
{
    const uint64_t end = addr | (VTD_LEVEL_SIZE(level) - 1);

    while ( !(~end & (VTD_LEVEL_SIZE(++level) - 1)) )
    {
        uint64_t pte = make_superpage(vi, addr, level, g);

        if ( !pte || !table_merge(w, addr, level, pte) )
            break;
    }
}

unsigned int leaf_sync(struct viommu *vi, struct shadow_walk *w, uint64_t addr,
                       uint64_t last, const struct guest_leaf *g,
                       const struct shadow_leaf *old, struct viommu_budget *b)
{
    const uint64_t mask = VTD_LEVEL_SIZE(2) - 1;
    bool whole = !(addr & mask) && (addr | mask) <= last;
    unsigned int done = 0;

    /* Neither has anything here: go on where the smaller hole ends. */
    if ( !g->present && !old->pte )
        return min(g->level, old->level);

    if ( old->level >= 2 && old->pte )
    {
        if ( !sync_superpage(vi, w, addr, g, old, b) )
            return 0;
        done = old->level;
    }
    else if ( whole && old->level >= 2 && g->present && g->level >= 2 )
    {
        budget_take(b, VTD_LEVEL_PAGES(2) - 1);
        if ( map_superpage(vi, w, addr, g) )
            done = 2;
    }

    if ( !done )
    {
        sync_page(vi, w, addr, g, old->pte);
        done = 1;
    }
    try_merge(vi, w, addr, done, g);

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
