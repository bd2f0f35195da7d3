import Diagnostics

/// A type that the patch lays out otherwise, and what that means for the running hypervisor.
public struct LayoutChange: Sendable, Equatable, Codable {
    /// What comes of it.
    public enum Outcome: String, Sendable, Equatable, Codable {
        /// Objects with the old layout would meet code that knows the new one, or the other way round.
        case refused
        /// Would be refused, but the user takes the responsibility.
        case allowed
        /// Lives on the stack only, and all functions that use it are in the payload.
        case stackOnly = "stack-only"
        /// What was there stays where it was: new members lie in padding, new enumerators have unused values.
        case compatible
        /// Every member is where it was, but the type of one means something else.
        case retyped
    }

    /// Where a member is. All counts are of bits.
    public struct Place: Sendable, Equatable, Codable {
        /// From the start of the type.
        public var bitOffset: UInt64
        /// nil for an array without bound.
        public var bitSize: UInt64?
        public var isBitField: Bool
        /// As C spells the member's type.
        public var type: String

        public init(bitOffset: UInt64, bitSize: UInt64?, isBitField: Bool = false, type: String) {
            self.bitOffset = bitOffset
            self.bitSize = bitSize
            self.isBitField = isBitField
            self.type = type
        }
    }

    /// A member that is not as it was.
    public struct Member: Sendable, Equatable, Codable {
        public enum Change: String, Sendable, Equatable, Codable {
            case new, removed, moved, resized, retyped, renamed
        }

        public var name: String
        /// For a renamed one.
        public var oldName: String?
        public var change: Change
        public var old: Place?
        public var new: Place?

        public init(name: String, oldName: String? = nil, change: Change, old: Place?, new: Place?) {
            self.name = name
            self.oldName = oldName
            self.change = change
            self.old = old
            self.new = new
        }
    }

    /// An enumerator that is not as it was.
    public struct Enumerator: Sendable, Equatable, Codable {
        public var name: String
        public var old: Int64?
        public var new: Int64?

        public init(name: String, old: Int64?, new: Int64?) {
            self.name = name
            self.old = old
            self.new = new
        }
    }

    /// Who knows the type, in all objects that were compared.
    public struct Users: Sendable, Equatable, Codable {
        /// How many functions of the running hypervisor use it and stay.
        public var outsideCount: Int
        /// The names of some of them.
        public var outside: [String]
        /// How many of the payload's functions use it.
        public var inPayload: Int
        /// Names of some variables that hold it or point to it.
        public var variables: [String]

        public init(outsideCount: Int = 0, outside: [String] = [], inPayload: Int = 0, variables: [String] = []) {
            self.outsideCount = outsideCount
            self.outside = outside
            self.inPayload = inPayload
            self.variables = variables
        }
    }

    /// As C writes it: `struct domain`.
    public var type: String
    public var location: SourceLocation?
    public var outcome: Outcome
    /// In bytes.
    public var oldSize: UInt64?
    public var newSize: UInt64?
    /// Those that are not as they were, in the order of the patched source; removed ones at the end.
    public var members: [Member]
    public var enumerators: [Enumerator]
    /// How many members or enumerators are as they were.
    public var unchanged: Int
    /// Other types that changed because they contain this one; sorted.
    public var alsoChanged: [String]
    /// nil where nobody needs to know.
    public var users: Users?

    public init(
        type: String, location: SourceLocation? = nil, outcome: Outcome, oldSize: UInt64?, newSize: UInt64?,
        members: [Member] = [], enumerators: [Enumerator] = [], unchanged: Int = 0, alsoChanged: [String] = [],
        users: Users? = nil
    ) {
        self.type = type
        self.location = location
        self.outcome = outcome
        self.oldSize = oldSize
        self.newSize = newSize
        self.members = members
        self.enumerators = enumerators
        self.unchanged = unchanged
        self.alsoChanged = alsoChanged
        self.users = users
    }
}
