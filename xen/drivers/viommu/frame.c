/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.c: the guest's memory, and what is remembered of it.
 *
 * To ask the p2m is what a command would cost most. So what it said of a gfn is
 * remembered, and what the guest's tables, its queue and its status words are
 * in stays mapped, with a reference. Both hold for as long as nothing in the
 * p2m has changed, which vi->generation tells; it is read before the p2m is
 * asked, so a change in between makes the answer void, not the other way round.
 *
 * Safety does not rest on it. Whoever enters a frame into a shadow takes a
 * reference first, which is refused for a frame that is not the guest's; and a
 * mapped page has one, so it is nobody else's while it is read or written.
 *
 * Only where a page is is remembered, never what is in it.
 */
#include "boundary.h"
#include "frame.h"

static void begin_epoch(struct viommu *vi, uint64_t generation)
{
    unsigned int i, j;

    vi->frames.generation = generation;
    vi->frames.epoch += MASK_INSR(1ULL, VIOMMU_TAG_EPOCH);
    if ( vi->frames.epoch & VIOMMU_TAG_EPOCH )
        return;

    /*
     * Epochs begin anew: nothing may have one that will come again. Somebody
     * may be reading a page just now, so these stay mapped.
     */
    for ( i = 0; i < VIOMMU_PAGE_SETS; i++ )
        for ( j = 0; j < VIOMMU_PAGE_WAYS; j++ )
            vi->frames.page[i][j].tag &= VIOMMU_TAG_GFN;
    memset(vi->frames.sets, 0, VIOMMU_FRAME_SETS * VIOMMU_FRAME_WAYS *
                               sizeof(*vi->frames.sets));
    vi->frames.epoch = MASK_INSR(1ULL, VIOMMU_TAG_EPOCH);
}

/*
 * The tag of a gfn. The answers of another generation are void, so no tag that
 * was read before this is to be compared with it.
 */
static uint64_t tag_of(struct viommu *vi, gfn_t gfn)
{
    uint64_t now = ACCESS_ONCE(vi->generation);

    if ( unlikely(now != vi->frames.generation) )
        begin_epoch(vi, now);

    return frame_tag(vi, gfn);
}

int frame_init(struct viommu *vi)
{
    vi->frames.way.region = ~0ULL;
    vi->frames.epoch = MASK_INSR(1ULL, VIOMMU_TAG_EPOCH);
    vi->frames.sets = xvzalloc_array(struct viommu_frame,
                                     VIOMMU_FRAME_SETS * VIOMMU_FRAME_WAYS);

    return vi->frames.sets ? 0 : -ENOMEM;
}

void frame_fini(struct viommu *vi)
{
    frame_unmap_pages(vi);
    xvfree(vi->frames.sets);
    vi->frames.sets = NULL;
}

static mfn_t mfn_of(uint64_t found)
{
    return _mfn((found & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
}

/* Where what is known of a gfn is. */
static struct viommu_frame *set_of(struct viommu *vi, gfn_t gfn)
{
    return &vi->frames.sets[(gfn_x(gfn) % VIOMMU_FRAME_SETS) *
                            VIOMMU_FRAME_WAYS];
}

/* Asks the p2m, and remembers what it says. */
static uint64_t ask(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                    bool hold, unsigned int *level)
{
    struct viommu_frame *set = set_of(vi, gfn);
    const uint64_t tag = tag_of(vi, gfn);
    struct guest_lookup found;

    *level = 1;
    if ( gfn_x(gfn) & ~VIOMMU_TAG_GFN )
        return 0;

    guest_lookup(vi, gfn, write, populate, hold, &found);
    if ( !found.read && !found.write )
    {
        *level = found.level;
        return 0;
    }

    /* The latest comes first, unless it is there already. */
    if ( (set[0].tag & VIOMMU_TAG_GFN) != gfn_x(gfn) )
        set[1] = set[0];
    set[0].tag = tag;
    set[0].value = (mfn_x(found.mfn) << VTD_PAGE_SHIFT) |
                   (found.read ? VTD_PTE_R : 0) |
                   (found.write ? VTD_PTE_W : 0);

    return set[0].value;
}

uint64_t frame_ask(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                   unsigned int *level)
{
    return ask(vi, gfn, write, populate, false, level);
}

uint64_t frame_take(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                    unsigned int *level)
{
    const uint64_t known = frame_known(vi, gfn);

    *level = 1;
    if ( (known & (write ? VTD_PTE_W : VTD_PTE_R)) &&
         guest_get_frame(vi, mfn_of(known)) )
    {
        if ( likely(ACCESS_ONCE(vi->generation) == vi->frames.generation) )
            return known;
        /* Without the reference, it could be anything of the guest's. */
        guest_put_frame(mfn_of(known));
    }

    return ask(vi, gfn, write, populate, true, level);
}

/* ---- Pages that stay mapped. ---- */

static void unmap(struct viommu *vi, struct viommu_page *page)
{
    if ( !page->va )
        return;

    guest_unmap(page->va, page->mfn);
    page->va = NULL;
    page->tag = 0;
    vi->frames.pages--;
    /* These may lead there. */
    vi->frames.way.region = ~0ULL;
    memset(vi->frames.last, 0, sizeof(vi->frames.last));
    vi->frames.unmapped++;
}

void frame_unmap_pages(struct viommu *vi)
{
    unsigned int i, j;

    for ( i = 0; vi->frames.pages && i < VIOMMU_PAGE_SETS; i++ )
        for ( j = 0; j < VIOMMU_PAGE_WAYS; j++ )
            unmap(vi, &vi->frames.page[i][j]);
}

/* The place for a page: the one it had, a free one, or anybody's. */
static struct viommu_page *place_for(struct viommu *vi,
                                     struct viommu_page *set, gfn_t gfn)
{
    struct viommu_page *place = NULL;
    unsigned int i;

    for ( i = 0; i < VIOMMU_PAGE_WAYS; i++ )
    {
        if ( set[i].va && (set[i].tag & VIOMMU_TAG_GFN) == gfn_x(gfn) )
            return &set[i];
        if ( !set[i].va )
            place = &set[i];
    }

    return place ?: &set[vi->frames.victim++ % VIOMMU_PAGE_WAYS];
}

/* The page of gfn, mapped anew; NULL: as frame_page(). */
static struct viommu_page *map_page(struct viommu *vi, struct viommu_page *set,
                                    gfn_t gfn, bool write, bool populate)
{
    const uint64_t right = write ? VTD_PTE_W : VTD_PTE_R;
    unsigned int level;
    uint64_t found = frame_find(vi, gfn, write, populate, &level);
    struct viommu_page *page;

    if ( !(found & right) )
        return NULL;

    page = place_for(vi, set, gfn);
    if ( !page->va || !mfn_eq(page->mfn, mfn_of(found)) )
    {
        found = frame_take(vi, gfn, write, populate, &level);
        if ( !found )
            return NULL;
        unmap(vi, page);
        page->mfn = mfn_of(found);
        page->va = found & right ? guest_map(vi, page->mfn) : NULL;
        guest_put_frame(page->mfn);
        if ( !page->va )
            return NULL;
        vi->frames.pages++;
    }
    page->tag = gfn_x(gfn) | vi->frames.epoch;
    page->writable = found & VTD_PTE_W;

    return page;
}

static struct viommu_page *find_page(struct viommu *vi, gfn_t gfn, bool write,
                                     bool populate)
{
    struct viommu_page *set;
    unsigned int i;
    uint64_t tag;

    tag = tag_of(vi, gfn);
    set = vi->frames.page[(gfn_x(gfn) ^ (gfn_x(gfn) / VIOMMU_PAGE_SETS)) %
                          VIOMMU_PAGE_SETS];
    for ( i = 0; i < VIOMMU_PAGE_WAYS; i++ )
        if ( set[i].tag == tag && (!write || set[i].writable) )
            return &set[i];

    return map_page(vi, set, gfn, write, populate);
}

/* The page of addr, which is the last one for that use from now on. */
static void *use_page(struct viommu *vi, paddr_t addr, enum viommu_use use,
                      bool write, bool populate)
{
    const struct viommu_page *page =
        find_page(vi, _gfn(addr >> VTD_PAGE_SHIFT), write, populate);
    struct viommu_last *last = &vi->frames.last[use];

    last->addr = addr & ~(VTD_LEVEL_SIZE(1) - 1);
    /* That of its tag. */
    last->generation = vi->frames.generation;
    last->va = page ? page->va : NULL;

    return last->va;
}

const void *frame_map(struct viommu *vi, paddr_t addr, enum viommu_use use,
                      bool populate)
{
    return use_page(vi, addr, use, false, populate);
}

bool frame_map_write32(struct viommu *vi, paddr_t addr, uint32_t value)
{
    void *page = use_page(vi, addr, VIOMMU_USE_STATUS, true, true);

    if ( !page )
        return false;
    frame_put32(vi, page, addr, value);

    return true;
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
