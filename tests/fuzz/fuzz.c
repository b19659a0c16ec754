/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.c: an input is what a guest, its devices and its host do, one operation
 * after the other; all that the unit shows is compared with naive.c and with
 * the model of tests/unit.
 *
 * The first bytes choose the machine. Then each operation is a byte, and the
 * operands that it needs; what is missing at the end is 0. Half of the
 * operations are raw: any value to any register, table, or queue. The others
 * need few bytes to say what makes sense, so that inputs get deep.
 *
 * Three degrees of knowledge:
 *   known   naive.c and the registers agree whenever nothing is left to do
 *   exact   the model says exactly what devices reach
 *   watched the oracle bounds it where the model can not tell
 * They are lost when memory is short, or something happens in the middle of a
 * command, and come back with the next resync(); there is one at the end. What
 * the fakes check by themselves (references, flushes, locks, leaks) is checked
 * always.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <sys/time.h>

#include "edits.h"
#include "naive.h"

struct viommu vi;

#define MAX_OPS 400
/* Of processor time, for an input: how busy the machine is does not count. */
#define MOST_SECONDS 20

static struct {
    const uint8_t *p;
    size_t n;
} in;

/* known, exact and watched: see above; and what else is going on. */
static struct {
    bool known, exact, watched;
    bool narrow;             /* a machine of 3 levels: the model has 4 */
    bool lazy;               /* deferred work waits for an operation */
    bool alive;              /* a sidecore runs */
    unsigned int bound;
    unsigned int failures;   /* seen so far */
    unsigned int tail;       /* where the guest appends to its queue */
    unsigned int since;      /* when the access was made, for the oracle */
    unsigned int budget[4], turn;
    struct {
        enum { HOOK_NONE, HOOK_WRITE, HOOK_TYPE } what;
        unsigned int offset, size;
        uint64_t value;
    } hook;
} now;

/* Of edits.c. */
void say(const char *format, ...)
{
    (void)format;
}

/* No edit that is used here does that. */
void edit_memory_left(void)
{
}

struct domain sidecore = { .domain_id = 1 };

static bool in_memory(void)
{
    return guest_unit(&vi)->inbox_mapped;
}

/* Something that was given is not done. */
static bool busy(void)
{
    return guest.deferred ||
           (vi.inbox.live && (vi.sc.more || inbox_peek(&vi)));
}

/* ---- Input ---- */

static uint64_t take(unsigned int bytes)
{
    uint64_t value = 0;
    unsigned int i;

    for ( i = 0; i < bytes && in.n; i++, in.n-- )
        value |= (uint64_t)*in.p++ << (8 * i);

    return value;
}

static void __attribute__((format(printf, 1, 2)))
tell(const char *format, ...)
{
    static int verbose = -1;
    va_list args;

    if ( verbose < 0 )
        verbose = !!getenv("FUZZ_VERBOSE");
    if ( !verbose )
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

/* ---- What is known ---- */

/* The oracle's room is for 3 tables and 2 domain IDs. */
static void note(void)
{
    unsigned int i;

    for ( i = 0; now.watched && i < M_DEVICES; i++ )
    {
        struct target t = model_context_of(naive.root, i);

        if ( naive.te && t.kind != ON_NOTHING &&
             (t.did > M_DIDS || (t.kind == ON_SHADOW &&
                                 (t.top >= M_ROOTS || !t.did))) )
            now.watched = false;
    }
    if ( now.watched )
        oracle_note(naive.root, naive.te);
}

static void lose(void)
{
    if ( now.known )
        tell("(not known from here on)\n");
    now.known = now.exact = now.watched = false;
    naive_forget_writes();
}

void on_command(const struct command *c)
{
    tell("  %s granu %u did %#x addr %#llx am %u sid %#x fm %u\n",
         c->op == OP_IOTLB ? "iotlb" : "context", c->granu, c->did,
         (unsigned long long)c->addr, c->am, c->sid, c->fm);
    if ( now.watched )
        oracle_command(c, now.since);
    /* Several may come before the next comparison. */
    if ( now.exact && model_command(c) )
        now.exact = false;
}

void on_global(bool was, bool set_root)
{
    tell("  te %u root %#lx%s\n", naive.te, naive.root,
         set_root ? " set" : "");
    note();
    now.since = oracle_time();
    if ( now.watched && (set_root || naive.te != was) )
        oracle_global(now.since);
    if ( now.exact )
        model_global(naive.te, set_root, naive.root);
}

static void check_now(void)
{
    CHECK_EQ(hw.stale, 0);
    hw_check();
    CHECK_EQ(harness.locks, 0);
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_table_pages], hw.tables);
    CHECK(hw.tables <= vi.table_quota);
    CHECK_EQ(pages_pinned(&vi), guest.pinned);
}

static void note_failures(void)
{
    unsigned int n = harness.failed + hw.attach_failed +
                     vi.count[XEN_VIOMMU_CNT_rej_quota];

    if ( n != now.failures )
        now.exact = false;
    now.failures = n;
}

static unsigned int budget(void)
{
    return 1 + now.budget[now.turn++ % ARRAY_SIZE(now.budget)];
}

/* One entry to the hypervisor; whether work is left. */
static bool work(void)
{
    bool left;

    guest.deferred = 0;
    test_budget = budget();
    left = viommu_work(&vi);
    if ( left )
        guest.deferred = 1;
    check_now();
    note_failures();

    return left;
}

/* Where the page is memory, that shows the same, but for two registers. */
static void compare_memory(void)
{
    unsigned int i;

    for ( i = 0; i < VIOMMU_REGS_SIZE / 4; i++ )
    {
        uint32_t value = naive.regs[i], shown = vi.inbox.page[i];

        if ( i == VTD_GCMD / 4 )
            continue;
        if ( i == VTD_GSTS / 4 )
            value &= ~VTD_GCMD_SRTP;
        if ( shown != value )
            FAIL("memory at %#x is %#x, must be %#x", i * 4, shown, value);
    }
}

static void compare(void)
{
    if ( now.known )
    {
        naive_wrote();
        /* It reads by traps, which take all that is in memory, too. */
        naive_compare();
        if ( in_memory() )
            compare_memory();
    }
    if ( now.exact )
        model_compare();
    if ( now.watched )
        oracle_check(now.bound);
}

static void poll(void)
{
    if ( !now.alive || guest.blocked )
        return;
    test_budget = budget();
    guest.polling = &sidecore;
    CHECK_EQ(sidecore_poll(&sidecore), 0);
    guest.polling = NULL;
    check_now();
    note_failures();
}

static void pass(uint64_t us)
{
    uint64_t until = guest.time_us + us;

    while ( guest_timer_fires(until) )
        check_now();
}

/* Nothing was left behind when nobody is at it. */
static void check_idle(void)
{
    CHECK(!vi.gcmd_pending);
    CHECK(!(regs_get64(&vi, VTD_CCMD) & VTD_CCMD_ICC));
    CHECK(!(regs_get64(&vi, VTD_IOTLB) & VTD_IOTLB_IVT));
    if ( vi.queue_enabled && !(regs_get32(&vi, VTD_FSTS) & VTD_FSTS_IQE) )
        CHECK_EQ(regs_get64(&vi, VTD_IQH), regs_get64(&vi, VTD_IQT));
    CHECK(!vi.stale.end || !vi.stale.used);
}

static void settle(void)
{
    unsigned int n;

    /* With 1 item to an entry, too. */
    for ( n = 0; busy(); n++ )
    {
        if ( n == 100000 )
            FAIL("work without end");
        if ( guest.deferred )
            guest.deferred = work();
        else if ( now.alive && n % 8 != 7 )
            poll();
        else
            pass(vi.set.fallback_us);
    }
    check_idle();
    compare();
}

/* Something is about to happen that concerns what is done in between. */
static void begin(bool memory)
{
    if ( busy() )
    {
        /* The oracle knows what changes of memory mean, not the rest. */
        if ( !now.watched )
            lose();
        else if ( !memory )
            settle();
        naive_forget_writes();
        now.exact = false;
    }
    now.since = oracle_time();
}

static void end(void)
{
    check_now();
    note_failures();
    if ( !busy() )
        compare();
    else if ( !now.lazy )
        settle();
}

/* ---- Registers ---- */

static void write_now(unsigned int offset, unsigned int size, uint64_t value)
{
    test_budget = budget();
    if ( in_memory() )
        memcpy((char *)vi.inbox.page + offset, &value, size);
    else
        viommu_mmio_write(&vi, offset, size, value);
}

static void write_reg(unsigned int offset, unsigned int size, uint64_t value)
{
    tell("write %#x %u %#llx%s\n", offset, size, (unsigned long long)value,
         in_memory() ? " in memory" : "");
    /* What is no access of a register; and the value that means none. */
    if ( in_memory() &&
         ((size != 4 && size != 8) || offset % size ||
          (offset == VTD_GCMD && (uint32_t)value == 0x55)) )
        return;
    begin(false);
    if ( now.known )
        naive_write(offset, size, value);
    write_now(offset, size, value);
    harness.trylocks = 0;
    end();
}

static void read_reg(unsigned int offset, unsigned int size)
{
    uint64_t value = viommu_mmio_read(&vi, offset, size);

    if ( now.known && !busy() )
        CHECK_EQ(value, naive_read(offset, size));
}

static void op_write_hot(void)
{
    static const uint16_t offsets[] = {
        VTD_IQT, VTD_FSTS, VTD_IVA, VTD_IOTLB, VTD_IOTLB + 4, VTD_CCMD,
        VTD_CCMD + 4, VTD_GCMD, VTD_RTADDR, VTD_FECTL, VTD_FEDATA, VTD_FEADDR,
        VTD_IQH, VTD_IQA, VTD_ICS, VTD_IECTL, VTD_IEDATA, VTD_IEADDR,
        VTD_FRCD + 12, VTD_FRCD + 0x6c, VTD_FRCD + 0x78, VTD_IQERCD,
        VTD_IQA + 4, VTD_FRCD + 0x80, VTD_IRTA,
    };
    unsigned int which = take(1), bytes = which >> 5 & 3;
    unsigned int offset = offsets[which % 32 % ARRAY_SIZE(offsets)];
    unsigned int size = (offset & 4) || (which & 0x80) ? 4 : 8;
    uint64_t value = take(1 << bytes);

    /* Few bytes: at the upper end, where the command bits are, or lower. */
    if ( bytes < 2 && (value & 1) )
        value <<= size * 8 - (8 << bytes);
    write_reg(offset, size, value);
}

static void op_gcmd(void)
{
    unsigned int what = take(1);

    if ( what & 0x08 )
        write_reg(VTD_RTADDR, 8, PAGE(G_ROOT + (what >> 4 & 1)));
    if ( what & 0x20 )
    {
        now.tail = 0;
        write_reg(VTD_IQT, 8, 0);
        write_reg(VTD_IQA, 8, PAGE(G_QUEUE) | what >> 6);
    }
    write_reg(VTD_GCMD, 4, (what & 1 ? VTD_GCMD_TE : 0) |
                           (what & 2 ? VTD_GCMD_QIE : 0) |
                           (what & 4 ? VTD_GCMD_SRTP : 0));
}

/* A table for interrupts, or an interrupt. */
static void op_remap(void)
{
    unsigned int what = take(1), handle = take(2);
    struct viommu_message msg = {
        .addr = 0xfee00000 | (handle & 0x7fff) << 5 | (handle >> 15) << 2 |
                (what & 0x40 ? 0 : 0x10) | (what & 0x20 ? 8 : 0),
        .sid = model_devfn[what & 3],
        .no_sid = what & 4,
    };
    struct viommu_interrupt irq;
    struct viommu_ir_fault fault;
    enum viommu_remapped result;
    unsigned int n;
    bool may;

    if ( what & 0x80 )
    {
        write_reg(VTD_IRTA, 8, PAGE(handle >> 5 & 0x1ff) |
                               (what & 4 ? VTD_IRTA_EIME : 0) | (handle & 15));
        write_reg(VTD_GCMD, 4,
                  (vi.translation ? VTD_GCMD_TE : 0) |
                  (vi.queue_enabled ? VTD_GCMD_QIE : 0) |
                  (what & 8 ? 0 : VTD_GCMD_IRE) |
                  (what & 0x10 ? VTD_GCMD_CFI : 0) |
                  (what & 0x20 ? 0 : VTD_GCMD_SIRTP));
        return;
    }

    if ( what & 0x20 )
        msg.data = what & 8 ? take(4) : handle & 3;
    if ( what & 0x10 )
        msg.addr ^= 1ULL << take(1) % 64;
    tell("interrupt %#llx %#x\n", (unsigned long long)msg.addr, msg.data);
    guest.time_us += VIOMMU_FAULT_WINDOW_US;
    result = intremap_message(&vi, &msg, &irq);
    /* No more than one, and none of others: records are op_fault()'s. */
    for ( n = 0; intremap_take_fault(&vi, &fault); n++ )
        CHECK(fault.reason >= 0x20 && fault.reason <= 0x26);
    CHECK(n <= (result == VIOMMU_DROPPED));
    if ( now.known && naive.irt_known && !busy() )
    {
        enum viommu_remapped naively = naive_message(msg.addr, msg.data, &may);

        CHECK(result == naively || (may && result == VIOMMU_REMAPPED));
    }
    if ( !now.lazy )
        settle();
}

/* ---- Guest memory ---- */

static void write_memory(unsigned long gfn, unsigned int index, uint64_t value)
{
    bool queue = gfn >= G_QUEUE || naive.queue != PAGE(G_QUEUE);

    tell("memory %#lx[%u] = %#llx\n", gfn, index, (unsigned long long)value);
    begin(!queue);
    guest_page(gfn)[index] = value;
    note();
}

static void op_table(void)
{
    unsigned int where = take(1), kind = take(1), gfn = take(1);
    uint64_t entry = kind & 3;

    if ( kind & 4 )
        entry |= VTD_PTE_SP;
    if ( kind & 8 )
        entry |= VTD_PTE_SNP;
    if ( kind & 0x10 )
        gfn = G_TABLES + gfn % N_TABLES;
    else if ( (kind & 4) && !(kind & 0x80) )
        gfn &= kind & 0x20 ? ~3U : ~15U;
    entry |= PAGE(gfn);
    if ( kind & 0x40 )
        entry ^= 1ULL << take(1) % 64;
    write_memory(G_TABLES + where % N_TABLES, where / N_TABLES % 4, entry);
}

/* A bit of an entry changes: most often of those that have a meaning. */
static void op_flip(void)
{
    static const uint8_t bits[] = { 0, 1, 0, 1, 7, 11, 12, 14 };
    unsigned int where = take(1), bit = take(1);
    unsigned int table = G_TABLES + where % N_TABLES;
    unsigned int index = where / N_TABLES % 4;

    bit = bit & 0x80 ? bit % 64 : bits[bit % ARRAY_SIZE(bits)];
    write_memory(table, index, guest_page(table)[index] ^ 1ULL << bit);
}

/* As drivers do: a leaf on the way to a page changes, and the unit is told. */
static void op_map(void)
{
    unsigned int page = take(1), seed = take(1), how = take(1);

    tell("map or unmap %#x\n", page);
    begin(true);
    harness_seed(seed);
    edit_path(page);
    note();
    if ( how & 0x80 )
        return;
    write_reg(VTD_IVA, 8, PAGE(page ^ (how & 3)) | (how >> 2 & 3));
    write_reg(VTD_IOTLB, 8, VTD_IOTLB_IVT |
                            MASK_INSR(how & 0x20 ? 2ULL : 3ULL,
                                      VTD_IOTLB_IIRG) |
                            (1ULL + (how >> 4 & 1)) << 32);
}

static void op_context(void)
{
    unsigned int where = take(1), what = take(1);
    unsigned long page = G_CONTEXT + (where >> 2 & 1);
    unsigned int index = 2 * model_devfn[where % M_DEVICES];
    uint64_t lo = PAGE(model_top[(what >> 3) % M_ROOTS]) | VTD_CTX_P;
    uint64_t hi = (1 + (what >> 7)) << 8 | (1 + (what >> 6 & 1));

    if ( !(what & 7) )
        lo &= ~VTD_CTX_P;
    if ( (what & 7) == 1 )
        lo |= VTD_TT_PASS_THROUGH << 2;
    if ( (where & 0x18) == 0x18 )
        lo |= VTD_CTX_FPD;
    if ( (where & 0x60) == 0x60 )
        lo ^= 1ULL << take(1) % 64;
    if ( (where & 0xa0) == 0xa0 )
        hi ^= 1ULL << take(1) % 64;
    write_memory(page, index, lo);
    write_memory(page, index + 1, hi);
}

static void op_root(void)
{
    unsigned int what = take(1);
    uint64_t lo = PAGE(G_CONTEXT + (what >> 1 & 1)) | VTD_ROOT_P;

    if ( what & 4 )
        lo ^= 1ULL << take(1) % 64;
    write_memory(G_ROOT + (what & 1), 0, lo);
    write_memory(G_ROOT + (what & 1), 1, what & 8 ? take(8) : 0);
}

/* Memory that left the guest is nobody's to reach. */
static void memory_left(void)
{
    viommu_end_stale(&vi);
    if ( now.exact )
        model_end_stale();
}

/* Other frames are behind two gfns, with what the guest left there or not. */
static void op_exchange(unsigned int gfn, bool move)
{
    unsigned int with = take(2) & 0x1ff;
    bool missing;

    if ( gfn >= NR_GFNS || with >= NR_GFNS )
        return;
    tell("gfns %#x and %#x are %s\n", gfn, with,
         move ? "moved" : "exchanged");
    missing = guest_type(gfn) == GFN_MISSING ||
              guest_type(with) == GFN_MISSING;
    begin(gfn < G_QUEUE && with < G_QUEUE && naive.queue == PAGE(G_QUEUE));
    if ( move )
        guest_move(gfn, with);
    else
        guest_exchange(gfn, with);
    note();
    if ( missing )
        memory_left();
    end();
}

static void op_type(void)
{
    unsigned int gfn = take(1) | (unsigned int)take(1) << 8;
    enum gfn_type type = gfn >> 9 & 3;
    bool exchange = gfn >> 11 & 1, move = gfn >> 12 & 1;

    gfn &= 0x1ff;
    if ( exchange )
    {
        op_exchange(gfn, move);
        return;
    }
    if ( gfn >= NR_GFNS )
        return;
    tell("gfn %#x becomes %u\n", gfn, type);
    begin(gfn < G_QUEUE && naive.queue == PAGE(G_QUEUE));
    guest_set(gfn, 1, type);
    note();
    if ( type == GFN_MISSING )
        memory_left();
    end();
}

/* ---- Commands ---- */

static void put(uint64_t lo, uint64_t hi)
{
    write_memory(G_QUEUE, 2 * now.tail, lo);
    write_memory(G_QUEUE, 2 * now.tail + 1, hi);
    now.tail = (now.tail + 1) % 256;
}

/* Any descriptor; or a short one, and often. */
static void op_descriptor(unsigned int how)
{
    uint64_t lo = take(how & 0x20 ? 1 : 8), hi = how & 0x20 ? 0 : take(8);
    unsigned int n = how & 0x40 && !now.watched ? take(1) : 1;

    while ( n-- )
        put(lo, hi);
    if ( how & 0x80 )
        write_reg(VTD_IQT, 4, now.tail * 16);
}

static void op_command(void)
{
    unsigned int what = take(1);
    uint64_t page = take(1), am = take(1);
    uint64_t granu = what >> 1 & 3, did = 1 + (what >> 3 & 1), value, hi = 0;
    uint64_t sid = model_devfn[what >> 4 & 3], fm = am >> 4 & 3;

    page <<= 8 * (am >> 6 & 3);
    if ( what & 0x40 )
    {
        if ( what & 1 )
        {
            value = VTD_DESC_CONTEXT | sid << 32 | fm << 48;
            hi = 0;
        }
        else
        {
            value = VTD_DESC_IOTLB;
            hi = PAGE(page) | am % 16;
        }
        put(value | granu << 4 | did << 16, hi);
        if ( !(what & 0x80) )
            write_reg(VTD_IQT, 4, now.tail * 16);
        return;
    }

    if ( what & 1 )
        value = VTD_CCMD_ICC | MASK_INSR(granu, VTD_CCMD_CIRG) | did |
                sid << 16 | fm << 32;
    else
    {
        write_reg(VTD_IVA, 8, PAGE(page) | am % 16);
        value = VTD_IOTLB_IVT | MASK_INSR(granu, VTD_IOTLB_IIRG) | did << 32;
    }
    hi = what & 1 ? VTD_CCMD : VTD_IOTLB;
    if ( what & 0x80 )
    {
        write_reg(hi, 4, value);
        write_reg(hi + 4, 4, value >> 32);
    }
    else
        write_reg(hi, 8, value);
}

static void op_wait(void)
{
    unsigned int what = take(1);
    uint64_t addr = PAGE(G_STATUS) | (what & 0xfc);

    if ( what & 1 )
        addr = PAGE(take(1)) | (take(1) << 3 & 0xffc);
    put(VTD_DESC_WAIT | take(1) << 32 | VTD_DESC_WAIT_SW |
        (what & 2 ? VTD_DESC_WAIT_IF : 0), addr);
    if ( what & 0x80 )
        write_reg(VTD_IQT, 8, now.tail * 16);
}

/* ---- Devices ---- */

#define STRAY M_DEVICES

static void unbind(unsigned int dev)
{
    const pci_sbdf_t sbdf = { .sbdf = 0x300 + dev };
    bool is_bound = now.bound & (1U << dev);

    tell("unbind %u\n", dev);
    hw_pcidevs_lock();
    CHECK_EQ(-viommu_unbind(&vi, sbdf), is_bound ? 0 : ENODEV);
    CHECK(hw_attached_to(sbdf.sbdf, NULL) != ON_SHADOW);
    hw_pcidevs_unlock();
    now.bound &= ~(1U << dev);
    if ( is_bound && now.exact && dev != STRAY )
        model_unbind(dev);
}

static void bind(unsigned int dev, uint32_t to)
{
    const pci_sbdf_t sbdf = { .sbdf = 0x300 + dev };
    int rc;

    tell("bind %u at %#x\n", dev, to);
    hw_pcidevs_lock();
    if ( !(now.bound & (1U << dev)) )
        hw_reassign(sbdf.sbdf);
    rc = viommu_bind(&vi, sbdf, to);
    hw_pcidevs_unlock();
    if ( to < 0x80 || to > 0xff )
        CHECK_EQ(rc, -ERANGE);
    else if ( hw.is_rmrr )
        CHECK_EQ(rc, -EOPNOTSUPP);
    else if ( rc == -EEXIST )
        CHECK(now.bound);
    else if ( rc )
        CHECK(rc == -ENOMEM || rc == -ENOSPC);
    else
    {
        CHECK(!(now.bound & (1U << dev)));
        CHECK(!vi.overcommit || hw_attached_to(sbdf.sbdf, NULL) !=
                                 ON_IDENTITY);
        now.bound |= 1U << dev;
        if ( dev == STRAY )
            return;
        if ( now.watched )
            oracle_bind(dev);
        if ( now.exact )
            model_bind(dev);
    }
}

static void op_bind(void)
{
    unsigned int what = take(1), dev = what % 4, i;
    uint32_t to = model_devfn[dev];

    begin(true);
    if ( what & 0x20 )
    {
        /* A device that nobody knows, anywhere; or where one is already. */
        to = what & 0x40 ? take(4) : 0x80 | take(1);
        hw.is_rmrr = what & 0x80;
        dev = STRAY;
        for ( i = 0; i < M_DEVICES; i++ )
            if ( to == model_devfn[i] && !(now.bound & (1U << i)) )
                to = 0x7f;
        /* It may keep a table alive that the model takes for a new one. */
        if ( to >= 0x80 && to <= 0xff )
            now.exact = false;
        bind(dev, to);
    }
    else if ( (now.bound & (1U << dev)) && !(what & 0x10) )
        unbind(what & 0x08 ? STRAY : dev);
    else
        bind(dev, to);
    hw.is_rmrr = false;
    end();
}

struct seen {
    uint64_t page;
    unsigned long mfn;
    bool read, write;
};

static void see(void *arg, uint64_t addr, unsigned long mfn, bool read,
                bool write)
{
    struct seen *seen = arg;

    if ( addr >> VTD_PAGE_SHIFT == seen->page )
    {
        seen->mfn = mfn;
        seen->read = read;
        seen->write = write;
    }
}

static void op_dma(void)
{
    unsigned int what = take(1);
    uint64_t addr = what & 0x80 ? take(8) : take(1) << VTD_PAGE_SHIFT;
    uint32_t sbdf = 0x300 + what % 4;
    struct seen seen = { .page = addr >> VTD_PAGE_SHIFT };
    struct viommu_shadow *s;
    struct dma dma = device_dma(sbdf, addr, what & 4);

    if ( hw_attached_to(sbdf, &s) != ON_SHADOW )
        return;
    hw_scan(s, see, &seen);
    if ( dma.ok )
    {
        CHECK(guest_refs(dma.mfn));
        CHECK_EQ(dma.mfn, seen.mfn);
    }
    /* A narrow machine does not see all. */
    CHECK(dma.ok == (what & 4 ? seen.write : seen.read) || now.narrow);
}

static void op_fault(void)
{
    unsigned int what = take(1), dev = what % 5;
    uint64_t addr = what & 0x80 ? take(8) : PAGE(take(1)) | 0x123;
    unsigned int n = what & 0x40 ? 20 : 1;
    bool read = what & 0x20;

    if ( dev == STRAY )
        lose();
    begin(false);
    tell("%u faults of %u, %#llx read %u\n", n, dev, (unsigned long long)addr,
         read);
    while ( n-- )
    {
        if ( now.known && (now.bound & (1U << dev)) )
            naive_fault(model_devfn[dev], addr, read);
        hw_pcidevs_lock();
        viommu_fault(&vi, (pci_sbdf_t){ .sbdf = 0x300 + dev }, addr, read);
        hw_pcidevs_unlock();
        addr += what & 0x10 ? PAGE(1) : 0;
    }
    end();
}

/* ---- The host ---- */

static void start_or_end(void)
{
    tell("sidecore %s\n", now.alive ? "ends" : "starts");
    if ( now.alive )
        sidecore_end(&sidecore);
    else
        CHECK_EQ(sidecore_start(&sidecore), 0);
    now.alive = !now.alive;
    guest.blocked = 0;
    if ( !now.alive )
        CHECK(!in_memory());
}

static void settings(void)
{
    struct xen_viommu_settings set = vi.set;
    unsigned int what = take(1);
    int rc;

    set.mode = what & 1;
    set.teardown = !(what & 2);
    if ( what & 4 )
        set.window_us = take(3);
    if ( what & 8 )
        set.quota = take(1);
    if ( what & 0x10 )
        set.fallback_us = take(2);
    if ( what & 0x20 )
        set.idle_us = take(2);
    if ( set.mode && !now.alive && (what & 0x40) )
        start_or_end();
    do
        rc = viommu_set(&vi, &set);
    while ( rc == -ERESTART );
    tell("settings %u %u window %u quota %u: %d\n", set.mode, set.teardown,
         set.window_us, set.quota, rc);
    if ( rc )
        CHECK(rc == -ERANGE || (rc == -ENXIO && !now.alive) ||
              (rc == -ENOMEM && harness.failed));
    else
    {
        CHECK_EQ(vi.count[XEN_VIOMMU_CNT_leaves_stale], 0);
        if ( now.exact )
            model_end_stale();
    }
}

static void op_host(void)
{
    unsigned int what = take(1);

    begin(true);
    switch ( what % 8 )
    {
    case 0:
        start_or_end();
        break;

    case 1:
        guest.no_inbox_map = what & 8;
        break;

    case 2 ... 3:
        pass(take(1 + (what >> 3) % 4) % 10000000);
        break;

    case 4:
        settings();
        break;

    default:
        poll();
        break;
    }
    end();
}

static void op_shortage(void)
{
    unsigned int what = take(1);

    harness.fail_in = what & 1 ? 1 + (what >> 4) : 0;
    harness.fail_rate = what & 2 ? what >> 2 : 0;
    hw.attach_fails = what & 4 ? 1 + (what >> 7) : 0;
    tell("shortage %u %u %u\n", harness.fail_in, harness.fail_rate,
         hw.attach_fails);
}

/* Something another vCPU does while the unit is at work. */
static void run_hook(void)
{
    unsigned int locks = harness.locks, what = now.hook.what;

    now.hook.what = HOOK_NONE;
    if ( what == HOOK_NONE )
        return;

    tell("(hook)\n");
    if ( what == HOOK_TYPE )
    {
        now.exact = false;
        guest_set(now.hook.offset % NR_GFNS, 1, now.hook.value & 3);
        note();
        return;
    }

    lose();
    harness.locks = 0;
    if ( now.hook.offset + now.hook.size <= 4096 )
        write_now(now.hook.offset, now.hook.size, now.hook.value);
    harness.locks = locks;
}

static void on_status(void)
{
    note();
    run_hook();
}

static void op_hook(void)
{
    unsigned int what = take(1);

    now.hook.what = what & 1 ? HOOK_WRITE : HOOK_TYPE;
    now.hook.offset = take(1) << 2;
    now.hook.size = what & 2 ? 4 : 8;
    now.hook.value = take(what & 4 ? 8 : 1);
    if ( what & 8 )
        now.hook.value <<= 56;
    if ( what & 0x10 )
        now.hook.offset = VTD_GCMD;
}

static void calm(void)
{
    harness.fail_in = harness.fail_rate = harness.trylocks = 0;
    hw.attach_fails = 0;
    now.hook.what = HOOK_NONE;
    settle();
    /* What is in memory and nobody has looked at yet. */
    (void)viommu_mmio_read(&vi, 0, 4);
    settle();
}

/* All tables are made anew, and all is known and exact again. */
static void resync(void)
{
    unsigned int i, queue;

    tell("resync\n");
    calm();
    now.lazy = false;
    if ( now.bound & (1U << STRAY) )
    {
        unbind(STRAY);
        settle();
    }
    if ( !now.known )
        naive_reload();
    now.known = true;
    now.exact = now.watched = false;
    queue = naive_read(VTD_GSTS, 4) & VTD_GCMD_QIE;
    write_reg(VTD_GCMD, 4, queue);
    note_failures();
    model_reset();
    for ( i = 0; i < M_DEVICES; i++ )
        if ( now.bound & (1U << i) )
            model_bind(i);
    now.exact = !now.narrow;
    write_reg(VTD_GCMD, 4, queue | VTD_GCMD_TE | VTD_GCMD_SRTP);
    read_reg(VTD_GSTS, 4);
}

/* ---- An input ---- */

static void op(void)
{
    unsigned int what = take(1), i;

    switch ( what % 32 )
    {
    case 0:
        i = take(2);
        what = take(1);
        write_reg(i & 0xfff, what & 0x80 ? what & 0x7f : what & 1 ? 4 : 8,
                  take(8));
        break;

    case 1 ... 3:
        op_write_hot();
        break;

    case 4:
        i = take(2);
        read_reg(i & 0xfff, i >> 12);
        break;

    case 5:
        i = take(2);
        write_memory((i & 0x1ff) % NR_GFNS, i >> 9 | (what & 0x20) << 2 |
                                            (what & 0x40) << 2, take(8));
        break;

    case 6:
        i = take(1);
        write_memory(G_TABLES + i % N_TABLES, i >> 4 & 3, take(8));
        break;

    case 7:
        i = take(1);
        write_memory(i & 0x80 ? G_ROOT + (i & 1) : G_CONTEXT + (i & 1),
                     i & 0x80 ? i >> 1 & 1
                              : 2 * model_devfn[i >> 2 & 3] + (i >> 1 & 1),
                     take(8));
        break;

    case 8:
        op_descriptor(what);
        break;

    case 9:
        write_memory(G_QUEUE + take(1) % 4, take(1) | (what & 0x20) << 3,
                     take(8));
        break;

    case 10:
        write_reg(VTD_IQT, what & 0x20 ? 8 : 4, now.tail * 16);
        break;

    case 11:
        op_gcmd();
        break;

    case 12:
        op_flip();
        break;

    case 13 ... 14:
        op_command();
        break;

    case 15:
        op_map();
        break;

    case 16:
        op_wait();
        break;

    case 17 ... 20:
        op_table();
        break;

    case 21:
        op_context();
        break;

    case 22:
        op_root();
        break;

    case 23:
        op_type();
        break;

    case 24:
        op_bind();
        break;

    case 25:
        op_dma();
        break;

    case 26:
        if ( what & 0x20 )
            op_remap();
        else
            op_fault();
        break;

    case 27:
        op_shortage();
        break;

    case 28:
        if ( what & 0x20 )
            harness.trylocks = 1;
        now.budget[what >> 6] = take(1);
        break;

    case 29:
        now.lazy = what & 0x20;
        if ( guest.deferred && now.lazy )
            work();
        else if ( now.lazy )
            poll();
        if ( !now.lazy || !busy() )
            settle();
        break;

    case 30:
        op_hook();
        break;

    case 31:
        if ( what & 0x20 )
            op_host();
        else
            resync();
        break;
    }
}

static void start(void)
{
    unsigned int machine = take(1), quota = take(1), i, j;

    harness_reset();
    CHECK_EQ(harness.allocations, 0);
    guest_reset();
    hw_reset();
    memset(&vi, 0, sizeof(vi));
    vi.overcommit = (machine & 0x18) == 0x10;
    vi.intremap = quota & 1;
    memset(&now, 0, sizeof(now));
    for ( i = 0; i <= STRAY; i++ )
        hw_add_device(0x300 + i);
    hw.caps.snoop = !(machine & 1);
    hw.caps.leaf_level = machine & 2 ? 1 : machine & 0x80 ? 2 : 3;
    hw.caching_mode = machine & 4;
    now.narrow = (machine & 0x18) == 0x18;
    hw.caps.levels = now.narrow ? 3 : 4;
    guest_set(0, G_RAM, GFN_RAM);
    guest.on_status = on_status;
    guest.on_superpage = run_hook;
    guest.on_inbox_map = run_hook;
    guest.on_inbox_unmap = run_hook;
    guest.on_inbox_unmapped = run_hook;
    for ( i = 0; i < ARRAY_SIZE(now.budget); i++ )
        now.budget[i] = machine & 0x20 ? 1000 : take(1);

    CHECK_EQ(viommu_init(&vi, machine & 0x40 ? 4 + quota % 64 : 0), 0);
    CHECK(!(vi.ecap & VTD_ECAP_PT) == vi.overcommit);
    vi.set.teardown = XEN_VIOMMU_TEARDOWN_strict;
    naive_reset(vi.cap, vi.ecap);
    model_reset();
    now.known = true;
    now.exact = !now.narrow;
    now.watched = (machine & 0x98) == 0x80;
    if ( now.watched )
        oracle_reset();

    /* Tables that make sense, or none. */
    harness_seed(quota);
    if ( quota & 0xf0 )
        edit_first();
    else if ( quota & 8 )
        for ( i = 0; i < M_DEVICES; i++ )
            for ( j = 0; j < 2; j++ )
            {
                uint64_t *ctx = guest_page(G_CONTEXT) + 2 * model_devfn[i];

                guest_page(G_ROOT)[0] = PAGE(G_CONTEXT) | VTD_ROOT_P;
                ctx[0] = PAGE(model_top[0]) | VTD_CTX_P;
                ctx[1] = 0x102;
            }
    note();
    if ( quota & 7 )
        for ( i = 0; i < M_DEVICES; i++ )
        {
            bind(i, model_devfn[i]);
            settle();
        }
}

static void stop(void)
{
    unsigned int i;

    tell("stop\n");
    for ( i = 0; i <= STRAY; i++ )
        if ( now.bound & (1U << i) )
            unbind(i);
    do
        test_budget = budget();
    while ( viommu_reap(&vi) );
    CHECK(!in_memory());
    viommu_fini(&vi);
    if ( now.alive )
        sidecore_end(&sidecore);

    CHECK_EQ(hw.tables, 0);
    CHECK_EQ(hw.shadows, 0);
    hw_check();
    CHECK_EQ(guest.frames, 0);
    CHECK_EQ(harness.allocations, 0);
}

static void lasts_too_long(int sig)
{
    FAIL("an input that lasts for %d s of processor time", MOST_SECONDS);
}

static void first_time(void)
{
    unsigned int i, n = M_ROOTS;

    CHECK(signal(SIGPROF, lasts_too_long) != SIG_ERR);
    CHECK_EQ(1U << (VTD_LEVEL_STRIDE * 4), MAX_PAGES);
    model_pages = MAX_PAGES;
    for ( i = 0; i < MAX_PAGES; i++ )
        model_page[i] = i;
    /* Every table that a context can name, the usual ones first. */
    for ( i = 0; i < M_ROOTS; i++ )
        model_top[i] = G_TABLES + i;
    for ( i = 0; i < MAX_PAGES; i++ )
        if ( i - G_TABLES >= M_ROOTS )
            model_top[n++] = i;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct itimerval limit = { .it_value.tv_sec = MOST_SECONDS };
    unsigned int n = 0;

    if ( !model_pages )
        first_time();
    CHECK(!setitimer(ITIMER_PROF, &limit, NULL));
    in.p = data;
    in.n = size;

    start();
    while ( in.n && n++ < MAX_OPS )
        op();
    /* The end comes in the middle of something, or all is seen once more. */
    harness.fail_in = harness.fail_rate = harness.trylocks = 0;
    hw.attach_fails = 0;
    if ( size % 4 || !busy() )
        resync();
    stop();

    return 0;
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
