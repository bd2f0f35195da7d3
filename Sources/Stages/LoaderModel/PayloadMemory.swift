/// The pages that a payload gets in the hypervisor, from the first text page to the last read-only one.
struct PayloadMemory {
    private(set) var base: UInt64 = 0
    private(set) var bytes: [UInt8] = []
    private(set) var regions: [LoadResult.RegionLayout] = []
    /// Where each section was put, and its size in bytes; by section header index.
    private var places: [Int: (region: LoadResult.Region, address: UInt64, size: UInt64)] = [:]

    init() {}

    init(base: UInt64, regions: [LoadResult.RegionLayout], pages: UInt64) {
        self.base = base
        self.regions = regions
        bytes = [UInt8](repeating: 0, count: Int(pages * 4096))
    }

    /// Copies a section in. Returns false when it does not fit into the pages.
    mutating func place(_ index: Int, in region: LoadResult.Region, at address: UInt64, size: UInt64, _ contents: ArraySlice<UInt8>?)
        -> Bool
    {
        guard let range = range(address, size) else { return false }
        places[index] = (region, address, size)
        if let contents { bytes.replaceSubrange(range, with: contents) } else { fill(range) }
        return true
    }

    private mutating func fill(_ range: Range<Int>) {
        for index in range { bytes[index] = 0 }
    }

    func address(of index: Int) -> UInt64? { places[index]?.address }

    func region(_ region: LoadResult.Region) -> (address: UInt64, size: UInt64) {
        regions.first { $0.region == region }.map { ($0.address, $0.size) } ?? (base, 0)
    }

    /// The bytes of a placed section.
    func bytes(of index: Int) -> ArraySlice<UInt8>? {
        guard let place = places[index], let range = range(place.address, place.size) else { return nil }
        return bytes[range]
    }

    /// The bytes at an address inside the payload.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        range(address, UInt64(count)).map { bytes[$0] }
    }

    /// The NUL-terminated string at an address inside the payload. Longer names than anyone uses are cut, so that a hostile payload with
    /// many entries of one endless name can't use up the memory.
    func string(at address: UInt64) -> String? {
        guard let range = range(address, 1) else { return nil }
        let text = bytes[range.lowerBound...].prefix(4096).prefix { $0 != 0 }
        return text.endIndex < bytes.endIndex ? String(decoding: text, as: UTF8.self) : nil
    }

    mutating func store(_ new: [UInt8], at address: UInt64) -> Bool {
        guard let range = range(address, UInt64(new.count)) else { return false }
        bytes.replaceSubrange(range, with: new)
        return true
    }

    func sections(of headers: [RawELF.Section]) -> [LoadResult.Section] {
        places.sorted { $0.key < $1.key }.map { index, place in
            LoadResult.Section(
                index: index, name: headers[index].name, region: place.region, address: place.address,
                bytes: Array(bytes(of: index) ?? []))
        }
    }

    private func range(_ address: UInt64, _ size: UInt64) -> Range<Int>? {
        let offset = address &- base
        guard address >= base, offset <= UInt64(bytes.count), UInt64(bytes.count) - offset >= size else { return nil }
        return Int(offset)..<Int(offset + size)
    }
}
