/* Where indirect jumps and returns go when the compiler may not make them itself. */

        .macro  thunk reg
        .section .text.__x86_indirect_thunk_\reg, "ax", @progbits
        .globl  __x86_indirect_thunk_\reg
        .type   __x86_indirect_thunk_\reg, @function
__x86_indirect_thunk_\reg:
        lfence
        jmp     *%\reg
        .size   __x86_indirect_thunk_\reg, . - __x86_indirect_thunk_\reg
        .endm

        .irp    reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        thunk   \reg
        .endr

        .section .text.__x86_return_thunk, "ax", @progbits
        .globl  __x86_return_thunk
        .type   __x86_return_thunk, @function
__x86_return_thunk:
        ret
        int3
        .size   __x86_return_thunk, . - __x86_return_thunk
