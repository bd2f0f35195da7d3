/// Keeps the line numbers of code that a patch does not touch.
///
/// `BUG`, `WARN`, `ASSERT` and `dprintk` compile `__LINE__` into the code. A patch that adds or removes lines would therefore change
/// every function below, and the payload would have to replace them all. A directive `#line N` after the changed lines gives the
/// unchanged lines their old numbers. It names no file, so `__FILE__` stays as it is.
///
/// - Parameters:
///   - content: the patched file, C source or header.
///   - origins: for each line of `content`, the number of the same line in the original file, counted from 1; not positive for an added line.
/// - Returns: the content with directives, and the map back from reported lines. A directive goes to the first line boundary that allows
///   one (see `CLineLexer`); the lines before that boundary keep shifted numbers.
func renumbered(_ content: [UInt8], origins: [Int]) -> ([UInt8], LineMap) {
    let lines = splitLines(content)
    guard lines.count == origins.count, origins.contains(where: { $0 > 0 }),
        zip(1..., origins).contains(where: { $0 != $1 && $1 > 0 })
    else { return (content, LineMap()) }
    var output: [UInt8] = []
    output.reserveCapacity(content.count + 256)
    var written = 0
    var lexer = CLineLexer()
    var numbering = PossibleNumbering()
    var map = LineMap()
    for (index, line) in lines.enumerated() {
        let origin = origins[index]
        // A macro's name and its '(' may stand on two lines.
        let opensArguments = line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "(")
        if origin > 0, numbering.numbers(ofLine: written + 1) != [origin], lexer.isBetweenTokensOfNoMacro, !opensArguments {
            let isCRLF = index > 0 && lines[index - 1].suffix(2).elementsEqual("\r\n".utf8)
            output += Array("#line \(origin)\(isCRLF ? "\r\n" : "\n")".utf8)
            written += 1
            numbering.set(nextLine: written + 1, to: origin)
        }
        for number in numbering.numbers(ofLine: written + 1).sorted() {
            map.append(reported: number, real: index + 1)
        }
        output += line
        written += 1
        numbering.pass(lexer.read(line))
    }
    return (output, map)
}

/// The line numbers that the compiler may have reached, over all paths through the conditional groups so far.
///
/// The lines of a skipped group count, but directives in it do not. After `#endif` the number may therefore depend on the configuration,
/// until the next directive outside the group settles it.
private struct PossibleNumbering {
    /// For each path: the reported number minus the line of the output.
    private var shifts: Set<Int> = [0]
    /// For each open group: the shifts at its `#if`, and those at the ends of its branches so far.
    private var groups: [(before: Set<Int>, after: Set<Int>)] = []

    func numbers(ofLine line: Int) -> Set<Int> { Set(shifts.map { line + $0 }) }

    mutating func set(nextLine line: Int, to number: Int) { shifts = [number - line] }

    mutating func pass(_ conditional: CLineLexer.Conditional?) {
        guard let conditional else { return }
        switch conditional {
        case .opens:
            groups.append((shifts, shifts))
        case .alternates:
            guard let last = groups.indices.last else { return }
            groups[last].after.formUnion(shifts)
            shifts = groups[last].before
        case .closes:
            // Without `#else` all branches may be skipped. With `#else` that path can't happen, and assuming it does no harm.
            guard let group = groups.popLast() else { return }
            shifts.formUnion(group.after)
        }
    }
}
