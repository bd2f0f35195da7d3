/// What a function does with the address of a constant that it refers to.
///
/// A payload includes a changed constant as a new copy. That is enough for code that only reads it through the address. But if the address
/// itself was kept or is compared, the running hypervisor still has the old one.
package enum AddressUse: Sendable, Equatable {
    /// On every path, the function only reads from the constant, and keeps its address nowhere.
    case readsOnly
    /// The address may outlive the function, or its value matters. The place is that of the instruction, in bytes from the code's start.
    case escapes(at: Int, AddressEscape)
}

/// How an address escapes from a function.
package enum AddressEscape: Sendable, Equatable, CustomStringConvertible {
    /// Written to memory, except where only the same function fetches it again.
    case stored
    /// Passed to a function that may keep it: its name, or nil for a call through a pointer.
    case passed(to: String?)
    case returned
    /// Compared with something that is not derived from it.
    case compared
    /// Used by code that this program does not follow, with the reason in a few words.
    case unknown(String)

    /// What the function does, to follow its name: "returns its address".
    package var description: String {
        switch self {
        case .stored: "stores its address in memory"
        case .passed(let name?): "passes its address to '\(name)'"
        case .passed(nil): "has its address in a register when it calls a function through a pointer, which may get it or not"
        case .returned: "returns its address"
        case .compared: "compares its address with another"
        case .unknown(let reason): "uses its address in a way that is not understood (\(reason))"
        }
    }
}

/// What is known about the values that go into a function and come out of it.
///
/// It must be that of the machine code: compilers give their variants of a function (`foo.isra.0`, `foo.part.0`) other arguments
/// and results than the source has.
package struct CallSignature: Sendable, Equatable {
    /// How many registers hold arguments, in the order of the calling convention. Nil when unknown, for variable
    /// arguments, and when anything is passed on the stack.
    package var arguments: Int?
    /// How many registers hold the result: 0 for `void`. Nil when unknown.
    package var results: Int?

    package init(arguments: Int? = nil, results: Int? = nil) {
        self.arguments = arguments
        self.results = results
    }

    package static let unknown = CallSignature()
}

/// A function that is called or jumped to.
package struct Callee: Sendable, Equatable {
    package var name: String
    package var signature: CallSignature
    /// Whether the caller is in the same object. Compilers know which registers such a function leaves alone, and rely on it.
    package var isInSameObject: Bool
    /// Whether it is a part of the function that jumps to it, such as its cold one.
    package var isPart: Bool

    package init(name: String, signature: CallSignature = .unknown, isInSameObject: Bool, isPart: Bool = false) {
        self.name = name
        self.signature = signature
        self.isInSameObject = isInSameObject
        self.isPart = isPart
    }
}

/// A function that reads through its arguments while it runs, and keeps none of them.
package struct Reader: Sendable, Equatable {
    /// The arguments, counted from 0, that it writes through: never a constant's address.
    package var written: Set<Int>
    /// The arguments, counted from 0, that its result may point into.
    package var returned: Set<Int>

    package init(written: Set<Int> = [], returned: Set<Int> = []) {
        self.written = written
        self.returned = returned
    }

    /// Functions of Xen that only read: those that compare, measure, search and copy bytes or bits, those that write formatted
    /// text to the console or a buffer, and those that copy to guests. All use only the content; none keeps a pointer.
    package static let ofXen: [String: Reader] = {
        var all: [String: Reader] = [:]
        for name in [
            "memcmp", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strlen", "strnlen", "strspn",
            "printk", "panic", "vprintk", "guest_printk", "debugtrace_printk",
            "__find_first_bit", "__find_next_bit", "__find_first_zero_bit", "__find_next_zero_bit",
            "__bitmap_empty", "__bitmap_full", "__bitmap_equal", "__bitmap_intersects", "__bitmap_subset", "__bitmap_weight",
            // To a guest's address, which is a number to the hypervisor.
            "hvm_copy_to_guest_phys", "hvm_copy_to_guest_linear",
        ] { all[name] = Reader() }
        // These write to their first argument.
        for name in [
            "memcpy", "memmove", "strlcpy", "strlcat", "snprintf", "scnprintf", "vsnprintf", "vscnprintf",
            "copy_to_guest_pv", "copy_to_guest_ll", "copy_to_unsafe_ll", "copy_to_user_hvm",
        ] { all[name] = Reader(written: [0]) }
        for name in ["strchr", "strrchr", "memchr", "strstr", "strpbrk", "x86_match_cpu"] { all[name] = Reader(returned: [0]) }
        return all
    }()
}

/// A place in a function that is entered from outside of it, or by other means than its own jumps.
package struct Landing: Sendable, Equatable {
    /// The instruction that leads to it: the one that faults, or is replaced. Nil when unknown.
    package var from: Int?
    package var to: Int

    package init(from: Int?, to: Int) {
        self.from = from
        self.to = to
    }
}

/// A function's machine code, and what its object says about it.
///
/// Offsets count from the code's first byte, in bytes.
package struct FunctionCode {
    package var bytes: ArraySlice<UInt8>
    /// All bytes that relocations fill.
    package var relocated: [Range<Int>]
    /// Where the function is entered, other than at its start and by its own jumps: from exception tables, fixups, replaced
    /// instructions (also after them), jump tables, a cold part. Nil when that is unknown.
    package var landings: [Landing]?
    package var signature: CallSignature
    /// The function that is called or jumped to through the relocation at an offset; nil when the target is not a function.
    package var callee: (_ slot: Int) -> Callee?
    /// The code of the function that is called through the relocation at an offset, if it is in the same object. It shows what
    /// happens to the arguments.
    package var body: (_ slot: Int) -> FunctionCode?

    package init(
        bytes: ArraySlice<UInt8>, relocated: [Range<Int>], landings: [Landing]?, signature: CallSignature = .unknown,
        callee: @escaping (_ slot: Int) -> Callee?, body: @escaping (_ slot: Int) -> FunctionCode? = { _ in nil }
    ) {
        self.bytes = bytes
        self.relocated = relocated
        self.landings = landings
        self.signature = signature
        self.callee = callee
        self.body = body
    }
}
