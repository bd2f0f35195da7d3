import LivepatchBuild
import Report
import XenBuild

/// Shows the events of a build on a terminal.
struct TerminalObserver: BuildObserver {
    let terminal: Terminal

    init(_ terminal: Terminal) { self.terminal = terminal }

    func observe(_ event: BuildEvent) {
        switch event {
        case .began(let reports):
            if let only = reports.first, reports.count == 1 {
                sayHeading(only)
            } else {
                terminal.say(ReportText.heading(reports.map(\.tree), style: terminal.style))
            }
        case .beganTarget(let report):
            terminal.say()
            sayHeading(report)
        case .beganStage(let stage): terminal.begin(stage.rawValue)
        case .progress(let progress): terminal.update(words(progress))
        case .endedStage(.checked(isAccepted: false, let version)): terminal.fail("the loader of Xen \(version) would refuse it")
        case .endedStage(let outcome): terminal.end(line(outcome))
        case .decided(let decisions): say(decisions)
        case .failedStage(_, let wasInterrupted): terminal.fail(wasInterrupted ? "interrupted" : "failed")
        }
    }

    var wantsDecisions: Bool { detail != nil }

    /// With `-v` what was done and why, with `--debug` every decision; else none.
    private var detail: Decision.Detail? {
        switch terminal.verbosity {
        case .quiet, .normal: nil
        case .verbose: .actions
        case .debug: .everything
        }
    }

    private func say(_ decisions: [Decision]) {
        guard let detail else { return }
        for line in DecisionText.lines(decisions, upTo: detail, style: terminal.console.errorStyle) { terminal.remark(line) }
    }

    /// Prints which hypervisor the payload is for.
    private func sayHeading(_ report: BuildReport) {
        terminal.say(ReportText.heading(report, style: terminal.style))
        if report.hypervisor == nil {
            terminal.say("No --xen-syms is given: a hypervisor is built first, which takes some minutes the first time.")
        }
    }

    private func words(_ progress: StageProgress) -> String {
        switch progress {
        case .building(let build): build.total > 0 ? "\(grouped(build.done)) of \(grouped(build.total)) compiled" : build.step.rawValue
        case .compared(let done, let total): "\(done) of \(total) compared"
        case .comparingTypes: "types"
        }
    }

    private func line(_ outcome: StageOutcome) -> String {
        switch outcome {
        case .patched(let patch): ReportText.line(patch, style: terminal.style)
        case .compiled(let compile): ReportText.line(compile)
        case .builtHypervisor(let buildID): "xen-syms built, build-id \(buildID)"
        case .compared(let comparison): ReportText.line(comparison)
        case .accountedFor(let hunks): ReportText.line(hunks)
        case .linked(let report): report.map(ReportText.linkLine) ?? "no payload"
        case .foundOriginal(let original): ReportText.line(original)
        case .checked(_, let version): "the loader of Xen \(version) would accept it"
        case .proven(let proof): ReportText.line(proof)
        case .foundEffects(let report): ReportText.effectLine(report)
        }
    }
}
