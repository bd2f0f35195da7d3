/// What a function does with the address of a constant that it refers to.
///
/// A changed constant comes along in a payload as a new copy. Who only reads it through the address is well served by
/// that; where the address itself was kept or is compared, the running hypervisor has the old one.
package enum AddressUse: Sendable, Equatable {
    /// On every path the address serves to read from the constant, and is forgotten then.
    case readsOnly
    /// It may outlive the function, or matter as such. The place is that of the instruction, in bytes from the code's start.
    case escapes(at: Int, AddressEscape)
}

/// How an address gets away from a function.
package enum AddressEscape: Sendable, Equatable, CustomStringConvertible {
    /// Written to memory, other than to be fetched again by the same function.
    case stored
    /// Passed to a function that may keep it, by name where it has one.
    case passed(to: String?)
    case returned
    /// Compared with something that is not derived from it.
    case compared
    /// Used by code that this program does not follow; why, in a few words.
    case unknown(String)

    /// What the function does, to follow its name: "returns its address".
    package var description: String {
        switch self {
        case .stored: "stores its address in memory"
        case .passed(let name?): "passes its address to '\(name)'"
        case .passed(nil): "passes its address to a function that is called through a pointer"
        case .returned: "returns its address"
        case .compared: "compares its address with another"
        case .unknown(let reason): "uses its address in a way that is not understood (\(reason))"
        }
    }
}

/// What is known of the values that go into a function and come out of it.
///
/// It must be that of the machine code: compilers give their variants of a function (`foo.isra.0`, `foo.part.0`) other arguments
/// and results than the source says.
package struct CallSignature: Sendable, Equatable {
    /// How many registers hold arguments, in the order of the calling convention. Nil when not known, for variable
    /// arguments, and when anything is passed on the stack.
    package var arguments: Int?
    /// How many registers hold the result: 0 for `void`. Nil when not known.
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
    /// Compilers know which registers a function of the same object leaves alone, and rely on it.
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
    /// The arguments, from 0, that it writes through: never a constant's address.
    package var written: Set<Int>
    /// The arguments, from 0, that its result may point into.
    package var returned: Set<Int>

    package init(written: Set<Int> = [], returned: Set<Int> = []) {
        self.written = written
        self.returned = returned
    }

    /// Functions of Xen that only read: those that compare, measure, search and copy bytes or bits, those that write formatted
    /// text to the console or a buffer, and those that copy to guests. All work by the content that they find; none keeps a pointer.
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

/// A place in a function that something outside of it leads to.
package struct Landing: Sendable, Equatable {
    /// The instruction that is left for it: the one that faults, or is replaced. Nil when not known.
    package var from: Int?
    package var to: Int

    package init(from: Int?, to: Int) {
        self.from = from
        self.to = to
    }
}

/// A function's machine code, and what is known of it from the object that it is in.
///
/// Offsets count from the code's first byte, in bytes.
package struct FunctionCode {
    package var bytes: ArraySlice<UInt8>
    /// Everything that relocations fill.
    package var relocated: [Range<Int>]
    /// Where the function is entered other than at its start and by its own jumps: from exception tables, fix-ups,
    /// replaced instructions (also behind them), jump tables, a cold part. Nil when that is not known.
    package var landings: [Landing]?
    package var signature: CallSignature
    /// What is called or jumped to through a relocation at an offset: nil for what is not a function.
    package var callee: (_ slot: Int) -> Callee?
    /// The code of what is called through a relocation at an offset, where it is in the same object: then it is known what
    /// becomes of the arguments.
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
