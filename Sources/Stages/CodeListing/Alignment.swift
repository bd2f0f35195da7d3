/// Finds out which elements of two sequences belong together: those that are equal, in an order that both have.
///
/// It takes what is at both ends, then anchors: elements that are there once on each side, as in the "patience" way of comparing texts. What
/// lies between two anchors is compared in full if it is small, and otherwise counts as replaced. So time and memory stay near the length.
struct Alignment {
    /// Pairs of indices, in ascending order on both sides.
    private(set) var pairs: [(before: Int, after: Int)] = []

    /// How many pairs a full comparison may look at.
    private static let fullComparison = 1 << 22

    init<Element: Hashable>(_ before: [Element], _ after: [Element]) {
        var waiting: [(Range<Int>, Range<Int>)] = [(before.indices, after.indices)]
        while var (a, b) = waiting.popLast() {
            while let x = a.first, let y = b.first, before[x] == after[y] {
                pairs.append((x, y))
                (a, b) = (a.dropFirst(), b.dropFirst())
            }
            while let x = a.last, let y = b.last, before[x] == after[y] {
                pairs.append((x, y))
                (a, b) = (a.dropLast(), b.dropLast())
            }
            guard !a.isEmpty, !b.isEmpty else { continue }
            let anchors = Self.anchors(before[a], after[b])
            if !anchors.isEmpty {
                var from = (a.lowerBound, b.lowerBound)
                for anchor in anchors {
                    waiting.append((from.0..<anchor.before, from.1..<anchor.after))
                    pairs.append(anchor)
                    from = (anchor.before + 1, anchor.after + 1)
                }
                waiting.append((from.0..<a.upperBound, from.1..<b.upperBound))
            } else if a.count * b.count <= Self.fullComparison {
                pairs += Self.longestCommon(before[a], after[b])
            }
        }
        pairs.sort { $0.before < $1.before }
    }

    /// The longest series of elements that stand once on each side.
    private static func anchors<Element: Hashable>(_ before: ArraySlice<Element>, _ after: ArraySlice<Element>) -> [(before: Int, after: Int)] {
        func once(_ slice: ArraySlice<Element>) -> [Element: Int?] {
            Dictionary(slice.indices.map { (slice[$0], Optional($0)) }) { _, _ in nil }
        }
        let there = once(after)
        let both = once(before).compactMap { element, index -> (before: Int, after: Int)? in
            guard let index, case let other?? = there[element] else { return nil }
            return (index, other)
        }
        return longestAscending(both.sorted { $0.before < $1.before })
    }

    /// The longest part of the pairs in which the second indices ascend too (patience sorting).
    private static func longestAscending(_ pairs: [(before: Int, after: Int)]) -> [(before: Int, after: Int)] {
        var ends: [Int] = [], previous = [Int?](repeating: nil, count: pairs.count)
        for index in pairs.indices {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if pairs[ends[middle]].after < pairs[index].after { low = middle + 1 } else { high = middle }
            }
            previous[index] = low > 0 ? ends[low - 1] : nil
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var result: [(before: Int, after: Int)] = [], next = ends.last
        while let index = next {
            result.append(pairs[index])
            next = previous[index]
        }
        return result.reversed()
    }

    /// A longest common subsequence, by the table of all beginnings.
    private static func longestCommon<Element: Hashable>(_ before: ArraySlice<Element>, _ after: ArraySlice<Element>) -> [(before: Int, after: Int)] {
        let (rows, columns) = (before.count, after.count), width = columns + 1
        var lengths = [UInt32](repeating: 0, count: (rows + 1) * width)
        for row in stride(from: rows - 1, through: 0, by: -1) {
            for column in stride(from: columns - 1, through: 0, by: -1) {
                let isSame = before[before.startIndex + row] == after[after.startIndex + column]
                lengths[row * width + column] =
                    isSame ? lengths[(row + 1) * width + column + 1] + 1 : max(lengths[(row + 1) * width + column], lengths[row * width + column + 1])
            }
        }
        var result: [(before: Int, after: Int)] = [], row = 0, column = 0
        while row < rows, column < columns {
            if before[before.startIndex + row] == after[after.startIndex + column] {
                result.append((before.startIndex + row, after.startIndex + column))
                (row, column) = (row + 1, column + 1)
            } else if lengths[(row + 1) * width + column] >= lengths[row * width + column + 1] {
                row += 1
            } else {
                column += 1
            }
        }
        return result
    }
}
