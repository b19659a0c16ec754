/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.c: the shadow tables, in the hardware's format (VT-d 9.8).
 *
 * They have four levels whatever the guest's have, and leaves of 4K, 2M or 1G.
 * The first table of level 3 always exists: a unit of three levels starts
 * there. An entry that points to a table counts how many of the table's entries
 * are in use; a table without any is unlinked, so that the memory of a shadow
 * is proportional to what is mapped. But not at once: guests map and unmap the
 * same address again and again, and the last page of a table is no rarer than
 * others. So some empty leaf tables stay linked, the latest ones; they go when
 * others come, when the quota is used up, and with their shadow.
 *
 * The tables that were walked down to last are remembered. sync_lock protects
 * all tables of a unit, so that holds until one of them is unlinked.
 *
 * A leaf of 1G only ever comes from 512 leaves of 2M, and becomes these again
 * before anything of it changes: so nothing else has to deal with that much at
 * once. The page of the table that it replaces stays in reserve (pool.c).
 */
#include "boundary.h"
#include "pool.h"
#include "removed.h"
#include "table.h"

/* One store, so that hardware sees the old entry or the new one. */
static void write_entry(uint64_t *entry, uint64_t value)
{
    ACCESS_ONCE(*entry) = value;
    hw_table_sync(entry);
}

/* ---- Walking. ---- */

/* Forgets the table of that level, and those below it. */
static void forget(struct viommu *vi, unsigned int level)
{
    while ( level )
        vi->path.table[--level] = NULL;
}

/* The entry of addr in the table of that level, which is on the path. */
static uint64_t *entry_of(struct viommu *vi, uint64_t addr, unsigned int level)
{
    return &vi->path.table[level - 1][VTD_LEVEL_INDEX(addr, level)];
}

/* The first address of the table of that level for addr. */
static uint64_t base_of(uint64_t addr, unsigned int level)
{
    return addr & ~(VTD_LEVEL_SIZE(level + 1) - 1);
}

/* Goes on to the next table for addr, of that level; false: there is none. */
static bool enter(struct viommu *vi, uint64_t addr, unsigned int level)
{
    mfn_t mfn = vi->path.s->root;

    if ( level < VIOMMU_SHADOW_LEVELS )
    {
        uint64_t above = *entry_of(vi, addr, level + 1);

        if ( !above || (above & VTD_PTE_SP) )
            return false;
        mfn = shadow_pte_mfn(above);
    }
    vi->path.table[level - 1] = hw_table(mfn);
    vi->path.base[level - 1] = base_of(addr, level);

    return true;
}

static bool on_path(const struct viommu *vi, uint64_t addr, unsigned int level)
{
    return vi->path.table[level - 1] &&
           vi->path.base[level - 1] == base_of(addr, level);
}

/*
 * Goes down to the table of that level for addr, or as far as there are any;
 * returns how far. What is on the path below is kept or forgotten, so that
 * where a table is on the path, so are those above it.
 */
static unsigned int descend(struct viommu *vi, struct viommu_shadow *s,
                            uint64_t addr, unsigned int lowest)
{
    unsigned int level = lowest;

    if ( unlikely(vi->path.s != s) )
    {
        vi->path.s = s;
        forget(vi, VIOMMU_SHADOW_LEVELS);
    }
    while ( level <= VIOMMU_SHADOW_LEVELS && !on_path(vi, addr, level) )
        level++;
    if ( level == lowest )
        return level;

    forget(vi, level - 1);
    while ( level > lowest && enter(vi, addr, level - 1) )
        level--;

    return level;
}

void table_lookup(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  struct shadow_leaf *leaf)
{
    leaf->level = table_is_near(vi, s, addr) ? 1 : descend(vi, s, addr, 1);
    leaf->pte = *entry_of(vi, addr, leaf->level);
}

unsigned int table_holes(struct viommu *vi, struct viommu_shadow *s,
                         uint64_t addr, unsigned int level, unsigned int most)
{
    const unsigned int index = VTD_LEVEL_INDEX(addr, level);
    const uint64_t *entry;

    if ( descend(vi, s, addr, level) != level )
        return 0;

    most = min(most, VTD_TABLE_ENTRIES - index);
    entry = entry_of(vi, addr, level);

    /* Of a table with one entry in use, which is the one before. */
    if ( level < VIOMMU_SHADOW_LEVELS && index && entry[-1] &&
         MASK_EXTR(*entry_of(vi, addr, level + 1), SHADOW_PTE_LIVE) == 1 )
        return most;

    return count_without(entry, most, ~0ULL);
}

/* ---- Tables come and go. ---- */

/* Counts an entry more or less in the table of that level. */
static unsigned int add_live(struct viommu *vi, uint64_t addr,
                             unsigned int level, int n)
{
    uint64_t *link = entry_of(vi, addr, level + 1);
    unsigned int live = MASK_EXTR(*link, SHADOW_PTE_LIVE) + n;

    ASSERT(live <= VTD_TABLE_ENTRIES + 1);
    /* Hardware ignores the count, so it need not be told. */
    ACCESS_ONCE(*link) = (*link & ~SHADOW_PTE_LIVE) |
                         MASK_INSR((uint64_t)live, SHADOW_PTE_LIVE);

    return live;
}

/* Unlinks the table of addr at a level, and those that it leaves empty. */
static void unlink_tables(struct viommu *vi, struct viommu_shadow *s,
                          uint64_t addr, unsigned int level)
{
    do {
        uint64_t *link = entry_of(vi, addr, level + 1);
        mfn_t mfn = shadow_pte_mfn(*link);

        forget(vi, level);
        write_entry(link, 0);
        removed_table(vi, s, addr, mfn);
        level++;
    } while ( level < VIOMMU_SHADOW_LEVELS && !add_live(vi, addr, level, -1) );
}

struct viommu_shadow *table_find(const struct viommu *vi, uint64_t id)
{
    struct viommu_shadow *s;

    for ( s = vi->shadows; s; s = s->next )
        if ( s->id == id )
            return s;
    for ( s = vi->dying; s; s = s->next )
        if ( s->id == id )
            return s;

    return NULL;
}

/* The oldest empty table goes, if it still is one. */
static void end_idle(struct viommu *vi)
{
    const struct viommu_idle *place = &vi->idle.place[vi->idle.first];
    struct viommu_shadow *s = table_find(vi, place->shadow);
    uint64_t *link;

    vi->idle.first = (vi->idle.first + 1) % VIOMMU_NR_IDLE;
    vi->idle.used--;
    if ( !s || descend(vi, s, place->addr, 1) != 1 )
        return;

    link = entry_of(vi, place->addr, 2);
    ACCESS_ONCE(*link) = *link & ~SHADOW_PTE_IDLE;
    if ( !(*link & SHADOW_PTE_LIVE) )
        unlink_tables(vi, s, place->addr, 1);
}

/* The leaf table of addr is empty, and stays for now. */
static void begin_idle(struct viommu *vi, struct viommu_shadow *s,
                       uint64_t addr)
{
    uint64_t *link = entry_of(vi, addr, 2);
    struct viommu_idle *place;

    /* It was before, and has its place. */
    if ( *link & SHADOW_PTE_IDLE )
        return;
    ACCESS_ONCE(*link) = *link | SHADOW_PTE_IDLE;

    if ( vi->idle.used == VIOMMU_NR_IDLE )
        end_idle(vi);
    place = &vi->idle.place[(vi->idle.first + vi->idle.used++) %
                            VIOMMU_NR_IDLE];
    place->shadow = s->id;
    place->addr = addr;
}

bool table_trim(struct viommu *vi)
{
    if ( !vi->idle.used )
        return false;

    while ( vi->idle.used )
        end_idle(vi);
    removed_flush(vi);

    return true;
}

bool table_drop_empty(struct viommu *vi, struct viommu_shadow *s,
                      uint64_t addr)
{
    if ( descend(vi, s, addr, 1) != 1 ||
         (*entry_of(vi, addr, 2) & SHADOW_PTE_LIVE) )
        return false;

    unlink_tables(vi, s, addr, 1);

    return true;
}

/* Makes the tables down to a level for addr, all of them or none. */
static int make_tables(struct viommu *vi, struct viommu_shadow *s,
                       uint64_t addr, unsigned int lowest)
{
    mfn_t mfn[VIOMMU_SHADOW_LEVELS];
    unsigned int level = descend(vi, s, addr, lowest);
    unsigned int missing = level - lowest, i;

    if ( !missing )
        return 0;

    /* What goes may be above the tables that are missing. */
    if ( !pool_has_room(vi, missing) && table_trim(vi) )
    {
        level = descend(vi, s, addr, lowest);
        missing = level - lowest;
    }
    if ( !pool_has_room(vi, missing) )
        return -ENOSPC;

    for ( i = 0; i < missing; i++ )
    {
        mfn[i] = pool_alloc(vi);
        if ( mfn_eq(mfn[i], INVALID_MFN) )
        {
            while ( i-- )
                pool_free(vi, mfn[i]);
            return -ENOMEM;
        }
    }

    for ( i = 0; i < missing; i++, level-- )
    {
        write_entry(entry_of(vi, addr, level), shadow_pte_link(mfn[i], 0));
        if ( level < VIOMMU_SHADOW_LEVELS )
            add_live(vi, addr, level, 1);
        if ( !enter(vi, addr, level - 1) )
        {
            ASSERT_UNREACHABLE();
            return -EINVAL;
        }
    }

    return 0;
}

/* Makes the two tables that a shadow always has. */
static int make_root(struct viommu *vi, struct viommu_shadow *s)
{
    mfn_t first;

    s->root = pool_alloc(vi);
    if ( mfn_eq(s->root, INVALID_MFN) )
        return -ENOMEM;

    first = pool_alloc(vi);
    if ( mfn_eq(first, INVALID_MFN) )
    {
        pool_free(vi, s->root);
        return -ENOMEM;
    }

    /* The count starts at 1, so that this table stays. */
    write_entry(hw_table(s->root), shadow_pte_link(first, 1));

    return 0;
}

static void free_root(struct viommu *vi, struct viommu_shadow *s)
{
    mfn_t first = shadow_pte_mfn(*hw_table(s->root));

    if ( vi->path.s == s )
        vi->path.s = NULL;
    pool_free(vi, first);
    pool_free(vi, s->root);
}

struct viommu_shadow *table_create(struct viommu *vi)
{
    struct viommu_shadow *s;

    if ( !pool_has_room(vi, 2) &&
         (!table_trim(vi) || !pool_has_room(vi, 2)) )
        return NULL;

    s = xzalloc(struct viommu_shadow);
    if ( !s )
        return NULL;

    s->id = ++vi->last_shadow;
    s->of.kind = VIOMMU_BLOCKED;
    if ( make_root(vi, s) )
        goto free;
    if ( !hw_shadow_init(s) )
        return s;

    free_root(vi, s);
 free:
    xfree(s);

    return NULL;
}

void table_destroy(struct viommu *vi, struct viommu_shadow *s)
{
    hw_shadow_fini(s);
    free_root(vi, s);
    xfree(s);
}

/* ---- Leaves. ---- */

int table_write(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                unsigned int level, uint64_t pte)
{
    uint64_t *entry, old;
    int rc;

    if ( unlikely(vi->path.s != s || !on_path(vi, addr, level)) )
    {
        rc = make_tables(vi, s, addr, level);
        if ( rc )
            return rc;
    }

    entry = entry_of(vi, addr, level);
    old = *entry;
    write_entry(entry, pte);
    if ( !old && pte )
        add_live(vi, addr, level, 1);
    else if ( old && !pte && !add_live(vi, addr, level, -1) )
    {
        if ( level == 1 )
            begin_idle(vi, s, addr);
        else
            unlink_tables(vi, s, addr, level);
    }

    return 0;
}

void table_annotate(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                    unsigned int level, uint64_t bits)
{
    uint64_t *entry;

    if ( unlikely(vi->path.s != s || !on_path(vi, addr, level)) &&
         descend(vi, s, addr, level) != level )
    {
        ASSERT_UNREACHABLE();
        return;
    }

    entry = entry_of(vi, addr, level);
    ASSERT(shadow_pte_present(*entry));
    ACCESS_ONCE(*entry) = (*entry & ~SHADOW_PTE_NOTE) | bits;
}

/* ---- Superpages. ---- */

/* The link to the table below that level for addr; NULL: there is none. */
static uint64_t *link_of(struct viommu *vi, struct viommu_shadow *s,
                         uint64_t addr, unsigned int level)
{
    if ( descend(vi, s, addr, level - 1) != level - 1 )
        return NULL;

    return entry_of(vi, addr, level);
}

void table_mark(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                unsigned int level)
{
    s->marked = true;
    for ( ; level > 1; level-- )
    {
        uint64_t *link = link_of(vi, s, addr, level);

        if ( link && !(*link & SHADOW_PTE_MARK) )
            ACCESS_ONCE(*link) = *link | SHADOW_PTE_MARK;
    }
}

void table_unmark(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                  unsigned int level)
{
    uint64_t *link = s->marked ? link_of(vi, s, addr, level) : NULL;

    if ( link && (*link & SHADOW_PTE_MARK) )
        ACCESS_ONCE(*link) = *link & ~SHADOW_PTE_MARK;
}

unsigned int table_origin(struct viommu *vi, struct viommu_shadow *s,
                          uint64_t addr)
{
    struct shadow_leaf leaf;
    const uint64_t *link;

    /* A superpage of the shadow comes from one of the guest. */
    if ( !s->marked )
        return 1;

    link = link_of(vi, s, addr, 3);
    if ( link && (*link & SHADOW_PTE_MARK) )
        return 3;

    link = link_of(vi, s, addr, 2);
    if ( link && (*link & SHADOW_PTE_MARK) )
        return 2;

    table_lookup(vi, s, addr, &leaf);

    return leaf.pte ? leaf.level : 1;
}

int table_split(struct viommu *vi, struct viommu_shadow *s, uint64_t addr)
{
    struct shadow_leaf leaf;
    uint64_t *table;
    unsigned int i;
    mfn_t mfn;

    table_lookup(vi, s, addr, &leaf);
    if ( !(leaf.pte & VTD_PTE_SP) )
    {
        ASSERT_UNREACHABLE();
        return -EINVAL;
    }

    if ( leaf.level > 2 )
    {
        /* Its page may still wait for the flush. */
        if ( !vi->spare.pages )
            removed_flush(vi);
        mfn = pool_take_reserve(vi);
    }
    else if ( pool_has_room(vi, 1) ||
              (table_trim(vi) && pool_has_room(vi, 1)) )
        mfn = pool_alloc(vi);
    else
        return -ENOSPC;
    if ( mfn_eq(mfn, INVALID_MFN) )
        return -ENOMEM;

    /* A trim may have walked elsewhere. */
    if ( descend(vi, s, addr, leaf.level) != leaf.level )
    {
        ASSERT_UNREACHABLE();
        return -EINVAL;
    }

    table = hw_table(mfn);
    if ( leaf.level == 2 )
        leaf.pte &= ~VTD_PTE_SP;
    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        write_entry(&table[i], leaf.pte + i * VTD_LEVEL_SIZE(leaf.level - 1));

    /* It says the same as before; what is cached goes with what differs. */
    write_entry(entry_of(vi, addr, leaf.level),
                shadow_pte_link(mfn, VTD_TABLE_ENTRIES) | SHADOW_PTE_MARK);
    viommu_count_n(vi, leaves_mapped, VTD_TABLE_ENTRIES - 1);
    removed_changed(vi, s, addr, leaf.level, false);

    return 0;
}

bool table_merge(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
                 unsigned int level, uint64_t pte)
{
    const uint64_t part = level > 2 ? pte : pte & ~VTD_PTE_SP;
    uint64_t *link = link_of(vi, s, addr, level);
    unsigned int i;
    mfn_t mfn;

    if ( !link )
        return false;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        if ( vi->path.table[level - 2][i] !=
             part + i * VTD_LEVEL_SIZE(level - 1) )
            return false;

    mfn = shadow_pte_mfn(*link);
    forget(vi, level - 1);
    write_entry(link, pte);
    viommu_count_n(vi, leaves_unmapped, VTD_TABLE_ENTRIES - 1);
    removed_changed(vi, s, addr, level, false);
    if ( level > 2 )
        pool_reserve(vi);
    removed_table(vi, s, addr, mfn);

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
