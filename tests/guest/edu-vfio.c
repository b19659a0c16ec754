// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rogue DMA:  edu-vfio BDF
 *
 * Or:  edu-vfio BDF hold COUNT   maps COUNT pages one by one when the file
 * /tmp/map appears, unmaps them one by one when /tmp/unmap does, and ends when
 * /tmp/end does; it makes /tmp/ready, /tmp/mapped and /tmp/unmapped.
 *
 * Or:  edu-vfio BDF interrupts COUNT   has the device raise so many interrupts,
 * by MSI and by INTx, and counts them; then has it write interrupt messages by
 * DMA, of which none may arrive anywhere. It makes /tmp/armed, and when there
 * is /tmp/redirected, which says that the device's own message names something
 * else, has the device raise that one, which may not arrive either.
 *
 * Drives an edu device from user space through VFIO, so that this program
 * decides what the guest's IOMMU maps, and tells the device to go beyond it.
 * The device must be bound to vfio-pci. One line a check, PASS or FAIL and the
 * check's name; exit 0 only if all passed.
 *
 * All memory that the device could reach by a mapping, present, past or never
 * made, is in one arena, whose whole expected content is known: after each
 * DMA every byte of it is compared. The pages are in no order in physical
 * memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "edu.h"

#define PAGE   4096ul
#define PAGES  64
#define RW     (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define RO     VFIO_DMA_MAP_FLAG_READ
#define WO     VFIO_DMA_MAP_FLAG_WRITE

#define IOVA_SOURCE 0x00800000ul        /* page 0 of the arena, always there */
#define IOVA        0x01000000ul        /* where checks map what they need */
#define IOVA_HIGH   0x8000000000ul      /* needs four levels */
#define IOVA_SUPER  0x04000000ul

static int container, device, failed;
static volatile uint8_t *bar;
static uint8_t *arena, *want, loaded[PAGE];
static unsigned int seed;

static void die(const char *what)
{
    fprintf(stderr, "edu-vfio: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint8_t *page(unsigned int n) { return arena + n * PAGE; }
static uint8_t *wanted(unsigned int n) { return want + n * PAGE; }

static void fill(uint8_t *p)
{
    seed++;
    for ( unsigned int i = 0; i < PAGE; i++ )
        p[i] = i * 13 + (i >> 8) + seed * 101 + 1;
}

static void map(uint64_t iova, void *at, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = flags, .vaddr = (uintptr_t)at,
        .iova = iova, .size = size,
    };

    if ( ioctl(container, VFIO_IOMMU_MAP_DMA, &m) )
        die("VFIO_IOMMU_MAP_DMA");
}

static void unmap(uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .iova = iova, .size = size,
    };

    if ( ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u) || u.size != size )
        die("VFIO_IOMMU_UNMAP_DMA");
}

static void dma(int to_ram, uint64_t iova, unsigned int offset,
                unsigned int count)
{
    if ( edu_dma(bar, to_ram, iova, offset, count) )
        exit(2);
}

/* Puts new, recognizable bytes into the device's buffer. */
static void load(void)
{
    fill(page(0));
    memcpy(wanted(0), page(0), PAGE);
    memcpy(loaded, page(0), PAGE);
    dma(0, IOVA_SOURCE, 0, PAGE);
}

static void verdict(const char *name, int ok, const char *why)
{
    printf("%s %s%s%s\n", ok ? "PASS" : "FAIL", name, ok ? "" : ": ",
           ok ? "" : why);
    if ( !ok )
        failed++;
    /* A failed check is not to fail the ones after it. */
    memcpy(want, arena, PAGES * PAGE);
}

/* Is the arena as it is meant to be? */
static void check(const char *name)
{
    char why[80];

    for ( unsigned long i = 0; i < PAGES * PAGE; i++ )
    {
        if ( arena[i] == want[i] )
            continue;
        snprintf(why, sizeof(why), "page %lu byte %lu is %02x, not %02x",
                 i / PAGE, i % PAGE, arena[i], want[i]);
        verdict(name, 0, why);
        return;
    }
    verdict(name, 1, NULL);
}

/* Brings the device's buffer, all of it, into page 63. */
static void store(void)
{
    map(IOVA + 0x800000, page(63), PAGE, RW);
    dma(1, IOVA + 0x800000, 0, PAGE);
    unmap(IOVA + 0x800000, PAGE);
}

/* What a device gets from a failed read is zeros, ones, or what it had. */
static void check_read_nothing(const char *name)
{
    uint8_t *got = page(63);

    store();
    if ( !memcmp(got, loaded, PAGE) ||
         ((got[0] == 0 || got[0] == 0xff) && !memcmp(got, got + 1, PAGE - 1)) )
        memcpy(wanted(63), got, PAGE);
    else
        memcpy(wanted(63), loaded, PAGE);
    check(name);
}

static void open_device(const char *bdf)
{
    struct vfio_group_status status = { .argsz = sizeof(status) };
    struct vfio_region_info region = { .argsz = sizeof(region) };
    char path[128], link[128];
    const char *number;
    int group;
    uint16_t command;
    ssize_t n;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
    n = readlink(path, link, sizeof(link) - 1);
    if ( n < 0 )
        die("the device has no IOMMU group");
    link[n] = 0;
    number = strrchr(link, '/') + 1;

    container = open("/dev/vfio/vfio", O_RDWR);
    snprintf(path, sizeof(path), "/dev/vfio/%s", number);
    group = open(path, O_RDWR);
    if ( container < 0 || group < 0 )
        die(path);
    if ( ioctl(group, VFIO_GROUP_GET_STATUS, &status) ||
         !(status.flags & VFIO_GROUP_FLAGS_VIABLE) )
        die("the group is not viable");
    if ( ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
         ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) )
        die("VFIO_SET_IOMMU");
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
    if ( device < 0 )
        die("VFIO_GROUP_GET_DEVICE_FD");

    region.index = VFIO_PCI_CONFIG_REGION_INDEX;
    if ( ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) ||
         pread(device, &command, 2, region.offset + 4) != 2 )
        die("configuration space");
    command |= 6; /* memory, bus master */
    if ( pwrite(device, &command, 2, region.offset + 4) != 2 )
        die("configuration space");

    region.index = VFIO_PCI_BAR0_REGION_INDEX;
    if ( ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) )
        die("BAR 0");
    bar = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
               region.offset);
    if ( bar == MAP_FAILED )
        die("mmap of BAR 0");
    if ( !edu_present(bar) )
    {
        fprintf(stderr, "edu-vfio: %s is no edu device\n", bdf);
        exit(2);
    }
}

static void checks_mapped(void)
{
    load();
    map(IOVA, page(2), PAGE, RW);
    dma(1, IOVA, 0, PAGE);
    memcpy(wanted(2), loaded, PAGE);
    check("mapped: DMA arrives");

    load();
    dma(1, IOVA + 0x340, 0x200, 0x123);
    memcpy(wanted(2) + 0x340, loaded + 0x200, 0x123);
    check("mapped: part of a page");
    unmap(IOVA, PAGE);

    load();
    map(IOVA, page(9), PAGE, RW);
    map(IOVA + PAGE, page(4), PAGE, RW);
    dma(1, IOVA + 0x800, 0, PAGE);
    memcpy(wanted(9) + 0x800, loaded, 0x800);
    memcpy(wanted(4), loaded + 0x800, 0x800);
    check("mapped: over two pages that are apart in memory");
    unmap(IOVA, PAGE);
    unmap(IOVA + PAGE, PAGE);

    load();
    map(IOVA_HIGH, page(5), PAGE, RW);
    dma(1, IOVA_HIGH, 0, PAGE);
    memcpy(wanted(5), loaded, PAGE);
    check("mapped: at an address of four levels");
    unmap(IOVA_HIGH, PAGE);

    load();
    map(IOVA, page(16), 32 * PAGE, RW);
    dma(1, IOVA + 31 * PAGE, 0, PAGE);
    memcpy(wanted(47), loaded, PAGE);
    check("mapped: last page of a long mapping");
    unmap(IOVA, 32 * PAGE);
    load();
    dma(1, IOVA + 31 * PAGE, 0, PAGE);
    check("just unmapped: last page of a long mapping");
}

static void checks_unmapped(int pagemap)
{
    load();
    dma(1, IOVA + 0x100000, 0, PAGE);
    check("unmapped: write to an address that never was mapped");

    load();
    dma(0, IOVA + 0x100000, 0, PAGE);
    check_read_nothing("unmapped: read gives nothing");

    load();
    dma(1, physical(pagemap, page(7)), 0, PAGE);
    check("unmapped: write to the guest-physical address of a page");
    load();
    dma(0, physical(pagemap, page(7)), 0, PAGE);
    check_read_nothing(
        "unmapped: read from the guest-physical address of a page");

    load();
    map(IOVA, page(2), PAGE, RW);
    dma(1, IOVA, 0, PAGE);
    memcpy(wanted(2), loaded, PAGE);
    unmap(IOVA, PAGE);
    load();
    dma(1, IOVA, 0, PAGE);
    check("just unmapped: write does not arrive");
    dma(1, physical(pagemap, page(2)), 0, PAGE);
    check("just unmapped: nor by its guest-physical address");

    map(IOVA, page(3), PAGE, RW);
    dma(1, IOVA, 0, PAGE);
    memcpy(wanted(3), loaded, PAGE);
    check("mapped again: arrives at the new page, not at the former one");
    unmap(IOVA, PAGE);

    load();
    map(IOVA, page(11), PAGE, RW);
    dma(1, IOVA + 0x800, 0, PAGE);
    /* What is mapped may arrive, the rest may not arrive anywhere. */
    memcpy(wanted(11), page(11), PAGE);
    check("unmapped: second half of a DMA that begins in a mapped page");
    unmap(IOVA, PAGE);
}

static void checks_rights(void)
{
    load();
    map(IOVA, page(6), PAGE, RO);
    dma(1, IOVA, 0, PAGE);
    check("read-only: write does not arrive");
    dma(0, IOVA, 0, PAGE);
    store();
    memcpy(wanted(63), page(6), PAGE);
    check("read-only: read arrives");
    unmap(IOVA, PAGE);

    map(IOVA, page(6), PAGE, RW);
    load();
    dma(1, IOVA, 0, PAGE);
    memcpy(wanted(6), loaded, PAGE);
    unmap(IOVA, PAGE);
    map(IOVA, page(6), PAGE, RO);
    load();
    dma(1, IOVA, 0, PAGE);
    check("read-only: nor where the page was writable before");
    unmap(IOVA, PAGE);

    /* Linux lets a device read what it maps write-only: one bit means both. */
    load();
    map(IOVA, page(8), PAGE, WO);
    dma(1, IOVA, 0, PAGE);
    memcpy(wanted(8), loaded, PAGE);
    check("write-only: write arrives");
    unmap(IOVA, PAGE);
}

static void checks_superpage(void)
{
    uint8_t *huge = mmap(NULL, 2ul << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
                         MAP_POPULATE, -1, 0);
    unsigned long other = 0;

    if ( huge == MAP_FAILED )
    {
        verdict("superpage: mapped", 0, "no huge page: nr_hugepages?");
        return;
    }
    memset(huge, 0x5a, 2ul << 20);
    load();
    map(IOVA_SUPER, huge, 2ul << 20, RW);
    dma(1, IOVA_SUPER + 0x123000, 0, PAGE);
    verdict("superpage: DMA arrives in its middle",
            !memcmp(huge + 0x123000, loaded, PAGE), "it did not");
    unmap(IOVA_SUPER, 2ul << 20);
    memset(huge, 0x5a, 2ul << 20);
    load();
    dma(1, IOVA_SUPER + 0x123000, 0, PAGE);
    dma(1, IOVA_SUPER, 0, PAGE);
    for ( unsigned long i = 0; i < 2ul << 20; i++ )
        other += huge[i] != 0x5a;
    verdict("superpage: just unmapped, changes nothing", !other,
            "bytes have changed");

    /* A 4K page where the superpage was, then nothing around it. */
    load();
    map(IOVA_SUPER + 0x5000, page(13), PAGE, RW);
    dma(1, IOVA_SUPER + 0x5000, 0, PAGE);
    memcpy(wanted(13), loaded, PAGE);
    dma(1, IOVA_SUPER + 0x6000, 0, PAGE);
    check("superpage: a page in its place, and nothing beside it");
    unmap(IOVA_SUPER + 0x5000, PAGE);
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    if ( fd < 0 )
        die(path);
    close(fd);
}

static void wait_file(const char *path)
{
    while ( access(path, F_OK) )
        usleep(20000);
}

/* Each page with a gap after it, so that neither side can merge two. */
static int hold(unsigned int count)
{
    uint8_t *pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if ( pages == MAP_FAILED )
        die("memory");
    /* The page tables' pages are there from now on. */
    map(IOVA, pages, PAGE, RW);
    unmap(IOVA, PAGE);
    make_file("/tmp/ready");
    wait_file("/tmp/map");
    for ( unsigned int i = 0; i < count; i++ )
        map(IOVA + i * 2 * PAGE, pages + i * PAGE, PAGE, RW);
    make_file("/tmp/mapped");
    wait_file("/tmp/unmap");
    for ( unsigned int i = 0; i < count; i++ )
        unmap(IOVA + i * 2 * PAGE, PAGE);
    make_file("/tmp/unmapped");
    wait_file("/tmp/end");
    printf("held %u pages\n", count);
    return 0;
}

/* ---- Interrupts ---- */

static void set_irq(unsigned int index, uint32_t flags, int fd)
{
    struct {
        struct vfio_irq_set set;
        int fd;
    } irq = {
        .set = {
            .argsz = sizeof(irq), .index = index, .count = fd >= 0,
            .flags = flags | (fd >= 0 ? VFIO_IRQ_SET_DATA_EVENTFD
                                      : VFIO_IRQ_SET_DATA_NONE),
        },
        .fd = fd,
    };

    if ( flags == VFIO_IRQ_SET_ACTION_UNMASK )
        irq.set.count = 1;
    if ( ioctl(device, VFIO_DEVICE_SET_IRQS, &irq) )
        die("VFIO_DEVICE_SET_IRQS");
}

/* How often fd was signalled, if it is soon; 0: not at all. */
static uint64_t signalled(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    uint64_t n = 0;

    if ( poll(&p, 1, ms) == 1 && read(fd, &n, 8) != 8 )
        die("eventfd");

    return n;
}

static void interrupts(const char *name, unsigned int index,
                       unsigned int count)
{
    int fd = eventfd(0, 0);
    unsigned int i, arrived = 0;
    uint64_t n;
    char why[80];

    if ( fd < 0 )
        die("eventfd");
    set_irq(index, VFIO_IRQ_SET_ACTION_TRIGGER, fd);
    for ( i = 0; i < count; i++ )
    {
        edu_raise(bar, 1u << (i % 31));
        n = signalled(fd, 20000);
        edu_acknowledge(bar, 1u << (i % 31));
        if ( index == VFIO_PCI_INTX_IRQ_INDEX && n )
            set_irq(index, VFIO_IRQ_SET_ACTION_UNMASK, -1);
        if ( n != 1 )
            break;
        arrived++;
    }
    snprintf(why, sizeof(why), "%u of %u came, then %s", arrived, count,
             arrived == count ? "one more" : "not exactly one");
    verdict(name, arrived == count && !signalled(fd, 200), why);
    set_irq(index, VFIO_IRQ_SET_ACTION_TRIGGER, -1);
    close(fd);
}

/* The device writes to where interrupts are, as if it were another one's. */
static int forge(unsigned int count)
{
    int fd = eventfd(0, 0);
    uint64_t n;

    interrupts("interrupts: arrive by MSI", VFIO_PCI_MSI_IRQ_INDEX, count);
    interrupts("interrupts: arrive by INTx", VFIO_PCI_INTX_IRQ_INDEX, count);

    set_irq(VFIO_PCI_MSI_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, fd);
    map(IOVA_SOURCE, page(0), PAGE, RO);
    memset(page(0), 0, PAGE);
    memset(wanted(0), 0, PAGE);
    dma(0, IOVA_SOURCE, 0, 64);
    /* Remappable format, handles 0x1234 and one that Linux may use itself. */
    dma(1, 0xfee00010ul | 0x1234ul << 5, 0, 4);
    dma(1, 0xfee00010ul | 1ul << 5, 0, 4);
    n = signalled(fd, 200);
    verdict("forged: no interrupt of this device", !n, "there was one");
    check("forged: nothing is written");

    make_file("/tmp/armed");
    wait_file("/tmp/redirected");
    edu_raise(bar, 1);
    n = signalled(fd, 2000);
    edu_acknowledge(bar, 1);
    verdict("redirected: no interrupt of this device", !n, "there was one");
    set_irq(VFIO_PCI_MSI_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, -1);

    interrupts("interrupts: arrive as before", VFIO_PCI_MSI_IRQ_INDEX, count);
    printf("edu-vfio: %d failed\n", failed);
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    int pagemap = open("/proc/self/pagemap", O_RDONLY);

    if ( (argc != 2 && argc != 4) || pagemap < 0 )
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_device(argv[1]);
    if ( argc == 4 && !strcmp(argv[2], "hold") )
        return hold(atoi(argv[3]));
    if ( argc == 4 && strcmp(argv[2], "interrupts") )
        return 2;

    arena = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
                 -1, 0);
    want = malloc(PAGES * PAGE);
    if ( arena == MAP_FAILED || !want )
        die("memory");
    for ( unsigned int i = 0; i < PAGES; i++ )
        fill(page(i));
    memcpy(want, arena, PAGES * PAGE);
    if ( argc == 4 )
        return forge(atoi(argv[3]));
    map(IOVA_SOURCE, page(0), PAGE, RO);

    checks_mapped();
    checks_unmapped(pagemap);
    checks_rights();
    checks_superpage();
    printf("edu-vfio: %d failed\n", failed);
    return failed ? 1 : 0;
}
