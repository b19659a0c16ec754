/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpus.c: a second CPU, if there is one.
 */
#include "guest.h"

#define TRAMPOLINE      0x8000ULL
#define ICR_INIT        0xc4500U        /* to all others, assert */
#define ICR_START       0xc4600U
#define ICR_FIXED       0x04000U

extern const uint8_t second[], second_end[];

unsigned int nr_cpus = 1;

static volatile bool up;
static void (*volatile job)(void);

void cpus_init(void)
{
    uint64_t i;

    for ( i = 0; second + i < second_end; i++ )
        *(volatile uint8_t *)(TRAMPOLINE + i) = second[i];
    apic_send(ICR_INIT, 0);
    pause_ms(10);
    apic_send(ICR_START | (TRAMPOLINE / PAGE), 0);
    if ( WITHIN(up, 2000) )
        nr_cpus = 2;
    say("%u CPUs\n", nr_cpus);
}

void second_main(void)
{
    irq_init_cpu(1);
    up = true;

    for ( ; ; )
    {
        asm volatile ( "cli" );
        if ( !job )
            asm volatile ( "sti; hlt" );
        else
        {
            asm volatile ( "sti" );
            job();
            job = NULL;
        }
    }
}

void second_begin(void (*function)(void))
{
    job = function;
    apic_send(ICR_FIXED | WAKE, apic_id(1));
}

bool second_wait(void)
{
    return WAIT_FOR(!job);
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
