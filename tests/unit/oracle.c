/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.c: nothing is reachable but what the guest's tables said at some time
 * since the last command that covered it was given.
 */
#include "model.h"

#define NOW  ~0U
#define ROOM 8

/* What was true, and until when. */
struct memory {
    struct result r;
    unsigned int until;
    /* 0, or until when it may linger; NOT_SEEN: see model.c. */
    uint64_t expires;
};

#define NOT_SEEN ~0ULL
#define TIMER_SLACK_US 300

struct page {
    unsigned int n;
    bool any;                /* too much happened to remember */
    struct memory m[ROOM];
};

/* Of each guest table, as 3 and as 4 levels, under each domain ID. */
static struct page pages[M_ROOTS][2][M_DIDS][MAX_PAGES];

static struct {
    unsigned int n;
    struct {
        struct target t;
        unsigned int until;
    } m[4 * ROOM];
} targets[M_DEVICES];

static unsigned int now;

void oracle_reset(void)
{
    now = 0;
    memset(pages, 0, sizeof(pages));
    memset(targets, 0, sizeof(targets));
}

unsigned int oracle_time(void)
{
    return now;
}

static bool same_result(const struct result *a, const struct result *b)
{
    return a->mfn == b->mfn && a->rights == b->rights && a->level == b->level;
}

static void note_page(struct page *p, const struct result *r)
{
    unsigned int i;

    for ( i = 0; i < p->n; i++ )
        if ( p->m[i].until == NOW )
        {
            if ( same_result(&p->m[i].r, r) )
                return;
            p->m[i].until = now;
        }
    for ( i = 0; i < p->n; )
        if ( p->m[i].expires && p->m[i].expires < guest.time_us )
            p->m[i] = p->m[--p->n];
        else
            i++;
    for ( i = 0; i < p->n && !same_result(&p->m[i].r, r); i++ )
        ;
    if ( i == ROOM )
    {
        p->any = true;
        return;
    }
    p->m[i].r = *r;
    p->m[i].until = NOW;
    p->m[i].expires = 0;
    if ( i == p->n )
        p->n++;
}

static void note_target(unsigned int dev, struct target t)
{
    unsigned int i;

    for ( i = 0; i < targets[dev].n; i++ )
        if ( targets[dev].m[i].until == NOW )
            targets[dev].m[i].until = now;
    for ( i = 0; i < targets[dev].n; i++ )
        if ( !memcmp(&targets[dev].m[i].t, &t, sizeof(t)) )
            break;
    CHECK(i < ARRAY_SIZE(targets[dev].m));
    targets[dev].m[i].t = t;
    targets[dev].m[i].until = NOW;
    if ( i == targets[dev].n )
        targets[dev].n++;
}

void oracle_note(unsigned long root, bool translation)
{
    unsigned int top, levels, did, i;

    for ( top = 0; top < M_ROOTS; top++ )
        for ( levels = 3; levels <= 4; levels++ )
            for ( i = 0; i < model_pages; i++ )
            {
                struct result r = model_walk(model_top[top], levels,
                                             model_page[i]);

                for ( did = 0; did < M_DIDS; did++ )
                    note_page(&pages[top][levels - 3][did][i], &r);
            }

    for ( i = 0; i < M_DEVICES; i++ )
        note_target(i, translation ? model_context_of(root, i)
                                   : model_untranslated());
    now++;
}

/* Forgets what was not true any more when the command was given. */
static void forget_targets(unsigned int dev, const struct command *c,
                           unsigned int since)
{
    unsigned int i = 0;

    while ( i < targets[dev].n )
        if ( targets[dev].m[i].until < since &&
             (!c || model_covers(c, dev, targets[dev].m[i].t)) )
            targets[dev].m[i] = targets[dev].m[--targets[dev].n];
        else
            i++;
}

static void forget_page(const struct command *c, struct page *p,
                        unsigned long page, struct result current,
                        unsigned int since)
{
    unsigned long first = (c->addr >> VTD_PAGE_SHIFT) & (~0UL << c->am);
    unsigned long last = first + (1UL << c->am) - 1;
    /* Nothing is there now: what was may linger. */
    bool lingers = c->granu == VTD_GRANU_SELECTIVE && !current.level &&
                   vi.set.teardown == XEN_VIOMMU_TEARDOWN_optimistic;
    unsigned int i = 0;

    while ( i < p->n )
    {
        struct memory *m = &p->m[i];
        unsigned long begin = page, end = page;

        /* One page of a superpage stands for all of it, but only once. */
        if ( m->r.level > 1 && !m->expires )
        {
            unsigned long size = 1UL << (VTD_LEVEL_STRIDE * (m->r.level - 1));

            begin &= ~(size - 1);
            end = begin + size - 1;
        }
        if ( m->until < since &&
             (c->granu != VTD_GRANU_SELECTIVE ||
              (first <= end && last >= begin)) )
        {
            if ( !lingers )
            {
                p->m[i] = p->m[--p->n];
                continue;
            }
            if ( !m->expires )
                m->expires = NOT_SEEN;
        }
        i++;
    }

    /* With no change since, what is true now is all there is. */
    if ( p->any && since == now && !lingers &&
         (c->granu != VTD_GRANU_SELECTIVE ||
          (page >= first && page <= last)) )
    {
        p->any = false;
        p->n = 1;
        p->m[0].r = current;
        p->m[0].until = NOW;
        p->m[0].expires = 0;
    }
}

void oracle_command(const struct command *c, unsigned int since)
{
    unsigned int top, levels, did, i;

    if ( c->op == OP_CONTEXT )
    {
        for ( i = 0; i < M_DEVICES; i++ )
            forget_targets(i, c, since);
        return;
    }

    for ( did = 0; did < M_DIDS; did++ )
    {
        if ( c->granu != VTD_GRANU_GLOBAL && c->did != did + 1 )
            continue;
        for ( top = 0; top < M_ROOTS; top++ )
            for ( levels = 0; levels < 2; levels++ )
                for ( i = 0; i < model_pages; i++ )
                {
                    struct page *p = &pages[top][levels][did][i];

                    /* Most often there is nothing to forget. */
                    if ( p->n > 1 || p->any )
                        forget_page(c, p, model_page[i],
                                    model_walk(model_top[top], levels + 3,
                                               model_page[i]), since);
                }
    }
}

void oracle_global(unsigned int since)
{
    unsigned int i;

    for ( i = 0; i < M_DEVICES; i++ )
        forget_targets(i, NULL, since);
}

void oracle_bind(unsigned int dev)
{
    forget_targets(dev, NULL, NOW);
}

struct check {
    const struct target *t;
    bool ok;
};

/* From when on what may linger is seen to. */
static void see_all(void)
{
    struct page *p = (struct page *)pages, *end = p + sizeof(pages) /
                                                      sizeof(*p);
    unsigned int i;

    for ( ; p < end; p++ )
        for ( i = 0; i < p->n; i++ )
            if ( p->m[i].expires == NOT_SEEN )
                p->m[i].expires = guest.time_us + vi.set.window_us +
                                  TIMER_SLACK_US;
}

static void check_leaf(void *arg, uint64_t addr, unsigned long mfn, bool read,
                       bool write)
{
    struct check *c = arg;
    unsigned int i, j;
    uint8_t rights = (read ? VTD_PTE_R : 0) | (write ? VTD_PTE_W : 0);
    const struct page *p;

    for ( i = 0; i < model_pages; i++ )
        if ( model_page[i] == addr >> VTD_PAGE_SHIFT )
            break;
    if ( i == model_pages )
        return;

    p = &pages[c->t->top][c->t->levels - 3][c->t->did - 1][i];
    for ( j = 0; j < p->n; j++ )
        if ( p->m[j].r.mfn == mfn && p->m[j].r.rights == rights &&
             (!p->m[j].expires || p->m[j].expires >= guest.time_us) )
            return;
    c->ok &= p->any;
}

static bool allowed(unsigned int dev, const struct viommu_shadow *s)
{
    unsigned int i;

    for ( i = 0; i < targets[dev].n; i++ )
    {
        struct check c = { .t = &targets[dev].m[i].t, .ok = true };

        if ( c.t->kind != ON_SHADOW )
            continue;
        hw_scan(s, check_leaf, &c);
        if ( c.ok )
            return true;
    }

    return false;
}

void oracle_check(unsigned int bound)
{
    struct viommu_shadow *s;
    unsigned int dev, i;

    see_all();
    for ( dev = 0; dev < M_DEVICES; dev++ )
    {
        if ( !(bound & (1U << dev)) )
            continue;
        switch ( hw_attached_to(0x300 + dev, &s) )
        {
        case ON_IDENTITY:
            for ( i = 0; i < targets[dev].n; i++ )
                if ( targets[dev].m[i].t.kind == ON_IDENTITY )
                    break;
            if ( i == targets[dev].n )
                FAIL("device %u reaches all memory", dev);
            break;

        case ON_SHADOW:
            if ( s != vi.blocked && !allowed(dev, s) )
                FAIL("device %u reaches what no table said", dev);
            break;

        case ON_NOTHING:
        default:
            break;
        }
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
