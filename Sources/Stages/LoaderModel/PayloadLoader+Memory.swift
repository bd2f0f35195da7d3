import ELFModel
import TargetArchitecture

/// The page size of all processors that Xen runs on, in bytes.
private let pageSize: UInt64 = 4096
/// In pages. For a larger payload, whether the hypervisor finds the memory depends on what else is loaded.
private let modelledPages: UInt64 = 16384

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
            places.append((index, region, offset))
            if section.alignment == 0 {
                findings.append(
                    .init(.zeroAlignment, "section \(section.name) has alignment 0 and is put over the start of its region"))
            }
        }
        try allocate(sizes)
        for (index, region, offset) in places {
            let section = sections[index]
            // The hypervisor stores offsets in 32 bits.
            let address = memory.region(region).address &+ (offset & 0xFFFF_FFFF)
            guard
                memory.place(
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
        let area = hypervisor.payloadArea(rules)
        var total: UInt64 = 0
        var layout: [LoadResult.RegionLayout] = []
        for region in LoadResult.Region.allCases {
            layout.append(
                .init(
                    region: region, address: area &+ total &* pageSize, size: sizes[region, default: 0]))
            total += pages(region)
        }
        guard total > 0 else { throw .refuse(.layout, .outOfMemory, "it has nothing to load") }
        guard total <= modelledPages else { throw .unknown("it needs \(total) pages of memory") }
        memory = PayloadMemory(base: area, regions: layout, pages: total)
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
                    symbols[index].value = (symbol.value &+ address) & file.lastAddress
                } else {
                    symbols[index].isIgnored = true
                }
            }
        }
    }
}
