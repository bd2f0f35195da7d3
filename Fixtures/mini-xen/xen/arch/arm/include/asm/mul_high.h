#ifndef MINI_ASM_MUL_HIGH_H
#define MINI_ASM_MUL_HIGH_H

#ifdef CONFIG_ARM_64
#define MUL_FACTOR_ADDRESS "\tadrp\t%0, 8b\n\tadd\t%0, %0, :lo12:8b"

static inline uint64_t product_high(uint64_t a, uint64_t b)
{
    return (unsigned __int128)a * b >> 64;
}
#else
#define MUL_FACTOR_ADDRESS "\tmovw\t%0, #:lower16:8b\n\tmovt\t%0, #:upper16:8b"

static inline uint64_t product_high(uint64_t a, uint64_t b)
{
    uint64_t low = (a & ~0U) * (b & ~0U), cross = (a >> 32) * (b & ~0U) + (low >> 32);

    return (a >> 32) * (b >> 32) + (cross >> 32) + (((a & ~0U) * (b >> 32) + (cross & ~0U)) >> 32);
}
#endif

/* The upper half of a product with a constant, which lies where the linker merges equal ones. */
#define mul_high(value, factor) ({                                              \
    const uint64_t *factor_;                                                    \
                                                                                \
    asm ( "\t.pushsection .rodata.cst8, \"aM\", %%progbits, 8\n"               \
          "\t.balign 8\n"                                                      \
          "8:\t.quad " #factor "\n"                                            \
          "\t.popsection\n"                                                    \
          MUL_FACTOR_ADDRESS : "=r" (factor_) );                                \
    product_high(value, *factor_);                                              \
})

#endif
