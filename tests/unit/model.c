/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.c: what devices reach, said as simply as possible.
 */
#include "model.h"

unsigned long model_page[MAX_PAGES];
unsigned int model_pages;
unsigned long model_top[M_TOPS];
/* Three functions of the first slot, to tell function masks apart. */
const uint8_t model_devfn[M_DEVICES] = { 0x80, 0x81, 0x84, 0x88 };

/*
 * A guest table in use by some device: what each page led to, when walked. One
 * that leads to nothing since a page-selective command may still lead to where
 * it did, until a time.
 */
#define NOT_SEEN ~0ULL       /* the time counts from the next comparison */
static struct view {
    unsigned int users;
    struct target of;
    struct result page[MAX_PAGES];
    struct {
        struct result r;
        uint64_t until;
    } was[MAX_PAGES];
    struct result may[MAX_PAGES]; /* or to that: until the next comparison */
} views[M_DEVICES + 1];

static struct {
    bool bound;
    struct target at;
    struct view *view;
} devices[M_DEVICES];

static bool translation;
static unsigned long root;

struct model_stats model_stats;

/* ---- Plain walks ---- */

static bool readable(unsigned long gfn)
{
    return guest_type(gfn) == GFN_RAM || guest_type(gfn) == GFN_RAM_RO;
}

struct result model_walk(unsigned long table, unsigned int levels,
                         unsigned long page)
{
    const struct result nothing = { .mfn = 0 };
    uint64_t rights = VTD_PTE_R | VTD_PTE_W, entry, low;
    unsigned int level;

    if ( page >> (VTD_LEVEL_STRIDE * levels) )
        return nothing;

    for ( level = levels; ; level-- )
    {
        unsigned int shift = VTD_LEVEL_STRIDE * (level - 1);

        if ( !readable(table) )
            return nothing;
        entry = guest_page(table)[(page >> shift) % VTD_TABLE_ENTRIES];
        rights &= entry;
        if ( !rights )
            return nothing;
        if ( entry & VTD_PTE_TM )
            return nothing;
        table = (entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
        if ( table >> (VTD_LEVEL_STRIDE * 4) )
            return nothing;
        if ( (entry & VTD_PTE_SP) && level == 4 )
            return nothing;
        if ( level > 1 && !(entry & VTD_PTE_SP) )
            continue;

        low = (1UL << shift) - 1;
        if ( (table & low) || ((entry & VTD_PTE_SNP) && !hw.caps.snoop) )
            return nothing;
        table += page & low;
        break;
    }

    if ( guest_type(table) == GFN_RAM_RO )
        rights &= ~VTD_PTE_W;
    if ( !readable(table) || !rights )
        return (struct result){ .level = level };

    return (struct result){ guest_frame(table), rights, level };
}

struct target model_untranslated(void)
{
    return (struct target){ .kind = vi.overcommit ? ON_NOTHING
                                                  : ON_IDENTITY };
}

struct target model_context_of(unsigned long table, unsigned int dev)
{
    const uint64_t beyond = ~0ULL << VTD_LEVEL_WIDTH(4);
    struct target t = { .kind = ON_NOTHING };
    uint64_t lo, hi;
    unsigned int levels, i;

    if ( !readable(table) )
        return t;
    lo = guest_page(table)[0];
    hi = guest_page(table)[1];
    if ( !(lo & 1) || (lo & 0xffe) || (lo & beyond) || hi )
        return t;
    table = lo >> VTD_PAGE_SHIFT;
    if ( !readable(table) )
        return t;
    lo = guest_page(table)[2 * model_devfn[dev]];
    hi = guest_page(table)[2 * model_devfn[dev] + 1];
    levels = (hi & 7) + 2;
    if ( !(lo & 1) || (lo & 0xff0) || (hi & ~0xffff7fULL) ||
         (levels != 3 && levels != 4) )
        return t;

    if ( (lo & 0xc) == 0x8 && !vi.overcommit )
    {
        t.kind = ON_IDENTITY;
        t.did = (hi >> 8) & 0xffff;
        return t;
    }
    if ( (lo & 0xc) || (lo & beyond) )
        return t;
    for ( i = 0; i < M_TOPS; i++ )
        if ( model_top[i] == lo >> VTD_PAGE_SHIFT )
        {
            t.kind = ON_SHADOW;
            t.top = i;
            t.levels = levels;
            t.did = (hi >> 8) & 0xffff;
            return t;
        }

    FAIL("a context with an unknown table");
}

bool model_covers(const struct command *c, unsigned int dev, struct target at)
{
    static const unsigned int ignored[] = { 0, 4, 6, 7 };

    switch ( c->granu )
    {
    case VTD_GRANU_GLOBAL:
        return true;

    case VTD_GRANU_DOMAIN:
        return at.kind == ON_NOTHING || at.did == c->did;

    default:
        return ((c->sid ^ model_devfn[dev]) | ignored[c->fm]) ==
               ignored[c->fm];
    }
}

/* ---- The model ---- */

void model_reset(void)
{
    memset(views, 0, sizeof(views));
    memset(devices, 0, sizeof(devices));
    translation = false;
    root = 0;
}

static void walk_page(struct view *v, unsigned int i, bool selective)
{
    struct result old = v->page[i];

    v->page[i] = model_walk(model_top[v->of.top], v->of.levels,
                            model_page[i]);
    v->may[i].rights = 0;
    /* Not where the guest's leaf names something else, be it nothing. */
    if ( !selective || v->page[i].level ||
         vi.set.teardown != XEN_VIOMMU_TEARDOWN_optimistic )
        v->was[i].r.rights = 0;
    else if ( old.rights )
    {
        v->was[i].r = old;
        v->was[i].until = NOT_SEEN;
    }
}

static void walk_all(struct view *v)
{
    unsigned int i;

    for ( i = 0; i < model_pages; i++ )
        walk_page(v, i, false);
}

void model_end_stale(void)
{
    unsigned int i, j;

    for ( i = 0; i < ARRAY_SIZE(views); i++ )
        for ( j = 0; j < model_pages; j++ )
            views[i].was[j].r.rights = 0;
}

static bool same(struct target a, struct target b)
{
    return !memcmp(&a, &b, sizeof(a));
}

static struct view *find_view(struct target t)
{
    struct view *v, *unused = NULL;

    for ( v = views; v < views + ARRAY_SIZE(views); v++ )
    {
        if ( !v->users )
            unused = v;
        else if ( same(v->of, t) )
            return v;
    }

    unused->of = t;
    walk_all(unused);

    return unused;
}

static void put_on(unsigned int dev, struct target t)
{
    struct view *old = devices[dev].view;

    if ( same(devices[dev].at, t) )
        return;
    /* Another table for any device ends what lingers in all. */
    if ( t.kind == ON_SHADOW || t.kind != devices[dev].at.kind )
        model_end_stale();

    devices[dev].view = NULL;
    if ( t.kind == ON_SHADOW )
    {
        devices[dev].view = find_view(t);
        devices[dev].view->users++;
    }
    devices[dev].at = t;
    if ( old )
        old->users--;
}

static void read_context(unsigned int dev)
{
    put_on(dev, translation ? model_context_of(root, dev)
                            : model_untranslated());
}

static void read_contexts(void)
{
    unsigned int i;

    for ( i = 0; i < M_DEVICES; i++ )
        if ( devices[i].bound )
            read_context(i);
}

void model_bind(unsigned int dev)
{
    devices[dev].bound = true;
    memset(&devices[dev].at, 0, sizeof(devices[dev].at));
    if ( translation || vi.overcommit )
    {
        /* It is blocked until its context was read. */
        devices[dev].at.kind = ON_NOTHING;
        read_context(dev);
    }
}

void model_unbind(unsigned int dev)
{
    const struct target identity = { .kind = ON_IDENTITY };

    put_on(dev, identity);
    devices[dev].bound = false;
}

void model_global(bool on, bool set_root, unsigned long gfn)
{
    bool changed = on != translation || (on && set_root);

    if ( set_root )
        root = gfn;
    translation = on;
    if ( changed )
        read_contexts();
}

/*
 * Where a superpage of the guest lingers, one page of it stands for all still;
 * but whether it does, the model cannot tell. Returns whether that matters.
 */
static bool look_around(struct view *v, unsigned long first)
{
    const unsigned long size = 1UL << VTD_LEVEL_STRIDE;
    bool unsure = false;
    unsigned int i;

    for ( i = 0; i < model_pages; i++ )
        if ( (model_page[i] ^ first) < size && !v->page[i].rights )
        {
            v->may[i] = model_walk(model_top[v->of.top], v->of.levels,
                                   model_page[i]);
            unsure |= v->may[i].rights;
        }

    return unsure;
}

static bool iotlb(const struct command *c, struct view *v)
{
    unsigned long first = (c->addr >> VTD_PAGE_SHIFT) & (~0UL << c->am);
    unsigned long size = 1UL << c->am, extent;
    unsigned int i, level, former = 0;
    bool unsure = false;

    if ( c->granu != VTD_GRANU_GLOBAL && c->did != v->of.did )
        return false;
    if ( c->granu != VTD_GRANU_SELECTIVE )
    {
        walk_all(v);
        return false;
    }

    /* The superpage that is there now, and the one that was seen last. */
    level = model_walk(model_top[v->of.top], v->of.levels, first).level;
    for ( i = 0; i < model_pages; i++ )
        if ( model_page[i] == first )
        {
            level = max_t(unsigned int, level, v->page[i].level);
            if ( v->was[i].r.rights )
                former = v->was[i].r.level;
        }
    if ( former > 1 && level < 2 )
        unsure = look_around(v, first);
    if ( level )
    {
        extent = 1UL << (VTD_LEVEL_STRIDE * (level - 1));
        size = max(size, extent);
        first &= ~(size - 1);
    }

    for ( i = 0; i < model_pages; i++ )
        if ( model_page[i] - first < size )
            walk_page(v, i, true);

    return unsure;
}

bool model_command(const struct command *c)
{
    bool unsure = false;
    unsigned int i;

    if ( c->op == OP_IOTLB )
    {
        for ( i = 0; i < ARRAY_SIZE(views); i++ )
            if ( views[i].users )
                unsure |= iotlb(c, &views[i]);
        return unsure;
    }

    for ( i = 0; i < M_DEVICES; i++ )
        if ( devices[i].bound && model_covers(c, i, devices[i].at) )
            read_context(i);

    return false;
}

void model_resync(void)
{
    unsigned int i;

    for ( i = 0; i < M_DEVICES; i++ )
    {
        devices[i].at.kind = ON_NOTHING;
        devices[i].view = NULL;
    }
    memset(views, 0, sizeof(views));
    read_contexts();
}

/* ---- Comparing ---- */

/* The timer ends many one after the other, and may find the unit busy. */
#define TIMER_SLACK_US 300

struct comparison {
    struct view *v;
    unsigned int found;
};

static void compare_leaf(void *arg, uint64_t addr, unsigned long mfn,
                         bool read, bool write)
{
    struct comparison *c = arg;
    uint64_t rights = (read ? VTD_PTE_R : 0) | (write ? VTD_PTE_W : 0);
    unsigned long page = addr >> VTD_PAGE_SHIFT;
    unsigned int i = page;
    const struct result *r;

    /* All pages are there, in order; or only some of them. */
    if ( model_pages < MAX_PAGES )
        for ( i = 0; i < model_pages && model_page[i] != page; i++ )
            ;
    if ( i >= model_pages )
        return;

    r = &c->v->page[i];
    if ( !r->rights && c->v->may[i].mfn == mfn &&
         c->v->may[i].rights == rights )
    {
        c->v->page[i] = c->v->may[i];
        c->v->was[i].r.rights = 0;
    }
    if ( !r->rights )
    {
        r = &c->v->was[i].r;
        if ( !r->rights )
            FAIL("page %#lx leads to %#lx", page, mfn);
        if ( guest.time_us > c->v->was[i].until )
            FAIL("page %#lx leads to %#lx, %llu us too long", page, mfn,
                 (unsigned long long)(guest.time_us - c->v->was[i].until));
        c->found--;
        model_stats.stale++;
    }
    if ( r->mfn != mfn || r->rights != rights )
        FAIL("page %#lx is frame %#lx, rights %llu; must be %#lx, %u", page,
             mfn, (unsigned long long)rights, r->mfn, r->rights);
    c->found++;
}

static void compare_view(const struct viommu_shadow *s, struct view *v)
{
    struct comparison c = { .v = v };
    unsigned int i, n = 0;

    for ( i = 0; i < model_pages; i++ )
        if ( v->was[i].until == NOT_SEEN )
            v->was[i].until = guest.time_us + vi.set.window_us +
                              TIMER_SLACK_US;
    hw_scan(s, compare_leaf, &c);
    model_stats.views++;
    model_stats.leaves += c.found;
    memset(v->may, 0, sizeof(v->may));
    for ( i = 0; i < model_pages; i++ )
        n += !!v->page[i].rights;
    if ( c.found != n )
        FAIL("%u pages of table %#lx are mapped, must be %u", c.found,
             model_top[v->of.top], n);
}

static void count_leaf(void *arg, uint64_t addr, unsigned long mfn, bool read,
                       bool write)
{
    (void)addr;
    (void)mfn;
    *(unsigned int *)arg += read || write;
}

void model_compare(void)
{
    struct viommu_shadow *s[M_DEVICES], *of[ARRAY_SIZE(views)] = { NULL };
    unsigned int i, n;

    for ( i = 0; i < M_DEVICES; i++ )
    {
        enum hw_attached at = hw_attached_to(0x300 + i, &s[i]);

        if ( !devices[i].bound )
        {
            CHECK(at != ON_SHADOW);
            continue;
        }
        if ( devices[i].at.kind == ON_NOTHING )
        {
            /* Blocked: no table, or one without a leaf. */
            n = 0;
            if ( at == ON_SHADOW )
                hw_scan(s[i], count_leaf, &n);
            if ( at == ON_IDENTITY || n )
                FAIL("device %u is not blocked", i);
            continue;
        }
        if ( at != devices[i].at.kind )
            FAIL("device %u is on %u, must be %u", i, at, devices[i].at.kind);
        if ( at != ON_SHADOW )
            continue;

        /* Devices on one guest table share one shadow. */
        n = devices[i].view - views;
        if ( of[n] )
            CHECK(of[n] == s[i]);
        else
            compare_view(s[i], devices[i].view);
        of[n] = s[i];
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
