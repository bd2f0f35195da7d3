extension HunkLocator {
    /// A simple reason why a hunk may not match; nil if none is found.
    static func hint(for failed: Int, of hunks: [Hunk], in lines: [ArraySlice<UInt8>]) -> PatchError.Hint? {
        if case .success = locate(hunks.map(\.reversed), in: lines) { return .alreadyApplied }
        guard hunks.indices.contains(failed) else { return nil }
        if !hunks[failed].hasContext, hunks[failed].oldStart > 1 || hunks[failed].oldCount > 0 {
            return .noContext
        }
        func matches(after simplify: (ArraySlice<UInt8>) -> ArraySlice<UInt8>) -> Bool {
            let simple = hunks.map { hunk in
                var hunk = hunk
                hunk.lines = hunk.lines.map { .init(origin: $0.origin, text: simplify($0.text)) }
                return hunk
            }
            if case .success = locate(simple, in: lines.map(simplify)) { return true }
            return false
        }
        if matches(after: trimmingLineEnd) { return .lineEndings }
        let blank: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        if matches(after: { line in ArraySlice(line.filter { !blank.contains($0) }) }) { return .whiteSpace }
        return nil
    }
}
