/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies its standard input to the serial port, sixteen bytes with one string
 * instruction. The kernel's driver writes them one by one, each of which is an
 * exit to the device model; so are the interrupts and registers in between.
 *
 *   serial
 */
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT 0x3f8
#define LINE_STATUS (PORT + 5)
#define LINE_STATUS_EMPTY 0x20 /* the FIFO takes sixteen bytes */
#define FIFO 16

int main(void)
{
    char buf[4096];
    ssize_t n;

    if ( ioperm(PORT, 8, 1) )
    {
        perror("serial: ioperm");
        return 1;
    }
    while ( (n = read(0, buf, sizeof(buf))) > 0 )
    {
        const char *p = buf;

        while ( n > 0 )
        {
            size_t part = n < FIFO ? n : FIFO;

            n -= part;
            /* The other end may not read at once. */
            while ( !(inb(LINE_STATUS) & LINE_STATUS_EMPTY) )
                usleep(1000);
            asm volatile ( "cld; rep outsb"
                           : "+S" (p), "+c" (part) : "d" (PORT) : "memory" );
        }
    }

    return 0;
}
