/// Names of functions and variables that a compiler may use though the source does not name them. What the source declares about them counts then.
enum ImpliedNames {
    /// Whether a compiler may know a name by itself. That of a function of the C library has no underscore, or one of a few endings; names for the
    /// compiler's own use begin with two, and an area.
    static func contains(_ name: some Collection<UInt8>) -> Bool {
        let name = Array(name), word = name.drop { $0 == UInt8(ascii: "_") }, underscores = name.count - word.count
        let parts = word.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        if parts.count < 2, underscores < 2 { return true }
        if let last = parts.last, endings.contains(where: last.elementsEqual) { return true }
        guard underscores > 0, let first = word.first else { return false }
        // `_Unwind_Resume`, `_Exit`.
        if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) { return true }
        // `__udivdi3`, `__popcountdi2`.
        if underscores > 1, let last = word.last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) { return true }
        return underscores > 1 && areas.contains { word.starts(with: $0) }
    }

    /// `putchar_unlocked`, `__memcpy_chk`, `lgamma_r`, `__stack_chk_guard`.
    private static let endings = ["unlocked", "chk", "r", "guard", "fail"].map { Array($0.utf8) }
    private static let areas = [
        "aeabi", "asan", "atomic", "builtin", "cpu", "cxa", "cyg", "deregister", "emutls", "fentry", "gcc", "gcov", "gnu", "hwasan", "kasan", "lsan", "mcount",
        "morestack", "msan", "register", "return", "sanitizer", "sync", "stack", "tls", "tsan", "ubsan", "x86",
    ].map { Array($0.utf8) }
}
