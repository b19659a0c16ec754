/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * head.S: where the domain builder enters a PVH kernel: 32-bit protected mode,
 * flat segments, no paging, interrupts off (docs/misc/pvh.pandoc). All of that
 * stays so; an exception ends the domain.
 */
#include <xen/elfnote.h>

        .text
        .globl  start
start:
        mov     $stack_end, %esp
        call    main

        .section .note.Xen, "a", @note
        .balign 4
        .long   2f - 1f, 4f - 3f, XEN_ELFNOTE_PHYS32_ENTRY
1:      .asciz  "Xen"
2:      .balign 4
3:      .long   start
4:

        .bss
        .balign 4096
        .globl  hypercall_page
hypercall_page:
        .skip   4096
        .skip   1024
stack_end:

        .section .note.GNU-stack, "", @progbits
