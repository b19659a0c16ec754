/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qinval.c: takes up commands, from the queue or the registers (VT-d 6.5).
 *
 * Commands are done one at a time and in order, so that a fence needs nothing
 * more. A command completes for the guest (status write, register bit, queue
 * head) only after all that it asked for has been done and flushed. IOTLB
 * invalidations that follow each other in the queue complete together, with one
 * flush: what waits for them comes behind them.
 */
#include "boundary.h"
#include "check.h"
#include "fault.h"
#include "frame.h"
#include "inbox.h"
#include "intremap.h"
#include "qinval.h"
#include "quick.h"
#include "regfile.h"
#include "removed.h"
#include "sync.h"
#include "teardown.h"

/* The same before something else is done: it is flushed first. */
static void settle_queue(struct viommu *vi)
{
    if ( vi->removed.s )
        removed_flush(vi);

    spin_lock(&vi->reg_lock);
    commands_show(vi);
    spin_unlock(&vi->reg_lock);
}

/* A command that is about to be taken up. */
static inline void begin(struct viommu_command *cmd, unsigned int from,
                         unsigned int op)
{
    cmd->from = from;
    cmd->op = op;
    cmd->done = cmd->have_target = cmd->entered = false;
    cmd->device = 0;
    cmd->shadow = NULL;
    cmd->last = 0;
}

/*
 * Register commands. They are rare, and apart from what each descriptor goes
 * through, which is to keep few registers.
 */

static noinline void next_gcmd(struct viommu *vi, struct viommu_command *cmd)
{
    bool translation;
    uint32_t gcmd, gsts;
    uint64_t rtaddr, iqa, irta;

    /* It may be about the queue. */
    settle_queue(vi);

    spin_lock(&vi->reg_lock);
    gcmd = vi->gcmd;
    vi->gcmd_pending = false;
    gsts = regs_get32(vi, VTD_GSTS);
    rtaddr = regs_get64(vi, VTD_RTADDR);
    iqa = regs_get64(vi, VTD_IQA);
    irta = regs_get64(vi, VTD_IRTA);
    if ( (gcmd ^ gsts) & VTD_GCMD_QIE )
        regs_put64(vi, VTD_IQH, 0);
    spin_unlock(&vi->reg_lock);

    if ( (gcmd ^ gsts) & VTD_GCMD_QIE )
    {
        vi->queue_enabled = gcmd & VTD_GCMD_QIE;
        vi->queue = iqa & VTD_IQA_IQA;
        vi->queue_size = sizeof(struct vtd_descriptor)
                         << (VTD_IQ_ENTRIES_ORDER +
                             MASK_EXTR(iqa, VTD_IQA_QS));
        vi->queue_head = 0;
    }

    if ( gcmd & VTD_GCMD_SRTP )
        vi->root = rtaddr & VTD_RTADDR_RTA;

    translation = gcmd & VTD_GCMD_TE;
    begin(cmd, VIOMMU_FROM_GCMD,
          translation != vi->translation ||
          (translation && (gcmd & VTD_GCMD_SRTP)) ? VIOMMU_CMD_CONTEXT
                                                  : VIOMMU_CMD_NOP);
    cmd->granu = VTD_GRANU_GLOBAL;
    vi->translation = translation;
    cmd->data = gcmd & (VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_SRTP);
    if ( vi->ir )
    {
        cmd->data |= gcmd & (VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_CFI);
        cmd->then = cmd->op;
        cmd->op = VIOMMU_CMD_REMAPPING;
        if ( gcmd & VTD_GCMD_SIRTP )
            intremap_latch(vi, irta);
    }
}

static noinline void next_ccmd(struct viommu *vi, struct viommu_command *cmd)
{
    uint64_t ccmd;

    spin_lock(&vi->reg_lock);
    ccmd = regs_get64(vi, VTD_CCMD);
    spin_unlock(&vi->reg_lock);

    viommu_count(vi, reg_commands);
    begin(cmd, VIOMMU_FROM_CCMD, VIOMMU_CMD_CONTEXT);
    cmd->granu = MASK_EXTR(ccmd, VTD_CCMD_CIRG);
    cmd->did = MASK_EXTR(ccmd, VTD_CCMD_DID);
    cmd->sid = MASK_EXTR(ccmd, VTD_CCMD_SID);
    cmd->fm = MASK_EXTR(ccmd, VTD_CCMD_FM);
    if ( cmd->granu == VTD_GRANU_REFUSED )
    {
        viommu_count(vi, rej_command);
        cmd->op = VIOMMU_CMD_NOP;
    }
}

static noinline void next_iotlb(struct viommu *vi, struct viommu_command *cmd)
{
    uint64_t iotlb, iva;

    spin_lock(&vi->reg_lock);
    iotlb = regs_get64(vi, VTD_IOTLB);
    iva = regs_get64(vi, VTD_IVA);
    spin_unlock(&vi->reg_lock);

    viommu_count(vi, reg_commands);
    begin(cmd, VIOMMU_FROM_IOTLB, VIOMMU_CMD_IOTLB);
    cmd->granu = MASK_EXTR(iotlb, VTD_IOTLB_IIRG);
    cmd->did = MASK_EXTR(iotlb, VTD_IOTLB_DID);
    cmd->addr = iva & VTD_IVA_ADDR;
    cmd->am = MASK_EXTR(iva, VTD_IVA_AM);
    if ( cmd->granu == VTD_GRANU_SELECTIVE && cmd->am > VIOMMU_MAMV )
        cmd->granu = VTD_GRANU_REFUSED;
    if ( cmd->granu == VTD_GRANU_REFUSED )
    {
        viommu_count(vi, rej_command);
        cmd->op = VIOMMU_CMD_NOP;
    }
}

/* The queue. */

static bool decode_context(struct viommu *vi,
                           const struct vtd_descriptor *desc,
                           struct viommu_command *cmd)
{
    cmd->granu = MASK_EXTR(desc->lo, VTD_DESC_GRANU);
    if ( (desc->lo & VTD_DESC_CC_LO_RSVD) || desc->hi ||
         cmd->granu == VTD_GRANU_REFUSED )
        return false;

    viommu_count(vi, qi_context);
    begin(cmd, VIOMMU_FROM_QUEUE, VIOMMU_CMD_CONTEXT);
    cmd->did = MASK_EXTR(desc->lo, VTD_DESC_CC_DID);
    cmd->sid = MASK_EXTR(desc->lo, VTD_DESC_CC_SID);
    cmd->fm = MASK_EXTR(desc->lo, VTD_DESC_CC_FM);

    return true;
}

static bool decode_iotlb(struct viommu *vi, const struct vtd_descriptor *desc,
                         struct viommu_command *cmd)
{
    cmd->granu = MASK_EXTR(desc->lo, VTD_DESC_GRANU);
    cmd->am = MASK_EXTR(desc->hi, VTD_DESC_IOTLB_AM);
    if ( (desc->lo & VTD_DESC_IOTLB_LO_RSVD) ||
         (desc->hi & VTD_DESC_IOTLB_HI_RSVD) ||
         cmd->granu == VTD_GRANU_REFUSED ||
         (cmd->granu == VTD_GRANU_SELECTIVE && cmd->am > VIOMMU_MAMV) )
        return false;

    viommu_count(vi, qi_iotlb);
    begin(cmd, VIOMMU_FROM_QUEUE, VIOMMU_CMD_IOTLB);
    cmd->did = MASK_EXTR(desc->lo, VTD_DESC_IOTLB_DID);
    cmd->addr = desc->hi & VTD_DESC_IOTLB_ADDR;

    return true;
}

/* Entries are not cached, only where they are. */
static bool decode_iec(struct viommu *vi, const struct vtd_descriptor *desc,
                       struct viommu_command *cmd)
{
    if ( (desc->lo & VTD_DESC_IEC_LO_RSVD) || desc->hi )
        return false;

    viommu_count(vi, qi_iec);
    begin(cmd, VIOMMU_FROM_QUEUE, vi->ir ? VIOMMU_CMD_IEC : VIOMMU_CMD_NOP);

    return true;
}

static bool decode_wait(struct viommu *vi, const struct vtd_descriptor *desc,
                        struct viommu_command *cmd)
{
    if ( (desc->lo & VTD_DESC_WAIT_LO_RSVD) ||
         (desc->hi & ~VTD_DESC_WAIT_ADDR) )
        return false;

    viommu_count(vi, qi_wait);
    begin(cmd, VIOMMU_FROM_QUEUE, VIOMMU_CMD_WAIT);
    cmd->write = desc->lo & VTD_DESC_WAIT_SW;
    cmd->interrupt = desc->lo & VTD_DESC_WAIT_IF;
    cmd->data = MASK_EXTR(desc->lo, VTD_DESC_WAIT_DATA);
    cmd->addr = desc->hi;

    return true;
}

static bool decode(struct viommu *vi, const struct vtd_descriptor *desc,
                   struct viommu_command *cmd)
{
    if ( desc->lo & VTD_DESC_TYPE_HI )
        return false;

    switch ( MASK_EXTR(desc->lo, VTD_DESC_TYPE) )
    {
    case VTD_DESC_CONTEXT:
        return decode_context(vi, desc, cmd);

    case VTD_DESC_IOTLB:
        return decode_iotlb(vi, desc, cmd);

    case VTD_DESC_IEC:
        return decode_iec(vi, desc, cmd);

    case VTD_DESC_WAIT:
        return decode_wait(vi, desc, cmd);

    case VTD_DESC_DEV_TLB: /* ECAP.DT is 0 */
    default:
        return false;
    }
}

/* Reads a descriptor of the queue, each half once. */
static bool fetch(struct viommu *vi, unsigned int offset,
                  struct vtd_descriptor *desc)
{
    paddr_t addr = vi->queue + offset;
    const struct vtd_descriptor *from =
        frame_page(vi, addr, VIOMMU_USE_QUEUE, true);

    if ( !from )
        return false;

    from += (addr & ((1U << VTD_PAGE_SHIFT) - 1)) / sizeof(*from);
    desc->lo = ACCESS_ONCE(from->lo);
    desc->hi = ACCESS_ONCE(from->hi);

    return true;
}

/* 6.5.2.10: the head stays, and the queue goes on when IQE is cleared. */
static noinline void queue_error(struct viommu *vi)
{
    settle_queue(vi);
    /* A command that was in the page would be left alone. */
    if ( inbox_leave(vi) )
        guest_defer_all(vi);
    fault_status(vi, VTD_FSTS_IQE);
}

static bool next_descriptor(struct viommu *vi, struct viommu_command *cmd)
{
    struct vtd_descriptor desc;
    unsigned int tail;

    if ( !vi->queue_enabled )
        return false;

    /* No bit of it is in the upper dword. */
    tail = regs_glance(vi, VTD_IQT);
    if ( vi->queue_head == tail ||
         (regs_glance(vi, VTD_FSTS) & VTD_FSTS_IQE) )
        return false;

    if ( tail >= vi->queue_size ||
         !fetch(vi, array_index_nospec(vi->queue_head, vi->queue_size),
                &desc) )
        viommu_count(vi, rej_queue);
    else if ( !decode(vi, &desc, cmd) )
        viommu_count(vi, rej_descriptor);
    else
        return true;

    queue_error(vi);

    return false;
}

/* Nothing of a device that was bound just now has been looked at yet. */
static void next_bind(struct viommu *vi, struct viommu_command *cmd)
{
    vi->rebind = false;
    begin(cmd, VIOMMU_FROM_BIND, VIOMMU_CMD_CONTEXT);
    cmd->granu = VTD_GRANU_GLOBAL;
}

/* Takes up the next command; false: there is none. */
static bool next_command(struct viommu *vi)
{
    struct viommu_command *cmd = &vi->cmd;

    if ( likely(!commands_in_registers(vi)) )
        return next_descriptor(vi, cmd);

    if ( vi->rebind )
        next_bind(vi, cmd);
    else if ( ACCESS_ONCE(vi->gcmd_pending) )
        next_gcmd(vi, cmd);
    else if ( regs_glance(vi, VTD_CCMD + 4) & (VTD_CCMD_ICC >> 32) )
        next_ccmd(vi, cmd);
    else
        next_iotlb(vi, cmd);

    return true;
}

static int execute(struct viommu *vi, struct viommu_command *cmd,
                   struct viommu_budget *b)
{
    int rc;

    /* Its flush is that of what follows, if that is the same. */
    if ( cmd->op != VIOMMU_CMD_IOTLB && vi->removed.s )
        removed_flush(vi);

    switch ( cmd->op )
    {
    case VIOMMU_CMD_IOTLB:
        check_begin(vi, cmd);
        rc = sync_iotlb(vi, cmd, b);
        if ( !rc )
            check_end(vi, cmd);
        return rc;

    case VIOMMU_CMD_CONTEXT:
        return sync_contexts(vi, cmd, b);

    case VIOMMU_CMD_WAIT:
        if ( cmd->write && !frame_write32(vi, cmd->addr, cmd->data) )
            viommu_count(vi, rej_status);
        if ( cmd->interrupt )
        {
            (void)inbox_leave(vi);
            fault_completion(vi);
        }
        return 0;

    case VIOMMU_CMD_REMAPPING:
        rc = intremap_command(vi, cmd->data, b);
        if ( rc )
            return rc;
        cmd->op = cmd->then;
        return cmd->op == VIOMMU_CMD_CONTEXT ? sync_contexts(vi, cmd, b) : 0;

    case VIOMMU_CMD_IEC:
        return intremap_refresh(vi, b);

    case VIOMMU_CMD_NOP:
    case VIOMMU_CMD_NONE:
    default:
        return 0;
    }
}

/* Makes it known to the guest that the command is done. */
static void complete(struct viommu *vi, const struct viommu_command *cmd)
{
    bool root = cmd->from == VIOMMU_FROM_GCMD &&
                (cmd->data & VTD_GCMD_ONE_SHOT);
    uint64_t value;

    if ( cmd->from == VIOMMU_FROM_QUEUE )
    {
        vi->queue_head += sizeof(struct vtd_descriptor);
        if ( vi->queue_head >= vi->queue_size )
            vi->queue_head = 0;
        vi->queue_behind = true;
        /* Only a driver's first commands go on from here. */
        if ( !vi->inbox.root_shows )
            return;
    }
    else
        removed_flush(vi);

    spin_lock(&vi->reg_lock);

    if ( root )
    {
        vi->inbox.root_shows = true;
        vi->inbox.root_seen = false;
    }
    /* Binding a device is no command of the driver. */
    else if ( cmd->from != VIOMMU_FROM_GCMD && cmd->from != VIOMMU_FROM_BIND &&
              vi->inbox.root_seen )
        vi->inbox.root_shows = false;

    switch ( cmd->from )
    {
    case VIOMMU_FROM_GCMD:
        value = (regs_get32(vi, VTD_GSTS) & VTD_GCMD_ONE_SHOT) | cmd->data;
        /* Not yet, if it was asked for once more meanwhile. */
        if ( vi->gcmd_pending )
            value &= ~(vi->gcmd & VTD_GCMD_ONE_SHOT);
        regs_put32(vi, VTD_GSTS, value);
        break;

    case VIOMMU_FROM_CCMD:
        value = regs_get64(vi, VTD_CCMD);
        value &= ~(VTD_CCMD_ICC | VTD_CCMD_CAIG);
        regs_put64(vi, VTD_CCMD, value | MASK_INSR(cmd->granu, VTD_CCMD_CAIG));
        break;

    case VIOMMU_FROM_IOTLB:
        value = regs_get64(vi, VTD_IOTLB);
        value &= ~(VTD_IOTLB_IVT | VTD_IOTLB_IAIG);
        regs_put64(vi, VTD_IOTLB,
                   value | MASK_INSR(cmd->granu, VTD_IOTLB_IAIG));
        break;

    case VIOMMU_FROM_QUEUE:
    case VIOMMU_FROM_BIND:
    default:
        break;
    }

    spin_unlock(&vi->reg_lock);

    /* The status of this one has to be exact; see inbox.c. */
    if ( root )
        (void)inbox_leave(vi);
}

int commands_run_all(struct viommu *vi, struct viommu_budget *b)
{
    int rc;

    ASSERT(spin_is_locked(&vi->sync_lock));

    /* Memory left the guest, or a device its table. */
    if ( unlikely(ACCESS_ONCE(vi->stale.end)) )
    {
        frame_unmap_pages(vi);
        intremap_unmap(vi, false);
    }

    for ( ; ; )
    {
        rc = unlikely(ACCESS_ONCE(vi->stale.end)) ? teardown_end(vi, b) : 0;
        if ( rc )
            break;

        if ( vi->cmd.done )
        {
            complete(vi, &vi->cmd);
            vi->cmd.op = VIOMMU_CMD_NONE;
            vi->cmd.done = false;

            /* pcidevs_lock is everybody's: for one command at a time. */
            rc = -ERESTART;
            if ( vi->pcidevs_held )
                break;
        }

        /* What the last command freed comes before what the next one needs. */
        rc = unlikely(vi->dying) ? sync_reap(vi, b) : 0;
        if ( rc )
            break;

        if ( vi->cmd.op == VIOMMU_CMD_NONE )
        {
            rc = 0;
            if ( likely(!commands_in_registers(vi)) && quick_run(vi, b) )
                break;

            rc = -ERESTART;
            if ( b->left <= b->rest )
                break;
            budget_take(b, 1);

            rc = 0;
            if ( !next_command(vi) )
                break;
        }

        rc = execute(vi, &vi->cmd, b);
        if ( rc )
            break;
        vi->cmd.done = true;
    }

    /* Nothing that is removed is kept without sync_lock. */
    if ( vi->removed.s )
        removed_flush(vi);

    return rc;
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
