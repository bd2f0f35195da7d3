import ELFModel
import TargetArchitecture

/// In pages. For a larger payload, whether the hypervisor finds the memory depends on the machine.
private let certainPages: UInt64 = 16384
/// In pages: 1 GiB, more than the hypervisor's addresses for its image and all payloads.
private let availablePages: UInt64 = 0x4_0000

extension PayloadLoader {
    /// Gives each loaded section its place. Text, writable and read-only sections form separate regions, each in file order.
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
            // With an alignment of 0 the result is 0, as in the hypervisor.
            let offset = (sizes[region, default: 0] &+ section.alignment &- 1) & ~(section.alignment &- 1)
            sizes[region] = offset &+ section.size
            // The hypervisor stores offsets in 32 bits.
            places.append((index, region, offset & 0xFFFF_FFFF))
        }
        try allocate(sizes, places)
        for (index, region, offset) in places {
            let section = sections[index], address = memory.region(region).address &+ offset
            for other in memory.sections(at: address, count: section.size, besides: nil) {
                findings.append(
                    .init(.zeroAlignment, "section \(section.name) is put over section \(sections[other].name), because of an alignment of 0"))
            }
            guard memory.place(index, in: region, at: address, size: section.size, section.hasFileBytes ? file.contents(section) : nil) else {
                throw .crash("section \(section.name) is copied past the pages that were allocated")
            }
        }
        let writable = places.filter { $0.region == .writable && sections[$0.index].size > 0 }.map { sections[$0.index].name }
        isSafeToReapply = !abi.refusesSecondApply || writable.isEmpty || writable == [abi.functionsSection]
    }

    /// - Parameter places: where each section goes, counted from the start of its region.
    private mutating func allocate(
        _ sizes: [LoadResult.Region: UInt64], _ places: [(index: Int, region: LoadResult.Region, offset: UInt64)]
    ) throws(Stop) {
        let pageSize = PayloadMemory.pageSize
        func pages(_ region: LoadResult.Region) -> UInt64 {
            let size = sizes[region, default: 0]
            return size / pageSize + (size % pageSize == 0 ? 0 : 1)
        }
        let area = hypervisor.payloadArea(rules)
        var total: UInt64 = 0
        var layout: [LoadResult.RegionLayout] = []
        for region in LoadResult.Region.allCases {
            layout.append(
                .init(
                    region: region, address: area &+ total &* pageSize, size: sizes[region, default: 0]))
            total += pages(region)
        }
        guard total <= availablePages else {
            throw .refuse(.layout, .outOfMemory, "it needs \(total) pages of memory, and there are not more than \(availablePages) for payloads")
        }
        if total > certainPages {
            findings.append(.init(.largeMemory, "it needs \(total / 256) MiB of memory: a hypervisor without that refuses it with ENOMEM"))
        }
        // Nothing to load is no error: the loader goes on with an area of no pages (a debug hypervisor stops itself).
        memory = PayloadMemory(
            base: area, regions: layout, pages: total,
            used: places.map { place in
                let start = layout.first { $0.region == place.region }?.address ?? area
                return (start &+ place.offset, sections[place.index].size)
            })
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
                    throw fault(.notFound, "the hypervisor has no symbol '\(symbol.name.text)'")
                }
                symbols[index].value = address
                if !hypervisor.isInImage(address) { usesOfPayloads.append(symbol.name.text) }
            case 0xFFF1:
                break
            case 0xFFF2:
                throw fault(.invalid, "'\(symbol.name.text)' is a common symbol")
            case 0xFF00...:
                throw fault(.notSupported, "'\(symbol.name.text)' has the reserved section index \(symbol.section)")
            default:
                guard symbol.section < sections.count else {
                    throw fault(.invalid, "'\(symbol.name.text)' is in section \(symbol.section), past the last one")
                }
                if let address = memory.address(of: Int(symbol.section)) {
                    symbols[index].value = (symbol.value &+ address) & file.lastAddress
                } else {
                    symbols[index].isIgnored = true
                }
            }
        }
    }
}
