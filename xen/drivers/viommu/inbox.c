/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inbox.c: the register page as memory, so that accesses to it do not exit.
 *
 * The page is only an inbox. What the guest reads there is what was shown to it
 * last; a dword that differs from that was written by the guest, and is taken
 * for a register write. Where memory cannot imitate a register, the page traps:
 * while a status that is cleared by writing 1 is set, and after a root pointer
 * (or that of interrupts) was set until the next command, so that the same
 * command given again does not look complete at once.
 *
 * As long as the page may be mapped ("live"), a trapped access takes what is in
 * it first and shows its own result after. So accesses of both kinds are in the
 * order in which the guest made them, whenever the page comes and goes.
 */
#include "boundary.h"
#include "inbox.h"
#include "regs.h"

/*
 * GCMD is write-only. It shows a value that no driver writes (reserved bits),
 * so that the same command is seen again when it is given again.
 */
#define GCMD_POISON 0x00000055U

/*
 * Registers that start something, and those that are set up before them: on
 * x86 stores are seen in order, so these are read after the one that starts.
 */
static const struct {
    uint16_t offset;
    uint16_t first, last;    /* dwords; last 0: none */
} polled[] = {
    /* A tail written before it is the one that a new queue begins with. */
    { VTD_GCMD, 0, VIOMMU_REGS_SIZE - 4 },
    { VTD_IQT },
    { VTD_IOTLB + 4, VTD_IVA, VTD_IOTLB },
    { VTD_CCMD + 4, VTD_CCMD, VTD_CCMD },
    /* Nothing is set in it while the page is memory, but drivers read it. */
    { VTD_FSTS },
};

static bool is_polled(unsigned int offset)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(polled); i++ )
        if ( polled[i].offset == offset )
            return true;

    return false;
}

static uint32_t *dword(const struct viommu *vi, unsigned int offset)
{
    return &vi->inbox.page[offset / sizeof(uint32_t)];
}

static uint32_t *shown(struct viommu *vi, unsigned int offset)
{
    return &vi->inbox.shown[offset / sizeof(uint32_t)];
}

static void show(struct viommu *vi, unsigned int offset)
{
    uint32_t value = regs_get32(vi, offset);

    if ( offset == VTD_GCMD )
        value = GCMD_POISON;
    else if ( offset == VTD_GSTS )
        value &= ~VTD_GCMD_ONE_SHOT;

    if ( *shown(vi, offset) == value )
        return;

    *shown(vi, offset) = value;
    ACCESS_ONCE(*dword(vi, offset)) = value;
}

/* Takes one dword, if it was written. Returns whether that left work. */
static bool take(struct viommu *vi, unsigned int offset)
{
    uint32_t value = ACCESS_ONCE(*dword(vi, offset));
    bool work;

    if ( value == *shown(vi, offset) )
        return false;

    /* A command that comes between would be lost by two steps. */
    if ( offset == VTD_GCMD )
    {
        value = xchg(dword(vi, offset), GCMD_POISON);
        work = regs_apply(vi, offset, value);
    }
    else
    {
        *shown(vi, offset) = value;
        work = regs_apply(vi, offset, value);
        show(vi, offset);
    }

    return work;
}

static void take_tail(struct viommu *vi)
{
    uint32_t value = ACCESS_ONCE(*dword(vi, VTD_IQT));

    *shown(vi, VTD_IQT) = value;
    regs_apply_tail(vi, value);
    show(vi, VTD_IQT);
    vi->inbox.work = true;
}

static void take_range(struct viommu *vi, unsigned int first,
                       unsigned int last)
{
    unsigned int offset;

    for ( offset = first; offset <= last; offset += sizeof(uint32_t) )
        if ( !is_polled(offset) )
            (void)take(vi, offset);
}

void inbox_absorb(struct viommu *vi)
{
    unsigned int i, found = 0;
    uint32_t others;
    bool tail;

    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( !vi->inbox.live )
        return;

    /* Nearly always it is the tail alone. The same order as below. */
    others = inbox_differs(vi, VTD_GCMD);
    tail = inbox_differs(vi, VTD_IQT);
    others |= inbox_differs(vi, VTD_IOTLB + 4) |
              inbox_differs(vi, VTD_CCMD + 4) | inbox_differs(vi, VTD_FSTS);
    smp_rmb();
    if ( likely(!others) )
    {
        if ( tail )
            take_tail(vi);
        return;
    }

    for ( i = 0; i < ARRAY_SIZE(polled); i++ )
        if ( inbox_differs(vi, polled[i].offset) )
            found |= 1U << i;

    smp_rmb();

    for ( i = 0; i < ARRAY_SIZE(polled); i++ )
    {
        if ( !(found & (1U << i)) )
            continue;
        if ( polled[i].last )
            take_range(vi, polled[i].first, polled[i].last);
        if ( take(vi, polled[i].offset) )
            vi->inbox.work = true;
    }
}

void inbox_absorb_all(struct viommu *vi)
{
    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( !vi->inbox.live )
        return;

    inbox_absorb(vi);
    take_range(vi, 0, VIOMMU_REGS_SIZE - 4);
}

/* What commands change on their own, and nothing else does while it is live. */
void inbox_show(struct viommu *vi)
{
    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( !vi->inbox.live )
        return;

    show(vi, VTD_IQH);
    show(vi, VTD_GSTS);
    show(vi, VTD_CCMD);
    show(vi, VTD_CCMD + 4);
    show(vi, VTD_IOTLB);
    show(vi, VTD_IOTLB + 4);
}

void inbox_show_all(struct viommu *vi)
{
    unsigned int offset;

    ASSERT(spin_is_locked(&vi->reg_lock));

    if ( !vi->inbox.live )
        return;

    for ( offset = 0; offset < VIOMMU_REGS_SIZE; offset += sizeof(uint32_t) )
        show(vi, offset);
}

/* Takes plain registers, and repairs the rest, of a cache line of the page. */
void inbox_scrub(struct viommu *vi)
{
    const unsigned int line = 64;
    unsigned int offset = vi->inbox.scrub, end = offset + line;
    bool dirty = false;

    ASSERT(spin_is_locked(&vi->sync_lock));

    vi->inbox.scrub = end % (1U << VTD_PAGE_SHIFT);

    for ( ; offset < end; offset += sizeof(uint32_t) )
    {
        if ( offset >= VIOMMU_REGS_SIZE )
        {
            if ( ACCESS_ONCE(*dword(vi, offset)) )
                ACCESS_ONCE(*dword(vi, offset)) = 0;
        }
        else if ( inbox_differs(vi, offset) )
            dirty = true;
    }
    if ( !dirty )
        return;

    spin_lock(&vi->reg_lock);
    take_range(vi, end - line, min(end, VIOMMU_REGS_SIZE + 0U) - 1);
    spin_unlock(&vi->reg_lock);
}

/* Whether memory can imitate all registers as they are. reg_lock held. */
static bool imitable(const struct viommu *vi)
{
    return !vi->inbox.root_shows &&
           !regs_get32(vi, VTD_FSTS) && !regs_get32(vi, VTD_ICS) &&
           !((regs_get32(vi, VTD_FECTL) | regs_get32(vi, VTD_IECTL)) &
             VTD_EVENT_IP);
}

bool inbox_enter(struct viommu *vi)
{
    unsigned int offset;
    bool live;

    ASSERT(spin_is_locked(&vi->sync_lock));
    ASSERT(vi->inbox.page && !vi->inbox.live);

    spin_lock(&vi->reg_lock);
    live = imitable(vi);
    if ( live )
    {
        for ( offset = 0; offset < 1U << VTD_PAGE_SHIFT;
              offset += sizeof(uint32_t) )
        {
            if ( offset < VIOMMU_REGS_SIZE )
                *shown(vi, offset) = ~regs_get32(vi, offset);
            else
                ACCESS_ONCE(*dword(vi, offset)) = 0;
        }
        vi->inbox.live = true;
        inbox_show_all(vi);
    }
    spin_unlock(&vi->reg_lock);

    if ( live && guest_inbox_map(vi) )
    {
        /* Never mapped, so there is nothing in it. */
        spin_lock(&vi->reg_lock);
        vi->inbox.live = live = false;
        spin_unlock(&vi->reg_lock);
    }

    return live;
}

bool inbox_leave(struct viommu *vi)
{
    bool work;

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !vi->inbox.live )
        return false;

    /* From here on no vCPU can write it. */
    guest_inbox_unmap(vi);

    spin_lock(&vi->reg_lock);
    inbox_absorb_all(vi);
    work = vi->inbox.work;
    vi->inbox.work = false;
    vi->inbox.live = false;
    spin_unlock(&vi->reg_lock);

    return work;
}

/* ---- Trapped accesses. ---- */

uint64_t inbox_trapped_read(struct viommu *vi, unsigned int offset,
                            unsigned int size)
{
    uint64_t value = 0;

    spin_lock(&vi->reg_lock);
    viommu_count(vi, reg_reads);
    inbox_absorb_all(vi);
    if ( offset < VIOMMU_REGS_SIZE )
    {
        offset = array_index_nospec(offset, VIOMMU_REGS_SIZE);
        value = size == 8 ? regs_get64(vi, offset) : regs_get32(vi, offset);
        if ( offset <= VTD_GSTS && offset + size > VTD_GSTS )
            vi->inbox.root_seen = vi->inbox.root_shows;
    }
    inbox_show_all(vi);
    spin_unlock(&vi->reg_lock);

    return value;
}

bool inbox_trapped_write(struct viommu *vi, unsigned int offset,
                         unsigned int size, uint64_t value)
{
    bool work = false;

    spin_lock(&vi->reg_lock);
    viommu_count(vi, reg_writes);
    inbox_absorb_all(vi);
    if ( offset < VIOMMU_REGS_SIZE )
    {
        offset = array_index_nospec(offset, VIOMMU_REGS_SIZE);
        work = regs_apply(vi, offset, value);
        if ( size == 8 )
            work |= regs_apply(vi, offset + sizeof(uint32_t), value >> 32);
    }
    inbox_show_all(vi);
    spin_unlock(&vi->reg_lock);

    return work;
}

void inbox_trapped_tail(struct viommu *vi, uint32_t value)
{
    spin_lock(&vi->reg_lock);
    viommu_count(vi, reg_writes);
    if ( unlikely(vi->inbox.live) )
        inbox_absorb_all(vi);
    regs_apply_tail(vi, value);
    if ( unlikely(vi->inbox.live) )
        inbox_show_all(vi);
    spin_unlock(&vi->reg_lock);
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
