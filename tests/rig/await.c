/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits for a line of a file that grows. A shell would start several programs
 * for it, and again for each look; that is what takes longest on the rig, and
 * tail -f would be woken by each byte of the guest's console.
 *
 *   await SECONDS FILE FROM PATTERN [BEFORE]
 *
 * PATTERN is an extended regular expression, FROM an offset. Prints the line,
 * without a carriage return, and writes those before it to the file BEFORE.
 * Exit status: 0; 1: there was none; 2: it cannot be done.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return t.tv_sec + t.tv_nsec / 1e9;
}

/* The next line that is whole; false: there is none yet. */
static int next(FILE *from, char **line, size_t *room)
{
    off_t start = ftello(from);
    ssize_t len = getline(line, room, from);

    if ( len <= 0 || (*line)[len - 1] != '\n' )
    {
        clearerr(from);
        fseeko(from, start, SEEK_SET);
        return 0;
    }
    (*line)[strcspn(*line, "\r\n")] = 0;

    return 1;
}

int main(int argc, char **argv)
{
    FILE *from, *before = NULL;
    char *line = NULL;
    size_t room = 0;
    regex_t pattern;
    double end;

    if ( argc < 5 || regcomp(&pattern, argv[4], REG_EXTENDED | REG_NOSUB) )
    {
        fputs("await SECONDS FILE FROM PATTERN [BEFORE]\n", stderr);
        return 2;
    }
    from = fopen(argv[2], "r");
    if ( argc > 5 )
        before = fopen(argv[5], "w");
    if ( !from || (argc > 5 && !before) ||
         fseeko(from, atoll(argv[3]), SEEK_SET) )
    {
        perror(argv[2]);
        return 2;
    }

    for ( end = now() + atof(argv[1]); ; usleep(50000) )
    {
        int last = now() >= end;

        while ( next(from, &line, &room) )
        {
            if ( !regexec(&pattern, line, 0, NULL, 0) )
                return puts(line) < 0 || (before && fclose(before)) ? 2 : 0;
            if ( before )
                fprintf(before, "%s\n", line);
        }
        if ( last )
            return 1;
    }
}
