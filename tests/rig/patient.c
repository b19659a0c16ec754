/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxl gives a device model ten seconds for an answer, and a device ten to go
 * away: constants, which a slow rig exceeds. Preloaded into xl, this makes its
 * clock slow, so that a second of libxl is RIG_SLOW seconds. It sleeps in
 * poll() for what is left, looks at its clock, and sleeps again.
 */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long long start, slow = 1;

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);

    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

__attribute__((constructor)) static void set_up(void)
{
    const char *factor = getenv("RIG_SLOW");

    if ( factor && atoi(factor) > 1 )
        slow = atoi(factor);
    start = now_us();
    /* The device model has the true time. */
    unsetenv("LD_PRELOAD");
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    long long us = start + (now_us() - start) / slow;

    (void)tz;
    tv->tv_sec = us / 1000000;
    tv->tv_usec = us % 1000000;

    return 0;
}
