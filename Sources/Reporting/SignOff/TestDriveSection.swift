import Report

/// What a test drive showed, as a part of a page that is there already.
package struct TestDriveSection: Sendable {
    package var isGood: Bool
    /// `good`, or what went wrong, in a few words.
    package var verdict: String
    /// What was done, in order, and whether it worked; nil for what was not done.
    package var steps: [(title: String, isGood: Bool?)]
    /// What commands in the dom0 printed, and when.
    package var answers: [(command: String, moment: String, output: String)]
    /// What identifies each driven payload: its file, and its SHA-256.
    package var payloads: [(name: String, digest: String)]
    /// Everything that the machine wrote to its console.
    package var console: String

    package init(
        isGood: Bool, verdict: String, steps: [(title: String, isGood: Bool?)], answers: [(command: String, moment: String, output: String)],
        payloads: [(name: String, digest: String)], console: String
    ) {
        (self.isGood, self.verdict, self.steps, self.answers) = (isGood, verdict, steps, answers)
        (self.payloads, self.console) = (payloads, console)
    }

    private static let id = "drive", title = "Test drive"

    // Text can't contain these: it has no `<` of its own.
    private static let (begin, end) = (HTML.mark("test-drive"), HTML.mark("end of test-drive"))
    private static let (beginBadge, endBadge) = (HTML.mark("badge"), HTML.mark("end of badge"))

    /// The section of a page before the test drive.
    static var placeholder: Page.Section {
        section {
            element(.p, .classes(.faint)) {
                "None was made. 'xsplice-build test-drive PAYLOAD --report OUT' boots the hypervisor, applies and reverts the payload there, and puts here what came of it."
            }
        }
    }

    /// Where the badge will stand.
    static var badgePlaceholder: HTML { HTML([beginBadge, element(.li, .classes(.badge, .warn)) { "not test-driven" }, endBadge]) }

    private static func section(@HTMLBuilder _ content: () -> HTML) -> Page.Section {
        let inside = content()
        return Page.Section(id, title) {
            begin
            inside
            end
        }
    }

    /// The page with this test drive on it, in the place of an earlier one.
    ///
    /// - Returns: nil for a document that this program did not make, or that has no place for it.
    package func added(to document: String) -> String? {
        let badge = element(.li, .classes(.badge, isGood ? .good : .bad)) { isGood ? "driven" : "drive failed" }
        return Self.replaced(document, from: Self.begin, to: Self.end, by: content)
            .flatMap { Self.replaced($0, from: Self.beginBadge, to: Self.endBadge, by: badge) }
    }

    private static func replaced(_ document: String, from begin: HTML, to end: HTML, by content: HTML) -> String? {
        guard let start = document.firstRange(of: begin.markup), let stop = document[start.upperBound...].firstRange(of: end.markup) else { return nil }
        return String(document[..<start.upperBound]) + content.markup + document[stop.lowerBound...]
    }

    /// The last lines of a console that are shown.
    private static let shownLines = 2_000

    private var content: HTML {
        let lines = Self.lines(console)
        return HTML([
            element(.p, .classes(isGood ? .good : .bad)) { "verdict: \(verdict)" },
            table("Payloads that were driven", [Column("payload"), Column("SHA-256")], rows: payloads.map { [HTML(text: $0.name), literal($0.digest)] }),
            table(
                "What was done", [Column("step"), Column("result")],
                rows: steps.map { [HTML(text: $0.title), HTML(text: $0.isGood.map { $0 ? "✓ done" : "✗ not as it should be" } ?? "– not reached")] }),
            answers.isEmpty
                ? HTML()
                : table(
                    "What commands in the dom0 printed", [Column("command"), Column("when"), Column("output")],
                    rows: answers.map { [literal($0.command), HTML(text: $0.moment), Self.preformatted(Self.lines($0.output)[...])] }),
            element(.details) {
                element(.summary) {
                    "The console, \(counted(lines.count, "line"))" + (lines.count > Self.shownLines ? ", the last \(grouped(Self.shownLines)) of them" : "")
                }
                element(.div, .classes(.scroll), .role("region"), .label("The console"), .focusable) {
                    Self.preformatted(lines.suffix(Self.shownLines))
                }
            },
        ])
    }

    /// Only line feeds end lines; a console adds carriage returns.
    private static func lines(_ text: String) -> [String] {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(String.UnicodeScalarView(line.filter { $0 != "\r" }))
        }
    }

    private static func preformatted(_ lines: ArraySlice<String>) -> HTML {
        // An element without content would be no line.
        element(.pre) { for line in lines { element(.span) { line.isEmpty ? " " : line } } }
    }
}
