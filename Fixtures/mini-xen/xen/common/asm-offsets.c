/* Read by nobody but the compiler: the numbers in its output become asm-offsets.h. */
#include <asm/current.h>

#define OFFSET(name, type, member) \
    asm volatile ( "\n# @offset " #name " %0" : : "i" (offsetof(type, member)) )
#define NUMBER(name, value) \
    asm volatile ( "\n# @offset " #name " %0" : : "i" (value) )

void offsets(void);

void offsets(void)
{
    OFFSET(CPUINFO_processor_id, struct cpu_info, processor_id);
    OFFSET(CPUINFO_flags, struct cpu_info, flags);
    OFFSET(CPUINFO_guest_sp, struct cpu_info, guest_sp);
    NUMBER(CPUINFO_sizeof, sizeof(struct cpu_info));
}
