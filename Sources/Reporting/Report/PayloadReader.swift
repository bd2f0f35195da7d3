import Diagnostics
import ELFModel
import XenSource
import XenVersions

/// Reads a payload's sections. Checks every offset and index that they hold, because the file is untrusted.
struct PayloadReader {
    var elf: ELFFile
    var file: String

    static func letters(_ section: ELFSection) -> String {
        (section.isAllocated ? "A" : "") + (section.isWritable ? "W" : "") + (section.isExecutable ? "X" : "")
    }

    func section(at index: Int) -> ELFSection? {
        elf.sections.indices.contains(index) ? elf.sections[index] : nil
    }

    func index(of name: String) -> Int? { elf.sections.firstIndex { $0.name == name } }

    /// The entries of the functions section, and the payload's format. A payload that only has hooks needs no such section.
    func functions() throws(InputError) -> (PayloadABI, [PayloadInspection.Function]) {
        let formats: [PayloadABI] = [.livepatchV2, .xspliceV1]
        guard
            let (format, sectionIndex) = formats.lazy.compactMap({ abi in
                index(of: abi.functionsSection).map { (abi, $0) }
            }).first
        else {
            if let abi = formats.first(where: { abi in elf.sections.contains { $0.name.hasPrefix(abi.hooksPrefix) } }) { return (abi, []) }
            let names = formats.map(\.functionsSection).joined(separator: " or ")
            throw InputError(file: file, reason: "is not a payload: it has no section \(names)")
        }
        let section = elf.sections[sectionIndex]
        let pointer = elf.header.elfClass.addressSize
        var abi = format
        if !section.data.isEmpty {
            // The version is at the same place in all formats.
            guard let version = number(section, at: FunctionEntry.Layout(abi, pointerSize: pointer).version, size: 1) else {
                throw InputError(file: file, reason: "\(section.name) is cut short")
            }
            abi.version = UInt8(truncatingIfNeeded: version)
        }
        let layout = FunctionEntry.Layout(abi, pointerSize: pointer)
        guard section.data.count.isMultiple(of: layout.size) else {
            throw InputError(
                file: file,
                reason: "\(section.name) has \(section.data.count) bytes, which is no multiple of an entry of "
                    + "\(abi.displayName) (\(layout.size))")
        }
        let targets = relocationTargets(of: sectionIndex)
        var functions: [PayloadInspection.Function] = []
        for base in stride(from: 0, to: section.data.count, by: layout.size) {
            guard let entry = FunctionEntry(section.data[base..<base + layout.size], layout: layout, byteOrder: elf.header.byteOrder) else { continue }
            functions.append(
                PayloadInspection.Function(
                    name: targets[UInt64(base + layout.name)].flatMap(string) ?? "?", oldSize: Int(entry.oldSize), newSize: Int(entry.newSize),
                    replacement: targets[UInt64(base + layout.newAddress)].flatMap(symbolName),
                    oldAddress: entry.oldAddress == 0 ? nil : "0x" + String(entry.oldAddress, radix: 16), version: Int(entry.version)))
        }
        return (abi, functions)
    }

    func hooks(prefix: String) -> [PayloadInspection.Hook] {
        elf.sections.indices.filter { elf.sections[$0].name.hasPrefix(prefix) }.map { index in
            let section = elf.sections[index]
            let functions = relocationTargets(of: index).sorted { $0.key < $1.key }
                .compactMap { symbolName($0.value) }
            return PayloadInspection.Hook(name: String(section.name.dropFirst(prefix.count)), functions: functions)
        }
    }

    /// The texts in a section, each ended by a zero byte.
    func texts(_ name: String) -> [String] {
        index(of: name).map { PayloadABI.texts(in: elf.sections[$0].data) } ?? []
    }

    /// The build-id in a note section, as hexadecimal digits.
    func buildID(_ name: String) -> String? {
        index(of: name).flatMap { BuildIDNote.parse(elf.sections[$0].data, byteOrder: elf.header.byteOrder) }
            .map(BuildIDNote.text)
    }

    /// The relocations that apply to a section, by the offset of the bytes that they change, all with addends. The addends of
    /// an `SHT_REL` table are read from those bytes.
    private func relocationTargets(of index: Int) -> [UInt64: ELFRelocation] {
        var targets: [UInt64: ELFRelocation] = [:]
        for table in elf.sections where table.info == index {
            for var relocation in table.relocations {
                if table.type == ELF.SectionType.rel, let section = section(at: index) {
                    let place = Int(clamping: relocation.offset)
                    let inPlace = number(section, at: place, size: elf.header.elfClass.addressSize)
                    relocation.addend = Int64(bitPattern: inPlace ?? 0)
                }
                targets[relocation.offset] = relocation
            }
        }
        return targets
    }

    private func symbol(_ relocation: ELFRelocation) -> ELFSymbol? {
        elf.symbols.indices.contains(relocation.symbol) ? elf.symbols[relocation.symbol] : nil
    }

    /// The target of a relocation: the section that defines its symbol, and an offset into that section. nil if no section defines the symbol.
    private func place(_ relocation: ELFRelocation) -> (section: Int, offset: UInt64)? {
        guard let symbol = symbol(relocation), case .section(let index) = symbol.place else { return nil }
        return (index, symbol.value &+ UInt64(bitPattern: relocation.addend))
    }

    private func string(_ relocation: ELFRelocation) -> String? {
        guard let place = place(relocation), let bytes = section(at: place.section)?.data, place.offset < bytes.count
        else { return nil }
        // Read at most 4096 bytes: many entries may point to one long string.
        return String(decoding: bytes[Int(place.offset)...].prefix(4096).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The name of a relocation's target: the symbol's own name or, for a section symbol, the name of the function there.
    private func symbolName(_ relocation: ELFRelocation) -> String? {
        guard let symbol = symbol(relocation) else { return nil }
        if !symbol.name.isEmpty { return symbol.name }
        guard let place = place(relocation) else { return nil }
        let there = elf.symbols.filter {
            $0.place == .section(place.section) && $0.value == place.offset && !$0.name.isEmpty
        }
        // At the beginning of code there may also be mapping symbols (`$a`).
        return (there.first(where: \.isFunction) ?? there.first)?.name ?? section(at: place.section)?.name
    }

    private func number(_ section: ELFSection, at offset: Int, size: Int) -> UInt64? {
        guard offset >= 0, offset <= section.data.count - size else { return nil }
        return elf.header.byteOrder.number(section.data[offset..<offset + size])
    }
}
