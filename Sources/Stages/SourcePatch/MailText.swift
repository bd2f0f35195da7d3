import SystemPackage

/// Undoes what mail programs do to a patch: encodings, and the parts of a mail. A file may hold one mail or several (an mbox).
///
/// The rules are those of RFC 2045 and RFC 2046. What can't be undone exactly is refused: text that is almost the patch must not get into
/// a payload.
struct MailText {
    typealias Bytes = ArraySlice<UInt8>

    let patch: FilePath
    let lines: [Bytes]

    /// - Returns: the text of all mails in the file; nil if the file is no mail, or its text is in the file as it was sent.
    /// - Throws: `PatchError` for a mail whose text can't be had exactly.
    static func decoded(_ bytes: [UInt8], from patch: FilePath) throws(PatchError) -> [UInt8]? {
        let mail = MailText(patch: patch, lines: splitLines(bytes))
        var text: [UInt8] = [], isDecoded = false
        for range in mail.messages {
            let leaves = try mail.leaves(of: range, depth: 0)
            if leaves.count == 1, let only = leaves.first, !only.isEncoded {
                try mail.requireExact(only)
                for line in mail.lines[range] { text += line }
            } else {
                isDecoded = true
                text += try mail.onlyPatch(in: leaves, at: range.lowerBound)
            }
        }
        return isDecoded ? text : nil
    }

    /// Text that has no parts of its own.
    private struct Leaf {
        var text: [UInt8]
        /// Whether `text` is anything but the rest of the message as it is in the file.
        var isEncoded: Bool
        var header: MailHeader
        /// Where it begins in the file, counted from 0.
        var start: Int
    }

    // MARK: Messages

    /// The lines of each message. A new one begins at a separator of mbox (`From 0123abcd Mon Sep 17 00:00:00 2001`) with header fields
    /// below it.
    private var messages: [Range<Int>] {
        var starts = [0]
        for index in lines.indices.dropFirst()
        where Self.isSeparator(lines[index]) && trimmingLineEnd(lines[index - 1]).isEmpty && index + 1 < lines.count && MailHeader.isField(lines[index + 1]) {
            starts.append(index)
        }
        return zip(starts, starts.dropFirst() + [lines.count]).map { $0..<$1 }
    }

    private static func isSeparator(_ line: Bytes) -> Bool {
        guard line.starts(with: "From ".utf8) else { return false }
        return trimmingLineEnd(line).split(separator: UInt8(ascii: " ")).contains { word in
            word.count == 8 && word.split(separator: UInt8(ascii: ":")).map(\.count) == [2, 2, 2]
        }
    }

    /// - Parameter depth: how many parts this one is in.
    private func leaves(of range: Range<Int>, depth: Int) throws(PatchError) -> [Leaf] {
        guard depth < 6 else { throw failure(range.lowerBound, "a mail within mails, too deep to read") }
        var start = range.lowerBound
        if depth == 0 {
            while start < range.upperBound, trimmingLineEnd(lines[start]).isEmpty { start += 1 }
            if start < range.upperBound, Self.isSeparator(lines[start]) { start += 1 }
        }
        let header: MailHeader
        do {
            header = try MailHeader(lines[start..<range.upperBound])
        } catch {
            throw failure(start, error.what)
        }
        let body = header.bodyStart..<range.upperBound
        if header.type.hasPrefix("multipart/") {
            var result: [Leaf] = []
            for part in try parts(of: body, header) { result += try leaves(of: part, depth: depth + 1) }
            return result
        }
        if header.type == "message/rfc822", !header.isEncoded { return try leaves(of: body, depth: depth + 1) }
        return [Leaf(text: try text(of: body, header), isEncoded: header.isEncoded || depth > 0, header: header, start: range.lowerBound)]
    }

    /// The parts of a multipart mail.
    private func parts(of body: Range<Int>, _ header: MailHeader) throws(PatchError) -> [Range<Int>] {
        guard let boundary = header.parameters["boundary"], !boundary.isEmpty else {
            throw failure(body.lowerBound, "a mail of several parts without a boundary")
        }
        let open = Array("--\(boundary)".utf8), close = open + Array("--".utf8)
        var parts: [Range<Int>] = [], start: Int?
        for index in body {
            let line = MailHeader.trimmed(lines[index])
            let isEnd = line.elementsEqual(close)
            guard isEnd || line.elementsEqual(open) else { continue }
            if let start { parts.append(start..<index) }
            if isEnd { return parts }
            start = index + 1
        }
        throw failure(body.lowerBound, "the mail is cut short: its last part has no end")
    }

    // MARK: Text

    private func text(of body: Range<Int>, _ header: MailHeader) throws(PatchError) -> [UInt8] {
        var decoded: [UInt8]
        do throws(MailDecodingError) {
            switch header.encoding {
            case "", "7bit", "8bit", "binary": return lines[body].flatMap(\.self)
            case "quoted-printable": decoded = try decodeQuotedPrintable(lines[body])
            case "base64": decoded = try decodeBase64(lines[body])
            default: throw MailDecodingError(line: body.lowerBound, what: "the mail has the encoding '\(header.encoding)', which this program does not know")
            }
        } catch {
            // A mail in HTML repeats the text of another part.
            if header.type == "text/html" { return [] }
            throw failure(error.line, error.what)
        }
        // Line ends of mails are CRLF. If only some are, they belong to the patch.
        let ends = splitLines(decoded)
        if ends.allSatisfy({ $0.suffix(2).elementsEqual("\r\n".utf8) }) {
            decoded = ends.flatMap { trimmingLineEnd($0) + [UInt8(ascii: "\n")] }
        }
        return decoded
    }

    /// The text of the one part with a patch; empty if there is none (a cover letter).
    private func onlyPatch(in leaves: [Leaf], at start: Int) throws(PatchError) -> [UInt8] {
        let patches = leaves.filter { Self.firstChange(in: $0.text) != nil }
        let usable = patches.filter { $0.header.type != "text/html" }
        guard usable.count <= 1 else {
            throw failure(start, "the mail has \(usable.count) parts with a patch")
        }
        guard let only = usable.first else {
            if !patches.isEmpty { throw failure(start, "the mail has its patch as HTML only") }
            return []
        }
        try requireExact(only)
        return only.text
    }

    /// Refuses a text that may not be what the author wrote, if there is a patch in it.
    private func requireExact(_ leaf: Leaf) throws(PatchError) {
        guard let change = Self.firstChange(in: leaf.text) else { return }
        let parameters = leaf.header.parameters
        if parameters["format"]?.lowercased() == "flowed" {
            throw failure(leaf.start, "the mail is 'format=flowed': the mail program may have changed blanks and line ends of the patch")
        }
        let charset = parameters["charset"]?.lowercased() ?? "us-ascii"
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(charset) { return }
        let extendsASCII = ["iso-8859-", "iso8859-", "windows-125", "cp125", "latin", "koi8-", "gb2312", "gbk", "gb18030", "big5", "euc-"].contains {
            charset.hasPrefix($0)
        }
        guard extendsASCII, leaf.text[change...].allSatisfy({ $0 < 0x80 }) else {
            throw failure(leaf.start, "the mail's text is in '\(charset)', and the bytes of its patch depend on that")
        }
    }

    /// Where the first header of a diff begins.
    private static func firstChange(in text: [UInt8]) -> Int? {
        let lines = splitLines(text)
        return lines.indices.first { index in
            lines[index].starts(with: "diff --".utf8)
                || (lines[index].starts(with: "--- ".utf8) && index + 1 < lines.count && lines[index + 1].starts(with: "+++ ".utf8))
        }.map { lines[$0].startIndex }
    }

    private func failure(_ line: Int, _ what: String) -> PatchError { PatchError(patch, line: min(line, max(lines.count - 1, 0)) + 1, .mail(what)) }
}
