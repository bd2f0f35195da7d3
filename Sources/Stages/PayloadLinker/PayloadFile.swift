import Crypto
import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// Turns laid-out sections into the bytes of a relocatable ELF file: symbols, string tables, relocations, build-id.
struct PayloadFile {
    /// A name for a place in the payload.
    struct Name: Equatable {
        var text: String
        var place: Place
        var size: UInt64
        var isFunction: Bool
    }

    private var sections: [Content]
    private let names: [Name]
    private let architecture: any TargetArchitecture
    private let abi: PayloadABI

    /// A section with its name. The bytes of the build-id section change while the file is written.
    private struct Content {
        let section: OutputSection
        let name: String
        var data: [UInt8]
        var size: Int
    }

    init(_ sections: [OutputSection], names: [Name], architecture: any TargetArchitecture, abi: PayloadABI) {
        self.sections = sections.map { Content(section: $0, name: $0.kind.name(abi), data: $0.data, size: $0.size) }
        self.names = names
        self.architecture = architecture
        self.abi = abi
    }

    /// A short fingerprint of everything except names: equal content gives an equal tag.
    static func contentTag(of sections: [OutputSection], abi: PayloadABI) -> String {
        var hash = Insecure.SHA1()
        for section in sections {
            let kind = section.kind
            hash.update(data: Array("\(kind.name(abi)) \(kind.type) \(kind.flags) \(section.alignment) \(section.size)\n".utf8))
            hash.update(data: section.data)
            for relocation in section.relocations {
                let subject = text(relocation.subject, abi)
                hash.update(data: Array("\(relocation.offset) \(relocation.type) \(subject) \(relocation.addend)\n".utf8))
            }
        }
        return String(BuildIDNote.text(Array(hash.finalize())).prefix(8))
    }

    /// As the content tag has it: other words would give every payload other names and another build-id.
    private static func text(_ subject: ResolvedPayload.Subject, _ abi: PayloadABI) -> String {
        switch subject {
        case .section(let section): "section(\"\(section.name(abi))\")"
        case .place(let place): "place(PayloadLinker.Assembler.Place(section: \"\(place.section.name(abi))\", offset: \(place.offset)))"
        case .named(let name): "named(\"\(name)\")"
        case .address(let name, let address): "address(\"\(name)\", \(address))"
        }
    }

    /// The file with its own build-id, which is the SHA-1 of the file with the bytes of that id set to zero.
    ///
    /// - Parameter name: the payload's name, for messages.
    mutating func serialised(name: String) throws(ELFWritingError) -> (bytes: [UInt8], buildID: [UInt8]) {
        let length = Insecure.SHA1.byteCount
        guard let note = sections.firstIndex(where: { $0.section.kind == .note(abi.buildIDSection) }) else {
            throw ELFWritingError(file: name, reason: "has no section for its build-id")
        }
        setNote(note, Array(repeating: 0, count: length))
        let draft = try elf(name: name).serialised(name: name)
        let buildID = Array(Insecure.SHA1.hash(data: draft))
        setNote(note, buildID)
        return (try elf(name: name).serialised(name: name), buildID)
    }

    private mutating func setNote(_ index: Int, _ id: [UInt8]) {
        sections[index].data = BuildIDNote.serialise(id)
        sections[index].size = sections[index].data.count
    }

    private func elf(name: String) throws(ELFWritingError) -> ELFFile {
        var out: [ELFSection] = [ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)]
        var sectionNumbers: [PayloadSection: Int] = [:]
        for section in sections {
            sectionNumbers[section.section.kind] = out.count
            out.append(
                ELFSection(
                    name: section.name, type: section.section.kind.type, flags: section.section.kind.flags, size: UInt64(section.size),
                    alignment: section.section.alignment, data: section.data))
        }

        var symbols = [ELFSymbol(name: "")]
        var numbers: [ResolvedPayload.Subject: Int] = [:]
        let subjects = sections.flatMap { $0.section.relocations.map(\.subject) }
        func add(_ subject: ResolvedPayload.Subject, _ symbol: ELFSymbol) {
            guard numbers[subject] == nil else { return }
            numbers[subject] = symbols.count
            symbols.append(symbol)
        }
        for case .section(let name) in subjects {
            guard let number = sectionNumbers[name] else { continue }
            add(.section(name), ELFSymbol(name: "", type: ELF.SymbolType.section, place: .section(number)))
        }
        for case .place(let place) in subjects {
            guard let number = sectionNumbers[place.section] else { continue }
            add(.place(place), ELFSymbol(name: "", value: UInt64(bitPattern: Int64(place.offset)), place: .section(number)))
        }
        for case .address(let name, let value) in subjects {
            add(.address(name, value), ELFSymbol(name: name, value: value, place: .absolute))
        }
        for name in names {
            guard let number = sectionNumbers[name.place.section] else { continue }
            symbols.append(
                ELFSymbol(
                    name: name.text, value: UInt64(name.place.offset), size: name.size,
                    type: name.isFunction ? ELF.SymbolType.function : ELF.SymbolType.object, place: .section(number)))
        }
        for case .named(let name) in subjects {
            add(.named(name), ELFSymbol(name: name, binding: ELF.Binding.global))
        }

        let relocated = sections.filter { !$0.section.relocations.isEmpty }
        let symbolTable = out.count + relocated.count
        for section in relocated {
            let entries = try section.section.relocations.map { relocation throws(ELFWritingError) in
                guard let symbol = numbers[relocation.subject] else {
                    throw ELFWritingError(file: name, reason: "cannot be written: byte \(relocation.offset) of \(section.name) refers to no symbol")
                }
                return ELFRelocation(offset: UInt64(relocation.offset), type: relocation.type, symbol: symbol, addend: relocation.addend)
            }
            out.append(
                ELFSection(
                    name: (architecture.hasAddendsInPlace ? ".rel" : ".rela") + section.name, type: ELF.SectionType.rela, flags: ELF.SectionFlag.infoLink,
                    alignment: UInt64(architecture.elfClass.addressSize), link: UInt32(symbolTable),
                    info: UInt32(sectionNumbers[section.section.kind] ?? 0), relocations: entries))
        }
        out.append(
            ELFSection(
                name: ".symtab", type: ELF.SectionType.symtab, alignment: UInt64(architecture.elfClass.addressSize),
                link: UInt32(symbolTable + 1)))
        out.append(ELFSection(name: ".strtab", type: ELF.SectionType.strtab))
        out.append(ELFSection(name: ".shstrtab", type: ELF.SectionType.strtab))
        let header = ELFHeader(
            elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable,
            machine: architecture.machine, flags: architecture.headerFlags, sectionNameTable: symbolTable + 2)
        let file = ELFFile(header: header, sections: out, symbols: symbols)
        guard architecture.hasAddendsInPlace else { return file }
        guard let file = file.withAddendsInPlace(architecture) else { throw ELFWritingError(file: name, reason: "has an addend that does not fit its place") }
        return file
    }
}
