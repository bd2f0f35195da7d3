import CLibdw
import CLibelf
import Diagnostics
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An ELF file in memory with its DWARF opened and, for a relocatable file, relocated. Owns all libelf and libdw handles.
final class DwarfFile {
    let path: FilePath
    /// Nil when the file has no debug information.
    private(set) var dwarf: OpaquePointer?
    private(set) var addresses: AddressMap

    private let image: UnsafeMutableRawBufferPointer
    private var elf: OpaquePointer?
    private var dwfl: OpaquePointer?
    private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>
    private var ownsDwarf = false
    /// Memory that sections use instead of the file's own.
    private var joined: [UnsafeMutableRawPointer] = []

    /// Reads something from a file's debug information.
    ///
    /// - Returns: what `body` returns, or nil when the file has no debug information.
    static func read<Value>(
        _ path: FilePath, _ body: (OpaquePointer, AddressMap) throws(DIE.Damaged) -> Value
    ) throws(InputError) -> Value? {
        let file = try DwarfFile(path)
        guard let dwarf = file.dwarf else { return nil }
        do throws(DIE.Damaged) {
            // The handles live as long as the file does.
            return try withExtendedLifetime(file) { () throws(DIE.Damaged) in try body(dwarf, file.addresses) }
        } catch {
            throw .corrupt(path, error.reason)
        }
    }

    /// Reads the whole file instead of mapping it: a mapped file that is truncated meanwhile would kill the process.
    init(_ path: FilePath) throws(InputError) {
        self.path = path
        addresses = AddressMap(linked: [])
        image = try Self.load(path)
        callbacks = .allocate(capacity: 1)
        callbacks.initialize(to: Self.makeCallbacks())
        elf_version(UInt32(EV_CURRENT))
        elf = elf_memory(image.baseAddress, image.count)
        try open()
    }

    deinit {
        if ownsDwarf, let dwarf { dwarf_end(dwarf) }
        if let dwfl { dwfl_end(dwfl) }
        if let elf { elf_end(elf) }
        for memory in joined { memory.deallocate() }
        callbacks.deinitialize(count: 1)
        callbacks.deallocate()
        image.deallocate()
    }

    private func open() throws(InputError) {
        guard let elf, elf_kind(elf) == ELF_K_ELF else { throw .notELF(path, "no ELF header") }
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { throw .notELF(path, Self.elfReason) }

        let (loaded, units) = try sections(of: elf)
        guard units.areAny else { return }
        if header.e_type == UInt16(ET_REL) {
            let size = gelf_getclass(elf) == ELFCLASS32 ? 4 : 8
            guard let map = AddressMap(layingOut: loaded, addressSize: size) else {
                throw .notELF(path, "its sections are larger than the address space")
            }
            addresses = map
            try openRelocating(elf)
            if units.isNeeded { try openAgain(elf, with: units) }
        } else {
            addresses = AddressMap(linked: loaded)
            dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nil)
            ownsDwarf = true
            guard dwarf != nil else { throw .corrupt(path, Self.dwarfReason) }
        }
    }

    private func sections(of elf: OpaquePointer) throws(InputError) -> (loaded: [LoadedSection], units: GroupedUnits) {
        var nameTable = 0
        guard elf_getshdrstrndx(elf, &nameTable) == 0 else { throw .notELF(path, Self.elfReason) }
        var loaded: [LoadedSection] = []
        var units = GroupedUnits()
        var section = elf_nextscn(elf, nil)
        while let handle = section {
            var header = GElf_Shdr()
            guard gelf_getshdr(handle, &header) != nil else { throw .notELF(path, Self.elfReason) }
            if header.sh_flags & UInt64(SHF_ALLOC) != 0 {
                loaded.append(LoadedSection(index: elf_ndxscn(handle), header: header, handle: handle))
            } else if let name = elf_strptr(elf, nameTable, Int(header.sh_name)) {
                units.note(handle, named: name, flags: header.sh_flags)
            }
            section = elf_nextscn(elf, handle)
        }
        return (loaded, units)
    }

    /// libdwfl knows the relocations of every processor that elfutils knows, so nothing here depends on the machine.
    private func openRelocating(_ elf: OpaquePointer) throws(InputError) {
        guard let dwfl = dwfl_begin(callbacks) else { throw .corrupt(path, Self.dwflReason) }
        self.dwfl = dwfl
        guard let module = dwfl_report_module(dwfl, "object", 1, UInt64.max - 1) else {
            throw .corrupt(path, Self.dwflReason)
        }
        var userData: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        _ = dwfl_module_info(module, &userData, nil, nil, nil, nil, nil, nil)
        guard let userData else { throw .corrupt(path, Self.dwflReason) }
        userData.pointee = UnsafeMutableRawPointer(elf)
        var bias: Dwarf_Addr = 0
        dwarf = dwfl_module_getdwarf(module, &bias)
        // The module owns the handle once it has asked for it.
        if userData.pointee == nil { self.elf = nil }
        guard dwarf != nil else { throw .corrupt(path, Self.dwflReason) }
    }

    /// libdwfl opened the debug information without the units of groups, but relocated them, too.
    private func openAgain(_ elf: OpaquePointer, with units: GroupedUnits) throws(InputError) {
        guard let memory = units.gather() else { throw .corrupt(path, Self.elfReason) }
        joined = memory
        dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nil)
        guard dwarf != nil else { throw .corrupt(path, Self.dwarfReason) }
        ownsDwarf = true
    }

    /// Gives libdwfl the handle that is already open, and keeps it from looking for other files of that name.
    private static func makeCallbacks() -> Dwfl_Callbacks {
        Dwfl_Callbacks(
            find_elf: { _, userData, _, _, _, elf in
                guard let userData, let elf else { return -1 }
                elf.pointee = userData.pointee.map { OpaquePointer($0) }
                userData.pointee = nil
                return -1
            },
            find_debuginfo: { _, _, _, _, _, _, _, _ in -1 },
            section_address: { _, _, _, _, _, _, _, address in
                // Called only for a section that has no address after the layout, which means that it is not loaded.
                address?.pointee = UInt64.max
                return 0
            },
            debuginfo_path: nil)
    }

    private static func load(_ path: FilePath) throws(InputError) -> UnsafeMutableRawBufferPointer {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            return try file.closeAfter {
                // A folder can be opened and has a size, but its first byte can't be read.
                var first: UInt8 = 0
                _ = try withUnsafeMutableBytes(of: &first) { try file.read(fromAbsoluteOffset: 0, into: $0) }
                let size = Int(try file.seek(offset: 0, from: .end))
                guard size < 1 << 40 else { throw Errno.fileTooLarge }
                // One byte more, so that an empty file also has an address.
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 1, alignment: 16)
                var filled = 0
                do {
                    while filled < size {
                        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<size])
                        let count = try file.read(fromAbsoluteOffset: Int64(filled), into: rest)
                        if count == 0 { break }
                        filled += count
                    }
                } catch {
                    buffer.deallocate()
                    throw error
                }
                return UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: filled)
            }
        } catch {
            throw .unreadable(path, error as? Errno ?? .ioError)
        }
    }

    static var elfReason: String { elf_errmsg(-1).map { String(cString: $0) } ?? "unknown reason" }
    static var dwarfReason: String { dwarf_errmsg(-1).map { String(cString: $0) } ?? "unknown reason" }
    static var dwflReason: String { dwfl_errmsg(-1).map { String(cString: $0) } ?? "unknown reason" }
}
