import Diagnostics
import Report

// What holds the payload to be right, and what each answer rests on.

extension SignOffPage {
    var answers: Page.Section? {
        guard report.original != nil || report.proof != nil || report.payload != nil else { return nil }
        return Page.Section("answers", "Original, loader and proof") {
            facts([
                ("original", report.original.map { HTML(text: ReportText.line($0)) }),
                (
                    "loader",
                    report.payload.map { _ in
                        HTML(text: "accepted by this program's model of the loader of Xen \(report.tree.version); no hypervisor was asked")
                    }
                ),
                ("proof", HTML(text: proofLine)), ("links", report.payload.map { _ in HTML(text: ReportText.linkLine(report)) }),
            ])
            if let failures = report.proof?.failures, !failures.isEmpty {
                table(
                    "What the proof found wrong", [Column("kind"), Column("subject"), Column("what")],
                    rows: failures.map { [HTML(text: $0.kind), literal($0.subject), HTML(text: $0.message)] })
            }
            element(.p, .classes(.faint)) {
                "Original: the bytes that the payload replaces, compared with those in xen-syms; compare its build-id with 'xl info build_id' on each host. Loader: a model of Xen's own loader. Proof: the payload as it would be in memory, compared with the compiler's objects by an independent checker. None of the three runs the new code."
            }
        }
    }

    private var proofLine: String {
        guard let proof = report.proof else { return "not reached" }
        let trusted = proof.trusted.count
        return (proof.failures.isEmpty ? "passed: " : "failed: ") + ReportText.line(proof)
            + (trusted > 0 ? "; \(counted(trusted, "thing")) taken on trust, listed under Data" : "")
    }

    /// The diagnostics of some severities, with what the catalogue says of them; nil if there are none.
    func diagnostics(_ id: String, _ title: String, _ severities: [Severity]) -> Page.Section? {
        let shown = severities.flatMap { severity in report.diagnostics.filter { $0.severity == severity } }
        guard !shown.isEmpty else { return nil }
        return Page.Section(id, title) { for diagnostic in shown { DiagnosticView(diagnostic).html } }
    }

    var making: Page.Section? {
        let compile = report.compile
        return Page.Section("making", "How it was made") {
            facts([
                ("program", HTML(text: "xsplice-build \(program)")), ("compiler", compile.map { HTML(text: $0.compiler) }),
                ("configuration", compile?.configuration.map { HTML(text: $0) }),
                ("objects", compile.map { HTML(text: ReportText.line($0)) }), ("comparison", report.comparison.map { HTML(text: ReportText.line($0)) }),
                ("date and host in the objects come from", compile?.buildFacts.map { HTML(text: $0) }),
            ])
            if let decisions = compile?.decisions, !decisions.isEmpty {
                element(.details) {
                    element(.summary) { "Which objects the patch can affect: \(grouped(decisions.count))" }
                    table(
                        "Objects that the patch might affect", [Column("object"), Column("compared"), Column("because")],
                        rows: decisions.map { [literal($0.object), HTML(text: $0.spared ? "no" : "yes"), HTML(text: $0.why)] })
                }
            }
            if !report.timings.isEmpty {
                table(
                    "Times", [Column("stage"), Column("milliseconds", isNumber: true)],
                    rows: report.timings.map { [HTML(text: $0.stage), HTML(text: grouped($0.milliseconds))] })
            }
        }
    }
}

/// A diagnostic with its explanation.
struct DiagnosticView {
    private let diagnostic: Diagnostic

    init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }

    private var colour: CSSClass {
        switch diagnostic.severity {
        case .error: .bad
        case .warning: .warn
        case .note: .note
        }
    }

    var html: HTML {
        let entry = DiagnosticCatalogue.entry(diagnostic.id)
        return element(.div) {
            element(.h3, .classes(colour)) { "\(diagnostic.severity.rawValue): \(diagnostic.message)" }
            facts([
                ("place", diagnostic.location.map { literal($0.description) }), ("symbol", diagnostic.symbol.map(literal)),
                ("section", diagnostic.section.map(literal)), ("what to do", diagnostic.help.map { HTML(text: $0) }),
            ])
            element(.details) {
                element(.summary) { "About \(diagnostic.id.rawValue): \(entry.title)" }
                element(.p) { entry.meaning }
                element(.p) { entry.advice }
            }
        }
    }
}
