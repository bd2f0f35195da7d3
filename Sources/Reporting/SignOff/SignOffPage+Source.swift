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
                    "What became of each hunk", [Column("hunk"), Column("in the patch"), Column("ended as"), Column("objects or reason")],
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
            HTML(text: hunk.ending?.words ?? "not compared"), HTML(text: hunk.objects.isEmpty ? hunk.proof ?? "" : hunk.objects.joined(separator: ", ")),
        ]
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

/// The lines of a patch, coloured by their first character. The signs stay, so that colour is not needed.
private struct PatchLines {
    private let patch: SignOffPage.PatchText
    /// A page stays readable, and a browser alive.
    private static let shown = 5_000

    init(_ patch: SignOffPage.PatchText) { self.patch = patch }

    var html: HTML {
        let lines = patch.text.split(omittingEmptySubsequences: false) { $0.isNewline }
        let rest = lines.count - Self.shown
        return HTML([
            element(.div, .classes(.scroll), .role("region"), .label("The lines of \(patch.name)"), .focusable) {
                element(.pre) { for line in lines.prefix(Self.shown) { self.line(line) } }
            },
            rest > 0 ? element(.p, .classes(.faint)) { "\(counted(rest, "further line")) not shown" } : HTML(),
        ])
    }

    private func line(_ line: Substring) -> HTML {
        // An element without content would be no line.
        let text = line.isEmpty ? " " : String(line.replacing("\t", with: "        "))
        if line.hasPrefix("+++") || line.hasPrefix("---") || line.hasPrefix("diff ") { return element(.span, .classes(.faint)) { text } }
        switch line.first {
        case "+": return element(.span, .classes(.added)) { text }
        case "-": return element(.span, .classes(.removed)) { text }
        case "@": return element(.span, .classes(.note)) { text }
        default: return element(.span) { text }
        }
    }
}
