import Diagnostics

/// A type whose layout the patch changes, and what that means for the running hypervisor.
package struct LayoutChange: Sendable, Equatable, Codable {
    /// What follows from the change.
    package enum Outcome: String, Sendable, Equatable, Codable {
        /// Code that uses the old layout and code that uses the new one would work on the same data.
        case refused
        /// Would be refused, but the user takes responsibility for it.
        case allowed
        /// The type lives on the stack only, and all functions that use it are in the payload.
        case stackOnly = "stack-only"
        /// Everything that existed stays where it was: new members lie in padding, new enumerators have unused values.
        case compatible
        /// Every member stays where it was, but at least one has a type with another meaning.
        case retyped
        /// Names, nesting or types differ, but every scalar lies at the same bits with the same representation.
        case kept
    }

    /// The place of a member. All counts are in bits.
    package struct Place: Sendable, Equatable, Codable {
        /// From the start of the type.
        package var bitOffset: UInt64
        /// nil for an array without a bound.
        package var bitSize: UInt64?
        package var isBitField: Bool
        /// The member's type, as C writes it.
        package var type: String

        package init(bitOffset: UInt64, bitSize: UInt64?, isBitField: Bool = false, type: String) {
            self.bitOffset = bitOffset
            self.bitSize = bitSize
            self.isBitField = isBitField
            self.type = type
        }
    }

    /// A member that differs.
    package struct Member: Sendable, Equatable, Codable {
        package enum Change: String, Sendable, Equatable, Codable {
            case new, removed, moved, resized, retyped, renamed
        }

        package var name: String
        /// The old name of a renamed member; nil for others.
        package var oldName: String?
        package var change: Change
        package var old: Place?
        package var new: Place?

        package init(name: String, oldName: String? = nil, change: Change, old: Place?, new: Place?) {
            self.name = name
            self.oldName = oldName
            self.change = change
            self.old = old
            self.new = new
        }
    }

    /// An enumerator that differs.
    package struct Enumerator: Sendable, Equatable, Codable {
        package var name: String
        package var old: Int64?
        package var new: Int64?

        package init(name: String, old: Int64?, new: Int64?) {
            self.name = name
            self.old = old
            self.new = new
        }
    }

    /// The users of the type, in all objects that were compared.
    package struct Users: Sendable, Equatable, Codable {
        /// How many functions of the running hypervisor use it and are not replaced.
        package var outsideCount: Int
        /// The names of some of them.
        package var outside: [String]
        /// How many functions of the payload use it.
        package var inPayload: Int
        /// The names of some variables that contain it or point to it.
        package var variables: [String]

        package init(outsideCount: Int = 0, outside: [String] = [], inPayload: Int = 0, variables: [String] = []) {
            self.outsideCount = outsideCount
            self.outside = outside
            self.inPayload = inPayload
            self.variables = variables
        }
    }

    /// As C writes it: `struct domain`.
    package var type: String
    /// The type's name before the patch, if that was another.
    package var oldType: String?
    package var location: SourceLocation?
    package var outcome: Outcome
    /// In bytes.
    package var oldSize: UInt64?
    package var newSize: UInt64?
    /// The members that differ, in the order of the patched source; removed ones at the end.
    package var members: [Member]
    package var enumerators: [Enumerator]
    /// How many members or enumerators are unchanged.
    package var unchanged: Int
    /// Other types that changed because they contain this one; sorted.
    package var alsoChanged: [String]
    /// nil when they do not matter for the outcome.
    package var users: Users?

    package init(
        type: String, oldType: String? = nil, location: SourceLocation? = nil, outcome: Outcome, oldSize: UInt64?, newSize: UInt64?,
        members: [Member] = [], enumerators: [Enumerator] = [], unchanged: Int = 0, alsoChanged: [String] = [],
        users: Users? = nil
    ) {
        self.type = type
        self.oldType = oldType
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
