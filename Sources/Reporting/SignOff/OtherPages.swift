import CodeListing
import Diagnostics
import Report

/// The page of `check --html`: how a hypervisor would answer a payload.
package struct CheckPage: Sendable {
    private let check: PayloadCheck
    private let program: String

    /// - Parameter program: its version.
    package init(_ check: PayloadCheck, program: String) { (self.check, self.program) = (check, program) }

    package var document: String {
        Page(
            title: "\(lastPart(check.payload)) in Xen \(check.version) \(check.architecture)",
            heading: element(.ul, .classes(.badges)) { element(.li, .classes(.badge, check.verdict == .good ? .good : .bad)) { check.verdict.rawValue } },
            sections: [identity, answers, findings, writes, proof].compactMap(\.self), footer: "Made by xsplice-build \(program)."
        ).document
    }

    private var identity: Page.Section {
        Page.Section("identity", "What was checked") {
            facts([
                ("payload", HTML(text: check.payload)), ("its build-id", check.buildID.map(literal)), ("goes on top of", check.depends.map(literal)),
                ("hypervisor", HTML(text: check.xenSyms)), ("its build-id", literal(check.hypervisorBuildID)), ("format", HTML(text: check.format)),
                ("below", check.below.isEmpty ? nil : HTML(text: check.below.joined(separator: ", "))),
            ])
        }
    }

    private var answers: Page.Section {
        Page.Section("answers", "What the hypervisor would answer") {
            table(
                "Each action and its answer", [Column("action"), Column("answer"), Column("reason")],
                rows: check.answers.map {
                    [
                        HTML(text: $0.action.rawValue), HTML(text: [$0.verdict.rawValue, $0.error].compactMap(\.self).joined(separator: ", ")),
                        HTML(text: $0.reason ?? ""),
                    ]
                })
        }
    }

    private var findings: Page.Section? {
        guard !check.findings.isEmpty else { return nil }
        return Page.Section("findings", "Findings") {
            table(
                "What to know before loading it", [Column("severity"), Column("kind"), Column("what")],
                rows: check.findings.map { [HTML(text: $0.severity.rawValue), HTML(text: $0.kind), HTML(text: $0.text)] })
        }
    }

    private var writes: Page.Section? {
        guard !check.writes.isEmpty else { return nil }
        return Page.Section("writes", "What applying it changes in the hypervisor's code") {
            table(
                "Bytes before and after", [Column("function"), Column("address"), Column("before"), Column("after")],
                rows: check.writes.map { [literal($0.function), literal($0.address), literal($0.before ?? "–"), literal($0.after ?? "NOPs")] })
        }
    }

    private var proof: Page.Section? {
        guard let proof = check.proof else { return nil }
        return Page.Section("proof", "Proof") {
            element(.p, .classes(proof.failures.isEmpty ? .good : .bad)) { ReportText.line(proof) }
            if !proof.failures.isEmpty {
                table(
                    "What is wrong", [Column("kind"), Column("subject"), Column("what")],
                    rows: proof.failures.map { [HTML(text: $0.kind), literal($0.subject), HTML(text: $0.message)] })
            }
        }
    }
}

/// The page of `diff --html`: what differs between two objects, or between the objects of two folders.
package struct DiffPage: Sendable {
    private let objects: [ObjectComparison]
    private let title: String
    private let code: SignOffPage.Code
    private let program: String

    /// - Parameters:
    ///   - objects: those that differ or have diagnostics.
    ///   - program: its version.
    package init(_ objects: [ObjectComparison], original: String, patched: String, code: SignOffPage.Code, program: String) {
        self.objects = objects
        title = "\(original) and \(patched)"
        self.code = code
        self.program = program
    }

    package var document: String {
        Page(
            title: title, heading: element(.p) { objects.isEmpty ? "Nothing differs." : "\(counted(objects.count, "object")) with differences." },
            sections: [items, machineCode, diagnostics].compactMap(\.self), footer: "Made by xsplice-build \(program)."
        ).document
    }

    private var items: Page.Section? {
        let rows = objects.flatMap { object in (object.functions + object.data).map { (object.patched, $0) } }
        guard !rows.isEmpty else { return nil }
        return Page.Section("items", "Functions and data that differ") {
            table(
                "Each function and variable",
                [Column("object"), Column("name"), Column("status"), Column("before", isNumber: true), Column("after", isNumber: true)],
                rows: rows.map { name, item in
                    [
                        HTML(text: name), literal(item.name), HTML(text: item.status.rawValue), HTML(text: item.oldSize.map(grouped) ?? "–"),
                        HTML(text: item.newSize.map(grouped) ?? "–"),
                    ]
                })
        }
    }

    private var machineCode: Page.Section? {
        guard !code.listings.isEmpty || code.problem != nil else { return nil }
        return Page.Section("code", "What the machine code changes") { code.html }
    }

    private var diagnostics: Page.Section? {
        let found = objects.flatMap(\.diagnostics)
        guard !found.isEmpty else { return nil }
        return Page.Section("diagnostics", "Diagnostics") { for diagnostic in found { DiagnosticView(diagnostic).html } }
    }
}
