/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * teardown.c: what lingers.
 *
 * Optimistic teardown: a leaf that the guest unmapped may linger for window_us,
 * in the hope that the guest maps the same page there again; then nothing needs
 * to be written, flushed, or referenced. A note in the leaf says that it
 * lingers, and a ring says since when. A place in the ring is only a hint: the
 * leaf may be in use again, gone, or in a later place by the time that the
 * place is looked at, which the note tells. Whatever goes is gone as ever: with
 * a flush before its frames are given back (removed.c).
 *
 * A guest that maps another page where one lingers costs a flush at once. Many
 * guests do so again and again: they use the address first that was given back
 * last, for whatever comes next. So the more often that happens in a row, the
 * more of the newest leaves that linger are ended by that one flush.
 */
#include "boundary.h"
#include "removed.h"
#include "table.h"
#include "teardown.h"

/* Places that end with a flush that is for something else. */
#define JOIN_MOST 64U

static unsigned int note_seq(uint64_t pte)
{
    return MASK_EXTR(pte, SHADOW_PTE_SEQ);
}

bool teardown_linger(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                     unsigned int level)
{
    const unsigned int pages = VTD_LEVEL_PAGES(level);
    struct viommu_stale *place;

    /* Nothing begins while all that lingers is to end. */
    if ( !vi->stale.linger || ACCESS_ONCE(vi->stale.end) ||
         vi->stale.used == vi->stale.size ||
         vi->count[XEN_VIOMMU_CNT_leaves_stale] + pages > vi->set.quota )
        return false;

    place = &vi->stale.ring[(vi->stale.first + vi->stale.used++) %
                            vi->stale.size];
    place->shadow = s->id;
    place->addr = addr & ~(VTD_LEVEL_SIZE(level) - 1);
    place->level = level;
    place->since = guest_time_us();
    place->seq = MASK_EXTR(MASK_INSR((uint64_t)++vi->stale.seq,
                                     SHADOW_PTE_SEQ), SHADOW_PTE_SEQ);

    table_annotate(vi, s, addr, level, SHADOW_PTE_STALE |
                   MASK_INSR((uint64_t)place->seq, SHADOW_PTE_SEQ));
    viommu_count_n(vi, leaves_stale, pages);
    viommu_count(vi, leaves_lingered);

    if ( vi->stale.used == 1 )
        guest_set_timer(vi, VIOMMU_TIMER_STALE,
                        place->since + vi->set.window_us);

    return true;
}

/* Removes the leaf of a place, if it is still the one. */
static void end_place(struct viommu *vi, struct viommu_shadow *s,
                      const struct viommu_stale *place, uint64_t now)
{
    struct shadow_leaf leaf;

    table_lookup(vi, s, place->addr, &leaf);
    if ( leaf.level != place->level || !(leaf.pte & SHADOW_PTE_STALE) ||
         note_seq(leaf.pte) != place->seq )
        return;

    /* A leaf's table is there, so this cannot fail. */
    if ( table_write(vi, s, place->addr, leaf.level, 0) )
    {
        ASSERT_UNREACHABLE();
        return;
    }
    teardown_unlinger(vi, leaf.level, leaf.pte);
    removed_leaf(vi, s, place->addr, leaf.level, leaf.pte);
    vi->count[XEN_VIOMMU_CNT_max_stale_us] =
        max(vi->count[XEN_VIOMMU_CNT_max_stale_us],
            elapsed_us(place->since, now));
}

/*
 * Ends the oldest places, so many at the most, and only those that lingered
 * until a time. Returns how many. The caller flushes.
 */
static unsigned int end_oldest(struct viommu *vi, unsigned int most,
                               uint64_t until)
{
    struct viommu_shadow *s = NULL;
    uint64_t now = guest_time_us();
    unsigned int n;

    ASSERT(spin_is_locked(&vi->sync_lock));

    for ( n = 0; n < most && vi->stale.used; n++ )
    {
        const struct viommu_stale *place = &vi->stale.ring[vi->stale.first];

        if ( place->since > until )
            break;

        if ( !s || s->id != place->shadow )
            s = table_find(vi, place->shadow);
        if ( s )
            end_place(vi, s, place, now);

        if ( ++vi->stale.first == vi->stale.size )
            vi->stale.first = 0;
        vi->stale.used--;
    }

    return n;
}

void teardown_evict(struct viommu *vi, struct viommu_budget *b)
{
    const uint64_t stale = vi->count[XEN_VIOMMU_CNT_leaves_stale];
    unsigned int n;

    /* Many at once, since they share a flush. */
    n = end_oldest(vi, min(vi->stale.size / 4 + 1, VIOMMU_NR_REMOVED + 0U),
                   ~0ULL);
    budget_take(b, n);
    viommu_count_n(vi, stale_evicted,
                   stale - vi->count[XEN_VIOMMU_CNT_leaves_stale]);
}

unsigned int teardown_join(struct viommu *vi, struct viommu_shadow *s)
{
    const uint64_t revived = vi->count[XEN_VIOMMU_CNT_leaves_revived];
    const uint64_t replaced = vi->count[XEN_VIOMMU_CNT_stale_replaced];
    const uint64_t stale = vi->count[XEN_VIOMMU_CNT_leaves_stale];
    uint64_t now;
    unsigned int n;

    if ( replaced == vi->stale.replaced )
        return 0;

    vi->stale.joining = revived == vi->stale.revived
                        ? min(2 * vi->stale.joining + 2, JOIN_MOST) : 0;
    vi->stale.revived = revived;
    vi->stale.replaced = replaced;

    now = guest_time_us();
    for ( n = 0; n < vi->stale.joining && vi->stale.used; n++ )
    {
        const struct viommu_stale *place =
            &vi->stale.ring[(vi->stale.first + vi->stale.used - 1) %
                            vi->stale.size];

        /* The frames of a superpage are too many. */
        if ( place->shadow != s->id || place->level > 1 )
            break;
        end_place(vi, s, place, now);
        vi->stale.used--;
    }
    viommu_count_n(vi, stale_joined,
                   stale - vi->count[XEN_VIOMMU_CNT_leaves_stale]);

    return n;
}

void teardown_expire(struct viommu *vi)
{
    uint64_t now = guest_time_us(), next;

    if ( !vi->stale.used )
        return;

    if ( now >= vi->set.window_us )
    {
        end_oldest(vi, VIOMMU_NR_REMOVED, now - vi->set.window_us);
        removed_flush(vi);
    }
    if ( !vi->stale.used )
        return;

    /* What is due and did not fit goes at once, but not in one piece. */
    next = vi->stale.ring[vi->stale.first].since + vi->set.window_us;
    guest_set_timer(vi, VIOMMU_TIMER_STALE, max(next, now + 1));
}

int teardown_end(struct viommu *vi, struct viommu_budget *b)
{
    while ( ACCESS_ONCE(vi->stale.end) )
    {
        if ( !vi->stale.used )
        {
            ACCESS_ONCE(vi->stale.end) = false;
            break;
        }
        if ( !b->left )
            return -ERESTART;
        budget_take(b, end_oldest(vi, min(b->left, VIOMMU_NR_REMOVED + 0U),
                                  ~0ULL));
        removed_flush(vi);
    }

    return 0;
}

int teardown_resize(struct viommu *vi, unsigned int quota)
{
    struct viommu_stale *ring = NULL;

    ASSERT(!vi->stale.used);

    if ( quota == vi->stale.size )
        return 0;

    if ( quota )
    {
        ring = xvzalloc_array(struct viommu_stale, quota);
        if ( !ring )
            return -ENOMEM;
    }
    xvfree(vi->stale.ring);
    vi->stale.ring = ring;
    vi->stale.size = quota;
    vi->stale.first = 0;

    return 0;
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
