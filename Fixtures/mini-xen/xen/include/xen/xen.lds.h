/* What the linker scripts have in common. */
#ifndef MINI_XEN_LDS_H
#define MINI_XEN_LDS_H

/* Tables that are looked up at run time, and lists that the boot goes through. */
#define BUG_FRAMES                \
        __start_bug_frames = .;   \
        *(.bug_frames.0)          \
        __stop_bug_frames_0 = .;  \
        *(.bug_frames.1)          \
        __stop_bug_frames_1 = .;  \
        *(.bug_frames.2)          \
        __stop_bug_frames_2 = .;  \
        *(.bug_frames.3)          \
        __stop_bug_frames_3 = .;

#define BOOT_LISTS                   \
        __setup_start = .;           \
        *(.init.setup)               \
        __setup_end = .;             \
        __initcall_start = .;        \
        *(.initcallpresmp.init)      \
        *(.initcall1.init)           \
        __initcall_end = .;          \
        . = ALIGN(8);                \
        __alt_instructions = .;      \
        *(.altinstructions)          \
        __alt_instructions_end = .;

#define PER_CPU                  \
        __per_cpu_start = .;     \
        *(.bss.percpu)           \
        . = ALIGN(128);          \
        __per_cpu_data_end = .;

#define BUILD_ID_NOTE                   \
    .note.gnu.build-id : {              \
        __note_gnu_build_id_start = .;  \
        *(.note.gnu.build-id)           \
        __note_gnu_build_id_end = .;    \
    } :note :text

#define DEBUG_SECTIONS                          \
    .comment 0 : { *(.comment) }                \
    .debug_abbrev 0 : { *(.debug_abbrev) }      \
    .debug_info 0 : { *(.debug_info) }          \
    .debug_line 0 : { *(.debug_line) }          \
    .debug_line_str 0 : { *(.debug_line_str) }  \
    .debug_str 0 : { *(.debug_str) }            \
    .debug_aranges 0 : { *(.debug_aranges) }    \
    .debug_rnglists 0 : { *(.debug_rnglists) }  \
    .debug_loclists 0 : { *(.debug_loclists) }  \
    .debug_ranges 0 : { *(.debug_ranges) }      \
    .debug_loc 0 : { *(.debug_loc) }            \
    .symtab 0 : { *(.symtab) }                  \
    .strtab 0 : { *(.strtab) }                  \
    .shstrtab 0 : { *(.shstrtab) }

#endif
