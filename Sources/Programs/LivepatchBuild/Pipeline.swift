import Diagnostics
import LoaderModel
import PayloadLinker
import XenBuild
import XenSource
import XenVersions

/// From patches to what each target needs: the part of a build before anything is written.
///
/// - Parameters:
///   - places: what the files are going to be called.
///   - observer: hears of each step.
/// - Returns: what `buildPayloads` goes on with.
/// - Throws: the `ExplainedError` of what could not be done; `CancellationError`.
package func planBuild(
    _ options: BuildOptions, to places: OutputPlaces, on host: BuildHost, observer: any BuildObserver
) async throws -> BuildPlan {
    var run = BuildRun(options: options, places: places, host: host, observer: observer)

    // Recognise the tree: its version, and the payload format that its hypervisors load.
    let tree = try recogniseTree(at: options.input.source)
    try checkFormat(options.fix, of: tree)

    // Find the targets. Read each running hypervisor: its build-id, its symbols, its code, and the payloads on it. A wrong one is best
    // refused now.
    let targets = try findTargets(options, for: tree, machine: host.machine, environment: host.environment)
    run.begin(targets, of: tree)

    // Apply the patches, in memory: the tree is only read. They are the same for all targets.
    let states = try await run.apply { try sourceStates(options, of: tree) }

    return BuildPlan(tree: tree, states: states, run: run)
}

/// A build that is known to make sense: the tree, its targets, and the patches, which apply.
package struct BuildPlan: Sendable {
    let tree: XenTree
    let states: SourceStates
    let run: BuildRun
}

/// From the patched source to payloads, stage by stage. The cache folder must be in use (`CacheUse`). Only there and in the folders of
/// logs is anything written.
///
/// - Returns: how each target ended, refusals and builds that failed among them.
/// - Throws: the `ExplainedError` of what concerns more than one target's change; `CancellationError`.
package func buildPayloads(_ plan: BuildPlan) async throws -> BuildResult {
    var run = plan.run

    // Make one payload for each target.
    try await run.forEachTarget { target, context in
        try await buildPayload(context.options, for: target, from: plan.states, of: plan.tree, in: &context)
    }
    return run.result
}

/// From the patched source to the payload for one target.
///
/// - Parameters:
///   - states: the patches, applied.
///   - context: what was found so far, for the report of a failure too.
/// - Returns: the payload; nil when there is nothing to patch, when the change is refused, or when only objects were wanted.
/// - Throws: as `buildPayloads`.
private func buildPayload(
    _ options: BuildOptions, for target: Target, from states: SourceStates, of tree: XenTree, in context: inout RunContext
) async throws -> Payload? {
    let architecture = target.plan.architecture

    // Compile, from the original and from the patched source, the objects that the patch can affect.
    let request = context.buildRequest(tree: tree, patch: states.patched)
    let build = try await context.compile { progress in
        let whole = try await buildObjectPairs(request, progress: progress)
        return try await whole.beginning(at: states.running, of: request, progress: progress)
    }
    if options.work.skip == .diff { return nil }

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
    let (pairs, notes) = try joinRenamed(build.pairs)
    context.note(notes)
    let comparer = ObjectComparer(architecture: architecture, version: tree.version, abi: tree.abi)
    let (changes, layouts) = try await context.compare(pairs, with: comparer)
    let below = try build.below.map { try comparer.compare($0) }

    // Link what changed, and what that newly needs, against the running hypervisor.
    let payload = try await context.link {
        var traits = TraitsOfBoth(image: image, pairs: pairs, configuration: build.configuration)
        return try linkPayload(
            changes, layouts: layouts, onto: running, below: below, architecture: architecture,
            options: options.linking(for: tree, patch: states.patched, compiler: build.compiler),
            likelyCause: { traits.likelyCause(of: $0) })
    }
    if options.stack.isReplaced, let payload { context.note(stateLost(stack, payload: payload)) }

    // Load it as that hypervisor would: what its loader refuses is never written.
    return try await context.check(payload) {
        loadPayload($0.bytes, into: stack, architecture: architecture, abi: tree.abi, version: tree.version)
    }
}

/// A payload of another format than the tree's would not load.
private func checkFormat(_ fix: BuildOptions.Fix, of tree: XenTree) throws(UsageError) {
    let abi = tree.abi
    guard fix.format == .auto || fix.format.rawValue == abi.format.rawValue else {
        throw UsageError("--format \(fix.format.rawValue): Xen \(tree.version) loads payloads of format \(abi.displayName)")
    }
    if fix.expect, !abi.hasExpectations {
        throw UsageError("--expect: payloads of format \(abi.displayName) have no expectations")
    }
}

/// Functions that are equal can be so by luck: new ones are compiled with the configuration that is here, and work on the hypervisor's
/// structures.
private func configurationDiffers(_ image: XenImage, here: KernelConfiguration) -> [Diagnostic] {
    let options = image.configuration?.describedDifferences(from: here) ?? []
    guard !options.isEmpty else { return [] }
    return [
        Diagnostic(
            .configurationDiffers, .warning, message: "the hypervisor has another configuration: \(options.listed(atMost: 4))",
            help: "give the hypervisor's configuration with -c")
    ]
}
