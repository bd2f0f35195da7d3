import ELFModel
import TargetArchitecture
import XenVersions

/// Divides the loaded sections of an object into pieces: by its symbols, by the strings and constants that a linker may merge, and by the
/// places that special tables lead to.
struct PieceDivision {
    let file: ELFFile
    let architecture: any TargetArchitecture
    let tables: [SpecialTable]
    let hooksPrefix: String
    let relocations: [[ELFRelocation]]
    private(set) var pieces: [Piece] = []

    init(file: ELFFile, architecture: any TargetArchitecture, tables: [SpecialTable], hooksPrefix: String, relocations: [[ELFRelocation]]) {
        self.file = file
        self.architecture = architecture
        self.tables = tables
        self.hooksPrefix = hooksPrefix
        self.relocations = relocations
    }

    mutating func divide() {
        var symbols: [[ELFSymbol]] = Array(repeating: [], count: file.sections.count)
        for symbol in file.symbols where !symbol.isSection && !symbol.isFile && !symbol.name.isEmpty {
            guard let section = symbol.sectionIndex, symbols.indices.contains(section) else { continue }
            if !architecture.isMappingSymbol(symbol.name), !symbol.name.hasPrefix(".L") { symbols[section].append(symbol) }
        }
        for (index, section) in file.sections.enumerated() where section.isAllocated && section.size > 0 && section.size <= UInt64(Int32.max) {
            if tables.contains(where: { $0.section == section.name }) { continue }
            if let table = tables.first(where: { $0.replacement?.section == section.name }) {
                divideByTable(table, index)
            } else if section.isMergeable, section.entrySize > 0 {
                divideMergeable(section, index)
            } else {
                divideBySymbols(section, index, symbols[index])
            }
        }
    }

    private mutating func add(_ kind: Piece.Kind, _ section: Int, _ range: Range<Int>, symbols: [ELFSymbol] = [], symbolSize: Int? = nil) {
        var alignment = max(file.sections[section].alignment, 1)
        while range.lowerBound % Int(clamping: alignment) != 0 { alignment /= 2 }
        let weak = Set(symbols.filter { $0.binding == ELF.Binding.weak }.map(\.name))
        pieces.append(
            Piece(
                kind: kind, section: section, range: range, names: symbols.map(\.name),
                globalNames: Set(symbols.filter { !$0.isLocal }.map(\.name)).subtracting(weak.count < symbols.count ? weak : []), weakNames: weak,
                symbolSize: symbolSize ?? range.count, alignment: alignment,
                isBoot: SectionName.isBoot(file.sections[section].name)))
    }

    /// A string ends with its zero, and a constant has the size that the section says.
    private mutating func divideMergeable(_ section: ELFSection, _ index: Int) {
        let unit = Int(clamping: section.entrySize), data = section.data
        var start = 0
        for end in stride(from: unit, through: data.count, by: unit) where !section.isStringTable || data[end - unit..<end].allSatisfy({ $0 == 0 }) {
            add(.constant, index, start..<end)
            start = end
        }
        if start < data.count { add(.constant, index, start..<data.count) }
    }

    /// Symbols at one place are names of one piece, and a symbol inside a piece is a name for a part of it. What lies between pieces is a
    /// piece without a name, unless it only fills a gap.
    private mutating func divideBySymbols(_ section: ELFSection, _ index: Int, _ symbols: [ELFSymbol]) {
        let kind = kind(of: section), size = Int(section.size)
        let places = Dictionary(grouping: symbols.filter { $0.value < section.size }, by: { Int($0.value) }).sorted { $0.key < $1.key }
        var cursor = 0
        for (number, (start, names)) in places.enumerated() where start >= cursor {
            let length = min(Int(clamping: names.map(\.size).max() ?? 0), size - start)
            // A label without a size inside a gap begins a piece of its own. It ends where the next sized symbol begins.
            let next = places[(number + 1)...].first { $0.key >= start + max(length, 1) }?.key ?? size
            addGap(kind, index, cursor..<start)
            let end = length == 0 || (section.isExecutable && !isFiller(section, index, start + length..<next)) ? next : start + length
            add(kind, index, start..<end, symbols: names, symbolSize: length == 0 ? end - start : length)
            cursor = end
        }
        addGap(kind, index, cursor..<size)
    }

    private mutating func addGap(_ kind: Piece.Kind, _ index: Int, _ range: Range<Int>) {
        guard !range.isEmpty, range.count == Int(clamping: file.sections[index].size) || !isFiller(file.sections[index], index, range) else { return }
        add(kind == .function ? .code : kind, index, range)
    }

    private func isFiller(_ section: ELFSection, _ index: Int, _ range: Range<Int>) -> Bool {
        guard !relocations[index].contains(where: { range.contains(Int(clamping: $0.offset)) }) else { return false }
        guard section.data.count >= range.upperBound else { return true }
        let bytes = section.data[range]
        return section.isExecutable ? architecture.isPadding(bytes) : bytes.allSatisfy { $0 == 0 }
    }

    private func kind(of section: ELFSection) -> Piece.Kind {
        if section.name.hasPrefix(hooksPrefix) { return .hook }
        if section.isExecutable { return .function }
        return section.isWritable && !SectionName.isReadOnly(section.name) ? .variable : .constant
    }

    /// Code that belongs to the entries of a table: each piece begins where an entry leads to, and is as long as the entry says, or else
    /// ends where the next piece begins.
    private mutating func divideByTable(_ table: SpecialTable, _ index: Int) {
        let size = Int(file.sections[index].size)
        var starts: Set<Int> = [0], known: Set<Range<Int>> = []
        for table in tables where table.replacement?.section == file.sections[index].name && table.fields.count > 1 {
            for entry in TableEntries(table, in: file, relocations: relocations) {
                guard let place = entry.place(of: table.fields[1], in: file), place.section == index, (0..<size).contains(place.offset) else { continue }
                if let length = entry.replacementLength {
                    let range = place.offset..<min(place.offset + length, size)
                    if !range.isEmpty, known.insert(range).inserted { add(.code, index, range) }
                } else {
                    starts.insert(place.offset)
                }
            }
        }
        guard table.replacement?.lengthOffset == nil else { return }
        let bounds = starts.sorted()
        for (start, end) in zip(bounds, bounds.dropFirst() + [size]) where start < end { add(.code, index, start..<end) }
    }
}
