/// The header of a mail, or of a part of one, as far as it says how the text is encoded.
struct MailHeader {
    /// In lower case: `quoted-printable`; empty if the header does not say.
    var encoding = ""
    /// In lower case: `text/plain`; empty if the header does not say.
    var type = ""
    /// Those of the type, by their name in lower case: `charset`, `boundary`, `format`.
    var parameters: [String: String] = [:]
    /// The index of the first line below the header.
    var bodyStart: Int

    /// Whether the text is not in the mail as it was written.
    var isEncoded: Bool { !["", "7bit", "8bit", "binary"].contains(encoding) }

    struct Failure: Error { var what: String }

    /// Reads the header that the lines begin with, which may be empty. It ends at the first line that is neither a field nor the rest of one.
    init(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(Failure) {
        var fields: [(name: String, value: String)] = []
        var index = lines.startIndex
        while index < lines.endIndex {
            let line = trimmingLineEnd(lines[index])
            if let first = line.first, first == 0x20 || first == 0x09, !fields.isEmpty {
                fields[fields.count - 1].value += " " + String(decoding: line, as: UTF8.self)
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")), Self.isField(line) {
                fields.append((String(decoding: line[..<colon], as: UTF8.self).lowercased(), String(decoding: line[(colon + 1)...], as: UTF8.self)))
            } else {
                if line.isEmpty { index += 1 }
                break
            }
            index += 1
        }
        bodyStart = index
        let encodings = Set(fields.filter { $0.name == "content-transfer-encoding" }.map { Self.withoutComment($0.value).lowercased() })
        guard encodings.count <= 1 else { throw Failure(what: "the mail has two encodings: \(encodings.sorted().joined(separator: ", "))") }
        encoding = encodings.first ?? ""
        guard let content = fields.last(where: { $0.name == "content-type" })?.value else { return }
        let words = Self.split(content)
        type = Self.withoutComment(words.first ?? "").lowercased()
        for word in words.dropFirst() {
            guard let equals = word.firstIndex(of: "=") else { continue }
            parameters[Self.plain(word[..<equals]).lowercased()] = Self.plain(word[word.index(after: equals)...])
        }
        if type.hasPrefix("multipart/"), isEncoded { throw Failure(what: "a mail of several parts has the encoding '\(encoding)', which only a part can have") }
    }

    /// Whether a line is a header field: a name of printable characters, and a colon.
    static func isField(_ line: ArraySlice<UInt8>) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return false }
        return line[..<colon].allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// The line without blanks and line ends after it.
    static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = trimmingLineEnd(line)
        while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
        return line
    }

    /// Splits at semicolons outside quotation marks.
    private static func split(_ text: String) -> [String] {
        var words = [""], isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ";", !isQuoted { words.append("") } else { words[words.count - 1].append(character) }
        }
        return words
    }

    /// `7bit (as always)` is `7bit`.
    private static func withoutComment(_ text: String) -> String { plain(text.prefix { $0 != "(" }) }

    /// The text without blanks and quotation marks around it.
    private static func plain(_ text: some StringProtocol) -> String {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace || first == "\"" { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace || last == "\"" { rest.removeLast() }
        return String(rest)
    }
}
