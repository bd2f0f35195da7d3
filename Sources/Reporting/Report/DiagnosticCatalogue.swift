import Diagnostics

/// What the documentation says about one diagnostic.
package struct CatalogueEntry: Sendable, Equatable {
    package var id: DiagnosticID
    /// The severity that it usually has.
    package var severity: Severity
    /// A few words, without a full stop.
    package var title: String
    /// What the program found, and why it matters.
    package var meaning: String
    /// A change that causes the diagnostic.
    package var example: String
    /// What the user can do.
    package var advice: String
}

/// All diagnostics with their explanations: the source of `explain ID` and of `Docs/Diagnostics.md`.
package enum DiagnosticCatalogue {
    /// In the order of `DiagnosticID.allCases`, which is the order of the stages.
    package static let entries: [CatalogueEntry] = DiagnosticID.allCases.map(entry)

    package static func entry(_ id: DiagnosticID) -> CatalogueEntry {
        let text = id.explanation
        return CatalogueEntry(
            id: id, severity: text.severity, title: text.title, meaning: text.meaning, example: text.example,
            advice: text.advice)
    }

    /// One entry for the terminal.
    package static func text(_ entry: CatalogueEntry, style: TextStyle) -> String {
        let heading = "\(entry.severity.rawValue)[\(entry.id.rawValue)]: \(style.shown(entry.title))"
        func block(_ label: String, _ text: String) -> String {
            style.paint(label, .bold) + "\n" + style.wrap(style.shown(text), first: "  ", rest: "  ")
        }
        return [
            style.paint(heading, .bold), style.wrap(style.shown(entry.meaning)), block("Example", entry.example),
            block("What to do", entry.advice),
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
                    + "written, and the exit code is 4, or 6 for `original-differs`. With a *warning* or a *note* the payload is "
                    + "written."),
            "`xsplice-build explain IDENTIFIER` prints one entry. This file is made by `xsplice-build explain --markdown`.",
        ]
        blocks.append(
            entries.map { "- [`\($0.id.rawValue)`](#\($0.id.rawValue)): \($0.title)" }.joined(separator: "\n"))
        for entry in entries {
            blocks += [
                "## \(entry.id.rawValue)", "*\(entry.severity.rawValue)*: \(entry.title).", style.wrap(escaped(entry.meaning)),
                style.wrap("**Example.** \(escaped(entry.example))"), style.wrap("**What to do.** \(escaped(entry.advice))"),
            ]
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// Keeps the underscores of names like `__init` from becoming emphasis. Text between backquotes is safe already.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { $0.isMultiple(of: 2) ? String($1).replacing("_", with: "\\_") : String($1) }
            .joined(separator: "`")
    }
}
