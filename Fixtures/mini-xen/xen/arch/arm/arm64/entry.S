/* The way in from a guest, and the way into the trap handler. */
#include <asm/asm-offsets.h>

        .section .text.entry, "ax", %progbits
        .globl  enter_from_guest
        .type   enter_from_guest, %function
enter_from_guest:
        stp     x29, x30, [sp, #-16]!
        mov     x9, sp
        orr     x10, x9, #(STACK_SIZE - 1)
        str     x9, [x10, #(CPUINFO_guest_sp - CPUINFO_sizeof + 1)]
        bl      do_xen_version
        msr     daifclr, #2
        ldp     x29, x30, [sp], #16
        ret
        .size   enter_from_guest, . - enter_from_guest

        .globl  trap_entry
        .type   trap_entry, %function
trap_entry:
        mov     x0, sp
        bl      do_trap
        eret
        .size   trap_entry, . - trap_entry
