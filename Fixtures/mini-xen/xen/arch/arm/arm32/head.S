/* The first instruction. */
        .section .text.header, "ax", %progbits
        .globl  start
        .type   start, %function
start:
        ldr     sp, =boot_stack_end
        ldr     r0, =no_words
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
