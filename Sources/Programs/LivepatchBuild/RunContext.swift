import CallGraph
import CodeListing
import Diagnostics
import LoaderModel
import ObjectDiff
import PayloadLinker
import PayloadProof
import Report
import SignOff
import SourcePatch
import SystemPackage
import XenBuild
import XenSource
import XenVersions

/// Runs the stages of one target: reports each to the observer, and collects its outcome in the target's report.
struct RunContext: Sendable {
    let options: BuildOptions
    let target: Target
    /// The folder for the payload.
    let folder: FilePath
    let logs: FilePath
    /// The folder for the work files, when they are kept.
    let work: FilePath
    let stages: StageRunner
    let host: BuildHost
    private(set) var report: BuildReport
    /// The instructions of what differs, for the page.
    private(set) var code = SignOffPage.Code()

    private var observer: any BuildObserver { stages.observer }

    init(
        options: BuildOptions, target: Target, tree: XenTree, folder: FilePath, logs: FilePath, work: FilePath, host: BuildHost, observer: any BuildObserver
    ) {
        self.options = options
        self.target = target
        self.folder = folder
        self.logs = logs
        self.work = work
        self.stages = StageRunner(observer)
        self.host = host
        report = BuildReport(tree: BuildReport.Tree(tree, architecture: target.name))
        report.hypervisor = target.running.map { BuildReport.Hypervisor($0.image, builtHere: false) }
        report.stack = (target.running?.payloads ?? []).map {
            BuildReport.StackedPayload(path: $0.path.string, buildID: BuildIDNote.text($0.buildID))
        }
    }

    /// - Parameter diagnostics: those found while the patches were applied.
    mutating func applied(_ patch: BuildReport.Patch, _ diagnostics: [Diagnostic]) {
        report.patch = patch
        report.diagnostics += diagnostics
    }

    func buildRequest(tree: XenTree, patch: AppliedPatch) -> BuildRequest {
        let plan = target.plan, image = target.running?.image
        var environment = host.environment
        environment["CC"] = plan.tools.compiler
        return BuildRequest(
            tree: tree, patch: patch, processor: plan.architecture, architectureOptions: Architectures.options, machine: plan.architecture.machine,
            crossPrefix: plan.tools.prefix, toolchainPackage: plan.tools.package, configuration: plan.configuration,
            runningConfiguration: image?.configurationText, image: image?.path, hypervisorFolder: image?.sourceFolder,
            xenDebug: options.fix.xenDebug, launcher: options.work.compilerLauncher, sparing: options.work.sparing,
            jobs: options.work.jobs,
            cache: options.work.cache, logs: logs, environment: environment, recorder: host.recorder, makeVariables: options.targets.makeVariables,
            keepWork: options.work.keepWork ? work : nil)
    }

    mutating func compile(
        _ body: (@escaping @Sendable (BuildProgress) -> Void) async throws -> BuildOutcome
    ) async throws -> BuildOutcome {
        let observer = observer
        let (build, compile) = try await stages.run(.compile) {
            let build = try await body { observer.observe(.progress(.building($0))) }
            let compile = BuildReport.Compile(build)
            return ((build, compile), .compiled(compile))
        }
        if observer.wantsDecisions { observer.observe(.decided(Decision.all(compile))) }
        report.compile = compile
        report.diagnostics += build.diagnostics
        return build
    }

    mutating func buildHypervisor(
        _ body: (@escaping @Sendable (BuildProgress) -> Void) async throws -> XenImage
    ) async throws -> XenImage {
        let observer = observer
        let image = try await stages.run(.hypervisor) {
            let image = try await body { observer.observe(.progress(.building($0))) }
            return (image, .builtHypervisor(buildID: BuildIDNote.text(image.buildID)))
        }
        report.hypervisor = BuildReport.Hypervisor(image, builtHere: true)
        return image
    }

    /// Compares each pair, and then the types of all.
    ///
    /// - Parameter account: says how each object ended, for the account of the patch's hunks.
    mutating func compare(_ pairs: [ObjectPair], account: HunkAccount, with comparer: ObjectComparer) async throws -> (
        changes: [ChangeSet], layouts: LayoutComparison
    ) {
        let observer = observer, work = options.work, allowed = options.fix.allowedLayouts
        let (changes, layouts, comparison) = try await stages.run(.compare) {
            let changes = try await inParallel(
                pairs, limit: work.jobs, done: { observer.observe(.progress(.compared($0, of: pairs.count))) }, { try comparer.compare($0) })
            observer.observe(.progress(.comparingTypes))
            let layouts = try comparer.compareTypes(changes, of: pairs, allowed: allowed)
            let comparison = BuildReport.Comparison(changes, layouts)
            return ((changes, layouts, comparison), .compared(comparison))
        }
        if observer.wantsDecisions { observer.observe(.decided(Decision.all(changes))) }
        report.layouts = layouts.changes
        report.comparison = comparison
        finish(account, pairs, changes, layouts)
        return (changes, layouts)
    }

    /// Lists the instructions of the functions that differ, if there will be a page to show them.
    mutating func list(_ changes: [ChangeSet], of pairs: [ObjectPair], texts: SourceTexts) async throws {
        guard options.work.makesPage else { return }
        let disassembler = Disassembler(crossPrefix: target.plan.tools.prefix, environment: host.environment)
        code = try await listCode(
            zip(changes, pairs).map { ListedObject($0, original: $1.original, patched: $1.patched, architecture: target.plan.architecture) }, by: disassembler,
            jobs: options.work.jobs, texts: texts)
    }

    /// Says how each hunk ended. The comparison has shown it already: it gets a line of its own, but there is no more work.
    private mutating func finish(_ account: HunkAccount, _ pairs: [ObjectPair], _ changes: [ChangeSet], _ layouts: LayoutComparison) {
        guard var patch = report.patch, !patch.hunks.isEmpty else { return }
        patch.account(for: account.uses, by: account.endings(pairs, changes, layouts))
        report.patch = patch
        observer.observe(.beganStage(.hunks))
        observer.observe(.endedStage(.accountedFor(patch.hunks)))
        if observer.wantsDecisions { observer.observe(.decided(Decision.all(patch.hunks))) }
    }

    mutating func link(_ body: () throws -> LinkOutcome) async throws -> Payload? {
        var linked = report
        let name = folder.appending(PayloadName.name(for: options))
        let isRefused = isRefused
        let outcome = try await stages.run(.link) {
            var outcome = try body()
            // What the report has so far refuses a part of the change. The refusals of the linker are still worth knowing.
            if isRefused { outcome.payload = nil }
            guard let payload = outcome.payload else { return (outcome, .linked(nil)) }
            linked.add(payload, path: "\(name).\(payload.abi.fileSuffix)", isCumulative: options.stack.isReplaced)
            linked.payload?.digest = Metadata.digest(of: payload.bytes)
            return (outcome, .linked(linked))
        }
        report = linked
        if outcome.payload != nil, observer.wantsDecisions { observer.observe(.decided(Decision.all(linked))) }
        // The link stage has done this comparison already: it gets a line of its own, but there is no more work.
        if let original = linked.original, original.replaced > 0 {
            observer.observe(.beganStage(.original))
            observer.observe(.endedStage(.foundOriginal(original)))
        }
        // These include the diagnostics of the change sets.
        report.diagnostics += outcome.diagnostics
        return outcome.payload
    }

    /// - Returns: the payload as it would be in memory, or nil when the hypervisor would not load it.
    mutating func check(_ payload: Payload?, _ body: (Payload) throws -> LoadResult) async throws -> LoadedPayload? {
        guard let payload else { return nil }
        let version = report.tree.version
        let result = try await stages.run(.check) {
            let result = try body(payload)
            return (result, .checked(isAccepted: result.isAccepted, version: version))
        }
        report.diagnostics += result.findings.compactMap(\.diagnostic)
        guard let reason = result.objection else { return LoadedPayload(payload: payload, memory: result) }
        report.payload = nil
        report.diagnostics.append(
            Diagnostic(.loaderRefuses, .error, message: "the loader of Xen \(version) would not take the payload: \(reason)"))
        return nil
    }

    /// - Returns: the payload, or nil when it does not mean what its objects say.
    mutating func prove(_ loaded: LoadedPayload?, _ body: (LoadResult, _ reported: [Diagnostic]) async throws -> Proof) async throws -> Payload? {
        guard let loaded else { return nil }
        let reported = report.diagnostics
        let (proof, shown) = try await stages.run(.proof) {
            let proof = try await body(loaded.memory, reported)
            let shown = BuildReport.Proof(proof)
            return ((proof, shown), .proven(shown))
        }
        report.proof = shown
        guard !proof.holds else { return loaded.payload }
        report.payload = nil
        let help = "this is a fault of xsplice-build: please report it, with report.json and the patch"
        report.diagnostics += proof.failures.prefix(Self.shownFailures).map {
            Diagnostic(.proofFails, .error, symbol: $0.subject, message: "the payload is wrong: \($0.message)", help: help)
        }
        return nil
    }

    /// Says when the new code of each replaced function runs.
    ///
    /// - Parameter body: finds it out for a payload in memory; nil if the hypervisor does not show it.
    mutating func judgeEffects(_ body: () async throws -> [FunctionEffect]?) async throws {
        var judged = report
        let effects = try await stages.run(.effect) {
            let effects = try await body() ?? []
            judged.add(effects.map { ($0.name, $0.effect) })
            return (effects, .foundEffects(judged))
        }
        report = judged
        if observer.wantsDecisions { observer.observe(.decided(Decision.effects(report))) }
        report.diagnostics += effects.diagnostics
    }

    /// How many failures of a proof become diagnostics. The report has all.
    private static let shownFailures = 5

    private var isRefused: Bool { report.diagnostics.contains { $0.severity == .error } }

    /// The payload that may be written: none if any stage reported an error, whatever the stages after it made of the rest of the change.
    mutating func writable(_ payload: Payload?) -> Payload? {
        if !isRefused { return payload }
        report.payload = nil
        return nil
    }

    mutating func note(_ diagnostics: [Diagnostic]) { report.diagnostics += diagnostics }

    /// A stage refused the change as a whole.
    mutating func refused(by error: any ExplainedError) {
        guard let id = error.diagnosticID else { return }
        report.diagnostics.append(Diagnostic(id, .error, message: error.message, help: error.help))
    }

    /// The outcome of a target whose stages have all ended.
    ///
    /// - Parameter hasPayload: whether there is one to write.
    func outcome(hasPayload: Bool) -> BuildReport.Outcome {
        let errors = report.diagnostics.filter { $0.severity == .error }
        if hasPayload { return .written }
        if errors.contains(where: { $0.id == .proofFails }) { return .notProven }
        // A source that isn't the hypervisor's explains all other errors.
        if errors.contains(where: { $0.id == .originalDiffers }) { return .originalDiffers }
        if !errors.isEmpty { return .refused }
        return options.work.skip == .diff ? .compiledOnly : .nothingToPatch
    }

    /// The finished report, with the outcome and the times.
    ///
    /// - Parameter earlier: the times of the stages that all targets share.
    func finished(_ outcome: BuildReport.Outcome, failure: String? = nil, after earlier: [BuildReport.Timing]) -> BuildReport {
        var report = report
        report.outcome = outcome
        report.failure = failure
        report.timings = earlier + stages.timings
        return report
    }
}

/// A payload that the check accepted, and what is in the hypervisor's memory after its upload.
struct LoadedPayload: Sendable {
    let payload: Payload
    let memory: LoadResult
}

extension LoadResult {
    /// Why the payload must not be written; nil if it could be applied.
    fileprivate var objection: String? {
        switch verdict {
        case .accepted: findings.first { $0.kind.severity == .error }?.text
        case .refused(let refusal): "\(refusal.error.rawValue): \(refusal.reason)"
        case .crashes(let reason): "it would crash the hypervisor: \(reason)"
        case .notModelled(let reason): "it can't be checked: \(reason)"
        }
    }
}
