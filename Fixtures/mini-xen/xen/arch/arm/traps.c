#include <xen/cache.h>
#include <xen/lib.h>
#include <xen/percpu.h>

struct registers {
    unsigned long pc, sp, flags;
    unsigned int vector;
};

void do_trap(struct registers *regs);

static DEFINE_PER_CPU(unsigned int, trap_depth);

/* From the linker script. */
extern const struct bug_frame __start_bug_frames[], __stop_bug_frames_1[], __stop_bug_frames_3[];

static const char *const trap_names[] = { "undefined instruction", "supervisor call", "abort", "interrupt" };

static noinline __cold noreturn void fatal_trap(const struct registers *regs)
{
    printk("fatal trap %u at %p\n", regs->vector, (void *)regs->pc);
    panic("%s\n", regs->vector < ARRAY_SIZE(trap_names) ? trap_names[regs->vector] : "trap");
}

static noinline const struct bug_frame *find_frame(unsigned long pc)
{
    const struct bug_frame *b;

    for ( b = __start_bug_frames; b < __stop_bug_frames_3; b++ )
        if ( (unsigned long)b + b->place == pc )
            return b;
    return NULL;
}

void do_trap(struct registers *regs)
{
    const struct bug_frame *b;

    if ( unlikely(++this_cpu(trap_depth) > 8) )
        panic("traps within traps\n");

    b = find_frame(regs->pc);
    if ( unlikely(!b || b >= __stop_bug_frames_1) )
        fatal_trap(regs);

    printk("line %u of %s\n", b->line, (const char *)b + b->file);
    regs->pc += 4;
    this_cpu(trap_depth)--;
}
