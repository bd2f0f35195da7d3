import ELFModel
import TargetArchitecture

/// The compilation that something belongs to, as a type: the compiler rejects code that mistakes an original item for a patched one.
package protocol ComparisonSide: Sendable {}
package enum OriginalSide: ComparisonSide {}
package enum PatchedSide: ComparisonSide {}

package typealias OriginalItem = Item<OriginalSide>
package typealias PatchedItem = Item<PatchedSide>

/// An object file as items that refer to each other: functions, variables, strings, constants, code of table entries.
///
/// Sections and symbol tables only say how an assembler arranged these items, and two compilations of nearly the same source arrange them
/// differently. Everything that compares or selects works on this graph.
package struct ObjectGraph<Side: ComparisonSide>: Sendable {
    package let object: ObjectID
    /// The names in the object's STT_FILE symbols, in their order. A source that is compiled several times names each of its objects in
    /// its own assembly, so that its object has a second one: `multi.c`, `guest_2.o` (`xen/arch/x86/mm/shadow/multi.c`).
    package let fileSymbols: [String]
    package let file: ELFFile
    /// Each item is at the index of its id.
    package let items: [Item<Side>]
    /// What this program does not understand in the object. A difference in it is refused.
    package let oddities: [Oddity]

    /// The first of them, which is the compiler's; empty when there is none.
    package var fileSymbol: String { fileSymbols.first ?? "" }

    package subscript(_ id: Item<Side>.ID) -> Item<Side> { items[id.index] }

    /// The item's bytes; empty for a zero-filled item.
    package func bytes(of item: Item<Side>) -> ArraySlice<UInt8> {
        let data = file.sections[item.section].data
        guard item.offset + item.size <= data.count else { return [] }
        return data[item.offset..<item.offset + item.size]
    }

    package func sectionName(of item: Item<Side>) -> String { file.sections[item.section].name }

    /// The item that covers a place of a section, and the distance from the item's start in bytes. An empty item covers its own place.
    /// nil if there is none.
    func place(_ offset: Int, in section: Int) -> (item: Item<Side>, distance: Int)? {
        items.first { $0.section == section && offset >= $0.offset && offset < $0.offset + max($0.size, 1) }.map { ($0, offset - $0.offset) }
    }

    /// Symbols without a size that stand inside an item: labels of assembly, but not the mapping symbols of ARM. Each with its distance from the
    /// item's start in bytes.
    package var innerLabels: [Item<Side>.ID: [String: Int]] {
        var result: [Item<Side>.ID: [String: Int]] = [:]
        for symbol in file.symbols where symbol.size == 0 && !symbol.isSection && !symbol.name.isEmpty && !symbol.name.hasPrefix("$") {
            guard let section = symbol.sectionIndex, let (item, distance) = place(Int(clamping: symbol.value), in: section), distance > 0 else { continue }
            result[item.id, default: [:]][symbol.name] = distance
        }
        return result
    }

    /// The names that the object defines for other objects.
    package var exportedNames: Set<String> { Set(file.symbols.filter { !$0.isLocal && $0.sectionIndex != nil }.map(\.name)) }

    /// How many items each section has.
    var itemsPerSection: [Int: Int] { items.reduce(into: [:]) { $0[$1.section, default: 0] += 1 } }
}

/// An object of the hypervisor, identified by its name in the build: `common/kernel.o`.
package struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var description: String { name }
    package static func < (a: ObjectID, b: ObjectID) -> Bool { a.name < b.name }
}

/// A part of an object that can't be split into items.
package struct Oddity: Sendable, Equatable {
    /// Stands for the section in which the linker puts a variable without a section (`.comm`).
    static let common = "COMMON"

    package var section: String
    package var reason: String
}

/// The unit that is compared, correlated and included as a whole.
package struct Item<Side: ComparisonSide>: Sendable, Equatable {
    /// Identifies an item within its object: its position there.
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
        /// Code that belongs to a table's entry: a fixup, or the replacement code of an alternative.
        case replacementCode
    }

    package let id: ID
    package let kind: Kind
    package let role: SectionRole
    /// Empty if it has no name.
    package let name: String
    package let isGlobal: Bool
    /// Those of its names that a strong definition of another object takes over.
    package let weakNames: Set<String>
    /// Other names of the same place.
    package let aliases: [String]
    /// The index of its section in the file, and its offset in the section, in bytes.
    package let section: Int
    package let offset: Int
    package let size: Int
    /// The size in its symbol, in bytes. `size` is larger if the assembler put more code behind a function (`.subsection`): jumps between
    /// the two have no relocations, so the two must stay together.
    package let symbolSize: Int
    package let alignment: UInt64
    package let isZeroFilled: Bool
    /// In the order of their offsets.
    package internal(set) var references: [Reference] = []
    /// The entries that belong to it in special tables.
    package internal(set) var entries: [TableEntry] = []
    /// For the cold part of a function (`foo.cold`): that function. nil for others.
    package internal(set) var parent: ID?

    package var isNamed: Bool { !name.isEmpty }
    /// All names of the place.
    package var names: [String] { [name] + aliases }
    package var isWeak: Bool { weakNames.contains(name) }

    /// Whether only the content counts, so that a copy is as good as the original. That is true for strings, constants, replacement code,
    /// read-only data that no other object can see, and unnamed boot data.
    package var isJustContent: Bool {
        switch kind {
        case .string, .constant, .replacementCode: true
        case .data: (role == .readOnly && !isGlobal) || (role == .boot && !isNamed)
        case .function: false
        }
    }

    /// Whether it is a function that runs after boot. A cold part counts with its function.
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
            /// A section. The item meant in it could not be found.
            case unclear(section: String)
        }

        /// The place of the reference in its item, in bytes.
        package var offset: Int
        /// The relocation type.
        package var type: UInt32
        package var target: Target
        /// The addend for a relocation against a symbol at the target's start. It includes the correction that instructions and tables
        /// add to the distance.
        package var addend: Int64
        /// How far behind the target's start the reference points, in bytes.
        package var distance: Int64
        /// Whether only a section and an offset in it are known, although the section has several data items: a place in one item can
        /// also mean a place before or behind another. `target` is then the item at that place.
        package var isBySection = false
    }

    /// An entry of a special table.
    package struct TableEntry: Sendable, Equatable {
        package var table: SpecialTable
        /// The entry's bytes. The fields that relocations fill are zero, as the assembler left them.
        package var bytes: [UInt8]
        /// The references in the entry. Their offsets count from the entry's start.
        package var references: [Reference]
    }
}
