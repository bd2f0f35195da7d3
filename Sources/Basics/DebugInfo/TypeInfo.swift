import Diagnostics

/// The types that the source of an object defines, as the compiler laid them out, and the functions and variables that use them.
///
/// Indices point into `definitions` of the same value.
package struct TypeInfo: Sendable, Equatable {
    package var definitions: [Definition]
    /// Functions that have code. Empty when only definitions were read.
    package var functions: [FunctionUse]
    /// Variables with static storage, including those that are only declared here. Empty when only definitions were read.
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

    /// Where a type's name comes from.
    package enum Naming: Sendable, Equatable, Hashable {
        /// `struct domain`
        case tag
        /// `typedef struct { … } cpumask_t`
        case typedef
        /// `static struct { … } state`: the variable's name, because there is no other.
        case variable
        /// `struct { … } *next` in another type: the name of that type and of the member.
        case member
        /// A type without any name. An enum is named after its first value.
        case none
    }

    /// What distinguishes a type from all others of its object.
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
        /// Names that a typedef gives to the type directly.
        package var aliases: [String]
        /// False when the object has only the type's name.
        package var isComplete: Bool
        /// In bytes.
        package var size: UInt64?
        package var declaration: SourceLocation?
        /// Includes the members of nested nameless types, with the path as their name.
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
        /// `lock`; `teardown.val` for a member of a nested nameless type, `slots[].index` when that type is in an array.
        package var name: String
        /// In bits, from the start of the type that has the definition.
        package var bitOffset: UInt64
        /// In bits. Nil for an array without a bound, and when the type is incomplete.
        package var bitSize: UInt64?
        package var isBitField: Bool
        /// As the source spells it: `u8[16]`, `struct list_head *`.
        package var type: String
        /// The same type without typedefs and qualifiers: `unsigned char[16]`.
        package var canonicalType: String
        /// The named type that the member contains, also in an array.
        package var holds: Int?
        /// The named type that the member's pointers lead to.
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

    /// The types of a function's result, parameters and locals, and those of the functions that were inlined into it.
    ///
    /// A type that occurs only inside an expression (`a->b->c`) is missing, because DWARF does not have it.
    package struct FunctionUse: Sendable, Equatable {
        package var name: String
        /// Where the function is entered.
        package var entry: DebugInfo.CodeRange
        package var declaration: SourceLocation?
        /// The types that it has values of, sorted.
        package var holds: [Int]
        /// The types that it has pointers to, sorted.
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
        /// The function that the variable is local to; nil at file level.
        package var enclosingFunction: String?
        /// Where it lies before the program runs; nil for one that another file defines, and for one without storage.
        package var place: SourceLines.Place?
        package var type: String
        package var canonicalType: String
        package var holds: Int?
        package var pointsTo: Int?

        package init(
            name: String, declaration: SourceLocation? = nil, enclosingFunction: String? = nil, place: SourceLines.Place? = nil, type: String,
            canonicalType: String? = nil, holds: Int? = nil, pointsTo: Int? = nil
        ) {
            self.name = name
            self.declaration = declaration
            self.enclosingFunction = enclosingFunction
            self.place = place
            self.type = type
            self.canonicalType = canonicalType ?? type
            self.holds = holds
            self.pointsTo = pointsTo
        }
    }
}
