import Diagnostics

/// The types that the source of an object defines, as the compiler laid them out, and who uses them.
///
/// Indices point into `definitions` of the same value.
package struct TypeInfo: Sendable, Equatable {
    package var definitions: [Definition]
    /// Functions that have code. Empty when only definitions were asked for.
    package var functions: [FunctionUse]
    /// Variables with static storage, those that are only declared here among them. Empty when only definitions were
    /// asked for.
    package var variables: [VariableUse]

    package init(definitions: [Definition] = [], functions: [FunctionUse] = [], variables: [VariableUse] = []) {
        self.definitions = definitions
        self.functions = functions
        self.variables = variables
    }

    package enum Kind: String, Sendable, Equatable, Hashable, Codable {
        case structure = "struct"
        case union
        case enumeration = "enum"
    }

    /// Where a type has its name from.
    package enum Naming: Sendable, Equatable, Hashable {
        /// `struct domain`
        case tag
        /// `typedef struct { … } cpumask_t`
        case typedef
        /// `static struct { … } state`: the variable's name, for want of another.
        case variable
        /// `struct { … } *next` in another type: that type's name and the member's.
        case member
        /// A type without any name; an enum goes by its first value.
        case none
    }

    /// What tells a type apart from all others of its object.
    package struct Key: Sendable, Equatable, Hashable {
        package var naming: Naming
        package var name: String
        /// The functions around the definition, the outermost first; empty at file level.
        package var scope: [String]

        package init(naming: Naming, name: String, scope: [String] = []) {
            self.naming = naming
            self.name = name
            self.scope = scope
        }
    }

    /// A `struct`, `union` or `enum`.
    package struct Definition: Sendable, Equatable {
        package var key: Key
        package var kind: Kind
        /// Names that a typedef gives it directly.
        package var aliases: [String]
        /// False when the object knows no more than the type's name.
        package var isComplete: Bool
        /// In bytes.
        package var size: UInt64?
        package var declaration: SourceLocation?
        /// Those of nested nameless types among them, with the path as their name.
        package var members: [Member]
        package var enumerators: [Enumerator]

        package init(
            key: Key, kind: Kind, aliases: [String] = [], isComplete: Bool = true, size: UInt64? = nil,
            declaration: SourceLocation? = nil, members: [Member] = [], enumerators: [Enumerator] = []
        ) {
            self.key = key
            self.kind = kind
            self.aliases = aliases
            self.isComplete = isComplete
            self.size = size
            self.declaration = declaration
            self.members = members
            self.enumerators = enumerators
        }

        /// As C writes it: `struct domain`, `cpumask_t`; with an ellipsis where C has no name.
        package var spelling: String {
            switch key.naming {
            case .tag: "\(kind.rawValue) \(key.name)"
            case .typedef: key.name
            case .variable, .member: "\(kind.rawValue) {…} \(key.name)"
            case .none: key.name.isEmpty ? "\(kind.rawValue) {…}" : "\(kind.rawValue) {\(key.name), …}"
            }
        }
    }

    /// A member of a `struct` or `union`.
    package struct Member: Sendable, Equatable {
        /// `lock`; `teardown.val` for a member of a nested nameless type, `slots[].index` where that is in an array.
        package var name: String
        /// From the start of the type that has the definition.
        package var bitOffset: UInt64
        /// nil for an array without bound, and where the type is incomplete.
        package var bitSize: UInt64?
        package var isBitField: Bool
        /// As the source spells it: `u8[16]`, `struct list_head *`.
        package var type: String
        /// The same without typedefs and qualifiers: `unsigned char[16]`.
        package var canonicalType: String
        /// The named type that lies in it, in an array too.
        package var holds: Int?
        /// The type at the end of its pointers.
        package var pointsTo: Int?

        package init(
            name: String, bitOffset: UInt64, bitSize: UInt64?, isBitField: Bool = false, type: String, canonicalType: String? = nil,
            holds: Int? = nil, pointsTo: Int? = nil
        ) {
            self.name = name
            self.bitOffset = bitOffset
            self.bitSize = bitSize
            self.isBitField = isBitField
            self.type = type
            self.canonicalType = canonicalType ?? type
            self.holds = holds
            self.pointsTo = pointsTo
        }
    }

    package struct Enumerator: Sendable, Equatable {
        package var name: String
        package var value: Int64

        package init(name: String, value: Int64) {
            self.name = name
            self.value = value
        }
    }

    /// The types of a function's result, parameters and locals, and of those of the functions that were inlined into it.
    ///
    /// A type that occurs only inside an expression (`a->b->c`) is not among them: DWARF does not have it.
    package struct FunctionUse: Sendable, Equatable {
        package var name: String
        /// Where the function is entered.
        package var entry: DebugInfo.CodeRange
        package var declaration: SourceLocation?
        /// Sorted.
        package var holds: [Int]
        /// Sorted.
        package var pointsTo: [Int]

        package init(
            name: String, entry: DebugInfo.CodeRange, declaration: SourceLocation? = nil, holds: [Int] = [], pointsTo: [Int] = []
        ) {
            self.name = name
            self.entry = entry
            self.declaration = declaration
            self.holds = holds
            self.pointsTo = pointsTo
        }
    }

    package struct VariableUse: Sendable, Equatable {
        package var name: String
        package var declaration: SourceLocation?
        /// The function that it is local to.
        package var enclosingFunction: String?
        package var type: String
        package var canonicalType: String
        package var holds: Int?
        package var pointsTo: Int?

        package init(
            name: String, declaration: SourceLocation? = nil, enclosingFunction: String? = nil, type: String,
            canonicalType: String? = nil, holds: Int? = nil, pointsTo: Int? = nil
        ) {
            self.name = name
            self.declaration = declaration
            self.enclosingFunction = enclosingFunction
            self.type = type
            self.canonicalType = canonicalType ?? type
            self.holds = holds
            self.pointsTo = pointsTo
        }
    }
}
