// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets an edu device that no driver has DMA to guest-physical addresses.
 *
 *   edu-phys BDF arrives     the device is to reach memory (no IOMMU, or an
 *                            identity mapping)
 *   edu-phys BDF blocked     it is not to change any byte: nobody mapped
 *                            anything for it
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "edu.h"

#define PAGES 64

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static int sysfs(const char *bdf, const char *file)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, file);
    fd = open(path, O_RDWR);
    if ( fd < 0 )
        die(path);
    return fd;
}

int main(int argc, char **argv)
{
    uint8_t *arena, *want;
    volatile uint8_t *bar;
    uint16_t command;
    int fd, pagemap, arrives, changed;

    if ( argc != 3 )
        return 2;
    arrives = !strcmp(argv[2], "arrives");

    /* Refused where it is enabled already, which is as good. */
    fd = sysfs(argv[1], "enable");
    if ( write(fd, "1", 1) != 1 )
        perror("enable");
    close(fd);
    fd = sysfs(argv[1], "config");
    if ( pread(fd, &command, 2, 4) != 2 )
        die("config");
    command |= 6; /* memory, bus master */
    if ( pwrite(fd, &command, 2, 4) != 2 )
        die("config");
    bar = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED,
               sysfs(argv[1], "resource0"), 0);
    if ( bar == MAP_FAILED )
        die("resource0");
    if ( !edu_present(bar) )
    {
        printf("%s is no edu device\n", argv[1]);
        return 2;
    }

    arena = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
                 -1, 0);
    want = malloc(PAGES * 4096);
    pagemap = open("/proc/self/pagemap", O_RDONLY);
    if ( arena == MAP_FAILED || !want || pagemap < 0 )
        die("memory");
    for ( unsigned int i = 0; i < PAGES * 4096; i++ )
        arena[i] = want[i] = 0x80 | (i * 7 + i / 4096);

    /* Each round: page i to the device, and from there to page i + 1. */
    for ( unsigned int i = 0; i < 8; i += 2 )
    {
        uint64_t from = physical(pagemap, arena + i * 4096);
        uint64_t to = physical(pagemap, arena + (i + 1) * 4096);

        if ( !from || !to )
            die("pagemap");
        if ( edu_dma(bar, 0, from, 0, 4096) || edu_dma(bar, 1, to, 0, 4096) )
            return 1;
        if ( arrives )
            memcpy(want + (i + 1) * 4096, want + i * 4096, 4096);
    }
    changed = memcmp(arena, want, PAGES * 4096);
    printf("%s edu-phys: DMA to guest-physical addresses is to be %s\n",
           changed ? "FAIL" : "PASS",
           arrives ? "as if there were no IOMMU" : "blocked");
    return changed ? 1 : 0;
}
