// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults without end:  storm BDF COUNT GAP_US
 *
 * Has an e1000e that no driver is bound to fetch COUNT transmit descriptors,
 * with GAP_US microseconds between them, from ADDRESS, which nobody mapped.
 * The network device is good for it since it fetches at once when it is told
 * to, and never stops for a fetch that failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS         0x07000000u
#define RING            256u            /* descriptors of 16 bytes */
#define BAR_SIZE        0x20000

#define CTRL            0x0000
#define CTRL_RST        (1u << 26)
#define IMC             0x00d8
#define TCTL            0x0400
#define TCTL_EN         2
#define TDBAL           0x3800
#define TDBAH           0x3804
#define TDLEN           0x3808
#define TDH             0x3810
#define TDT             0x3818

#define PCI_COMMAND     4
#define MEMORY_MASTER   6

static volatile uint8_t *bar;

static void die(const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    exit(2);
}

static volatile uint32_t *reg(unsigned int offset)
{
    return (volatile uint32_t *)(bar + offset);
}

static int open_file(const char *bdf, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
    fd = open(path, O_RDWR | O_SYNC);
    if ( fd < 0 )
        die(path);

    return fd;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

/* Short gaps are not slept: that takes as long as the kernel likes. */
static void gap(unsigned int us)
{
    uint64_t end = now_us() + us;

    if ( us >= 10000 )
        usleep(us);
    while ( now_us() < end )
        ;
}

int main(int argc, char **argv)
{
    unsigned int count, us, i;
    uint16_t command;
    uint64_t start;
    int config;

    if ( argc != 4 )
        return 2;
    count = atoi(argv[2]);
    us = atoi(argv[3]);

    config = open_file(argv[1], "config");
    if ( pread(config, &command, 2, PCI_COMMAND) != 2 )
        die("configuration space");
    command |= MEMORY_MASTER;
    if ( pwrite(config, &command, 2, PCI_COMMAND) != 2 )
        die("configuration space");
    bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
               open_file(argv[1], "resource0"), 0);
    if ( bar == MAP_FAILED )
        die("mmap of BAR 0");

    *reg(CTRL) |= CTRL_RST;
    usleep(20000);
    *reg(IMC) = ~0u;
    *reg(TDBAL) = ADDRESS;
    *reg(TDBAH) = 0;
    *reg(TDLEN) = RING * 16;
    *reg(TDH) = 0;
    *reg(TDT) = 0;
    *reg(TCTL) |= TCTL_EN;

    start = now_us();
    for ( i = 1; i <= count; i++ )
    {
        *reg(TDT) = i % RING;
        gap(us);
    }
    printf("storm: %u fetches from 0x%x in %u ms, TDH %u\n", count, ADDRESS,
           (unsigned int)((now_us() - start) / 1000), *reg(TDH));
    *reg(TCTL) = 0;

    return 0;
}
