/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agreed.c: superpages of the guest that need not be looked at again.
 *
 * One whose memory is mapped in smaller pieces, or is no RAM, takes as many
 * looks as it has pages; a guest that maps the memory of a device has such. So
 * one that was compared from end to end is remembered. Each page of it agrees
 * for as long as the guest's leaf is the same, nothing in the p2m has changed,
 * and no leaf has come or gone there.
 */
#include "agreed.h"

static struct viommu_agreed *place(struct viommu *vi, uint64_t addr,
                                   unsigned int level)
{
    return &vi->agreed[(addr >> VTD_LEVEL_SHIFT(level)) % VIOMMU_NR_AGREED];
}

/* What the guest's leaf says, in a word. */
static uint64_t leaf_of(const struct guest_leaf *g)
{
    return g->rights ? (gfn_x(g->gfn) << VTD_PAGE_SHIFT) | g->rights : 0;
}

bool agreed_begin(struct viommu *vi, const struct viommu_shadow *s,
                  uint64_t addr, const struct guest_leaf *g)
{
    const struct viommu_agreed now = {
        .shadow = s->id, .addr = addr, .level = g->level,
        .leaf = leaf_of(g),
        .generation = ACCESS_ONCE(vi->generation),
    };
    const struct viommu_agreed *was = place(vi, addr, g->level);

    vi->agreeing = now;
    vi->agreeing_refused = vi->count[XEN_VIOMMU_CNT_rej_quota];

    return was->shadow == now.shadow && was->addr == now.addr &&
           was->level == now.level && was->leaf == now.leaf &&
           was->generation == now.generation;
}

void agreed_part(struct viommu *vi, struct viommu_shadow *s,
                 const struct guest_leaf *g, uint64_t cursor)
{
    struct viommu_agreed *a = &vi->agreeing;

    /* The guest may have had something else there for a while. */
    if ( a->shadow != s->id || a->level != g->level || a->leaf != leaf_of(g) )
        a->shadow = 0;
    if ( !a->shadow || cursor != a->addr + VTD_LEVEL_SIZE(a->level) )
        return;

    /* Not if it has changed meanwhile, or something was refused. */
    if ( a->generation == ACCESS_ONCE(vi->generation) &&
         vi->agreeing_refused == vi->count[XEN_VIOMMU_CNT_rej_quota] )
    {
        *place(vi, a->addr, a->level) = *a;
        s->marked = true;
    }
    a->shadow = 0;
}

void agreed_void(struct viommu *vi, const struct viommu_shadow *s,
                 uint64_t addr)
{
    unsigned int level;

    /* Without superpages there is none. */
    if ( !s->marked )
        return;

    for ( level = 2; level <= 3; level++ )
    {
        struct viommu_agreed *a = place(vi, addr, level);

        if ( a->shadow == s->id && a->level == level &&
             a->addr == (addr & ~(VTD_LEVEL_SIZE(level) - 1)) )
            a->shadow = 0;
    }
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
