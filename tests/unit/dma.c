/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dma.c: how a device's requests are translated by the machine (VT-d 3.7).
 */
#include "fake-hw.h"

/* Bits of an entry that are neither used nor ignored by this machine. */
static void check_entry(uint64_t entry, unsigned int level)
{
    uint64_t known = VTD_PTE_R | VTD_PTE_W | VTD_PTE_ADDR | VTD_PTE_IGNORED;

    if ( level > 1 && !(entry & VTD_PTE_SP) )
        known |= VTD_PTE_IGNORED_LINK;
    if ( level > 1 && level <= hw.caps.leaf_level )
        known |= VTD_PTE_SP;
    if ( (level == 1 || (entry & VTD_PTE_SP)) && hw.caps.snoop )
        known |= VTD_PTE_SNP;
    if ( entry & ~known )
        FAIL("reserved bits in entry %#llx of level %u",
             (unsigned long long)entry, level);
}

static bool walk(const struct viommu_shadow *s, uint64_t addr, uint64_t *leaf)
{
    unsigned int level = VIOMMU_SHADOW_LEVELS;
    unsigned long mfn = mfn_x(s->root);
    bool read = true, write = true;
    uint64_t entry = 0;

    if ( addr >> VTD_LEVEL_WIDTH(hw.caps.levels) )
        return false;
    /* Such a unit is given the first table of the next level as root. */
    for ( ; level > hw.caps.levels; level-- )
        mfn = entry_mfn(hw_table_of(mfn)->seen[0]);

    for ( ; level; level-- )
    {
        entry = hw_table_of(mfn)->seen[VTD_LEVEL_INDEX(addr, level)];
        read &= !!(entry & VTD_PTE_R);
        write &= !!(entry & VTD_PTE_W);
        if ( !read && !write )
            return false;
        check_entry(entry, level);
        if ( entry & VTD_PTE_SP )
        {
            entry &= ~VTD_PTE_SP;
            entry += addr & (VTD_LEVEL_SIZE(level) - VTD_LEVEL_SIZE(1));
            break;
        }
        mfn = entry_mfn(entry);
    }

    *leaf = (entry & ~(VTD_PTE_R | VTD_PTE_W)) | (read ? VTD_PTE_R : 0) |
            (write ? VTD_PTE_W : 0);

    return true;
}

static struct dma dma_identity(uint64_t addr, bool write)
{
    unsigned long gfn = addr >> VTD_PAGE_SHIFT;
    enum gfn_type type = guest_type(gfn);
    struct dma dma = {
        .ok = type == GFN_RAM || (type == GFN_RAM_RO && !write),
    };

    if ( dma.ok )
        dma.mfn = guest_frame(gfn);

    return dma;
}

struct dma device_dma(uint32_t sbdf, uint64_t addr, bool write)
{
    uint64_t right = write ? VTD_PTE_W : VTD_PTE_R, leaf;
    struct dma dma = { .ok = false };
    struct viommu_shadow *s;
    unsigned int i;

    switch ( hw_attached_to(sbdf, &s) )
    {
    case ON_IDENTITY:
        return dma_identity(addr, write);

    case ON_SHADOW:
        break;

    case ON_NOTHING:
    default:
        return dma;
    }

    /* The most harmful of all that may be cached. */
    for ( i = 0; i < s->hw->nr_stale; i++ )
    {
        const struct stale *c = &s->hw->stale[i];

        if ( c->addr >> VTD_PAGE_SHIFT != addr >> VTD_PAGE_SHIFT )
            continue;
        if ( !c->entry )
            return dma;
        if ( c->entry & right )
        {
            dma.ok = true;
            dma.mfn = entry_mfn(c->entry);
            return dma;
        }
    }

    if ( walk(s, addr, &leaf) && (leaf & right) )
    {
        dma.ok = true;
        dma.mfn = entry_mfn(leaf);
    }

    return dma;
}

static void scan(unsigned long mfn, unsigned int level, uint64_t addr,
                 void (*leaf)(void *, uint64_t, unsigned long, bool, bool),
                 void *arg)
{
    const struct table *t = hw_table_of(mfn);
    unsigned int i;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
    {
        uint64_t entry = t->seen[i];
        uint64_t to = addr + i * VTD_LEVEL_SIZE(level);

        if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
            continue;
        check_entry(entry, level);
        if ( entry & VTD_PTE_SP )
        {
            unsigned int n;

            for ( n = 0; n < VTD_LEVEL_PAGES(level); n++ )
                leaf(arg, to + n * VTD_LEVEL_SIZE(1), entry_mfn(entry) + n,
                     entry & VTD_PTE_R, entry & VTD_PTE_W);
        }
        else if ( level > 1 )
            scan(entry_mfn(entry), level - 1, to, leaf, arg);
        else
            leaf(arg, to, entry_mfn(entry), entry & VTD_PTE_R,
                 entry & VTD_PTE_W);
    }
}

void hw_scan(const struct viommu_shadow *s,
             void (*leaf)(void *arg, uint64_t addr, unsigned long mfn,
                          bool read, bool write), void *arg)
{
    scan(mfn_x(s->root), VIOMMU_SHADOW_LEVELS, 0, leaf, arg);
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
