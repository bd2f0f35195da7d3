import CLibdw
import Diagnostics
import ELFModel
import SystemPackage

/// The lines of the source that machine code came from (DWARF's line tables).
package enum SourceLines {
    /// A place in an object's code.
    package struct Place: Sendable, Hashable {
        /// The section header index.
        package var section: Int
        /// From the start of the section, in bytes.
        package var offset: Int

        package init(section: Int, offset: Int) {
            self.section = section
            self.offset = offset
        }
    }

    /// Finds the source lines of places in an object's code.
    ///
    /// - Returns: for each place, the line that its instruction belongs to. Places that the line tables do not cover are missing.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath, for places: Set<Place>) throws(InputError) -> [Place: SourceLocation] {
        guard !places.isEmpty else { return [:] }
        return try DwarfFile.read(path) { dwarf, addresses throws(DIE.Damaged) in
            var search = Search(places: places)
            var units = Units(dwarf)
            while let unit = try units.next() { search.look(in: unit, addresses) }
            return search.found
        } ?? [:]
    }
}

private struct Search {
    /// The places to find, by section.
    private let wanted: [Int: [SourceLines.Place]]
    /// For each place, the line of the last row of a line table that covers it.
    private(set) var found: [SourceLines.Place: SourceLocation] = [:]

    init(places: Set<SourceLines.Place>) { wanted = Dictionary(grouping: places, by: \.section) }

    /// Looks at one unit's line table. A row covers the code from its own address to that of the next row.
    mutating func look(in compiled: Units.Unit, _ addresses: AddressMap) {
        var unit = compiled.entry
        var lines: OpaquePointer?
        var count = 0
        guard dwarf_getsrclines(&unit, &lines, &count) == 0, let lines else { return }
        let names = SourceNames(directory: DIE(unit).string(DW_AT_comp_dir) ?? compiled.directory)
        for index in 0..<count {
            guard let row = dwarf_onesrcline(lines, index) else { continue }
            var start: Dwarf_Addr = 0, end: Dwarf_Addr = 0, isEnd = false, line: Int32 = 0
            guard dwarf_lineaddr(row, &start) == 0, dwarf_lineendsequence(row, &isEnd) == 0, !isEnd, let place = addresses.place(of: start),
                let candidates = wanted[place.section], index + 1 < count, let next = dwarf_onesrcline(lines, index + 1), dwarf_lineaddr(next, &end) == 0,
                end > start, dwarf_lineno(row, &line) == 0, line > 0, let file = dwarf_linesrc(row, nil, nil)
            else { continue }
            let range = place.offset..<place.offset + (end - start)
            for candidate in candidates where range.contains(UInt64(candidate.offset)) {
                found[candidate] = SourceLocation(file: names.shortened(SymbolName.distinctText(file)), line: Int(line))
            }
        }
    }
}
