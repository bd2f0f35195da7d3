/// Reads names and modes in the header lines of a patch.
extension PatchReader {
    /// Reads a line `--- NAME` or `+++ NAME`: the name, which is nil for /dev/null, and whether the time stamp is time 0.
    func nameInFileLine(_ line: Bytes) throws(PatchError) -> (path: String?, isEpoch: Bool) {
        var rest = trimmingLineEnd(line.dropFirst(4))
        var stamp = Bytes()
        var name: [UInt8]
        if rest.first == UInt8(ascii: "\""), let quoted = PatchPath.unquote(rest) {
            name = quoted.name
            stamp = rest.dropFirst(quoted.length)
        } else {
            if let tab = rest.firstIndex(of: UInt8(ascii: "\t")) {
                stamp = rest[(tab + 1)...]
                rest = rest[..<tab]
            } else if let date = TimeStamp.firstDate(in: rest) {
                stamp = rest[date...]
                rest = rest[..<date]
            }
            while rest.last == UInt8(ascii: " ") { rest.removeLast() }
            name = Array(rest)
        }
        if name == Array("/dev/null".utf8) { return (nil, false) }
        return (try checked(name, stripping: true), TimeStamp.isEpoch(stamp))
    }

    /// The leading folder of the names in the lines `+++ NAME` and `--- NAME`, the first that has one.
    static func leadingFolder(_ fileLines: Bytes...) -> String? {
        fileLines.lazy.compactMap { leadingFolder(of: $0.dropFirst(4)) }.first
    }

    /// The first component of a name that a line begins with; nil for /dev/null and for a name without a folder.
    static func leadingFolder(of names: Bytes) -> String? {
        let name = names.first == UInt8(ascii: "\"") ? names.dropFirst() : names
        guard let slash = name.firstIndex(of: UInt8(ascii: "/")), slash > name.startIndex else { return nil }
        return String(decoding: name[..<slash], as: UTF8.self)
    }

    /// Reads a name that is the only one in its place, quoted or not.
    func checkedName(_ bytes: Bytes, stripping: Bool) throws(PatchError) -> String {
        if bytes.first == UInt8(ascii: "\""), let quoted = PatchPath.unquote(bytes) {
            return try checked(quoted.name, stripping: stripping)
        }
        return try checked(Array(bytes), stripping: stripping)
    }

    func checked(_ name: [UInt8], stripping: Bool) throws(PatchError) -> String {
        do {
            return try PatchPath.checked(name, stripping: stripping)
        } catch {
            throw PatchError(patch, line: index + 1, .unsafePath(error.path, error.why))
        }
    }

    /// The name in `a/NAME b/NAME`; nil when the two names differ. Unquoted names may contain spaces: the middle is the space that makes
    /// both sides agree.
    func nameOnBothSides(_ rest: Bytes) throws(PatchError) -> String? {
        func withoutFolder(_ name: Bytes) -> Bytes? {
            name.firstIndex(of: UInt8(ascii: "/")).map { name[($0 + 1)...] }
        }
        if rest.contains(UInt8(ascii: "\"")) {
            var names: [[UInt8]] = []
            var left = rest
            while let first = left.first, names.count < 3 {
                if first == UInt8(ascii: "\"") {
                    guard let quoted = PatchPath.unquote(left) else { return nil }
                    names.append(quoted.name)
                    left = left.dropFirst(quoted.length)
                } else {
                    let end = left.firstIndex(of: UInt8(ascii: " ")) ?? left.endIndex
                    names.append(Array(left[..<end]))
                    left = left[end...]
                }
                if left.first == UInt8(ascii: " ") { left = left.dropFirst() }
            }
            guard names.count == 2, let old = withoutFolder(names[0][...]), let new = withoutFolder(names[1][...]),
                old.elementsEqual(new)
            else { return nil }
            return try checked(names[1], stripping: true)
        }
        for space in rest.indices where rest[space] == UInt8(ascii: " ") {
            let second = rest[(space + 1)...]
            guard let old = withoutFolder(rest[..<space]), let new = withoutFolder(second), old.elementsEqual(new) else {
                continue
            }
            _ = try checked(Array(rest[..<space]), stripping: true)
            return try checked(Array(second), stripping: true)
        }
        return nil
    }

    func parseMode(_ bytes: Bytes) throws(PatchError) -> UInt32 {
        guard bytes.count <= 7, let mode = UInt32(String(decoding: bytes, as: UTF8.self), radix: 8) else {
            throw malformed("a file mode that is not an octal number")
        }
        return mode
    }

    static func isBinaryNotice(_ line: Bytes) -> Bool {
        line.starts(with: "Binary files ".utf8) && trimmingLineEnd(line).suffix(7).elementsEqual(" differ".utf8)
    }

    /// The file named by a notice `Binary files a/NAME and b/NAME differ`, which plain diff writes between its sections. nil when the
    /// line is not such a notice, for example a similar sentence in a commit message.
    static func binaryName(_ line: Bytes) -> String? {
        guard isBinaryNotice(line) else { return nil }
        let names = String(decoding: trimmingLineEnd(line).dropFirst(13).dropLast(7), as: UTF8.self)
        guard let middle = names.firstRange(of: " and ") else { return nil }
        return [names[middle.upperBound...], names[..<middle.lowerBound]].lazy
            .compactMap { try? PatchPath.checked(Array($0.utf8), stripping: true) }.first
    }

    // MARK: the reader's place

    var current: Bytes? { peek(0) }

    func peek(_ distance: Int) -> Bytes? {
        let place = index + distance
        return lines.indices.contains(place) ? lines[place] : nil
    }

    func malformed(_ what: String) -> PatchError {
        PatchError(patch, line: min(index, lines.count - 1) + 1, .malformed(what))
    }

    func unsupported(_ what: String) -> PatchError { PatchError(patch, line: index + 1, .unsupportedFormat(what)) }
}

/// The time stamps in header lines of plain diff: `2016-05-10 11:27:57.000000000 +0200`.
enum TimeStamp {
    /// The index in a header line without tabs at which a date begins; nil if there is none.
    static func firstDate(in line: ArraySlice<UInt8>) -> Int? {
        line.indices.dropFirst().first { line[$0 - 1] == UInt8(ascii: " ") && matches(line[$0...], "dddd-dd-dd dd:dd") }
    }

    /// Whether the time stamp is 1970-01-01 00:00:00 UTC, in any time zone. `diff -N` uses that time for a file that does not exist.
    static func isEpoch(_ stamp: ArraySlice<UInt8>) -> Bool {
        let text = stamp.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard matches(text, "dddd-dd-dd dd:dd:dd") else { return false }
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        guard fields.count == 3, let zone = Int(fields[2]), ["1970-01-01", "1969-12-31"].contains(fields[0]) else {
            return false
        }
        let clock = fields[1].split(whereSeparator: { $0 == ":" || $0 == "." })
        guard clock.count >= 3, let hours = Int(clock[0]), let minutes = Int(clock[1]), let seconds = Int(clock[2]),
            clock.dropFirst(3).allSatisfy({ $0.allSatisfy { $0 == "0" } })
        else { return false }
        let day = fields[0] == "1970-01-01" ? 0 : -24 * 60
        return seconds == 0 && day + hours * 60 + minutes == zone / 100 * 60 + zone % 100
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: String) -> Bool {
        guard text.count >= pattern.utf8.count else { return false }
        return zip(text, pattern.utf8).allSatisfy { byte, want in
            want == UInt8(ascii: "d") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == want
        }
    }
}

/// Cuts after every newline. Joined, the parts are the input again.
func splitLines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        lines.append(rest[...end])
        rest = rest[(end + 1)...]
    }
    if !rest.isEmpty { lines.append(rest) }
    return lines
}

/// The line without its end, LF or CRLF: headers of a patch from a CRLF mail read like any other.
func trimmingLineEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    if line.last == UInt8(ascii: "\n") { line.removeLast() }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
}
