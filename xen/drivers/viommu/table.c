/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.c: the shadow tables, in the hardware's format (VT-d 9.8).
 *
 * They have four levels whatever the guest's have, and leaves of 4K. The first
 * table of level 3 always exists: a unit that walks three levels starts there.
 * An entry that points to a table counts, in bits that hardware ignores, how
 * many of the table's entries are in use; a table without any is unlinked at
 * once, so that the memory of a shadow is proportional to what is mapped.
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

static mfn_t alloc_table(struct viommu *vi)
{
    mfn_t mfn = hw_table_alloc(vi);

    if ( !mfn_eq(mfn, INVALID_MFN) )
        viommu_count(vi, table_pages);

    return mfn;
}

static void free_table(struct viommu *vi, mfn_t mfn)
{
    hw_table_free(mfn);
    vi->count[XEN_VIOMMU_CNT_table_pages]--;
}

struct viommu_shadow *table_create(struct viommu *vi)
{
    struct viommu_shadow *s;
    mfn_t first;
    uint64_t *root;

    if ( vi->count[XEN_VIOMMU_CNT_table_pages] + 2 > vi->table_quota )
        return NULL;

    s = xzalloc(struct viommu_shadow);
    if ( !s )
        return NULL;

    s->of.kind = VIOMMU_BLOCKED;
    s->root = alloc_table(vi);
    if ( mfn_eq(s->root, INVALID_MFN) )
        goto free;
    first = alloc_table(vi);
    if ( mfn_eq(first, INVALID_MFN) )
        goto free_root;
    if ( hw_shadow_init(s) )
        goto free_first;

    /* The count starts at 1, so that this table stays. */
    root = hw_table_map(s->root);
    write_entry(&root[0], make_link(first, 1));
    hw_table_unmap(root);

    return s;

 free_first:
    free_table(vi, first);
 free_root:
    free_table(vi, s->root);
 free:
    xfree(s);
    return NULL;
}

void table_destroy(struct viommu *vi, struct viommu_shadow *s)
{
    uint64_t *root = hw_table_map(s->root);
    mfn_t first = shadow_pte_mfn(root[0]);

    hw_table_unmap(root);
    hw_shadow_fini(s);
    free_table(vi, first);
    free_table(vi, s->root);
    xfree(s);
}

void table_begin(struct shadow_walk *w, struct viommu *vi,
                 struct viommu_shadow *s)
{
    unsigned int i;

    w->vi = vi;
    w->s = s;
    for ( i = 0; i < ARRAY_SIZE(w->table); i++ )
        w->table[i] = NULL;
}

static void drop(struct shadow_walk *w, unsigned int level)
{
    if ( w->table[level - 1] )
        hw_table_unmap(w->table[level - 1]);
    w->table[level - 1] = NULL;
}

void table_end(struct shadow_walk *w)
{
    unsigned int level;

    for ( level = 1; level <= ARRAY_SIZE(w->table); level++ )
        drop(w, level);
}

/* The entry of addr in the table of that level; the ones above are mapped. */
static uint64_t *entry_of(struct shadow_walk *w, uint64_t addr,
                          unsigned int level)
{
    return &w->table[level - 1][VTD_LEVEL_INDEX(addr, level)];
}

/* Maps the table of that level for addr; false if there is none. */
static bool enter(struct shadow_walk *w, uint64_t addr, unsigned int level)
{
    bool top = level == VIOMMU_SHADOW_LEVELS;
    uint64_t base = top ? 0 : addr & ~(VTD_LEVEL_SIZE(level + 1) - 1);
    uint64_t above;

    if ( w->table[level - 1] && w->base[level - 1] == base )
        return true;

    drop(w, level);
    if ( top )
        w->table[level - 1] = hw_table_map(w->s->root);
    else
    {
        above = *entry_of(w, addr, level + 1);
        if ( !above )
            return false;
        w->table[level - 1] = hw_table_map(shadow_pte_mfn(above));
    }
    w->base[level - 1] = base;

    return true;
}

void table_lookup(struct shadow_walk *w, uint64_t addr,
                  struct shadow_leaf *leaf)
{
    leaf->pte = 0;
    for ( leaf->level = VIOMMU_SHADOW_LEVELS; ; leaf->level-- )
    {
        if ( !enter(w, addr, leaf->level) )
        {
            leaf->level++;
            return;
        }
        if ( leaf->level == 1 )
            break;
    }

    leaf->pte = *entry_of(w, addr, 1);
}

/* Counts an entry more or less in the table of that level. */
static unsigned int add_live(struct shadow_walk *w, uint64_t addr,
                             unsigned int level, int n)
{
    uint64_t *link = entry_of(w, addr, level + 1);
    unsigned int live = MASK_EXTR(*link, SHADOW_PTE_LIVE) + n;

    ASSERT(live <= VTD_TABLE_ENTRIES + 1);
    /* Hardware ignores the count, so it need not be told. */
    ACCESS_ONCE(*link) = make_link(shadow_pte_mfn(*link), live);

    return live;
}

/* Makes the tables above the leaf of addr, all of them or none. */
static int make_tables(struct shadow_walk *w, uint64_t addr)
{
    struct viommu *vi = w->vi;
    mfn_t mfn[VIOMMU_SHADOW_LEVELS];
    unsigned int level, missing = 0, i;

    for ( level = VIOMMU_SHADOW_LEVELS; enter(w, addr, level); level-- )
        if ( level == 1 )
            return 0;
    missing = level;

    if ( vi->count[XEN_VIOMMU_CNT_table_pages] + missing > vi->table_quota )
        return -ENOSPC;

    for ( i = 0; i < missing; i++ )
    {
        mfn[i] = alloc_table(vi);
        if ( mfn_eq(mfn[i], INVALID_MFN) )
        {
            while ( i-- )
                free_table(vi, mfn[i]);
            return -ENOMEM;
        }
    }

    for ( i = 0; i < missing; i++, level-- )
    {
        write_entry(entry_of(w, addr, level + 1), make_link(mfn[i], 0));
        if ( level + 1 < VIOMMU_SHADOW_LEVELS )
            add_live(w, addr, level + 1, 1);
        if ( !enter(w, addr, level) )
        {
            ASSERT_UNREACHABLE();
            return -EINVAL;
        }
    }

    return 0;
}

/* Unlinks the leaf table of addr, and those above that it leaves empty. */
static void unlink_tables(struct shadow_walk *w, uint64_t addr)
{
    unsigned int level = 1;

    do {
        uint64_t *link = entry_of(w, addr, level + 1);
        mfn_t mfn = shadow_pte_mfn(*link);

        drop(w, level);
        write_entry(link, 0);
        teardown_table(w->vi, w->s, addr, mfn);
        level++;
    } while ( level < VIOMMU_SHADOW_LEVELS && !add_live(w, addr, level, -1) );
}

int table_write(struct shadow_walk *w, uint64_t addr, uint64_t pte)
{
    struct shadow_leaf leaf;
    uint64_t *entry;
    int rc;

    table_lookup(w, addr, &leaf);
    if ( !leaf.pte && !pte )
        return 0;

    rc = make_tables(w, addr);
    if ( rc )
        return rc;

    entry = entry_of(w, addr, 1);
    write_entry(entry, pte);
    if ( !leaf.pte )
        add_live(w, addr, 1, 1);
    else if ( !pte && !add_live(w, addr, 1, -1) )
        unlink_tables(w, addr);

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
