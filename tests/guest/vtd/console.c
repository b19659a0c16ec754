/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * console.c: lines of text to the first serial port.
 */
#include "guest.h"

#define PORT            0x3f8
#define PORT_FCR        (PORT + 2)
#define PORT_LCR        (PORT + 3)
#define PORT_LSR        (PORT + 5)
#define LSR_DR          0x01
#define LSR_THRE        0x20

struct line {
    char text[200];
    unsigned int len;
};

void console_init(void)
{
    outb(PORT + 1, 0);      /* no interrupts */
    outb(PORT_LCR, 0x80);   /* 115200 baud, 8n1 */
    outb(PORT, 1);
    outb(PORT + 1, 0);
    outb(PORT_LCR, 3);
    outb(PORT_FCR, 1);
}

bool console_pending(void)
{
    return inb(PORT_LSR) & LSR_DR;
}

char console_key(void)
{
    while ( !console_pending() )
        asm volatile ( "pause" );

    return inb(PORT);
}

static void put(struct line *l, char c)
{
    if ( l->len < sizeof(l->text) )
        l->text[l->len++] = c;
}

static void put_number(struct line *l, uint64_t n, unsigned int base)
{
    char digits[20];
    unsigned int i = 0;

    do {
        digits[i++] = "0123456789abcdef"[n % base];
        n /= base;
    } while ( n );

    while ( i )
        put(l, digits[--i]);
}

/* %s %u %x %lu %lx, and that is all. */
static void format(struct line *l, const char *fmt, __builtin_va_list args)
{
    for ( ; *fmt; fmt++ )
    {
        const char *s;
        bool is_long;

        if ( *fmt != '%' )
        {
            put(l, *fmt);
            continue;
        }

        is_long = *++fmt == 'l';
        if ( is_long )
            fmt++;
        switch ( *fmt )
        {
        case 's':
            for ( s = __builtin_va_arg(args, const char *); *s; s++ )
                put(l, *s);
            break;

        case 'u':
        case 'x':
            put_number(l, is_long ? __builtin_va_arg(args, unsigned long)
                                  : __builtin_va_arg(args, unsigned int),
                       *fmt == 'u' ? 10 : 16);
            break;

        default:
            put(l, *fmt);
            break;
        }
    }
}

/* All in one instruction: one exit a line instead of one a character. */
static void send(const struct line *l)
{
    const char *text = l->text;
    uint64_t len = l->len;

    while ( !(inb(PORT_LSR) & LSR_THRE) )
        asm volatile ( "pause" );
    asm volatile ( "rep outsb" : "+S" (text), "+c" (len) : "d" (PORT)
                   : "memory" );
}

void vsay(const char *fmt, __builtin_va_list args)
{
    struct line l = { .len = 0 };

    format(&l, fmt, args);
    send(&l);
}

void say(const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    vsay(fmt, args);
    __builtin_va_end(args);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
