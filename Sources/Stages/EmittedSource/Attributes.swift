/// GCC's attributes, as far as a declaration with them that nobody names changes nothing.
enum Attributes {
    /// They say something about the function, variable or type itself. Others, such as `alias`, `used`, `constructor` and `weak`, make the
    /// compiler emit something (GCC 14, "Attribute Syntax" and the sections behind it).
    private static let names = [
        "access", "aligned", "alloc_align", "alloc_size", "always_inline", "artificial", "assume_aligned", "cdecl", "cf_check", "cold",
        "const", "deprecated", "designated_init", "error", "fallthrough", "fastcall", "fd_arg", "flatten", "format", "format_arg",
        "gnu_inline", "hot", "indirect_branch", "leaf", "may_alias", "mode", "ms_abi", "no_instrument_function", "no_profile_instrument_function",
        "no_sanitize", "no_sanitize_address", "no_sanitize_undefined", "no_stack_protector", "nocf_check", "noclone", "noinline", "noipa", "nonnull",
        "nonstring", "noreturn", "nothrow", "packed", "patchable_function_entry", "pure", "regparm", "returns_nonnull", "returns_twice", "section", "sentinel",
        "sysv_abi", "tls_model", "transparent_union", "unavailable", "uninitialized", "unused", "vector_size", "visibility", "warn_if_not_aligned",
        "warn_unused_result",
        "warning", "zero_call_used_regs",
    ]

    /// Each in both spellings, `packed` and `__packed__`.
    static let harmless = names + names.map { "__\($0)__" }
}
