import LoaderModel

/// The payload's memory, and which of its bytes the proof has explained so far.
struct LoadedPayload: Sendable {
    /// Loaded sections with content, by address.
    let sections: [LoadResult.Section]
    private var explained: [Explained] = []

    private struct Explained: Sendable {
        var start: UInt64
        var end: UInt64
        var alignment: UInt64
    }

    /// Bytes that nothing explains.
    struct Leftover {
        var section: LoadResult.Section
        /// In the section, in bytes.
        var range: Range<Int>
    }

    init(_ loaded: LoadResult) {
        sections = loaded.sections.filter { !$0.bytes.isEmpty }.sorted { $0.address < $1.address }
    }

    func section(at address: UInt64) -> LoadResult.Section? {
        var (low, high) = (0, sections.count)
        while low < high {
            let middle = (low + high) / 2
            if sections[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address - sections[low - 1].address < UInt64(sections[low - 1].bytes.count) else { return nil }
        return sections[low - 1]
    }

    func contains(_ address: UInt64) -> Bool { section(at: address) != nil }

    /// nil when the payload does not have all of the bytes in one section.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        guard let section = section(at: address) else { return nil }
        let start = Int(address - section.address)
        return count <= section.bytes.count - start ? section.bytes[start..<start + count] : nil
    }

    /// The bytes up to the first zero, with it.
    func string(at address: UInt64) -> ArraySlice<UInt8>? {
        guard let section = section(at: address) else { return nil }
        let rest = section.bytes[Int(address - section.address)...]
        return rest.firstIndex(of: 0).map { rest[...$0] }
    }

    /// - Parameter alignment: what must be a multiple of it, in bytes: that many bytes less one may lie in front, to fill up.
    mutating func explain(_ address: UInt64, count: Int, alignment: UInt64 = 1) {
        explained.append(Explained(start: address, end: address &+ UInt64(count), alignment: alignment))
    }

    /// - Parameter isFiller: whether bytes between two explained pieces only fill up, given how many the alignment can ask for.
    func leftovers(isFiller: (_ bytes: ArraySlice<UInt8>, _ most: UInt64, _ section: LoadResult.Section) -> Bool) -> [Leftover] {
        let known = explained.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
        var result: [Leftover] = [], next = 0
        for section in sections {
            let end = section.address + UInt64(section.bytes.count)
            var cursor = section.address
            func note(to stop: UInt64, alignment: UInt64) {
                guard cursor < stop else { return }
                let range = Int(cursor - section.address)..<Int(stop - section.address)
                if !isFiller(section.bytes[range], alignment - 1, section) { result.append(Leftover(section: section, range: range)) }
            }
            while next < known.count, known[next].start < end {
                if known[next].start >= section.address {
                    note(to: known[next].start, alignment: max(known[next].alignment, 1))
                    cursor = max(cursor, min(known[next].end, end))
                }
                next += 1
            }
            note(to: end, alignment: 1)
        }
        return result
    }
}
