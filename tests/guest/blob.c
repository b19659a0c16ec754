// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes and checks a stream of bytes that can be told from any other.
 *
 *   blob write PATH MIB SEED BLOCK_KIB    to a disk, O_DIRECT
 *   blob read PATH MIB SEED BLOCK_KIB     from a disk, O_DIRECT, compared
 *   blob random PATH MIB SEED COUNT       COUNT 4 KiB reads at random places
 *   blob timed PATH MIB SEED SECONDS      as many as that time allows
 *   blob send ADDRESS PORT MIB SEED       by TCP
 *   blob recv PORT MIB SEED               by TCP, compared
 *
 * Each 8 byte word is a function of seed and position, so that lost, doubled
 * and misplaced data all show. The last line says what was seen; the checksum
 * of what was written equals that of what was read. Exit 0: all was right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024ul * 1024)

static uint64_t seed;
static uint64_t checksum = 0x9e3779b97f4a7c15;
static uint64_t bytes, bad, first_bad;

static void die(const char *what)
{
    fprintf(stderr, "blob: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t word(uint64_t index)
{
    uint64_t z = (index + seed) * 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void sum(uint64_t w)
{
    checksum = (checksum ^ w) * 0x100000001b3;
    checksum ^= checksum >> 29;
}

static void make(void *buf, uint64_t offset, size_t len)
{
    uint64_t *p = buf;

    for ( size_t i = 0; i < len / 8; i++ )
        sum(p[i] = word(offset / 8 + i));
    bytes += len;
}

static void check(const void *buf, uint64_t offset, size_t len)
{
    const uint64_t *p = buf;

    for ( size_t i = 0; i < len / 8; i++ )
    {
        sum(p[i]);
        if ( p[i] != word(offset / 8 + i) && !bad++ )
            first_bad = offset + i * 8;
    }
    bytes += len;
}

static int report(const char *what)
{
    printf("blob: %s bytes=%lu sum=%016lx wrong_words=%lu", what, bytes,
           checksum, bad);
    if ( bad )
        printf(" first_wrong_at=0x%lx", first_bad);
    printf("\n");
    return bad ? 1 : 0;
}

static void *buffer(size_t size)
{
    void *buf;

    if ( posix_memalign(&buf, 4096, size) )
        die("memory");
    memset(buf, 0, size);
    return buf;
}

static int disk(int write_it, const char *path, uint64_t size, size_t block)
{
    int fd = open(path, (write_it ? O_WRONLY : O_RDONLY) | O_DIRECT);
    void *buf = buffer(block);

    if ( fd < 0 )
        die(path);
    for ( uint64_t at = 0; at < size; at += block )
    {
        if ( write_it )
        {
            make(buf, at, block);
            if ( pwrite(fd, buf, block, at) != (ssize_t)block )
                die("write");
        }
        else
        {
            memset(buf, 0xa5, block);
            if ( pread(fd, buf, block, at) != (ssize_t)block )
                die("read");
            check(buf, at, block);
        }
    }
    if ( write_it && fsync(fd) )
        die("fsync");
    return report(write_it ? "written" : "read");
}

/* Until there were enough of them, or that time is over. */
static int random_reads(const char *path, uint64_t size, unsigned long count,
                        unsigned int seconds)
{
    time_t end = time(NULL) + seconds;
    int fd = open(path, O_RDONLY | O_DIRECT);
    uint64_t state = 1;
    void *buf = buffer(4096);

    if ( fd < 0 )
        die(path);
    while ( seconds ? time(NULL) < end : count-- )
    {
        uint64_t at;

        state = state * 6364136223846793005 + 1442695040888963407;
        at = (state >> 33) % (size / 4096) * 4096;
        if ( pread(fd, buf, 4096, at) != 4096 )
            die("read");
        check(buf, at, 4096);
    }
    return report(seconds ? "timed" : "random");
}

static int send_it(const char *address, int port, uint64_t size)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    static uint64_t buf[8192];
    int fd = -1;

    if ( inet_pton(AF_INET, address, &to.sin_addr) != 1 )
        die(address);
    for ( int tries = 0; ; tries++ )
    {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if ( !connect(fd, (struct sockaddr *)&to, sizeof(to)) )
            break;
        if ( tries == 50 )
            die("connect");
        close(fd);
        usleep(200000);
    }
    for ( uint64_t at = 0; at < size; at += sizeof(buf) )
    {
        make(buf, at, sizeof(buf));
        for ( size_t done = 0; done < sizeof(buf); )
        {
            ssize_t n = send(fd, (char *)buf + done, sizeof(buf) - done, 0);

            if ( n <= 0 )
                die("send");
            done += n;
        }
    }
    shutdown(fd, SHUT_WR);
    /* The other side closes when it has all. */
    while ( recv(fd, buf, sizeof(buf), 0) > 0 )
        ;
    return report("sent");
}

static int receive(int port, uint64_t size)
{
    struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(port) };
    static uint64_t buf[8192];
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0), fd;

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ( bind(s, (struct sockaddr *)&me, sizeof(me)) || listen(s, 1) )
        die("listen");
    fd = accept(s, NULL, NULL);
    if ( fd < 0 )
        die("accept");
    for ( uint64_t at = 0; at < size; at += sizeof(buf) )
    {
        for ( size_t done = 0; done < sizeof(buf); )
        {
            ssize_t n = recv(fd, (char *)buf + done, sizeof(buf) - done, 0);

            if ( n <= 0 )
                die("the stream ended early");
            done += n;
        }
        check(buf, at, sizeof(buf));
    }
    if ( recv(fd, buf, 1, 0) != 0 )
        die("the stream does not end");
    return report("received");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

#define NUM(n) strtoul(argv[n], NULL, 0)
    if ( argc == 6 && (!strcmp(what, "write") || !strcmp(what, "read")) )
    {
        seed = NUM(4);
        return disk(what[0] == 'w', argv[2], NUM(3) * MIB, NUM(5) * 1024);
    }
    if ( argc == 6 && !strcmp(what, "random") )
    {
        seed = NUM(4);
        return random_reads(argv[2], NUM(3) * MIB, NUM(5), 0);
    }
    if ( argc == 6 && !strcmp(what, "timed") )
    {
        seed = NUM(4);
        return random_reads(argv[2], NUM(3) * MIB, 0, NUM(5));
    }
    if ( argc == 6 && !strcmp(what, "send") )
    {
        seed = NUM(5);
        return send_it(argv[2], NUM(3), NUM(4) * MIB);
    }
    if ( argc == 5 && !strcmp(what, "recv") )
    {
        seed = NUM(4);
        return receive(NUM(2), NUM(3) * MIB);
    }
    fprintf(stderr, "blob: wrong arguments, see the head of blob.c\n");
    return 2;
}
