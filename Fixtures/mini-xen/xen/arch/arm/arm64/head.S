/* The first instruction. */
        .section .text.header, "ax", %progbits
        .globl  start
        .type   start, %function
start:
        ldr     x0, =boot_stack_end
        mov     sp, x0
        ldr     x0, =no_words
        bl      __start_xen
        b       .
        .ltorg
        .size   start, . - start

        .section .init.rodata, "a", %progbits
no_words:
        .asciz  ""

        .section .bss.stack, "aw", %nobits
        .balign STACK_SIZE
        .space  STACK_SIZE
boot_stack_end:
