/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.c: after each command, whether the shadows are what they should be.
 *
 * Only for debugging (CONFIG_VIOMMU_CHECK). It shares no code with what it
 * looks at: it reads the guest's tables and the shadows by itself, and asks the
 * p2m each time, so that a mistake in what is remembered shows.
 *
 * The guest and the p2m may change at any time, and a shadow has to agree only
 * with what the guest has invalidated. So some addresses of what a command
 * covers are looked at before it begins and when it is done: if the guest says
 * the same both times, and the p2m was the same all the time, so must the
 * shadow. Of what is remembered of the p2m, and of references, some are looked
 * at, too. What is found wrong is printed, and the guest crashed, as a device
 * of it may reach what it should not.
 */
#include "boundary.h"
#include "check.h"
#include "format.h"

/* Of a command, in each shadow; and shadows. */
#define SAMPLES_EACH 16U
#define SHADOWS      (VIOMMU_CHECK_SAMPLES / SAMPLES_EACH)
/* Entries that are looked at for leaves that name one frame. */
#define ENTRIES_MOST (1U << 14)

/* The same numbers each time, which is better for whoever looks for a cause. */
static unsigned int some(struct viommu *vi, unsigned int below)
{
    vi->check.random = vi->check.random * 6364136223846793005ULL +
                       1442695040888963407ULL;

    return (vi->check.random >> 33) % below;
}

static void wrong(struct viommu *vi, const char *what, uint64_t addr,
                  uint64_t guest, uint64_t expected, uint64_t found)
{
    if ( vi->check.failed )
        return;

    vi->check.failed = true;
    guest_inconsistent(vi, what, addr, guest, expected, found);
}

/* ---- What the guest says ---- */

/* One entry of a page of the guest; false: that is no RAM. */
static bool read_entry(struct viommu *vi, gfn_t gfn, unsigned int index,
                       uint64_t *entry)
{
    struct guest_lookup found;
    const uint64_t *va;

    guest_lookup(vi, gfn, false, false, false, &found);
    va = found.read ? guest_map(vi, found.mfn) : NULL;
    if ( !va )
        return false;
    *entry = ACCESS_ONCE(va[index]);
    guest_unmap((void *)va, found.mfn);

    return true;
}

/* 9.8: bits that a present entry of that level must not have. */
static bool is_reserved(const struct viommu *vi, uint64_t entry,
                        unsigned int level, bool is_leaf)
{
    return (entry & VTD_PTE_TM) ||
           ((entry & VTD_PTE_ADDR) >> vi->width) ||
           (level > 3 && (entry & VTD_PTE_SP)) ||
           (is_leaf && (entry & VTD_PTE_ADDR & (VTD_LEVEL_SIZE(level) - 1))) ||
           (is_leaf && (entry & VTD_PTE_SNP) && !(vi->ecap & VTD_ECAP_SC));
}

/*
 * What the leaf of the page at addr has to be: address, R, W; 0: a hole. last:
 * the last entry of the guest's on the way.
 */
static uint64_t guest_says(struct viommu *vi, const struct viommu_target *of,
                           uint64_t addr, uint64_t *last)
{
    gfn_t gfn = _gfn(of->table >> VTD_PAGE_SHIFT);
    unsigned int level = of->levels;
    uint64_t entry, rights = VTD_PTE_R | VTD_PTE_W;
    struct guest_lookup found;
    bool is_leaf;

    *last = 0;
    if ( of->kind != VIOMMU_SHADOW || (addr >> VTD_LEVEL_WIDTH(level)) )
        return 0;

    for ( ; ; level-- )
    {
        if ( !read_entry(vi, gfn, VTD_LEVEL_INDEX(addr, level), &entry) )
            return 0;
        *last = entry;
        rights &= entry;
        is_leaf = level == 1 || (entry & VTD_PTE_SP);
        if ( !rights || is_reserved(vi, entry, level, is_leaf) )
            return 0;
        gfn = _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
        if ( is_leaf )
            break;
    }

    gfn = gfn_add(gfn, (addr & (VTD_LEVEL_SIZE(level) - 1)) >> VTD_PAGE_SHIFT);
    guest_lookup(vi, gfn, rights & VTD_PTE_W, false, false, &found);
    rights &= (found.read ? VTD_PTE_R : 0) | (found.write ? VTD_PTE_W : 0);

    return rights ? (mfn_x(found.mfn) << VTD_PAGE_SHIFT) | rights : 0;
}

/* ---- What the hardware sees ---- */

/* The leaf of the page at addr, as that of a page; 0: a hole. */
static uint64_t shadow_says(const struct viommu_shadow *s, uint64_t addr)
{
    unsigned int level = VIOMMU_SHADOW_LEVELS;
    mfn_t mfn = s->root;

    for ( ; ; level-- )
    {
        uint64_t entry =
            ACCESS_ONCE(hw_table(mfn)[VTD_LEVEL_INDEX(addr, level)]);

        if ( !shadow_pte_present(entry) )
            return 0;
        if ( level == 1 )
            return entry;
        if ( entry & VTD_PTE_SP )
            return (entry & ~VTD_PTE_SP) +
                   (addr & (VTD_LEVEL_SIZE(level) - VTD_LEVEL_SIZE(1)));
        mfn = shadow_pte_mfn(entry);
    }
}

static bool agrees(const struct viommu *vi, uint64_t expected, uint64_t pte)
{
    const uint64_t all = VTD_PTE_ADDR | VTD_PTE_R | VTD_PTE_W;

    /* It may linger. */
    if ( !expected )
        return !shadow_pte_present(pte) || (pte & SHADOW_PTE_STALE);

    /* There was no memory for a table, or no reference to be had. */
    if ( !shadow_pte_present(pte) )
        return vi->count[XEN_VIOMMU_CNT_rej_quota] +
               vi->count[XEN_VIOMMU_CNT_rej_frame] != vi->check.refused;

    return (pte & all) == expected && !(pte & SHADOW_PTE_STALE);
}

/* ---- Samples ---- */

static void sample(struct viommu *vi, const struct viommu_shadow *s,
                   uint64_t addr)
{
    struct viommu_check_sample *at = &vi->check.sample[vi->check.samples];

    if ( vi->check.samples == VIOMMU_CHECK_SAMPLES || (addr >> vi->width) )
        return;

    at->shadow = s->id;
    at->addr = addr & ~(VTD_LEVEL_SIZE(1) - 1);
    at->expected = guest_says(vi, &s->of, at->addr, &at->entry);
    vi->check.samples++;
}

/* The next entry with rights from a random one on; false: there is none. */
static bool some_entry(struct viommu *vi, const uint64_t *table,
                       unsigned int *index)
{
    unsigned int first = some(vi, VTD_TABLE_ENTRIES), i;

    for ( i = 0; i < VTD_TABLE_ENTRIES; i++ )
    {
        *index = (first + i) % VTD_TABLE_ENTRIES;
        if ( ACCESS_ONCE(table[*index]) & (VTD_PTE_R | VTD_PTE_W) )
            return true;
    }

    return false;
}

/* A page that has a leaf in the shadow, by chance. */
static bool some_shadow_page(struct viommu *vi, const struct viommu_shadow *s,
                             uint64_t *addr)
{
    unsigned int level = VIOMMU_SHADOW_LEVELS, index;
    mfn_t mfn = s->root;

    for ( *addr = 0; level; level-- )
    {
        uint64_t entry;

        if ( !some_entry(vi, hw_table(mfn), &index) )
            return false;
        entry = ACCESS_ONCE(hw_table(mfn)[index]);
        *addr += index * VTD_LEVEL_SIZE(level);
        if ( level > 1 && (entry & VTD_PTE_SP) )
        {
            *addr += some(vi, VTD_LEVEL_PAGES(level)) * VTD_LEVEL_SIZE(1);
            return true;
        }
        mfn = shadow_pte_mfn(entry);
    }

    return true;
}

/* A page that the guest has mapped, by chance. */
static bool some_guest_page(struct viommu *vi, const struct viommu_shadow *s,
                            uint64_t *addr)
{
    gfn_t gfn = _gfn(s->of.table >> VTD_PAGE_SHIFT);
    unsigned int level = s->of.levels, index;

    for ( *addr = 0; level; level-- )
    {
        struct guest_lookup found;
        const uint64_t *va;
        uint64_t entry = 0;

        guest_lookup(vi, gfn, false, false, false, &found);
        va = found.read ? guest_map(vi, found.mfn) : NULL;
        if ( !va )
            return false;
        if ( some_entry(vi, va, &index) )
            entry = ACCESS_ONCE(va[index]);
        guest_unmap((void *)va, found.mfn);
        if ( !(entry & (VTD_PTE_R | VTD_PTE_W)) )
            return false;
        *addr += index * VTD_LEVEL_SIZE(level);
        if ( level > 1 && (entry & VTD_PTE_SP) )
        {
            *addr += some(vi, VTD_LEVEL_PAGES(min(level, 3U))) *
                     VTD_LEVEL_SIZE(1);
            return true;
        }
        gfn = _gfn((entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
    }

    return true;
}

static void sample_shadow(struct viommu *vi, const struct viommu_shadow *s,
                          const struct viommu_command *cmd)
{
    /* For all others the register may say anything there. */
    const unsigned int pages =
        cmd->granu == VTD_GRANU_SELECTIVE ? 1U << cmd->am : 0;
    unsigned int i;
    uint64_t addr;

    for ( i = 0; i < SAMPLES_EACH; i++ )
    {
        if ( cmd->granu == VTD_GRANU_SELECTIVE )
        {
            if ( i == pages )
                break;
            addr = cmd->addr & ~(pages * VTD_LEVEL_SIZE(1) - 1);
            addr += (pages <= SAMPLES_EACH ? i : some(vi, pages)) *
                    VTD_LEVEL_SIZE(1);
        }
        else if ( !(i & 1 ? some_shadow_page(vi, s, &addr)
                          : some_guest_page(vi, s, &addr)) )
            continue;
        sample(vi, s, addr);
    }
}

void check_begin(struct viommu *vi, const struct viommu_command *cmd)
{
    const struct viommu_shadow *s;
    unsigned int shadows = 0;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( cmd->op != VIOMMU_CMD_IOTLB || cmd->entered )
        return;

    if ( !vi->check.random )
        printk(XENLOG_G_INFO "%pd: viommu check: commands are compared\n",
               vi->d);
    vi->check.samples = 0;
    vi->check.generation = ACCESS_ONCE(vi->generation);
    vi->check.refused = vi->count[XEN_VIOMMU_CNT_rej_quota] +
                        vi->count[XEN_VIOMMU_CNT_rej_frame];
    for ( s = vi->shadows; s && shadows < SHADOWS; s = s->next )
        if ( cmd->granu == VTD_GRANU_GLOBAL || cmd->did == s->of.did )
        {
            sample_shadow(vi, s, cmd);
            shadows++;
        }
}

static void check_samples(struct viommu *vi)
{
    const struct viommu_check_sample *at;

    for ( at = vi->check.sample;
          at < vi->check.sample + vi->check.samples; at++ )
    {
        const struct viommu_shadow *s = vi->shadows;
        uint64_t entry, pte;

        while ( s && s->id != at->shadow )
            s = s->next;
        if ( !s || guest_says(vi, &s->of, at->addr, &entry) != at->expected ||
             entry != at->entry )
            continue;

        pte = shadow_says(s, at->addr);
        if ( ACCESS_ONCE(vi->generation) == vi->check.generation &&
             !agrees(vi, at->expected, pte) )
            wrong(vi, "a leaf", at->addr, entry, at->expected, pte);
    }
}

/* ---- What is remembered of the p2m; see frame.c ---- */

static void check_remembered(struct viommu *vi, uint64_t tag, mfn_t mfn,
                             bool write)
{
    const uint64_t generation = ACCESS_ONCE(vi->generation);
    struct guest_lookup found;

    /* Of another epoch, so it is not believed. */
    if ( !tag || ((tag ^ vi->frames.epoch) & VIOMMU_TAG_EPOCH) ||
         generation != vi->frames.generation )
        return;

    guest_lookup(vi, _gfn(tag & VIOMMU_TAG_GFN), false, false, false, &found);
    if ( ACCESS_ONCE(vi->generation) != generation )
        return;

    if ( !found.read || !mfn_eq(found.mfn, mfn) || (write && !found.write) )
        wrong(vi, "what is remembered", tag & VIOMMU_TAG_GFN, tag,
              found.read ? mfn_x(found.mfn) << VTD_PAGE_SHIFT : 0,
              mfn_x(mfn) << VTD_PAGE_SHIFT);
}

static void check_frames(struct viommu *vi)
{
    const struct viommu_page *page;
    unsigned int i;

    for ( i = 0; i < SAMPLES_EACH; i++ )
    {
        const struct viommu_frame *frame =
            &vi->frames.sets[some(vi, VIOMMU_FRAME_SETS * VIOMMU_FRAME_WAYS)];

        check_remembered(vi, frame->tag,
                         _mfn((frame->value & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT),
                         frame->value & VTD_PTE_W);
    }

    page = &vi->frames.page[some(vi, VIOMMU_PAGE_SETS)][0];
    for ( i = 0; i < VIOMMU_PAGE_WAYS; i++, page++ )
    {
        if ( page->va && !guest_frame_refs(vi, page->mfn) )
            wrong(vi, "a mapped page", page->tag & VIOMMU_TAG_GFN, page->tag, 1,
                  0);
        check_remembered(vi, page->tag, page->mfn, page->writable);
    }
}

/* ---- References ---- */

/* Leaves below a table that name a frame; *left: entries to look at. */
static unsigned int count_leaves(mfn_t table, unsigned int level, mfn_t mfn,
                                 unsigned int *left)
{
    unsigned int i, n = 0;

    for ( i = 0; i < VTD_TABLE_ENTRIES && *left; i++, --*left )
    {
        uint64_t entry = ACCESS_ONCE(hw_table(table)[i]);

        if ( !shadow_pte_present(entry) )
            continue;
        if ( level > 1 && !(entry & VTD_PTE_SP) )
            n += count_leaves(shadow_pte_mfn(entry), level - 1, mfn, left);
        else
            n += mfn_x(mfn) - mfn_x(shadow_pte_mfn(entry)) <
                 VTD_LEVEL_PAGES(level);
    }

    return n;
}

/* The frame of some leaf has as many references as leaves name it. */
static void check_references(struct viommu *vi)
{
    const struct viommu_shadow *list[] = { vi->shadows, vi->dying };
    unsigned int left = ENTRIES_MOST, n = 0, refs, i;
    const struct viommu_shadow *s;
    uint64_t addr;
    mfn_t mfn;

    if ( !vi->shadows || !some_shadow_page(vi, vi->shadows, &addr) )
        return;

    mfn = shadow_pte_mfn(shadow_says(vi->shadows, addr));
    refs = guest_frame_refs(vi, mfn);
    /* Counting costs, so not each time. */
    if ( refs && some(vi, 16) )
        return;

    for ( i = 0; i < ARRAY_SIZE(list); i++ )
        for ( s = list[i]; s; s = s->next )
            n += count_leaves(s->root, VIOMMU_SHADOW_LEVELS, mfn, &left);
    if ( refs < n || !refs )
        wrong(vi, "references", addr, mfn_x(mfn), n, refs);
}

void check_end(struct viommu *vi, const struct viommu_command *cmd)
{
    if ( cmd->op != VIOMMU_CMD_IOTLB )
        return;

    check_samples(vi);
    check_frames(vi);
    check_references(vi);
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
