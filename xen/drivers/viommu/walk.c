/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.c: reads the guest's root, context and second-level tables (VT-d 9).
 *
 * The guest may change them at any time. So every entry is read once, checked,
 * and then used; a walk ends after as many steps as a table has levels, even
 * if tables point at each other. What the specification would report as a
 * fault of a request is a hole here: nothing is reachable through it.
 */
#include "format.h"
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
    const uint64_t *entry = frame_page(vi, table, VIOMMU_USE_CONTEXT,
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
static uint64_t reserved(const struct viommu *vi, unsigned int level,
                         bool is_leaf)
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

    return rsvd;
}

void walk_init(struct viommu *vi)
{
    unsigned int level;

    for ( level = 1; level <= VIOMMU_SHADOW_LEVELS; level++ )
    {
        vi->link_rsvd[level - 1] = reserved(vi, level, false);
        vi->leaf_rsvd[level - 1] = reserved(vi, level, true);
    }
}

/* What an entry is that leads no further: a leaf, or a hole. */
static void end_walk(struct viommu *vi, uint64_t entry,
                     struct guest_leaf *leaf)
{
    leaf->rights = leaf->fault = 0;
    if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
        return;

    if ( entry & vi->leaf_rsvd[leaf->level - 1] )
    {
        viommu_count(vi, rej_entry);
        leaf->fault = VTD_FR_TABLE_RSVD;
        return;
    }

    leaf->rights = leaf->above & entry;
    leaf->gfn = _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
}

/* The way that was gone to a leaf table, by its links. */
static void note_way(struct viommu *vi, const struct viommu_target *of,
                     uint64_t addr, uint64_t generation,
                     const uint64_t *link[VIOMMU_SHADOW_LEVELS],
                     const uint64_t said[VIOMMU_SHADOW_LEVELS],
                     const struct guest_leaf *leaf)
{
    vi->frames.way.generation = generation;
    vi->frames.way.region = addr >> VTD_LEVEL_SHIFT(2);
    vi->frames.way.from = walk_from(of);
    memcpy(vi->frames.way.link, link + 1, sizeof(vi->frames.way.link));
    memcpy(vi->frames.way.said, said + 1, sizeof(vi->frames.way.said));
    /* Three levels have one link less: it always says the same. */
    if ( of->levels < VIOMMU_SHADOW_LEVELS )
        vi->frames.way.link[2] = &vi->frames.way.said[2];
    vi->frames.way.table = leaf->table;
    vi->frames.way.rights = leaf->above;
}

void walk_leaf(struct viommu *vi, const struct viommu_target *of,
               uint64_t addr, bool populate, struct guest_leaf *leaf)
{
    const uint64_t *link[VIOMMU_SHADOW_LEVELS] = {};
    uint64_t said[VIOMMU_SHADOW_LEVELS] = {};
    const uint64_t generation = ACCESS_ONCE(vi->generation);
    const unsigned int unmapped = vi->frames.unmapped;
    unsigned int level = of->levels, shift;
    uint64_t entry, table = of->table, rights = VTD_PTE_R | VTD_PTE_W;

    leaf->table = walk_way(vi, of, addr);
    if ( likely(leaf->table) )
    {
        leaf->above = vi->frames.way.rights;
        walk_entry(vi, ACCESS_ONCE(leaf->table[VTD_LEVEL_INDEX(addr, 1)]),
                   leaf);
        return;
    }

    leaf->rights = 0;

    /* The empty table, and what lies beyond the guest's or any table. */
    if ( of->kind != VIOMMU_SHADOW ||
         (addr >> min(VTD_LEVEL_WIDTH(of->levels), vi->width)) )
    {
        leaf->level = VIOMMU_SHADOW_LEVELS;
        leaf->fault = VTD_FR_BEYOND_WIDTH;
        return;
    }

    for ( shift = VTD_LEVEL_SHIFT(level); ;
          level--, shift -= VTD_LEVEL_STRIDE )
    {
        leaf->table = frame_page(vi, table, VIOMMU_USE_TABLE + level - 1,
                                 populate);
        leaf->level = level;
        leaf->above = rights;
        if ( unlikely(!leaf->table) )
        {
            viommu_count(vi, rej_table);
            leaf->fault = VTD_FR_TABLE_ADDR;
            return;
        }

        link[level - 1] = &leaf->table[(addr >> shift) &
                                       (VTD_TABLE_ENTRIES - 1)];
        said[level - 1] = entry = ACCESS_ONCE(*link[level - 1]);
        if ( level == 1 || (entry & VTD_PTE_SP) ||
             !(entry & (VTD_PTE_R | VTD_PTE_W)) )
            break;

        if ( unlikely(entry & vi->link_rsvd[level - 1]) )
        {
            viommu_count(vi, rej_entry);
            leaf->fault = VTD_FR_TABLE_RSVD;
            return;
        }

        rights &= entry;
        table = entry & VTD_PTE_ADDR;
        if ( !rights )
        {
            leaf->fault = 0;
            return;
        }
    }

    end_walk(vi, entry, leaf);

    /* One of the pages may have had to go for another one. */
    if ( level == 1 && vi->frames.unmapped == unmapped )
        note_way(vi, of, addr, generation, link, said, leaf);
}

void walk_entry(struct viommu *vi, uint64_t entry, struct guest_leaf *leaf)
{
    leaf->level = 1;
    end_walk(vi, entry, leaf);
}

unsigned int walk_holes(const struct guest_leaf *leaf, uint64_t addr)
{
    const unsigned int index = VTD_LEVEL_INDEX(addr, leaf->level);

    return count_without(leaf->table + index, VTD_TABLE_ENTRIES - index,
                         VTD_PTE_R | VTD_PTE_W);
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
