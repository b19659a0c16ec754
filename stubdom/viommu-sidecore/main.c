/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: all that a sidecore does: it gives its CPU to Xen, by calling
 * HVMOP_viommu_poll again and again. Xen looks after the guests there, and has
 * the vCPU sleep while they are idle.
 *
 * The domain needs one vCPU, no device, and no memory but that for this image.
 * It maps nothing of others and has no right but to make the call.
 */
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/hvm/hvm_op.h>

void main(void) __attribute__((noreturn));

extern char hypercall_page[];

/*
 * Into Xen's log, if guest_loglvl lets it through. Unlike console_io, the port
 * is open to any domain, and in a release build too.
 */
static void say(const char *text)
{
    for ( ; *text; text++ )
        asm volatile ( "outb %0, %1"
                       :: "a" (*text), "Nd" (XEN_HVM_DEBUGCONS_IOPORT) );
}

static void say_number(unsigned int n)
{
    char digit[] = { '0' + n % 10, '\0' };

    if ( n >= 10 )
        say_number(n / 10);
    say(digit);
}

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
    asm volatile ( "cpuid" : "=a" (regs[0]), "=b" (regs[1]), "=c" (regs[2]),
                             "=d" (regs[3])
                   : "0" (leaf), "2" (0) );
}

/* Has Xen fill the hypercall page. */
static int hypercall_init(void)
{
    uint32_t leaf, regs[4];

    /* Other hypervisors' leaves may come first. */
    for ( leaf = XEN_CPUID_FIRST_LEAF; leaf < XEN_CPUID_FIRST_LEAF + 0x10000;
          leaf += 0x100 )
    {
        cpuid(leaf, regs);
        if ( regs[0] < leaf + 2 || regs[1] != XEN_CPUID_SIGNATURE_EBX ||
             regs[2] != XEN_CPUID_SIGNATURE_ECX ||
             regs[3] != XEN_CPUID_SIGNATURE_EDX )
            continue;

        cpuid(leaf + 2, regs);
        asm volatile ( "wrmsr" :: "c" (regs[1]), "a" (hypercall_page), "d" (0)
                       : "memory" );

        return 0;
    }

    return -XEN_ENODEV;
}

static int hypercall(unsigned int nr, unsigned long op, const void *arg)
{
    int ret;

    asm volatile ( "call *%3" : "=a" (ret), "+b" (op), "+c" (arg)
                   : "r" (hypercall_page + nr * 32) : "memory" );

    return ret;
}

void main(void)
{
    static const struct sched_shutdown off = { SHUTDOWN_poweroff };
    int rc = hypercall_init();

    if ( rc )
        say("viommu-sidecore: this is not Xen\n");
    else
    {
        say("viommu-sidecore: polls\n");
        do
            rc = hypercall(__HYPERVISOR_hvm_op, HVMOP_viommu_poll, NULL);
        while ( !rc );

        say("viommu-sidecore: ends: error ");
        say_number(-rc);
        say(rc == -XEN_EPERM ? ", this domain is no sidecore; "
                               "xl viommu-sidecore-start makes one\n" :
            rc == -XEN_ENOSYS ? ", this Xen has no viommu\n" : "\n");
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &off);
    }

    for ( ; ; )
        asm volatile ( "hlt" );
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
