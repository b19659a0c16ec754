/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-forms.c: a register access is what its instruction says, whichever
 * instruction a driver's compiler chose, and wherever that is. A hypervisor may
 * do plain moves by a shorter way than others; so there are plain ones here, of
 * every form of operand, and others.
 */
#include "unit.h"
#include "xen.h"

#define FEADDR_MASK   0xfffffffcU
#define VECTOR        0x85
#define FIXED         0x4000
#define ADDR          (UNIT + FEADDR)
#define PAIR          (UNIT + RTADDR)   /* a register of 8 bytes */
#define RTADDR_MASK   0x3ffffff000ULL

static uint32_t next_value(void)
{
    static uint32_t value = 0x12345678;

    value = value * 1664525 + 1013904223;

    return value & FEADDR_MASK;
}

/* ---- Writes. ---- */

/* INSN writes EAX to FEADDR, whose address is ADDR_REG + OFFSET. */
#define WRITE(name, insn, reg, offset)                                  \
do {                                                                    \
    uint32_t v = next_value();                                          \
    register uint64_t base asm ( reg ) = ADDR - (offset);               \
                                                                        \
    wr32(FEADDR, 0);                                                    \
    asm volatile ( insn :: "a" (v), "r" (base) : "memory" );            \
    check_eq(rd32(FEADDR), v, "write: %s", name);                       \
} while ( 0 )

static void check_writes(void)
{
    uint64_t at = ADDR;
    uint32_t v;

    WRITE("mov %eax, (%rdx)", "mov %%eax, (%%rdx)", "rdx", 0);
    WRITE("mov %eax, (%r10)", "mov %%eax, (%%r10)", "r10", 0);
    WRITE("mov %eax, (%r12)", "mov %%eax, (%%r12)", "r12", 0);
    WRITE("mov %eax, 0(%r13)", "mov %%eax, 0(%%r13)", "r13", 0);
    WRITE("mov %eax, 0x7f(%rcx)", "mov %%eax, 0x7f(%%rcx)", "rcx", 0x7f);
    WRITE("mov %eax, -0x80(%rsi)", "mov %%eax, -0x80(%%rsi)", "rsi", -0x80L);
    WRITE("mov %eax, 0x12345(%rdi)", "mov %%eax, 0x12345(%%rdi)", "rdi",
          0x12345);
    WRITE("mov %eax, -0x7ffff000(%r9)", "mov %%eax, -0x7ffff000(%%r9)", "r9",
          -0x7ffff000L);
    WRITE("mov %eax, -0x1000(%r12)", "mov %%eax, -0x1000(%%r12)", "r12",
          -0x1000L);
    WRITE("mov %eax, 0x10000(,%rdx,1)", "mov %%eax, 0x10000(,%%rdx,1)", "rdx",
          0x10000);
    WRITE("mov %eax, (%rdx,%rbx,4)",
          "push %%rbx; mov $-4, %%rbx; mov %%eax, (%%rdx,%%rbx,4); pop %%rbx",
          "rdx", -16L);
    WRITE("mov %eax, 8(%rdx,%r12,8)",
          "push %%r12; mov $3, %%r12d; mov %%eax, 8(%%rdx,%%r12,8); pop %%r12",
          "rdx", 32);
    WRITE("mov %r15d, (%r14)",
          "push %%r15; mov %%eax, %%r15d; mov %%r15d, (%%r14); pop %%r15",
          "r14", 0);
    WRITE("mov %ebp, (%rdx)",
          "push %%rbp; mov %%eax, %%ebp; mov %%ebp, (%%rdx); pop %%rbp",
          "rdx", 0);

    v = next_value();
    wr32(FEADDR, 0);
    asm volatile ( "sub %%rsp, %0; mov %1, (%%rsp,%0)"
                   : "+r" (at) : "r" (v) : "memory", "cc" );
    check_eq(rd32(FEADDR), v, "write: mov %%r32, (%%rsp,%%reg)");

    wr32(FEADDR, 0);
    asm volatile ( "movl $0x7654ba98, (%0)" :: "r" (ADDR) : "memory" );
    check_eq(rd32(FEADDR), 0x7654ba98, "write: movl $0x7654ba98, (%%reg)");
    asm volatile ( "movl $-0x1000, 0x40(%0)" :: "r" (ADDR - 0x40) : "memory" );
    check_eq(rd32(FEADDR), 0xfffff000, "write: movl $-0x1000, 0x40(%%reg)");
    wr32(FEADDR, 0);

    asm volatile ( "movq $0x1234f000, (%0)" :: "r" (PAIR) : "memory" );
    check_eq(rd64(RTADDR), 0x1234f000, "write: movq $0x1234f000, (%%reg)");
    asm volatile ( "movq $-0x1000, (%0,%1,2)"
                   :: "r" (PAIR - 0x20), "r" (0x10ULL) : "memory" );
    check_eq(rd64(RTADDR) & RTADDR_MASK, RTADDR_MASK,
             "write: movq $-0x1000, (%%reg,%%reg,2)");
    asm volatile ( "mov %0, (%1)"
                   :: "r" (0x2345678000ULL), "r" (PAIR) : "memory" );
    check_eq(rd64(RTADDR), 0x2345678000ULL, "write: mov %%r64, (%%reg)");
    wr64(RTADDR, 0);
}

/* Others than a move of a register or constant. */
static void check_other_writes(void)
{
    uint32_t v;
    uint64_t to;

    WRITE("movnti %eax, (%rdx)", "movnti %%eax, (%%rdx)", "rdx", 0);
    WRITE("xchg %eax, (%rdx)", "push %%rax; xchg %%eax, (%%rdx); pop %%rax",
          "rdx", 0);
    WRITE("or %eax, (%rdx)", "or %%eax, (%%rdx)", "rdx", 0);
    WRITE("add %eax, (%rdx)", "add %%eax, (%%rdx)", "rdx", 0);
    WRITE("mov %eax, (%edx)", "mov %%eax, (%%edx)", "rdx", 0);
    WRITE("mov %eax, with a prefix, (%rdx)",
          ".byte 0x3e; mov %%eax, (%%rdx)", "rdx", 0);

    v = next_value();
    wr32(FEADDR, 0);
    to = ADDR;
    asm volatile ( "stosl" : "+D" (to) : "a" (v) : "memory" );
    check_eq(rd32(FEADDR), v, "write: stosl");
    check_eq(to, ADDR + 4, "stosl moves on by 4");
    wr32(FEADDR, 0);
}

/* ---- Reads. ---- */

static void check_reads(void)
{
    uint64_t is;
    uint32_t v = next_value();

    wr32(FEADDR, v);
    rd32(FEADDR);
    asm volatile ( "mov $-1, %%rax; mov (%1), %%eax; mov %%rax, %0"
                   : "=r" (is) : "r" (ADDR) : "rax", "memory" );
    check_eq(is, v, "read: mov (%%reg), %%eax, and the upper half is 0");
    asm volatile ( "mov $-1, %%r11; mov 0x10(%1), %%r11d; mov %%r11, %0"
                   : "=r" (is) : "r" (ADDR - 0x10) : "r11", "memory" );
    check_eq(is, v, "read: mov 0x10(%%reg), %%r11d, and the upper half is 0");
    asm volatile ( "mov (%%rdx), %%edx; mov %%rdx, %0"
                   : "=r" (is) : "d" (ADDR) : "memory" );
    check_eq(is, v, "read: mov (%%rdx), %%edx");
    asm volatile ( "mov (%1), %0" : "=r" (is) : "r" (UNIT + CAP) : "memory" );
    check_eq(is, cap, "read: mov (%%reg), %%r64");
    asm volatile ( "mov -8(%1,%2,8), %0"
                   : "=r" (is) : "r" (UNIT + CAP - 8), "r" (2ULL) : "memory" );
    check_eq(is, cap, "read: mov -8(%%reg,%%reg,8), %%r64");

    /* Others. */
    asm volatile ( "movzwl (%1), %k0" : "=r" (is) : "r" (ADDR) : "memory" );
    check_eq(is, 0, "read: movzwl (%%reg), two bytes, is 0");
    asm volatile ( "mov $1, %k0; add (%1), %k0"
                   : "=&r" (is) : "r" (ADDR) : "memory", "cc" );
    check_eq(is, v + 1, "read: add (%%reg), %%r32");
    asm volatile ( "mov %1, %%esi; lodsl; mov %%rax, %0"
                   : "=r" (is) : "r" ((uint32_t)ADDR)
                   : "rax", "rsi", "memory" );
    check_eq(is, v, "read: lodsl");
    asm volatile ( "pushq (%1); pop %0"
                   : "=r" (is) : "r" (UNIT + CAP) : "memory" );
    check_eq(is, cap, "read: pushq (%%reg)");
    asm volatile ( "movslq (%1), %0"
                   : "=r" (is) : "r" (ADDR) : "memory" );
    check_eq(is, (uint64_t)(int32_t)v, "read: movslq (%%reg), %%r64");
    wr32(FEADDR, 0);
}

/* ---- What comes with an instruction. ---- */

static void check_flags(void)
{
    uint64_t before, after;
    uint32_t v = next_value();

    asm volatile ( "stc; pushf; pop %0; mov %3, (%2); pushf; pop %1"
                   : "=&r" (before), "=&r" (after) : "r" (ADDR), "r" (v)
                   : "memory", "cc" );
    check_eq(after, before, "flags stay");

    /* After the move, and after what takes the trap flag away again. */
    debug_traps = 0;
    debug_expected = true;
    asm volatile ( "pushf; orl $0x100, (%%rsp); popf;"
                   "mov %1, (%0);"
                   "pushf; andl $~0x100, (%%rsp); popf"
                   :: "r" (ADDR), "r" (v) : "memory", "cc" );
    debug_expected = false;
    check_eq(debug_traps, 4, "a single step ends after the access");
    check_eq(rd32(FEADDR), v, "and the access was made");

    /* The interrupt comes after the instruction behind sti, and once. */
    irq_forget();
    asm volatile ( "cli" );
    apic_send(FIXED | VECTOR, apic_id(0));
    v = next_value();
    asm volatile ( "sti; mov %1, (%0)" :: "r" (ADDR), "r" (v) : "memory" );
    check(WAIT_FOR(irq_count(VECTOR, 0) == 1),
          "an interrupt that waits for the end of sti's shadow comes");
    check_eq(rd32(FEADDR), v, "and the access was made");
    irq_forget();
    wr32(FEADDR, 0);
}

/* ---- Code that is elsewhere, or another. ---- */

/* mov $VALUE, (%rdi); ret */
static void put_code(uint64_t at, uint32_t value)
{
    volatile uint8_t *p = (void *)at;
    unsigned int i;

    p[0] = 0xc7;
    p[1] = 0x07;
    for ( i = 0; i < 4; i++ )
        p[2 + i] = value >> (8 * i);
    p[6] = 0xc3;
}

static void run_code(uint64_t at)
{
    unsettled = true;
    asm volatile ( "call *%0" :: "r" (at), "D" (ADDR) : "memory" );
}

static void check_code(void)
{
    uint64_t page = page_new(), second = page_new();
    unsigned int i, right = 0;
    uint32_t v;

    /* Written anew each time. */
    for ( i = 0; i < 20; i++ )
    {
        v = next_value();
        put_code(page, v);
        run_code(page);
        right += rd32(FEADDR) == v;
    }
    check_eq(right, 20, "code that changes does what it says, 20 times");

    /* Over the end of a page. */
    for ( i = 1, right = 0; i < 8; i++ )
    {
        v = next_value();
        put_code(second - i, v);
        run_code(second - i);
        right += second == page + PAGE && rd32(FEADDR) == v;
    }
    check_eq(right, 7, "code that begins in one page and ends in the next");

    /* The same address, but another frame each time. */
    if ( !xen_init() )
    {
        skip("no hypercalls", "code whose frame is another one");
        return;
    }
    for ( i = 0, right = 0; i < 20; i++ )
    {
        v = next_value();
        put_code(page, v);
        run_code(page);
        right += rd32(FEADDR) == v;
        right += xen_balloon_out(page / PAGE, 1) == 1 &&
                 xen_balloon_in(page / PAGE, 1) == 1;
    }
    check_eq(right, 40, "code whose frame is another one, 20 times");
    wr32(FEADDR, 0);
}

void check_forms(void)
{
    topic("forms of access");
    pool_reset();
    check_writes();
    check_other_writes();
    check_reads();
    check_flags();
    check_code();
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
