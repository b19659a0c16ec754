/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sync.c: invalidations turn differences between the guest's tables and the
 * shadows into changes of the shadows, and of what devices are attached to.
 */
#include "agreed.h"
#include "boundary.h"
#include "frame.h"
#include "leaf.h"
#include "removed.h"
#include "sync.h"
#include "table.h"
#include "teardown.h"
#include "walk.h"

/* Holes that are passed for one work item. */
#define HOLES_PER_ITEM 64

/* Whether a block of that level starts at addr and ends by last. */
static bool block_within(uint64_t addr, unsigned int level, uint64_t last)
{
    const uint64_t mask = VTD_LEVEL_SIZE(level) - 1;

    return !(addr & mask) && (addr | mask) <= last;
}

/* The first address behind n entries of that level from that of addr on. */
static uint64_t behind(uint64_t addr, unsigned int level, unsigned int n)
{
    return (addr & ~(VTD_LEVEL_SIZE(level) - 1)) + n * VTD_LEVEL_SIZE(level);
}

/*
 * The first address behind addr, where both have a hole, at which one of both
 * may have none.
 */
static uint64_t skip_holes(struct viommu *vi, struct viommu_shadow *s,
                           uint64_t addr, const struct guest_leaf *g,
                           const struct shadow_leaf *old,
                           struct viommu_budget *b)
{
    const unsigned int level = min(g->level, old->level);
    const unsigned int index = VTD_LEVEL_INDEX(addr, level);
    unsigned int n = VTD_TABLE_ENTRIES - index;

    if ( g->table && g->level == level )
        n = min(n, walk_holes(g, addr));
    if ( old->level == level )
        n = table_holes(vi, s, addr, level, n);
    budget_take(b, n / HOLES_PER_ITEM);

    /* The guest may have changed it again: get on in any case. */
    return behind(addr, level, max(n, 1U));
}

/* How many leaves, at most n, are what they should be by all that is known. */
static unsigned int same_pages(const struct viommu *vi, const uint64_t *guest,
                               uint64_t above, const uint64_t *shadow,
                               unsigned int n)
{
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        const uint64_t entry = ACCESS_ONCE(guest[i]), old = shadow[i];
        const uint64_t rights = walk_rights(vi, entry, above);

        if ( !rights || !old ||
             shadow_pte_leaf(vi, frame_known(vi, walk_gfn(entry)),
                             rights) != old )
            break;
    }

    return i;
}

/*
 * Goes on with pages, from the one at *cursor that both were just looked up
 * for, to the end of the leaf table that both have.
 */
static void sync_pages(struct viommu *vi, struct viommu_shadow *s,
                       uint64_t *cursor, uint64_t last, struct guest_leaf *g,
                       struct shadow_leaf *old, struct viommu_budget *b)
{
    const uint64_t stop = min(min(last + 1, behind(*cursor, 2, 1)),
                              behind(*cursor, 1, max(b->left, 1U)));
    uint64_t addr = *cursor;

    do {
        const uint64_t *entry = &g->table[VTD_LEVEL_INDEX(addr, 1)];

        addr += (uint64_t)same_pages(vi, entry, g->above, table_near(vi, addr),
                                     (stop - addr) >> VTD_PAGE_SHIFT)
                << VTD_PAGE_SHIFT;
        if ( addr >= stop )
            break;

        walk_entry(vi, ACCESS_ONCE(g->table[VTD_LEVEL_INDEX(addr, 1)]), g);
        old->pte = *table_near(vi, addr);
        /* Holes are passed by other means. But get on in any case. */
        if ( !g->rights && !old->pte && addr != *cursor )
            break;
        leaf_sync_page(vi, s, addr, g, old->pte);

        addr += VTD_LEVEL_SIZE(1);
        if ( addr >= stop )
            break;
        /* Something changed: the table may be another one. */
        table_lookup(vi, s, addr, old);
    } while ( old->level == 1 );

    budget_take(b, (addr - *cursor) >> VTD_PAGE_SHIFT);
    *cursor = addr;
}

/*
 * Compares leaves from *cursor to last, and makes the shadow agree.
 *   0          done
 *   -ERESTART  the budget is used up, *cursor says where
 */
static int sync_range(struct viommu *vi, struct viommu_shadow *s,
                      uint64_t *cursor, uint64_t last,
                      struct viommu_budget *b)
{
    while ( b->left )
    {
        struct guest_leaf g;
        struct shadow_leaf old;
        unsigned int level;

        budget_take(b, 1);
        walk_leaf(vi, &s->of, *cursor, true, &g);
        if ( g.rights && g.level > 1 && block_within(*cursor, g.level, last) &&
             agreed_begin(vi, s, *cursor, &g) )
        {
            *cursor = behind(*cursor, g.level, 1);
            if ( *cursor > last )
                return 0;
            continue;
        }

        for ( level = 3; level > 1; level-- )
            if ( s->marked && block_within(*cursor, level, last) )
                table_unmark(vi, s, *cursor, level);

        table_lookup(vi, s, *cursor, &old);
        if ( !g.rights && !old.pte )
            *cursor = skip_holes(vi, s, *cursor, &g, &old, b);
        else if ( g.level == 1 && old.level == 1 && g.table )
            sync_pages(vi, s, cursor, last, &g, &old, b);
        else
        {
            level = leaf_sync(vi, s, *cursor, last, &g, &old, b);
            if ( !level )
                continue;
            *cursor = behind(*cursor, level, 1);
        }
        agreed_part(vi, s, &g, *cursor);
        if ( *cursor > last )
            return 0;
    }

    return -ERESTART;
}

/* The last address of every shadow's table. */
static uint64_t last_addr(const struct viommu *vi)
{
    return (1ULL << vi->width) - 1;
}

/* All of a shadow, from *cursor on. As sync_range(). */
static int sync_all(struct viommu *vi, struct viommu_shadow *s,
                    uint64_t *cursor, struct viommu_budget *b)
{
    vi->stale.linger = false;

    return sync_range(vi, s, cursor, last_addr(vi), b);
}

/*
 * What an invalidation covers in a shadow, into cursor and last: not 0. A page
 * that is or was part of a superpage stands for all of that. False: nothing, or
 * it is done: a page that was and is none of those.
 */
static bool enter_shadow(struct viommu *vi, struct viommu_command *cmd)
{
    struct viommu_shadow *s = cmd->shadow;
    uint64_t size = VTD_LEVEL_SIZE(1) << cmd->am, whole = size;
    struct guest_leaf g;

    cmd->cursor = 0;
    cmd->last = last_addr(vi);
    if ( cmd->granu != VTD_GRANU_SELECTIVE )
        return true;

    if ( cmd->addr > cmd->last )
        return false;

    walk_leaf(vi, &s->of, cmd->addr & ~(size - 1), true, &g);
    if ( !cmd->am && !s->marked && (!g.rights || g.level == 1) )
    {
        struct shadow_leaf old;

        table_lookup(vi, s, cmd->addr, &old);
        if ( g.rights || old.pte )
            leaf_sync_page(vi, s, cmd->addr, &g, old.pte);
        return false;
    }

    if ( g.rights )
        whole = max(whole, VTD_LEVEL_SIZE(g.level));
    whole = max(whole, VTD_LEVEL_SIZE(table_origin(vi, s, cmd->addr)));

    cmd->cursor = cmd->addr & ~(whole - 1);
    cmd->last = cmd->cursor + whole - 1;

    return true;
}

/* What an invalidation means for one shadow, or the next piece of that. */
static int sync_shadow(struct viommu *vi, struct viommu_command *cmd,
                       struct viommu_budget *b)
{
    int rc = 0;

    if ( cmd->granu != VTD_GRANU_GLOBAL && cmd->did != cmd->shadow->of.did )
        return 0;

    /* Only what is unmapped page by page may come back the same way. */
    vi->stale.linger = cmd->granu == VTD_GRANU_SELECTIVE &&
                       vi->set.teardown == XEN_VIOMMU_TEARDOWN_optimistic;
    if ( vi->stale.linger )
        teardown_make_room(vi, b);

    if ( !cmd->last )
        viommu_count(vi, syncs);
    if ( cmd->last || enter_shadow(vi, cmd) )
        rc = sync_range(vi, cmd->shadow, &cmd->cursor, cmd->last, b);
    /* Once, in however many pieces. */
    if ( !rc &&
         vi->count[XEN_VIOMMU_CNT_stale_replaced] != vi->stale.replaced )
        budget_take(b, teardown_join(vi, cmd->shadow));

    return rc;
}

int sync_iotlb(struct viommu *vi, struct viommu_command *cmd,
               struct viommu_budget *b)
{
    if ( !cmd->entered )
    {
        cmd->shadow = vi->shadows;
        cmd->entered = true;
    }

    for ( ; cmd->shadow; cmd->shadow = cmd->shadow->next, cmd->last = 0 )
    {
        int rc;

        /* Once a shadow, so that each piece gets on, however small it is. */
        if ( !cmd->last )
        {
            if ( !b->left )
                return -ERESTART;
            budget_take(b, 1);
        }

        rc = sync_shadow(vi, cmd, b);
        if ( rc )
            return rc;
    }

    return 0;
}

static bool target_equal(const struct viommu_target *a,
                         const struct viommu_target *b)
{
    return a->kind == b->kind &&
           (a->kind != VIOMMU_SHADOW ||
            (a->table == b->table && a->levels == b->levels &&
             a->did == b->did));
}

/* Drops a reference; a shadow without any is left to sync_reap(). */
static void put_shadow(struct viommu *vi, struct viommu_shadow *s)
{
    struct viommu_shadow **p;

    if ( !s || s == vi->blocked || --s->refs )
        return;

    if ( vi->cmd.op == VIOMMU_CMD_IOTLB && vi->cmd.shadow == s )
    {
        vi->cmd.shadow = s->next;
        vi->cmd.last = 0;
    }

    for ( p = &vi->shadows; *p != s; p = &(*p)->next )
        ;
    *p = s->next;

    s->of.kind = VIOMMU_BLOCKED;
    s->next = vi->dying;
    vi->dying = s;
}

void sync_abandon(struct viommu *vi, struct viommu_command *cmd)
{
    if ( cmd->op != VIOMMU_CMD_CONTEXT )
        return;

    cmd->have_target = false;
    put_shadow(vi, cmd->shadow);
    cmd->shadow = NULL;
}

/* The shadow of a target, with a reference; NULL: no memory for it. */
static struct viommu_shadow *get_shadow(struct viommu *vi,
                                        const struct viommu_target *target)
{
    struct viommu_shadow *s;

    for ( s = vi->shadows; s; s = s->next )
        if ( target_equal(&s->of, target) )
            break;

    if ( !s )
    {
        s = table_create(vi);
        if ( !s )
        {
            viommu_count(vi, rej_quota);
            return NULL;
        }
        s->of = *target;
        s->next = vi->shadows;
        vi->shadows = s;
    }
    s->refs++;

    return s;
}

/* Attaches a device to s (NULL: identity), which becomes its table. */
static void attach(struct viommu *vi, struct viommu_device *dev,
                   struct viommu_shadow *s, const struct viommu_target *target)
{
    struct viommu_shadow *old = dev->shadow;

    ASSERT(vi->pcidevs_held);

    /* The old one may be gone after this. */
    removed_flush(vi);

    viommu_count(vi, contexts_switched);
    /* Before the command that asked for it completes. */
    ACCESS_ONCE(vi->stale.end) = true;
    dev->at = *target;
    if ( hw_attach(vi, dev, s) )
    {
        viommu_count(vi, rej_hardware);
        dev->at.kind = VIOMMU_BLOCKED;
        s = NULL;
    }
    dev->shadow = s;
    if ( s && s != vi->blocked )
        s->refs++;
    put_shadow(vi, old);
}

/* Brings a device to cmd->target. cmd->shadow is held while that takes. */
static int switch_device(struct viommu *vi, struct viommu_device *dev,
                         struct viommu_command *cmd, struct viommu_budget *b)
{
    struct viommu_shadow *s = NULL;
    int rc;

    if ( target_equal(&dev->at, &cmd->target) )
    {
        dev->at.did = cmd->target.did;
        return 0;
    }

    if ( cmd->target.kind == VIOMMU_SHADOW )
    {
        if ( !cmd->shadow )
        {
            cmd->shadow = get_shadow(vi, &cmd->target);
            cmd->cursor = 0;
        }
        if ( !cmd->shadow )
            cmd->target.kind = VIOMMU_BLOCKED;
        else if ( !cmd->shadow->built )
        {
            rc = sync_all(vi, cmd->shadow, &cmd->cursor, b);
            if ( rc )
                return rc;
            cmd->shadow->built = true;
        }
        s = cmd->shadow;
    }

    if ( cmd->target.kind == VIOMMU_BLOCKED )
    {
        s = vi->blocked;
        if ( dev->at.kind == VIOMMU_BLOCKED )
            return 0;
    }

    if ( !vi->pcidevs_held )
        return -EAGAIN;

    attach(vi, dev, s, &cmd->target);

    return 0;
}

/* Whether a context-cache invalidation concerns a device (6.5.1.1). */
static bool covers(const struct viommu_command *cmd,
                   const struct viommu_device *dev)
{
    /* 11.4.6.1 FM: bits of the function number that do not count. */
    static const uint16_t masked[] = { 0, 4, 6, 7 };

    if ( cmd->from == VIOMMU_FROM_BIND )
        return dev->fresh;

    switch ( cmd->granu )
    {
    case VTD_GRANU_DOMAIN:
        return dev->at.kind == VIOMMU_BLOCKED || dev->at.did == cmd->did;

    case VTD_GRANU_SELECTIVE:
        return !((dev->devfn ^ cmd->sid) & ~masked[cmd->fm]);

    case VTD_GRANU_GLOBAL:
    default:
        return true;
    }
}

int sync_contexts(struct viommu *vi, struct viommu_command *cmd,
                  struct viommu_budget *b)
{
    for ( ; cmd->device < VIOMMU_NR_DEVICES; cmd->device++ )
    {
        struct viommu_device *dev = vi->devices[cmd->device];
        int rc;

        if ( !dev || (!cmd->have_target && !covers(cmd, dev)) )
            continue;

        if ( !cmd->have_target )
        {
            const struct viommu_target untranslated = {
                .kind = vi->overcommit ? VIOMMU_BLOCKED : VIOMMU_IDENTITY,
            };

            if ( !b->left )
                return -ERESTART;
            budget_take(b, 1);
            cmd->target = untranslated;
            if ( vi->translation )
                (void)walk_context(vi, dev->devfn, true, &cmd->target, NULL);
            cmd->have_target = true;
        }

        rc = switch_device(vi, dev, cmd, b);
        if ( rc )
            return rc;

        dev->fresh = false;
        sync_abandon(vi, cmd);
    }

    return 0;
}

void sync_release_device(struct viommu *vi, struct viommu_device *dev)
{
    const struct viommu_target identity = { .kind = VIOMMU_IDENTITY };
    struct viommu_command *cmd = &vi->cmd;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( cmd->op == VIOMMU_CMD_CONTEXT && cmd->device < VIOMMU_NR_DEVICES &&
         vi->devices[cmd->device] == dev )
        sync_abandon(vi, cmd);

    if ( dev->at.kind != VIOMMU_IDENTITY )
        attach(vi, dev, NULL, &identity);
}

int sync_reap(struct viommu *vi, struct viommu_budget *b)
{
    struct viommu_shadow *s;
    int rc;

    while ( (s = vi->dying) != NULL )
    {
        /* It mirrors nothing now, so that everything in it is removed. */
        rc = sync_all(vi, s, &s->reaped, b);
        if ( rc )
            return rc;

        (void)table_trim(vi);
        removed_flush(vi);
        vi->dying = s->next;
        table_destroy(vi, s);
    }

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
