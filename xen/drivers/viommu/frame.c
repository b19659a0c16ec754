/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.c: which frames the shadows name, and how often.
 *
 * A frame is pinned by a reference for each leaf; here the leaves of a frame
 * are counted, so that pages_pinned is the number of different frames. The
 * counts are in a table of the kind that shadows are made of, at the address
 * of the frame: its memory is proportional to what is mapped, and in the quota.
 */
#include "private.h"

/* Of a frame's entry: how many leaves name it. Any entry in use is not 0. */
#define COUNT_ONE VTD_LEVEL_SIZE(1)

static uint64_t addr_of(mfn_t mfn)
{
    return (uint64_t)mfn_x(mfn) << VTD_PAGE_SHIFT;
}

/* What is in use at addr: a count, or 0. */
static uint64_t lookup(struct shadow_walk *w, uint64_t addr)
{
    struct shadow_leaf leaf;

    table_lookup(w, addr, &leaf);

    return leaf.level == 1 ? leaf.pte : 0;
}

static void drop(struct viommu *vi, struct shadow_walk *w, mfn_t mfn,
                 unsigned int n)
{
    for ( ; n--; mfn = mfn_add(mfn, 1) )
    {
        uint64_t count = lookup(w, addr_of(mfn));

        if ( count < COUNT_ONE ||
             table_write(w, addr_of(mfn), 1, count - COUNT_ONE) )
        {
            ASSERT_UNREACHABLE();
            continue;
        }
        if ( count == COUNT_ONE )
            vi->count[XEN_VIOMMU_CNT_pages_pinned]--;
    }
}

int frame_hold(struct viommu *vi, mfn_t mfn, unsigned int n)
{
    struct shadow_walk w;
    unsigned int i;
    int rc = 0;

    table_begin(&w, vi, vi->frames);
    for ( i = 0; i < n; i++ )
    {
        uint64_t addr = addr_of(mfn_add(mfn, i)), count = lookup(&w, addr);

        rc = table_write(&w, addr, 1, count + COUNT_ONE);
        if ( rc )
        {
            drop(vi, &w, mfn, i);
            break;
        }
        if ( !count )
            viommu_count(vi, pages_pinned);
    }
    table_end(&w);

    return rc;
}

void frame_drop(struct viommu *vi, mfn_t mfn, unsigned int n)
{
    struct shadow_walk w;

    table_begin(&w, vi, vi->frames);
    drop(vi, &w, mfn, n);
    table_end(&w);
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
