import Diagnostics

/// What the documentation says about one diagnostic. Its JSON has the names of the properties, which are stable.
package struct CatalogueEntry: Sendable, Equatable, Encodable {
    package var id: DiagnosticID
    /// A few words, without a full stop.
    package var title: String
    /// What the program reports it for, the most severe first; never empty.
    package var situations: [Situation]
    /// Why it matters.
    package var meaning: String
    /// A change that causes the diagnostic.
    package var example: String
    /// What the user can do.
    package var advice: String

    /// Those of its situations, each once, the most severe first.
    package var severities: [Severity] { [.error, .warning, .note].filter { severity in situations.contains { $0.severity == severity } } }

    /// The severities, with commas between them.
    package var severityList: String { severities.map(\.rawValue).joined(separator: ", ") }
}

/// All diagnostics with their explanations: the source of `explain` and of `Docs/Diagnostics.md`.
package enum DiagnosticCatalogue {
    /// In the order of `DiagnosticID.allCases`, which is the order of the stages.
    package static let entries: [CatalogueEntry] = DiagnosticID.allCases.map(entry)

    package static func entry(_ id: DiagnosticID) -> CatalogueEntry {
        let text = id.explanation
        return CatalogueEntry(
            id: id, title: text.title, situations: text.situations, meaning: text.meaning, example: text.example, advice: text.advice)
    }

    /// What is wrong with a diagnostic that the catalogue does not describe.
    ///
    /// - Returns: nil when its entry has a situation of its severity.
    package static func complaint(about diagnostic: Diagnostic) -> String? {
        let entry = entry(diagnostic.id)
        guard !entry.severities.contains(diagnostic.severity) else { return nil }
        return "\(diagnostic.severity.rawValue)[\(diagnostic.id.rawValue)] is not in the catalogue, which has it as \(entry.severityList): "
            + diagnostic.message
    }

    /// All entries, a line each.
    package static func list(style: TextStyle) -> String {
        let width = entries.map(\.id.rawValue.count).max() ?? 0, severityWidth = entries.map(\.severityList.count).max() ?? 0
        return entries.map {
            "\($0.id.rawValue.padded(to: width))  \($0.severityList.padded(to: severityWidth))  \(style.shown($0.title))"
        }.joined(separator: "\n")
    }

    /// One entry for the terminal.
    package static func text(_ entry: CatalogueEntry, style: TextStyle) -> String {
        func block(_ label: String, _ lines: [String]) -> String { ([style.paint(label, .bold)] + lines).joined(separator: "\n") }
        func prose(_ text: String) -> [String] { [style.wrap(style.shown(text), first: "  ", rest: "  ")] }
        let width = entry.severities.map(\.rawValue.count).max() ?? 0
        let situations = entry.situations.map { situation in
            let label = situation.severity.rawValue.padded(to: width)
            return style.wrap(style.shown(situation.seen), first: "  \(label)  ", rest: String(repeating: " ", count: width + 4))
        }
        return [
            style.paint("\(entry.id.rawValue): \(style.shown(entry.title))", .bold), block("What was seen", situations),
            block("What it means", prose(entry.meaning)), block("Example", prose(entry.example)), block("What to do", prose(entry.advice)),
        ].joined(separator: "\n\n")
    }

    /// The whole of `Docs/Diagnostics.md`.
    package static func markdown() -> String {
        let style = TextStyle()
        var blocks = [
            "# Diagnostics",
            style.wrap(
                "What the program says about a change, by identifier. Identifiers are stable: scripts may match them, in the text "
                    + "(`error[per-cpu-added]`) and in `report.json` (`diagnostics[].id`). An *error* is a refusal: no payload is "
                    + "written, and the exit code is 4: 6 for `original-differs`, 1 for `proof-fails`. With a *warning* or a *note* the payload is "
                    + "written. Some diagnostics are errors in one situation and warnings or notes in another."),
            style.wrap(
                "`xsplice-build explain IDENTIFIER` prints one entry, and `xsplice-build explain --json` all of them for scripts. This file is "
                    + "made by `xsplice-build explain --markdown`."),
        ]
        blocks.append(
            entries.map { "- [`\($0.id.rawValue)`](#\($0.id.rawValue)) (\($0.severityList)): \($0.title)" }.joined(separator: "\n"))
        for entry in entries {
            let situations = entry.situations.map { style.wrap("- *\($0.severity.rawValue)*: \(escaped($0.seen))", rest: "  ") }
            blocks += [
                "## \(entry.id.rawValue)", "**\(sentence(escaped(entry.title)))**", situations.joined(separator: "\n"),
                style.wrap(escaped(entry.meaning)), style.wrap("**Example.** \(escaped(entry.example))"),
                style.wrap("**What to do.** \(escaped(entry.advice))"),
            ]
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func sentence(_ title: String) -> String { title.prefix(1).uppercased() + title.dropFirst() + "." }

    /// Keeps the underscores of names like `__init` from becoming emphasis. Text between backquotes is safe already.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { $0.isMultiple(of: 2) ? String($1).replacing("_", with: "\\_") : String($1) }
            .joined(separator: "`")
    }
}
