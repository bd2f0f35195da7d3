#ifndef MINI_ASM_MUL_HIGH_H
#define MINI_ASM_MUL_HIGH_H

/* The upper half of a product with a constant, which lies where the linker merges equal ones. */
#define mul_high(value, factor) ({                                              \
    uint64_t high_, low_;                                                       \
                                                                                \
    asm ( "\t.pushsection .rodata.cst8, \"aM\", @progbits, 8\n"                \
          "\t.balign 8\n"                                                      \
          "8:\t.quad " #factor "\n"                                            \
          "\t.popsection\n"                                                    \
          "\tmulq 8b(%%rip)" : "=d" (high_), "=a" (low_) : "1" (value) : "cc" ); \
    high_;                                                                      \
})

#endif
