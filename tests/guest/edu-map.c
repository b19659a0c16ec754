// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an edu device reaches when its driver maps by Linux's DMA API, with the
 * strategies of the Linux module:
 *
 *   edu-map BDF WHAT
 *
 * WHAT is a group of checks below, or "pairs COUNT", which maps and unmaps so
 * often. The device has the driver edu_dma, and is taken. One line a check,
 * PASS or FAIL and its name; exit 0 only if all passed.
 *
 * Times: the device does its DMA 100 ms after it was told to. Where something
 * is to be reachable still, the window is long; where it is not to be any more,
 * this process slept for window and tick, and its timer comes after the
 * module's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "edu.h"
#include "edu-dma.h"

#define PAGE 4096ul
#define TICK_US 1000

static int dev, failed;
static volatile uint8_t *bar;
static uint8_t *arena, loaded[PAGE];
static char sys[128];
static unsigned int seed;

static void die(const char *what)
{
    fprintf(stderr, "edu-map: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void verdict(const char *name, int ok)
{
    printf("%s %s\n", ok ? "PASS" : "FAIL", name);
    failed += !ok;
}

static void set(const char *file, const char *value)
{
    char path[192];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", sys, file);
    fd = open(path, O_WRONLY);
    if ( fd < 0 || write(fd, value, strlen(value)) < 0 )
        die(path);
    close(fd);
}

static long get(const char *file)
{
    char path[192], text[64] = "";
    int fd;

    snprintf(path, sizeof(path), "%s/%s", sys, file);
    fd = open(path, O_RDONLY);
    if ( fd < 0 || read(fd, text, sizeof(text) - 1) < 0 )
        die(path);
    close(fd);
    return atol(text);
}

static void strategy(const char *name, unsigned int window_us)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", window_us);
    set("window_us", text);
    set("strategy", name);
}

static int call(struct edu_call *c)
{
    return ioctl(dev, EDU_CALL, c);
}

static uint64_t map(uint32_t offset, uint32_t len, uint32_t dir)
{
    struct edu_call c = {
        .op = EDU_MAP, .offset = offset, .len = len, .dir = dir
    };

    if ( call(&c) )
        die("EDU_MAP");
    return c.addr[0];
}

static void unmap(uint64_t addr, uint32_t len, uint32_t dir)
{
    struct edu_call c = {
        .op = EDU_UNMAP, .len = len, .dir = dir, .addr = { addr }
    };

    if ( call(&c) )
        die("EDU_UNMAP");
}

static void engine(int to_ram, uint64_t addr, unsigned int len)
{
    if ( edu_dma(bar, to_ram, addr, 0, len) )
        die("the DMA engine");
}

/* Another content for the device's buffer; it comes by a mapping of page 63. */
static void load(void)
{
    uint8_t *page = arena + 63 * PAGE;
    uint64_t addr;

    seed++;
    for ( unsigned int i = 0; i < PAGE; i++ )
        page[i] = loaded[i] = i * 13 + (i >> 8) + seed * 101 + 1;
    addr = map(63 * PAGE, PAGE, EDU_TO_DEVICE);
    engine(0, addr, PAGE);
    unmap(addr, PAGE, EDU_TO_DEVICE);
}

/* Does the device, writing to addr, bring these bytes what it has? */
static int stored(uint64_t addr, uint32_t offset, uint32_t len)
{
    memset(arena + offset, 0, len);
    engine(1, addr, len);
    return !memcmp(arena + offset, loaded, len);
}

/* Something that it did not have before. */
static int arrives(uint64_t addr, uint32_t offset, uint32_t len)
{
    load();
    return stored(addr, offset, len);
}

/* Neither all of it nor a part. */
static int blocked(uint64_t addr, uint32_t offset, uint32_t len)
{
    load();
    memset(arena + offset, 0, len);
    engine(1, addr, len);
    for ( uint32_t i = 0; i < len; i++ )
        if ( arena[offset + i] )
            return 0;
    return 1;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void sleep_us(uint64_t us)
{
    struct timespec t = { us / 1000000, us % 1000000 * 1000 };

    nanosleep(&t, NULL);
}

/*
 * Something was unmapped at since, and lingers for window_us: a verdict on what
 * was seen of it only holds if all of that time has not passed meanwhile.
 */
static void lingers(const char *name, int seen, uint64_t since,
                    uint64_t window_us)
{
    if ( !seen && now_us() - since >= window_us )
        printf("NONE %s: the machine is too slow to see it\n", name);
    else
        verdict(name, seen);
}

/* ---- the DMA API, with any strategy -------------------------------------- */

static void checks_api(const char *name)
{
    struct edu_call c;
    uint64_t addr, other;
    uint8_t *coherent;
    unsigned int i;
    char what[96];
    int ok;

#define CHECK(text, condition) do { \
    snprintf(what, sizeof(what), "%s: %s", name, text); \
    verdict(what, condition); \
} while ( 0 )

    strategy(name, 10000);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    CHECK("a page, written by the device", arrives(addr, 0, PAGE));
    unmap(addr, PAGE, EDU_FROM_DEVICE);

    addr = map(2 * PAGE + 0x340, 0x123, EDU_FROM_DEVICE);
    CHECK("a part of a page is at its offset", (addr & (PAGE - 1)) == 0x340);
    CHECK("a part of a page, written", arrives(addr, 2 * PAGE + 0x340, 0x123));
    unmap(addr, 0x123, EDU_FROM_DEVICE);

    addr = map(4 * PAGE + 0x800, PAGE, EDU_BOTH);
    CHECK("over the end of a page, written",
          arrives(addr, 4 * PAGE + 0x800, PAGE));
    engine(0, addr, PAGE);
    other = map(6 * PAGE, PAGE, EDU_FROM_DEVICE);
    memset(arena + 6 * PAGE, 0, PAGE);
    engine(1, other, PAGE);
    CHECK("and read",
          !memcmp(arena + 6 * PAGE, arena + 4 * PAGE + 0x800, PAGE));
    unmap(other, PAGE, EDU_FROM_DEVICE);
    unmap(addr, PAGE, EDU_BOTH);

    addr = map(8 * PAGE, 16 * PAGE, EDU_FROM_DEVICE);
    CHECK("the last of 16 pages in a row",
          arrives(addr + 15 * PAGE, 23 * PAGE, PAGE));
    unmap(addr, 16 * PAGE, EDU_FROM_DEVICE);

    addr = map(0, PAGE, EDU_TO_DEVICE);
    CHECK("read-only: a write does not arrive", blocked(addr, 0, PAGE));
    /* The same page with other rights, while the first mapping is there. */
    other = map(0, PAGE, EDU_FROM_DEVICE);
    CHECK("read-only: not through another address either",
          other != addr && blocked(addr, 0, PAGE) && arrives(other, 0, PAGE));
    unmap(other, PAGE, EDU_FROM_DEVICE);
    CHECK("read-only: nor after it", blocked(addr, 0, PAGE));
    unmap(addr, PAGE, EDU_TO_DEVICE);

    c = (struct edu_call){ .op = EDU_MAP_SG,
                           .dir = EDU_FROM_DEVICE,
                           .count = 8,
                           .offset = 10 * PAGE + 0x200,
                           .stride = 2 * PAGE,
                           .len = 0x600 };
    ok = !call(&c);
    for ( i = 0; ok && i < 8; i++ )
        ok = arrives(c.addr[i], (10 + 2 * i) * PAGE + 0x200, 0x600);
    CHECK("a scatterlist, each part", ok);
    c = (struct edu_call){ .op = EDU_UNMAP_SG };
    ok = !call(&c);
    CHECK("is unmapped", ok);

    c = (struct edu_call){ .op = EDU_ALLOC, .len = 2 * PAGE };
    ok = !call(&c);
    coherent = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dev,
                    COHERENT_AT);
    ok = ok && coherent != MAP_FAILED;
    if ( ok )
    {
        load();
        engine(1, c.addr[0] + 0x400, PAGE);
        ok = !memcmp(coherent + 0x400, loaded, PAGE);
        munmap(coherent, 2 * PAGE);
    }
    CHECK("coherent memory, mapped for a process", ok);
    c = (struct edu_call){ .op = EDU_FREE };
    call(&c);

    c = (struct edu_call){ .op = EDU_RESOURCE };
    CHECK("registers of a device", !call(&c) && c.addr[0]);

    c = (struct edu_call){ .op = EDU_MASK, .count = 32 };
    ok = !call(&c);
    for ( i = 0; ok && i < 64; i++ )
    {
        addr = map(i * PAGE, PAGE, EDU_FROM_DEVICE);
        ok = addr + PAGE - 1 <= 0xffffffff;
        unmap(addr, PAGE, EDU_FROM_DEVICE);
    }
    CHECK("a mask of 32 bits", ok);
    c = (struct edu_call){ .op = EDU_MASK, .count = 20 };
    if ( !call(&c) )
    {
        /* Perhaps there is no room at all. */
        c = (struct edu_call){ .op = EDU_MAP,
                               .len = PAGE,
                               .dir = EDU_FROM_DEVICE };
        ok = call(&c) || c.addr[0] + PAGE - 1 <= 0xfffff;
        if ( ok && c.addr[0] )
            unmap(c.addr[0], PAGE, EDU_FROM_DEVICE);
    }
    CHECK("a mask of 20 bits", ok);

    c = (struct edu_call){ .op = EDU_MASK, .count = 64 };
    if ( call(&c) )
        die("EDU_MASK");
    CHECK("nothing is live then", get("live_pages") == 0);
}

/*
 * No address is left. Last of all: where it had none, Linux gives out no low
 * address at all before another one is given back.
 */
static void checks_room(const char *name)
{
    struct edu_call c;
    uint64_t some[8];
    unsigned int i, n;
    char what[96];
    long errors;
    int ok;

    strategy(name, 10000);
    load();
    /* Room for three pages, or fewer: the driver is told, the others stay. */
    c = (struct edu_call){ .op = EDU_MASK, .count = 14 };
    errors = get("errors");
    ok = !call(&c);
    for ( n = 0; n < 8; n++ )
    {
        c = (struct edu_call){ .op = EDU_MAP,
                               .offset = (20 + n) * PAGE,
                               .len = PAGE,
                               .dir = EDU_FROM_DEVICE };
        if ( call(&c) )
            break;
        ok = ok && c.addr[0] + PAGE - 1 <= 0x3fff;
        some[n] = c.addr[0];
    }
    CHECK("no address is left: an error",
          ok && n >= 1 && n <= 3 && get("errors") == errors + 1);
    CHECK("the others are mapped", n && stored(some[0], 20 * PAGE, PAGE));
    for ( i = 0; i < n; i++ )
        unmap(some[i], PAGE, EDU_FROM_DEVICE);
    c = (struct edu_call){
        .op = EDU_MAP, .offset = 40 * PAGE, .len = PAGE, .dir = EDU_FROM_DEVICE
    };
    ok = !call(&c) && c.addr[0] + PAGE - 1 <= 0x3fff;
    CHECK("what nobody uses makes room", ok);
    if ( ok )
        unmap(c.addr[0], PAGE, EDU_FROM_DEVICE);
    c = (struct edu_call){ .op = EDU_MASK, .count = 64 };
    if ( call(&c) )
        die("EDU_MASK");
    CHECK("nothing is live after that", get("live_pages") == 0);
#undef CHECK
}

/* ---- what each strategy relaxes ------------------------------------------ */

static void checks_strict(void)
{
    uint64_t addr;

    strategy("strict", 10000000);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    verdict("strict: mapped", arrives(addr, 0, PAGE));
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    verdict("strict: unmapped, unreachable at once", blocked(addr, 0, PAGE));
    verdict("strict: nothing lingers", get("stale_pages") == 0);
}

static void checks_deferred(void)
{
    unsigned int window = 100000;
    uint64_t addr;

    strategy("deferred", window);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    verdict("deferred: mapped", arrives(addr, 0, PAGE));
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    sleep_us(window + TICK_US);
    verdict("deferred: flushed after window and tick", get("stale_pages") == 0);
    verdict("deferred: unreachable then", blocked(addr, 0, PAGE));
}

static void checks_optimistic(void)
{
    unsigned int window = 10000000;
    uint64_t addr, again, other, t, first[6];
    long hits;
    int ok = 1;

    /* So that load() has its page again and again. */
    strategy("optimistic", window);
    load();
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    t = now_us();
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    lingers("optimistic: unmapped, it lingers", arrives(addr, 0, PAGE), t,
            window);
    hits = get("hits");
    again = map(0, PAGE, EDU_FROM_DEVICE);
    lingers("optimistic: mapped again, found",
            again == addr && get("hits") == hits + 1, t, window);
    other = map(0, PAGE, EDU_FROM_DEVICE);
    verdict("optimistic: while it is mapped, another address", other != addr);
    unmap(other, PAGE, EDU_FROM_DEVICE);
    unmap(again, PAGE, EDU_FROM_DEVICE);
    hits = get("hits");
    other = map(0, PAGE, EDU_BOTH);
    verdict("optimistic: other rights are not found", get("hits") == hits);
    unmap(other, PAGE, EDU_BOTH);

    /* A page of the 63rd lingers, and four more may. */
    set("strategy", "strict");
    set("strategy", "optimistic");
    load();
    set("quota", "5");
    set("batch", "1");
    t = now_us();
    for ( unsigned int i = 0; i < 6; i++ )
    {
        first[i] = map((10 + i) * PAGE, PAGE, EDU_FROM_DEVICE);
        unmap(first[i], PAGE, EDU_FROM_DEVICE);
        ok = ok && get("stale_pages") <= 5;
    }
    verdict("optimistic: no more than the quota lingers", ok);
    verdict("optimistic: the oldest went", blocked(first[0], 10 * PAGE, PAGE));
    lingers("optimistic: the newest is there",
            arrives(first[5], 15 * PAGE, PAGE), t, window);
    set("quota", "0");
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    verdict("optimistic: with no quota, unreachable at once",
            blocked(addr, 0, PAGE));
    set("quota", "4096");
    set("batch", "250");

    addr = map(0, PAGE, EDU_FROM_DEVICE);
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    set("strategy", "strict");
    verdict("optimistic: then strict, unreachable at once",
            blocked(addr, 0, PAGE));

    window = 200000;
    strategy("optimistic", window);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    t = now_us();
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    lingers("optimistic: lingers", get("stale_pages") > 0, t, window);
    sleep_us(window + TICK_US);
    verdict("optimistic: gone after window and tick", get("stale_pages") == 0);
    verdict("optimistic: unreachable then", blocked(addr, 0, PAGE));
}

static void checks_shared(void)
{
    uint64_t addr, other;

    strategy("shared", 10000000);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    other = map(0x80, 0x100, EDU_FROM_DEVICE);
    verdict("shared: the same address, and offset", other == addr + 0x80);
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    verdict("shared: reachable for the second", arrives(other, 0x80, 0x100));
    addr = map(0, PAGE, EDU_TO_DEVICE);
    verdict("shared: not with other rights", addr != other - 0x80);
    unmap(addr, PAGE, EDU_TO_DEVICE);
    unmap(other, 0x100, EDU_FROM_DEVICE);
    verdict("shared: unreachable after the last", blocked(other, 0x80, 0x100));
}

/* The test gives the device back between the two. */
static void lingering(void)
{
    uint64_t addr, t;

    strategy("optimistic", 10000000);
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    t = now_us();
    unmap(addr, PAGE, EDU_FROM_DEVICE);
    lingers("given back: something lingers before", get("stale_pages") > 0, t,
            10000000);
    printf("address %#lx\n", addr);
}

static void gone(uint64_t addr)
{
    verdict("given back: unreachable at once", blocked(addr, 0, PAGE));
    addr = map(0, PAGE, EDU_FROM_DEVICE);
    verdict("given back: the device works on", arrives(addr, 0, PAGE));
    unmap(addr, PAGE, EDU_FROM_DEVICE);
}

static void pairs(unsigned int count)
{
    struct edu_call c = { .op = EDU_PAIRS,
                          .count = count,
                          .dir = EDU_FROM_DEVICE };

    if ( call(&c) )
        die("EDU_PAIRS");
    printf("%u pairs\n", count);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "strict", "deferred", "optimistic",
                                         "shared" };
    char path[128];
    const char *what = argc > 2 ? argv[2] : "";

    if ( argc < 3 )
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(sys, sizeof(sys), "/sys/kernel/dma_strategy/%s", argv[1]);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", argv[1]);
    dev = open("/dev/edu-dma", O_RDWR);
    if ( dev < 0 )
        die("/dev/edu-dma");
    arena = mmap(NULL, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
                 dev, 0);
    if ( arena == MAP_FAILED )
        die("mmap of the arena");
    bar = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED,
               open(path, O_RDWR), 0);
    if ( bar == MAP_FAILED || !edu_present(bar) )
        die(path);

    if ( !strcmp(what, "api") )
        for ( unsigned int i = 0; i < 4; i++ )
            checks_api(names[i]);
    else if ( !strcmp(what, "room") )
        for ( unsigned int i = 0; i < 4; i++ )
            checks_room(names[i]);
    else if ( !strcmp(what, "bounds") )
    {
        checks_strict();
        checks_deferred();
        checks_optimistic();
        checks_shared();
    }
    else if ( !strcmp(what, "lingering") )
        lingering();
    else if ( !strcmp(what, "gone") && argc == 4 )
        gone(strtoull(argv[3], NULL, 0));
    else if ( !strcmp(what, "pairs") && argc == 4 )
        pairs(strtoul(argv[3], NULL, 0));
    else
        return 2;
    printf("edu-map: %d failed\n", failed);
    return failed ? 1 : 0;
}
