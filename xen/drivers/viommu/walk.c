/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.c: reads the guest's root, context and second-level tables (VT-d 9).
 *
 * The guest may change them at any time. So every entry is read once, checked,
 * and then used; a walk ends after as many steps as a table has levels, even
 * if tables point at each other. What the specification would report as a
 * fault of a request is a hole here: nothing is reachable through it.
 */
#include "frame.h"
#include "walk.h"

/* Bits that no address of the guest has. */
static uint64_t addr_rsvd(const struct viommu *vi)
{
    return ~((1ULL << vi->width) - 1);
}

/* Reads an entry of two quadwords, the one with the P bit first. */
static bool read_pair(struct viommu *vi, paddr_t table, unsigned int index,
                      bool populate, uint64_t *lo, uint64_t *hi)
{
    const uint64_t *entry = frame_page(vi, _gfn(table >> VTD_PAGE_SHIFT),
                                       populate);

    if ( !entry )
        return false;

    entry += index * 2;
    *lo = ACCESS_ONCE(entry[0]);
    smp_rmb();
    *hi = ACCESS_ONCE(entry[1]);

    return true;
}

/* 9.1. The guest's only bus is 0. Returns the reason of a fault, or 0. */
static unsigned int read_root(struct viommu *vi, bool populate,
                              struct vtd_root_entry *root)
{
    unsigned int fault;

    if ( !read_pair(vi, vi->root, 0, populate, &root->lo, &root->hi) )
        fault = VTD_FR_ROOT_ADDR;
    else if ( !(root->lo & VTD_ROOT_P) )
        return VTD_FR_ROOT_NOT_PRESENT;
    else if ( (root->lo & VTD_ROOT_LO_RSVD) || root->hi ||
              (root->lo & VTD_ROOT_CTP & addr_rsvd(vi)) )
        fault = VTD_FR_ROOT_RSVD;
    else
        return 0;

    viommu_count(vi, rej_root);

    return fault;
}

/* 9.3. As read_root(). */
static unsigned int read_context(struct viommu *vi, paddr_t table,
                                 uint8_t devfn, bool populate,
                                 struct vtd_context_entry *ctx)
{
    unsigned int levels, tt, fault;

    if ( !read_pair(vi, table, devfn, populate, &ctx->lo, &ctx->hi) )
    {
        ctx->lo = 0;
        viommu_count(vi, rej_context);
        return VTD_FR_CONTEXT_ADDR;
    }

    if ( !(ctx->lo & VTD_CTX_P) )
        return VTD_FR_CONTEXT_NOT_PRESENT;

    tt = MASK_EXTR(ctx->lo, VTD_CTX_TT);
    levels = MASK_EXTR(ctx->hi, VTD_CTX_HI_AW) + 2;
    if ( (ctx->lo & VTD_CTX_LO_RSVD) || (ctx->hi & VTD_CTX_HI_RSVD) ||
         (tt == VTD_TT_MULTI_LEVEL &&
          (ctx->lo & VTD_CTX_SLPTPTR & addr_rsvd(vi))) )
        fault = VTD_FR_CONTEXT_RSVD;
    /* SAGAW has 39 bits always, 48 if the unit has so many levels. */
    else if ( (levels != 3 && (levels != 4 || vi->levels < 4)) ||
              (tt != VTD_TT_MULTI_LEVEL &&
               (tt != VTD_TT_PASS_THROUGH || !(vi->ecap & VTD_ECAP_PT))) )
        fault = VTD_FR_CONTEXT_INVALID;
    else
        return 0;

    viommu_count(vi, rej_context);

    return fault;
}

unsigned int walk_context(struct viommu *vi, uint8_t devfn, bool populate,
                          struct viommu_target *target, bool *fpd)
{
    const struct viommu_target blocked = { .kind = VIOMMU_BLOCKED };
    struct vtd_root_entry root;
    struct vtd_context_entry ctx = { .lo = 0 };
    unsigned int fault;

    *target = blocked;

    fault = read_root(vi, populate, &root);
    if ( !fault )
        fault = read_context(vi, root.lo & VTD_ROOT_CTP, devfn, populate,
                             &ctx);
    if ( fpd )
        *fpd = ctx.lo & VTD_CTX_FPD;
    if ( fault )
        return fault;

    target->did = MASK_EXTR(ctx.hi, VTD_CTX_HI_DID);
    if ( MASK_EXTR(ctx.lo, VTD_CTX_TT) == VTD_TT_PASS_THROUGH )
        target->kind = VIOMMU_IDENTITY;
    else
    {
        target->kind = VIOMMU_SHADOW;
        target->levels = MASK_EXTR(ctx.hi, VTD_CTX_HI_AW) + 2;
        target->table = ctx.lo & VTD_CTX_SLPTPTR;
    }

    return 0;
}

/* 9.8: bits that a present entry of that level must not have. */
static bool entry_valid(const struct viommu *vi, uint64_t entry,
                        unsigned int level, bool is_leaf)
{
    uint64_t rsvd = (addr_rsvd(vi) & VTD_PTE_ADDR) | VTD_PTE_TM;

    if ( level > 3 )
        rsvd |= VTD_PTE_SP;
    if ( is_leaf )
    {
        rsvd |= VTD_PTE_ADDR & (VTD_LEVEL_SIZE(level) - 1);
        if ( !(vi->ecap & VTD_ECAP_SC) )
            rsvd |= VTD_PTE_SNP;
    }

    return !(entry & rsvd);
}

/*
 * Reads the entry of addr in leaf->table, of leaf->level. Returns whether it
 * leads to a table below.
 */
static bool read_entry(struct viommu *vi, uint64_t addr,
                       struct guest_leaf *leaf)
{
    const unsigned int level = leaf->level;
    uint64_t entry = ACCESS_ONCE(leaf->table[VTD_LEVEL_INDEX(addr, level)]);
    bool is_leaf = level == 1 || (entry & VTD_PTE_SP);

    leaf->entry = entry;
    leaf->present = false;
    leaf->fault = 0;
    leaf->read = leaf->above_read && (entry & VTD_PTE_R);
    leaf->write = leaf->above_write && (entry & VTD_PTE_W);
    if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
        return false;

    if ( !entry_valid(vi, entry, level, is_leaf) )
    {
        viommu_count(vi, rej_entry);
        leaf->fault = VTD_FR_TABLE_RSVD;
        return false;
    }

    if ( !leaf->read && !leaf->write )
        return false;

    leaf->present = is_leaf;
    leaf->gfn = _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);

    return !is_leaf;
}

void walk_leaf(struct viommu *vi, const struct viommu_target *of,
               uint64_t addr, bool populate, struct guest_leaf *leaf)
{
    leaf->present = leaf->read = leaf->write = false;
    leaf->table = NULL;
    leaf->level = VIOMMU_SHADOW_LEVELS;
    leaf->fault = VTD_FR_BEYOND_WIDTH;

    /* The empty table, and what lies beyond the guest's or any table. */
    if ( of->kind != VIOMMU_SHADOW ||
         (addr >> min(VTD_LEVEL_WIDTH(of->levels), vi->width)) )
        return;

    leaf->level = of->levels;
    leaf->gfn = _gfn(of->table >> VTD_PAGE_SHIFT);
    leaf->read = leaf->write = true;
    for ( ; ; leaf->level-- )
    {
        leaf->above_read = leaf->read;
        leaf->above_write = leaf->write;
        leaf->table = frame_page(vi, leaf->gfn, populate);
        if ( !leaf->table )
        {
            viommu_count(vi, rej_table);
            leaf->fault = VTD_FR_TABLE_ADDR;
            return;
        }
        if ( !read_entry(vi, addr, leaf) )
            return;
    }
}

void walk_next(struct viommu *vi, uint64_t addr, struct guest_leaf *leaf)
{
    ASSERT(leaf->table && leaf->level == 1);
    (void)read_entry(vi, addr, leaf);
}

unsigned int walk_holes(const struct guest_leaf *leaf, uint64_t addr)
{
    const unsigned int index = VTD_LEVEL_INDEX(addr, leaf->level);
    const uint64_t *entry = leaf->table + index;
    unsigned int most = VTD_TABLE_ENTRIES - index, n = 0;

    /* Eight at a time, as most are. */
    while ( n + 8 <= most )
    {
        uint64_t any = ACCESS_ONCE(entry[n]) | ACCESS_ONCE(entry[n + 1]) |
                       ACCESS_ONCE(entry[n + 2]) | ACCESS_ONCE(entry[n + 3]) |
                       ACCESS_ONCE(entry[n + 4]) | ACCESS_ONCE(entry[n + 5]) |
                       ACCESS_ONCE(entry[n + 6]) | ACCESS_ONCE(entry[n + 7]);

        if ( any & (VTD_PTE_R | VTD_PTE_W) )
            break;
        n += 8;
    }
    while ( n < most && !(ACCESS_ONCE(entry[n]) & (VTD_PTE_R | VTD_PTE_W)) )
        n++;

    return n;
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
