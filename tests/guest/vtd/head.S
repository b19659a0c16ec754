/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * head.S: from where the domain builder enters (32-bit protected mode, flat
 * segments, no paging) to main() in long mode, with 4 GiB mapped one to one;
 * the same for the second CPU, from real mode; and the entries of interrupts
 * and exceptions.
 *
 * The multiboot header is for trying the checks on another unit, that of QEMU:
 * qemu-system-x86_64 -machine q35 -device intel-iommu,caching-mode=on -kernel,
 * and a "t" to its serial port.
 */
        .section .head, "ax", @progbits
        .code32
        .globl start
start:
        jmp     1f

        .balign 4
        .long   0x1badb002, 0, -0x1badb002

1:      cli
        cld
        mov     $stack_end, %esp

        /* Page tables: one level 4, one level 3, four of 2 MiB pages. */
        movl    $level3 + 0x3, level4
        mov     $4, %ecx
        mov     $level2 + 0x3, %eax
        mov     $level3, %edi
2:      mov     %eax, (%edi)
        add     $0x1000, %eax
        add     $8, %edi
        loop    2b

        mov     $2048, %ecx
        mov     $0x83, %eax             /* present, writable, 2 MiB */
        mov     $level2, %edi
3:      mov     %eax, (%edi)
        add     $0x200000, %eax
        add     $8, %edi
        loop    3b

        call    paging
        lgdt    gdt_pointer
        ljmp    $8, $4f

paging: mov     $0x20, %eax             /* PAE */
        mov     %eax, %cr4
        mov     $level4, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx       /* EFER: LME */
        rdmsr
        or      $0x100, %eax
        wrmsr
        mov     $0x80000011, %eax       /* PG, ET, PE */
        mov     %eax, %cr0
        ret

        .code64
4:      mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack_end, %rsp
        call    main
5:      hlt
        jmp     5b

/*
 * What a second CPU starts with. It is copied to the page below 1 MiB at which
 * that starts.
 */
        .globl  second, second_end
        .code16
second: cli
        lgdtl   %cs:gdt_copy - second
        mov     $0x11, %eax             /* ET, PE */
        mov     %eax, %cr0
        ljmpl   $24, $5f
gdt_copy:
        .word   gdt_end - gdt - 1
        .long   gdt
second_end:

        .code32
5:      mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $1, %eax                /* one is enough */
        xchg    %eax, second_came
        test    %eax, %eax
        jnz     7f
        mov     $second_stack_end, %esp
        call    paging
        ljmp    $8, $6f
7:      hlt
        jmp     7b

        .code64
6:      mov     $second_stack_end, %rsp
        call    second_main

/* Each entry is 16 bytes: those without an error code push a 0 for it. */
        .balign 16
        .globl  entries
entries:
        .set    vector, 0
        .rept   256
        .if     !((vector == 8) || ((vector >= 10) && (vector <= 14)) || \
                  (vector == 17) || (vector == 21))
        push    $0
        .endif
        push    $vector
        jmp     common
        .balign 16
        .set    vector, vector + 1
        .endr

common:
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        mov     72(%rsp), %edi          /* vector */
        mov     88(%rsp), %rsi          /* where */
        cld
        call    interrupt
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

        .section .data
        .balign 8
gdt:    .quad   0
        .quad   0x00af9a000000ffff      /* 64-bit code */
        .quad   0x00cf92000000ffff      /* data */
        .quad   0x00cf9a000000ffff      /* 32-bit code */
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
second_came:
        .long   0

        .section .bss
        .balign 4096
level4: .skip   4096
level3: .skip   4096
level2: .skip   4 * 4096
        .skip   16384
stack_end:
        .skip   16384
second_stack_end:

        .section .note.GNU-stack, "", @progbits
