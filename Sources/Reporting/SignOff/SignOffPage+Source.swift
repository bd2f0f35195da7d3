import Report

// The patch: what it is, what became of each hunk, and its lines.

extension SignOffPage {
    var source: Page.Section? {
        guard let patch = report.patch else { return nil }
        return Page.Section("source", "What the source changes") {
            for file in patches { facts([("patch", HTML(text: file.name)), ("SHA-256", literal(file.digest))]) }
            table(
                "Files of the hypervisor that change", [Column("file"), Column("change"), Column("added", isNumber: true), Column("removed", isNumber: true)],
                rows: patch.files.map {
                    [HTML(text: $0.path), HTML(text: $0.change.rawValue), HTML(text: "+\(grouped($0.linesAdded))"), HTML(text: "−\(grouped($0.linesRemoved))")]
                })
            if !patch.leftOut.isEmpty { element(.p) { "Outside the hypervisor, and left out: \(patch.leftOut.joined(separator: ", "))" } }
            if !patch.hunks.isEmpty {
                table(
                    "What became of each hunk", [Column("hunk"), Column("in the patch"), Column("result"), Column("objects or reason")],
                    rows: patch.hunks.map(hunkRow))
            }
            for file in patches {
                element(.h3) { "The lines of \(lastPart(file.name))" }
                PatchLines(file).html
            }
        }
    }

    private func hunkRow(_ hunk: BuildReport.Patch.Hunk) -> [HTML] {
        [
            HTML(text: place(hunk.file, hunk.new?.start)), HTML(text: "\(lastPart(hunk.patch)):\(hunk.line)"),
            HTML(text: hunk.ending?.words ?? "not compared"), hunk.objects.isEmpty ? HTML(text: hunk.proof ?? "") : objects(hunk.objects),
        ]
    }
}

extension SignOffPage {
    /// A few names as they are; many in a part that opens.
    private func objects(_ names: [String]) -> HTML {
        let list = HTML(text: names.joined(separator: ", "))
        guard names.count > 5 else { return list }
        return element(.details) {
            element(.summary) { counted(names.count, "object") }
            list
        }
    }
}

extension BuildReport.Patch.Hunk.Ending {
    fileprivate var words: String {
        switch self {
        case .compared: "code or data that differs"
        case .unchanged: "without effect on this configuration"
        case .bootOnly: "used at boot only"
        case .outside: "outside the hypervisor"
        case .refused: "refused"
        }
    }
}

/// The lines of a patch, coloured by what they are. The signs stay, so that colour is not needed.
private struct PatchLines {
    private let patch: SignOffPage.PatchText
    /// A page stays readable, and a browser alive.
    private static let shown = 5_000

    init(_ patch: SignOffPage.PatchText) { self.patch = patch }

    var html: HTML {
        // Only a line feed ends a line of a patch. To Unicode other characters do, too: behind them, code would look like text.
        let lines = patch.text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(String.UnicodeScalarView(line.last == "\r" ? line.dropLast() : line))
        }
        let rest = lines.count - Self.shown
        var hunk = HunkRest()
        return HTML([
            element(.div, .classes(.scroll), .role("region"), .label("The lines of \(patch.name)"), .focusable) {
                element(.pre) { for line in lines.prefix(Self.shown) { self.line(line, hunk.kind(of: line)) } }
            },
            rest > 0 ? element(.p, .classes(.warn)) { "\(counted(rest, "further line")) not shown" } : HTML(),
        ])
    }

    private func line(_ line: String, _ kind: HunkRest.Kind) -> HTML {
        // An element without content would be no line.
        let text = line.isEmpty ? " " : line.replacing("\t", with: "        ")
        return switch kind {
        case .added: element(.span, .classes(.added)) { text }
        case .removed: element(.span, .classes(.removed)) { text }
        case .place: element(.span, .classes(.note)) { text }
        case .header: element(.span, .classes(.faint)) { text }
        case .context, .other: element(.span) { text }
        }
    }
}

/// How many lines of a hunk are still to come. Within them, the first character decides; `--- a` may be a removed line there.
private struct HunkRest {
    enum Kind { case added, removed, context, place, header, other }

    private var original = 0, patched = 0

    /// What a line is; to be asked for all lines in order.
    mutating func kind(of line: String) -> Kind {
        guard original > 0 || patched > 0 else {
            if let (original, patched) = Self.counts(line) {
                (self.original, self.patched) = (original, patched)
                return .place
            }
            return ["--- ", "+++ ", "diff ", "index "].contains { line.utf8.starts(with: $0.utf8) } ? .header : .other
        }
        switch line.utf8.first {
        case UInt8(ascii: "+"):
            patched -= 1
            return .added
        case UInt8(ascii: "-"):
            original -= 1
            return .removed
        case UInt8(ascii: "\\"):
            return .other
        default:
            (original, patched) = (original - 1, patched - 1)
            return .context
        }
    }

    /// The lengths in `@@ -1,4 +1,5 @@`; nil for another line. Unified format, POSIX `diff`: a length that is left out is 1.
    private static func counts(_ line: String) -> (original: Int, patched: Int)? {
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count >= 3, words[0] == "@@", words[1].hasPrefix("-"), words[2].hasPrefix("+") else { return nil }
        func length(_ word: Substring) -> Int? {
            let parts = word.dropFirst().split(separator: ",", omittingEmptySubsequences: false)
            return parts.count < 2 ? 1 : Int(parts[1])
        }
        guard let original = length(words[1]), let patched = length(words[2]) else { return nil }
        return (original, patched)
    }
}
