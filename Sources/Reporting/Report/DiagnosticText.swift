import Diagnostics
import ObjectDiff

/// Diagnostics and errors as text for people.
package enum DiagnosticText {
    /// One diagnostic: its heading, the place, and the advice. Ends without a line feed.
    ///
    /// - Parameter layout: the changed layout of the type that the diagnostic is about.
    package static func render(_ diagnostic: Diagnostic, layout: LayoutChange? = nil, style: TextStyle) -> String {
        let paint: TextStyle.Paint =
            switch diagnostic.severity {
            case .error: .red
            case .warning: .yellow
            case .note: .blue
            }
        let label = label(diagnostic)
        // Wrap the text before painting it, so that escape sequences do not count as columns.
        let wrapped = style.wrap("\(label) \(style.shown(diagnostic.message))", rest: "  ")
        var lines = [style.paint(label, paint) + wrapped.dropFirst(label.count)]
        if let location = diagnostic.location {
            lines.append("  --> \(style.shown(location.description))")
        }
        if let symbol = diagnostic.symbol, !diagnostic.message.contains(symbol) {
            lines.append("  symbol: \(style.shown(symbol))")
        }
        if let section = diagnostic.section, !diagnostic.message.contains(section) {
            lines.append("  section: \(style.shown(section))")
        }
        if let layout { lines.append(LayoutText.render(layout, style: style)) }
        if let help = diagnostic.help {
            lines.append(helpText(help, style: style))
        }
        return lines.joined(separator: "\n")
    }

    private static func label(_ diagnostic: Diagnostic) -> String { "\(diagnostic.severity.rawValue)[\(diagnostic.id.rawValue)]:" }

    /// A diagnostic on one line, which is not wrapped: its heading alone.
    package static func line(_ diagnostic: Diagnostic, style: TextStyle) -> String {
        "\(label(diagnostic)) \(style.shown(diagnostic.message).prefix { $0 != "\n" })"
    }

    /// All diagnostics, the worst first, then in the order found, with an empty line between two.
    ///
    /// - Parameter layouts: the changed layouts of the types that some diagnostics are about.
    package static func render(_ diagnostics: [Diagnostic], layouts: [LayoutChange] = [], style: TextStyle) -> String {
        let order: [Severity] = [.error, .warning, .note]
        return order.flatMap { severity in diagnostics.filter { $0.severity == severity } }
            .map { render($0, layout: layout(for: $0, in: layouts), style: style) }
            .joined(separator: "\n\n")
    }

    private static func layout(for diagnostic: Diagnostic, in layouts: [LayoutChange]) -> LayoutChange? {
        guard [.layoutChanged, .layoutMemberRetyped, .layoutPaddingUsed, .layoutValuesAdded, .layoutKept].contains(diagnostic.id) else { return nil }
        return layouts.first { $0.type == diagnostic.symbol && $0.location == diagnostic.location }
    }

    /// The last line of a refusal.
    ///
    /// - Parameter target: the architecture in a run for several targets; nil in a run for one.
    package static func refusalSummary(_ diagnostics: [Diagnostic], target: String? = nil) -> String {
        let count = diagnostics.count { $0.severity == .error }
        let place = target.map { " for \($0)" } ?? ""
        if diagnostics.contains(where: { $0.severity == .error && $0.id == .originalDiffers }) {
            return "The source, its configuration or the compiler is not that of the hypervisor\(place). No payload was written\(place)."
        }
        return "\(counted(count, "reason")) why this change can't be live-patched\(place) as it is. No payload was written\(place)."
    }

    /// An error of a stage: one line, and the help below it. The line is not wrapped: scripts and logs need it on one line.
    package static func render(_ error: any ExplainedError, style: TextStyle) -> String {
        let lines = error.message.split(separator: "\n", omittingEmptySubsequences: false)
            .map { style.shown(String($0)) }
        let text = style.paint("error:", .red) + " " + lines.joined(separator: "\n  ")
        return error.help.map { text + "\n" + helpText($0, style: style) } ?? text
    }

    private static func helpText(_ help: String, style: TextStyle) -> String {
        help.split(separator: "\n").enumerated()
            .map { style.wrap(style.shown(String($1)), first: $0 == 0 ? "  help: " : "        ", rest: "        ") }
            .joined(separator: "\n")
    }
}
