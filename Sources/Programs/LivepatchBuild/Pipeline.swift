import CallGraph
import Diagnostics
import LoaderModel
import PayloadLinker
import PayloadProof
import SourcePatch
import SystemPackage
import XenBuild
import XenSource
import XenVersions

/// Finds the targets and applies the patches: the part of a build before anything is written.
///
/// - Parameters:
///   - places: the names of the files that the build will write.
///   - observer: receives the event of each step.
/// - Returns: the plan for `buildPayloads`.
/// - Throws: an `ExplainedError` for a step that failed; `CancellationError`.
package func planBuild(
    _ options: BuildOptions, to places: OutputPlaces, on host: BuildHost, observer: any BuildObserver
) async throws -> BuildPlan {
    let options = try options.expandingSeries()
    var run = BuildRun(options: options, places: places, host: host, observer: observer)

    // Recognise the tree: its version, and the payload format that its hypervisors load.
    let tree = try recogniseTree(at: options.input.source)
    try checkFormat(options.fix, of: tree)

    // Find the targets. Read each running hypervisor: its build-id, its symbols, its code, and the payloads on it. A wrong file is best
    // refused now.
    let targets = try findTargets(options, for: tree, machine: host.machine, environment: host.environment)
    try checkDepends(options.payload, on: targets)
    run.begin(targets, of: tree)

    // Apply the patches, in memory: the tree is never written to. They are the same for all targets.
    let states = try await run.apply { try sourceStates(options, of: tree) }

    return BuildPlan(tree: tree, states: states, run: run)
}

/// A build whose options fit together: the tree, its targets, and the patches, which apply.
package struct BuildPlan: Sendable {
    let tree: XenTree
    let states: SourceStates
    let run: BuildRun
}

/// Makes the payloads from the patched source, stage by stage. The caller must hold the cache folder (`CacheUse`). The build writes only to
/// that folder and to the folders of logs.
///
/// - Returns: how each target ended, including refusals and failed builds.
/// - Throws: an `ExplainedError` for a failure that is not about one target's change; `CancellationError`.
package func buildPayloads(_ plan: BuildPlan) async throws -> BuildResult {
    var run = plan.run

    // Make one payload for each target.
    try await run.forEachTarget { target, context in
        try await buildPayload(context.options, for: target, from: plan.states, of: plan.tree, in: &context)
    }
    return run.result
}

/// Makes the payload for one target from the patched source.
///
/// - Parameters:
///   - states: the applied patches.
///   - context: collects the results so far; the report of a failure needs them as well.
/// - Returns: the payload; nil when there is nothing to patch, when the change is refused, or when the user wanted only objects.
/// - Throws: as `buildPayloads`.
private func buildPayload(
    _ options: BuildOptions, for target: Target, from states: SourceStates, of tree: XenTree, in context: inout RunContext
) async throws -> Payload? {
    let architecture = target.plan.architecture

    // Meanwhile, read what all the code of the hypervisor does. It is needed in the end, to say when the new code runs.
    let known = target.running?.image
    async let early = known.map { try HypervisorReading(of: $0, architecture: architecture, version: tree.version) }

    // Compile the objects that the patch can affect, from the original and from the patched source.
    let request = context.buildRequest(tree: tree, patch: states.patched)
    let build = try await context.compile { progress in
        let whole = try await buildObjectPairs(request, progress: progress)
        return try await whole.beginning(at: states.running, of: request, progress: progress)
    }
    if options.work.skip == .diff { return nil }
    let states = states.compiled(as: build)

    // Without a xen-syms, build the hypervisor that the tree describes.
    let stack: RunningHypervisor
    if let running = target.running {
        stack = running
    } else {
        stack = RunningHypervisor(
            try await context.buildHypervisor {
                try XenImage.read(try await buildHypervisor(request, progress: $0), machine: architecture.machine)
            })
    }
    let image = stack.image
    context.note(configurationDiffers(image, here: build.configuration))
    let running = options.stack.isReplaced ? RunningHypervisor(image) : stack

    // Compare each pair of objects: what changed, what is new, what can't be live-patched.
    let (pairs, notes, renamed) = try joinRenamed(build.pairs)
    context.note(notes)
    let history = LineHistory(from: states.running, to: states.patched)
    let comparer = ObjectComparer(architecture: architecture, version: tree.version, abi: tree.abi, history: history)
    let (changes, layouts) = try await context.compare(pairs, account: HunkAccount(build, renamed: renamed), with: comparer)
    try await context.list(changes, of: pairs, texts: SourceTexts(top: tree.top, history: history))
    let historyBelow = LineHistory(from: AppliedPatch(files: []), to: states.running)
    let comparerBelow = ObjectComparer(architecture: architecture, version: tree.version, abi: tree.abi, history: historyBelow)
    let pairsBelow = try joinRenamed(below: build.below, laterNames: renamed)
    let below = try pairsBelow.map { try comparerBelow.compare($0) }

    // Link the changed code, and what it newly needs, against the running hypervisor.
    let payload = try await context.link {
        var traits = TraitsOfBoth(image: image, pairs: pairs, configuration: build.configuration)
        return try linkPayload(
            changes, layouts: layouts, onto: running, below: below, architecture: architecture,
            options: options.linking(for: tree, patch: states.patched, compiler: build.compiler),
            likelyCause: { traits.likelyCause(of: $0) })
    }
    if options.stack.isReplaced, let payload {
        context.note(fixesThatEnd(stack, given: states.patched, payload: payload) + stateLost(stack, payload: payload))
    }

    if !options.stack.isReplaced { context.note(otherSources(stack, given: states.running)) }

    // Load it in the model of that hypervisor's loader. A payload that the loader would refuse is never written.
    let loaded = try await context.check(payload) {
        loadPayload($0.bytes, into: stack, architecture: architecture, abi: tree.abi, version: tree.version)
    }

    // Hold it against the objects and the hypervisor, as it would be in memory. A payload that is wrong is never written.
    let proven = try await context.prove(loaded) { memory, reported in
        provePayload(
            ProofInput(
                loaded: memory, running: running, objects: try await proofObjects(pairs, below: pairsBelow, jobs: options.work.jobs),
                claim: ProofClaim(changes, below: below, reported: reported, depends: options.payload.depends), architecture: architecture, abi: tree.abi,
                version: tree.version))
    }
    guard let proven, let loaded else { return nil }

    // Say when the new code runs: whether the fix has an effect on a machine that is up.
    let read = try await early
    try await context.judgeEffects {
        let reading = try read ?? HypervisorReading(of: image, architecture: architecture, version: tree.version)
        return try functionEffects(of: AppliedPayload(loaded.memory, path: FilePath(proven.fileName)), on: running, reading)
    }
    return proven
}

/// Refuses the beginning of a build-id, as the terminal shows it.
private func checkDepends(_ payload: BuildOptions.Payload, on targets: [Target]) throws(UsageError) {
    let known = targets.compactMap(\.running).flatMap { [$0.image.buildID] + $0.payloads.map(\.buildID) }
    for (option, given) in [("--depends", payload.depends), ("--xen-depends", payload.xenDepends)] {
        guard let given, let whole = known.first(where: { $0.count > given.count && $0.starts(with: given) }) else { continue }
        throw UsageError("\(option): that is only the beginning of a build-id", help: "the whole one is \(BuildIDNote.text(whole))")
    }
}

/// Refuses a format other than the tree's: such a payload would not load.
private func checkFormat(_ fix: BuildOptions.Fix, of tree: XenTree) throws(UsageError) {
    let abi = tree.abi
    guard fix.format == .auto || fix.format.rawValue == abi.format.rawValue else {
        throw UsageError("--format \(fix.format.rawValue): Xen \(tree.version) loads payloads of format \(abi.displayName)")
    }
    if fix.expect, !abi.hasExpectations {
        throw UsageError("--expect: payloads of format \(abi.displayName) have no expectations")
    }
}

/// Warns if the hypervisor was configured differently. Equal functions don't prove an equal configuration, and new functions are compiled
/// with the configuration here but use the hypervisor's structures.
private func configurationDiffers(_ image: XenImage, here: KernelConfiguration) -> [Diagnostic] {
    let options = image.configuration?.describedDifferences(from: here) ?? []
    guard !options.isEmpty else { return [] }
    return [
        Diagnostic(
            .configurationDiffers, .warning, message: "the hypervisor has another configuration: \(options.listed(atMost: 4))",
            help: "give the hypervisor's configuration with -c")
    ]
}
