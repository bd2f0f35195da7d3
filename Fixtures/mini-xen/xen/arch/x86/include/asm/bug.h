/*
 * Reports from the running hypervisor: an undefined instruction, and an entry beside it that says what was meant.
 *
 * An entry is two words. Each holds a distance from the entry in its low 24 bits, and 7 bits of the line number above:
 * first the place and the line's upper half, then the file name (or the function to run) and its lower half. An
 * assertion's entry has two words more, the last of which leads to its text.
 */
#ifndef MINI_ASM_BUG_H
#define MINI_ASM_BUG_H

#define BUG_KIND_RUN    0
#define BUG_KIND_WARN   1
#define BUG_KIND_BUG    2
#define BUG_KIND_ASSERT 3

#define bug_entry(kind, line, what, with_text, text)                            \
    asm volatile ( "771:\tud2\n"                                                \
                   "\t.pushsection .bug_frames.%c[k], \"a\", @progbits\n"       \
                   "\t.balign 4\n"                                              \
                   "772:\t.long 771b - 772b + %c[hi]\n"                         \
                   "\t.long %c[w] - 772b + %c[lo]\n"                            \
                   "\t.if %c[more]\n"                                           \
                   "\t.long 0, %c[t] - 772b\n"                                  \
                   "\t.endif\n"                                                 \
                   "\t.popsection"                                              \
                   : : [k] "i" (kind), [w] "i" (what), [t] "i" (text), [more] "i" (with_text), \
                       [hi] "i" (((line) >> 7) << 24), [lo] "i" (((line) & 127) << 24) )

#define WARN() bug_entry(BUG_KIND_WARN, __LINE__, __FILE__, 0, NULL)

#define BUG() do {                                              \
    bug_entry(BUG_KIND_BUG, __LINE__, __FILE__, 0, NULL);       \
    __builtin_unreachable();                                    \
} while ( 0 )

#define assert_failed(text) do {                                        \
    bug_entry(BUG_KIND_ASSERT, __LINE__, __FILE__, 1, text);            \
    __builtin_unreachable();                                            \
} while ( 0 )

/* Call fn from the exception handler, where all registers are at hand. */
#define run_in_exception_handler(fn) bug_entry(BUG_KIND_RUN, 0, fn, 0, NULL)

#endif
