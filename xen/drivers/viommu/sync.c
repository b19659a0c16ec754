/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sync.c: invalidations turn differences between the guest's tables and the
 * shadows into changes of the shadows, and of what devices are attached to.
 */
#include "private.h"

/* Whether a block of that level starts at addr and ends by last. */
static bool block_within(uint64_t addr, unsigned int level, uint64_t last)
{
    const uint64_t mask = VTD_LEVEL_SIZE(level) - 1;

    return !(addr & mask) && (addr | mask) <= last;
}

/* A guest's table and its shadow, side by side, for one piece of work. */
struct pair {
    struct guest_walk guest;
    struct shadow_walk shadow;
};

static void pair_begin(struct pair *p, struct viommu *vi,
                       struct viommu_shadow *s, bool linger)
{
    walk_begin(&p->guest, vi, &s->of);
    table_begin(&p->shadow, vi, s);
    p->shadow.linger = linger;
}

/* What was removed is flushed, whether or not there is more to do. */
static void pair_end(struct pair *p)
{
    table_end(&p->shadow);
    walk_end(&p->guest);
    teardown_flush(p->shadow.vi, p->shadow.s);
}

/*
 * Compares leaves from *cursor to last, and makes the shadow agree.
 *   0          done
 *   -ERESTART  the budget is used up, *cursor says where
 */
static int pair_sync(struct pair *p, uint64_t *cursor, uint64_t last,
                     struct viommu_budget *b)
{
    struct viommu *vi = p->shadow.vi;

    while ( b->left )
    {
        struct guest_leaf g;
        struct shadow_leaf old;
        unsigned int level;

        budget_take(b, 1);
        for ( level = 3; level > 1; level-- )
            if ( block_within(*cursor, level, last) )
                table_unmark(&p->shadow, *cursor, level);

        walk_leaf(&p->guest, *cursor, &g);
        table_lookup(&p->shadow, *cursor, &old);
        level = leaf_sync(vi, &p->shadow, *cursor, last, &g, &old, b);
        if ( !level )
            continue;

        *cursor = (*cursor | (VTD_LEVEL_SIZE(level) - 1)) + 1;
        if ( *cursor > last )
            return 0;
    }

    return -ERESTART;
}

/* The last address of every shadow's table. */
#define LAST_ADDR ((1ULL << VTD_LEVEL_WIDTH(VIOMMU_SHADOW_LEVELS)) - 1)

/* All of a shadow, from *cursor on. As pair_sync(). */
static int sync_all(struct viommu *vi, struct viommu_shadow *s,
                    uint64_t *cursor, struct viommu_budget *b)
{
    struct pair p;
    int rc;

    pair_begin(&p, vi, s, false);
    rc = pair_sync(&p, cursor, LAST_ADDR, b);
    pair_end(&p);

    return rc;
}

/*
 * What an invalidation covers in a shadow, into cursor and last: not 0. A page
 * that is or was part of a superpage stands for all of that. False: nothing.
 */
static bool enter_shadow(struct pair *p, struct viommu_command *cmd)
{
    uint64_t size = VTD_LEVEL_SIZE(1) << cmd->am, whole = size;
    struct guest_leaf g;

    cmd->cursor = 0;
    cmd->last = LAST_ADDR;
    if ( cmd->granu != VTD_GRANU_SELECTIVE )
        return true;

    if ( cmd->addr > cmd->last )
        return false;

    walk_leaf(&p->guest, cmd->addr & ~(size - 1), &g);
    if ( g.present )
        whole = max(whole, VTD_LEVEL_SIZE(g.level));
    whole = max(whole, VTD_LEVEL_SIZE(table_origin(&p->shadow, cmd->addr)));

    cmd->cursor = cmd->addr & ~(whole - 1);
    cmd->last = cmd->cursor + whole - 1;

    return true;
}

/* What an invalidation means for one shadow, or the next piece of that. */
static int sync_shadow(struct viommu *vi, struct viommu_command *cmd,
                       struct viommu_budget *b)
{
    struct pair p;
    bool linger;
    int rc = 0;

    if ( cmd->granu != VTD_GRANU_GLOBAL && cmd->did != cmd->shadow->of.did )
        return 0;

    /* Only what is unmapped page by page may come back the same way. */
    linger = cmd->granu == VTD_GRANU_SELECTIVE &&
             vi->set.teardown == XEN_VIOMMU_TEARDOWN_optimistic;
    if ( linger )
        teardown_make_room(vi, b);

    pair_begin(&p, vi, cmd->shadow, linger);
    if ( !cmd->last )
        viommu_count(vi, syncs);
    if ( cmd->last || enter_shadow(&p, cmd) )
        rc = pair_sync(&p, &cmd->cursor, cmd->last, b);
    budget_take(b, teardown_join(vi, &p.shadow));
    pair_end(&p);

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
        s = table_create(vi, true);
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

    viommu_count(vi, contexts_switched);
    /* Before the command that asked for it completes. */
    vi->stale.end = true;
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
                (void)walk_context(vi, dev->devfn, &cmd->target, NULL);
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
