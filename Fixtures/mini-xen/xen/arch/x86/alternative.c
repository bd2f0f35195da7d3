#include <xen/init.h>
#include <xen/lib.h>
#include <xen/string.h>
#include <asm/alternative.h>
#include <asm/setup.h>

/* From the linker script. */
extern const struct alt_instr __alt_instructions[], __alt_instructions_end[];

static bool __init has_feature(unsigned int feature)
{
    return feature == FEATURE_ALWAYS;
}

void __init apply_alternatives(void)
{
    const struct alt_instr *a;

    for ( a = __alt_instructions; a < __alt_instructions_end; a++ )
    {
        uint8_t *at = (uint8_t *)&a->orig + a->orig;
        const uint8_t *with = (const uint8_t *)&a->repl + a->repl;
        unsigned int len = a->orig_len + a->pad_len;

        if ( !has_feature(a->feature) || a->repl_len > len )
            continue;
        memset(at, 0x90, len);
        memcpy(at, with, a->repl_len);
    }
}
