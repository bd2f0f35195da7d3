/* The first instruction. */
        .section .text.header, "ax", @progbits
        .globl  start
        .type   start, @function
start:
        cli
        lea     boot_stack + STACK_SIZE(%rip), %rsp
        lea     no_words(%rip), %rdi
        call    __start_xen
        hlt
        .size   start, . - start

        .section .init.rodata, "a", @progbits
no_words:
        .asciz  ""

        .section .bss.stack, "aw", @nobits
        .balign STACK_SIZE
boot_stack:
        .space  STACK_SIZE
