import CLibelf

/// Turns the addresses of debug information into places of the ELF file, and back.
///
/// In a relocatable file every section starts at address 0. Before relocating its debug sections we give each loaded
/// section an address of its own, with a gap behind it: so even the end of one section is never the start of another.
struct AddressMap {
    private struct Span {
        var base: UInt64
        var size: UInt64
        var section: Int
    }

    /// Sorted by `base`.
    private var spans: [Span] = []

    private static let firstAddress: UInt64 = 0x1_0000
    private static let gap: UInt64 = 64

    /// The sections of a linked file, where their headers say they are.
    init(linked sections: [LoadedSection]) {
        spans = sections.filter { $0.header.sh_size > 0 }
            .map { Span(base: $0.header.sh_addr, size: $0.header.sh_size, section: $0.index) }
            .sorted { $0.base < $1.base }
    }

    /// Lays out the sections of a relocatable file one after the other and writes their addresses into the headers in
    /// memory, where libdw's relocation finds them. Returns nil if they don't fit the address space or libelf refuses one.
    init?(layingOut sections: [LoadedSection], addressSize: Int) {
        let limit: UInt64 = addressSize == 4 ? 1 << 32 : 1 << 62
        var next = Self.firstAddress
        for section in sections {
            var header = section.header
            guard header.sh_size < limit, next < limit - header.sh_size else { return nil }
            header.sh_addr = next
            guard gelf_update_shdr(section.handle, &header) != 0 else { return nil }
            spans.append(Span(base: next, size: header.sh_size, section: section.index))
            next += header.sh_size + Self.gap
        }
    }

    /// The section of an address and the offset in that section, in bytes. The offset may equal the section's size. Nil for an
    /// address outside of all sections.
    func place(of address: UInt64) -> (section: Int, offset: UInt64)? {
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].base <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let span = spans[low - 1]
        let offset = address - span.base
        return offset <= span.size ? (span.section, offset) : nil
    }
}

/// A section with SHF_ALLOC, as libelf hands it out.
struct LoadedSection {
    var index: Int
    var header: GElf_Shdr
    /// Valid as long as the `Elf` handle that it came from.
    var handle: OpaquePointer
}
