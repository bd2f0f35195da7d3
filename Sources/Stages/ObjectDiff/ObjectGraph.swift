import ELFModel
import TargetArchitecture

/// An object file seen as things that refer to each other: functions, variables, strings, constants, pieces of code.
///
/// Sections and symbol tables are how an assembler files these things; two compilations of nearly the same source file
/// them differently. Everything that compares or selects works on this graph.
package struct ObjectGraph: Sendable {
    /// As the build calls it: `common/kernel.o`.
    package let objectName: String
    /// What its STT_FILE symbol says: `kernel.c`; empty when it has none.
    package let fileSymbol: String
    package let file: ELFFile
    package internal(set) var items: [Item]
    /// Things about the object that this program does not understand; a difference near them is refused.
    package internal(set) var oddities: [Oddity]

    package func bytes(of item: Item) -> ArraySlice<UInt8> {
        let data = file.sections[item.section].data
        guard item.offset + item.size <= data.count else { return [] }
        return data[item.offset..<item.offset + item.size]
    }

    /// The item that covers a place of a section, and how far into it the place is. An empty item covers its own place.
    func place(_ offset: Int, in section: Int) -> (item: Int, distance: Int)? {
        items.firstIndex { $0.section == section && offset >= $0.offset && offset < $0.offset + max($0.size, 1) }
            .map { ($0, offset - items[$0].offset) }
    }
}

/// Something in an object that can't be told apart into items.
package struct Oddity: Sendable, Equatable {
    /// Stands for the section that a variable without one gets when the hypervisor is linked (`.comm`).
    static let common = "COMMON"

    package var section: String
    package var reason: String
}

/// One thing of an object: what is compared, correlated and taken along as a whole.
package struct Item: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A function, or code without a name.
        case function
        /// A variable, or data without a name.
        case data
        /// One NUL-terminated string of a mergeable section.
        case string
        /// One constant of a mergeable section.
        case constant
        /// Code that belongs to a table's entry: a fix-up, an alternative's replacement.
        case piece
    }

    package var kind: Kind
    package var role: SectionRole
    /// Empty for what has no name.
    package var name: String
    package var isGlobal: Bool
    package var isWeak: Bool
    /// Other names of the same place.
    package var aliases: [String]
    /// The index of its section in the file, and its place there, in bytes.
    package var section: Int
    package var offset: Int
    package var size: Int
    /// What its symbol says. Code that the assembler put behind a function (`.subsection`) makes `size` larger: jumps between
    /// the two are not relocated, so that they stay together.
    package var symbolSize: Int
    package var alignment: UInt64
    package var isZeroFilled: Bool
    /// In the order of their offsets.
    package var references: [Reference]
    /// The entries of special tables that belong to it.
    package var entries: [TableEntry]
    /// For the cold part of a function (`foo.cold`): the function.
    package var parent: Int?

    package var isNamed: Bool { !name.isEmpty }
    /// Whether only the content counts, so that a copy is as good as the original: strings, constants, unnamed tables, and
    /// named read-only data that no other object can see.
    package var isJustContent: Bool {
        switch kind {
        case .string, .constant, .piece: true
        case .data: (role == .readOnly && !isGlobal) || (role == .boot && !isNamed)
        case .function: false
        }
    }
}

/// A place in an item that a relocation fills with the address of something.
package struct Reference: Sendable, Equatable {
    package enum Target: Sendable, Hashable {
        /// An item of the same object.
        case item(Int)
        /// A symbol that another object defines.
        case external(String)
        /// An absolute symbol.
        case absolute(UInt64)
        /// A section that the place meant could not be found in.
        case unclear(section: String)
    }

    /// Into the item, in bytes.
    package var offset: Int
    /// The relocation type.
    package var type: UInt32
    package var target: Target
    /// To be written with a symbol at the target's start. It keeps what instructions and tables add to the distance.
    package var addend: Int64
    /// How far into the target the reference points, in bytes.
    package var distance: Int64
    /// Whether it goes by a section that holds several items: the start of one is the end of the one before it, too.
    package var isBySection = false
}

/// An entry of a special table.
package struct TableEntry: Sendable, Equatable {
    package var table: SpecialTable
    /// Its bytes, with relocated fields zero as the assembler left them.
    package var bytes: [UInt8]
    /// Offsets count from the entry's start.
    package var references: [Reference]
}
