import Diagnostics
import LoaderModel
import ObjectDiff
import PayloadLinker
import Report
import SourcePatch
import SystemPackage
import XenBuild
import XenSource
import XenVersions

/// The making of one target's payload seen from outside: shows each stage, and gathers its outcome in the report.
struct RunContext {
    let options: BuildOptions
    let target: Target
    /// Where the payload is going to be.
    let folder: FilePath
    let logs: FilePath
    let stages: StageRunner
    let environment: [String: String]
    /// How the build calls this program as its recorder of compiler commands.
    let recorder: [String]
    private(set) var report: BuildReport

    var terminal: Terminal { stages.terminal }
    private var style: TextStyle { terminal.style }

    init(
        options: BuildOptions, target: Target, tree: XenTree, folder: FilePath, logs: FilePath, terminal: Terminal,
        environment: [String: String], recorder: [String]
    ) {
        self.options = options
        self.target = target
        self.folder = folder
        self.logs = logs
        self.stages = StageRunner(terminal)
        self.environment = environment
        self.recorder = recorder
        report = BuildReport(tree: BuildReport.Tree(tree, architecture: target.name))
        report.hypervisor = target.running.map { BuildReport.Hypervisor($0.image, builtHere: false) }
        report.stack = (target.running?.payloads ?? []).map {
            BuildReport.StackedPayload(path: $0.path.string, buildID: BuildIDNote.text($0.buildID))
        }
    }

    /// Says what hypervisor the payload is for.
    func begin() {
        terminal.say(ReportText.heading(report, style: style))
        if target.running == nil {
            terminal.say("No --xen-syms is given: a hypervisor is built first, which takes some minutes the first time.")
        }
    }

    /// - Parameter diagnostics: what was found while they were applied.
    mutating func applied(_ patch: BuildReport.Patch, _ diagnostics: [Diagnostic]) {
        report.patch = patch
        report.diagnostics += diagnostics
    }

    func buildRequest(tree: XenTree, patch: AppliedPatch) -> BuildRequest {
        let plan = target.plan, image = target.running?.image
        var environment = environment
        environment["CC"] = plan.tools.compiler
        return BuildRequest(
            tree: tree, patch: patch, architecture: plan.architecture.name, architectureOptions: Architectures.options, machine: plan.architecture.machine,
            crossPrefix: plan.tools.prefix, toolchainPackage: plan.tools.package, configuration: plan.configuration,
            runningConfiguration: image?.configurationText, image: image?.path, xenDebug: options.xenDebug, launcher: options.compilerLauncher, jobs: options.jobs,
            cache: options.cache, logs: logs, environment: environment, recorder: recorder, keepWork: options.keepWork)
    }

    mutating func compile(
        _ body: (@escaping @Sendable (BuildProgress) -> Void) async throws -> BuildOutcome
    ) async throws -> BuildOutcome {
        let terminal = terminal
        let build = try await stages.run(.compile) {
            let build = try await body { terminal.update($0.shown) }
            return (build, ReportText.line(BuildReport.Compile(build)))
        }
        report.compile = BuildReport.Compile(build)
        report.diagnostics += build.diagnostics
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
        report.hypervisor = BuildReport.Hypervisor(image, builtHere: true)
        return image
    }

    /// - Parameter layouts: compares the types of all objects.
    mutating func compare(
        _ pairs: [ObjectPair], _ body: @escaping @Sendable (ObjectPair) throws -> ChangeSet, layouts: ([ChangeSet]) throws -> LayoutComparison
    ) async throws -> (changes: [ChangeSet], layouts: LayoutComparison) {
        let terminal = terminal, jobs = options.jobs
        let (changes, types) = try await stages.run(.compare) {
            let changes = try await inParallel(pairs, limit: jobs, done: { terminal.update("\($0) of \(pairs.count) compared") }, body)
            terminal.update("types")
            let types = try layouts(changes)
            return ((changes, types), ReportText.line(BuildReport.Comparison(changes, types)))
        }
        report.layouts = types.changes
        report.comparison = BuildReport.Comparison(changes, types)
        return (changes, types)
    }

    mutating func link(_ body: () throws -> LinkOutcome) async throws -> Payload? {
        var linked = report
        let name = folder.appending(PayloadName.name(for: options))
        let outcome = try await stages.run(.link) {
            let outcome = try body()
            guard let payload = outcome.payload else { return (outcome, "no payload") }
            linked.add(payload, path: "\(name).\(payload.abi.fileSuffix)", isCumulative: options.cumulative)
            return (outcome, ReportText.linkLine(linked))
        }
        report = linked
        if let original = linked.original, original.replaced > 0 {
            terminal.begin(.original)
            terminal.end(ReportText.line(original))
        }
        // The diagnostics of the change sets are among them.
        report.diagnostics += outcome.diagnostics
        return outcome.payload
    }

    /// - Returns: the payload, or nil when the hypervisor would not load it.
    mutating func check(_ payload: Payload?, _ body: (Payload) throws -> LoadResult) async throws -> Payload? {
        guard let payload else { return nil }
        let version = report.tree.version
        let result = try await stages.run(.check) {
            let result = try body(payload)
            return (result, result.isAccepted ? "the loader of Xen \(version) would accept it" : "the loader of Xen \(version) would refuse it")
        }
        report.diagnostics += result.findings.compactMap(\.diagnostic)
        guard let reason = result.objection else { return payload }
        report.payload = nil
        report.diagnostics.append(
            Diagnostic(.loaderRefuses, .error, message: "the loader of Xen \(version) would not take the payload: \(reason)"))
        return nil
    }

    mutating func note(_ diagnostics: [Diagnostic]) { report.diagnostics += diagnostics }

    /// A stage refused the change as a whole.
    mutating func refused(by error: any ExplainedError) {
        guard let id = error.diagnosticID else { return }
        report.diagnostics.append(Diagnostic(id, .error, message: error.message, help: error.help))
    }

    /// The outcome of a target whose stages all came to an end.
    ///
    /// - Parameter hasPayload: whether there is one to write.
    func outcome(hasPayload: Bool) -> BuildReport.Outcome {
        let errors = report.diagnostics.filter { $0.severity == .error }
        if hasPayload { return .written }
        // That the source is another one explains all else that is wrong.
        if errors.contains(where: { $0.id == .originalDiffers }) { return .originalDiffers }
        if !errors.isEmpty { return .refused }
        return options.skip == .diff ? .compiledOnly : .nothingToPatch
    }

    /// The report with how it ended, and the times.
    ///
    /// - Parameter earlier: of the stages that all targets share.
    func finished(_ outcome: BuildReport.Outcome, failure: String? = nil, after earlier: [BuildReport.Timing]) -> BuildReport {
        var report = report
        report.outcome = outcome
        report.failure = failure
        report.timings = earlier + stages.timings
        return report
    }
}

extension LoadResult {
    /// Why the payload must not be written; nil for one that would be ready to be applied.
    fileprivate var objection: String? {
        switch verdict {
        case .accepted: findings.first { $0.kind.severity == .error }?.text
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
