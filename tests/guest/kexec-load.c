// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a kernel that takes over when this one panics:
 *
 *   kexec-load KERNEL INITRD "CMDLINE"
 *
 * This one needs crashkernel=SIZE on its command line.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int kernel, initrd;

    if ( argc != 4 )
        return 2;
    kernel = open(argv[1], O_RDONLY);
    initrd = open(argv[2], O_RDONLY);
    if ( kernel < 0 || initrd < 0 )
    {
        perror("kexec-load: open");
        return 2;
    }
    if ( syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1,
                 argv[3], (unsigned long)KEXEC_FILE_ON_CRASH) )
    {
        perror("kexec-load: kexec_file_load");
        return 1;
    }
    printf("kexec-load: the second kernel is loaded\n");
    return 0;
}
