#ifndef MINI_ASM_CURRENT_H
#define MINI_ASM_CURRENT_H

/* At the top of each processor's stack. asm-offsets.c tells the assembly where the fields are. */
struct cpu_info {
    unsigned long scratch[4];
    unsigned int processor_id;
    unsigned int flags;
    unsigned long guest_sp;
};

static inline struct cpu_info *get_cpu_info(void)
{
    unsigned long sp;

    asm ( "mov %0, sp" : "=r" (sp) );
    return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1) - 1;
}

#define smp_processor_id() (get_cpu_info()->processor_id)

#endif
