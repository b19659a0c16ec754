/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remap.c: interrupts of a guest whose unit remaps them, between all else that
 * it does, compared with a naive reading of the specification.
 */
#include "naive-ir.h"
#include "property.h"

static struct told told;
/* What is behind a page has left the guest: it may be read until its time. */
static bool gone[N_IR];
/* Memory was short while the table was looked up. */
static bool unsure;

/* ---- What the unit may read ---- */

static bool is_ram(unsigned long gfn)
{
    return guest_type(gfn) == GFN_RAM || guest_type(gfn) == GFN_RAM_RO;
}

static void look_again(void)
{
    unsigned int i;

    for ( i = 0; i < N_IR; i++ )
        told.page[i] = i * 256 < told.entries && is_ram(told.gfn + i)
                       ? guest_page(told.gfn + i) : NULL;
    memset(gone, 0, sizeof(gone));
}

void remap_reset(void)
{
    memset(&told, 0, sizeof(told));
    memset(gone, 0, sizeof(gone));
    unsure = false;
}

void remap_refreshed(void)
{
    if ( state.faulty && !state.exact )
        unsure = true;
    look_again();
}

uint32_t remap_gcmd(void)
{
    return (told.ire ? VTD_GCMD_IRE : 0) | (told.cfi ? VTD_GCMD_CFI : 0);
}

/* ---- What the guest does ---- */

static void command(void)
{
    uint32_t gcmd;

    told.ire = rnd(6);
    told.cfi = rnd(2);
    gcmd = (state.te ? VTD_GCMD_TE : 0) | (state.qie ? VTD_GCMD_QIE : 0) |
           remap_gcmd();
    if ( !told.entries || !rnd(3) )
    {
        unsigned int size = rnd(3) ? 7 + rnd(3) : rnd(16);

        /* The last page is followed by others, and by none. */
        told.gfn = G_IR + rnd(N_IR);
        told.entries = 2U << size;
        told.eime = rnd(2);
        wr(VTD_IRTA, 8, PAGE(told.gfn) | (told.eime ? VTD_IRTA_EIME : 0) |
                        size);
        gcmd |= VTD_GCMD_SIRTP;
    }
    say("gcmd ire %u cfi %u sirtp %u: %u entries at %lx\n", told.ire, told.cfi,
        !!(gcmd & VTD_GCMD_SIRTP), told.entries, told.gfn);
    wr(VTD_GCMD, 4, gcmd);
    CHECK_EQ(rd(VTD_GSTS, 4) & (VTD_GCMD_IRE | VTD_GCMD_CFI), remap_gcmd());
    if ( !(gcmd & VTD_GCMD_SIRTP) )
        return;
    unsure = false;
    remap_refreshed();
}

static void move(void)
{
    unsigned long a = G_IR + rnd(N_IR), b = G_IR + rnd(N_IR);

    say("tables of interrupts %lx and %lx are exchanged\n", a, b);
    if ( is_ram(a) && is_ram(b) )
        guest_exchange(a, b);
}

static void come_or_go(void)
{
    unsigned long gfn = G_IR + rnd(N_IR);
    uint64_t *was = guest_page(gfn);
    unsigned int i;

    say("table of interrupts %lx %s\n", gfn, is_ram(gfn) ? "goes" : "comes");
    if ( !is_ram(gfn) )
    {
        guest_set(gfn, 1, rnd(4) ? GFN_RAM : GFN_RAM_RO);
        return;
    }
    guest_set(gfn, 1, GFN_MISSING);
    for ( i = 0; i < N_IR; i++ )
        gone[i] |= told.page[i] == was;
    edit_memory_left();
}

/* ---- Requests ---- */

static bool agrees(const struct reading *r, enum viommu_remapped is,
                   const struct viommu_interrupt *irq)
{
    return is == r->is &&
           (is != VIOMMU_REMAPPED ||
            (irq->vector == r->irq.vector && irq->dest == r->irq.dest &&
             irq->mode == r->irq.mode && irq->logical == r->irq.logical &&
             irq->level == r->irq.level && irq->any == r->irq.any));
}

static bool told_so(const struct reading *r, uint16_t sid, bool fault,
                    const struct viommu_ir_fault *f)
{
    return fault == r->recorded &&
           (!fault || (f->reason == r->reason && f->sid == sid &&
                       f->index == (r->index & 0xffff)));
}

static void request(void)
{
    const unsigned int handle =
        rnd(8) ? rnd(4) + (rnd(4) ? 0 : rnd(N_IR) * 256) : rnd(0x10000);
    struct viommu_message msg = {
        .addr = 0xfee00000ULL | (handle & 0x7fff) << 5 |
                (handle & 0x8000 ? 4 : 0) | (rnd(8) ? 0x10 : 0) |
                (rnd(3) ? 0 : 8) | rnd(4),
        .data = rnd(8) ? rnd(4) : harness_random(),
        .sid = rnd(4) ? model_devfn[rnd(M_DEVICES)] : rnd(0x10000),
        .no_sid = !rnd(8),
    };
    const uint64_t unreported = vi.count[XEN_VIOMMU_CNT_irte_unreported];
    struct viommu_ir_fault f = {};
    struct viommu_interrupt irq;
    struct reading r, without;
    enum viommu_remapped is;
    struct told less = told;
    unsigned int i;
    bool fault;

    if ( !rnd(32) )
        msg.addr ^= 1ULL << (20 + rnd(44));
    is = intremap_message(&vi, &msg, &irq);
    fault = intremap_take_fault(&vi, &f);
    CHECK(!intremap_take_fault(&vi, &(struct viommu_ir_fault){}));
    total.requests[is]++;
    if ( unsure )
        return;

    for ( i = 0; i < N_IR; i++ )
        if ( gone[i] )
            less.page[i] = NULL;
    r = read_request(&told, &msg);
    without = read_request(&less, &msg);
    say("request %llx %x of %x: %u\n", (unsigned long long)msg.addr, msg.data,
        msg.sid, is);
    CHECK(agrees(&r, is, &irq) || agrees(&without, is, &irq));
    /* There were too many, or an entry says that it is not to be. */
    if ( vi.count[XEN_VIOMMU_CNT_irte_unreported] != unreported )
        CHECK(!fault && is == VIOMMU_DROPPED);
    else
        CHECK(told_so(&r, msg.sid, fault, &f) ||
              told_so(&without, msg.sid, fault, &f));
}

void do_remap(void)
{
    unsigned int i;

    switch ( told.entries ? rnd(8) : 0 )
    {
    case 0 ... 1:
        command();
        break;

    case 2:
        move();
        break;

    case 3:
        come_or_go();
        break;

    default:
        for ( i = 0; i < 8; i++ )
            random_irte(guest_page(G_IR + rnd(N_IR)) + rnd(4) * 2, told.eime,
                        model_devfn[rnd(M_DEVICES)]);
        break;
    }
    for ( i = 0; i < 4; i++ )
        request();
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
