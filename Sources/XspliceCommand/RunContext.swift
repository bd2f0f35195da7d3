import Diagnostics
import LoaderModel
import ObjectDiff
import PayloadLinker
import Report
import SourcePatch
import SystemPackage
import TargetArchitecture
import XenBuild
import XenSource

/// One run of the pipeline seen from outside: shows each stage, and gathers its outcome in the report.
struct RunContext {
    let options: BuildOptions
    let output: OutputFolder
    let stages: StageRunner
    let environment: [String: String]
    /// How the build calls this program as its recorder of compiler commands.
    let recorder: [String]
    /// nil until the tree is recognised.
    private(set) var report: BuildReport?

    var terminal: Terminal { stages.terminal }
    private var style: TextStyle { terminal.style }

    init(
        options: BuildOptions, output: OutputFolder, stages: StageRunner, environment: [String: String], recorder: [String]
    ) {
        self.options = options
        self.output = output
        self.stages = stages
        self.environment = environment
        self.recorder = recorder
    }

    mutating func recognised(_ tree: XenTree, architecture: any TargetArchitecture) {
        report = BuildReport(tree: BuildReport.Tree(tree, architecture: architecture.name))
    }

    /// Says what hypervisor the payload is for; with nil, that one has to be built first.
    mutating func running(_ image: XenImage?) {
        report?.hypervisor = image.map { BuildReport.Hypervisor($0, builtHere: false) }
        if let report { terminal.say(ReportText.heading(report, style: style)) }
        if image == nil {
            terminal.say("No --xen-syms is given: a hypervisor is built first, which takes some minutes the first time.")
        }
    }

    /// - Returns: the patches that are applied already, and those with the new ones on top.
    mutating func apply(_ body: () throws -> SourceStates) async throws -> SourceStates {
        func summary(_ states: SourceStates) -> BuildReport.Patch {
            let sources = (options.cumulative ? options.appliedPatches : []) + options.patches
            return BuildReport.Patch(states.patched, beyond: states.running, sources: sources.map(\.string))
        }
        let states = try await stages.run(.patch) {
            let states = try body()
            return (states, ReportText.line(summary(states), style: style))
        }
        report?.patch = summary(states)
        report?.diagnostics += states.patched.diagnostics
        return states
    }

    /// Says on what the payload goes, besides the hypervisor.
    mutating func standsOn(_ running: RunningHypervisor) {
        report?.stack = running.payloads.map { BuildReport.StackedPayload(path: $0.path.string, buildID: BuildIDNote.text($0.buildID)) }
    }

    func buildRequest(tree: XenTree, patch: AppliedPatch, architecture: any TargetArchitecture, image: XenImage?) -> BuildRequest {
        BuildRequest(
            tree: tree, patch: patch, architecture: architecture.name, configuration: options.config,
            runningConfiguration: image?.configurationText, image: options.xenSyms, xenDebug: options.xenDebug, jobs: options.jobs,
            cache: options.cache, logs: output.logs,
            environment: environment, recorder: recorder, keepWork: options.keepWork)
    }

    mutating func compile(
        _ body: (@escaping @Sendable (BuildProgress) -> Void) async throws -> BuildOutcome
    ) async throws -> BuildOutcome {
        let terminal = terminal
        let build = try await stages.run(.compile) {
            let build = try await body { terminal.update($0.shown) }
            return (build, ReportText.line(BuildReport.Compile(build)))
        }
        report?.compile = BuildReport.Compile(build)
        report?.diagnostics += build.diagnostics
        return build
    }

    mutating func buildHypervisor(
        _ body: (@escaping @Sendable (BuildProgress) -> Void) async throws -> XenImage
    ) async throws -> XenImage {
        let terminal = terminal
        let image = try await stages.run(.hypervisor) {
            let image = try await body { terminal.update($0.shown) }
            return (image, "xen-syms built, build-id \(BuildIDNote.text(image.buildID))")
        }
        report?.hypervisor = BuildReport.Hypervisor(image, builtHere: true)
        return image
    }

    /// - Parameter layouts: compares the types of all objects, and adds what it has to say to the change sets.
    mutating func compare(
        _ pairs: [ObjectPair], _ body: @escaping @Sendable (ObjectPair) throws -> ChangeSet,
        layouts: (inout [ChangeSet]) throws -> [LayoutChange]
    ) async throws -> [ChangeSet] {
        let terminal = terminal, jobs = options.jobs
        let (changes, types) = try await stages.run(.compare) {
            var changes = try await inParallel(pairs, limit: jobs, done: { terminal.update("\($0) of \(pairs.count) compared") }, body)
            terminal.update("types")
            let types = try layouts(&changes)
            return ((changes, types), ReportText.line(BuildReport.Comparison(changes)))
        }
        report?.layouts = types
        report?.comparison = BuildReport.Comparison(changes)
        return changes
    }

    mutating func link(_ body: () throws -> LinkOutcome) async throws -> Payload? {
        var linked = report
        let name = output.path.appending(PayloadName.name(for: options))
        let outcome = try await stages.run(.link) {
            let outcome = try body()
            guard let payload = outcome.payload else { return (outcome, "no payload") }
            linked?.add(payload, path: "\(name).\(payload.abi.fileSuffix)", isCumulative: options.cumulative)
            return (outcome, linked.map { ReportText.linkLine($0) } ?? "")
        }
        report = linked
        if let original = linked?.original, original.replaced > 0 {
            terminal.begin(.original)
            terminal.end(ReportText.line(original))
        }
        // The diagnostics of the change sets are among them.
        report?.diagnostics += outcome.diagnostics
        return outcome.payload
    }

    /// - Returns: the payload, or nil when the hypervisor would not load it.
    mutating func check(_ payload: Payload?, _ body: (Payload) throws -> LoadResult) async throws -> Payload? {
        guard let payload else { return nil }
        let version = report?.tree.version ?? ""
        let result = try await stages.run(.check) {
            let result = try body(payload)
            return (result, result.isAccepted ? "the loader of Xen \(version) would accept it" : "the loader of Xen \(version) would refuse it")
        }
        guard let reason = result.objection else { return payload }
        report?.payload = nil
        report?.diagnostics.append(
            Diagnostic(.loaderRefuses, .error, message: "the loader of Xen \(version) would not take the payload: \(reason)"))
        return nil
    }

    mutating func note(_ diagnostics: [Diagnostic]) { report?.diagnostics += diagnostics }

    /// A stage refused the change as a whole.
    mutating func refused(by error: any ExplainedError) {
        guard let id = error.diagnosticID else { return }
        report?.diagnostics.append(Diagnostic(id, .error, message: error.message, help: error.help))
    }

    /// The report with how the run ended, and the times.
    func finished(_ outcome: BuildReport.Outcome, failure: String? = nil) -> BuildReport? {
        var report = report
        report?.outcome = outcome
        report?.failure = failure
        report?.timings = stages.timings
        return report
    }
}

extension LoadResult {
    /// Why the payload must not be written; nil for one that would be ready to be applied.
    fileprivate var objection: String? {
        switch verdict {
        case .accepted: nil
        case .refused(let refusal): "\(refusal.error.rawValue): \(refusal.reason)"
        case .crashes(let reason): "it would crash the hypervisor: \(reason)"
        case .notModelled(let reason): "it can't be checked: \(reason)"
        }
    }
}

extension BuildProgress {
    var shown: String {
        total > 0 ? "\(grouped(done)) of \(grouped(total)) compiled" : step.rawValue
    }
}
