/*
 * Instructions that are exchanged at boot (or when a payload is loaded) for better ones, of which there are as many.
 *
 * An entry has 12 bytes: distances to the original and to the replacement, the feature, two lengths.
 */
#ifndef MINI_ASM_ALTERNATIVE_H
#define MINI_ASM_ALTERNATIVE_H

#define FEATURE_ALWAYS 1
#define FEATURE_PAN    2

struct alt_instr {
    int32_t orig;
    int32_t repl;
    uint16_t feature;
    uint8_t orig_len;
    uint8_t repl_len;
};

#define ALT_TEXT_(n) #n
#define ALT_TEXT(n)  ALT_TEXT_(n)

#define ALT_CODE(old, new, feature)                                             \
    "661:\t" old "\n"                                                           \
    "662:\n"                                                                    \
    "\t.pushsection .altinstructions, \"a\", %%progbits\n"                      \
    "\t.balign 4\n"                                                            \
    "\t.long 661b - ., 663f - .\n"                                             \
    "\t.hword " ALT_TEXT(feature) "\n"                                         \
    "\t.byte 662b - 661b, 664f - 663f\n"                                       \
    "\t.popsection\n"                                                          \
    "\t.pushsection .altinstr_replacement, \"ax\", %%progbits\n"               \
    "663:\t" new "\n"                                                          \
    "664:\n"                                                                    \
    "\t.popsection\n"

#define alternative(old, new, feature) \
    asm volatile ( ALT_CODE(old, new, feature) : : : "memory" )
#define alternative_out(old, new, feature, output) \
    asm volatile ( ALT_CODE(old, new, feature) : output )

#endif
