import ELFModel
import TargetArchitecture

extension PayloadLoader {
    mutating func relocate() throws(Stop) {
        for section in sections.dropFirst() {
            guard section.type == ELF.SectionType.rela || section.type == ELF.SectionType.rel else { continue }
            guard section.info < UInt32(sections.count) else { continue }
            guard section.info != 0 else {
                throw .crash("relocations \(section.name) apply to section 0: a null pointer is followed")
            }
            guard sections[Int(section.info)].isLoaded else { continue }
            guard section.link == UInt32(symbolTable) else {
                throw .refuse(.relocation, .invalid, "relocations \(section.name) do not link to the symbol table")
            }
            guard section.size > 0 else { continue }
            let isRela = section.type == ELF.SectionType.rela
            guard section.entrySize >= (isRela ? file.relaSize : file.relSize), section.size % section.entrySize == 0 else {
                throw .refuse(.relocation, .invalid, "relocations \(section.name): the size or the entry size is wrong")
            }
            if !isRela { try checkTablesWithoutAddends(section) }
            for number in 0..<section.size / section.entrySize {
                let place = section.offset + number * section.entrySize
                try checkAligned(place, "in the file, relocation \(number) of \(section.name)")
                guard let relocation = file.relocation(at: place, hasAddend: isRela) else {
                    throw .refuse(.relocation, .invalid, "relocation \(number) of \(section.name): past the file's end")
                }
                try perform(relocation, "relocation \(number) of \(section.name)", to: Int(section.info))
            }
        }
    }

    private func checkTablesWithoutAddends(_ section: RawELF.Section) throws(Stop) {
        let reason = "relocations \(section.name) have no addends (SHT_REL)"
        switch rules.tablesWithoutAddends {
        case .performed: break
        case .notSupported: throw .refuse(.relocation, .notSupported, reason)
        case .notImplemented: throw .refuseSilently(.relocation, .notImplemented, reason)
        }
    }

    /// - Parameter title: the relocation's place in the file, to start a sentence with.
    private mutating func perform(_ relocation: RawELF.Relocation, _ title: String, to target: Int) throws(Stop) {
        func fault(_ error: LoadResult.ErrorNumber, _ reason: String) -> Stop { .refuse(.relocation, error, "\(title): \(reason)") }
        guard let base = memory.address(of: target) else { throw .crash("\(title): its section has no place") }
        let kind = architecture.relocationKind(relocation.type)
        let place = (base &+ relocation.offset) & file.lastAddress

        // An addend that is stored in place is read before any check.
        var addend = relocation.addend ?? 0
        if relocation.addend == nil, let kind, kind.width > 0, kind.loading != .refused {
            addend = kind.field.addend(in: try number(at: place, kind, title))
        }

        guard relocation.symbol != 0 else { throw fault(.notSupported, "it has no symbol") }
        guard relocation.symbol < symbols.count else { throw fault(.invalid, "symbol \(relocation.symbol) is past the last one") }
        let symbol = symbols[relocation.symbol]
        guard !symbol.isIgnored || !behaviour.refusesSymbolsNotLoaded else {
            throw fault(.invalid, "'\(symbol.name.text)' is in a section that is not loaded")
        }

        let size = sections[target].size
        func checkPlace(_ count: UInt64) throws(Stop) {
            guard relocation.offset < size, size - relocation.offset >= count else {
                throw fault(.invalid, "its place is outside section \(sections[target].name)")
            }
        }
        if case .beforeType(let bytes) = rules.placeCheck { try checkPlace(bytes) }
        guard !rules.undescribedRelocations.contains(relocation.type) else {
            throw .unknown("\(title): this program does not know type \(relocation.type)")
        }
        guard let kind, architecture.loaded(relocation.type, symbol: 0, addend: 0, at: 0, in: 0) != nil else {
            throw fault(.notSupported, "the loader does not take type \(kind?.name ?? String(relocation.type))")
        }
        guard kind.width > 0 else { return }
        if rules.placeCheck != .never { try checkPlace(UInt64(kind.width)) }
        try store(kind, relocation.type, symbol, addend, at: place, title)
        if symbol.section == 0, hypervisor.isFreedAfterBoot(symbol.value) {
            freedUses.append(FreedUse(name: symbol.name.text, section: target, place: place))
        }
        if relocation.offset >= size || size - relocation.offset < UInt64(kind.width) {
            spoil("\(title): what follows section \(sections[target].name) is overwritten")
        }
    }

    private mutating func store(
        _ kind: RelocationKind, _ type: UInt32, _ symbol: RawELF.Symbol, _ addend: Int64, at place: UInt64, _ title: String
    ) throws(Stop) {
        let old = try number(at: place, kind, title)
        guard let stored = architecture.loaded(type, symbol: symbol.value, addend: addend, at: place, in: old),
            let meant = kind.result(symbol.value &+ UInt64(bitPattern: addend), at: place)
        else { throw .unknown("\(title): this program does not know \(kind.name)") }
        guard memory.store(architecture.byteOrder.bytes(stored.number, count: kind.width), at: place) else {
            throw .crash("\(title): it writes past the payload's pages")
        }
        let name = describe(symbol, addend &+ kind.bias)
        guard stored.fits else { throw .refuse(.relocation, .overflow, "\(title): \(name) is too far away for \(kind.name)") }
        let clean = architecture.loaded(type, symbol: symbol.value, addend: addend, at: place, in: old & ~kind.field.mask)
        if clean != stored { spoil("\(title): what stood at its place is mixed with \(name)") }
        if let fault = fault(of: stored, kind, meant: meant, in: old, name) { spoil("\(title): \(fault)") }
        if symbol.isIgnored { spoil("\(title): \(name) is in a section that is not loaded, and is taken for an address") }
    }

    /// How the stored value differs from the intended one, as a sentence; nil if they are the same.
    private func fault(
        of stored: LoadedField, _ kind: RelocationKind, meant: UInt64, in old: UInt64, _ name: String
    ) -> String? {
        if !kind.holds(meant, addressSize: pointerSize) { return "\(name) is too far away for \(kind.name), and a part of the distance is stored" }
        if !kind.field.dropsLowBits, meant & (1 << UInt64(kind.field.shift) - 1) != 0 {
            return "\(name) is not where \(kind.name) can lead to, at a multiple of \(1 << kind.field.shift)"
        }
        if stored.number == kind.field.storing(meant, in: old) { return nil }
        if case .wrong(let reason) = kind.loading { return "\(reason), so \(name) is missed" }
        return "the addend is left out, so \(name) is missed"
    }

    /// Describes a place: the symbol, or its section if the symbol has no name, and the distance from it.
    private func describe(_ symbol: RawELF.Symbol, _ distance: Int64) -> String {
        let section = Int(symbol.section)
        let name = symbol.name.isEmpty && sections.indices.contains(section) ? sections[section].name : "'\(symbol.name.text)'"
        return distance == 0 ? name : "\(name) \(distance < 0 ? "-" : "+") \(distance.magnitude)"
    }

    /// The number that is stored where a relocation writes.
    private func number(at place: UInt64, _ kind: RelocationKind, _ title: String) throws(Stop) -> UInt64 {
        try checkAligned(place, "\(title): its place")
        guard let bytes = memory.bytes(at: place, count: kind.width) else {
            throw .crash("\(title): it writes past the payload's pages")
        }
        return architecture.byteOrder.number(bytes)
    }
}
