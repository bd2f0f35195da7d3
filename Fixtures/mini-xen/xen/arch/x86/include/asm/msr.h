#ifndef MINI_ASM_MSR_H
#define MINI_ASM_MSR_H

#include <asm/extable.h>

static inline int wrmsr_safe(unsigned int msr, uint64_t value)
{
    int rc = 0;

    asm volatile ( "1:\twrmsr\n"
                   "2:\n"
                   "\t.pushsection .fixup, \"ax\", @progbits\n"
                   "3:\tmovl %[err], %[rc]\n"
                   "\tjmp 2b\n"
                   "\t.popsection\n"
                   EX_TABLE(1b, 3b)
                   : [rc] "+r" (rc)
                   : "c" (msr), "a" ((uint32_t)value), "d" ((uint32_t)(value >> 32)), [err] "i" (-EFAULT) );
    return rc;
}

static inline uint64_t rdmsr(unsigned int msr)
{
    uint32_t low, high;

    asm volatile ( "rdmsr" : "=a" (low), "=d" (high) : "c" (msr) );
    return ((uint64_t)high << 32) | low;
}

#endif
