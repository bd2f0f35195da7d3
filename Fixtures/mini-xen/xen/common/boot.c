#include <xen/init.h>
#include <xen/lib.h>
#include <xen/string.h>
#include <xen/version.h>
#include <asm/setup.h>

static char boot_line[256] __initdata = "";

/* From the linker script. */
extern const initcall_t __initcall_start[], __initcall_end[];
extern const struct kernel_param __setup_start[], __setup_end[];

static void __init parse_command_line(void)
{
    const struct kernel_param *p;

    for ( p = __setup_start; p < __setup_end; p++ )
        if ( !strcmp(boot_line, p->name) && p->kind == PARAM_BOOLEAN )
            *(bool *)p->target = true;
}

void __start_xen(const char *command_line) __init;

void __start_xen(const char *command_line)
{
    const initcall_t *call;

    safe_strcpy(boot_line, command_line);
    parse_command_line();
    apply_alternatives();
    xen_build_init();

    for ( call = __initcall_start; call < __initcall_end; call++ )
        (*call)();

    printk("Xen version %u.%u%s\n", xen_major_version(), xen_minor_version(), xen_extra_version());
    panic("nothing to run\n");
}
