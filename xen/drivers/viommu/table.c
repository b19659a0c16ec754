/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.c: the shadow tables, in the hardware's format (VT-d 9.8).
 *
 * They have four levels whatever the guest's have, and leaves of 4K, 2M or 1G.
 * The first table of level 3 always exists: a unit of three levels starts
 * there. An entry that points to a table counts, in bits that hardware ignores,
 * how many of the table's entries are in use; a table without any is unlinked
 * at once, so that the memory of a shadow is proportional to what is mapped.
 *
 * A leaf of 1G only ever comes from 512 leaves of 2M, and becomes these again
 * before anything of it changes: so nothing else has to deal with that much at
 * once. For this never to fail, the page of the table that it replaces stays in
 * reserve, and in the quota.
 *
 * One more such table is for no hardware: it has, at the address of a frame of
 * the machine, how many shadow leaves name the frame (frame.c).
 */
#include "private.h"

/* One store, so that hardware sees the old entry or the new one. */
static void write_entry(uint64_t *entry, uint64_t value)
{
    ACCESS_ONCE(*entry) = value;
    hw_table_sync(entry);
}

static uint64_t make_link(mfn_t mfn, unsigned int live)
{
    return (mfn_x(mfn) << VTD_PAGE_SHIFT) | VTD_PTE_R | VTD_PTE_W |
           MASK_INSR((uint64_t)live, SHADOW_PTE_LIVE);
}

/* Whether n more pages are within the quota. */
static bool has_room(const struct viommu *vi, unsigned int n)
{
    return vi->count[XEN_VIOMMU_CNT_table_pages] +
           vi->count[XEN_VIOMMU_CNT_frame_pages] + n <= vi->table_quota;
}

static uint64_t *page_count(struct viommu *vi, const struct viommu_shadow *s)
{
    return &vi->count[s->for_hw ? XEN_VIOMMU_CNT_table_pages
                                : XEN_VIOMMU_CNT_frame_pages];
}

static mfn_t alloc_table(struct viommu *vi, const struct viommu_shadow *s)
{
    mfn_t mfn = hw_table_alloc(vi);

    if ( !mfn_eq(mfn, INVALID_MFN) )
        ++*page_count(vi, s);

    return mfn;
}

static void free_table(struct viommu *vi, const struct viommu_shadow *s,
                       mfn_t mfn)
{
    hw_table_free(mfn);
    --*page_count(vi, s);
}

void table_free(struct viommu *vi, mfn_t mfn)
{
    uint64_t *page;

    if ( vi->spare.pages == vi->spare.wanted )
    {
        hw_table_free(mfn);
        vi->count[XEN_VIOMMU_CNT_table_pages]--;
        return;
    }

    page = hw_table_map(mfn);
    page[0] = mfn_x(vi->spare.first);
    hw_table_unmap(page);
    vi->spare.first = mfn;
    vi->spare.pages++;
}

/*
 * The table page that was kept for a leaf of 1G, which is to be one no more. It
 * is not waiting for a flush: no walk comes back to a leaf that it has made.
 */
static mfn_t take_spare(struct viommu *vi)
{
    uint64_t *page;
    mfn_t mfn;

    if ( !vi->spare.pages )
    {
        ASSERT_UNREACHABLE();
        return INVALID_MFN;
    }

    mfn = vi->spare.first;
    page = hw_table_map(mfn);
    vi->spare.first = _mfn(page[0]);
    hw_table_unmap(page);
    vi->spare.pages--;
    vi->spare.wanted--;

    return mfn;
}

/* Makes the two tables that a shadow always has. */
static int make_root(struct viommu *vi, struct viommu_shadow *s)
{
    mfn_t first;
    uint64_t *root;

    s->root = alloc_table(vi, s);
    if ( mfn_eq(s->root, INVALID_MFN) )
        return -ENOMEM;

    first = alloc_table(vi, s);
    if ( mfn_eq(first, INVALID_MFN) )
    {
        free_table(vi, s, s->root);
        return -ENOMEM;
    }

    /* The count starts at 1, so that this table stays. */
    root = hw_table_map(s->root);
    write_entry(&root[0], make_link(first, 1));
    hw_table_unmap(root);

    return 0;
}

static void free_root(struct viommu *vi, struct viommu_shadow *s)
{
    uint64_t *root = hw_table_map(s->root);
    mfn_t first = shadow_pte_mfn(root[0]);

    hw_table_unmap(root);
    free_table(vi, s, first);
    free_table(vi, s, s->root);
}

struct viommu_shadow *table_create(struct viommu *vi, bool for_hw)
{
    struct viommu_shadow *s;

    if ( !has_room(vi, 2) )
        return NULL;

    s = xzalloc(struct viommu_shadow);
    if ( !s )
        return NULL;

    s->id = ++vi->last_shadow;
    s->for_hw = for_hw;
    s->levels = for_hw ? VIOMMU_SHADOW_LEVELS : VIOMMU_FRAME_LEVELS;
    s->of.kind = VIOMMU_BLOCKED;
    if ( make_root(vi, s) )
        goto free;
    if ( !for_hw || !hw_shadow_init(s) )
        return s;

    free_root(vi, s);
 free:
    xfree(s);

    return NULL;
}

void table_destroy(struct viommu *vi, struct viommu_shadow *s)
{
    if ( s->for_hw )
        hw_shadow_fini(s);
    free_root(vi, s);
    xfree(s);
}

void table_begin(struct shadow_walk *w, struct viommu *vi,
                 struct viommu_shadow *s)
{
    unsigned int i;

    w->vi = vi;
    w->s = s;
    w->linger = false;
    for ( i = 0; i < ARRAY_SIZE(w->table); i++ )
        w->table[i] = NULL;
}

/* Unmaps the table of that level, and those below it. */
static void drop(struct shadow_walk *w, unsigned int level)
{
    for ( ; level; level-- )
    {
        if ( w->table[level - 1] )
            hw_table_unmap(w->table[level - 1]);
        w->table[level - 1] = NULL;
    }
}

void table_end(struct shadow_walk *w)
{
    drop(w, ARRAY_SIZE(w->table));
}

/* The entry of addr in the table of that level; the ones above are mapped. */
static uint64_t *entry_of(struct shadow_walk *w, uint64_t addr,
                          unsigned int level)
{
    return &w->table[level - 1][VTD_LEVEL_INDEX(addr, level)];
}

/* The first address of the table of that level for addr. */
static uint64_t base_of(const struct shadow_walk *w, uint64_t addr,
                        unsigned int level)
{
    return level == w->s->levels ? 0
                                 : addr & ~(VTD_LEVEL_SIZE(level + 1) - 1);
}

/* Maps the next table for addr, of that level; false if there is none. */
static bool enter(struct shadow_walk *w, uint64_t addr, unsigned int level)
{
    mfn_t mfn = w->s->root;

    if ( level < w->s->levels )
    {
        uint64_t above = *entry_of(w, addr, level + 1);

        if ( !above || (above & VTD_PTE_SP) )
            return false;
        mfn = shadow_pte_mfn(above);
    }
    w->table[level - 1] = hw_table_map(mfn);
    w->base[level - 1] = base_of(w, addr, level);

    return true;
}

/*
 * Maps the tables for addr, down to a level or as far as there are any, and
 * returns how far. Where one is mapped already, so are those above it.
 */
static unsigned int descend(struct shadow_walk *w, uint64_t addr,
                            unsigned int lowest)
{
    unsigned int level = lowest;

    while ( level <= w->s->levels &&
            (!w->table[level - 1] ||
             w->base[level - 1] != base_of(w, addr, level)) )
        level++;
    if ( level == lowest )
        return level;

    drop(w, level - 1);
    while ( level > lowest && enter(w, addr, level - 1) )
        level--;

    return level;
}

void table_lookup(struct shadow_walk *w, uint64_t addr,
                  struct shadow_leaf *leaf)
{
    leaf->level = descend(w, addr, 1);
    leaf->pte = *entry_of(w, addr, leaf->level);
}

/* Counts an entry more or less in the table of that level. */
static unsigned int add_live(struct shadow_walk *w, uint64_t addr,
                             unsigned int level, int n)
{
    uint64_t *link = entry_of(w, addr, level + 1);
    unsigned int live = MASK_EXTR(*link, SHADOW_PTE_LIVE) + n;

    ASSERT(live <= VTD_TABLE_ENTRIES + 1);
    /* Hardware ignores the count, so it need not be told. */
    ACCESS_ONCE(*link) = (*link & ~SHADOW_PTE_LIVE) |
                         MASK_INSR((uint64_t)live, SHADOW_PTE_LIVE);

    return live;
}

/* Makes the tables down to a level for addr, all of them or none. */
static int make_tables(struct shadow_walk *w, uint64_t addr,
                       unsigned int lowest)
{
    struct viommu *vi = w->vi;
    mfn_t mfn[VIOMMU_FRAME_LEVELS];
    unsigned int level = descend(w, addr, lowest);
    unsigned int missing = level - lowest, i;

    if ( !missing )
        return 0;

    if ( !has_room(vi, missing) )
        return -ENOSPC;

    for ( i = 0; i < missing; i++ )
    {
        mfn[i] = alloc_table(vi, w->s);
        if ( mfn_eq(mfn[i], INVALID_MFN) )
        {
            while ( i-- )
                free_table(vi, w->s, mfn[i]);
            return -ENOMEM;
        }
    }

    for ( i = 0; i < missing; i++, level-- )
    {
        write_entry(entry_of(w, addr, level), make_link(mfn[i], 0));
        if ( level < w->s->levels )
            add_live(w, addr, level, 1);
        if ( !enter(w, addr, level - 1) )
        {
            ASSERT_UNREACHABLE();
            return -EINVAL;
        }
    }

    return 0;
}

/* Unlinks the table of addr at a level, and those that it leaves empty. */
static void unlink_tables(struct shadow_walk *w, uint64_t addr,
                          unsigned int level)
{
    do {
        uint64_t *link = entry_of(w, addr, level + 1);
        mfn_t mfn = shadow_pte_mfn(*link);

        drop(w, level);
        write_entry(link, 0);
        if ( w->s->for_hw )
            teardown_table(w->vi, w->s, addr, mfn);
        else
            free_table(w->vi, w->s, mfn);
        level++;
    } while ( level < w->s->levels && !add_live(w, addr, level, -1) );
}

int table_write(struct shadow_walk *w, uint64_t addr, unsigned int level,
                uint64_t pte)
{
    uint64_t *entry, old;
    int rc = make_tables(w, addr, level);

    if ( rc )
        return rc;

    entry = entry_of(w, addr, level);
    old = *entry;
    write_entry(entry, pte);
    if ( !old && pte )
        add_live(w, addr, level, 1);
    else if ( old && !pte && !add_live(w, addr, level, -1) )
        unlink_tables(w, addr, level);

    return 0;
}

void table_annotate(struct shadow_walk *w, uint64_t addr, unsigned int level,
                    uint64_t bits)
{
    uint64_t *entry;

    if ( make_tables(w, addr, level) )
    {
        ASSERT_UNREACHABLE();
        return;
    }

    entry = entry_of(w, addr, level);
    ASSERT(shadow_pte_present(*entry));
    ACCESS_ONCE(*entry) = (*entry & ~SHADOW_PTE_NOTE) | bits;
}

/* The link to the table below that level for addr; NULL: there is none. */
static uint64_t *link_of(struct shadow_walk *w, uint64_t addr,
                         unsigned int level)
{
    if ( descend(w, addr, level - 1) != level - 1 )
        return NULL;

    return entry_of(w, addr, level);
}

void table_mark(struct shadow_walk *w, uint64_t addr, unsigned int level)
{
    for ( ; level > 1; level-- )
    {
        uint64_t *link = link_of(w, addr, level);

        if ( link && !(*link & SHADOW_PTE_MARK) )
            ACCESS_ONCE(*link) = *link | SHADOW_PTE_MARK;
    }
}

void table_unmark(struct shadow_walk *w, uint64_t addr, unsigned int level)
{
    uint64_t *link = link_of(w, addr, level);

    if ( link && (*link & SHADOW_PTE_MARK) )
        ACCESS_ONCE(*link) = *link & ~SHADOW_PTE_MARK;
}

unsigned int table_origin(struct shadow_walk *w, uint64_t addr)
{
    struct shadow_leaf leaf;
    const uint64_t *link = link_of(w, addr, 3);

    if ( link && (*link & SHADOW_PTE_MARK) )
        return 3;

    link = link_of(w, addr, 2);
    if ( link && (*link & SHADOW_PTE_MARK) )
        return 2;

    table_lookup(w, addr, &leaf);

    return leaf.pte ? leaf.level : 1;
}

int table_split(struct shadow_walk *w, uint64_t addr)
{
    struct viommu *vi = w->vi;
    struct shadow_leaf leaf;
    uint64_t *table;
    unsigned int i;
    mfn_t mfn;

    table_lookup(w, addr, &leaf);
    if ( !(leaf.pte & VTD_PTE_SP) )
    {
        ASSERT_UNREACHABLE();
        return -EINVAL;
    }

    if ( leaf.level > 2 )
        mfn = take_spare(vi);
    else if ( has_room(vi, 1) )
        mfn = alloc_table(vi, w->s);
    else
        return -ENOSPC;
    if ( mfn_eq(mfn, INVALID_MFN) )
        return -ENOMEM;

    table = hw_table_map(mfn);
    if ( leaf.level == 2 )
        leaf.pte &= ~VTD_PTE_SP;
    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        write_entry(&table[i], leaf.pte + i * VTD_LEVEL_SIZE(leaf.level - 1));
    hw_table_unmap(table);

    /* It says the same as before; what is cached goes with what differs. */
    write_entry(entry_of(w, addr, leaf.level),
                make_link(mfn, VTD_TABLE_ENTRIES) | SHADOW_PTE_MARK);
    viommu_count_n(vi, leaves_mapped, VTD_TABLE_ENTRIES - 1);
    teardown_changed(vi, addr, leaf.level, false);

    return 0;
}

bool table_merge(struct shadow_walk *w, uint64_t addr, unsigned int level,
                 uint64_t pte)
{
    const uint64_t part = level > 2 ? pte : pte & ~VTD_PTE_SP;
    uint64_t *link = link_of(w, addr, level);
    unsigned int i;
    mfn_t mfn;

    if ( !link )
        return false;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        if ( w->table[level - 2][i] != part + i * VTD_LEVEL_SIZE(level - 1) )
            return false;

    mfn = shadow_pte_mfn(*link);
    drop(w, level - 1);
    write_entry(link, pte);
    viommu_count_n(w->vi, leaves_unmapped, VTD_TABLE_ENTRIES - 1);
    teardown_changed(w->vi, addr, level, false);
    if ( level > 2 )
        w->vi->spare.wanted++;
    teardown_table(w->vi, w->s, addr, mfn);

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
