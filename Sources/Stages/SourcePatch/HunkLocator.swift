/// Finds where the hunks of one file go. Only lines that match exactly count: an offset is accepted, fuzz never is.
///
/// The rules are those of `git apply`. A hunk that says line 1 must match at the top. A hunk that ends in a changed line must match at
/// the end of the file. Any other hunk goes to the matching place nearest to the stated line. Lines that an earlier hunk has seen are not
/// matched again.
struct HunkLocator {
    private let lines: [ArraySlice<UInt8>]
    private var taken: [Bool]
    /// Equal lines have equal numbers, so that comparing is cheap.
    private let numbers: [ArraySlice<UInt8>: Int]
    private let numbered: [Int]

    init(_ lines: [ArraySlice<UInt8>]) {
        self.lines = lines
        taken = Array(repeating: false, count: lines.count)
        var numbers: [ArraySlice<UInt8>: Int] = [:]
        numbered = lines.map { line in
            let next = numbers.count
            let number = numbers[line] ?? next
            if number == next { numbers[line] = number }
            return number
        }
        self.numbers = numbers
    }

    /// Returns the line, counted from 0, at which each hunk's lines begin; or the first hunk, counted from 0, that has no place.
    static func locate(_ hunks: [Hunk], in lines: [ArraySlice<UInt8>]) -> Result<[Int], Misfit> {
        var locator = HunkLocator(lines)
        var places: [Int] = []
        for (index, hunk) in hunks.enumerated() {
            guard let place = locator.place(hunk) else { return .failure(Misfit(hunk: index)) }
            places.append(place)
        }
        return .success(places)
    }

    struct Misfit: Error, Equatable {
        var hunk: Int
    }

    private mutating func place(_ hunk: Hunk) -> Int? {
        var wanted: [Int] = []
        for line in hunk.before {
            guard let number = numbers[line] else { return nil }
            wanted.append(number)
        }
        guard wanted.count <= lines.count else { return nil }
        let last = lines.count - wanted.count
        // Without a context line nothing confirms the place, unless the hunk covers the whole file.
        let atTop = hunk.oldStart <= 1 || !hunk.hasContext
        let atEnd = !hunk.endsInContext
        if atTop && atEnd && last != 0 { return nil }
        let stated = atTop ? 0 : min(max(hunk.oldStart - 1, 0), last)
        let candidates = atTop ? [0] : atEnd ? [last] : nil
        let found =
            if let candidates { candidates.first { matches(wanted, at: $0) } } else { nearest(to: stated, through: last, wanted) }
        guard let found else { return nil }
        for line in found..<(found + wanted.count) { taken[line] = true }
        return found
    }

    private func nearest(to stated: Int, through last: Int, _ wanted: [Int]) -> Int? {
        if matches(wanted, at: stated) { return stated }
        guard last > 0 else { return nil }
        for distance in 1...last {
            // Of two places equally far away git takes the later one.
            if stated + distance <= last, matches(wanted, at: stated + distance) { return stated + distance }
            if stated >= distance, matches(wanted, at: stated - distance) { return stated - distance }
        }
        return nil
    }

    private func matches(_ wanted: [Int], at start: Int) -> Bool {
        guard start >= 0, start + wanted.count <= numbered.count else { return false }
        for (offset, number) in wanted.enumerated() where numbered[start + offset] != number || taken[start + offset] {
            return false
        }
        return true
    }
}
