import ELFModel
import TargetArchitecture

/// Of the processors that 64-bit Xen runs on, in bytes.
private let pageSize: UInt64 = 4096
/// Beyond this, whether the hypervisor finds the pages depends on what else is loaded.
private let modelledPages: UInt64 = 16384

extension PayloadLoader {
    /// Gives each loaded section its place: text, writable and read-only sections apart, each in the file's order.
    mutating func layOut() throws(Stop) {
        var sizes: [LoadResult.Region: UInt64] = [:]
        var places: [(index: Int, region: LoadResult.Region, offset: UInt64)] = []
        for (index, section) in sections.enumerated().dropFirst() where section.isLoaded {
            let region: LoadResult.Region
            switch (section.isExecutable, section.isWritable) {
            case (true, false): region = .text
            case (false, true): region = .writable
            case (false, false): region = .readOnly
            case (true, true):
                throw .refuseSilently(
                    .layout, .notSupported, "section \(section.name) is writable and executable")
            }
            // With an alignment of 0 this comes to 0, as in the hypervisor.
            let offset = (sizes[region, default: 0] &+ section.alignment &- 1) & ~(section.alignment &- 1)
            sizes[region] = offset &+ section.size
            places.append((index, region, offset))
            if section.alignment == 0 {
                findings.append(
                    .init(.zeroAlignment, "section \(section.name) has alignment 0 and is put over the start of its region"))
            }
        }
        try allocate(sizes)
        for (index, region, offset) in places {
            let section = sections[index]
            // The hypervisor keeps offsets in 32 bits.
            let address = memory.region(region).address &+ (offset & 0xFFFF_FFFF)
            guard memory.place(
                index, in: region, at: address, size: section.size, section.hasFileBytes ? file.contents(section) : nil)
            else {
                throw .crash("section \(section.name) is copied past the pages that were allocated")
            }
        }
        let writable = places.filter { $0.region == .writable && sections[$0.index].size > 0 }.map { sections[$0.index].name }
        isSafeToReapply = !abi.refusesSecondApply || writable.isEmpty || writable == [abi.functionsSection]
    }

    private mutating func allocate(_ sizes: [LoadResult.Region: UInt64]) throws(Stop) {
        func pages(_ region: LoadResult.Region) -> UInt64 {
            let size = sizes[region, default: 0]
            return size / pageSize + (size % pageSize == 0 ? 0 : 1)
        }
        var total: UInt64 = 0
        var layout: [LoadResult.RegionLayout] = []
        for region in LoadResult.Region.allCases {
            layout.append(
                .init(
                    region: region, address: hypervisor.payloadArea &+ total &* pageSize, size: sizes[region, default: 0]))
            total += pages(region)
        }
        guard total > 0 else { throw .refuse(.layout, .outOfMemory, "it has nothing to load") }
        guard total <= modelledPages else { throw .unknown("it needs \(total) pages of memory") }
        memory = PayloadMemory(base: hypervisor.payloadArea, regions: layout, pages: total)
    }

    mutating func resolveSymbols() throws(Stop) {
        for index in symbols.indices.dropFirst() {
            let symbol = symbols[index]
            func fault(_ error: LoadResult.ErrorNumber, _ reason: String) -> Stop {
                .refuse(.symbolResolution, error, reason)
            }
            switch symbol.section {
            case 0:
                guard !symbol.name.isEmpty, let address = hypervisor.address(ofSymbol: symbol.name), address != 0 else {
                    throw fault(.notFound, "the hypervisor has no symbol '\(symbol.name)'")
                }
                symbols[index].value = address
            case 0xFFF1:
                break
            case 0xFFF2:
                throw fault(.invalid, "'\(symbol.name)' is a common symbol")
            case 0xFF00...:
                throw fault(.notSupported, "'\(symbol.name)' has the reserved section index \(symbol.section)")
            default:
                guard symbol.section < sections.count else {
                    throw fault(.invalid, "'\(symbol.name)' is in section \(symbol.section), past the last one")
                }
                if let address = memory.address(of: Int(symbol.section)) {
                    symbols[index].value = symbol.value &+ address
                } else {
                    symbols[index].isIgnored = true
                }
            }
        }
    }

    mutating func relocate() throws(Stop) {
        for section in sections.dropFirst() {
            guard section.type == ELF.SectionType.rela || section.type == ELF.SectionType.rel else { continue }
            guard section.info < UInt32(sections.count) else { continue }
            guard section.info != 0 else {
                throw .crash("relocations \(section.name) apply to section 0: a null pointer is followed")
            }
            guard sections[Int(section.info)].isLoaded else { continue }
            guard section.link == UInt32(symbolTable) else {
                throw .refuse(.relocation, .invalid, "relocations \(section.name) link to another section than the symbol table")
            }
            guard section.size > 0 else { continue }
            let isRela = section.type == ELF.SectionType.rela
            guard section.entrySize >= (isRela ? RawELF.relaSize : RawELF.relSize), section.size % section.entrySize == 0
            else {
                throw .refuse(.relocation, .invalid, "relocations \(section.name): the size or the entry size is wrong")
            }
            guard isRela else {
                throw .refuse(.relocation, .notSupported, "relocations \(section.name) have no addends (SHT_REL)")
            }
            for number in 0..<section.size / section.entrySize {
                try perform(number, of: section, to: Int(section.info))
            }
        }
    }

    private mutating func perform(_ number: UInt64, of table: RawELF.Section, to target: Int) throws(Stop) {
        func fault(_ error: LoadResult.ErrorNumber, _ reason: String) -> Stop {
            .refuse(.relocation, error, "relocation \(number) of \(table.name): \(reason)")
        }
        let entry = table.offset + number * table.entrySize
        guard let offset: UInt64 = file.number(at: entry), let info: UInt64 = file.number(at: entry + 8),
            let addend: UInt64 = file.number(at: entry + 16), let base = memory.address(of: target)
        else { throw fault(.invalid, "past the file's end") }

        let index = Int(info >> 32)
        guard index != 0 else { throw fault(.notSupported, "it has no symbol") }
        guard index < symbols.count else { throw fault(.invalid, "symbol \(index) is past the last one") }
        let symbol = symbols[index]
        guard !symbol.isIgnored else {
            throw fault(.invalid, "'\(symbol.name)' is in a section that is not loaded")
        }
        let type = UInt32(truncatingIfNeeded: info)
        guard let kind = architecture.relocationKind(type), kind.isLoadable else {
            throw fault(.notSupported, "type \(architecture.relocationKind(type)?.name ?? String(type)) is not taken")
        }
        guard kind.width > 0 else { return }
        let size = sections[target].size
        guard offset < size, size - offset >= UInt64(kind.width) else {
            throw fault(.invalid, "its place is outside section \(sections[target].name)")
        }
        let place = base &+ offset
        guard let value = kind.result(symbol.value &+ addend, at: place), let old = memory.bytes(at: place, count: kind.width) else {
            throw .crash("relocation \(number) of \(table.name) writes past the payload's pages")
        }
        let filled = architecture.byteOrder.bytes(kind.field.storing(value, in: architecture.byteOrder.number(old)), count: kind.width)
        guard memory.store(filled, at: place) else { throw .crash("relocation \(number) of \(table.name) writes past the payload's pages") }
        guard kind.holds(value, addressSize: architecture.elfClass.addressSize) else {
            throw fault(.overflow, "'\(symbol.name)' is too far away for \(kind.name)")
        }
    }
}
