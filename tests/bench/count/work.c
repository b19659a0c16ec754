// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed work for the guest, between two marks of the plugin:
 *
 *   work ID nvme DISK DEPTH COUNT    so many reads of 4 KiB at random places
 *   work ID send ADDRESS BYTES       by TCP
 *   work ID receive ADDRESS BYTES
 *   work ID rr ADDRESS COUNT         so many bytes there and back, one by one
 *   work ID run PROGRAM ARGUMENT...  whatever that does
 *   work serve                       the other end of it, until it is killed
 *
 * Marks are 2 * ID and 2 * ID + 1. "@@took MICROSECONDS" says how long that is
 * between them, by the guest's clock. Exit 0: all of it was done.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT      5299
#define MAX_DEPTH 64
#define BLOCK     4096
#define CHUNK     65536
#define DISK_SIZE (256ul << 20)

static void die(const char *what)
{
    fprintf(stderr, "work: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void mark(unsigned long id)
{
    asm volatile ( "xchg %%bx, %%bx" :: "a" (id) : "memory" );
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static uint64_t begun_us;

static void begin(unsigned long id)
{
    begun_us = now_us();
    mark(2 * id);
}

static void end(unsigned long id)
{
    mark(2 * id + 1);
    printf("@@took %lu\n", now_us() - begun_us);
}

static unsigned long random_place(void)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % (DISK_SIZE / BLOCK) * BLOCK;
}

static void nvme(unsigned long id, const char *disk, unsigned int depth,
                 unsigned long count)
{
    struct iocb cb[MAX_DEPTH] = {}, *which[MAX_DEPTH];
    struct io_event done[MAX_DEPTH];
    aio_context_t ctx = 0;
    int fd = open(disk, O_RDONLY | O_DIRECT);
    char *buf;

    if ( fd < 0 )
        die(disk);
    if ( !depth || depth > MAX_DEPTH || depth > count )
        die("depth");
    if ( posix_memalign((void **)&buf, BLOCK, depth * BLOCK) ||
         syscall(SYS_io_setup, depth, &ctx) )
        die("io_setup");
    /* The pages are there before it begins. */
    memset(buf, 1, depth * BLOCK);

    for ( unsigned int i = 0; i < depth; i++ )
    {
        cb[i].aio_fildes = fd;
        cb[i].aio_lio_opcode = IOCB_CMD_PREAD;
        cb[i].aio_buf = (uintptr_t)buf + i * BLOCK;
        cb[i].aio_nbytes = BLOCK;
        which[i] = &cb[i];
    }

    begin(id);
    for ( unsigned long begun = 0, ended = 0, n = depth; ended < count; )
    {
        for ( unsigned long i = 0; i < n; i++ )
            which[i]->aio_offset = random_place();
        if ( n && syscall(SYS_io_submit, ctx, n, which) != (long)n )
            die("io_submit");
        begun += n;

        n = syscall(SYS_io_getevents, ctx, 1, depth, done, NULL);
        if ( (long)n < 1 )
            die("io_getevents");
        for ( unsigned long i = 0; i < n; i++ )
        {
            if ( done[i].res != BLOCK )
                die("read");
            which[i] = (struct iocb *)(uintptr_t)done[i].obj;
        }
        ended += n;
        if ( n > count - begun )
            n = count - begun;
    }
    end(id);
}

static void take(int fd, unsigned long size)
{
    static char buf[CHUNK];

    while ( size )
    {
        ssize_t n = recv(fd, buf, size < CHUNK ? size : CHUNK, 0);

        if ( n <= 0 )
            die("receive");
        size -= n;
    }
}

static void give(int fd, unsigned long size)
{
    static char buf[CHUNK];

    while ( size )
    {
        ssize_t n = send(fd, buf, size < CHUNK ? size : CHUNK, 0);

        if ( n <= 0 )
            die("send");
        size -= n;
    }
}

/* A byte at once, and not with the next. */
static void no_delay(int fd)
{
    int one = 1;

    if ( setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) )
        die("TCP_NODELAY");
}

static int connected(const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if ( inet_pton(AF_INET, address, &to.sin_addr) != 1 )
        die(address);
    if ( connect(fd, (struct sockaddr *)&to, sizeof(to)) )
        die("connect");
    no_delay(fd);

    return fd;
}

/* What the guest asks for: a positive number of bytes to have, or to give. */
static void tcp(unsigned long id, const char *address, long bytes)
{
    int fd = connected(address);
    char closed;

    begin(id);
    if ( send(fd, &bytes, sizeof(bytes), 0) != sizeof(bytes) )
        die("send");
    if ( bytes > 0 )
        take(fd, bytes);
    else
    {
        give(fd, -bytes);
        /* The other side closes when it has all. */
        if ( recv(fd, &closed, 1, 0) )
            die("the other end");
    }
    end(id);
}

static void rr(unsigned long id, const char *address, unsigned long count)
{
    int fd = connected(address);
    long echo = 0;

    if ( send(fd, &echo, sizeof(echo), 0) != sizeof(echo) )
        die("send");
    begin(id);
    while ( count-- )
    {
        give(fd, 1);
        take(fd, 1);
    }
    end(id);
}

static void run(unsigned long id, char **argv)
{
    int status;
    pid_t child;

    begin(id);
    child = fork();
    if ( !child )
    {
        execvp(argv[0], argv);
        die(argv[0]);
    }
    if ( child < 0 || waitpid(child, &status, 0) != child )
        die("fork");
    if ( status )
        die(argv[0]);
    end(id);
}

static void serve(void)
{
    struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGCHLD, SIG_IGN);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ( bind(s, (struct sockaddr *)&me, sizeof(me)) || listen(s, 4) )
        die("listen");
    for ( ;; )
    {
        int fd = accept(s, NULL, NULL);
        long bytes;

        if ( fd < 0 )
            die("accept");
        if ( !fork() )
        {
            if ( recv(fd, &bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes) )
                die("no request");
            if ( bytes > 0 )
                give(fd, bytes);
            else if ( bytes < 0 )
                take(fd, -bytes);
            else
            {
                char c;

                no_delay(fd);
                while ( recv(fd, &c, 1, 0) == 1 )
                    give(fd, 1);
            }
            exit(0);
        }
        close(fd);
    }
}

int main(int argc, char **argv)
{
#define NUM(n) strtoul(argv[n], NULL, 0)
    if ( argc == 2 && !strcmp(argv[1], "serve") )
        serve();
    else if ( argc == 6 && !strcmp(argv[2], "nvme") )
        nvme(NUM(1), argv[3], NUM(4), NUM(5));
    else if ( argc == 5 && !strcmp(argv[2], "send") )
        tcp(NUM(1), argv[3], -NUM(4));
    else if ( argc == 5 && !strcmp(argv[2], "receive") )
        tcp(NUM(1), argv[3], NUM(4));
    else if ( argc == 5 && !strcmp(argv[2], "rr") )
        rr(NUM(1), argv[3], NUM(4));
    else if ( argc > 3 && !strcmp(argv[2], "run") )
        run(NUM(1), argv + 3);
    else
    {
        fprintf(stderr, "work: wrong arguments, see the head of work.c\n");
        return 2;
    }
    return 0;
}
