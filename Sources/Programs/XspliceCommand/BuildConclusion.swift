import Diagnostics
import LivepatchBuild
import ObjectDiff
import Report
import SignOff
import XenBuild

/// The end of a build: writes the files of its result, and prints what happened.
struct BuildConclusion: Sendable {
    let result: BuildResult

    init(_ result: BuildResult) { self.result = result }

    /// With several targets, the status of the worst outcome.
    var exitStatus: ExitStatus { result.outcome.exitStatus }

    /// Whether there is a page to look at.
    var hasPage: Bool { result.endings.contains { $0.page != nil } }

    /// Writes the report, the pages and the payloads; see `OutputFolder.write`.
    func write(to folder: OutputFolder) throws {
        let payloads = result.endings.compactMap { ending in
            ending.payload.map { OutputFolder.PayloadFile($0.name, $0.bytes, for: name(of: ending)) }
        }
        var pages = result.endings.compactMap { ending in ending.page.map { OutputFolder.PageFile($0.document, for: name(of: ending)) } }
        if let only = result.reports.first, !result.isForSeveral {
            try folder.write(only, payloads: payloads, pages: pages)
        } else {
            if !pages.isEmpty { pages.append(OutputFolder.PageFile(overview.document)) }
            try folder.write(RunReport(result.reports), payloads: payloads, pages: pages)
        }
    }

    /// The page of a run for several targets, which leads to theirs.
    private var overview: OverviewPage {
        OverviewPage(
            title: "A payload for \(counted(result.endings.count, "target"))", rowTitle: "target",
            cells: result.reports.map { report in
                OverviewPage.Cell(
                    row: report.tree.architecture, column: "Xen \(report.tree.version)", exitCode: report.outcome.exitStatus, outcome: report.outcome.rawValue,
                    page: [report.tree.architecture, SignOffPage.fileName])
            }, program: programVersion)
    }

    /// Prints the end of the run's text: the diagnostics, and how each target ended.
    func say(on terminal: Terminal) {
        if result.isForSeveral { complain(result.sharedDiagnostics, of: nil, on: terminal) }
        for ending in result.endings { say(ending, on: terminal) }
        if result.isForSeveral { terminal.say("\n" + ReportText.overview(RunReport(result.reports), style: terminal.style)) }
    }

    /// The reason why there is no payload, on one line; nil if there is a payload, or if the exit code says enough.
    func complaint(_ style: TextStyle) -> String? {
        for ending in result.endings {
            if let failure = ending.failure { return DiagnosticText.render(failure, style: style).firstLine }
            if let error = ending.report.diagnostics.first(where: { $0.severity == .error }) {
                return DiagnosticText.line(error, style: style)
            }
            if ending.report.outcome == .nothingToPatch, !result.isForSeveral { return Self.nothingToPatch(ending.report) }
        }
        return nil
    }

    /// The target's name in a run for several targets; nil in a run for one.
    private func name(of ending: BuildResult.Ending) -> String? { result.isForSeveral ? ending.report.tree.architecture : nil }

    private func say(_ ending: BuildResult.Ending, on terminal: Terminal) {
        let report = ending.report, name = name(of: ending), style = terminal.style
        let own = result.isForSeveral ? Array(report.diagnostics.dropFirst(result.sharedDiagnostics.count)) : report.diagnostics
        if ending.failure == nil { complain(own, layouts: report.layouts, of: name, on: terminal) }
        let prefix = name.map { "\($0): " } ?? ""
        switch report.outcome {
        case .written:
            terminal.say("\n" + (name.map { style.paint($0, .bold) + "\n\n" } ?? "") + ReportText.summary(report, style: style))
        case .nothingToPatch: terminal.complain(prefix + Self.nothingToPatch(report))
        case .compiledOnly:
            terminal.say("\n\(prefix)The objects are compiled. Stopped there, as asked for with -k diff.")
        case .buildFailed:
            if let failure = ending.failure {
                terminal.complain((name.map { "\nFor \($0):\n" } ?? "") + DiagnosticText.render(failure, style: terminal.console.errorStyle))
            }
        case .refused, .originalDiffers, .notProven:
            terminal.complain("\n" + DiagnosticText.refusalSummary(report.diagnostics, target: name))
        }
    }

    private static func nothingToPatch(_ report: BuildReport) -> String {
        let files = report.patch?.files.map(\.path).joined(separator: ", ") ?? ""
        let what = "nothing to patch: the patch changes \(files.isEmpty ? "no file of the hypervisor" : files)"
        let new = report.comparison?.new ?? 0
        if new > 0 {
            return what + ", and no function that runs after boot changes: nothing would call the \(new == 1 ? "new function" : "\(new) new functions")"
        }
        if report.diagnostics.contains(where: { $0.id == .oldCodeReachable }) { return what + ", and no function that stays differs after boot" }
        return what + ", and no function or data that runs after boot differs"
    }

    private func complain(_ diagnostics: [Diagnostic], layouts: [LayoutChange] = [], of target: String?, on terminal: Terminal) {
        let shown = diagnostics.filter { $0.severity == .error || terminal.verbosity > .quiet }
        guard !shown.isEmpty else { return }
        let text = DiagnosticText.render(shown, layouts: layouts, style: terminal.console.errorStyle)
        terminal.complain((target.map { "\nFor \($0):" } ?? "") + "\n" + text)
    }
}

extension String {
    var firstLine: String { String(prefix { $0 != "\n" }) }
}
