import Crypto
import DebugInfo
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
import XenVersions

/// From patches to payloads: all that the program does, stage by stage.
///
/// - Parameter run: what the run shows, and how each target ended, for whoever writes the report.
/// - Throws: the `ExplainedError` of the stage that could not do its work; `CancellationError`.
func buildPayloads(_ options: BuildOptions, in run: inout BuildRun) async throws {
    // Recognise the tree: its version, and the payload format that its hypervisors load.
    let tree = try recogniseTree(at: options.source)
    try checkFormat(options, of: tree)

    // Find the targets. Read each running hypervisor: its build-id, its symbols, its code, and the payloads on it. A wrong one is best
    // refused now.
    let targets = try findTargets(options, for: tree, machine: ProcessFacts.machine, environment: run.environment)
    run.begin(targets, of: tree)

    // Apply the patches, in memory: the tree is only read. They are the same for all targets.
    let states = try await run.apply { try sourceStates(options, of: tree) }

    // Make one payload for each target.
    try run.prepare()
    try await run.forEachTarget { target, context in
        try await buildPayload(options, for: target, from: states, of: tree, in: &context)
    }
}

/// From the patched source to the payload for one target.
///
/// - Parameters:
///   - states: the patches, applied.
///   - context: what the run shows, and what it found so far, for whoever writes the report of a failure.
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
    if options.skip == .diff { return nil }

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
    let running = options.cumulative ? RunningHypervisor(image) : stack

    // Compare each pair of objects: what changed, what is new, what can't be live-patched.
    // Types come last: a new layout concerns all objects that know the type.
    let (pairs, notes) = try joinRenamed(build.pairs)
    context.note(notes)
    let rules = ComparisonRules(architecture: architecture, xen: tree.version, abi: tree.abi)
    let (changes, layouts) = try await context.compare(pairs) { pair in
        try compareObjects(try pair.compiled(for: architecture), by: rules)
    } layouts: { changes in
        try compareLayouts(
            changes, allowed: options.allowedLayouts, bootOnly: Set(pairs.filter(\.isInitOnly).map { ObjectID($0.name) }),
            read: { try types(of: $0, $1, withUses: $2, among: pairs, architecture) })
    }
    let below = try build.below.map { try compareObjects(try $0.compiled(for: architecture), by: rules) }

    // Link what changed, and what that newly needs, against the running hypervisor.
    let payload = try await context.link {
        var traits = TraitsOfBoth(image: image, pairs: pairs, configuration: build.configuration)
        return try linkPayload(
            changes, layouts: layouts, onto: running, below: below, architecture: architecture,
            options: options.linking(for: tree, patch: states.patched, compiler: build.compiler),
            likelyCause: { traits.likelyCause(of: $0) })
    }
    if options.cumulative, let payload { context.note(stateLost(stack, payload: payload)) }

    // Load it as that hypervisor would: what its loader refuses is never written.
    return try await context.check(payload) {
        loadPayload($0.bytes, into: stack, architecture: architecture, abi: tree.abi, version: tree.version)
    }
}

extension ObjectPair {
    /// The two compilations, read. One that exists on one side only is compared with nothing.
    func compiled(for architecture: any TargetArchitecture) throws -> CompiledPair {
        CompiledPair(
            ObjectID(name), source: source, originalSource: originalSource, original: try .read(original, for: architecture),
            patched: try .read(patched, for: architecture))
    }
}

/// The types that one compilation of an object knows; none where it does not exist.
private func types(
    of object: ObjectID, _ side: ObjectSide, withUses: Bool, among pairs: [ObjectPair], _ architecture: any TargetArchitecture
) throws -> TypeInfo {
    try Task.checkCancellation()
    guard let pair = pairs.first(where: { $0.name == object.name }), let path = side == .original ? pair.original : pair.patched else { return TypeInfo() }
    return try TypeInfo.read(path, withUses: withUses)
}

/// A payload of another format than the tree's would not load.
private func checkFormat(_ options: BuildOptions, of tree: XenTree) throws(UsageError) {
    let abi = tree.abi
    guard options.format == .auto || options.format.rawValue == abi.format.rawValue else {
        throw UsageError("--format \(options.format.rawValue): Xen \(tree.version) loads payloads of format \(abi.displayName)")
    }
    if options.expect, !abi.hasExpectations {
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

extension BuildOptions {
    func linking(for tree: XenTree, patch: AppliedPatch, compiler: String) -> LinkOptions {
        LinkOptions(
            name: PayloadName.name(for: self), abi: tree.abi, xen: tree.version, depends: depends, xenDepends: xenDepends, prelink: prelink,
            strip: strip, trustSource: trustSource, expect: expect, metadata: metadata(tree, patch, compiler: compiler), nops: nops)
    }

    /// What the payload says about its making. Nothing in it depends on the place or the time of the run.
    private func metadata(_ tree: XenTree, _ patch: AppliedPatch, compiler: String) -> [LinkOptions.Metadata] {
        let names = (appliedPatches + patches).map { $0.lastComponent?.string ?? $0.string }
        let own = zip(names, patch.patches).dropFirst(cumulative ? 0 : appliedPatches.count).flatMap { name, bytes in
            [LinkOptions.Metadata("patch", name), .init("patch-sha256", BuildIDNote.text(Array(SHA256.hash(data: bytes))))]
        }
        return own + [
            .init("tool", "xsplice-build \(programVersion)"), .init("xen", tree.version.description), .init("compiler", compiler),
        ]
    }
}
