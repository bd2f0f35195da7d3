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
        __start_bug_frames = .;
        *(.bug_frames.0)
        __stop_bug_frames_0 = .;
        *(.bug_frames.1)
        __stop_bug_frames_1 = .;
        *(.bug_frames.2)
        __stop_bug_frames_2 = .;
        *(.bug_frames.3)
        __stop_bug_frames_3 = .;
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
    .note.gnu.build-id : {
        __note_gnu_build_id_start = .;
        *(.note.gnu.build-id)
        __note_gnu_build_id_end = .;
    } :note :text
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
        __setup_start = .;
        *(.init.setup)
        __setup_end = .;
        __initcall_start = .;
        *(.initcallpresmp.init)
        *(.initcall1.init)
        __initcall_end = .;
        . = ALIGN(8);
        __alt_instructions = .;
        *(.altinstructions)
        __alt_instructions_end = .;
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
        __per_cpu_start = .;
        *(.bss.percpu)
        . = ALIGN(128);
        __per_cpu_data_end = .;
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

    .comment 0 : { *(.comment) }
    .debug_abbrev 0 : { *(.debug_abbrev) }
    .debug_info 0 : { *(.debug_info) }
    .debug_line 0 : { *(.debug_line) }
    .debug_line_str 0 : { *(.debug_line_str) }
    .debug_str 0 : { *(.debug_str) }
    .debug_aranges 0 : { *(.debug_aranges) }
    .debug_rnglists 0 : { *(.debug_rnglists) }
    .debug_loclists 0 : { *(.debug_loclists) }
    .debug_ranges 0 : { *(.debug_ranges) }
    .debug_loc 0 : { *(.debug_loc) }
    .symtab 0 : { *(.symtab) }
    .strtab 0 : { *(.strtab) }
    .shstrtab 0 : { *(.shstrtab) }
}

ASSERT(!SIZEOF(.got) && !SIZEOF(.iplt) && !SIZEOF(.rela), "code that is not position independent")
