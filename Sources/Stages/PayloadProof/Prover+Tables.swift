import ELFModel
import LoaderModel
import TargetArchitecture
import XenVersions

/// The entries of the payload's special tables that nothing has explained yet, and the functions whose entries have been found.
struct TableState {
    /// An entry of the payload, by the section's name and the place that its first field leads to.
    struct Place: Hashable {
        var section: String
        var target: UInt64
    }

    /// The addresses of the entries, in their order.
    fileprivate(set) var free: [Place: [UInt64]] = [:]
    fileprivate var isRead = false
    fileprivate var done: Set<Prover.Key> = []
    /// The entries of each object, by the pieces that own them.
    fileprivate var entries: [Int: [Int: [ObjectEntry]]] = [:]
}

// Each function in the payload must have the entries that its object has, and no others.
extension Prover {
    /// Finds the entries of the functions that have a place by now, and checks them.
    mutating func checkTables() {
        readTables()
        for (key, address) in places.sorted(by: { $0.value < $1.value }) where piece(key).kind == .function && tableState.done.insert(key).inserted {
            for entry in entries(of: key) { check(entry, of: key, at: address) }
        }
    }

    /// Reads the payload's tables, once.
    private mutating func readTables() {
        guard !tableState.isRead else { return }
        tableState.isRead = true
        for table in tables {
            guard let first = table.fields.first, table.entrySize > 0 else { continue }
            for section in payload.sections where section.name == table.section {
                for start in stride(from: 0, to: section.bytes.count - section.bytes.count % table.entrySize, by: table.entrySize) {
                    let slot = section.bytes[(start + first.offset)...].prefix(4)
                    let number = Int64(bitPattern: architecture.byteOrder.number(slot)), unused = Int64(max(0, 64 - min(first.bits, 32)))
                    let place = section.address &+ UInt64(start),
                        target = place &+ UInt64(first.offset) &+ UInt64(bitPattern: (number << unused) >> unused &- first.bias)
                    tableState.free[.init(section: table.section, target: target & addressMask), default: []].append(place)
                }
            }
        }
    }

    private mutating func entries(of key: Key) -> [ObjectEntry] {
        if tableState.entries[key.object] == nil { tableState.entries[key.object] = objects[key.object].entriesByOwner(tables) }
        return tableState.entries[key.object]?[key.piece] ?? []
    }

    private mutating func check(_ entry: ObjectEntry, of key: Key, at address: UInt64) {
        let table = entry.table, index = objects[key.object], name = title(key)
        guard let first = table.fields.first, let owned = entry.place(of: first, in: index.file) else { return }
        let offset = owned.offset - piece(key).range.lowerBound
        let target = (address &+ UInt64(bitPattern: Int64(offset))) & addressMask
        guard let place = takeEntry(table.section, leadingTo: target), let memory = payload.bytes(at: place, count: table.entrySize) else {
            return fail(.tableEntry, name, at: offset, "the payload lacks its entry in \(table.section)")
        }
        guard table.isLoaded else {
            return fail(.tableEntry, name, at: offset, "it has an entry in \(table.section), which the hypervisor ignores in a payload")
        }
        payload.explain(place, count: table.entrySize, alignment: table.alignment)
        var meant = entry.bytes
        for word in table.unreadWords where word + 4 <= meant.count { meant.replaceSubrange(word..<word + 4, with: memory.dropFirst(word).prefix(4)) }
        for relocation in entry.relocations {
            let at = Int(relocation.offset) - entry.start
            if table.unreadWords.contains(at) { continue }
            guard let field = table.fields.first(where: { $0.offset == at }), let kind = architecture.relocationKind(relocation.type),
                kind.width > 0, kind.value != .other, at + kind.width <= meant.count
            else {
                fail(.unknown, table.section, at: entry.start + at, "the object's entry has a relocation where none is known")
                continue
            }
            let slot = at..<at + kind.width, number = architecture.byteOrder.number(memory.dropFirst(at).prefix(kind.width))
            let mine = architecture.byteOrder.number(meant[slot])
            meant.replaceSubrange(slot, with: architecture.byteOrder.bytes(mine & ~kind.field.mask | number & kind.field.mask, count: kind.width))
            let reference = Reference(
                subject: name, offset: offset, user: key, relocation: relocation, kind: kind, place: place &+ UInt64(at), number: number, isInPayload: true,
                isCode: false,
                tableField: field)
            check(reference, of: entry, of: key)
        }
        guard meant.elementsEqual(memory) else { return fail(.bytes, name, at: offset, "its entry in \(table.section) is not the object's") }
        proof.tableEntries += 1
    }

    /// Entries with the same place are in the order of the object.
    private mutating func takeEntry(_ section: String, leadingTo target: UInt64) -> UInt64? {
        let place = TableState.Place(section: section, target: target)
        guard let entry = tableState.free[place]?.first else { return nil }
        tableState.free[place]?.removeFirst()
        return entry
    }

    private mutating func check(_ reference: Reference, of entry: ObjectEntry, of owner: Key) {
        let index = objects[owner.object], field = reference.tableField
        // A field leads to a place, so what covers that place is meant. Replacement code can have the same place as the next one's start.
        if let field, let place = entry.place(of: field, in: index.file) {
            if field.text == .inHypervisor || field.text == .betterInHypervisor, checkText(reference, at: place, in: owner.object, field) { return }
            if let length = entry.replacementLength, length == 0, field == entry.table.fields.dropFirst().first { return }
            guard let covering = self.covering(place, length: field == entry.table.fields.dropFirst().first ? entry.replacementLength : nil, in: index) else {
                return fail(.unknown, reference.subject, at: reference.offset, "its entry in \(entry.table.section) leads to nothing in the object")
            }
            let value = index.file.symbols[reference.relocation.symbol].value
            return settle(ReferenceGroup(references: [reference]), .piece(Key(object: owner.object, piece: covering), anchor: Int(clamping: value)))
        }
        follow([reference], of: owner)
    }

    private func covering(_ place: (section: Int, offset: Int), length: Int?, in index: ObjectIndex) -> Int? {
        if let length, let exact = index.pieces(in: place.section).first(where: { index.pieces[$0].range == place.offset..<place.offset + length }) {
            return exact
        }
        return index.piece(in: place.section, at: place.offset)
    }

    /// The hypervisor takes some texts from its own image only. There, the end of a file's path will do.
    ///
    /// - Returns: whether the field leads to the hypervisor's image, and has been judged.
    private mutating func checkText(_ reference: Reference, at place: (section: Int, offset: Int), in object: Int, _ field: SpecialTable.Field) -> Bool {
        let data = objects[object].file.sections[place.section].data
        let group = ReferenceGroup(references: [reference])
        guard let anchor = group.anchor(addressSize: addressSize), data.indices.contains(place.offset), let end = data[place.offset...].firstIndex(of: 0) else {
            return false
        }
        // The field's addend counts from the object's section, but the text is not there.
        let address = (anchor &+ UInt64(bitPattern: field.distance(in: reference.relocation.addend))) & addressMask
        guard !payload.contains(address) else { return false }
        return judge(text: data[place.offset...end], at: address, field, group)
    }

    private mutating func judge(text: ArraySlice<UInt8>, at address: UInt64, _ field: SpecialTable.Field, _ group: ReferenceGroup) -> Bool {
        guard input.running.bytes(at: address, count: text.count)?.elementsEqual(text) != true else {
            proof.references += 1
            return true
        }
        guard field.text == .inHypervisor else { return false }
        let slash = UInt8(ascii: "/")
        let ends = text.indices.filter { text[$0] == slash }.map { text[($0 + 1)...] } + [text.suffix(1)]
        guard ends.contains(where: { input.running.bytes(at: address, count: $0.count)?.elementsEqual($0) == true }) else {
            fail(
                .reference, group.references.first?.subject ?? "", at: group.references.first?.offset,
                "the text at \(hexadecimal(address)) is not the file's name")
            return true
        }
        proof.references += 1
        trust(.fileName, String(decoding: text.dropLast(), as: UTF8.self), evidence: "the hypervisor has only the end of the name")
        return true
    }

    /// Reports the entries that no function explains, and tables that do not hold whole entries.
    mutating func checkWholeTables() {
        for (place, entries) in tableState.free.sorted(by: { ($0.key.section, $0.key.target) < ($1.key.section, $1.key.target) }) {
            for entry in entries {
                fail(.tableEntry, place.section, "the entry at \(hexadecimal(entry)) leads to \(self.place(place.target)), where the object has none")
            }
        }
        for section in payload.sections {
            guard let table = tables.first(where: { $0.section == section.name }), section.bytes.count % table.entrySize != 0 else { continue }
            fail(.tableEntry, section.name, "it does not hold whole entries of \(table.entrySize) bytes")
        }
        for index in objects {
            for table in tables where !TableEntries(table, in: index.file, relocations: index.relocations).isWhole {
                fail(.unknown, table.section, "in \(index.name) it does not hold whole entries of \(table.entrySize) bytes")
            }
        }
    }
}
