#include <xen/init.h>
#include <xen/lib.h>
#include <xen/string.h>
#include <asm/alternative.h>
#include <asm/setup.h>

/* From the linker script. */
extern const struct alt_instr __alt_instructions[], __alt_instructions_end[];

void __init apply_alternatives(void)
{
    const struct alt_instr *a;

    for ( a = __alt_instructions; a < __alt_instructions_end; a++ )
        if ( a->feature == FEATURE_ALWAYS && a->repl_len == a->orig_len )
            memcpy((uint8_t *)&a->orig + a->orig, (const uint8_t *)&a->repl + a->repl, a->repl_len);
}
