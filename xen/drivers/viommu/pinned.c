/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pinned.c: how many pages of the guest are pinned.
 *
 * There is a reference for each leaf that names a page; to say how many pages
 * that are, each frame is marked in a bitmap of those that were seen. It exists
 * only while somebody asks.
 */
#include "boundary.h"
#include "pinned.h"
#include "table.h"

/* Frames of one part of the bitmap, which is made when one of them is seen. */
#define PART_FRAMES (1U << 15)
#define PART_WORDS  (PART_FRAMES / (8 * sizeof(unsigned long)))

/* Holes that are passed for one work item. */
#define HOLES_PER_ITEM 64

struct viommu_pinned {
    uint64_t shadow;         /* id; those with a greater one are done */
    uint64_t cursor;         /* in that; at its end: it is done, too */
    unsigned long pages;     /* seen so far */
    unsigned long nr_parts;
    unsigned long **part;
};

void pinned_forget(struct viommu *vi)
{
    struct viommu_pinned *p = vi->pinned;
    unsigned long i;

    if ( !p )
        return;

    for ( i = 0; i < p->nr_parts; i++ )
        xfree(p->part[i]);
    xvfree(p->part);
    xfree(p);
    vi->pinned = NULL;
}

static int begin(struct viommu *vi)
{
    struct viommu_pinned *p = xzalloc(struct viommu_pinned);

    if ( !p )
        return -ENOMEM;

    p->shadow = ~0ULL;
    p->part = xvzalloc_array(unsigned long *,
                             guest_max_frame() / PART_FRAMES + 1);
    if ( !p->part )
    {
        xfree(p);
        return -ENOMEM;
    }
    p->nr_parts = guest_max_frame() / PART_FRAMES + 1;
    vi->pinned = p;

    return 0;
}

static int see(struct viommu_pinned *p, unsigned long frame)
{
    const unsigned int bits = 8 * sizeof(unsigned long);
    unsigned long **part = &p->part[frame / PART_FRAMES];
    unsigned long *word, bit = 1UL << (frame % bits);

    ASSERT(frame / PART_FRAMES < p->nr_parts);
    if ( !*part )
        *part = xzalloc_array(unsigned long, PART_WORDS);
    if ( !*part )
        return -ENOMEM;

    word = &(*part)[frame % PART_FRAMES / bits];
    p->pages += !(*word & bit);
    *word |= bit;

    return 0;
}

/* The newest of a list that is not done and newer than best, or that. */
static struct viommu_shadow *newest(const struct viommu_pinned *p,
                                    struct viommu_shadow *list,
                                    struct viommu_shadow *best)
{
    struct viommu_shadow *s;

    for ( s = list; s; s = s->next )
        if ( s->id < p->shadow && (!best || s->id > best->id) )
            best = s;

    return best;
}

/* All leaves of s, from p->cursor on. */
static int count_shadow(struct viommu *vi, struct viommu_shadow *s,
                        struct viommu_budget *b)
{
    struct viommu_pinned *p = vi->pinned;
    const uint64_t end = 1ULL << vi->width;

    while ( p->cursor < end )
    {
        struct shadow_leaf leaf;
        unsigned int n;
        int rc;

        if ( !b->left )
            return -ERESTART;
        budget_take(b, 1);

        table_lookup(vi, s, p->cursor, &leaf);
        if ( leaf.pte )
        {
            /* One after the other, so that a leaf of 1G is no big piece. */
            unsigned long in = (p->cursor & (VTD_LEVEL_SIZE(leaf.level) - 1)) >>
                               VTD_PAGE_SHIFT;

            rc = see(p, mfn_x(shadow_pte_mfn(leaf.pte)) + in);
            if ( rc )
                return rc;
            p->cursor += VTD_LEVEL_SIZE(1);
            continue;
        }

        n = table_holes(vi, s, p->cursor, leaf.level, VTD_TABLE_ENTRIES);
        budget_take(b, n / HOLES_PER_ITEM);
        p->cursor = (p->cursor & ~(VTD_LEVEL_SIZE(leaf.level) - 1)) +
                    n * VTD_LEVEL_SIZE(leaf.level);
    }

    return 0;
}

int pinned_count(struct viommu *vi, struct viommu_budget *b)
{
    struct viommu_shadow *s;
    int rc = 0;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->pinned )
        rc = begin(vi);

    while ( !rc )
    {
        s = table_find(vi, vi->pinned->shadow);
        if ( !s || vi->pinned->cursor >> vi->width )
        {
            s = newest(vi->pinned, vi->shadows,
                       newest(vi->pinned, vi->dying, NULL));
            if ( !s )
                break;
            vi->pinned->shadow = s->id;
            vi->pinned->cursor = 0;
        }
        rc = count_shadow(vi, s, b);
    }

    if ( rc == -ERESTART )
        return rc;

    if ( !rc )
        vi->count[XEN_VIOMMU_CNT_pages_pinned] = vi->pinned->pages;
    pinned_forget(vi);

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
