/* Where to go on when an instruction faults: pairs of distances, from the entry's words themselves. */
#ifndef MINI_ASM_EXTABLE_H
#define MINI_ASM_EXTABLE_H

struct exception_table_entry {
    int32_t addr;
    int32_t cont;
};

#define EX_ENTRY(section, from, to)                             \
    "\t.pushsection " section ", \"a\", @progbits\n"            \
    "\t.balign 4\n"                                             \
    "\t.long " #from " - ., " #to " - .\n"                      \
    "\t.popsection\n"

#define EX_TABLE(from, to)     EX_ENTRY(".ex_table", from, to)
#define EX_TABLE_PRE(from, to) EX_ENTRY(".ex_table.pre", from, to)

unsigned long search_exception_table(unsigned long addr);

#endif
