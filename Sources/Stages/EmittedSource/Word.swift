/// The words that decide what a declaration is. GCC knows several spellings of some.
enum Word: Int32, CaseIterable, Sendable {
    case typedef, extern, `static`, inline, inline2, inline3, `struct`, union, `enum`, attribute, attribute2, asm, asm2, asm3
    case typeof, typeof2, typeof3, alignas, alignof, alignof2, alignof3, atomic, staticAssert, staticAssert2, `extension`
    case const, const2, const3, volatile, volatile2, volatile3, restrict, restrict2, restrict3, register, auto, thread, thread2, noreturn
    case void, char, short, int, long, float, double, signed, signed2, signed3, unsigned, bool, bool2, complex, complex2, complex3, int128, autoType
    case `return`, `else`, `do`, goto, `case`, sizeof, `if`, `while`, `for`, `switch`, `default`, `break`, `continue`

    var text: String {
        switch self {
        case .inline2: "__inline"
        case .inline3: "__inline__"
        case .attribute: "__attribute__"
        case .attribute2: "__attribute"
        case .asm2: "__asm"
        case .asm3: "__asm__"
        case .typeof2: "__typeof"
        case .typeof3: "__typeof__"
        case .alignas: "_Alignas"
        case .alignof: "_Alignof"
        case .alignof2: "__alignof"
        case .alignof3: "__alignof__"
        case .atomic: "_Atomic"
        case .staticAssert: "_Static_assert"
        case .staticAssert2: "static_assert"
        case .extension: "__extension__"
        case .const2: "__const"
        case .const3: "__const__"
        case .volatile2: "__volatile"
        case .volatile3: "__volatile__"
        case .restrict2: "__restrict"
        case .restrict3: "__restrict__"
        case .thread: "_Thread_local"
        case .thread2: "__thread"
        case .noreturn: "_Noreturn"
        case .signed2: "__signed"
        case .signed3: "__signed__"
        case .bool: "_Bool"
        case .bool2: "bool"
        case .complex: "_Complex"
        case .complex2: "__complex"
        case .complex3: "__complex__"
        case .int128: "__int128"
        case .autoType: "__auto_type"
        default: "\(self)"
        }
    }

    var isQualifier: Bool {
        switch self {
        case .const, .const2, .const3, .volatile, .volatile2, .volatile3, .restrict, .restrict2, .restrict3: true
        default: false
        }
    }

    var isBasicType: Bool {
        switch self {
        case .void, .char, .short, .int, .long, .float, .double, .signed, .signed2, .signed3, .unsigned, .bool, .bool2, .complex, .complex2, .complex3, .int128:
            true
        default: false
        }
    }

    var isAttribute: Bool { self == .attribute || self == .attribute2 }
    var isAsm: Bool { self == .asm || self == .asm2 || self == .asm3 }
    var isStaticAssert: Bool { self == .staticAssert || self == .staticAssert2 }
    /// Followed by a tag.
    var isAggregate: Bool { self == .struct || self == .union || self == .enum }
    /// Begins a statement or an operand. An identifier behind any other word may be what a declaration declares.
    var isOfStatement: Bool {
        switch self {
        case .return, .else, .do, .goto, .case, .sizeof, .if, .while, .for, .switch, .default, .break, .continue: true
        default: false
        }
    }
}
