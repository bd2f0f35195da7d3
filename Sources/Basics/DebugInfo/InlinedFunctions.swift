import Diagnostics
import SystemPackage

/// Which functions the compiler inlined into which.
package enum InlinedFunctions {
    /// Finds the functions that are inlined into some others, also by way of one that is inlined itself.
    ///
    /// - Parameter entries: where the others are entered.
    /// - Returns: for each of these places, names as in the source; none for a place that debug information does not have.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath, into entries: Set<SourceLines.Place>) throws(InputError) -> [SourceLines.Place: Set<String>] {
        guard !entries.isEmpty else { return [:] }
        return try DwarfFile.read(path) { dwarf, addresses throws(DIE.Damaged) in
            var search = Search(entries: entries), units = Units(dwarf)
            while let unit = try units.next() { try search.look(in: DIE(unit.entry), addresses) }
            return search.found
        } ?? [:]
    }

    private struct Search {
        let entries: Set<SourceLines.Place>
        private(set) var found: [SourceLines.Place: Set<String>] = [:]

        init(entries: Set<SourceLines.Place>) { self.entries = entries }

        mutating func look(in unit: DIE, _ addresses: AddressMap) throws(DIE.Damaged) {
            var children = unit.children
            while let child = try children.next() {
                guard child.kind == .function, let start = child.codeRanges.first?.lowerBound, let place = addresses.place(of: start) else { continue }
                let entry = SourceLines.Place(section: place.section, offset: Int(clamping: place.offset))
                guard entries.contains(entry) else { continue }
                let names = try names(in: child)
                found[entry, default: []].formUnion(names)
            }
        }

        private func names(in function: DIE) throws(DIE.Damaged) -> Set<String> {
            var names: Set<String> = [], waiting = [function]
            while let die = waiting.popLast() {
                var children = die.children
                while let child = try children.next() {
                    if child.kind == .inlinedCopy, let name = child.name { names.insert(name) }
                    if child.kind == .inlinedCopy || child.kind == .block { waiting.append(child) }
                }
            }
            return names
        }
    }
}
