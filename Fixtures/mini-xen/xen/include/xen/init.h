/* Code and data that are freed when the boot is over, and the arrays that the linker collects for it. */
#ifndef MINI_INIT_H
#define MINI_INIT_H

#define __init       __section(".init.text") noinline
#define __initdata   __section(".init.data")
#define __initconst  __section(".init.rodata")

typedef int (*initcall_t)(void);

#define __initcall(fn) \
    static const initcall_t __initcall_##fn __used __section(".initcall1.init") = (fn)
#define presmp_initcall(fn) \
    static const initcall_t __initcall_##fn __used __section(".initcallpresmp.init") = (fn)

enum param_kind { PARAM_INTEGER, PARAM_BOOLEAN, PARAM_CUSTOM };

/* A word of the boot command line, and what it sets. */
struct kernel_param {
    const char *name;
    enum param_kind kind;
    unsigned int size;
    void *target;
};

#define boot_param(word, what, len, var)                                        \
    static const char __setup_str_##var[] __initconst = word;                   \
    static const struct kernel_param __setup_##var __used __aligned(8) __section(".init.setup") = \
        { .name = __setup_str_##var, .kind = what, .size = len, .target = &(var) }

#define integer_param(word, var) boot_param(word, PARAM_INTEGER, sizeof(var), var)
#define boolean_param(word, var) boot_param(word, PARAM_BOOLEAN, sizeof(var), var)

#endif
