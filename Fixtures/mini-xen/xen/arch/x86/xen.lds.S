#include <xen/xen.lds.h>

OUTPUT_FORMAT("elf64-x86-64", "elf64-x86-64", "elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(start)

PHDRS
{
    text PT_LOAD;
    note PT_NOTE;
}

SECTIONS
{
    . = XEN_VIRT_START + XEN_IMG_OFFSET;
    _start = .;
    .text : {
        _stext = .;
        *(.text.header)
        *(.text.entry)
        *(.text)
        *(.text.cold .text.cold.* .text.unlikely .text.unlikely.*)
        *(.text.*)
        *(.fixup)
        _etext = .;
    } :text

    . = ALIGN(PAGE_SIZE);
    .rodata : {
        _srodata = .;
        . = ALIGN(4);
        BUG_FRAMES
        . = ALIGN(8);
        __start___ex_table = .;
        *(.ex_table)
        __stop___ex_table = .;
        __start___pre_ex_table = .;
        *(.ex_table.pre)
        __stop___pre_ex_table = .;
        *(.rodata .rodata.*)
        *(.data.rel.ro .data.rel.ro.*)
        *(.note.gnu.property)
    } :text

    . = ALIGN(4);
    BUILD_ID_NOTE
    _erodata = .;

    . = ALIGN(PAGE_SIZE);
    .init.text : {
        _sinittext = .;
        *(.init.text)
        *(.altinstr_replacement)
        _einittext = .;
    } :text

    . = ALIGN(PAGE_SIZE);
    .init.data : {
        *(.init.data .init.rodata .init.rodata.*)
        . = ALIGN(8);
        BOOT_LISTS
    } :text

    . = ALIGN(PAGE_SIZE);
    .data.read_mostly : {
        *(.data.read_mostly)
        . = ALIGN(PAGE_SIZE);
        __ro_after_init_start = .;
        *(.data.ro_after_init)
        __ro_after_init_end = .;
    } :text

    . = ALIGN(PAGE_SIZE);
    .data : {
        *(.data .data.*)
    } :text

    . = ALIGN(PAGE_SIZE);
    .bss : {
        *(.bss.stack)
        . = ALIGN(128);
        PER_CPU
        *(.bss .bss.*)
    } :text
    _end = .;

    /* All of these stay empty: nothing is found through a table, and nothing is left to relocate. */
    .got : { *(.got) *(.igot.plt) }
    .got.plt : { *(.got.plt) }
    .iplt : { *(.iplt) }
    .rela : { *(.rela.*) }

    /DISCARD/ : {
        *(.discard .discard.*)
        *(.eh_frame)
        *(.note.GNU-stack)
    }

    DEBUG_SECTIONS
}

ASSERT(!SIZEOF(.got) && !SIZEOF(.iplt) && !SIZEOF(.rela), "code that is not position independent")
