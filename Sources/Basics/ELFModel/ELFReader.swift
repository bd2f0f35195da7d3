import CLibelf
import Diagnostics
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension ELFFile {
    /// Reads an ELF file of any class and byte order.
    ///
    /// - Parameter debugSections: false leaves the bytes of `.debug*` sections (and their relocations) empty, for callers
    ///   that don't use them. Sections and indices stay the same.
    /// - Throws: `InputError` naming `path` when the file can't be read, is not ELF, is cut short or contradicts itself.
    package static func read(_ path: FilePath, debugSections: Bool = true) throws(InputError) -> ELFFile {
        let bytes: [UInt8]
        do {
            // `.nonBlocking` keeps the call from waiting at a pipe without a writer.
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            bytes = try descriptor.closeAfter { try readAll(descriptor) }
        } catch {
            let errno = error as? Errno
            if errno == .invalidArgument { throw InputError(file: path.string, reason: "is not a regular file") }
            if errno == .fileTooLarge { throw InputError(file: path.string, reason: "is larger than \(sizeLimit >> 30) GiB") }
            throw InputError(file: path.string, reason: "cannot read: \(errno?.description ?? "\(error)")")
        }
        return try ELFFile(bytes: bytes, name: path.string, debugSections: debugSections)
    }

    /// In bytes. A xen-syms with all its debug information has a tenth of that; a larger file would fill the memory.
    private static let sizeLimit = 4 << 30

    private static func readAll(_ descriptor: FileDescriptor) throws -> [UInt8] {
        // The size that a folder or device reports can't be trusted.
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw status.st_mode & S_IFMT == S_IFDIR ? Errno.isDirectory : Errno.invalidArgument }
        let end = try descriptor.seek(offset: 0, from: .end)
        guard end <= sizeLimit else { throw Errno.fileTooLarge }
        try descriptor.seek(offset: 0, from: .start)
        var filled = 0
        let size = Int(end)
        var bytes = [UInt8](repeating: 0, count: size)
        while filled < size {
            let count = try bytes.withUnsafeMutableBytes {
                try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    /// Reads an ELF file from memory; `name` appears in error messages.
    package init(bytes: [UInt8], name: String, debugSections: Bool = true) throws(InputError) {
        func fail(_ reason: String) -> InputError { InputError(file: name, reason: reason) }

        guard !bytes.isEmpty else { throw fail("is empty") }
        guard bytes.starts(with: ELF.magic) else { throw fail("is not an ELF file") }
        guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE) else { throw fail("libelf is too old") }

        // libelf wants a buffer that it may write to; the copy is private to this call.
        var image = bytes
        let result: Result<ELFFile, InputError> = image.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                let elf = elf_memory(base, buffer.count)
            else { return .failure(fail("is not a readable ELF file: \(Reader.lastError)")) }
            defer { elf_end(elf) }
            return Result { () throws(InputError) -> ELFFile in
                try Reader(elf: elf, name: name, fileSize: UInt64(buffer.count), debugSections: debugSections).file()
            }
        }
        self = try result.get()
    }
}

/// One pass over libelf's view of a file. Every value that comes from the file is checked before it is used.
private struct Reader {
    let elf: OpaquePointer
    let name: String
    let fileSize: UInt64
    let debugSections: Bool

    static var lastError: String { elf_errmsg(-1).map { String(cString: $0) } ?? "unknown reason" }

    /// In bytes. Many symbols may share one string: without a limit, a small file would fill the memory.
    private static let longestName = 4096

    func fail(_ reason: String) -> InputError { InputError(file: name, reason: reason) }

    /// Reads a name from a string table. libelf has made sure that the string ends within the table.
    ///
    /// - Parameter owner: what the name belongs to, for the error.
    private func text(_ start: UnsafePointer<CChar>, of owner: @autoclosure () -> String) throws(InputError) -> String {
        let length = strnlen(start, Self.longestName + 1)
        guard length <= Self.longestName else { throw fail("\(owner()) has a name of more than 4,096 bytes") }
        let bytes = UnsafeRawBufferPointer(start: start, count: length)
        if let text = SymbolName.asciiText(bytes) ?? SymbolName(Array(bytes)[...]).comparableText { return text }
        // Everything behind this reader compares names as texts.
        throw fail("\(owner()) is called \"\(cText(bytes))\", which is not UTF-8 in its composed form (NFC): another name could look the same")
    }

    func file() throws(InputError) -> ELFFile {
        guard elf_kind(elf) == ELF_K_ELF else { throw fail("is an archive or another container, not one ELF file") }
        var raw = GElf_Ehdr()
        guard gelf_getehdr(elf, &raw) != nil else { throw fail("has no usable ELF header: \(Self.lastError)") }
        let elfClass: ELFClass = gelf_getclass(elf) == ELFCLASS64 ? .bits64 : .bits32

        let tableEnd = raw.e_shoff.addingReportingOverflow(UInt64(raw.e_shnum) * UInt64(raw.e_shentsize))
        guard !tableEnd.overflow, tableEnd.partialValue <= fileSize else {
            throw fail("is cut short: its section headers end at byte \(tableEnd.partialValue) of \(fileSize)")
        }
        var sectionCount = 0
        guard elf_getshdrnum(elf, &sectionCount) == 0, sectionCount > 0 else { throw fail("has no section headers") }
        guard sectionCount < Int(SHN_LORESERVE) else { throw fail("has more than 65,279 sections, which is not supported") }
        var nameTable = 0
        guard elf_getshdrstrndx(elf, &nameTable) == 0 else { throw fail("does not say where its section names are") }

        let header = ELFHeader(
            elfClass: elfClass, byteOrder: raw.e_ident.5 == UInt8(ELFDATA2MSB) ? .big : .little,
            osABI: raw.e_ident.7, abiVersion: raw.e_ident.8, type: raw.e_type, machine: raw.e_machine,
            entry: raw.e_entry, flags: raw.e_flags, sectionNameTable: nameTable)

        var sections: [ELFSection] = []
        var symbols = [ELFSymbol(name: "")]
        var symbolTable: Int?
        for index in 0..<sectionCount {
            guard let scn = elf_getscn(elf, index) else { throw fail("section \(index) is unreadable: \(Self.lastError)") }
            var section = try self.section(scn, index: index, nameTable: nameTable)
            if section.type == ELF.SectionType.symtab {
                guard symbolTable == nil else { throw fail("has two symbol tables") }
                symbolTable = index
                symbols = try self.symbols(scn, section, sectionCount: sectionCount)
                section.data = []
            }
            sections.append(section)
        }
        for index in sections.indices where sections[index].isRelocations {
            let section = sections[index]
            // Dynamic relocations of linked files refer to .dynsym, which this program does not use.
            guard let symbolTable, Int(section.link) == symbolTable else { continue }
            sections[index].data = []
            if !debugSections, section.name.contains(".debug") { continue }
            guard let scn = elf_getscn(elf, index) else { continue }
            sections[index].relocations = try relocations(scn, section, symbolCount: symbols.count)
            guard section.info < UInt32(sectionCount) else { throw fail("\(section.name) applies to section \(section.info), which does not exist") }
        }
        if let symbolTable {
            let strings = Int(sections[symbolTable].link)
            if sections.indices.contains(strings) { sections[strings].data = [] }
        }
        if sections.indices.contains(nameTable) { sections[nameTable].data = [] }
        return ELFFile(header: header, sections: sections, symbols: symbols, segments: try segments())
    }

    private func section(_ scn: OpaquePointer, index: Int, nameTable: Int) throws(InputError) -> ELFSection {
        var raw = GElf_Shdr()
        guard gelf_getshdr(scn, &raw) != nil else { throw fail("section \(index) has no usable header: \(Self.lastError)") }
        guard let cName = elf_strptr(elf, nameTable, Int(raw.sh_name)) else {
            throw fail("section \(index) has no name: \(Self.lastError)")
        }
        let sectionName = try text(cName, of: "section \(index)")
        var section = ELFSection(
            name: sectionName, type: raw.sh_type, flags: raw.sh_flags, address: raw.sh_addr, size: raw.sh_size,
            alignment: raw.sh_addralign, entrySize: raw.sh_entsize, link: raw.sh_link, info: raw.sh_info)
        guard section.type != ELF.SectionType.symtabShndx else {
            throw fail("uses extended section numbering, which is not supported")
        }
        guard section.type != ELF.SectionType.null, section.type != ELF.SectionType.nobits, raw.sh_size > 0 else {
            return section
        }
        let end = raw.sh_offset.addingReportingOverflow(raw.sh_size)
        guard !end.overflow, end.partialValue <= fileSize else {
            throw fail("is cut short: section \(index) (\(sectionName)) ends at byte \(end.partialValue) of \(fileSize)")
        }
        if !debugSections, sectionName.hasPrefix(".debug"), !section.isAllocated { return section }
        guard let data = elf_rawdata(scn, nil), let buffer = data.pointee.d_buf, data.pointee.d_size == Int(raw.sh_size) else {
            throw fail("section \(index) (\(sectionName)) is unreadable: \(Self.lastError)")
        }
        section.data = Array(UnsafeRawBufferPointer(start: buffer, count: data.pointee.d_size))
        return section
    }

    private func symbols(_ scn: OpaquePointer, _ section: ELFSection, sectionCount: Int) throws(InputError) -> [ELFSymbol] {
        if section.size == 0 { return [] }
        guard section.entrySize > 0, section.size % section.entrySize == 0 else {
            throw fail("its symbol table has \(section.size) bytes, with entries of \(section.entrySize)")
        }
        guard let data = elf_getdata(scn, nil) else { throw fail("its symbol table can't be read: \(Self.lastError)") }
        let count = Int(section.size / section.entrySize)
        var symbols: [ELFSymbol] = []
        symbols.reserveCapacity(count)
        for index in 0..<count {
            var raw = GElf_Sym()
            guard gelf_getsym(data, Int32(index), &raw) != nil else {
                throw fail("symbol \(index) is unreadable: \(Self.lastError)")
            }
            guard let cName = elf_strptr(elf, Int(section.link), Int(raw.st_name)) else {
                throw fail("symbol \(index) has no name: \(Self.lastError)")
            }
            let place: ELFSymbol.Place
            switch Int32(raw.st_shndx) {
            case SHN_UNDEF: place = .undefined
            case SHN_ABS: place = .absolute
            case SHN_COMMON: place = .common
            case SHN_LORESERVE...: place = .reserved(raw.st_shndx)
            case let section:
                guard section < sectionCount else {
                    throw fail("symbol \(index) is in section \(section), which does not exist")
                }
                place = .section(Int(section))
            }
            symbols.append(
                ELFSymbol(
                    name: try text(cName, of: "symbol \(index)"), value: raw.st_value, size: raw.st_size, type: raw.st_info & 0xf,
                    binding: raw.st_info >> 4, other: raw.st_other, place: place))
        }
        return symbols
    }

    private func relocations(
        _ scn: OpaquePointer, _ section: ELFSection, symbolCount: Int
    ) throws(InputError) -> [ELFRelocation] {
        if section.size == 0 { return [] }
        guard section.entrySize > 0, section.size % section.entrySize == 0 else {
            throw fail("\(section.name) has \(section.size) bytes, with relocations of \(section.entrySize)")
        }
        guard let data = elf_getdata(scn, nil) else { throw fail("the relocations in \(section.name) can't be read: \(Self.lastError)") }
        let count = Int(section.size / section.entrySize)
        let withAddend = section.type == ELF.SectionType.rela
        var relocations: [ELFRelocation] = []
        relocations.reserveCapacity(count)
        for index in 0..<count {
            var raw = GElf_Rela()
            if withAddend {
                guard gelf_getrela(data, Int32(index), &raw) != nil else {
                    throw fail("relocation \(index) of \(section.name) is unreadable: \(Self.lastError)")
                }
            } else {
                var rel = GElf_Rel()
                guard gelf_getrel(data, Int32(index), &rel) != nil else {
                    throw fail("relocation \(index) of \(section.name) is unreadable: \(Self.lastError)")
                }
                raw = GElf_Rela(r_offset: rel.r_offset, r_info: rel.r_info, r_addend: 0)
            }
            // gelf gives the 64-bit layout of r_info for both classes.
            let symbol = Int(raw.r_info >> 32)
            guard symbol < symbolCount else {
                throw fail("relocation \(index) of \(section.name) names symbol \(symbol), which does not exist")
            }
            relocations.append(
                ELFRelocation(
                    offset: raw.r_offset, type: UInt32(truncatingIfNeeded: raw.r_info), symbol: symbol, addend: raw.r_addend))
        }
        return relocations
    }

    private func segments() throws(InputError) -> [ELFSegment] {
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0 else { throw fail("has unreadable program headers: \(Self.lastError)") }
        var segments: [ELFSegment] = []
        for index in 0..<count {
            var raw = GElf_Phdr()
            guard gelf_getphdr(elf, Int32(index), &raw) != nil else {
                throw fail("program header \(index) is unreadable: \(Self.lastError)")
            }
            segments.append(
                ELFSegment(
                    type: raw.p_type, flags: raw.p_flags, offset: raw.p_offset, virtualAddress: raw.p_vaddr,
                    physicalAddress: raw.p_paddr, fileSize: raw.p_filesz, memorySize: raw.p_memsz, alignment: raw.p_align))
        }
        return segments
    }
}
