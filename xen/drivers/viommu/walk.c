/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.c: reads the guest's root, context and second-level tables (VT-d 9).
 *
 * The guest may change them at any time. So every entry is read once, checked,
 * and then used; a walk ends after as many steps as a table has levels, even
 * if tables point at each other. What the specification would report as a
 * fault of a request is a hole here: nothing is reachable through it.
 */
#include "private.h"

/* Bits that no address of the guest has. */
static uint64_t addr_rsvd(const struct viommu *vi)
{
    return ~((1ULL << vi->width) - 1);
}

static bool map_page(struct viommu *vi, struct guest_page *page, paddr_t addr)
{
    gfn_t gfn = _gfn(addr >> VTD_PAGE_SHIFT);

    if ( page->va && gfn_eq(page->gfn, gfn) )
        return true;

    guest_unmap(page);
    page->gfn = gfn;

    return guest_map(vi, page);
}

/* Reads an entry of two quadwords, the one with the P bit first. */
static bool read_pair(struct viommu *vi, paddr_t table, unsigned int index,
                      uint64_t *lo, uint64_t *hi)
{
    struct guest_page page = { .va = NULL };
    const uint64_t *entry;

    if ( !map_page(vi, &page, table) )
        return false;

    entry = (const uint64_t *)page.va + index * 2;
    *lo = ACCESS_ONCE(entry[0]);
    smp_rmb();
    *hi = ACCESS_ONCE(entry[1]);
    guest_unmap(&page);

    return true;
}

/* 9.1. The guest's only bus is 0. Returns the reason of a fault, or 0. */
static unsigned int read_root(struct viommu *vi, struct vtd_root_entry *root)
{
    unsigned int fault;

    if ( !read_pair(vi, vi->root, 0, &root->lo, &root->hi) )
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
                                 uint8_t devfn, struct vtd_context_entry *ctx)
{
    unsigned int levels, tt, fault;

    if ( !read_pair(vi, table, devfn, &ctx->lo, &ctx->hi) )
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
    /* SAGAW has 39 bits always, 48 if that is the unit's width. */
    else if ( (levels != 3 &&
               (levels != 4 || vi->width < VTD_LEVEL_WIDTH(4))) ||
              (tt != VTD_TT_MULTI_LEVEL &&
               (tt != VTD_TT_PASS_THROUGH || !(vi->ecap & VTD_ECAP_PT))) )
        fault = VTD_FR_CONTEXT_INVALID;
    else
        return 0;

    viommu_count(vi, rej_context);

    return fault;
}

unsigned int walk_context(struct viommu *vi, uint8_t devfn,
                          struct viommu_target *target, bool *fpd)
{
    const struct viommu_target blocked = { .kind = VIOMMU_BLOCKED };
    struct vtd_root_entry root;
    struct vtd_context_entry ctx = { .lo = 0 };
    unsigned int fault;

    *target = blocked;

    fault = read_root(vi, &root);
    if ( !fault )
        fault = read_context(vi, root.lo & VTD_ROOT_CTP, devfn, &ctx);
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

void walk_begin(struct guest_walk *w, struct viommu *vi,
                const struct viommu_target *of)
{
    unsigned int i;

    w->vi = vi;
    w->of = of;
    for ( i = 0; i < ARRAY_SIZE(w->page); i++ )
        w->page[i].va = NULL;
}

void walk_end(struct guest_walk *w)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(w->page); i++ )
        guest_unmap(&w->page[i]);
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

void walk_leaf(struct guest_walk *w, uint64_t addr, struct guest_leaf *leaf)
{
    struct viommu *vi = w->vi;
    paddr_t table = w->of->table;
    unsigned int level = w->of->levels;

    leaf->present = false;
    leaf->read = leaf->write = true;
    leaf->level = VIOMMU_SHADOW_LEVELS;
    leaf->fault = VTD_FR_BEYOND_WIDTH;

    /* The empty table, and what lies beyond a table of three levels. */
    if ( w->of->kind != VIOMMU_SHADOW || (addr >> VTD_LEVEL_WIDTH(level)) )
        return;

    for ( ; ; level-- )
    {
        struct guest_page *page = &w->page[level - 1];
        bool is_leaf;
        uint64_t entry;

        leaf->level = level;
        if ( !map_page(vi, page, table) )
        {
            viommu_count(vi, rej_table);
            leaf->fault = VTD_FR_TABLE_ADDR;
            return;
        }

        entry = ACCESS_ONCE(((const uint64_t *)
                             page->va)[VTD_LEVEL_INDEX(addr, level)]);
        leaf->fault = 0;
        leaf->read &= !!(entry & VTD_PTE_R);
        leaf->write &= !!(entry & VTD_PTE_W);
        if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
            return;

        is_leaf = level == 1 || (entry & VTD_PTE_SP);
        if ( !entry_valid(vi, entry, level, is_leaf) )
        {
            viommu_count(vi, rej_entry);
            leaf->fault = VTD_FR_TABLE_RSVD;
            return;
        }

        if ( !leaf->read && !leaf->write )
            return;

        if ( is_leaf )
        {
            leaf->present = true;
            leaf->gfn = _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
            return;
        }

        table = entry & VTD_PTE_ADDR;
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
