#include <xen/cache.h>
#include <xen/console.h>
#include <xen/init.h>
#include <xen/keyhandler.h>
#include <xen/lib.h>
#include <xen/sched.h>

static struct keyhandler {
    keyhandler_fn_t *fn;
    const char *desc;
} key_table[128] __read_mostly;

static cf_check void show_handlers(unsigned char key)
{
    unsigned int i;

    printk("'%c' pressed -> showing installed handlers\n", key);
    for ( i = 0; i < ARRAY_SIZE(key_table); i++ )
        if ( key_table[i].fn )
            printk(" key '%c' => %s\n", i, key_table[i].desc);
}

/* One of several functions of this name. */
static noinline void show_state(const char *what)
{
    static unsigned int shown;

    printk("%s: shown %u times\n", what, ++shown);
}

static cf_check void dump_vcpu(unsigned char key)
{
    static unsigned int dumps;
    const struct vcpu *v = current;

    if ( !v )
        return;

    dumps++;
    show_state("vcpu");
    printk("vcpu %u: %s, %u credits, dump %u\n", v->id, vcpu_state_name(v), vcpu_credits(v), dumps);
}

static cf_check void dump_console(unsigned char key)
{
    static unsigned int dumps;

    dumps += 2;
    show_state("console");
    printk("console: %u lines, dump %u\n", console_lines(), dumps / 2);
}

static cf_check void do_registers(const void *regs)
{
    printk("registers at %p\n", regs);
}

static cf_check void dump_registers(unsigned char key)
{
    run_in_exception_handler(do_registers);
}

void handle_keypress(unsigned char key)
{
    const struct keyhandler *h;

    if ( key >= ARRAY_SIZE(key_table) || !(h = &key_table[key])->fn )
    {
        printk(XENLOG_WARNING "no handler for key %u\n", key);
        return;
    }

    h->fn(key);
}

noinline void register_keyhandler(unsigned char key, keyhandler_fn_t *fn, const char *desc)
{
    BUG_ON(key >= ARRAY_SIZE(key_table));
    ASSERT(!key_table[key].fn);

    key_table[key].fn = fn;
    key_table[key].desc = desc;
}

static int __init keyhandler_init(void)
{
    register_keyhandler('h', show_handlers, "show this message");
    register_keyhandler('v', dump_vcpu, "dump the current vcpu");
    register_keyhandler('c', dump_console, "dump the console");
    register_keyhandler('d', dump_registers, "dump registers");
    return 0;
}
__initcall(keyhandler_init);
