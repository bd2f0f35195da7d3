import ELFModel

/// The pages that a payload gets in the hypervisor, from the first text page to the last read-only one.
///
/// Only the pages that a section touches are kept: an alignment of 128 MiB gives the others, which nobody fills.
struct PayloadMemory {
    /// Adjacent pages.
    private struct Block {
        var start: UInt64
        var bytes: [UInt8]
    }

    /// The page size of all processors that Xen runs on, in bytes.
    static let pageSize: UInt64 = 4096

    private(set) var base: UInt64 = 0
    private(set) var regions: [LoadResult.RegionLayout] = []
    /// In bytes: whole pages.
    private var size: UInt64 = 0
    /// In the order of their addresses.
    private var blocks: [Block] = []
    /// Where each section was put, and its size in bytes; by section header index.
    private var places: [Int: (region: LoadResult.Region, address: UInt64, size: UInt64)] = [:]

    init() {}

    /// - Parameter used: where the sections go, as addresses. Those outside of the pages do not count.
    init(base: UInt64, regions: [LoadResult.RegionLayout], pages: UInt64, used: [(address: UInt64, size: UInt64)]) {
        self.base = base
        self.regions = regions
        size = pages * Self.pageSize
        var touched: [Range<UInt64>] = []
        for (address, count) in used.sorted(by: { $0 < $1 }) where count > 0 && address &- base < size && size - (address &- base) >= count {
            let start = (address - base) / Self.pageSize, end = (address - base + count - 1) / Self.pageSize + 1
            if let last = touched.last, last.upperBound >= start {
                touched[touched.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                touched.append(start..<end)
            }
        }
        blocks = touched.map {
            Block(start: base + $0.lowerBound * Self.pageSize, bytes: [UInt8](repeating: 0, count: Int(UInt64($0.count) * Self.pageSize)))
        }
    }

    /// Whether an address is on one of the pages.
    func contains(_ address: UInt64) -> Bool { address &- base < size }

    /// Copies a section in. Returns false when it does not fit into the pages.
    mutating func place(_ index: Int, in region: LoadResult.Region, at address: UInt64, size: UInt64, _ contents: ArraySlice<UInt8>?)
        -> Bool
    {
        places[index] = (region, address, size)
        if size == 0 { return true }
        guard let (block, range) = range(address, size) else { return false }
        if let contents {
            blocks[block].bytes.replaceSubrange(range, with: contents)
        } else {
            for index in range { blocks[block].bytes[index] = 0 }
        }
        return true
    }

    func address(of index: Int) -> UInt64? { places[index]?.address }

    func region(_ region: LoadResult.Region) -> (address: UInt64, size: UInt64) {
        regions.first { $0.region == region }.map { ($0.address, $0.size) } ?? (base, 0)
    }

    /// Whether an address is on a page of code.
    func hasCode(at address: UInt64) -> Bool {
        let text = region(.text)
        return address &- text.address < (text.size &+ Self.pageSize &- 1) & ~(Self.pageSize - 1)
    }

    /// The sections, other than one of them, that some bytes belong to; by section header index.
    func sections(at address: UInt64, count: UInt64, besides index: Int?) -> [Int] {
        let found = places.filter { other, place in
            other != index && place.size > 0 && count > 0 && (address &- place.address < place.size || place.address &- address < count)
        }
        return found.keys.sorted()
    }

    /// The bytes of a placed section.
    func bytes(of index: Int) -> ArraySlice<UInt8>? { places[index].flatMap { bytes(at: $0.address, count: Int($0.size)) } }

    /// The bytes at an address inside the payload.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        if count == 0, address &- base <= size { return [] }
        return range(address, UInt64(count)).map { blocks[$0].bytes[$1] }
    }

    /// The name at an address inside the payload, up to its zero byte; nil when the pages have no such byte. Longer names than anyone uses
    /// are cut, so that a hostile payload with many entries of one endless name can't use up the memory.
    func string(at address: UInt64) -> SymbolName? {
        guard let (block, range) = range(address, 1) else { return nil }
        let rest = blocks[block].bytes[range.lowerBound...].prefix(4096), text = rest.prefix { $0 != 0 }
        return text.count < rest.count || rest.count == 4096 ? SymbolName(text) : nil
    }

    mutating func store(_ new: [UInt8], at address: UInt64) -> Bool {
        guard let (block, range) = range(address, UInt64(new.count)) else { return false }
        blocks[block].bytes.replaceSubrange(range, with: new)
        return true
    }

    func sections(of headers: [RawELF.Section]) -> [LoadResult.Section] {
        places.sorted { $0.key < $1.key }.map { index, place in
            LoadResult.Section(
                index: index, name: headers[index].name, region: place.region, address: place.address,
                bytes: Array(bytes(of: index) ?? []))
        }
    }

    private func range(_ address: UInt64, _ count: UInt64) -> (block: Int, range: Range<Int>)? {
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let block = blocks[low - 1], offset = address - block.start
        guard offset <= UInt64(block.bytes.count), UInt64(block.bytes.count) - offset >= count else { return nil }
        return (low - 1, Int(offset)..<Int(offset + count))
    }
}
