import ELFModel
import TargetArchitecture

/// Which compilation something belongs to, known to the compiler: an item of the original can't be taken for one of the patched object.
package protocol ComparisonSide: Sendable {}
package enum OriginalSide: ComparisonSide {}
package enum PatchedSide: ComparisonSide {}

package typealias OriginalItem = Item<OriginalSide>
package typealias PatchedItem = Item<PatchedSide>

/// An object file seen as things that refer to each other: functions, variables, strings, constants, code of table entries.
///
/// Sections and symbol tables are how an assembler files these things, and two compilations of nearly the same source file
/// them in different ways. Everything that compares or selects works on this graph.
package struct ObjectGraph<Side: ComparisonSide>: Sendable {
    package let object: ObjectID
    /// What its STT_FILE symbol says: `kernel.c`; empty when it has none.
    package let fileSymbol: String
    package let file: ELFFile
    /// Each at the index of its identity.
    package let items: [Item<Side>]
    /// What this program does not understand of the object; a difference near it is refused.
    package let oddities: [Oddity]

    package subscript(_ id: Item<Side>.ID) -> Item<Side> { items[id.index] }

    /// The item's bytes; none for one that is filled with zeros.
    package func bytes(of item: Item<Side>) -> ArraySlice<UInt8> {
        let data = file.sections[item.section].data
        guard item.offset + item.size <= data.count else { return [] }
        return data[item.offset..<item.offset + item.size]
    }

    package func sectionName(of item: Item<Side>) -> String { file.sections[item.section].name }

    /// The item that covers a place of a section, and how far into it the place is. An empty item covers its own place.
    func place(_ offset: Int, in section: Int) -> (item: Item<Side>, distance: Int)? {
        items.first { $0.section == section && offset >= $0.offset && offset < $0.offset + max($0.size, 1) }.map { ($0, offset - $0.offset) }
    }

    /// How many items each section has.
    var itemsPerSection: [Int: Int] { items.reduce(into: [:]) { $0[$1.section, default: 0] += 1 } }
}

/// An object of the hypervisor, by the name that the build gives it: `common/kernel.o`.
package struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var description: String { name }
    package static func < (a: ObjectID, b: ObjectID) -> Bool { a.name < b.name }
}

/// Something in an object that can't be taken apart into items.
package struct Oddity: Sendable, Equatable {
    /// Stands for the section that a variable without one gets when the hypervisor is linked (`.comm`).
    static let common = "COMMON"

    package var section: String
    package var reason: String
}

/// One thing of an object: what is compared, correlated and included as a whole.
package struct Item<Side: ComparisonSide>: Sendable, Equatable {
    /// Tells the items of one object apart: their order in it.
    package struct ID: Hashable, Comparable, Sendable {
        let index: Int

        package static func < (a: Self, b: Self) -> Bool { a.index < b.index }
    }

    package enum Kind: Sendable, Equatable {
        /// A function, or code without a name.
        case function
        /// A variable, or data without a name.
        case data
        /// One NUL-terminated string of a mergeable section.
        case string
        /// One constant of a mergeable section.
        case constant
        /// Code that belongs to a table's entry: a fixup, an alternative's replacement.
        case replacementCode
    }

    package let id: ID
    package let kind: Kind
    package let role: SectionRole
    /// Empty for what has no name.
    package let name: String
    package let isGlobal: Bool
    package let isWeak: Bool
    /// Other names of the same place.
    package let aliases: [String]
    /// The index of its section in the file, and its place there, in bytes.
    package let section: Int
    package let offset: Int
    package let size: Int
    /// What its symbol says, in bytes. Code that the assembler put behind a function (`.subsection`) makes `size` larger: jumps between
    /// the two are not relocated, so that they stay together.
    package let symbolSize: Int
    package let alignment: UInt64
    package let isZeroFilled: Bool
    /// In the order of their offsets.
    package internal(set) var references: [Reference] = []
    /// The entries of special tables that belong to it.
    package internal(set) var entries: [TableEntry] = []
    /// For the cold part of a function (`foo.cold`): the function.
    package internal(set) var parent: ID?

    package var isNamed: Bool { !name.isEmpty }
    /// All names of the place.
    package var names: [String] { [name] + aliases }

    /// Whether only the content counts, so that a copy is as good as the original: strings, constants, unnamed tables, and
    /// named read-only data that no other object can see.
    package var isJustContent: Bool {
        switch kind {
        case .string, .constant, .replacementCode: true
        case .data: (role == .readOnly && !isGlobal) || (role == .boot && !isNamed)
        case .function: false
        }
    }

    /// Whether it is a function that runs after boot. Cold parts go with their function.
    package var isRuntimeFunction: Bool { kind == .function && role == .code && isNamed && parent == nil }

    /// Its own references and those of its table entries.
    package var allReferences: [Reference] { references + entries.flatMap(\.references) }

    /// A place in an item that a relocation fills with the address of something.
    package struct Reference: Sendable, Equatable {
        package enum Target: Sendable, Hashable {
            /// An item of the same object.
            case item(ID)
            /// A symbol that another object defines.
            case external(String)
            /// An absolute symbol.
            case absolute(UInt64)
            /// A section in which the place meant could not be found.
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
        /// Its bytes. What relocations fill is zero, as the assembler left it.
        package var bytes: [UInt8]
        /// Offsets count from the entry's start.
        package var references: [Reference]
    }
}
