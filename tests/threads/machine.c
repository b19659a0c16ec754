/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machine.c: tables and devices. Compiled without ThreadSanitizer.
 *
 * A request and a flush exclude each other, as a real unit completes requests
 * that use what is flushed before it says that the flush is done. Devices keep
 * translations, and where leaf tables are, until a flush that covers them.
 */
#include <stdlib.h>

#include "world.h"

#define MFN_TABLE 0x5000000UL
#define NR_TABLES 8192U

static struct table {
    uint64_t *entries;           /* NULL: free */
} tables[NR_TABLES];
static quiet_lock_t table_lock;
static volatile unsigned int nr_tables, nr_shadows;

/* One for all that devices use. */
static quiet_lock_t hw_lock;

struct cached {
    const struct viommu_shadow *s;   /* NULL: nothing */
    uint64_t addr, entry;
};

#define NR_CACHED 64
static struct device {
    struct world *w;
    uint32_t sbdf;
    struct viommu_shadow *s;     /* NULL: the domain's own table */
    struct cached leaf[NR_CACHED], table[NR_CACHED];
} devices[NR_WORLDS * NR_DEVICES];

uint32_t device_sbdf(const struct world *w, unsigned int dev)
{
    return 0x300 + (w->index * NR_DEVICES + dev) * 8;
}

uint32_t device_vsbdf(unsigned int dev)
{
    return (XEN_VIOMMU_SLOT_FIRST + dev) * 8;
}

void machine_init(void)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(devices); i++ )
    {
        devices[i].w = &worlds[i / NR_DEVICES];
        devices[i].sbdf = device_sbdf(devices[i].w, i % NR_DEVICES);
    }
}

static struct device *find_device(uint32_t sbdf)
{
    unsigned int i = (sbdf - 0x300) / 8;

    if ( i >= ARRAY_SIZE(devices) )
        FAIL("no device %#x in this machine", sbdf);

    return &devices[i];
}

void machine_check(void)
{
    CHECK_EQ(quiet_get(&nr_tables), 0);
    CHECK_EQ(quiet_get(&nr_shadows), 0);
}

bool hw_unit(unsigned int n, struct hw_unit *unit)
{
    unit->cap = VTD_CAP_SAGAW_39 | VTD_CAP_SAGAW_48 | VTD_CAP_ZLR |
                VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G |
                MASK_INSR(VTD_LEVEL_WIDTH(4) - 1ULL, VTD_CAP_MGAW);
    unit->ecap = VTD_ECAP_SC;

    return !n;
}

uint64_t hw_superpages(void)
{
    return VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G;
}

bool hw_snoop(void)
{
    return true;
}

/* ---- Tables ---- */

mfn_t hw_table_alloc(struct viommu *vi)
{
    static unsigned int next;
    unsigned int i;

    quiet_lock(&table_lock);
    /* Not the one that was freed last. */
    for ( i = next; tables[i].entries; i = (i + 1) % NR_TABLES )
        ;
    next = (i + 1) % NR_TABLES;
    tables[i].entries = calloc(VTD_TABLE_ENTRIES, sizeof(uint64_t));
    quiet_unlock(&table_lock);
    if ( !tables[i].entries )
        abort();
    quiet_add(&nr_tables, 1);

    return _mfn(MFN_TABLE + i);
}

static struct table *find_table(unsigned long mfn)
{
    if ( mfn - MFN_TABLE >= NR_TABLES || !tables[mfn - MFN_TABLE].entries )
        FAIL("%#lx is no table page in use", mfn);

    return &tables[mfn - MFN_TABLE];
}

uint64_t *hw_table(mfn_t mfn)
{
    return find_table(mfn_x(mfn))->entries;
}

void hw_table_free(struct viommu *vi, mfn_t mfn)
{
    struct table *t = find_table(mfn_x(mfn));
    uint64_t *entries = t->entries;

    quiet_lock(&hw_lock);
    t->entries = NULL;
    quiet_unlock(&hw_lock);
    free(entries);
    quiet_add(&nr_tables, -1);
}

void hw_table_sync(const uint64_t *entry)
{
}

int hw_shadow_init(struct viommu_shadow *s)
{
    quiet_add(&nr_shadows, 1);

    return 0;
}

void hw_shadow_fini(struct viommu_shadow *s)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(devices); i++ )
        if ( devices[i].s == s )
            FAIL("shadow destroyed while a device is attached");
    quiet_add(&nr_shadows, -1);
}

/* ---- Devices ---- */

static void forget(struct cached *c, const struct viommu_shadow *s,
                   uint64_t first, uint64_t last, uint64_t size)
{
    unsigned int i;

    for ( i = 0; i < NR_CACHED; i++ )
        if ( c[i].s && (!s || c[i].s == s) && c[i].addr <= last &&
             c[i].addr + size > first )
            c[i].s = NULL;
}

void hw_flush(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
              unsigned int order, bool fresh)
{
    uint64_t last = addr + (1ULL << (VTD_PAGE_SHIFT + order)) - 1;
    struct device *d;

    CHECK(harness_locks_held(RANK_SYNC));
    if ( fresh )
        return;

    quiet_lock(&hw_lock);
    for ( d = devices; d < devices + ARRAY_SIZE(devices); d++ )
    {
        forget(d->leaf, s, addr, last, VTD_LEVEL_SIZE(1));
        forget(d->table, s, addr, last, VTD_LEVEL_SIZE(2));
    }
    quiet_unlock(&hw_lock);
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
    return 0;
}

int hw_attach(struct viommu *vi, struct viommu_device *dev,
              struct viommu_shadow *s)
{
    struct device *d = find_device(dev->sbdf.sbdf);

    CHECK(cpu.locks & (1U << RANK_PCIDEVS));
    CHECK(cpu.locks & (1U << RANK_SYNC));
    quiet_lock(&hw_lock);
    if ( d->s != dev->shadow )
        FAIL("device %#x is not where the core believes", d->sbdf);
    d->s = s;
    forget(d->leaf, NULL, 0, ~0ULL, VTD_LEVEL_SIZE(1));
    forget(d->table, NULL, 0, ~0ULL, VTD_LEVEL_SIZE(2));
    quiet_unlock(&hw_lock);

    return 0;
}

/* The leaf for an address, or 0; *table: the last table on the way. */
static uint64_t walk(const struct viommu_shadow *s, uint64_t addr,
                     uint64_t *table)
{
    unsigned long mfn = *table ? *table : mfn_x(s->root);
    unsigned int level = *table ? 1 : VIOMMU_SHADOW_LEVELS;
    uint64_t entry;

    for ( ; ; level-- )
    {
        *table = level == 1 ? mfn : 0;
        entry = ACCESS_ONCE(
            find_table(mfn)->entries[VTD_LEVEL_INDEX(addr, level)]);
        if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
            return 0;
        if ( level == 1 )
            return entry;
        if ( entry & VTD_PTE_SP )
            return (entry & ~VTD_PTE_SP) +
                   (addr & (VTD_LEVEL_SIZE(level) - VTD_LEVEL_SIZE(1)));
        mfn = (entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
    }
}

static struct cached *find_cached(struct cached *c, uint64_t addr)
{
    return &c[addr % NR_CACHED];
}

bool device_dma(struct world *w, unsigned int dev, uint64_t addr, bool write,
                bool cache)
{
    struct device *d = find_device(device_sbdf(w, dev));
    const uint64_t right = write ? VTD_PTE_W : VTD_PTE_R;
    uint64_t page = addr >> VTD_PAGE_SHIFT, table = 0, entry = 0;
    uint64_t block = addr & ~(VTD_LEVEL_SIZE(2) - 1);
    struct cached *leaf = find_cached(d->leaf, page);
    struct cached *tab = find_cached(d->table, block / VTD_LEVEL_SIZE(2));

    addr = page << VTD_PAGE_SHIFT;
    quiet_lock(&hw_lock);
    if ( d->s )
    {
        if ( leaf->s == d->s && leaf->addr == addr )
            entry = leaf->entry;
        if ( !(entry & right) )
        {
            if ( tab->s == d->s && tab->addr == block )
                table = tab->entry;
            entry = walk(d->s, addr, &table);
            if ( cache && entry )
                *leaf = (struct cached){ d->s, addr, entry };
            if ( cache && table )
                *tab = (struct cached){ d->s, block, table };
        }
        /* Invariant 1. */
        if ( (entry & right) &&
             !frame_pinned(w, ((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT) -
                              MFN_GUEST) )
            FAIL("device %#x reaches frame %#llx at %#llx, which is not held",
                 d->sbdf,
                 (unsigned long long)(entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT,
                 (unsigned long long)addr);
    }
    quiet_unlock(&hw_lock);

    return entry & right;
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
