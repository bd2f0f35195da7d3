import TestDrive

/// A generated source file with its header. Every element has a number that no other element of the file has, and keeps it through all
/// changes: so the right answer for a patch is known.
package struct TortureFile: Sendable, Equatable {
    /// Two digits of the file's name: `common/torture_07.c`, `include/xen/torture_07.h`.
    package var number: Int
    package var header: TortureHeader
    /// Variables outside functions, in the order of the text.
    package var variables: [TortureVariable]
    /// In the order of the text. All are declared above the first.
    package var functions: [TortureFunction]
    /// The next unused number.
    package var nextID: Int

    package var label: String { number < 10 ? "0\(number)" : "\(number)" }
    /// The source below `xen/`.
    package var source: String { "common/torture_\(label).c" }
    /// The header below `xen/`.
    package var headerPath: String { "include/xen/torture_\(label).h" }

    package mutating func newID() -> Int {
        defer { nextID += 1 }
        return nextID
    }
}

/// What generated code may have on a machine.
package struct TortureFeatures: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Places where to go on after an exception.
    package static let exceptions = TortureFeatures(rawValue: 1)
    /// `WARN`, which stops a hypervisor of 32-bit ARM when it comes from a payload.
    package static let warnings = TortureFeatures(rawValue: 2)
    package static let all: TortureFeatures = [.exceptions, .warnings]

    package init(_ machine: TargetMachine) { self = machine == .x86_64 ? .all : machine == .arm64 ? .warnings : [] }
}

/// What a file's header defines: a macro, a structure, inline functions.
package struct TortureHeader: Sendable, Equatable {
    package struct Inline: Sendable, Equatable {
        package var id: Int
        package var constant: Int
        /// A static variable of the inline function: each file that includes the header has its own.
        package var counter: TortureVariable?
    }

    package var macro: Int
    /// The numbers of the structure's members, in order. Each is an `unsigned long`, so that every new member moves or grows something.
    package var members: [Int]
    package var inlines: [Inline]
}

package struct TortureVariable: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// nil: without an initial value.
        case scalar(Int?)
        /// The number of elements, and the first initial values.
        case array(Int, [Int])
        /// The values of a constant table.
        case constants([Int])
        case strings([String])
        /// The numbers of functions in a constant table.
        case functions([Int])
        /// A constant table of a function's labels, by their numbers.
        case labels([Int])
        /// The header's structure.
        case structure
    }

    package enum Section: String, Sendable, CaseIterable {
        case usual = ""
        case readMostly = " __read_mostly"
        case roAfterInit = " __ro_after_init"
        case explicit = " __section(\".data.torture\")"
    }

    package var id: Int
    package var name: String
    package var form: Form
    package var section = Section.usual
    package var isStatic = true
    /// The type of an element.
    package var type = "unsigned int"
}

package struct TortureFunction: Sendable, Equatable {
    package enum Attribute: String, Sendable, CaseIterable {
        case none = ""
        case noinline = "noinline "
        case alwaysInline = "always_inline "
    }

    package var id: Int
    package var name: String
    package var isStatic: Bool
    package var attribute: Attribute
    /// Lines of comment above the function.
    package var comments: Int
    package var body: TortureBlock
}

package struct TortureBlock: Sendable, Equatable {
    package var id: Int
    /// Static variables of the block.
    package var variables: [TortureVariable]
    package var statements: [TortureStatement]
}

package struct TortureStatement: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A use of a variable; the form counts from 0.
        case scalar(variable: Int, form: Int)
        case array(variable: Int, form: Int)
        /// A use of a constant table.
        case table(variable: Int)
        /// Goes to one of a table of labels.
        case dispatch(table: TortureVariable, arms: [Int])
        case print(String)
        case functionName
        case call(function: Int)
        /// A switch with these values.
        case choice([Int])
        case bug
        case warn
        case assertion
        case alternative
        case exception
        case inline(Int)
        case macro
        /// A member of the structure, of the file's own or of another one.
        case member(Int, own: Bool)
        case nested(TortureBlock)
    }

    package var id: Int
    package var kind: Kind
    /// A number in the statement's code.
    package var constant: Int

    package static let scalarForms = 7
    package static let arrayForms = 11
}
