/* The way in from a guest, and the way into the trap handler. */
#include <asm/asm-offsets.h>

        .section .text.entry, "ax", @progbits
        .globl  enter_from_guest
        .type   enter_from_guest, @function
enter_from_guest:
        endbr64
        mov     %rsp, %rax
        or      $(STACK_SIZE - 1), %rax
        mov     %rsp, (CPUINFO_guest_sp - CPUINFO_sizeof + 1)(%rax)
        call    do_xen_version
1:      sti
        jmp     __x86_return_thunk
        .size   enter_from_guest, . - enter_from_guest

        .globl  trap_entry
        .type   trap_entry, @function
trap_entry:
        endbr64
        mov     %rsp, %rdi
        call    do_trap
        iretq
        .size   trap_entry, . - trap_entry

        .pushsection .fixup, "ax", @progbits
2:      jmp     trap_entry
        .popsection
        .pushsection .ex_table.pre, "a", @progbits
        .balign 4
        .long   1b - ., 2b - .
        .popsection
