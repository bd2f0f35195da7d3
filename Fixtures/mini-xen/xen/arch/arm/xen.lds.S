#include <xen/xen.lds.h>

ENTRY(start)

PHDRS
{
    text PT_LOAD;
    note PT_NOTE;
}

SECTIONS
{
    . = XEN_VIRT_START;
    _start = .;
    .text : {
        _stext = .;
        *(.text.header)
        *(.text.entry)
        *(.text.cold .text.cold.* .text.unlikely .text.unlikely.*)
        *(.text .text.*)
        _etext = .;
    } :text

    . = ALIGN(PAGE_SIZE);
    .rodata : {
        _srodata = .;
        BUG_FRAMES
        *(.rodata .rodata.*)
        *(.data.rel.ro .data.rel.ro.*)
    } :text

    . = ALIGN(4);
    BUILD_ID_NOTE
    _erodata = .;

    . = ALIGN(PAGE_SIZE);
    .data.ro_after_init : {
        __ro_after_init_start = .;
        *(.data.ro_after_init)
        . = ALIGN(PAGE_SIZE);
        __ro_after_init_end = .;
    } :text
    .data.read_mostly : { *(.data.read_mostly) } :text
    .data : { *(.data .data.*) } :text

    . = ALIGN(PAGE_SIZE);
    .init.text : {
        _sinittext = .;
        *(.init.text)
        _einittext = .;
        . = ALIGN(PAGE_SIZE);
        *(.altinstr_replacement)
    } :text
    . = ALIGN(PAGE_SIZE);
    .init.data : {
        *(.init.rodata .init.rodata.* .init.data)
        . = ALIGN(8);
        BOOT_LISTS
    } :text

    . = ALIGN(PAGE_SIZE);
    .bss : {
        *(.bss.stack)
        . = ALIGN(128);
        PER_CPU
        *(.bss .bss.*)
    } :text
    _end = .;

    /* All of these stay empty: nothing is found through a table, nothing is left to relocate, and there is no Thumb code. */
    .got : { *(.got) *(.got.plt) *(.igot.plt) }
    .plt : { *(.plt) *(.iplt) }
    .rel : { *(.rel.*) *(.rela.*) }
    .glue : { *(.glue_7) *(.glue_7t) *(.vfp11_veneer) *(.v4_bx) }

    /DISCARD/ : {
        *(.discard .discard.*)
        *(.eh_frame)
        *(.ARM.exidx* .ARM.extab*)
        *(.note.GNU-stack)
    }

    .ARM.attributes 0 : { *(.ARM.attributes) }
    DEBUG_SECTIONS
}

ASSERT(!SIZEOF(.plt) && !SIZEOF(.rel) && !SIZEOF(.glue), "code that is not bound to its address")
