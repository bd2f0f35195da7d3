/// A section that is a table of entries, each belonging to the function that its first field points into.
package struct SpecialTable: Sendable, Equatable {
    /// Where the hypervisor takes a text from that a field leads to.
    package enum TextPlace: Sendable, Equatable {
        case anywhere
        /// From a payload it says something less.
        case betterInHypervisor
        /// From a payload it is a reason to stop the machine. The end of the text does, too.
        case inHypervisor
    }

    /// A field that a relocation fills.
    package struct Field: Sendable, Equatable {
        /// Into the entry, in bytes.
        package var offset: Int
        /// What the addend holds on top of the distance to the place meant.
        package var bias: Int64
        /// How many low bits of the addend are that distance; the others hold something else, a line number for example.
        package var bits: Int
        /// Where the text is that it leads to.
        package var text: TextPlace

        package init(offset: Int, bias: Int64 = 0, bits: Int = 32, text: TextPlace = .anywhere) {
            self.offset = offset
            self.bias = bias
            self.bits = bits
            self.text = text
        }
    }

    /// Where a field points to code that belongs to the entry alone, a fixup or a replacement.
    package struct Replacement: Sendable, Equatable {
        /// The section that such code is in: `.altinstr_replacement`, `.fixup`.
        package var section: String
        /// The offset of the byte in the entry that tells the code's length; nil when it ends where the next begins.
        package var lengthOffset: Int?

        package init(section: String, lengthOffset: Int? = nil) {
            self.section = section
            self.lengthOffset = lengthOffset
        }
    }

    /// A call through a pointer that the hypervisor turns into a direct one.
    package struct Call: Sendable, Equatable {
        /// The first bytes of the instruction: the same in all of them.
        package var start: [UInt8]
        /// Of the instruction, in bytes.
        package var size: Int

        package init(start: [UInt8], size: Int) {
            self.start = start
            self.size = size
        }
    }

    package var section: String
    /// In bytes.
    package var entrySize: Int
    /// Of the section in a payload, in bytes.
    package var alignment: UInt64
    /// The first one names the owner.
    package var fields: [Field]
    /// The offsets of words of an entry that a relocation fills and nobody reads.
    package var unreadWords: [Int]
    package var replacement: Replacement?
    /// False when the payload loader ignores the table: an entry that matters can't be taken along.
    package var isLoaded: Bool
    /// Where each entry names a call through a pointer: what the loader holds the code there against.
    package var call: Call?
    /// What the hypervisor does instead of what an entry asks for, when the code that it belongs to is a payload's: as the end of a sentence.
    package var harm: String?
    /// Whether the hypervisor writes over the code that an entry belongs to, when it boots or when the payload is loaded.
    package var patchesCode: Bool

    package init(
        section: String, entrySize: Int, alignment: UInt64 = 4, fields: [Field], unreadWords: [Int] = [], replacement: Replacement? = nil, isLoaded: Bool = true,
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
