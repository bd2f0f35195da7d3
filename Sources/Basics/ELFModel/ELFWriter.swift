import CLibelf
import Diagnostics
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An ELF file that can't be made: its value contradicts itself, or the machine has no memory for it.
package struct ELFWritingError: ExplainedError, Equatable {
    /// The name of the file that was to be made.
    package var file: String
    package var reason: String

    package init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }

    package var message: String { "\(file): \(reason)" }
    package var exitCode: ExitStatus { .internalFault }
}

extension ELFFile {
    /// The file's bytes. libelf lays out the sections in their order, with the section headers last.
    ///
    /// The same value gives the same bytes on every machine. The section of type `SHT_SYMTAB`, its string table, the table of
    /// section names and the relocation sections are filled from `symbols`, names and `relocations`.
    /// - Throws: `ELFWritingError` naming `name` when the value contradicts itself or no memory file can be made.
    package func serialised(name: String) throws(ELFWritingError) -> [UInt8] {
        func fail(_ reason: String) -> ELFWritingError { ELFWritingError(file: name, reason: "cannot be written: \(reason)") }

        let handle = memfd_create("xsplice-elf", 0)
        guard handle >= 0 else { throw fail(Errno(rawValue: Glibc.errno).description) }
        defer { close(handle) }

        _ = elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_begin(handle, ELF_C_WRITE, nil) else { throw fail(Writer.lastError) }
        let buffers = BufferPool()
        let outcome = Result { () throws(ELFWritingError) in
            try Writer(elf: elf, file: self, buffers: buffers, fail: fail).write()
        }
        elf_end(elf)
        buffers.release()
        try outcome.get()

        let size = lseek(handle, 0, SEEK_END)
        guard size > 0 else { throw fail("libelf wrote nothing") }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let count = bytes.withUnsafeMutableBytes { pread(handle, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw fail("the memory file was cut short") }
        return bytes
    }
}

/// The buffers that libelf refers to until the file is written.
private final class BufferPool {
    private var buffers: [UnsafeMutableRawPointer] = []

    func hold(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
        let buffer = allocate(bytes.count)
        bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { buffer.copyMemory(from: base, byteCount: source.count) }
        }
        return buffer
    }

    func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 16)
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: max(count, 1))
        buffers.append(buffer)
        return buffer
    }

    func release() {
        for buffer in buffers { buffer.deallocate() }
        buffers = []
    }
}

private struct Writer {
    let elf: OpaquePointer
    let file: ELFFile
    let buffers: BufferPool
    let fail: (String) -> ELFWritingError

    /// The most that a file may have, in bytes. Payloads have thousands.
    private static let limit: Int64 = 1 << 30

    static var lastError: String { elf_errmsg(-1).map { String(cString: $0) } ?? "unknown reason" }

    func write() throws(ELFWritingError) {
        let header = file.header
        let elfClass = header.elfClass == .bits64 ? ELFCLASS64 : ELFCLASS32
        guard gelf_newehdr(elf, elfClass) != nil else { throw fail(Self.lastError) }
        var raw = GElf_Ehdr()
        guard gelf_getehdr(elf, &raw) != nil else { throw fail(Self.lastError) }
        raw.e_ident.5 = UInt8(header.byteOrder == .big ? ELFDATA2MSB : ELFDATA2LSB)
        raw.e_ident.7 = header.osABI
        raw.e_ident.8 = header.abiVersion
        raw.e_type = header.type
        raw.e_machine = header.machine
        raw.e_version = UInt32(EV_CURRENT)
        raw.e_entry = header.entry
        raw.e_flags = header.flags
        raw.e_shstrndx = UInt16(truncatingIfNeeded: header.sectionNameTable)
        guard gelf_update_ehdr(elf, &raw) != 0 else { throw fail(Self.lastError) }
        guard file.segments.isEmpty else { throw fail("files with program headers are only read") }

        let symbolTable = file.sections.firstIndex { $0.type == ELF.SectionType.symtab }
        let symbolNames = symbolTable.map { Int(file.sections[$0].link) }
        var nameStrings = StringTable()
        var symbolStrings = StringTable()
        let sameTable = symbolNames == header.sectionNameTable
        let sectionNameOffsets = file.sections.map { nameStrings.add($0.name) }
        let symbolNameOffsets: [Int]
        if sameTable {
            symbolNameOffsets = file.symbols.map { nameStrings.add($0.name) }
        } else {
            symbolNameOffsets = file.symbols.map { symbolStrings.add($0.name) }
        }

        for (index, section) in file.sections.enumerated().dropFirst() {
            guard let scn = elf_newscn(elf), let data = elf_newdata(scn) else { throw fail(Self.lastError) }
            data.pointee.d_version = UInt32(EV_CURRENT)
            data.pointee.d_align = Int(clamping: max(section.alignment, 1))
            data.pointee.d_type = ELF_T_BYTE
            var entrySize = section.entrySize
            var info = section.info
            if index == header.sectionNameTable {
                fill(data, nameStrings.bytes)
            } else if index == symbolNames {
                fill(data, symbolStrings.bytes)
            } else if index == symbolTable {
                entrySize = UInt64(gelf_fsize(elf, ELF_T_SYM, 1, UInt32(EV_CURRENT)))
                info = UInt32(file.symbols.firstIndex { !$0.isLocal } ?? file.symbols.count)
                try fillSymbols(data, nameOffsets: symbolNameOffsets)
            } else if section.isRelocations, section.data.isEmpty {
                let type = section.type == ELF.SectionType.rela ? ELF_T_RELA : ELF_T_REL
                entrySize = UInt64(gelf_fsize(elf, type, 1, UInt32(EV_CURRENT)))
                try fillRelocations(data, section, type: type)
            } else if section.isZeroFilled {
                data.pointee.d_buf = nil
                data.pointee.d_size = Int(clamping: section.size)
            } else {
                fill(data, section.data)
            }
            var shdr = GElf_Shdr()
            guard gelf_getshdr(scn, &shdr) != nil else { throw fail(Self.lastError) }
            shdr.sh_name = UInt32(sectionNameOffsets[index])
            shdr.sh_type = section.type
            shdr.sh_flags = section.flags
            shdr.sh_addr = section.address
            shdr.sh_link = section.link
            shdr.sh_info = info
            shdr.sh_addralign = section.alignment
            shdr.sh_entsize = entrySize
            guard gelf_update_shdr(scn, &shdr) != 0 else { throw fail(Self.lastError) }
        }
        // An alignment may ask for a gap that is larger than any device.
        let size = elf_update(elf, ELF_C_NULL)
        guard size >= 0 else { throw fail(Self.lastError) }
        guard size <= Self.limit else { throw fail("it would have \(size) bytes") }
        guard elf_update(elf, ELF_C_WRITE) >= 0 else { throw fail(Self.lastError) }
    }

    private func fill(_ data: UnsafeMutablePointer<Elf_Data>, _ bytes: [UInt8]) {
        data.pointee.d_buf = bytes.isEmpty ? nil : buffers.hold(bytes)
        data.pointee.d_size = bytes.count
    }

    private func fillSymbols(_ data: UnsafeMutablePointer<Elf_Data>, nameOffsets: [Int]) throws(ELFWritingError) {
        let size = gelf_fsize(elf, ELF_T_SYM, file.symbols.count, UInt32(EV_CURRENT))
        data.pointee.d_type = ELF_T_SYM
        data.pointee.d_buf = buffers.allocate(size)
        data.pointee.d_size = size
        for (index, symbol) in file.symbols.enumerated() {
            let place: UInt16
            switch symbol.place {
            case .undefined: place = UInt16(SHN_UNDEF)
            case .absolute: place = UInt16(SHN_ABS)
            case .common: place = UInt16(SHN_COMMON)
            case .reserved(let value): place = value
            case .section(let value):
                guard file.sections.indices.contains(value), let index = UInt16(exactly: value) else {
                    throw fail("symbol \(symbol.name) is in section \(value), which does not exist")
                }
                place = index
            }
            var raw = GElf_Sym(
                st_name: UInt32(nameOffsets[index]), st_info: symbol.binding << 4 | symbol.type & 0xf,
                st_other: symbol.other, st_shndx: place, st_value: symbol.value, st_size: symbol.size)
            guard gelf_update_sym(data, Int32(index), &raw) != 0 else { throw fail(Self.lastError) }
        }
    }

    private func fillRelocations(
        _ data: UnsafeMutablePointer<Elf_Data>, _ section: ELFSection, type: Elf_Type
    ) throws(ELFWritingError) {
        let size = gelf_fsize(elf, type, section.relocations.count, UInt32(EV_CURRENT))
        data.pointee.d_type = type
        data.pointee.d_buf = size == 0 ? nil : buffers.allocate(size)
        data.pointee.d_size = size
        for (index, relocation) in section.relocations.enumerated() {
            guard file.symbols.indices.contains(relocation.symbol) else {
                throw fail("a relocation of \(section.name) names symbol \(relocation.symbol), which does not exist")
            }
            let info = UInt64(relocation.symbol) << 32 | UInt64(relocation.type)
            let done: Int32
            if type == ELF_T_RELA {
                var raw = GElf_Rela(r_offset: relocation.offset, r_info: info, r_addend: relocation.addend)
                done = gelf_update_rela(data, Int32(index), &raw)
            } else {
                var raw = GElf_Rel(r_offset: relocation.offset, r_info: info)
                done = gelf_update_rel(data, Int32(index), &raw)
            }
            guard done != 0 else { throw fail(Self.lastError) }
        }
    }
}

/// Names, each stored once, in the order of their first use.
private struct StringTable {
    private(set) var bytes: [UInt8] = [0]
    private var offsets: [String: Int] = ["": 0]

    mutating func add(_ string: String) -> Int {
        if let offset = offsets[string] { return offset }
        let offset = bytes.count
        bytes += Array(string.utf8) + [0]
        offsets[string] = offset
        return offset
    }
}
