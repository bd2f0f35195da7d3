/// What differs first between an item and its twin.
package struct Difference: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Bytes that no relocation fills. The item is longer or shorter than its twin where these are the end of one of them.
        case bytes
        /// What a relocation refers to: in words, on both sides.
        case reference(before: String, after: String)
        /// What belongs to it in a special table.
        case tableEntries(section: String)
        /// Its bytes are the same, and it lies elsewhere: from where to where.
        case placement(before: String, after: String)
        /// Nothing of its own: another part of the same function differs.
        case otherPart(name: String)
        /// Constant became variable, or the like.
        case role
    }

    /// From the start of the item, in bytes; nil where no place in it differs.
    package let offset: Int?
    package let kind: Kind

    init(at offset: Int? = nil, _ kind: Kind) {
        self.offset = offset
        self.kind = kind
    }
}
