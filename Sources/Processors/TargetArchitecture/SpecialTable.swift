/// A section that is a table of entries. Each entry belongs to the function that its first field points into.
package struct SpecialTable: Sendable, Equatable {
    /// Where a text must be so that the hypervisor can use it. A field of an entry points to the text.
    package enum TextPlace: Sendable, Equatable {
        case anywhere
        /// Anywhere, but the hypervisor says less when the text is in a payload.
        case betterInHypervisor
        /// In the hypervisor: the machine stops when the text is in a payload. If the hypervisor has only the end of the text, that will do.
        case inHypervisor
    }

    /// A field that a relocation fills.
    package struct Field: Sendable, Equatable {
        /// From the start of the entry, in bytes.
        package var offset: Int
        /// What the addend holds on top of the distance to the place meant.
        package var bias: Int64
        /// How many low bits of the addend are that distance; the others hold something else, a line number for example.
        package var bits: Int
        /// Where the text that the field points to must be.
        package var text: TextPlace

        package init(offset: Int, bias: Int64 = 0, bits: Int = 32, text: TextPlace = .anywhere) {
            self.offset = offset
            self.bias = bias
            self.bits = bits
            self.text = text
        }
    }

    /// For a field that points to code that belongs to the entry alone: a fixup, or replacement code.
    package struct Replacement: Sendable, Equatable {
        /// The section of that code: `.altinstr_replacement`, `.fixup`.
        package var section: String
        /// The offset in the entry of the byte that holds the code's length; nil when the code ends where the next begins.
        package var lengthOffset: Int?

        package init(section: String, lengthOffset: Int? = nil) {
            self.section = section
            self.lengthOffset = lengthOffset
        }
    }

    /// A call through a pointer that the hypervisor turns into a direct one.
    package struct Call: Sendable, Equatable {
        /// The first bytes of the instruction, the same for all such calls.
        package var start: [UInt8]
        /// The size of the instruction, in bytes.
        package var size: Int

        package init(start: [UInt8], size: Int) {
            self.start = start
            self.size = size
        }
    }

    package var section: String
    /// In bytes.
    package var entrySize: Int
    /// The alignment of the section in a payload, in bytes.
    package var alignment: UInt64
    /// The first field points into the function that owns the entry.
    package var fields: [Field]
    /// The offsets of words in an entry that a relocation fills but nobody reads.
    package var unreadWords: [Int]
    package var replacement: Replacement?
    /// False when the payload loader ignores the table: then a payload can't include an entry that matters.
    package var isLoaded: Bool
    /// For a table whose entries each name a call through a pointer: what the loader expects the code there to be.
    package var call: Call?
    /// What the hypervisor does instead of what an entry asks for, when the entry's code is in a payload. The text
    /// completes "the hypervisor ...".
    package var harm: String?
    /// Whether the hypervisor overwrites the code that an entry belongs to, when it boots or when the payload is loaded.
    package var patchesCode: Bool

    package init(
        section: String, entrySize: Int, alignment: UInt64 = 4, fields: [Field], unreadWords: [Int] = [], replacement: Replacement? = nil,
        isLoaded: Bool = true,
        patchesCode: Bool = false, call: Call? = nil, harm: String? = nil
    ) {
        self.section = section
        self.entrySize = entrySize
        self.alignment = alignment
        self.fields = fields
        self.unreadWords = unreadWords
        self.replacement = replacement
        self.isLoaded = isLoaded
        self.patchesCode = patchesCode
        self.call = call
        self.harm = harm
    }
}
