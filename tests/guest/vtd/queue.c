/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * queue.c: the invalidation queue (VT-d 6.5.2), and invalidation by it.
 */
#include "unit.h"

#define STATUS          (QUEUE_BASE - PAGE)

static unsigned int entries_, tail_;
static bool on;

void queue_on(unsigned int qs)
{
    entries_ = 256U << qs;
    tail_ = 0;
    wr64(IQT, 0);
    wr64(IQA, QUEUE_BASE | qs);
    on = command(G_QIE);
}

void queue_off(void)
{
    on = false;
    if ( rd32(GSTS) & G_QIE )
        command_off(G_QIE);
    wr64(IQT, 0);
}

unsigned int queue_entries(void)
{
    return entries_;
}

unsigned int queue_tail(void)
{
    return tail_;
}

volatile struct descriptor *queue_slot(unsigned int index)
{
    return (volatile struct descriptor *)QUEUE_BASE + index;
}

void queue_put(uint64_t lo, uint64_t hi)
{
    queue_slot(tail_)->hi = hi;
    queue_slot(tail_)->lo = lo;
    tail_ = (tail_ + 1) % entries_;
}

void queue_kick(void)
{
    wr64(IQT, tail_ * sizeof(struct descriptor));
}

bool queue_drained(void)
{
    return WAIT_FOR(now64(IQH) == now64(IQT));
}

bool queue_sync(void)
{
    static uint32_t number;

    *mem32(STATUS) = 0;
    queue_put(DESC_WAIT | WAIT_SW | WAIT_DATA(++number), STATUS);
    queue_kick();

    return WAIT_FOR(*mem32(STATUS) == number || (now32(FSTS) & FSTS_IQE)) &&
           *mem32(STATUS) == number;
}

bool queue_do(uint64_t lo, uint64_t hi)
{
    queue_put(lo, hi);

    return queue_sync();
}

bool inv_context(void)
{
    if ( on )
        return queue_do(DESC_CONTEXT(GLOBAL, 0, 0), 0);

    return CCMD_CAIG(ccmd(CCMD_ICC | CCMD_CIRG(GLOBAL))) == GLOBAL;
}

bool inv_global(void)
{
    if ( on )
        return queue_do(DESC_IOTLB(GLOBAL, 0), 0);

    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(GLOBAL) | IOTLB_DR_DW, 0));
}

bool inv_domain(unsigned int did)
{
    if ( on )
        return queue_do(DESC_IOTLB(DOMAIN, did), 0);

    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(DOMAIN) | IOTLB_DR_DW |
                            IOTLB_DID(did), 0));
}

bool inv_pages(unsigned int did, uint64_t addr, unsigned int am)
{
    if ( on )
        return queue_do(DESC_IOTLB(SELECTIVE, did), addr | am);

    return IOTLB_IAIG(iotlb(IOTLB_IVT | IOTLB_IIRG(SELECTIVE) | IOTLB_DR_DW |
                            IOTLB_DID(did), addr | am));
}

bool inv_all(void)
{
    return inv_context() && inv_global();
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
