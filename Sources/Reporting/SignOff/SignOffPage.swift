import CodeListing
import Diagnostics
import Report

/// The page by which somebody signs a payload off, or reads why there is none: `OUT/report.html`.
package struct SignOffPage: Sendable {
    /// The page's name in the output folder.
    package static let fileName = "report.html"

    /// A patch file as it was read.
    package struct PatchText: Sendable, Equatable {
        package var name: String
        /// SHA-256, lower-case hexadecimal.
        package var digest: String
        package var text: String

        package init(name: String, digest: String, text: String) {
            self.name = name
            self.digest = digest
            self.text = text
        }
    }

    /// The instructions of the functions that differ.
    package struct Code: Sendable, Equatable {
        package var listings: [FunctionListing]
        /// How many further functions there are.
        package var omitted: Int
        /// Why there are no listings, if they could not be made.
        package var problem: String?

        package init(listings: [FunctionListing] = [], omitted: Int = 0, problem: String? = nil) {
            self.listings = listings
            self.omitted = omitted
            self.problem = problem
        }
    }

    package var report: BuildReport
    package var patches: [PatchText]
    package var code: Code
    /// The program's version.
    package var program: String

    package init(_ report: BuildReport, patches: [PatchText], code: Code, program: String) {
        self.report = report
        self.patches = patches
        self.code = code
        self.program = program
    }

    /// The whole document. The same input gives the same bytes.
    package var document: String { page.document }

    /// Whether a file is a page that this program made.
    package static func isOne(_ bytes: [UInt8]) -> Bool { bytes.firstRange(of: Array(Page.mark.utf8)).map { $0.lowerBound < 4096 } ?? false }

    private var page: Page {
        Page(
            title: title, heading: verdict, sections: sections.compactMap(\.self),
            footer: "Made by xsplice-build \(program). This page loads nothing, runs nothing and can be kept as it is.")
    }

    private var title: String {
        let name = report.payload.map { lastPart($0.path) } ?? patches.first.map { lastPart($0.name) } ?? "payload"
        return "\(name) for Xen \(report.tree.version) \(report.tree.architecture)"
    }

    /// In the order in which one signs. What a refused run never came to is not there.
    private var sections: [Page.Section?] {
        [
            report.diagnostics.contains { $0.severity == .error } ? diagnostics("errors", "Why there is no payload", [.error]) : nil,
            identity, effects, hooks, source, machineCode, data, layouts, specialEntries, answers,
            report.payload == nil ? nil : TestDriveSection.placeholder, diagnostics("warnings", "Warnings and notes", [.warning, .note]), making,
        ]
    }
}

extension SignOffPage {
    /// The state of the payload in a few words, each with a class of its own.
    private var verdict: HTML {
        element(.ul, .classes(.badges)) {
            for badge in badges { element(.li, .classes(.badge, badge.colour)) { badge.words } }
            if report.payload != nil { TestDriveSection.badgePlaceholder }
        }
    }

    private var badges: [(words: String, colour: CSSClass)] {
        let warnings = report.diagnostics.count { $0.severity == .warning }
        let notes = report.diagnostics.count { $0.severity == .note }
        let rest: [(String, CSSClass)] =
            (warnings > 0 ? [(counted(warnings, "warning"), .warn)] : []) + (notes > 0 ? [(counted(notes, "note"), .note)] : [])
        let isProven = report.proof?.failures.isEmpty ?? false
        let outcome: [(String, CSSClass)] =
            switch report.outcome {
            case .written: [("payload written", .good), isProven ? ("proof passed", .good) : ("not proven", .bad)]
            case .nothingToPatch: [("nothing to patch", .note)]
            case .refused: [("refused", .bad)]
            case .buildFailed: [("does not compile", .bad)]
            case .originalDiffers: [("not the source of this hypervisor", .bad)]
            case .compiledOnly: [("compiled only", .note)]
            case .notProven: [("the payload was wrong: a fault of xsplice-build", .bad)]
            }
        return outcome + rest
    }

    private var identity: Page.Section {
        Page.Section("identity", "What it is for") {
            facts([
                ("hypervisor", report.hypervisor.map { HTML(text: $0.builtHere ? "built here from the source: no host runs it" : $0.xenSyms) }),
                ("hypervisor's build-id", report.hypervisor.map { literal($0.buildID) }),
                ("payload", report.payload.map { HTML(text: "\($0.path), \(grouped($0.size)) bytes") }),
                ("payload's SHA-256", report.payload?.digest.map(literal)), ("payload's build-id", report.payload.map { literal($0.buildID) }),
                ("goes on top of (.depends)", report.payload.map { below($0) }),
                ("made for hypervisor (.xen_depends)", report.payload?.xenDepends.map(literal)),
                ("format", HTML(text: report.tree.format)), ("source", HTML(text: report.tree.path)),
                ("failure", report.failure.map { HTML(text: $0) }),
            ])
            if !report.stack.isEmpty {
                table(
                    "Payloads that are applied already, bottom first", [Column("payload"), Column("build-id")],
                    rows: report.stack.map { [HTML(text: $0.path), literal($0.buildID)] })
            }
        }
    }

    private func below(_ payload: BuildReport.Payload) -> HTML {
        let words =
            payload.depends == report.hypervisor?.buildID
            ? "the hypervisor itself"
            : report.stack.last { $0.buildID == payload.depends }.map { lastPart($0.path) } ?? "a payload that was not given with --on"
        return element(.span) {
            words
            ": "
            literal(payload.depends)
            if payload.isCumulative { "; it replaces all payloads that are applied" }
        }
    }
}

/// The last part of a path.
func lastPart(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

/// A place in the source, as `file:line`.
func place(_ file: String, _ line: Int?) -> String { line.map { "\(file):\($0)" } ?? file }
