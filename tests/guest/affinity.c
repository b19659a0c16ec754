// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that move under load, for ts-affinity; two vCPUs.
 *
 *   affinity move COUNT PATTERN   moves the interrupts that have PATTERN in
 *                                 their names in /proc/interrupts from one vCPU
 *                                 to the other, each in turn, and waits until
 *                                 it has come there; COUNT moves in all, of
 *                                 which /tmp/moved says how many are done
 *   affinity read DISK            reads what blob wrote with seed 3, on one and
 *                                 on the other, until there is /tmp/read.end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS 2

static struct irq {
    unsigned int nr;
    int affinity;            /* its file */
    unsigned long came[CPUS];
} irqs[8];
static unsigned int nr_irqs;

static void die(const char *what)
{
    fprintf(stderr, "affinity: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* How often each has come so far; the first time, which there are. */
static void look(const char *pattern)
{
    static char text[65536];
    char *line, *rest = text;
    int fd = open("/proc/interrupts", O_RDONLY);
    ssize_t n, size = 0;

    if ( fd < 0 )
        die("/proc/interrupts");
    while ( (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0 )
        size += n;
    close(fd);
    text[size] = '\0';

    while ( (line = strsep(&rest, "\n")) )
    {
        unsigned long came[CPUS];
        unsigned int nr, i;

        if ( sscanf(line, "%u: %lu %lu", &nr, &came[0], &came[1]) != 3 )
            continue;
        for ( i = 0; i < nr_irqs && irqs[i].nr != nr; i++ )
            ;
        if ( i == nr_irqs )
        {
            if ( !pattern || !strstr(line, pattern) ||
                 i == sizeof(irqs) / sizeof(*irqs) )
                continue;
            irqs[nr_irqs++].nr = nr;
        }
        memcpy(irqs[i].came, came, sizeof(came));
    }
}

/* Returns how often Linux refused, until it is where it was sent last. */
static unsigned long move(struct irq *irq, unsigned int cpu)
{
    const char *mask = cpu ? "2\n" : "1\n";
    unsigned long refused = 0;
    char now[64];
    ssize_t n;

    while ( write(irq->affinity, mask, 2) != 2 )
    {
        if ( errno != EBUSY )
            die("smp_affinity");
        refused++;
        usleep(1000);
    }
    n = pread(irq->affinity, now, sizeof(now) - 1, 0);
    if ( n <= 0 )
        die("smp_affinity");
    now[n] = '\0';
    if ( strtoul(now, NULL, 16) != 1UL << cpu )
    {
        fprintf(stderr, "affinity: %u is at %s", irq->nr, now);
        exit(1);
    }

    return refused;
}

static void move_all(unsigned long count, const char *pattern)
{
    unsigned long done = 0, refused = 0;
    unsigned int cpu = 0, i;
    FILE *moved;

    look(pattern);
    if ( !nr_irqs )
        die(pattern);
    for ( i = 0; i < nr_irqs; i++ )
    {
        char path[64];

        snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity", irqs[i].nr);
        irqs[i].affinity = open(path, O_RDWR);
        if ( irqs[i].affinity < 0 )
            die(path);
    }
    for ( ; done < count; cpu = !cpu )
    {
        for ( i = 0; i < nr_irqs; i++, done++ )
        {
            unsigned long before;

            refused += move(&irqs[i], cpu);
            look(NULL);
            for ( before = irqs[i].came[cpu]; irqs[i].came[cpu] == before;
                  look(NULL) )
                usleep(2000);
        }
        moved = fopen("/tmp/moved", "w");
        if ( !moved )
            die("/tmp/moved");
        fprintf(moved, "%lu\n", done);
        fclose(moved);
    }
    printf("moved %lu times, refused %lu times\n", done, refused);
}

static int read_all(char *disk)
{
    char *const args[] = { "blob", "read", disk, "4", "3", "64", NULL };
    unsigned long n = 0;
    int status;

    for ( ; access("/tmp/read.end", F_OK); n++ )
    {
        pid_t child = fork();

        if ( child < 0 )
            die("fork");
        if ( !child )
        {
            cpu_set_t set;
            int fd = open("/tmp/read.last", O_WRONLY | O_CREAT | O_TRUNC, 0600);

            CPU_ZERO(&set);
            CPU_SET(n % CPUS, &set);
            if ( fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
                 sched_setaffinity(0, sizeof(set), &set) )
                _exit(2);
            execvp(*args, args);
            _exit(2);
        }
        if ( waitpid(child, &status, 0) != child )
            die("blob");
        if ( status )
        {
            printf("blob ended with %#x, see /tmp/read.last\n", status);
            return 1;
        }
    }
    printf("read %lu times\n", n);

    return 0;
}

int main(int argc, char **argv)
{
    if ( argc == 4 && !strcmp(argv[1], "move") )
    {
        move_all(strtoul(argv[2], NULL, 0), argv[3]);
        return 0;
    }
    if ( argc == 3 && !strcmp(argv[1], "read") )
        return read_all(argv[2]);
    fprintf(stderr, "affinity: wrong arguments, see the head of affinity.c\n");

    return 2;
}
