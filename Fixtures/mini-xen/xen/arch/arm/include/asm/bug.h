/*
 * Reports from the running hypervisor: an undefined instruction, and an entry beside it that says what was meant.
 *
 * An entry has 16 bytes: the distances from its start to the place, to the file's name and to an assertion's text, and the line.
 */
#ifndef MINI_ASM_BUG_H
#define MINI_ASM_BUG_H

#define BUG_KIND_RUN    0
#define BUG_KIND_WARN   1
#define BUG_KIND_BUG    2
#define BUG_KIND_ASSERT 3

#ifdef CONFIG_ARM_64
#define BUG_INSTRUCTION "brk #1"
#define BUG_REGISTER    "x0"
#else
#define BUG_INSTRUCTION ".inst 0xe7f000f0"
#define BUG_REGISTER    "r0"
#endif

#define BUG_TEXT_(n) #n
#define BUG_TEXT(n)  BUG_TEXT_(n)

#define BUG_ENTRY(kind, file, text, line)                                       \
    "771:\t" BUG_INSTRUCTION "\n"                                               \
    "\t.pushsection .bug_frames." BUG_TEXT(kind) ", \"a\", %%progbits\n"       \
    "\t.balign 4\n"                                                            \
    "772:\t.long 771b - 772b, " file ", " text "\n"                            \
    "\t.hword " BUG_TEXT(line) ", 0\n"                                         \
    "\t.popsection\n"

/* Without an assertion's text the third distance leads to the end of the file's name. */
#define bug_entry(kind, text)                                                   \
    asm volatile ( "\t.pushsection .rodata.str, \"aMS\", %%progbits, 1\n"      \
                   "773:\t.asciz \"" __FILE__ "\"\n"                           \
                   "774:\t" text "\n"                                           \
                   "\t.popsection\n"                                           \
                   BUG_ENTRY(kind, "773b - 772b", "774b - 772b", __LINE__) : )

#define WARN() bug_entry(BUG_KIND_WARN, "")

#define BUG() do {                  \
    bug_entry(BUG_KIND_BUG, "");    \
    __builtin_unreachable();        \
} while ( 0 )

#define assert_failed(text) do {                            \
    bug_entry(BUG_KIND_ASSERT, ".asciz \"" text "\"");      \
    __builtin_unreachable();                                \
} while ( 0 )

/* Call fn from the exception handler, where all registers are at hand. It is in a register, and nothing but the place in the entry. */
#define run_in_exception_handler(fn)                                            \
    asm volatile ( "mov " BUG_REGISTER ", %0\n"                                 \
                   BUG_ENTRY(BUG_KIND_RUN, "0", "0", 0) : : "r" (fn) : BUG_REGISTER )

struct bug_frame {
    int32_t place;
    int32_t file;
    int32_t text;
    uint16_t line;
    uint16_t spare;
};

#endif
