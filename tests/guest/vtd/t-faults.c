/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-faults.c: DMA that the tables do not allow reaches nothing, and is
 * recorded with the reason that the specification gives (VT-d 7.1.3). Each is
 * at least 100 ms, the time of a DMA, after the one before it: Xen turns a
 * device off that faults more often.
 */
#include "unit.h"

#define IOVA            0x40005000ULL

static struct edu *dev = &edus[0];
static uint64_t page;

static void recorded(const char *name, uint64_t addr, bool read,
                     unsigned int reasons)
{
    unsigned int reason = reasons & 0xff, alt = reasons >> 8;
    struct fault f = { .valid = false };

    if ( faults_wait() )
        fault_get(FSTS_FRI(rd32(FSTS)), &f);
    if ( !check(f.valid && f.read == read &&
                (f.reason == reason || (alt && f.reason == alt)) &&
                f.sid == dev->devfn && f.addr == (addr & ~(PAGE - 1)),
                "%s: recorded with reason 0x%x", name, reason) )
        say("     %s: %s of 0x%lx by 0x%x, reason 0x%x\n",
            f.valid ? "it says" : "nothing was recorded",
            f.read ? "read" : "write", f.addr, f.sid, f.reason);
}

static void write_faults(const char *name, uint64_t addr, unsigned int reason)
{
    faults_clear();
    check_eq(edu_writes(dev, addr, page), BLOCKED, "%s: blocked", name);
    if ( reason )
        recorded(name, addr, false, reason);
}

static void read_faults(const char *name, uint64_t addr, unsigned int reason)
{
    faults_clear();
    edu_dma(dev, false, addr, 2048, 4);
    recorded(name, addr, true, reason);
}

/* ---- Entries of tables. ---- */

/* With one quadword of a table changed, a write to IOVA faults. */
static void bad_value(const char *name, volatile uint64_t *where,
                      uint64_t value, unsigned int reason)
{
    uint64_t good = *where;

    *where = value;
    check(inv_all(), "%s: invalidation completes", name);
    write_faults(name, IOVA, reason);
    *where = good;
    inv_all();
}

static void check_root(void)
{
    volatile uint64_t *r = mem64(root);

    topic("root entry");
    bad_value("not present", r, 0, REASON_ROOT);
    bad_value("reserved bit 1", r, *r | 2, REASON_ROOT_RSVD);
    bad_value("reserved bit 11", r, *r | 0x800, REASON_ROOT_RSVD);
    bad_value("reserved bit 64", r + 1, 1, REASON_ROOT_RSVD);
    bad_value("context table nowhere", r, NOWHERE | 1, REASON_CONTEXT_ACCESS);
    bad_value("context table in the unit's page", r, UNIT | 1, 0);
    bad_value("context table beyond the address width", r, TOO_WIDE | 1, 0);

    wr64(RTADDR, NOWHERE);
    command(G_SRTP);
    inv_all();
    write_faults("root table nowhere", IOVA, REASON_ROOT_ACCESS);
    wr64(RTADDR, root);
    command(G_SRTP);
    inv_all();
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "a good root table works after all that");
}

static void check_context(void)
{
    volatile uint64_t *c = context(dev);
    uint64_t hi = c[1];

    topic("context entry");
    bad_value("not present", c, c[0] & ~CTX_P, REASON_CONTEXT);
    bad_value("reserved bit 4", c, c[0] | 0x10, REASON_CONTEXT_RSVD);
    bad_value("reserved bit 11", c, c[0] | 0x800, REASON_CONTEXT_RSVD);
    bad_value("reserved bit 88", c + 1, hi | (1 << 24), REASON_CONTEXT_RSVD);
    bad_value("reserved bit 127", c + 1, hi | (1ULL << 63),
              REASON_CONTEXT_RSVD);
    bad_value("AW 0: 30 bits", c + 1, hi & ~7ULL, REASON_CONTEXT_INVALID);
    bad_value("AW 3: 57 bits", c + 1, (hi & ~7ULL) | 3,
              REASON_CONTEXT_INVALID);
    bad_value("AW 7", c + 1, hi | 7, REASON_CONTEXT_INVALID);
    bad_value("TT 1, as ECAP.DT is 0", c, c[0] | CTX_TT(1),
              REASON_CONTEXT_INVALID);
    bad_value("TT 3", c, c[0] | CTX_TT(3), REASON_CONTEXT_INVALID);
    /* Revisions differ in which of the two a table's first level is. */
    bad_value("table nowhere", c, NOWHERE | CTX_P,
              EITHER(REASON_TABLE_ACCESS, REASON_CONTEXT_INVALID));
    bad_value("table in the unit's page", c, UNIT | CTX_P, 0);
    bad_value("table beyond the address width", c, TOO_WIDE | CTX_P, 0);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "a good context entry works after all that");
}

static void check_entries(void)
{
    volatile uint64_t *leaf = entry(&dom, IOVA, 1);
    volatile uint64_t *level2 = entry(&dom, IOVA, 2);
    volatile uint64_t *level3 = entry(&dom, IOVA, 3);

    topic("table entry");
    bad_value("leaf not present", leaf, 0, REASON_WRITE);
    bad_value("level 2 not present", level2, 0, REASON_WRITE);
    bad_value("level 3 not present", level3, 0, REASON_WRITE);
    bad_value("leaf without W", leaf, page | R, REASON_WRITE);
    bad_value("level 3 without W", level3, *level3 & ~W, REASON_WRITE);
    bad_value("leaf beyond the address width", leaf, TOO_WIDE | RW,
              REASON_ENTRY_RSVD);
    bad_value("level 2 beyond the address width", level2, TOO_WIDE | RW,
              REASON_ENTRY_RSVD);
    bad_value("leaf of 2M, not aligned", level2, page | RW | SP,
              REASON_ENTRY_RSVD);
    bad_value("leaf of 1G, not aligned", level3, BIG_BASE | RW | SP,
              REASON_ENTRY_RSVD);
    if ( ECAP_SC(ecap) )
        skip("ECAP.SC is 1", "bit 11 is reserved");
    else
        bad_value("bit 11, as ECAP.SC is 0", leaf, page | RW | 0x800,
                  REASON_ENTRY_RSVD);
    bad_value("bit 62, as ECAP.DT is 0", leaf, page | RW | (1ULL << 62),
              REASON_ENTRY_RSVD);
    bad_value("level 2 to nowhere", level2, NOWHERE | RW, REASON_TABLE_ACCESS);
    bad_value("level 2 to the unit's page", level2, UNIT | RW, 0);
    bad_value("leaf to nowhere", leaf, NOWHERE | RW, 0);
    bad_value("leaf to the unit's page", leaf, UNIT | RW, 0);
    bad_value("a table of level 3 that is its own leaf table", level3,
              dom.table | RW, 0);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "good entries work after all that");
}

static void check_reads(void)
{
    volatile uint64_t *leaf = entry(&dom, IOVA, 1);

    topic("faults of reads");
    read_faults("not mapped", IOVA + PAGE, REASON_READ);
    *leaf = page | W;
    inv_all();
    read_faults("leaf without R", IOVA + 0x10, REASON_READ);
    *leaf = page | RW;
    *entry(&dom, IOVA, 2) &= ~R;
    inv_all();
    read_faults("level 2 without R", IOVA, REASON_READ);
    *entry(&dom, IOVA, 2) |= R;
    inv_all();
    read_faults("beyond a table of 3 levels", 1ULL << 39, REASON_WIDTH);
    context_set(dev, 0, 0);
    inv_all();
    read_faults("context not present", IOVA, REASON_CONTEXT);
    attach(dev, &dom);
    inv_all();
}

static void check_width(void)
{
    topic("table of 4 levels");
    if ( !(CAP_SAGAW(cap) & SAGAW_48) )
    {
        skip("CAP.SAGAW", "its entries and its width");
        return;
    }

    unit_quiet();
    fixture(4);
    page = page_new();
    map(&dom, IOVA, page, 1, RW);
    inv_all();
    bad_value("level 4 with the bit of a leaf", entry(&dom, IOVA, 4),
              *entry(&dom, IOVA, 4) | SP, REASON_ENTRY_RSVD);
    bad_value("level 4 not present", entry(&dom, IOVA, 4), 0, REASON_WRITE);
    write_faults("not mapped, just within the address width",
                 1ULL << (width - 1), REASON_WRITE);
    write_faults("beyond the address width", 1ULL << width, REASON_WIDTH);
    check_eq(edu_writes(dev, IOVA, page), ARRIVED,
             "good entries work after all that");
}

void check_reasons(void)
{
    if ( !nr_edus )
        return;

    fixture(3);
    page = page_new();
    map(&dom, IOVA, page, 1, RW);
    inv_all();
    check_root();
    check_context();
    check_entries();
    check_reads();
    check_width();
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
