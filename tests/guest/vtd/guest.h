/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h: what every part of the test guest uses: ports, time, console,
 * verdicts, memory, interrupts, the device that does DMA.
 *
 * Memory is mapped one to one. The image is at 1 MiB, and what the toolstack
 * loads behind it may follow; everything below is outside of that.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))

/* For what a register or table entry may hold, apart from the flags. */
#define PAGE            4096ULL
#define MB              0x100000ULL
#define GB              0x40000000ULL

#define QUEUE_BASE      0x01000000ULL   /* 512 KiB: the longest queue */
#define POOL_BASE       0x01100000ULL   /* pages for tables and data */
#define POOL_END        0x01800000ULL
#define BIG_BASE        0x02000000ULL   /* two pages of 2 MiB */
#define RAM_END         0x04000000ULL   /* of what the guest relies on */

/* Addresses at which there is nothing, and beyond any address width. */
#define NOWHERE         0x0000000800000000ULL
#define TOO_WIDE        0x0008000000000000ULL

static inline void outb(uint16_t port, uint8_t value)
{
    asm volatile ( "outb %0, %1" :: "a" (value), "Nd" (port) );
}

static inline void outl(uint16_t port, uint32_t value)
{
    asm volatile ( "outl %0, %1" :: "a" (value), "Nd" (port) );
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;

    asm volatile ( "inb %1, %0" : "=a" (value) : "Nd" (port) );

    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;

    asm volatile ( "inl %1, %0" : "=a" (value) : "Nd" (port) );

    return value;
}

/* One instruction each, so that it is known what the unit sees. */
#define MMIO(bits, type, reg)                                           \
static inline type mmio_read##bits(uint64_t addr)                       \
{                                                                       \
    type value;                                                         \
                                                                        \
    asm volatile ( "mov (%1), %0" : "=" reg (value) : "r" (addr)        \
                   : "memory" );                                        \
                                                                        \
    return value;                                                       \
}                                                                       \
static inline void mmio_write##bits(uint64_t addr, type value)          \
{                                                                       \
    asm volatile ( "mov %0, (%1)" :: reg (value), "r" (addr) : "memory" ); \
}
MMIO(8, uint8_t, "q")
MMIO(16, uint16_t, "r")
MMIO(32, uint32_t, "r")
MMIO(64, uint64_t, "r")
#undef MMIO

/* Guest memory that a device or the unit reads or writes. */
static inline volatile uint32_t *mem32(uint64_t addr)
{
    return (volatile uint32_t *)addr;
}

static inline volatile uint64_t *mem64(uint64_t addr)
{
    return (volatile uint64_t *)addr;
}

/* console.c */
void console_init(void);
bool console_pending(void);
char console_key(void);         /* waits for one */
void vsay(const char *fmt, __builtin_va_list args);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* check.c: a name is that of the rule which is proved. */
void topic(const char *name);
bool check(bool holds, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool check_eq(uint64_t is, uint64_t wanted, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void skip(const char *why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void summary(void);

/* check.c: time. */
void time_init(void);
uint64_t now_ms(void);
void pause_ms(unsigned int ms);
/* Waits for what may not come in that time. Looks once more after it. */
#define WITHIN(condition, ms)                                           \
({                                                                      \
    uint64_t end_ = now_ms() + (ms);                                    \
                                                                        \
    while ( !(condition) && now_ms() <= end_ )                          \
        asm volatile ( "pause" );                                       \
    !!(condition);                                                      \
})
/* Waits for what has to come: no machine is so slow that it takes longer. */
#define WAIT_FOR(condition) WITHIN(condition, 60000)

/* irq.c: how often each vector has arrived at a CPU, since irq_forget(). */
#define MAX_CPUS        2
#define WAKE            0x3f            /* a vector that is not counted */

/* Debug exceptions that come while they are expected. */
extern volatile bool debug_expected;
extern volatile unsigned int debug_traps;

void irq_init(void);
void irq_init_cpu(unsigned int cpu);
void interrupt(unsigned int vector, uint64_t where);
void irq_forget(void);
unsigned int irq_count(unsigned int vector, unsigned int cpu);
unsigned int irq_total(void);
uint32_t apic_id(unsigned int cpu);
void apic_send(uint32_t how, uint32_t to);

/* cpus.c: the second CPU, which sleeps, but for what it is told to do. */
extern unsigned int nr_cpus;

void cpus_init(void);
void second_main(void);
void second_begin(void (*function)(void));
bool second_wait(void);         /* false: it does not end */

/* pci.c: bus 0. */
uint32_t pci_read(uint8_t devfn, unsigned int reg);
void pci_write(uint8_t devfn, unsigned int reg, uint32_t value);

/* edu.c: devices behind the unit that can be told to do DMA. */
struct edu {
    uint8_t devfn;
    uint64_t bar;
    unsigned int number;
    unsigned int next;      /* part of its buffer that was not used yet */
};
extern struct edu edus[2];
extern unsigned int nr_edus;

void edu_init(void);
void edu_start(struct edu *e, bool to_memory, uint64_t addr,
               unsigned int offset, unsigned int count);
bool edu_dma(struct edu *e, bool to_memory, uint64_t addr, unsigned int offset,
             unsigned int count);
bool edu_load(struct edu *e);

/*
 * What becomes of four bytes that a device writes to, or reads from, addr,
 * when the memory at phys is meant.
 */
enum dma { BLOCKED, ARRIVED, GARBLED };
enum dma edu_writes(struct edu *e, uint64_t addr, uint64_t phys);
enum dma edu_reads(struct edu *e, uint64_t addr, uint64_t phys);

/* Where edu_reads() has what was read written to; always to be mapped. */
#define WINDOW          0x00010000ULL
extern uint64_t window_page;

/* tables.c: memory that nothing else uses, until pool_reset(). */
void pool_reset(void);
uint64_t page_new(void);

#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
