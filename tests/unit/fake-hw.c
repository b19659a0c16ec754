/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake-hw.c: table pages, and what hardware has cached of them.
 *
 * A page has two copies: what the core wrote, and what it told the hardware
 * with hw_table_sync(). Only the second one counts here, so that a missing
 * sync shows. A translation that leaves the tables of a shadow in use is stale
 * until a flush covers it, and may be used by devices all that time.
 */
#include <stdlib.h>

#include "fake-hw.h"

struct fake_hw hw;

#define NR_TABLES 40000
struct table *tables[NR_TABLES];
static unsigned int nr_tables, free_tables;   /* a list through ->next_free */

/* How often a frame is named: by leaves, by what is cached of former ones. */
static unsigned int named[NR_GFNS], cached[NR_GFNS];

static void check_locks(unsigned int needed)
{
    if ( harness_locks_held(RANK_REG) )
        FAIL("hardware used under reg_lock");
    if ( (harness.locks & needed) != needed )
        FAIL("locks %#x needed, %#x held", needed, harness.locks);
}

static unsigned long frame_index(unsigned long mfn)
{
    if ( mfn - MFN_GUEST >= NR_GFNS )
        FAIL("a device can reach %#lx, not the domain's", mfn);

    return mfn - MFN_GUEST;
}

bool hw_reaches(unsigned long mfn)
{
    unsigned long i = frame_index(mfn);

    return named[i] || cached[i];
}

struct table *hw_table_of(unsigned long mfn)
{
    unsigned long i = mfn - MFN_TABLE;

    if ( i >= nr_tables || !tables[i]->entries )
        FAIL("%#lx is no table page in use", mfn);

    return tables[i];
}

/* ---- What is cached ---- */

static void make_stale(struct hw_attachment *a, uint64_t addr, uint64_t entry)
{
    struct stale *s;

    /* Of a shadow that no device is attached to, nothing is cached. */
    if ( !a->devices )
        return;
    if ( a->nr_stale == a->room )
    {
        a->room = a->room ? 2 * a->room : 16;
        a->stale = realloc(a->stale, a->room * sizeof(*s));
        if ( !a->stale )
            abort();
    }
    s = &a->stale[a->nr_stale++];
    s->addr = addr;
    s->entry = entry;
    hw.stale++;
    if ( entry & (VTD_PTE_R | VTD_PTE_W) )
        cached[frame_index(entry_mfn(entry))]++;
}

/* Forgets what is cached of a block of addresses. */
static unsigned int forget(struct hw_attachment *a, uint64_t first,
                           uint64_t last)
{
    unsigned int i = 0, n = 0;

    while ( i < a->nr_stale )
    {
        struct stale *s = &a->stale[i];

        if ( s->addr < first || s->addr > last )
        {
            i++;
            continue;
        }
        if ( s->entry & (VTD_PTE_R | VTD_PTE_W) )
            cached[frame_index(entry_mfn(s->entry))]--;
        *s = a->stale[--a->nr_stale];
        hw.stale--;
        n++;
    }

    /* Tables that were passed on the way; a page in them is enough. */
    for ( i = 0; a->unlinked && i < nr_tables; i++ )
    {
        struct table *t = tables[i];

        if ( t->unlinked_from == a && t->base <= last &&
             t->base + (VTD_LEVEL_SIZE(t->level + 1) - 1) >= first )
        {
            t->unlinked_from = NULL;
            a->unlinked--;
            n++;
        }
    }

    return n;
}

/* ---- What the tables hold ---- */

static void entry_changes(struct hw_attachment *a, unsigned int level,
                          uint64_t addr, uint64_t old, uint64_t new);

/* What differs between two entries for the hardware, links or not. */
static uint64_t differs(uint64_t a, uint64_t b)
{
    return (a ^ b) & ~(VTD_PTE_IGNORED | VTD_PTE_IGNORED_LINK);
}

static void check_seen(const struct table *t)
{
    unsigned int i;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        if ( differs(t->entries[i], t->seen[i]) )
            FAIL("an entry was written, but not for the hardware");
}

/* A table, with all below it, becomes part of a shadow or ceases to be. */
static void link_table(struct hw_attachment *a, unsigned int level,
                       uint64_t addr, unsigned long mfn)
{
    struct table *t = hw_table_of(mfn);
    unsigned int i;

    if ( t->in )
        FAIL("table %#lx is linked twice", mfn);
    check_seen(t);
    t->in = a;
    t->level = level;
    t->base = addr;
    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        if ( t->seen[i] )
            entry_changes(a, level, addr + i * VTD_LEVEL_SIZE(level), 0,
                          t->seen[i]);
}

static void unlink_table(struct hw_attachment *a, unsigned long mfn)
{
    struct table *t = hw_table_of(mfn);
    unsigned int i;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
        if ( t->seen[i] )
            entry_changes(a, t->level,
                          t->base + i * VTD_LEVEL_SIZE(t->level),
                          t->seen[i], 0);
    t->in = NULL;
    if ( a->devices )
    {
        t->unlinked_from = a;
        a->unlinked++;
    }
}

/* A superpage is all of its pages; one of old and new is 0. */
static void superpage_changes(struct hw_attachment *a, unsigned int level,
                              uint64_t addr, uint64_t old, uint64_t new)
{
    unsigned int i;

    if ( level > hw.caps.leaf_level )
        FAIL("a superpage of level %u is not known to this machine", level);
    if ( (old | new) & VTD_PTE_ADDR & (VTD_LEVEL_SIZE(level) - 1) )
        FAIL("the frame of a superpage is not aligned");
    hw.huge += level == 3 && new;

    for ( i = 0; i < VTD_LEVEL_PAGES(level); i++ )
    {
        uint64_t offset = i * VTD_LEVEL_SIZE(1);

        entry_changes(a, 1, addr + offset,
                      old ? (old & ~VTD_PTE_SP) + offset : 0,
                      new ? (new & ~VTD_PTE_SP) + offset : 0);
    }
}

static void entry_changes(struct hw_attachment *a, unsigned int level,
                          uint64_t addr, uint64_t old, uint64_t new)
{
    bool had = old & (VTD_PTE_R | VTD_PTE_W);
    bool has = new & (VTD_PTE_R | VTD_PTE_W);
    uint64_t diff = differs(old, new);

    if ( !diff || (!had && !has) )
        return;

    /* First what comes, so that a frame that stays is named all the time. */
    if ( level > 1 )
    {
        if ( has && (new & VTD_PTE_SP) )
            superpage_changes(a, level, addr, 0, new);
        else if ( has )
            link_table(a, level - 1, addr, entry_mfn(new));
        if ( had && (old & VTD_PTE_SP) )
            superpage_changes(a, level, addr, old, 0);
        else if ( had )
            unlink_table(a, entry_mfn(old));
        return;
    }

    if ( has )
    {
        /* Invariant 1: from before the leaf is written. */
        named[frame_index(entry_mfn(new))]++;
        if ( !guest_refs(entry_mfn(new)) )
            FAIL("leaf of a frame without a reference");
    }
    if ( had )
    {
        named[frame_index(entry_mfn(old))]--;
        make_stale(a, addr, old);
    }
    else if ( hw.caching_mode )
        make_stale(a, addr, 0);
}

/* ---- The boundary: table pages ---- */

bool hw_unit(unsigned int n, struct hw_unit *unit)
{
    const struct fake_caps *c = &hw.caps;

    /* The least of what the two can is what counts. */
    if ( n >= 2 || !c->levels )
        return false;

    unit->cap = (c->levels > 2 ? VTD_CAP_SAGAW_39 : 0) |
                (c->levels > 3 ? VTD_CAP_SAGAW_48 : 0) |
                MASK_INSR((c->width ?: VTD_LEVEL_WIDTH(c->levels)) - 1ULL,
                          VTD_CAP_MGAW) |
                (c->zlr ? VTD_CAP_ZLR : 0) |
                (c->leaf_level > 1 ? VTD_CAP_SLLPS_2M : 0) |
                (c->leaf_level > 2 ? VTD_CAP_SLLPS_1G : 0);
    unit->ecap = c->snoop ? VTD_ECAP_SC : 0;
    if ( !n )
    {
        unit->cap |= VTD_CAP_SAGAW_48 | VTD_CAP_ZLR | VTD_CAP_SLLPS_2M |
                     VTD_CAP_SLLPS_1G | VTD_CAP_MGAW;
        unit->ecap |= VTD_ECAP_SC;
    }

    return true;
}

uint64_t hw_superpages(void)
{
    return VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G;
}

bool hw_snoop(void)
{
    return true;
}

/* The tables stand in the second half of a block that says whose they are. */
#define HALF (VTD_TABLE_ENTRIES * sizeof(uint64_t))

mfn_t hw_table_alloc(struct viommu *vi)
{
    struct table *t;

    (void)vi;
    check_locks(0);
    if ( harness_starve() )
        return INVALID_MFN;

    if ( free_tables )
    {
        t = tables[free_tables - 1];
        free_tables = t->next_free;
    }
    else
    {
        CHECK(nr_tables < NR_TABLES);
        t = calloc(1, sizeof(*t));
        if ( !t )
            abort();
        t->index = nr_tables;
        tables[nr_tables++] = t;
    }
    t->block = aligned_alloc(2 * HALF, 2 * HALF);
    t->seen = calloc(1, HALF);
    if ( !t->block || !t->seen )
        abort();
    memset(t->block, 0, 2 * HALF);
    *(struct table **)t->block = t;
    t->entries = (uint64_t *)((char *)t->block + HALF);
    hw.tables++;

    return _mfn(MFN_TABLE + t->index);
}

void hw_table_free(struct viommu *vi, mfn_t mfn)
{
    struct table *t = hw_table_of(mfn_x(mfn));

    check_locks(0);
    if ( t->in )
        FAIL("table freed while linked");
    if ( t->unlinked_from )
        FAIL("table freed before a flush");

    /* Whoever uses it from now on is caught by the sanitizer. */
    free(t->block);
    free(t->seen);
    t->entries = t->seen = NULL;
    t->block = NULL;
    t->next_free = free_tables;
    free_tables = t->index + 1;
    hw.tables--;
}

uint64_t *hw_table(mfn_t mfn)
{
    struct table *t = hw_table_of(mfn_x(mfn));

    check_locks(0);
    if ( t->unlinked_from )
        FAIL("a table is used again before a flush");

    return t->entries;
}

void hw_check(void)
{
    unsigned int i;

    for ( i = 0; i < nr_tables; i++ )
        if ( tables[i]->entries && tables[i]->in )
            check_seen(tables[i]);
}

void hw_table_sync(const uint64_t *entry)
{
    struct table *t = *(struct table **)((uintptr_t)entry & ~(2 * HALF - 1));
    unsigned int i = entry - t->entries;
    uint64_t old = t->seen[i];

    t->seen[i] = *entry;
    hw.writes++;
    if ( t->in )
        entry_changes(t->in, t->level,
                      t->base + i * VTD_LEVEL_SIZE(t->level), old, *entry);
}

/* ---- The boundary: shadows ---- */

int hw_shadow_init(struct viommu_shadow *s)
{
    if ( harness_starve() )
        return -ENOSPC;

    s->hw = calloc(1, sizeof(*s->hw));
    if ( !s->hw )
        abort();
    s->hw->s = s;
    hw.shadows++;
    link_table(s->hw, VIOMMU_SHADOW_LEVELS, 0, mfn_x(s->root));

    return 0;
}

void hw_shadow_fini(struct viommu_shadow *s)
{
    struct hw_attachment *a = s->hw;

    if ( a->devices )
        FAIL("shadow destroyed while a device is attached");
    CHECK(!a->nr_stale && !a->unlinked);
    unlink_table(a, mfn_x(s->root));
    free(a->stale);
    free(a);
    s->hw = NULL;
    hw.shadows--;
}

void hw_flush(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
              unsigned int order, bool fresh)
{
    uint64_t size = (uint64_t)1 << (VTD_PAGE_SHIFT + order);

    (void)vi;
    check_locks(1U << RANK_SYNC);
    CHECK(order <= VTD_LEVEL_WIDTH(VIOMMU_SHADOW_LEVELS) - VTD_PAGE_SHIFT);
    CHECK(IS_ALIGNED(addr, size));
    hw.last_order = order;
    if ( fresh )
        hw.fresh_flushes++;
    else
        hw.flushes++;
    /* A unit that does not cache not-present entries is spared this one. */
    if ( fresh && !hw.caching_mode )
        return;

    forget(s->hw, addr, addr + size - 1);
}

/* ---- The boundary: devices ---- */

static struct hw_device {
    uint32_t sbdf;
    bool known, blocked;
    struct viommu_shadow *s;
} devices[NR_HW_DEVICES];

static struct hw_device *find_device(uint32_t sbdf)
{
    unsigned int i;

    for ( i = 0; i < NR_HW_DEVICES; i++ )
        if ( devices[i].known && devices[i].sbdf == sbdf )
            return &devices[i];

    FAIL("no device %#x in this machine", sbdf);
}

void hw_add_device(uint32_t sbdf)
{
    unsigned int i;

    for ( i = 0; devices[i].known; i++ )
        CHECK(i < NR_HW_DEVICES - 1);
    devices[i].known = true;
    devices[i].sbdf = sbdf;
}

void hw_reassign(uint32_t sbdf)
{
    struct hw_device *d = find_device(sbdf);

    CHECK(!d->s);
    d->blocked = false;
}

enum hw_attached hw_attached_to(uint32_t sbdf, struct viommu_shadow **s)
{
    const struct hw_device *d = find_device(sbdf);

    if ( s )
        *s = d->s;

    return d->s ? ON_SHADOW : d->blocked ? ON_NOTHING : ON_IDENTITY;
}

static spinlock_t pcidevs = { .rank = RANK_PCIDEVS };

void hw_pcidevs_lock(void)
{
    spin_lock(&pcidevs);
}

bool hw_pcidevs_trylock(void)
{
    return spin_trylock(&pcidevs);
}

void hw_pcidevs_unlock(void)
{
    spin_unlock(&pcidevs);
}

int hw_check_device(struct viommu *vi, pci_sbdf_t sbdf)
{
    (void)vi;
    check_locks(1U << RANK_PCIDEVS);
    find_device(sbdf.sbdf);

    return hw.is_rmrr ? -EOPNOTSUPP : 0;
}

/* Another table for the device; flushes what was cached of the old one. */
static void move(struct hw_device *d, struct viommu_shadow *s, bool blocked)
{
    struct viommu_shadow *old = d->s;

    if ( s )
        s->hw->devices++;
    d->s = s;
    d->blocked = blocked;
    if ( !old )
        return;
    forget(old->hw, 0, ~0ULL);
    old->hw->devices--;
}

int hw_attach(struct viommu *vi, struct viommu_device *dev,
              struct viommu_shadow *s)
{
    struct hw_device *d = find_device(dev->sbdf.sbdf);

    (void)vi;
    check_locks((1U << RANK_PCIDEVS) | (1U << RANK_SYNC));
    if ( d->s != dev->shadow )
        FAIL("device %#x is not where the core believes", d->sbdf);
    if ( hw.attach_fails )
    {
        hw.attach_fails--;
        hw.attach_failed++;
        move(d, NULL, true);
        return -ENOSPC;
    }
    hw.attaches++;
    move(d, s, false);

    return 0;
}

void hw_reset(void)
{
    const struct fake_caps caps = { .levels = 4, .snoop = true, .zlr = true,
                                    .leaf_level = 3 };
    unsigned int i;

    /* A test that failed leaves things behind. */
    for ( i = 0; i < nr_tables; i++ )
    {
        free(tables[i]->block);
        free(tables[i]->seen);
        free(tables[i]);
    }
    nr_tables = free_tables = 0;
    memset(named, 0, sizeof(named));
    memset(cached, 0, sizeof(cached));
    memset(devices, 0, sizeof(devices));
    memset(&hw, 0, sizeof(hw));
    hw.caps = caps;
    pcidevs.locked = false;
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
