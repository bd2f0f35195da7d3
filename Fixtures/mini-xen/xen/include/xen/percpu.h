/* One instance of a variable for each processor. The image has one; the boot makes the others. */
#ifndef MINI_PERCPU_H
#define MINI_PERCPU_H

#include <asm/current.h>

#define DEFINE_PER_CPU(type, name)  __section(".bss.percpu") type per_cpu__##name
#define DECLARE_PER_CPU(type, name) extern type per_cpu__##name

extern unsigned long __per_cpu_offset[NR_CPUS];

#define per_cpu(name, cpu) \
    (*(typeof(per_cpu__##name) *)((unsigned long)&per_cpu__##name + __per_cpu_offset[cpu]))
#define this_cpu(name) per_cpu(name, smp_processor_id())

#endif
