/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * intremap.c: interrupts are remapped by the guest's table (VT-d 5.1).
 *
 * An entry is read when an interrupt is delivered, so no copy of one can be
 * old. Whoever delivers may hold any lock and be anywhere, so he cannot ask the
 * p2m: the pages of the table are mapped, with a reference, from SIRTP on.
 * remap_lock keeps them mapped while one is read; it is never held for longer
 * than that. A page that is replaced is unmapped after that lock was held.
 *
 * What the p2m says of the table is asked again when the guest invalidates
 * entries after anything in the p2m has changed. Until then a page that it has
 * moved is read where it was: memory that is still the guest's own.
 *
 * A blocked request becomes a fault record. That cannot be made where it is
 * blocked, since the register page has to trap first: it waits in a list, as
 * many as are told in a window, and a vCPU sees to them before it runs on.
 */
#include "boundary.h"
#include "frame.h"
#include "intremap.h"

/* Of the largest table: 2^16 entries. */
#define IR_PAGES     256
#define IR_PER_PAGE  ((1U << VTD_PAGE_SHIFT) / sizeof(struct vtd_irte))

/* How often a reader tries to get both halves of an entry as they are. */
#define IR_TRIES     4

struct ir_page {
    mfn_t mfn;
    struct vtd_irte *va;     /* NULL: not RAM */
};

struct ir_table {
    paddr_t addr;
    unsigned int entries;
    bool extended;           /* IRTA.EIME */
    unsigned int pages;      /* of them, so many are looked up: */
    unsigned int ready;
    uint64_t generation;     /* of the p2m, before the first of them was */
    struct ir_page page[IR_PAGES];
};

struct viommu_intremap {
    spinlock_t remap_lock;

    /* Under remap_lock; but for "now" written under sync_lock as well. */
    bool on;                 /* GSTS.IRES */
    bool compat;             /* GSTS.CFIS */
    struct ir_table *now;    /* what requests are looked up in */
    struct viommu_ir_fault fault[VIOMMU_FAULTS_PER_WINDOW];
    unsigned int faults;
    uint64_t window;         /* when it began, in microseconds */
    unsigned int in_window;

    /* Under sync_lock. */
    struct ir_table *next;   /* in the making, or to be unmapped */
    enum { IR_IDLE, IR_LATCHED, IR_DROPPING } state;
    unsigned int refreshed;  /* pages, by an IEC command in progress */
    uint64_t refreshing_to;  /* this generation */
    bool maps;               /* ever had a table; read without a lock */

    /* sbdf + 1 of the devices, by their place; 0: none. No lock. */
    uint64_t bound[VIOMMU_NR_DEVICES];
};

int intremap_init(struct viommu *vi)
{
    struct viommu_intremap *ir;

    if ( !vi->intremap )
        return 0;

    ir = vi->ir = xzalloc(struct viommu_intremap);
    if ( !ir )
        return -ENOMEM;

    spin_lock_init(&ir->remap_lock);
    ir->now = xvzalloc_array(struct ir_table, 1);
    ir->next = xvzalloc_array(struct ir_table, 1);

    return ir->now && ir->next ? 0 : -ENOMEM;
}

void intremap_fini(struct viommu *vi)
{
    if ( !vi->ir )
        return;

    intremap_unmap(vi, true);
    xvfree(vi->ir->now);
    xvfree(vi->ir->next);
    XFREE(vi->ir);
}

/* ---- Where the table is. ---- */

static gfn_t gfn_of(const struct ir_table *t, unsigned int i)
{
    return _gfn((t->addr >> VTD_PAGE_SHIFT) + i);
}

static void unmap(struct ir_page *page)
{
    if ( page->va )
        guest_unmap(page->va, page->mfn);
    page->va = NULL;
}

/* The page of the table that is behind gfn now. */
static struct ir_page map(struct viommu *vi, gfn_t gfn)
{
    struct ir_page page = {};
    unsigned int level;
    uint64_t found = frame_take(vi, gfn, false, true, &level);

    if ( !found )
        return page;

    page.mfn = _mfn((found & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT);
    if ( found & VTD_PTE_R )
        page.va = guest_map(vi, page.mfn);
    guest_put_frame(page.mfn);

    return page;
}

/* Another page, or none, at a place of the table in use. */
static void replace(struct viommu_intremap *ir, unsigned int i,
                    struct ir_page page)
{
    struct ir_page old = ir->now->page[i];

    spin_lock(&ir->remap_lock);
    ir->now->page[i] = page;
    spin_unlock(&ir->remap_lock);

    unmap(&old);
}

void intremap_latch(struct viommu *vi, uint64_t irta)
{
    struct ir_table *t = vi->ir->next;

    ASSERT(spin_is_locked(&vi->sync_lock));
    ASSERT(vi->ir->state == IR_IDLE);

    t->addr = irta & VTD_IRTA_ADDR;
    t->extended = irta & VTD_IRTA_EIME;
    t->entries = 2U << MASK_EXTR(irta, VTD_IRTA_S);
    t->pages = ROUNDUP(t->entries, IR_PER_PAGE) / IR_PER_PAGE;
    t->ready = 0;
    t->generation = ACCESS_ONCE(vi->generation);
    vi->ir->state = IR_LATCHED;
    ACCESS_ONCE(vi->ir->maps) = true;
}

int intremap_command(struct viommu *vi, uint32_t gcmd, struct viommu_budget *b)
{
    struct viommu_intremap *ir = vi->ir;
    struct ir_table *t = ir->next;

    if ( ir->state == IR_LATCHED )
    {
        for ( ; t->ready < t->pages; t->ready++ )
        {
            if ( !b->left )
                return -ERESTART;
            budget_take(b, 1);
            t->page[t->ready] = map(vi, gfn_of(t, t->ready));
        }

        ir->next = ir->now;
        ir->state = IR_DROPPING;
    }
    else
        t = ir->now;

    /* All of a command takes effect at once. */
    spin_lock(&ir->remap_lock);
    ir->now = t;
    ir->on = gcmd & VTD_GCMD_IRE;
    ir->compat = gcmd & VTD_GCMD_CFI;
    spin_unlock(&ir->remap_lock);

    if ( ir->state == IR_DROPPING )
        for ( t = ir->next; t->ready; )
        {
            if ( !b->left )
                return -ERESTART;
            budget_take(b, 1);
            unmap(&t->page[--t->ready]);
        }
    ir->state = IR_IDLE;

    return 0;
}

int intremap_refresh(struct viommu *vi, struct viommu_budget *b)
{
    struct viommu_intremap *ir = vi->ir;
    struct ir_table *t = ir->now;
    unsigned int level;

    if ( !ir->refreshed )
    {
        ir->refreshing_to = ACCESS_ONCE(vi->generation);
        if ( likely(t->generation == ir->refreshing_to) )
            return 0;
    }
    for ( ; ir->refreshed < t->ready; ir->refreshed++ )
    {
        const struct ir_page *page = &t->page[ir->refreshed];
        gfn_t gfn = gfn_of(t, ir->refreshed);
        uint64_t found;

        if ( !b->left )
            return -ERESTART;
        budget_take(b, 1);
        found = frame_find(vi, gfn, false, true, &level);
        if ( !page->va || !(found & VTD_PTE_R) ||
             mfn_x(page->mfn) != (found & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT )
            replace(ir, ir->refreshed, map(vi, gfn));
    }
    ir->refreshed = 0;
    t->generation = ir->refreshing_to;

    return 0;
}

void intremap_unmap(struct viommu *vi, bool all)
{
    const struct ir_page none = {};
    struct viommu_intremap *ir = vi->ir;
    unsigned int i;

    if ( !ir )
        return;

    for ( i = 0; ir->now && i < ir->now->ready; i++ )
    {
        const struct ir_page *page = &ir->now->page[i];

        if ( page->va && (all || !guest_has_frame(vi, page->mfn)) )
            replace(ir, i, none);
    }

    /* Of a command that is in the middle of it; it may go with the guest. */
    for ( i = 0; ir->next && i < ir->next->ready; i++ )
    {
        struct ir_page *page = &ir->next->page[i];

        if ( page->va && (all || !guest_has_frame(vi, page->mfn)) )
            unmap(page);
    }
}

bool intremap_maps(const struct viommu *vi)
{
    return vi->ir && ACCESS_ONCE(vi->ir->maps);
}

bool intremap_is_on(const struct viommu *vi)
{
    return vi->ir && ACCESS_ONCE(vi->ir->on);
}

/* ---- Who asks. ---- */

void intremap_bind(struct viommu *vi, unsigned int place,
                   const pci_sbdf_t *sbdf)
{
    if ( vi->ir )
        ACCESS_ONCE(vi->ir->bound[place]) = sbdf ? sbdf->sbdf + 1ULL : 0;
}

uint16_t intremap_requester(const struct viommu *vi, pci_sbdf_t sbdf)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_NR_DEVICES; i++ )
        if ( ACCESS_ONCE(vi->ir->bound[i]) == sbdf.sbdf + 1ULL )
            return XEN_VIOMMU_SLOT_FIRST * 8 + i;

    return ~0;
}

struct viommu_message intremap_rte_message(uint64_t rte)
{
    struct viommu_message msg = {
        .addr = VTD_MSI_BASE |
                MASK_INSR(MASK_EXTR(rte, VTD_RTE_INDEX), VTD_MSI_INDEX) |
                (rte & VTD_RTE_REMAPPABLE ? VTD_MSI_REMAPPABLE : 0) |
                (rte & VTD_RTE_INDEX_15 ? VTD_MSI_INDEX_15 : 0),
        .sid = XEN_VIOMMU_IOAPIC_SBDF,
    };

    return msg;
}

struct viommu_message intremap_pirq_message(uint8_t gvec, uint32_t gflags)
{
    const unsigned int handle = MASK_EXTR(gflags, XEN_VIOMMU_MSI_HANDLE);
    struct viommu_message msg = { .addr = VTD_MSI_BASE, .data = gvec };

    if ( !(gflags & XEN_VIOMMU_MSI_REMAPPABLE) )
        return msg;

    msg.addr |= VTD_MSI_REMAPPABLE |
                MASK_INSR((uint64_t)handle & 0x7fff, VTD_MSI_INDEX) |
                (handle & 0x8000 ? VTD_MSI_INDEX_15 : 0) |
                (gflags & XEN_VIOMMU_MSI_SHV ? VTD_MSI_SHV : 0);
    msg.data |= MASK_EXTR(gflags, XEN_VIOMMU_MSI_DATA) << 8;
    /* All that is known of the upper half is that it is not 0. */
    if ( gflags & XEN_VIOMMU_MSI_DATA_HIGH )
        msg.data |= 1U << 16;

    return msg;
}

/* ---- A request. ---- */

/*
 * Both halves, as they were at one time, if the guest does not write them
 * without end: then it gets one of its own mixtures.
 */
static struct vtd_irte read_entry(const struct vtd_irte *from)
{
    struct vtd_irte e = { .lo = ACCESS_ONCE(from->lo) };
    unsigned int i;

    for ( i = 0; i < IR_TRIES; i++ )
    {
        uint64_t lo;

        smp_rmb();
        e.hi = ACCESS_ONCE(from->hi);
        smp_rmb();
        lo = ACCESS_ONCE(from->lo);
        if ( lo == e.lo )
            break;
        e.lo = lo;
    }

    return e;
}

/* 5.1.4: whether the requester is one that the entry allows. */
static bool source_allowed(uint64_t hi, uint16_t sid)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    uint16_t of_entry = MASK_EXTR(hi, VTD_IRTE_HI_SID);
    unsigned int sq = MASK_EXTR(hi, VTD_IRTE_HI_SQ);

    switch ( MASK_EXTR(hi, VTD_IRTE_HI_SVT) )
    {
    case VTD_SVT_SID:
        return !((sid ^ of_entry) & ~ignored[sq]);

    case VTD_SVT_BUS:
        return sid >> 8 >= of_entry >> 8 && sid >> 8 <= (of_entry & 0xff);

    case VTD_SVT_NONE:
    default:
        return true;
    }
}

/* 9.10; 7.1.3 */
static bool entry_reserved(const struct ir_table *t, struct vtd_irte e)
{
    const unsigned int dlm = MASK_EXTR(e.lo, VTD_IRTE_DLM);

    return (e.lo & VTD_IRTE_LO_RSVD) || (e.hi & VTD_IRTE_HI_RSVD) ||
           MASK_EXTR(e.hi, VTD_IRTE_HI_SVT) > VTD_SVT_BUS ||
           (!t->extended && (e.lo & VTD_IRTE_DST & ~VTD_IRTE_DST_XAPIC)) ||
           (dlm != VTD_DLM_FIXED && dlm != VTD_DLM_LOWEST &&
            dlm != VTD_DLM_SMI && dlm != VTD_DLM_NMI &&
            dlm != VTD_DLM_INIT && dlm != VTD_DLM_EXTINT);
}

/*
 * Looks up a request in remappable format. Returns the reason of a fault, or 0;
 * *quiet: the entry says that it is not to be recorded. remap_lock held.
 */
static unsigned int look_up(const struct ir_table *t,
                            const struct viommu_message *msg,
                            unsigned int *index, bool *quiet,
                            struct viommu_interrupt *irq)
{
    const struct vtd_irte *page;
    struct vtd_irte e;

    *index = MASK_EXTR(msg->addr, VTD_MSI_INDEX) |
             (msg->addr & VTD_MSI_INDEX_15 ? 0x8000 : 0);
    if ( msg->addr & VTD_MSI_SHV )
    {
        if ( msg->data & VTD_MSI_DATA_RSVD )
            return VTD_FR_IR_REQUEST_RSVD;
        *index += msg->data & VTD_MSI_DATA_SUBHANDLE;
    }
    if ( *index >= t->entries )
        return VTD_FR_IR_INDEX;

    *index = array_index_nospec(*index, t->entries);
    page = t->page[*index / IR_PER_PAGE].va;
    if ( !page )
        return VTD_FR_IR_TABLE_ADDR;

    e = read_entry(&page[*index % IR_PER_PAGE]);
    *quiet = e.lo & VTD_IRTE_FPD;
    if ( !(e.lo & VTD_IRTE_P) )
        return VTD_FR_IR_NOT_PRESENT;
    if ( entry_reserved(t, e) )
        return VTD_FR_IR_ENTRY_RSVD;
    if ( !msg->no_sid && !source_allowed(e.hi, msg->sid) )
        return VTD_FR_IR_SOURCE;

    irq->dest = t->extended ? MASK_EXTR(e.lo, VTD_IRTE_DST)
                            : MASK_EXTR(e.lo, VTD_IRTE_DST_XAPIC);
    irq->vector = MASK_EXTR(e.lo, VTD_IRTE_V);
    irq->mode = MASK_EXTR(e.lo, VTD_IRTE_DLM);
    irq->logical = e.lo & VTD_IRTE_DM;
    irq->level = e.lo & VTD_IRTE_TM;
    irq->any = (e.lo & VTD_IRTE_RH) || irq->mode == VTD_DLM_LOWEST;

    return 0;
}

/*
 * Puts down a fault that is to be reported, if there is room and there were not
 * too many. Returns whether somebody has to be told. remap_lock held.
 */
static bool note(struct viommu *vi, struct viommu_ir_fault fault)
{
    struct viommu_intremap *ir = vi->ir;
    uint64_t now = guest_time_us();

    if ( elapsed_us(ir->window, now) >= VIOMMU_FAULT_WINDOW_US )
    {
        ir->window = now;
        ir->in_window = 0;
    }
    if ( ir->in_window >= VIOMMU_FAULTS_PER_WINDOW ||
         ir->faults >= ARRAY_SIZE(ir->fault) )
    {
        viommu_count(vi, irte_unreported);
        return false;
    }

    ir->in_window++;
    ir->fault[ir->faults++] = fault;

    return ir->faults == 1;
}

enum viommu_remapped intremap_message(struct viommu *vi,
                                      const struct viommu_message *msg,
                                      struct viommu_interrupt *irq)
{
    struct viommu_intremap *ir = vi->ir;
    enum viommu_remapped result = VIOMMU_UNCHANGED;
    unsigned int reason, index = 0;
    bool quiet = false, tell = false;

    if ( !intremap_is_on(vi) )
        return VIOMMU_UNCHANGED;

    spin_lock(&ir->remap_lock);
    if ( !ir->on )
        goto out;

    if ( (msg->addr & VTD_MSI_BASE_MASK) != VTD_MSI_BASE )
    {
        /* A write to memory, which is no request of an interrupt. */
        reason = VTD_FR_IR_REQUEST_RSVD;
        quiet = true;
    }
    else if ( msg->addr & VTD_MSI_REMAPPABLE )
        reason = look_up(ir->now, msg, &index, &quiet, irq);
    else if ( ir->compat && !ir->now->extended )
    {
        viommu_count(vi, irte_compat);
        goto out;
    }
    else
        reason = VTD_FR_IR_COMPATIBILITY;

    if ( !reason )
    {
        viommu_count(vi, irte_remapped);
        result = VIOMMU_REMAPPED;
        goto out;
    }

    result = VIOMMU_DROPPED;
    viommu_count(vi, irte_blocked);
    if ( quiet )
        viommu_count(vi, irte_unreported);
    else
        tell = note(vi, (struct viommu_ir_fault){
            .sid = msg->sid, .index = index, .reason = reason,
        });

 out:
    spin_unlock(&ir->remap_lock);

    if ( tell )
        guest_defer_all(vi);

    return result;
}

bool intremap_blocked(struct viommu *vi, uint16_t sid, uint16_t index,
                      unsigned int reason)
{
    bool tell;

    spin_lock(&vi->ir->remap_lock);
    viommu_count(vi, irte_blocked);
    tell = note(vi, (struct viommu_ir_fault){
        .sid = sid, .index = index, .reason = reason,
    });
    spin_unlock(&vi->ir->remap_lock);

    return tell;
}

bool intremap_take_fault(struct viommu *vi, struct viommu_ir_fault *fault)
{
    struct viommu_intremap *ir = vi->ir;
    bool found;

    if ( likely(!ir || !ACCESS_ONCE(ir->faults)) )
        return false;

    spin_lock(&ir->remap_lock);
    found = ir->faults;
    if ( found )
    {
        *fault = ir->fault[0];
        ir->faults--;
        memmove(ir->fault, ir->fault + 1, ir->faults * sizeof(*ir->fault));
    }
    spin_unlock(&ir->remap_lock);

    return found;
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
