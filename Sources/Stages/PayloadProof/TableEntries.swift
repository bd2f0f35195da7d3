import ELFModel
import TargetArchitecture

/// The entries of a special table in an object, in the table's order.
struct TableEntries: Sequence {
    let table: SpecialTable
    private let sections: [Int]
    private let file: ELFFile
    private let relocations: [[ELFRelocation]]

    init(_ table: SpecialTable, in file: ELFFile, relocations: [[ELFRelocation]]) {
        self.table = table
        self.file = file
        self.relocations = relocations
        sections = file.sections.indices.filter { file.sections[$0].name == table.section && file.sections[$0].isAllocated }
    }

    /// Whether every such section holds whole entries.
    var isWhole: Bool { sections.allSatisfy { table.entrySize > 0 && file.sections[$0].data.count % table.entrySize == 0 } }

    func makeIterator() -> AnyIterator<ObjectEntry> {
        guard table.entrySize > 0 else { return AnyIterator { nil } }
        var result: [ObjectEntry] = []
        for section in sections {
            var rest = relocations[section][...]
            let data = file.sections[section].data
            for start in stride(from: 0, to: data.count - data.count % table.entrySize, by: table.entrySize) {
                let end = UInt64(start + table.entrySize)
                rest = rest.drop { $0.offset < UInt64(start) }
                let own = rest.prefix { $0.offset < end }
                result.append(ObjectEntry(table: table, section: section, start: start, bytes: Array(data[start..<start + table.entrySize]), relocations: own))
            }
        }
        var next = 0
        return AnyIterator {
            defer { next += 1 }
            return next < result.count ? result[next] : nil
        }
    }
}

extension ObjectIndex {
    /// The entries of special tables, by the piece that each first field leads to.
    func entriesByOwner(_ tables: [SpecialTable]) -> [Int: [ObjectEntry]] {
        var result: [Int: [ObjectEntry]] = [:]
        for table in tables {
            guard let first = table.fields.first else { continue }
            for entry in TableEntries(table, in: file, relocations: relocations) {
                guard let place = entry.place(of: first, in: file), let owner = piece(in: place.section, at: place.offset) else { continue }
                result[owner, default: []].append(entry)
            }
        }
        return result
    }
}

/// An entry of a special table in an object.
struct ObjectEntry {
    let table: SpecialTable
    let section: Int
    /// In its section, in bytes.
    let start: Int
    let bytes: [UInt8]
    let relocations: ArraySlice<ELFRelocation>

    /// How long the code is that replaces other code, in bytes; nil when the entry does not say.
    var replacementLength: Int? { table.replacement?.lengthOffset.map { bytes.indices.contains($0) ? Int(bytes[$0]) : 0 } }

    func relocation(of field: SpecialTable.Field) -> ELFRelocation? { relocations.first { $0.offset == UInt64(start + field.offset) } }

    /// The place in the object that a field leads to; nil if it leads to another object.
    func place(of field: SpecialTable.Field, in file: ELFFile) -> (section: Int, offset: Int)? {
        guard let relocation = relocation(of: field), file.symbols.indices.contains(relocation.symbol) else { return nil }
        let symbol = file.symbols[relocation.symbol]
        guard let section = symbol.sectionIndex else { return nil }
        return (section, Int(clamping: Int64(clamping: symbol.value) &+ field.distance(in: relocation.addend)))
    }
}

extension SpecialTable.Field {
    /// The distance that an addend holds: its low bits, without what counts on top.
    func distance(in addend: Int64) -> Int64 {
        let unused = Int64(max(0, 64 - bits))
        return ((addend << unused) >> unused) &- bias
    }
}
