#include <xen/cache.h>
#include <xen/lib.h>
#include <xen/percpu.h>
#include <asm/extable.h>
#include <asm/setup.h>

struct registers {
    unsigned long ip, sp, flags;
    unsigned int vector, error;
};

void do_trap(struct registers *regs);

static DEFINE_PER_CPU(unsigned int, trap_depth);

/* The last instruction that faulted where it was expected. */
unsigned long last_fixup __read_mostly;

static const char *const trap_names[] = { "divide error", "debug", "nmi", "breakpoint" };

static noinline __cold noreturn void fatal_trap(const struct registers *regs)
{
    printk("fatal trap %u at %p\n", regs->vector, (void *)regs->ip);
    panic("%s\n", regs->vector < ARRAY_SIZE(trap_names) ? trap_names[regs->vector] : "trap");
}

void do_trap(struct registers *regs)
{
    unsigned long to;

    if ( unlikely(++this_cpu(trap_depth) > 8) )
        panic("traps within traps\n");

    to = search_exception_table(regs->ip);
    if ( unlikely(!to) )
        fatal_trap(regs);

    last_fixup = regs->ip;
    regs->ip = to;
    this_cpu(trap_depth)--;
}
