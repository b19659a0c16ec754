/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unit.c: commands, invalidation by registers, fault records.
 */
#include "unit.h"

#define STATE_BITS      (G_TE | G_QIE)
#define MARKER          (PAGE - 4)      /* no register: reads 0 */

bool sidecore, unsettled;
uint64_t cap, ecap;
unsigned int reg_iva, reg_iotlb, reg_frcd, nr_frcd;
unsigned int width;

void unit_init(void)
{
    cap = rd64(CAP);
    ecap = rd64(ECAP);
    reg_iva = ECAP_IRO(ecap) * 16;
    reg_iotlb = reg_iva + 8;
    reg_frcd = CAP_FRO(cap) * 16;
    nr_frcd = CAP_NFR(cap) + 1;
    width = CAP_MGAW(cap) + 1;
}

/*
 * Xen goes through the page in a circle, and clears the marker when it comes
 * by: the second time after all that was written before the first.
 */
void settle(void)
{
    unsigned int i;

    unsettled = false;
    for ( i = 0; sidecore && i < 2; i++ )
    {
        mmio_write32(UNIT + MARKER, ~0U);
        if ( !WAIT_FOR(!now32(MARKER)) )
            check(false, "what is written into the page is seen");
    }
}

/*
 * While it traps, GCMD reads 0; memory shows a value there by which the same
 * command written twice is seen twice. A pause after a time in which nobody
 * looked at the page can be a second.
 */
bool memory_wait(void)
{
    inv_context();
    settle();

    return WAIT_FOR(now32(GCMD));
}

bool gsts_is(uint32_t mask, uint32_t value)
{
    return WAIT_FOR((now32(GSTS) & mask) == value);
}

/* 11.4.4.1: what is on stays on, one command at a time. */
bool command(uint32_t bits)
{
    wr32(GCMD, (now32(GSTS) & STATE_BITS) | bits);

    return gsts_is(bits, bits);
}

bool command_off(uint32_t bits)
{
    wr32(GCMD, now32(GSTS) & STATE_BITS & ~bits);

    return gsts_is(bits, 0);
}

uint64_t ccmd(uint64_t bits)
{
    wr64(CCMD, bits);
    WAIT_FOR(!(now64(CCMD) & CCMD_ICC));

    return rd64(CCMD);
}

uint64_t iotlb(uint64_t bits, uint64_t iva)
{
    wr64(reg_iva, iva);
    wr64(reg_iotlb, bits);
    WAIT_FOR(!(now64(reg_iotlb) & IOTLB_IVT));

    return rd64(reg_iotlb);
}

void errors_clear(void)
{
    wr32(FSTS, FSTS_IQE | FSTS_ICE | FSTS_ITE);
}

void unit_quiet(void)
{
    wr32(FECTL, EVENT_IM);
    wr32(IECTL, EVENT_IM);
    command_off(G_TE);
    queue_off();
    errors_clear();
    faults_clear();
    wr32(ICS, 1);
}

/* ---- Fault records (11.4.7.8). ---- */

void fault_get(unsigned int index, struct fault *f)
{
    uint64_t lo = rd64(reg_frcd + index * 16);
    uint64_t hi = rd64(reg_frcd + index * 16 + 8);

    f->valid = hi & FRCD_F;
    f->read = hi & FRCD_T;
    f->reason = FRCD_REASON(hi);
    f->sid = FRCD_SID(hi);
    f->addr = lo & ~(PAGE - 1);
}

unsigned int faults_count(void)
{
    unsigned int i, n = 0;
    struct fault f;

    for ( i = 0; i < nr_frcd; i++ )
    {
        fault_get(i, &f);
        n += f.valid;
    }

    return n;
}

void faults_clear(void)
{
    unsigned int i;

    for ( i = 0; i < nr_frcd; i++ )
        if ( rd64(reg_frcd + i * 16 + 8) & FRCD_F )
            wr32(reg_frcd + i * 16 + 12, FRCD_F >> 32);
    wr32(FSTS, FSTS_PFO);
}

/* A fault is reported some time after the DMA that it is about. */
bool faults_wait(void)
{
    return WAIT_FOR(rd32(FSTS) & (FSTS_PPF | FSTS_PFO));
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
