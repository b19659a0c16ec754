/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-records.c: fault records, their status bits and their event (VT-d 7.3,
 * 11.4.7).
 */
#include "unit.h"

#define BAD             0x7f000000ULL   /* nothing is mapped from here on */
#define VECTOR          0x72

static struct edu *dev = &edus[0];
static uint64_t page;

/* Waits for the record, or for as long as one may take to be made. */
static void fault_at(unsigned int n)
{
    unsigned int before = faults_count();

    edu_writes(dev, BAD + n * PAGE, page);
    WITHIN(faults_count() != before || (rd32(FSTS) & FSTS_PFO), 500);
}

static unsigned int record_hi(unsigned int index)
{
    return reg_frcd + index * 16 + 8;
}

/* No fault is reported within the time in which others are. */
static bool none(void)
{
    pause_ms(500);

    return !(rd32(FSTS) & (FSTS_PPF | FSTS_PFO)) && !faults_count();
}

static void check_one(void)
{
    unsigned int index;
    struct fault f;
    uint64_t lo;

    check_eq(rd32(FSTS), 0, "before: FSTS is 0");
    fault_at(1);
    if ( !check(faults_wait(), "a fault sets PPF") )
        return;
    check_eq(rd32(FSTS) & 0xff, FSTS_PPF, "... and no other bit");
    index = FSTS_FRI(rd32(FSTS));
    check(index < nr_frcd, "FRI is that of a record");
    fault_get(index, &f);
    check(f.valid, "F of that record is set");
    check_eq(faults_count(), 1, "there is one record");
    check_eq(f.sid, dev->devfn, "source-id: the device's in the guest");
    check_eq(f.addr, BAD + PAGE, "address: the page");
    check_eq(f.read, false, "type: a write");
    check_eq(f.reason, REASON_WRITE, "reason: no right to write");
    check_eq(rd64(reg_frcd + index * 16) & (PAGE - 1), 0,
             "bits 11:0 of the address are reserved");
    check_eq(rd64(record_hi(index)) & FRCD_UNUSED, 0,
             "no PASID, address type or privilege");

    wr64(record_hi(index), ~FRCD_F);
    check(rd64(record_hi(index)) & FRCD_F, "other bits written: F stays");
    wr32(record_hi(index) + 4, 0);
    check(rd64(record_hi(index)) & FRCD_F, "F written as 0: it stays");
    wr32(FSTS, FSTS_PPF);
    check_eq(rd32(FSTS) & FSTS_PPF, FSTS_PPF, "PPF written as 1: it stays");
    lo = rd64(reg_frcd + index * 16);
    wr64(reg_frcd + index * 16, ~lo);
    check_eq(rd64(reg_frcd + index * 16), lo, "the address is read-only");
    wr32(record_hi(index) + 4, FRCD_F >> 32);
    check_eq(rd64(record_hi(index)) & FRCD_F, 0, "F written as 1: cleared");
    check_eq(rd32(FSTS) & FSTS_PPF, 0, "PPF goes with the last F");

    fault_at(2);
    faults_wait();
    wr64(record_hi(FSTS_FRI(rd32(FSTS))), FRCD_F);
    check_eq(rd32(FSTS) & FSTS_PPF, 0, "F cleared by an access of 8 bytes");
}

/*
 * Several before software looks. While F of a record is set, a unit may leave
 * out further faults of the same source (11.4.7.8).
 */
static void check_several(void)
{
    unsigned int i, first, n, wrong = 0;
    struct fault f;

    faults_clear();
    for ( i = 0; i < 3; i++ )
        fault_at(i);
    faults_wait();
    first = FSTS_FRI(rd32(FSTS));
    n = faults_count();
    if ( n < 3 )
        skip("faults of one device are collapsed", "several records");
    else
    {
        for ( i = 0; i < 3; i++ )
        {
            fault_get((first + i) % nr_frcd, &f);
            wrong += !f.valid || f.addr != BAD + i * PAGE;
        }
        check_eq(wrong, 0, "three faults: three records, in their order");
        wr64(record_hi(first), FRCD_F);
        check_eq(rd32(FSTS) & FSTS_PPF, FSTS_PPF,
                 "PPF stays while some F is set");
        faults_clear();
        check_eq(rd32(FSTS) & (FSTS_PPF | FSTS_PFO), 0,
                 "PPF goes when all are cleared");
    }

    faults_clear();
    for ( i = 0; i < nr_frcd; i++ )
        fault_at(i);
    n = faults_count();
    if ( n < nr_frcd )
    {
        skip("faults of one device are collapsed", "overflow");
        return;
    }
    check_eq(rd32(FSTS) & FSTS_PFO, 0, "all records in use: no overflow yet");
    fault_at(nr_frcd);
    check(WAIT_FOR(rd32(FSTS) & FSTS_PFO), "one more: PFO");
    first = FSTS_FRI(rd32(FSTS));
    for ( i = 0; i < nr_frcd; i++ )
    {
        fault_get((first + i) % nr_frcd, &f);
        wrong += !f.valid || f.addr != BAD + i * PAGE;
    }
    check_eq(wrong, 0, "overflow leaves the records as they are");
    for ( i = 0; i < nr_frcd; i++ )
        wr64(record_hi(i), FRCD_F);
    check_eq(rd32(FSTS) & (FSTS_PPF | FSTS_PFO), FSTS_PFO,
             "PFO stays when the records are cleared");
    wr32(FSTS, FSTS_PFO);
    check_eq(rd32(FSTS) & FSTS_PFO, 0, "PFO written as 1: cleared");
    fault_at(0);
    check(faults_wait() && faults_count() == 1,
          "faults are recorded again after an overflow");
}

static void check_not_recorded(void)
{
    faults_clear();
    edu_writes(dev, WINDOW, window_page);
    check(none(), "DMA that is allowed records nothing");

    context_set(dev, dom.table | CTX_P | CTX_FPD,
                (dom.levels - 2) | (dom.did << 8));
    inv_all();
    check_eq(edu_writes(dev, BAD, page), BLOCKED, "FPD: blocked all the same");
    check(none(), "FPD: no right to write: nothing is recorded");
    context_set(dev, CTX_FPD, 0);
    inv_all();
    fault_at(0);
    check(none(), "FPD of a context that is not present: nothing is recorded");
    attach(dev, &dom);
    inv_all();
    fault_at(3);
    check(faults_wait(), "without FPD it is recorded again");
    faults_clear();
}

static bool arrived(unsigned int n)
{
    bool all = WAIT_FOR(irq_count(VECTOR, 0) >= n);

    pause_ms(20);

    return all && irq_count(VECTOR, 0) == n && irq_total() == n;
}

static void check_event(void)
{
    wr32(FECTL, EVENT_IM);
    wr32(FEDATA, VECTOR);
    wr64(FEADDR, 0xfee00000 | (apic_id(0) << 12));
    irq_forget();
    fault_at(0);
    faults_wait();
    check_eq(rd32(FECTL), EVENT_IM | EVENT_IP, "masked: a fault sets IP");
    check(arrived(0), "masked: no interrupt");
    wr32(FECTL, 0);
    check(arrived(1), "unmasked: the interrupt arrives, once");
    check_eq(rd32(FECTL), 0, "unmasked: IP is cleared");
    fault_at(1);
    check(arrived(1), "another fault while PPF is set: no interrupt");
    faults_clear();
    fault_at(2);
    faults_wait();
    check(arrived(2), "a fault after the records are cleared: an interrupt");
    faults_clear();
    wr32(FECTL, EVENT_IM);
    fault_at(3);
    faults_wait();
    faults_clear();
    check_eq(rd32(FECTL), EVENT_IM, "IP goes with the records");
    wr32(FECTL, 0);
    check(arrived(2), "... and unmasking sends nothing");
    wr32(FECTL, EVENT_IM);
}

static void check_second(void)
{
    unsigned int i, seen = 0;
    struct fault f;

    if ( nr_edus < 2 )
    {
        skip("one device only", "faults of two devices");
        return;
    }

    faults_clear();
    fault_at(0);
    edu_writes(&edus[1], BAD + 9 * PAGE, page);
    pause_ms(100);
    for ( i = 0; i < nr_frcd; i++ )
    {
        fault_get(i, &f);
        if ( f.valid && f.sid == edus[0].devfn && f.reason == REASON_WRITE )
            seen |= 1;
        if ( f.valid && f.sid == edus[1].devfn && f.reason == REASON_CONTEXT &&
             f.addr == BAD + 9 * PAGE )
            seen |= 2;
    }
    check_eq(seen, 3, "two devices: each has its record");
    faults_clear();
}

void check_records(void)
{
    topic("fault records");
    if ( !nr_edus )
        return;

    fixture(3);
    page = page_new();
    check_one();
    check_several();
    check_not_recorded();
    check_second();
    topic("fault event of a device");
    check_event();
    unit_quiet();
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
