/// Reads the hunks of a patch.
extension PatchReader {
    /// Reads all hunks from the current line on. The counts in a hunk's header decide how many lines it has, and must be right: a line
    /// too many or too few means a damaged patch.
    mutating func readHunks(into file: inout FilePatch) throws(PatchError) {
        while let line = current, line.starts(with: "@@ -".utf8) {
            guard var hunk = parseHunkHeader(line) else { throw malformed("a hunk header that can't be read") }
            index += 1
            try readBody(of: &hunk, number: file.hunks.count + 1)
            file.hunks.append(hunk)
        }
        try requireDecoded(file)
        guard !file.hunks.isEmpty, let next = current else { return }
        // A mail's signature begins with "--", and so does the next section of a plain diff.
        let text = trimmingLineEnd(next)
        let isNoise = text.elementsEqual("--".utf8) || text.elementsEqual("-- ".utf8) || text.starts(with: "--- ".utf8)
        if let first = next.first, Hunk.Origin(rawValue: first) != nil, !isNoise {
            throw malformed("hunk \(file.hunks.count) has more lines than its header says")
        }
    }

    /// Refuses hunks that are still quoted-printable, from a mail that lost its header: each `=` in them is a code, and `=3D` is among them.
    func requireDecoded(_ file: FilePatch) throws(PatchError) {
        var coded: Hunk?
        for hunk in file.hunks {
            for line in hunk.lines {
                let text = trimmingLineEnd(line.text)
                for place in text.indices where text[place] == UInt8(ascii: "=") {
                    let code = text[(place + 1)...].prefix(2)
                    guard code.isEmpty || (code.count == 2 && code.allSatisfy { hexadecimalDigit($0) != nil }) else { return }
                    if code.elementsEqual("3D".utf8), coded == nil { coded = hunk }
                }
            }
        }
        guard let coded else { return }
        throw PatchError(patch, line: coded.line, .mail("the patch is quoted-printable ('=3D' for '='), and has no mail header that says so"))
    }

    private mutating func readBody(of hunk: inout Hunk, number: Int) throws(PatchError) {
        var old = 0
        var new = 0
        while old < hunk.oldCount || new < hunk.newCount {
            guard let line = current else { throw malformed("the patch ends in the middle of hunk \(number)") }
            guard line.last == UInt8(ascii: "\n") else { throw malformed("the patch ends in the middle of a line") }
            // git treats a file with a NUL byte as binary, and libgit2 does not match it.
            guard !line.contains(0) else { throw malformed("a NUL byte in hunk \(number): only text can be patched") }
            switch line.first {
            case UInt8(ascii: "\\"):
                try dropLineEnd(of: &hunk)
            case UInt8(ascii: "\n"):
                // Mail programs and editors strip the blank of an empty context line.
                hunk.lines.append(.init(origin: .context, text: line))
                (old, new) = (old + 1, new + 1)
            case let first?:
                guard let origin = Hunk.Origin(rawValue: first) else {
                    throw malformed("a line of hunk \(number) begins with neither ' ', '+' nor '-'")
                }
                if origin != .added { old += 1 }
                if origin != .removed { new += 1 }
                hunk.lines.append(.init(origin: origin, text: line.dropFirst()))
            case nil: break
            }
            guard old <= hunk.oldCount, new <= hunk.newCount else {
                throw malformed("hunk \(number) does not have as many lines as its header says")
            }
            index += 1
        }
        if let line = current, line.first == UInt8(ascii: "\\") {
            try dropLineEnd(of: &hunk)
            index += 1
        }
        for side in [hunk.before, hunk.after] {
            guard side.dropLast().allSatisfy({ $0.last == UInt8(ascii: "\n") }) else {
                throw malformed("a line without newline in the middle of hunk \(number)")
            }
        }
    }

    /// Handles `\ No newline at end of file`, in any language: the line above it has no line end.
    private func dropLineEnd(of hunk: inout Hunk) throws(PatchError) {
        guard let last = hunk.lines.indices.last, hunk.lines[last].text.last == UInt8(ascii: "\n") else {
            throw malformed("a line about a missing newline that follows no line")
        }
        hunk.lines[last].text.removeLast()
    }

    /// Parses `@@ -10,7 +10,8 @@ anything`; returns nil for any other line. Numbers may have up to 9 digits: no file has more lines.
    func parseHunkHeader(_ line: Bytes) -> Hunk? {
        var rest = line.dropFirst(4)
        func number(_ rest: inout Bytes) -> Int? {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return Int(String(decoding: digits, as: UTF8.self))
        }
        func range(_ rest: inout Bytes) -> (Int, Int)? {
            guard let start = number(&rest) else { return nil }
            guard rest.first == UInt8(ascii: ",") else { return (start, 1) }
            rest = rest.dropFirst()
            return number(&rest).map { (start, $0) }
        }
        guard let old = range(&rest), rest.starts(with: " +".utf8) else { return nil }
        rest = rest.dropFirst(2)
        guard let new = range(&rest), rest.starts(with: " @@".utf8) else { return nil }
        return Hunk(oldStart: old.0, oldCount: old.1, newStart: new.0, newCount: new.1, line: index + 1)
    }
}
