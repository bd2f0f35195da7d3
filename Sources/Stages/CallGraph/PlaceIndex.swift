/// Finds the place that an address belongs to.
struct PlaceIndex: Sendable {
    private var stretches: [(start: UInt64, end: UInt64, place: Int)] = []

    /// - Parameter stretches: they may overlap; of those that begin at one address, the first counts.
    init(_ stretches: [(start: UInt64, end: UInt64, place: Int)]) {
        for stretch in stretches.sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) where self.stretches.last?.start != stretch.start {
            self.stretches.append(stretch)
        }
    }

    /// The place that begins last, of those that begin at or before the address, if it reaches that far.
    func place(at address: UInt64) -> (place: Int, offset: UInt64)? {
        guard let found = last(upTo: address), address < found.end else { return nil }
        return (found.place, address - found.start)
    }

    /// The place that begins exactly there.
    func place(from address: UInt64) -> Int? { last(upTo: address).flatMap { $0.start == address ? $0.place : nil } }

    /// The first address behind the given one where a place begins.
    func start(after address: UInt64) -> UInt64? {
        let index = firstIndex(behind: address)
        return index < stretches.count ? stretches[index].start : nil
    }

    private func last(upTo address: UInt64) -> (start: UInt64, end: UInt64, place: Int)? {
        let index = firstIndex(behind: address)
        return index > 0 ? stretches[index - 1] : nil
    }

    private func firstIndex(behind address: UInt64) -> Int {
        var low = 0, high = stretches.count
        while low < high {
            let middle = (low + high) / 2
            if stretches[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
