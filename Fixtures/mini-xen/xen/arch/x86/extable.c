#include <xen/cache.h>
#include <xen/lib.h>
#include <asm/extable.h>

/* From the linker script. */
extern const struct exception_table_entry __start___ex_table[], __stop___ex_table[];
extern const struct exception_table_entry __start___pre_ex_table[], __stop___pre_ex_table[];

static noinline unsigned long search(const struct exception_table_entry *e, const struct exception_table_entry *end,
                                     unsigned long addr)
{
    for ( ; e < end; e++ )
        if ( (unsigned long)&e->addr + e->addr == addr )
            return (unsigned long)&e->cont + e->cont;
    return 0;
}

unsigned long search_exception_table(unsigned long addr)
{
    return search(__start___ex_table, __stop___ex_table, addr)
           ?: search(__start___pre_ex_table, __stop___pre_ex_table, addr);
}
