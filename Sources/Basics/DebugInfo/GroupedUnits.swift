import CLibdw
import CLibelf

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Puts the units of an object together in one section.
///
/// With `-fdebug-types-section` a compiler puts every type into a section of its own, `.debug_types` or from DWARF 5 on `.debug_info`, and each
/// of these into a group of which the linker keeps one. libdw leaves the sections of groups out, and knows one section of each name.
struct GroupedUnits {
    /// A section as libelf hands it out; valid as long as the `Elf` handle.
    private var infos: [Section] = []
    private var types: [Section] = []

    private struct Section {
        var handle: OpaquePointer
        var flags: UInt64

        var isGrouped: Bool { flags & UInt64(SHF_GROUP) != 0 }
    }

    /// Takes a section into account.
    mutating func note(_ handle: OpaquePointer, named name: UnsafePointer<CChar>, flags: UInt64) {
        let section = Section(handle: handle, flags: flags)
        if strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0 { infos.append(section) }
        if strcmp(name, ".debug_types") == 0 || strcmp(name, ".zdebug_types") == 0 { types.append(section) }
    }

    /// Whether the object has units at all.
    var areAny: Bool { !infos.isEmpty }

    /// Whether libdw would leave units out.
    var isNeeded: Bool { [infos, types].contains { $0.count > 1 || $0.contains(where: \.isGrouped) } }

    /// Appends the units of all sections to those of the first one, in memory. The sections must have been relocated before, and DWARF must be
    /// opened again afterwards.
    ///
    /// - Returns: the memory that the sections use from now on, to be freed after the `Elf` handle; nil if libelf refuses.
    func gather() -> [UnsafeMutableRawPointer]? {
        var owned: [UnsafeMutableRawPointer] = []
        for sections in [infos, types] where !sections.isEmpty {
            // Other sections refer to the units outside of groups by their offsets, so these come first.
            let ordered = sections.filter { !$0.isGrouped } + sections.filter(\.isGrouped)
            guard let memory = Self.join(ordered) else {
                for memory in owned { memory.deallocate() }
                return nil
            }
            owned.append(memory)
        }
        return owned
    }

    private static func join(_ sections: [Section]) -> UnsafeMutableRawPointer? {
        var contents: [UnsafeMutablePointer<Elf_Data>] = []
        for section in sections {
            var header = GElf_Shdr()
            guard gelf_getshdr(section.handle, &header) != nil else { return nil }
            // Relocation has decompressed those that it wrote to.
            if header.sh_flags & UInt64(SHF_COMPRESSED) != 0, elf_compress(section.handle, 0, 0) < 0 { return nil }
            guard var data = elf_getdata(section.handle, nil) else { return nil }
            if isCompressedOldStyle(data) {
                guard elf_compress_gnu(section.handle, 0, 0) >= 0, let content = elf_getdata(section.handle, nil) else { return nil }
                data = content
            }
            contents.append(data)
        }
        guard let first = contents.first, var header = sections.first.flatMap(header) else { return nil }
        let total = contents.reduce(0) { $0 + $1.pointee.d_size }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(total, 1), alignment: 16)
        var filled = 0
        for content in contents {
            if let bytes = content.pointee.d_buf { memcpy(memory + filled, bytes, content.pointee.d_size) }
            filled += content.pointee.d_size
        }
        header.sh_flags &= ~UInt64(SHF_GROUP)
        header.sh_size = UInt64(total)
        guard gelf_update_shdr(sections[0].handle, &header) != 0 else {
            memory.deallocate()
            return nil
        }
        first.pointee.d_buf = memory
        first.pointee.d_size = total
        return memory
    }

    /// Before ELF had a flag for it, compressed sections began with a magic number.
    private static func isCompressedOldStyle(_ data: UnsafeMutablePointer<Elf_Data>) -> Bool {
        guard data.pointee.d_size >= 4, let bytes = data.pointee.d_buf else { return false }
        return memcmp(bytes, "ZLIB", 4) == 0
    }

    private static func header(_ section: Section) -> GElf_Shdr? {
        var header = GElf_Shdr()
        return gelf_getshdr(section.handle, &header) == nil ? nil : header
    }
}
