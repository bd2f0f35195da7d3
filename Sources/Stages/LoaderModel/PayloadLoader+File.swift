import ELFModel
import TargetArchitecture

/// The limit of a payload's size, and of each of its zero-filled sections, in bytes.
let maximumPayloadSize: UInt64 = 2 << 20

extension PayloadLoader {
    func checkUpload() throws(Stop) {
        guard !file.bytes.isEmpty else { throw .refuseSilently(.upload, .invalid, "the payload is empty") }
        guard UInt64(file.bytes.count) <= maximumPayloadSize else {
            throw .refuseSilently(
                .upload, .invalid, "the payload is \(file.bytes.count) bytes long, and the loader takes at most \(maximumPayloadSize)")
        }
    }

    func checkHeader() throws(Stop) -> RawELF.Header {
        func fault(_ error: LoadResult.ErrorNumber, _ reason: String) -> Stop { .refuse(.header, error, reason) }
        guard let header = file.header() else { throw fault(.invalid, "the file is shorter than an ELF header") }
        let identification = header.identification
        guard identification.starts(with: ELF.magic) else { throw fault(.invalid, "it is not an ELF file") }
        // Version 1 in both places, no ABI version, OS ABI "none" or FreeBSD.
        guard header.version == 1, identification[6] == 1, identification[8] == 0, [0, 9].contains(identification[7]),
            header.type == ELF.FileType.relocatable, header.programHeaders == 0
        else {
            throw fault(.notSupported, "it is not a relocatable ELF file of version 1 without program headers")
        }
        guard header.machine == architecture.machine, identification[4] == (architecture.elfClass == .bits64 ? 2 : 1),
            !rules.checksByteOrder || identification[5] == 1
        else {
            throw fault(.notSupported, "it is for another machine")
        }
        guard header.flags & rules.headerFlagsMask == architecture.headerFlags & rules.headerFlagsMask else {
            throw fault(
                .notSupported,
                "its header flags are \(hexadecimal(UInt64(header.flags))), and the loader asks for \(hexadecimal(UInt64(architecture.headerFlags)))")
        }
        guard header.nameTable != 0 else { throw fault(.invalid, "it has no section of section names") }
        guard header.sectionCount < 1024 else {
            throw fault(.notSupported, "it has \(header.sectionCount) sections, and the loader takes at most 1023")
        }
        guard header.nameTable < header.sectionCount else {
            throw fault(.invalid, "the index of the section names, \(header.nameTable), is past the last section")
        }
        let size = UInt64(file.bytes.count)
        guard header.sectionTable < size else { throw fault(.invalid, "the section headers start past the file's end") }
        guard header.sectionEntrySize >= file.sectionHeaderSize else {
            throw fault(.invalid, "its section headers are \(header.sectionEntrySize) bytes long, \(file.sectionHeaderSize) are needed")
        }
        guard (size - header.sectionTable) / UInt64(header.sectionEntrySize) >= header.sectionCount else {
            throw fault(.invalid, "the section headers go past the file's end")
        }
        return header
    }

    mutating func readSections(_ header: RawELF.Header) throws(Stop) {
        var symbolTables: [Int] = []
        for index in 0..<Int(header.sectionCount) {
            let place = header.sectionTable + UInt64(index) * UInt64(header.sectionEntrySize)
            guard let section = file.section(at: place) else {
                throw .refuse(.header, .invalid, "the section headers go past the file's end")
            }
            sections.append(section)
            guard index > 0 else { continue }
            try checkAligned(place, "in the file, the header of section \(index)")
            try checkSection(section, index)
            if section.type == ELF.SectionType.symtab {
                guard symbolTables.isEmpty else {
                    throw .refuse(.sections, .notSupported, "section \(index) is a second symbol table")
                }
                guard section.link < UInt32(header.sectionCount) else {
                    throw .refuse(.sections, .invalid, "the symbol table links to section \(section.link), past the last one")
                }
                symbolTables.append(index)
            }
        }
        guard let table = symbolTables.first else { throw .refuse(.sections, .invalid, "it has no symbol table") }
        symbolTable = table
        let section = sections[table]
        guard section.size > 0, section.entrySize >= file.symbolSize, section.size % section.entrySize == 0 else {
            throw .refuse(.sections, .invalid, "the symbol table's size or entry size is wrong")
        }
        guard section.link != 0 else { throw .crash("the symbol table links to section 0: a null pointer is followed") }
        try checkStrings(Int(section.link), .sections)
        try readSectionNames(Int(header.nameTable))
    }

    private func checkSection(_ section: RawELF.Section, _ index: Int) throws(Stop) {
        let size = UInt64(file.bytes.count)
        guard section.offset >= file.headerSize else {
            throw .refuse(.sections, .invalid, "section \(index) lies over the ELF header")
        }
        if section.hasFileBytes {
            // The hypervisor adds with the width of an address: a size near the limit wraps around and passes its check.
            let end = (section.offset &+ section.size) & file.lastAddress
            guard section.offset <= size, end <= size else {
                throw .refuse(.sections, .invalid, "section \(index) goes past the file's end")
            }
            if end < section.offset { throw .crash("the size of section \(index) makes its end wrap around to the file's start") }
        }
        guard section.alignment & (section.alignment &- 1) == 0 else {
            throw .refuse(
                .sections, .notSupported, "the alignment of section \(index), \(section.alignment), is not a power of two")
        }
        guard section.alignment == 0 || section.address % section.alignment == 0 else {
            throw .refuse(.sections, .invalid, "the address of section \(index) does not fit its alignment")
        }
        if !section.hasFileBytes, section.isLoaded || section.isWritable, section.size > maximumPayloadSize {
            throw .refuseSilently(
                .sections, .invalid, "section \(index) is zero-filled and larger than \(maximumPayloadSize) bytes")
        }
    }

    private func checkStrings(_ index: Int, _ step: LoadResult.Step) throws(Stop) {
        let section = sections[index]
        guard section.type == ELF.SectionType.strtab, let contents = file.contents(section),
            let first = contents.first, let last = contents.last, first == 0, last == 0
        else {
            throw .refuse(step, .invalid, "section \(index) is not a string table that starts and ends with a zero byte")
        }
    }

    private mutating func readSectionNames(_ table: Int) throws(Stop) {
        try checkStrings(table, .sectionNames)
        for index in sections.indices.dropFirst() {
            guard let name = file.string(at: sections[index].nameOffset, in: sections[table]) else {
                throw .refuse(.sectionNames, .invalid, "the name of section \(index) is outside the section names")
            }
            sections[index].name = name
        }
    }

    mutating func readSymbols() throws(Stop) {
        let table = sections[symbolTable]
        let strings = sections[Int(table.link)]
        for index in 0..<table.size / table.entrySize {
            let place = table.offset + index * table.entrySize
            guard var symbol = file.symbol(at: place) else {
                throw .refuse(.symbols, .invalid, "symbol \(index) is past the file's end")
            }
            if index > 0 {
                try checkAligned(place, "in the file, symbol \(index)")
                guard let name = file.name(at: symbol.nameOffset, in: strings) else {
                    throw .refuse(.symbols, .invalid, "the name of symbol \(index) is outside its string table")
                }
                symbol.name = name
                guard !rules.refusedSymbols.contains(where: { name == SymbolName($0) || name.hasPrefix($0 + ".") }) else {
                    throw .refuse(.symbols, .invalid, "symbol '\(name.text)' must not be in a payload")
                }
            }
            symbols.append(symbol)
        }
    }
}
