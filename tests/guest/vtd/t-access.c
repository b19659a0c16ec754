/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-access.c: what reading and writing of each register does (VT-d 11.2 to
 * 11.4), whatever the size of the access.
 */
#include "unit.h"

static uint64_t rd(unsigned int reg, unsigned int size)
{
    return size == 8 ? rd64(reg) : rd32(reg);
}

static void wr(unsigned int reg, unsigned int size, uint64_t value)
{
    if ( size == 8 )
        wr64(reg, value);
    else
        wr32(reg, value);
}

static void read_only(const char *name, unsigned int reg, unsigned int size)
{
    uint64_t before = rd(reg, size);
    bool same;

    wr(reg, size, ~0ULL);
    same = rd(reg, size) == before;
    wr(reg, size, 0);
    same &= rd(reg, size) == before;
    check(same, "%s is read-only", name);
}

/*
 * Writes patterns. Bits of `keep` are to hold them, those of `may` may or read
 * 0, the others read 0.
 */
static void read_write(const char *name, unsigned int reg, unsigned int size,
                       uint64_t keep, uint64_t may)
{
    static const uint64_t patterns[] = {
        ~0ULL, 0x5555555555555555ULL, 0xaaaaaaaaaaaaaaaaULL, 0,
    };
    unsigned int i;
    uint64_t bad = 0;

    for ( i = 0; i < ARRAY_SIZE(patterns); i++ )
    {
        uint64_t is;

        wr(reg, size, patterns[i]);
        is = rd(reg, size);
        bad |= ((is ^ patterns[i]) & keep) | (is & ~(keep | may)) |
               (is & may & ~patterns[i]);
    }
    check_eq(bad, 0, "%s keeps its fields, reserved bits read 0", name);
}

static void check_fields(void)
{
    uint64_t page = (1ULL << width) - PAGE;
    uint64_t wide = ~((1ULL << width) - 1), done;

    read_only("VER", VER, 4);
    read_only("CAP", CAP, 8);
    read_only("ECAP", ECAP, 8);
    read_only("GSTS", GSTS, 4);
    read_only("IQH", IQH, 8);
    read_only("IQERCD", IQERCD, 8);
    read_only("a fault record that is empty, low half,", reg_frcd, 8);
    read_only("a fault record that is empty, high half,", reg_frcd + 8, 8);

    read_write("RTADDR", RTADDR, 8, page, wide | 0xc00);
    read_write("IQA", IQA, 8, page | 7, wide);
    read_write("IQT", IQT, 8, 0x7fff0, 0);
    read_write("FEDATA", FEDATA, 4, 0xffff, 0xffff0000);
    read_write("FEADDR", FEADDR, 4, 0xfffffffc, 0);
    read_write("FEUADDR", FEUADDR, 4, 0, ~0ULL);
    read_write("IEDATA", IEDATA, 4, 0xffff, 0xffff0000);
    read_write("IEADDR", IEADDR, 4, 0xfffffffc, 0);
    read_write("IEUADDR", IEUADDR, 4, 0, ~0ULL);
    read_write("FECTL", FECTL, 4, EVENT_IM, 0);
    read_write("IECTL", IECTL, 4, EVENT_IM, 0);

    if ( !sidecore )
    {
        wr32(GCMD, 0);
        check_eq(rd32(GCMD), 0, "GCMD reads 0");
    }
    wr32(FSTS, ~0U);
    check_eq(rd32(FSTS), 0, "FSTS: writing 1 sets nothing");
    wr32(ICS, ~0U);
    check_eq(rd32(ICS), 0, "ICS: writing 1 sets nothing");

    /* What was done last, nothing at first. */
    done = rd64(CCMD) & CCMD_CAIG_MASK;
    wr64(CCMD, ~CCMD_ICC);
    check_eq(rd64(CCMD) & ~0x7fffffff0000ULL & ~(3ULL << 32),
             CCMD_CIRG(3) | 0xffff | done,
             "CCMD keeps CIRG and DID, reserved bits read 0, CAIG stays");
    wr64(CCMD, 0);
    done = rd64(reg_iotlb) & IOTLB_IAIG_MASK;
    wr64(reg_iotlb, ~IOTLB_IVT);
    check_eq(rd64(reg_iotlb),
             IOTLB_IIRG(3) | IOTLB_DR_DW | IOTLB_DID(0xffff) | done,
             "IOTLB keeps IIRG, DR, DW, DID; reserved bits read 0, IAIG stays");
    wr64(reg_iotlb, 0);
}

static void halves(const char *name, unsigned int reg, uint64_t value)
{
    wr64(reg, 0);
    wr32(reg, value);
    wr32(reg + 4, value >> 32);
    check_eq(rd64(reg), value, "%s in halves, low one first", name);
    wr64(reg, 0);
    wr32(reg + 4, value >> 32);
    wr32(reg, value);
    check_eq(rd64(reg), value, "%s in halves, high one first", name);
    check_eq(rd32(reg) | ((uint64_t)rd32(reg + 4) << 32), value,
             "%s is read in halves", name);
    wr64(reg, 0);
}

/* An 8-byte access to two registers of four bytes. */
static void pair(const char *name, unsigned int reg, uint64_t value)
{
    wr64(reg, value);
    check(rd64(reg) == value && rd32(reg) == (uint32_t)value &&
          rd32(reg + 4) == value >> 32, "%s in one access of 8 bytes", name);
    wr64(reg, 0);
}

static void check_sizes(void)
{
    check_eq(rd32(CAP) | ((uint64_t)rd32(CAP + 4) << 32), cap,
             "CAP is read in halves");
    check_eq(rd32(ECAP) | ((uint64_t)rd32(ECAP + 4) << 32), ecap,
             "ECAP is read in halves");
    check_eq(rd64(VER), 0x10, "VER and the unused word behind it");
    halves("RTADDR", RTADDR, 0x12345f000ULL);
    halves("IQA", IQA, 0x123456003ULL);
    wr32(IQT + 4, ~0U);
    wr32(IQT, 0x40);
    check_eq(rd64(IQT), 0x40, "IQT is written by its low half");
    wr64(IQT, 0);

    pair("FECTL and FEDATA", FECTL, 0x0000abcd80000000ULL);
    wr32(FECTL, EVENT_IM);
    pair("IECTL and IEDATA", IECTL, 0x0000123480000000ULL);
    wr32(IECTL, EVENT_IM);
    wr64(FEADDR, 0xfee01000);
    check_eq(rd64(FEADDR), 0xfee01000, "FEADDR and FEUADDR in one access");
    wr64(FEADDR, 0);
    check_eq(rd64(GCMD) >> 32, rd32(GSTS),
             "GCMD and GSTS are read in one access");
    check_eq(rd64(0x30), (uint64_t)rd32(FSTS) << 32,
             "FSTS and the unused word before it are read in one access");
    check_eq(rd64(0x98), (uint64_t)rd32(ICS) << 32,
             "ICS and the unused word before it are read in one access");
}

/*
 * ---- Accesses of sizes and places that software must not use. ----
 *
 * They do nothing where the page traps. To memory it can happen that they are
 * writes of the whole register.
 */

#define WORDS           (0x300 / 4)

static void snapshot(uint32_t *words)
{
    unsigned int i;

    for ( i = 0; i < WORDS; i++ )
        words[i] = rd32(i * 4);
}

/* The first word that differs; WORDS * 4: none. */
static unsigned int changed(const uint32_t *before)
{
    static uint32_t after[WORDS];
    unsigned int i;

    snapshot(after);
    for ( i = 0; i < WORDS && before[i] == after[i]; i++ )
        ;

    return i * 4;
}

static void check_odd(void)
{
    static uint32_t before[WORDS];
    unsigned int i;

    snapshot(before);

    for ( i = 0; i < WORDS * 4; i++ )
        mmio_read8(UNIT + i);
    for ( i = 0; i < WORDS * 4; i += 2 )
        mmio_read16(UNIT + i);
    for ( i = 0; i < WORDS * 4; i += 4 )
    {
        mmio_read32(UNIT + i + 1);
        mmio_read32(UNIT + i + 2);
        mmio_read64(UNIT + (i | 4));
        mmio_read64(UNIT + i + 3);
    }
    mmio_read64(UNIT + PAGE - 4);
    mmio_read32(UNIT - 2);
    check_eq(changed(before), WORDS * 4,
             "reads of 1 and 2 bytes, and unaligned ones, do nothing");
    if ( sidecore )
        return;

    for ( i = 0; i < WORDS * 4; i++ )
        mmio_write8(UNIT + i, 0xff);
    check_eq(changed(before), WORDS * 4, "writes of 1 byte do nothing");
    for ( i = 0; i < WORDS * 4; i += 2 )
        mmio_write16(UNIT + i, 0xffff);
    check_eq(changed(before), WORDS * 4, "writes of 2 bytes do nothing");

    for ( i = 0; i < WORDS * 4; i += 4 )
    {
        mmio_write32(UNIT + i + 1, ~0U);
        mmio_write32(UNIT + i + 2, ~0U);
    }
    check_eq(changed(before), WORDS * 4,
             "unaligned writes of 4 bytes do nothing");
    for ( i = 0; i < WORDS * 4; i += 8 )
        mmio_write64(UNIT + i + 4, ~0ULL);
    check_eq(changed(before), WORDS * 4,
             "unaligned writes of 8 bytes do nothing");

    mmio_write64(UNIT + PAGE - 4, ~0ULL);
    mmio_write32(UNIT - 2, ~0U);
    check_eq(changed(before), WORDS * 4,
             "writes over the ends of the page do nothing");
}

/* ---- Where there is no register. ---- */

static void nothing_at(const char *name, unsigned int first, unsigned int last)
{
    unsigned int i;
    uint32_t any = 0;

    for ( i = first; i < last; i += 4 )
        any |= rd32(i);
    for ( i = first; i < last; i += 4 )
        wr32(i, ~0U);
    for ( i = first; i < last; i += 4 )
        any |= rd32(i);
    if ( !(first & 7) && last - first >= 8 )
    {
        wr64(first, ~0ULL);
        any |= !!rd64(first);
    }
    check_eq(any, 0, "0x%x (%s) reads 0, ignores writes", first, name);
}

static void check_holes(void)
{
    unsigned int end = reg_frcd + nr_frcd * 16;

    nothing_at("behind VER", 0x04, 0x08);
    nothing_at("before FSTS", 0x30, 0x34);
    nothing_at("behind FEUADDR", 0x48, 0x58);
    nothing_at("AFLOG, as CAP.AFL is 0", 0x58, 0x60);
    nothing_at("PMEN, as CAP.PLMR and PHMR are 0", 0x60, 0x68);
    nothing_at("protected memory", 0x68, 0x80);
    nothing_at("before ICS", 0x98, 0x9c);
    if ( ECAP_IR(ecap) )
        skip("ECAP.IR is 1", "IRTA reads 0, ignores writes");
    else
        nothing_at("IRTA, as ECAP.IR is 0", 0xb8, 0xc0);
    nothing_at("page requests, MTRR and others", 0xc0, reg_iva);
    nothing_at("between IOTLB and fault records", reg_iotlb + 8, reg_frcd);
    nothing_at("right behind the last fault record", end, end + 16);
    nothing_at("the rest of the page", end + 16, PAGE);
    nothing_at("the last 8 bytes", PAGE - 8, PAGE);
    check_eq(rd32(GSTS), 0, "GSTS is 0 still");
}

void check_access(void)
{
    topic("access");
    check_fields();
    check_sizes();
    check_odd();
    check_holes();
    unit_quiet();
}

void check_access_in_memory(void)
{
    topic("access in memory");
    unit_quiet();
    check(memory_wait(), "the page is memory");
    check_fields();
    check_sizes();
    check_holes();
    check(now32(GCMD), "the page has been memory all the time");
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
