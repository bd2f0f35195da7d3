/// Functions that the compiler may call though the source does not name them. What the source declares about them counts then.
enum ImplicitNames {
    /// GCC needs the first four of every environment (its manual, "Standards"); it makes calls of the others out of calls of their like.
    static let all = [
        "memcpy", "memmove", "memset", "memcmp", "abort", "mempcpy", "memchr", "bcmp", "bcopy", "bzero", "strlen", "strnlen", "strcpy", "stpcpy", "strcat",
        "strncpy", "stpncpy", "strncat", "strcmp", "strncmp", "strchr", "strrchr", "index", "rindex", "strstr", "strspn", "strcspn", "strpbrk", "puts",
        "putchar",
        "printf", "fputs", "fputc", "fputs_unlocked", "fputc_unlocked", "fwrite", "fwrite_unlocked", "sprintf", "snprintf", "vsnprintf", "malloc", "calloc",
        "free", "realloc", "alloca", "ffs", "ffsl", "ffsll", "__stack_chk_fail", "__stack_chk_guard", "__fentry__", "mcount", "_mcount",
    ]

    private static let prefix = Array("__builtin_".utf8)

    /// The function that a built-in one may become a call of: `strlen` for `__builtin_strlen`.
    static func function(behind name: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        name.starts(with: prefix) ? name.dropFirst(prefix.count) : nil
    }
}
