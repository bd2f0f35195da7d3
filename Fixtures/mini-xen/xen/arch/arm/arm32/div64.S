/* Division of 64-bit numbers, which compilers call: r1:r0 by r3:r2, the quotient in r1:r0, the remainder in r3:r2. */
        .section .text.__aeabi_uldivmod, "ax", %progbits
        .globl  __aeabi_uldivmod
        .type   __aeabi_uldivmod, %function
__aeabi_uldivmod:
        push    {r4, r5, r6, r7, r8, lr}
        mov     r4, #0
        mov     r5, #0
        mov     r6, #64
1:      adds    r0, r0, r0
        adcs    r1, r1, r1
        adcs    r4, r4, r4
        adc     r5, r5, r5
        subs    r7, r4, r2
        sbcs    r8, r5, r3
        movcs   r4, r7
        movcs   r5, r8
        orrcs   r0, r0, #1
        subs    r6, r6, #1
        bne     1b
        mov     r2, r4
        mov     r3, r5
        pop     {r4, r5, r6, r7, r8, pc}
        .size   __aeabi_uldivmod, . - __aeabi_uldivmod
