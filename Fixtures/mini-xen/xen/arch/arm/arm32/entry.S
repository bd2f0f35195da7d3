/* The way in from a guest, and the way into the trap handler. */
#include <asm/asm-offsets.h>

        .section .text.entry, "ax", %progbits
        .globl  enter_from_guest
        .type   enter_from_guest, %function
enter_from_guest:
        push    {r4, lr}
        movw    r12, #(STACK_SIZE - 1)
        orr     r12, r12, sp
        str     sp, [r12, #(CPUINFO_guest_sp - CPUINFO_sizeof + 1)]
        bl      do_xen_version
        cpsie   i
        pop     {r4, pc}
        .size   enter_from_guest, . - enter_from_guest

        .globl  trap_entry
        .type   trap_entry, %function
trap_entry:
        mov     r0, sp
        bl      do_trap
        eret
        .size   trap_entry, . - trap_entry
