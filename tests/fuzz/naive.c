/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * naive.c: the registers and the queue of the unit, by the specification's
 * numbers instead of the names of vtd-spec.h, so that a wrong one shows.
 */
#include "naive.h"

struct naive naive;

#define REG(offset) naive.regs[(offset) / 4]

static uint64_t reg64(unsigned int offset)
{
    return REG(offset) | (uint64_t)REG(offset + 4) << 32;
}

void naive_reset(uint64_t cap, uint64_t ecap)
{
    memset(&naive, 0, sizeof(naive));
    REG(0x00) = 0x10;
    REG(0x08) = cap;
    REG(0x0c) = cap >> 32;
    REG(0x10) = ecap;
    REG(0x14) = ecap >> 32;
    REG(0x38) = REG(0xa0) = 0x80000000;
    naive.irt_known = true;
}

enum viommu_remapped naive_message(uint64_t addr, uint32_t data, bool *may)
{
    unsigned int index = ((addr >> 5) & 0x7fff) | (addr & 4) << 13;

    *may = false;
    if ( !(REG(0x1c) & (1U << 25)) )
        return VIOMMU_UNCHANGED;
    if ( addr >> 20 != 0xfee )
        return VIOMMU_DROPPED;
    if ( !(addr & 0x10) )
        return (REG(0x1c) & (1U << 23)) && !naive.irt_x2apic
               ? VIOMMU_UNCHANGED : VIOMMU_DROPPED;
    if ( addr & 8 )
        index = data >> 16 ? ~0U : index + data;
    *may = index < naive.irt_entries;

    return VIOMMU_DROPPED;
}

void naive_reload(void)
{
    memcpy(naive.regs, vi.regs, sizeof(naive.regs));
    naive.te = vi.translation;
    naive.qie = vi.queue_enabled;
    naive.root = vi.root >> 12;
    naive.queue = vi.queue;
    naive.entries = vi.queue_size / 16;
    /* What only SIRTP sets: the next one is to come first. */
    naive.irt_known = false;
    naive.gcmd_written = false;
    naive.record = vi.next_record;
    naive.window = vi.fault_window;
    naive.in_window = vi.faults_in_window;
    naive.msis = guest.msis;
    naive.events = 0;
}

/* ---- Guest memory ---- */

static bool readable(unsigned long gfn)
{
    return guest_type(gfn) == GFN_RAM || guest_type(gfn) == GFN_RAM_RO;
}

static uint64_t read_guest(uint64_t addr)
{
    return guest_page(addr >> 12)[addr % 4096 / 8];
}

static struct {
    uint32_t *where;
    uint32_t old, new;
} written[NR_GFNS * 256];
static unsigned int nr_written;

static void write_guest(uint64_t addr, uint32_t value)
{
    uint32_t *where;

    if ( guest_type(addr >> 12) != GFN_RAM )
        return;
    where = (uint32_t *)guest_page(addr >> 12) + addr % 4096 / 4;
    CHECK(nr_written < ARRAY_SIZE(written));
    written[nr_written].where = where;
    written[nr_written++].old = *where;
    *where = value;
}

static void unwrite(void)
{
    unsigned int i;

    /* What each place says in the end. */
    for ( i = 0; i < nr_written; i++ )
        written[i].new = *written[i].where;
    while ( i-- )
        *written[i].where = written[i].old;
}

void naive_wrote(void)
{
    for ( ; nr_written; nr_written-- )
        if ( *written[nr_written - 1].where != written[nr_written - 1].new )
            FAIL("status is %#x, must be %#x",
                 *written[nr_written - 1].where, written[nr_written - 1].new);
}

void naive_forget_writes(void)
{
    nr_written = 0;
}

/* ---- Events: FSTS and ICS, each with three registers for its message ---- */

static bool event_status(unsigned int control)
{
    return control == 0x38 ? REG(0x34) & 0x73 : REG(0x9c) & 1;
}

static void event_update(unsigned int control)
{
    if ( !event_status(control) )
        REG(control) &= ~0x40000000U;
    if ( REG(control) >> 30 == 1 )
    {
        REG(control) = 0;
        naive.msis++;
        naive.events |= control == 0x38 ? 1 : 2;
    }
}

static void event_raise(unsigned int control, uint32_t bits)
{
    bool before = event_status(control);

    REG(control == 0x38 ? 0x34 : 0x9c) |= bits;
    if ( !before )
        REG(control) |= 0x40000000;
    event_update(control);
}

/* ---- Commands ---- */

/* ECAP.IR */
static bool remaps(void)
{
    return REG(0x10) & 8;
}

static void gcmd(void)
{
    uint32_t g = naive.gcmd;
    bool was = naive.te;

    naive.gcmd_written = false;
    if ( (g ^ REG(0x1c)) & (1U << 26) )
    {
        naive.qie = g & (1U << 26);
        naive.queue = reg64(0x90) & ~0xfffULL;
        naive.entries = 256U << (REG(0x90) & 7);
        REG(0x80) = REG(0x84) = 0;
    }
    naive.te = g >> 31;
    if ( g & (1U << 30) )
        naive.root = reg64(0x20) >> 12;
    on_global(was, g & (1U << 30));
    REG(0x1c) = (REG(0x1c) & ((1U << 30) | (1U << 24))) |
                (g & ((1U << 31) | (1U << 30) | (1U << 26)));
    if ( !remaps() )
        return;
    REG(0x1c) |= g & ((1U << 25) | (1U << 24) | (1U << 23));
    if ( g & (1U << 24) )
    {
        naive.irt_known = true;
        naive.irt_entries = 2U << (REG(0xb8) & 15);
        naive.irt_x2apic = REG(0xb8) & (1U << 11);
    }
}

static void ccmd(void)
{
    struct command c = {
        .op = OP_CONTEXT,
        .granu = (REG(0x2c) >> 29) & 3,
        .fm = REG(0x2c) & 3,
        .sid = REG(0x28) >> 16,
        .did = REG(0x28) & 0xffff,
    };

    if ( c.granu )
        on_command(&c);
    REG(0x2c) = (REG(0x2c) & 0x67ffffff) | c.granu << 27;
}

static void iotlb(void)
{
    struct command c = {
        .op = OP_IOTLB,
        .granu = (REG(0xfc) >> 28) & 3,
        .did = REG(0xfc) & 0xffff,
        .addr = reg64(0xf0) & ~0xfffULL,
        .am = REG(0xf0) & 0x3f,
    };

    if ( c.granu == 3 && c.am > VIOMMU_MAMV )
        c.granu = 0;
    if ( c.granu )
        on_command(&c);
    REG(0xfc) = (REG(0xfc) & 0x79ffffff) | c.granu << 25;
}

/* Whether it is a good one; then it is also done. */
static bool descriptor(uint64_t lo, uint64_t hi)
{
    struct command c = {
        .granu = (lo >> 4) & 3, .did = (lo >> 16) & 0xffff,
    };

    switch ( lo & 0xe0f )
    {
    case 1:
        if ( (lo & 0xfffc00000000f1c0) || !c.granu || hi )
            return false;
        c.op = OP_CONTEXT;
        c.sid = (lo >> 32) & 0xffff;
        c.fm = (lo >> 48) & 3;
        break;

    case 2:
        c.op = OP_IOTLB;
        c.addr = hi & ~0xfffULL;
        c.am = hi & 0x3f;
        if ( (lo & 0xffffffff0000f100) || (hi & 0xf80) || !c.granu ||
             (c.granu == 3 && c.am > VIOMMU_MAMV) )
            return false;
        break;

    case 4:
        return !(lo & 0xffff000007fff1e0) && !hi;

    case 5:
        if ( (lo & 0xfffff180) || (hi & 3) )
            return false;
        if ( lo & 0x20 )
            write_guest(hi, lo >> 32);
        if ( lo & 0x10 )
            event_raise(0xa0, 1);
        return true;

    default:
        return false;
    }

    on_command(&c);

    return true;
}

static void queue(void)
{
    uint64_t at;

    while ( naive.qie && !(REG(0x34) & 0x10) && reg64(0x80) != reg64(0x88) )
    {
        at = naive.queue + REG(0x80);
        if ( reg64(0x88) >= naive.entries * 16 || !readable(at >> 12) ||
             !descriptor(read_guest(at), read_guest(at + 8)) )
            event_raise(0x38, 0x10);
        else
            REG(0x80) = (REG(0x80) + 16) % (naive.entries * 16);
    }
}

/* ---- Accesses ---- */

/* Bits that keep what is written. */
static uint32_t bits_rw(unsigned int offset)
{
    switch ( offset )
    {
    case 0x24: case 0x28: case 0x44: case 0x94: case 0xac: case 0xf4:
        return 0xffffffff;
    case 0x20:
        return 0xfffff000;
    case 0x2c:
        return 0xe0000003;
    case 0xb8:
        return remaps() ? 0xfffff80f : 0;
    case 0xbc:
        return remaps() ? 0xffffffff : 0;
    case 0x38: case 0xa0:
        return 0x80000000;
    case 0x3c: case 0xa4:
        return 0xffff;
    case 0x40: case 0xa8:
        return 0xfffffffc;
    case 0x88:
        return 0x7fff0;
    case 0x90:
        return 0xfffff007;
    case 0xf0:
        return 0xfffff07f;
    case 0xfc:
        return 0xb003ffff;
    default:
        return 0;
    }
}

/* Bits that a 1 clears. */
static uint32_t bits_w1c(unsigned int offset)
{
    if ( offset >= 0x220 )
        return offset % 16 == 12 ? 0x80000000 : 0;

    return offset == 0x34 ? 0x71 : offset == 0x9c ? 1 : 0;
}

static void write_dword(unsigned int offset, uint32_t value)
{
    unsigned int i;

    REG(offset) &= ~bits_rw(offset) & ~(bits_w1c(offset) & value);
    REG(offset) |= bits_rw(offset) & value;

    if ( offset == 0x18 )
    {
        naive.gcmd = value;
        naive.gcmd_written = true;
        REG(0x1c) &= ~(value & ((1U << 30) | (1U << 24)));
    }
    if ( offset >= 0x220 && offset % 16 == 12 )
    {
        for ( i = 0; i < 8; i++ )
            if ( REG(0x22c + 16 * i) >> 31 )
                return;
        REG(0x34) &= 0xffff00fd;
    }
    if ( offset == 0x34 || offset == 0x38 || offset >= 0x220 )
        event_update(0x38);
    if ( offset == 0x9c || offset == 0xa0 )
        event_update(0xa0);
}

static bool nothing(unsigned int offset, unsigned int size)
{
    return (size != 4 && size != 8) || offset % size || offset >= 0x2a0;
}

void naive_write(unsigned int offset, unsigned int size, uint64_t value)
{
    naive.events = 0;
    nr_written = 0;
    if ( nothing(offset, size) )
        return;

    write_dword(offset, value);
    if ( size == 8 )
        write_dword(offset + 4, value >> 32);

    if ( naive.gcmd_written )
        gcmd();
    if ( REG(0x2c) >> 31 )
        ccmd();
    if ( REG(0xfc) >> 31 )
        iotlb();
    queue();
    unwrite();
}

uint64_t naive_read(unsigned int offset, unsigned int size)
{
    if ( nothing(offset, size) )
        return 0;

    return size == 8 ? reg64(offset) : REG(offset);
}

/* ---- Faults ---- */

/* Of the guest's tables as they are now; 0: none of the guest's business. */
static unsigned int reason(uint8_t devfn, uint64_t addr, unsigned int rights)
{
    const uint64_t beyond = ~0ULL << VTD_LEVEL_WIDTH(hw.caps.levels);
    unsigned int level;
    uint64_t lo, hi, may = 3;

    if ( !readable(naive.root) )
        return 8;
    lo = read_guest((uint64_t)naive.root << 12);
    hi = read_guest(((uint64_t)naive.root << 12) + 8);
    if ( !(lo & 1) )
        return 1;
    if ( hi || (lo & (beyond | 0xffe)) )
        return 0xa;
    lo = lo & ~0xfffULL;
    if ( !readable(lo >> 12) )
        return 9;
    hi = read_guest(lo + devfn * 16 + 8);
    lo = read_guest(lo + devfn * 16);
    if ( lo & 2 )
        return 0;
    if ( !(lo & 1) )
        return 2;
    if ( (lo & 0xff0) || (hi & ~0xffff7fULL) ||
         (!(lo & 0xc) && (lo & beyond)) )
        return 0xb;
    level = (hi & 7) + 2;
    if ( level < 3 || level > hw.caps.levels || (lo & 4) ||
         ((lo & 8) && !(REG(0x10) & 0x40)) )
        return 3;
    if ( lo & 8 )
        return 0;

    if ( addr >> VTD_LEVEL_WIDTH(level) )
        return 4;
    for ( ; ; level-- )
    {
        unsigned int shift = 12 + VTD_LEVEL_STRIDE * (level - 1);
        bool leaf;

        lo &= 0xffffffffff000;
        if ( !readable(lo >> 12) )
            return 7;
        lo = read_guest(lo + 8 * ((addr >> shift) % VTD_TABLE_ENTRIES));
        if ( !(lo & 3) )
            return rights;
        leaf = level == 1 || (lo & 0x80);
        if ( (lo & beyond & 0xffffffffff000) || (lo >> 62) & 1 ||
             (level == 4 && (lo & 0x80)) )
            return 0xc;
        if ( leaf && ((lo & 0xffffffffff000 & ((1ULL << shift) - 1)) ||
                      ((lo & 0x800) && !hw.caps.snoop)) )
            return 0xc;
        may &= lo;
        if ( leaf || !may )
            return rights;
    }
}

void naive_fault(uint8_t devfn, uint64_t addr, bool read)
{
    unsigned int at = 0x220 + 16 * naive.record, why;

    naive.events = 0;
    why = naive.te ? reason(devfn, addr, read ? 6 : 5) : 0;
    if ( !why )
        return;

    if ( guest.time_us - naive.window >= 10000 )
    {
        naive.window = guest.time_us;
        naive.in_window = 0;
    }
    if ( naive.in_window++ >= 16 || (REG(0x34) & 1) )
        return;
    if ( REG(at + 12) >> 31 )
    {
        event_raise(0x38, 1);
        return;
    }
    REG(at) = addr & ~0xfffULL;
    REG(at + 4) = addr >> 32;
    REG(at + 8) = devfn;
    REG(at + 12) = (1U << 31) | (read ? 1U << 30 : 0) | why;
    if ( !(REG(0x34) & 2) )
        REG(0x34) |= naive.record << 8;
    naive.record = (naive.record + 1) % 8;
    event_raise(0x38, 2);
}

void naive_compare(void)
{
    unsigned int i, from;

    for ( i = 0; i < ARRAY_SIZE(naive.regs); i++ )
        if ( viommu_mmio_read(&vi, i * 4, 4) != naive.regs[i] )
            FAIL("register %#x is %#x, must be %#x", i * 4,
                 (uint32_t)viommu_mmio_read(&vi, i * 4, 4), naive.regs[i]);
    CHECK_EQ(guest.msis, naive.msis);
    if ( naive.events != 1 && naive.events != 2 )
        return;
    from = naive.events == 1 ? 0x3c : 0xa4;
    CHECK_EQ(guest.msi_data, REG(from));
    CHECK_EQ(guest.msi_addr, reg64(from + 4));
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
