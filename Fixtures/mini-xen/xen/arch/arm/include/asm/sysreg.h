#ifndef MINI_ASM_SYSREG_H
#define MINI_ASM_SYSREG_H

/* The register that a guest keeps a thread's data in. */
#ifdef CONFIG_ARM_64
#define WRITE_THREAD_ID "msr tpidr_el0, %0"
#define READ_THREAD_ID  "mrs %0, tpidr_el0"
#else
#define WRITE_THREAD_ID "mcr p15, 0, %0, c13, c0, 2"
#define READ_THREAD_ID  "mrc p15, 0, %0, c13, c0, 2"
#endif

static inline void write_thread_id(unsigned long value)
{
    asm volatile ( WRITE_THREAD_ID : : "r" (value) );
}

static inline unsigned long read_thread_id(void)
{
    unsigned long value;

    asm volatile ( READ_THREAD_ID : "=r" (value) );
    return value;
}

#endif
