import ELFModel
import TargetArchitecture

extension ObjectGraph {
    /// Splits an object file into items.
    ///
    /// - Parameter file: a relocatable file that `ELFFile.read` accepted.
    package init(_ object: ObjectID, file: ELFFile, architecture: any TargetArchitecture, roles: SectionRoles) {
        let file = file.withSeparateAddends(architecture)
        var builder = Builder<Side>(file: file, architecture: architecture, roles: roles)
        builder.collectRelocations()
        builder.makeItems()
        builder.makeReplacementCode()
        builder.indexItems()
        builder.makeReferences()
        builder.makeEntries()
        builder.findColdParts()
        self.init(
            object: object, fileSymbols: file.symbols.filter(\.isFile).map(\.name), file: file, items: builder.items,
            oddities: builder.oddities)
    }

    /// An object whose content is ignored.
    init(empty object: ObjectID, file: ELFFile) { self.init(object: object, fileSymbols: [], file: file, items: [], oddities: []) }
}

private struct Builder<Side: ComparisonSide> {
    typealias Item = ObjectDiff.Item<Side>
    typealias Reference = Item.Reference
    typealias TableEntry = Item.TableEntry

    let file: ELFFile
    let architecture: any TargetArchitecture
    let roles: SectionRoles
    let sectionRoles: [SectionRole]
    var items: [Item] = []
    var oddities: [Oddity] = []
    /// The relocations of each section, sorted by offset.
    var relocations: [[ELFRelocation]]
    /// The items of each section, sorted by offset.
    var itemsBySection: [[Item.ID]]
    /// For each table's section: the code that belongs to an entry, by the entry's offset.
    var codeByEntry: [Int: [Int: Item.ID]] = [:]

    init(file: ELFFile, architecture: any TargetArchitecture, roles: SectionRoles) {
        self.file = file
        self.architecture = architecture
        self.roles = roles
        self.sectionRoles = file.sections.map(roles.role)
        self.relocations = Array(repeating: [], count: file.sections.count)
        self.itemsBySection = Array(repeating: [], count: file.sections.count)
    }

    mutating func collectRelocations() {
        for section in file.sections where section.isRelocations {
            let target = Int(section.info)
            guard relocations.indices.contains(target) else { continue }
            relocations[target] += section.relocations
        }
        for index in relocations.indices { relocations[index].sort { $0.offset < $1.offset } }
    }

    // MARK: Items

    mutating func makeItems() {
        var symbolsBySection: [[ELFSymbol]] = Array(repeating: [], count: file.sections.count)
        for symbol in file.symbols where !symbol.isSection && !symbol.isFile {
            if symbol.place == .common {
                oddities.append(Oddity(section: Oddity.common, reason: "common symbol \(symbol.name) of \(symbol.size) bytes"))
            }
            guard let section = symbol.sectionIndex, !architecture.isMappingSymbol(symbol.name) else { continue }
            symbolsBySection[section].append(symbol)
        }
        for (index, section) in file.sections.enumerated() {
            switch sectionRoles[index] {
            case .ignored, .table, .replacementCode: continue
            default: break
            }
            guard section.isZeroFilled || section.data.count == Int(clamping: section.size) else {
                oddities.append(Oddity(section: section.name, reason: "it has no bytes"))
                continue
            }
            if section.isMergeable, section.entrySize > 0, section.entrySize <= UInt64(section.data.count) {
                splitMergeable(section, index)
            } else {
                splitBySymbols(section, index, symbolsBySection[index])
            }
        }
    }

    private mutating func add(
        _ kind: Item.Kind, section index: Int, offset: Int, size: Int, symbolSize: Int? = nil, names: [ELFSymbol] = []
    ) {
        let section = file.sections[index]
        // Prefer a name that other objects can see and that none of them can take over, then the first that the compiler wrote.
        let weak = names.filter { $0.binding == ELF.Binding.weak }
        let first = names.first { !$0.isLocal && !weak.contains($0) } ?? weak.first ?? names.first
        var alignment = max(section.alignment, 1)
        while offset % Int(clamping: alignment) != 0 { alignment /= 2 }
        items.append(
            Item(
                id: Item.ID(index: items.count), kind: kind, role: sectionRoles[index], name: first?.name ?? "",
                isGlobal: first.map { !$0.isLocal } ?? false, weakNames: Set(weak.map(\.name)),
                aliases: names.map(\.name).filter { $0 != first?.name }, section: index, offset: offset, size: size,
                symbolSize: symbolSize ?? size, alignment: alignment, isZeroFilled: section.isZeroFilled))
    }

    private mutating func splitMergeable(_ section: ELFSection, _ index: Int) {
        let unit = Int(clamping: section.entrySize)
        guard section.isStringTable else {
            for offset in stride(from: 0, to: section.data.count, by: unit) {
                add(.constant, section: index, offset: offset, size: min(unit, section.data.count - offset))
            }
            return
        }
        var start = 0
        var offset = 0
        while offset < section.data.count {
            let end = min(offset + unit, section.data.count)
            let isEnd = section.data[offset..<end].allSatisfy { $0 == 0 }
            offset = end
            if isEnd || offset == section.data.count {
                add(.string, section: index, offset: start, size: offset - start)
                start = offset
            }
        }
    }

    private mutating func splitBySymbols(_ section: ELFSection, _ index: Int, _ symbols: [ELFSymbol]) {
        let kind: Item.Kind = section.isExecutable ? .function : .data
        let size = Int(clamping: section.size)
        let sized = symbols.filter { $0.size > 0 && ($0.isFunction || $0.isObject || $0.type == ELF.SymbolType.notype) }
        let byPlace = Dictionary(grouping: sized, by: \.value).sorted { $0.key < $1.key }
        var cursor = 0
        for (place, names) in byPlace {
            let start = Int(clamping: place)
            // A symbol inside the previous one is another name for a part of it.
            guard start >= cursor else { continue }
            let length = Int(clamping: names.map(\.size).max() ?? 0)
            guard start <= size, length <= size - start else {
                oddities.append(Oddity(section: section.name, reason: "\(names[0].name) reaches beyond the section's end"))
                continue
            }
            addGap(kind, index, from: cursor, to: start, labels: symbols)
            // In a section of its own, a function includes the code that the assembler put behind it.
            let tail = section.data.dropFirst(start + length)
            let end = kind == .function && byPlace.count == 1 && !architecture.isPadding(tail) ? size : start + length
            add(kind, section: index, offset: start, size: end - start, symbolSize: length, names: names)
            cursor = end
        }
        addGap(kind, index, from: cursor, to: size, labels: symbols)
        // An array without elements is all that its section has.
        let empty = size == 0 ? symbols.filter(\.isObject) : []
        if !empty.isEmpty { add(kind, section: index, offset: 0, size: 0, names: empty) }
    }

    /// Handles bytes that no sized symbol covers: padding, or something without a name.
    private mutating func addGap(_ kind: Item.Kind, _ index: Int, from start: Int, to end: Int, labels: [ELFSymbol]) {
        guard start < end else { return }
        let section = file.sections[index]
        let labelled = labels.filter {
            $0.size == 0 && !$0.name.hasPrefix(".L") && $0.value >= UInt64(start) && $0.value < UInt64(end)
        }
        let isFilled = relocations[index].contains { $0.offset >= UInt64(start) && $0.offset < UInt64(end) }
        // A section that consists of one gap is data without a name, even when it is all zero.
        let isWholeSection = start == 0 && end == Int(clamping: section.size)
        if labelled.isEmpty, !isFilled, !isWholeSection {
            if section.isZeroFilled { return }
            let bytes = section.data[start..<end]
            if kind == .function ? architecture.isPadding(bytes) : bytes.allSatisfy({ $0 == 0 }) { return }
        }
        add(kind, section: index, offset: start, size: end - start, names: labelled.filter { $0.value == UInt64(start) })
    }

    // MARK: Fixups and replacements

    /// Splits the sections of fixups and replacement code at the places that tables lead to.
    mutating func makeReplacementCode() {
        var startsBySection: [Int: Set<Int>] = [:]
        for (index, role) in sectionRoles.enumerated() {
            guard case .table(let table) = role, let code = table.replacement, table.fields.count > 1, table.entrySize > 0,
                let target = file.sections.firstIndex(where: { $0.name == code.section })
            else { continue }
            for start in stride(from: 0, to: file.sections[index].data.count, by: table.entrySize) {
                let field = table.fields[1]
                guard let relocation = relocation(in: index, at: start + field.offset),
                    let place = place(of: relocation, field: field), place.section == target
                else { continue }
                if let lengthOffset = code.lengthOffset {
                    let length = Int(byte(of: index, at: start + lengthOffset))
                    guard place.offset >= 0, place.offset <= file.sections[target].data.count - length else { continue }
                    codeByEntry[index, default: [:]][start] = Item.ID(index: items.count)
                    add(.replacementCode, section: target, offset: place.offset, size: length)
                } else {
                    startsBySection[target, default: []].insert(place.offset)
                }
            }
        }
        for (target, starts) in startsBySection.sorted(by: { $0.key < $1.key }) {
            let size = file.sections[target].data.count
            let bounds = starts.filter { $0 >= 0 && $0 < size }.sorted()
            if let first = bounds.first, first > 0 { add(.replacementCode, section: target, offset: 0, size: first) }
            for (start, end) in zip(bounds, bounds.dropFirst() + [size]) {
                add(.replacementCode, section: target, offset: start, size: end - start)
            }
        }
    }

    private func byte(of section: Int, at offset: Int) -> UInt8 {
        let data = file.sections[section].data
        return data.indices.contains(offset) ? data[offset] : 0
    }

    private func relocation(in section: Int, at offset: Int) -> ELFRelocation? {
        let list = relocations[section]
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].offset < UInt64(offset) { low = middle + 1 } else { high = middle }
        }
        return low < list.count && list[low].offset == UInt64(offset) ? list[low] : nil
    }

    /// The place that a table's field refers to; nil if it can't be found.
    private func place(of relocation: ELFRelocation, field: SpecialTable.Field) -> (section: Int, offset: Int)? {
        let symbol = file.symbols[relocation.symbol]
        guard let section = symbol.sectionIndex else { return nil }
        let distance = Self.distance(relocation.addend, field)
        return (section, Int(clamping: Int64(clamping: symbol.value) &+ distance))
    }

    private static func distance(_ addend: Int64, _ field: SpecialTable.Field) -> Int64 {
        let shift = Int64(64 - field.bits)
        return (addend << shift) >> shift - field.bias
    }

    // MARK: References

    mutating func indexItems() {
        for item in items { itemsBySection[item.section].append(item.id) }
        for section in itemsBySection.indices {
            itemsBySection[section].sort { (items[$0.index].offset, items[$0.index].size) < (items[$1.index].offset, items[$1.index].size) }
        }
    }

    /// The last item that starts at or before an offset. For an offset before all items, the first item.
    private func item(in section: Int, at offset: Int) -> Item.ID? {
        let list = itemsBySection[section]
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if items[list[middle].index].offset <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? list[low - 1] : list.first
    }

    /// - Parameter distance: from the symbol to the place meant, in bytes; nil when it is not known.
    private func reference(_ relocation: ELFRelocation, offset: Int, distance: Int64?) -> Reference {
        let symbol = file.symbols[relocation.symbol]
        var reference = Reference(
            offset: offset, type: relocation.type, target: .external(symbol.name), addend: relocation.addend,
            distance: distance ?? relocation.addend)
        switch symbol.place {
        case .undefined, .common, .reserved: return reference
        case .absolute:
            reference.target = .absolute(symbol.value)
            return reference
        case .section(let section):
            let value = Int64(clamping: symbol.value)
            let target: Item.ID?
            if !symbol.isSection {
                target = item(in: section, at: Int(clamping: value))
            } else if itemsBySection[section].count == 1 {
                target = itemsBySection[section].first
            } else {
                target = distance.flatMap { item(in: section, at: Int(clamping: value &+ $0)) }
                reference.isBySection = isUnclear(section)
            }
            // Another object can take over a weak name, and leave the place its other names.
            if let target, symbol.binding == ELF.Binding.weak, !items[target.index].aliases.isEmpty { return reference }
            guard let target else {
                reference.target = .unclear(section: file.sections[section].name)
                return reference
            }
            if Self.isAnchor(symbol), itemsBySection[section].count > 1 { reference.isBySection = true }
            let shift = value - Int64(items[target.index].offset)
            reference.target = .item(target)
            reference.addend &+= shift
            reference.distance &+= shift
            return reference
        }
    }

    /// Whether a place in the section does not say which of its items is meant.
    ///
    /// A compiler refers to code by a label at exactly that place. For strings and constants that a linker may merge, an assembler uses the
    /// symbol of the section only if the reference leads to the start of one (`adjust_reloc_syms` of gas; `shouldRelocateWithSymbol` of LLVM).
    private func isUnclear(_ section: Int) -> Bool { !file.sections[section].isExecutable && !file.sections[section].isMergeable }

    /// Whether GCC reaches several variables of one section from this symbol (`-fsection-anchors`).
    private static func isAnchor(_ symbol: ELFSymbol) -> Bool { symbol.isLocal && symbol.name.hasPrefix(".LANCHOR") }

    mutating func makeReferences() {
        for (section, list) in itemsBySection.enumerated() where !relocations[section].isEmpty {
            var next = 0
            let all = relocations[section]
            for id in list {
                let item = items[id.index]
                let end = item.offset + item.size
                while next < all.count, all[next].offset < UInt64(item.offset) { next += 1 }
                let own = all[next...].prefix { $0.offset < UInt64(end) }
                let distances = distances(of: own, in: item)
                items[id.index].references = zip(own, distances).map { relocation, distance in
                    reference(relocation, offset: Int(clamping: relocation.offset) - item.offset, distance: distance)
                }
            }
        }
    }

    /// The distance from the symbol to the place meant, for each relocation of an item, in bytes; nil when it can't be worked out.
    private func distances(of relocations: ArraySlice<ELFRelocation>, in item: Item) -> [Int64?] {
        guard item.kind == .function || item.kind == .replacementCode else { return relocations.map(\.addend) }
        let data = file.sections[item.section].data
        let code = item.offset + item.size <= data.count ? data[item.offset..<item.offset + item.size] : []
        let fields = relocations.map { relocation in
            let start = Int(clamping: relocation.offset)
            return (relocation: relocation, slot: start..<start + (architecture.relocationKind(relocation.type)?.width ?? 0))
        }
        // Only an instruction shows whether an immediate value follows the field, which moves the place that a processor counts from.
        return zip(relocations, architecture.distances(of: fields, in: code)).map { relocation, distance in
            distance ?? (hasManyTargets(relocation) ? nil : relocation.addend &+ (architecture.relocationKind(relocation.type)?.bias ?? 0))
        }
    }

    /// Whether only the distance says which item is meant.
    private func hasManyTargets(_ relocation: ELFRelocation) -> Bool {
        let symbol = file.symbols[relocation.symbol]
        guard symbol.isSection, let section = symbol.sectionIndex else { return false }
        return itemsBySection[section].count > 1
    }

    // MARK: Table entries

    mutating func makeEntries() {
        // Sort tables by name: their order in an object depends on which function needed one first.
        for index in file.sections.indices.sorted(by: { file.sections[$0].name < file.sections[$1].name }) {
            guard case .table(let table) = sectionRoles[index] else { continue }
            let section = file.sections[index]
            guard table.entrySize > 0, section.data.count % table.entrySize == 0 else {
                oddities.append(
                    Oddity(
                        section: section.name,
                        reason: "its size of \(section.size) bytes is not a multiple of an entry's \(table.entrySize)"))
                addOdd(index, from: 0, to: section.data.count)
                continue
            }
            var next = 0
            let all = relocations[index]
            for start in stride(from: 0, to: section.data.count, by: table.entrySize) {
                var entry = TableEntry(
                    table: table, bytes: Array(section.data[start..<start + table.entrySize]), references: [])
                while next < all.count, all[next].offset < UInt64(start + table.entrySize) {
                    let relocation = all[next]
                    next += 1
                    let offset = Int(clamping: relocation.offset) - start
                    if table.unreadWords.contains(offset) { continue }
                    let field = table.fields.first { $0.offset == offset }
                    if field == nil {
                        oddities.append(Oddity(section: section.name, reason: "an entry has a pointer at byte \(offset)"))
                    }
                    var made = reference(
                        relocation, offset: offset, distance: field.map { Self.distance(relocation.addend, $0) })
                    if field == table.fields.dropFirst().first, let code = codeByEntry[index]?[start] {
                        // Replacement code of length 0 has the same place as the next replacement. The entry says which one belongs to
                        // it.
                        made.target = .item(code)
                    }
                    entry.references.append(made)
                }
                guard let owner = owner(of: entry) else {
                    oddities.append(Oddity(section: section.name, reason: "an entry belongs to no function"))
                    addOdd(index, from: start, to: start + table.entrySize)
                    continue
                }
                items[owner.index].entries.append(entry)
            }
        }
    }

    /// Keeps what could not be understood as unnamed data, so that a difference in it is noticed.
    private mutating func addOdd(_ index: Int, from start: Int, to end: Int) {
        add(.data, section: index, offset: start, size: end - start)
        let made = items.count - 1
        items[made].references = relocations[index].filter { $0.offset >= UInt64(start) && $0.offset < UInt64(end) }
            .map { reference($0, offset: Int(clamping: $0.offset) - start, distance: $0.addend) }
    }

    private func owner(of entry: TableEntry) -> Item.ID? {
        guard let field = entry.table.fields.first,
            let reference = entry.references.first(where: { $0.offset == field.offset }),
            case .item(let owner) = reference.target
        else { return nil }
        return owner
    }

    // MARK: Cold parts

    /// GCC moves unlikely code out of a function: `foo` and `foo.cold` (`foo.cold.3` before GCC 9) are one function.
    mutating func findColdParts() {
        // Look functions up by all their names: a static function with a global alias is named by the alias, but its cold part is not.
        var functions: [String: Item.ID] = [:]
        for item in items where item.kind == .function && parentName(ofColdPart: item.name) == nil {
            for alias in item.aliases { functions[alias] = item.id }
        }
        for item in items where item.kind == .function && item.isNamed { functions[item.name] = item.id }
        for index in items.indices where items[index].kind == .function {
            guard let parent = parentName(ofColdPart: items[index].name) else { continue }
            items[index].parent = functions[parent]
        }
    }
}

private func parentName(ofColdPart name: String) -> String? {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    if let last = parts.last, !last.isEmpty, last.allSatisfy(\.isNumber) { parts.removeLast() }
    guard parts.count > 1, parts.last == "cold" else { return nil }
    return parts.dropLast().joined(separator: ".")
}
