/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * regs.c: the register file and its access rules (VT-d 11.4).
 *
 * Each access is made of aligned dwords, in ascending order, as a unit with a
 * 32-bit bus would see it: so halves of a 64-bit register may come in any
 * order, and an 8-byte access may cover two registers. What takes effect at
 * once is done here; everything else only becomes pending, see qinval.c.
 */
#include "fault.h"
#include "regs.h"

struct reg {
    uint16_t offset;
    uint8_t size;            /* 4 or 8 */
    enum {
        ON_WRITE_NONE,
        ON_WRITE_GCMD,
        ON_WRITE_WORK,       /* a queue, or a command that starts now */
        ON_WRITE_FAULT,      /* state of the fault event */
        ON_WRITE_RECORD,     /* a fault record may be free now */
        ON_WRITE_COMPLETION, /* state of the invalidation event */
    } action;
    uint64_t rw;             /* bits that keep what is written */
    uint64_t w1c;            /* bits that are cleared by writing 1 */
    uint64_t needs;          /* in ECAP: else it is no register */
};

/* Registers that are not here read 0 and ignore writes. Hot ones first. */
static const struct reg regs[] = {
    { VTD_IQT, 8, ON_WRITE_WORK, .rw = VTD_IQ_OFFSET },
    { VTD_FSTS, 4, ON_WRITE_FAULT,
      .w1c = VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE },
    { VTD_IVA, 8, .rw = VTD_IVA_ADDR | VTD_IVA_IH | VTD_IVA_AM },
    { VTD_IOTLB, 8, ON_WRITE_WORK,
      .rw = VTD_IOTLB_IVT | VTD_IOTLB_IIRG | VTD_IOTLB_DR | VTD_IOTLB_DW |
            VTD_IOTLB_DID },
    { VTD_CCMD, 8, ON_WRITE_WORK,
      .rw = VTD_CCMD_ICC | VTD_CCMD_CIRG | VTD_CCMD_FM | VTD_CCMD_SID |
            VTD_CCMD_DID },
    { VTD_GCMD, 4, ON_WRITE_GCMD },
    { VTD_VER, 4 },
    { VTD_CAP, 8 },
    { VTD_ECAP, 8 },
    { VTD_GSTS, 4 },
    { VTD_RTADDR, 8, .rw = VTD_RTADDR_RTA },
    { VTD_FECTL, 4, ON_WRITE_FAULT, .rw = VTD_EVENT_IM },
    { VTD_FEDATA, 4, .rw = VTD_EVENT_DATA },
    { VTD_FEADDR, 4, .rw = VTD_EVENT_ADDR },
    { VTD_FEUADDR, 4, .rw = 0xffffffffU },
    { VTD_IQH, 8 },
    { VTD_IQA, 8, .rw = VTD_IQA_IQA | VTD_IQA_QS },
    { VTD_ICS, 4, ON_WRITE_COMPLETION, .w1c = VTD_ICS_IWC },
    { VTD_IECTL, 4, ON_WRITE_COMPLETION, .rw = VTD_EVENT_IM },
    { VTD_IEDATA, 4, .rw = VTD_EVENT_DATA },
    { VTD_IEADDR, 4, .rw = VTD_EVENT_ADDR },
    { VTD_IEUADDR, 4, .rw = 0xffffffffU },
    { VTD_IQERCD, 8 },
    { VTD_IRTA, 8, .rw = VTD_IRTA_ADDR | VTD_IRTA_EIME | VTD_IRTA_S,
      .needs = VTD_ECAP_IR },
};

/* The two halves of every fault record. */
static const struct reg record_regs[] = {
    { VTD_FRCD, 8 },
    { VTD_FRCD + 8, 8, ON_WRITE_RECORD, .w1c = VTD_FRCD_HI_F },
};

void regs_init(struct viommu *vi)
{
    regs_put32(vi, VTD_VER, VTD_VER_1_0);
    regs_put64(vi, VTD_CAP, vi->cap);
    regs_put64(vi, VTD_ECAP, vi->ecap);
    /*
     * Masked, or an event before the driver has set it up would be sent with
     * vector 0.
     */
    regs_put32(vi, VTD_FECTL, VTD_EVENT_IM);
    regs_put32(vi, VTD_IECTL, VTD_EVENT_IM);
}

static const struct reg *find(unsigned int offset)
{
    unsigned int i;

    if ( offset >= VTD_FRCD )
        return &record_regs[!!(offset & 8)];

    for ( i = 0; i < ARRAY_SIZE(regs); i++ )
        if ( offset - regs[i].offset < regs[i].size )
            return &regs[i];

    return NULL;
}

/*
 * 11.4.4.1. Toggles say what shall be, and are compared with GSTS when the
 * command is taken up. One-shot bits are repeatable: drivers write them back
 * from GSTS along with a new bit.
 */
static void write_gcmd(struct viommu *vi, uint32_t value)
{
    uint32_t one_shot = vi->gcmd_pending ? vi->gcmd & VTD_GCMD_ONE_SHOT : 0;

    vi->gcmd = value | one_shot;
    vi->gcmd_pending = true;

    regs_put32(vi, VTD_GSTS,
               regs_get32(vi, VTD_GSTS) & ~(value & VTD_GCMD_ONE_SHOT));
}

/* Returns whether the write may have left work. */
bool regs_apply(struct viommu *vi, unsigned int offset, uint32_t value)
{
    const struct reg *reg = find(offset);
    unsigned int shift;
    uint32_t rw, w1c, old;

    if ( !reg || (reg->needs & ~vi->ecap) )
        return false;

    shift = reg->size == 8 && (offset & 4) ? 32 : 0;
    rw = reg->rw >> shift;
    w1c = reg->w1c >> shift;
    old = regs_get32(vi, offset);
    regs_put32(vi, offset, ((old & ~rw) | (value & rw)) & ~(value & w1c));

    switch ( reg->action )
    {
    case ON_WRITE_GCMD:
        write_gcmd(vi, value);
        return true;

    case ON_WRITE_WORK:
        return true;

    case ON_WRITE_FAULT:
        fault_event_update(vi, VIOMMU_EVENT_FAULT);
        /* A queue that stood still because of an error goes on. */
        return offset == VTD_FSTS && (value & VTD_FSTS_IQE);

    case ON_WRITE_RECORD:
        fault_records_update(vi);
        return false;

    case ON_WRITE_COMPLETION:
        fault_event_update(vi, VIOMMU_EVENT_COMPLETION);
        return false;

    case ON_WRITE_NONE:
    default:
        return false;
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
