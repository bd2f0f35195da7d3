import Diagnostics

/// The types that the source of an object defines, as the compiler laid them out, and who uses them.
///
/// Indices point into `definitions` of the same value.
public struct TypeInfo: Sendable, Equatable {
    public var definitions: [Definition]
    /// Functions that have code. Empty when only definitions were asked for.
    public var functions: [FunctionUse]
    /// Variables with static storage, those that are only declared here among them. Empty when only definitions were
    /// asked for.
    public var variables: [VariableUse]

    public init(definitions: [Definition] = [], functions: [FunctionUse] = [], variables: [VariableUse] = []) {
        self.definitions = definitions
        self.functions = functions
        self.variables = variables
    }

    public enum Kind: String, Sendable, Equatable, Hashable, Codable {
        case structure = "struct"
        case union
        case enumeration = "enum"
    }

    /// Where a type has its name from.
    public enum Naming: Sendable, Equatable, Hashable {
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
    public struct Key: Sendable, Equatable, Hashable {
        public var naming: Naming
        public var name: String
        /// The functions around the definition, the outermost first; empty at file level.
        public var scope: [String]

        public init(naming: Naming, name: String, scope: [String] = []) {
            self.naming = naming
            self.name = name
            self.scope = scope
        }
    }

    /// A `struct`, `union` or `enum`.
    public struct Definition: Sendable, Equatable {
        public var key: Key
        public var kind: Kind
        /// Names that a typedef gives it directly.
        public var aliases: [String]
        /// False when the object knows no more than the type's name.
        public var isComplete: Bool
        /// In bytes.
        public var size: UInt64?
        public var declaration: SourceLocation?
        /// Those of nested nameless types among them, with the path as their name.
        public var members: [Member]
        public var enumerators: [Enumerator]

        public init(
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
        public var spelling: String {
            switch key.naming {
            case .tag: "\(kind.rawValue) \(key.name)"
            case .typedef: key.name
            case .variable, .member: "\(kind.rawValue) {…} \(key.name)"
            case .none: key.name.isEmpty ? "\(kind.rawValue) {…}" : "\(kind.rawValue) {\(key.name), …}"
            }
        }
    }

    /// A member of a `struct` or `union`.
    public struct Member: Sendable, Equatable {
        /// `lock`; `teardown.val` for a member of a nested nameless type, `slots[].index` where that is in an array.
        public var name: String
        /// From the start of the type that has the definition.
        public var bitOffset: UInt64
        /// nil for an array without bound, and where the type is incomplete.
        public var bitSize: UInt64?
        public var isBitField: Bool
        /// As the source spells it: `u8[16]`, `struct list_head *`.
        public var type: String
        /// The same without typedefs and qualifiers: `unsigned char[16]`.
        public var canonicalType: String
        /// The named type that lies in it, in an array too.
        public var holds: Int?
        /// The type at the end of its pointers.
        public var pointsTo: Int?

        public init(
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

    public struct Enumerator: Sendable, Equatable {
        public var name: String
        public var value: Int64

        public init(name: String, value: Int64) {
            self.name = name
            self.value = value
        }
    }

    /// The types of a function's result, parameters and locals, and of those of the functions that were inlined into it.
    ///
    /// A type that occurs only inside an expression (`a->b->c`) is not among them: DWARF does not have it.
    public struct FunctionUse: Sendable, Equatable {
        public var name: String
        /// Where the function is entered.
        public var entry: DebugInfo.CodeRange
        public var declaration: SourceLocation?
        /// Sorted.
        public var holds: [Int]
        /// Sorted.
        public var pointsTo: [Int]

        public init(
            name: String, entry: DebugInfo.CodeRange, declaration: SourceLocation? = nil, holds: [Int] = [], pointsTo: [Int] = []
        ) {
            self.name = name
            self.entry = entry
            self.declaration = declaration
            self.holds = holds
            self.pointsTo = pointsTo
        }
    }

    public struct VariableUse: Sendable, Equatable {
        public var name: String
        public var declaration: SourceLocation?
        /// The function that it is local to.
        public var enclosingFunction: String?
        public var type: String
        public var canonicalType: String
        public var holds: Int?
        public var pointsTo: Int?

        public init(
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
