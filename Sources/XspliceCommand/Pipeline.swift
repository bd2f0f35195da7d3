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

/// From a patch to a payload: all that the program does, stage by stage.
///
/// - Parameter context: what the run shows, and what it found so far, for whoever writes the report of a failure.
/// - Returns: the payload; nil when there is nothing to patch, when the change is refused, or when only objects were wanted.
/// - Throws: the `ExplainedError` of the stage that could not do its work; `CancellationError`.
func buildPayload(_ options: BuildOptions, in context: inout RunContext) async throws -> Payload? {
    // Recognise the tree: its version, and the payload format that its hypervisor loads.
    let architecture = try Architectures.named(options.architecture)
    let tree = try recogniseTree(at: options.source)
    try checkFormat(options.format, of: tree)
    context.recognised(tree, architecture: architecture)

    // Read the running hypervisor: its build-id, its symbols, its code. A wrong one is best refused now.
    var image = try options.xenSyms.map { try XenImage.read($0, machine: architecture.machine) }
    context.running(image)

    // Apply the patch, in memory: the tree is only read.
    let patch = try await context.apply { try applyPatches(options.patches, to: tree.top) }

    // Compile, from the original and from the patched source, the objects that the patch can affect.
    try context.output.prepare()
    let request = context.buildRequest(tree: tree, patch: patch, architecture: architecture)
    let build = try await context.compile { try await buildObjectPairs(request, progress: $0) }
    if options.skip == .diff { return nil }

    // Without a xen-syms, build the hypervisor that the tree describes.
    if image == nil {
        image = try await context.buildHypervisor {
            try XenImage.read(try await buildHypervisor(request, progress: $0), machine: architecture.machine)
        }
    }
    guard let image else { return nil }

    // Compare each pair of objects: what changed, what is new, what can't be live-patched.
    // Types come last: a new layout concerns all objects that know the type.
    let (pairs, notes) = try joinRenamed(build.pairs)
    context.note(notes)
    let changes = try await context.compare(pairs) {
        try compare($0, architecture: architecture, tree: tree)
    } layouts: {
        try compareLayouts(
            &$0, allowed: options.allowedLayouts, bootOnly: Set(pairs.filter(\.isInitOnly).map(\.name)),
            read: { try paths(of: pairs[$0]).types($1, withUses: $2) })
    }

    // Link what changed, and what that newly needs, against the running hypervisor.
    let payload = try await context.link {
        try linkPayload(changes, onto: image, architecture: architecture, options: options.linking(for: tree))
    }

    // Load it as that hypervisor would: what its loader refuses is never written.
    return try await context.check(payload) {
        loadPayload($0.bytes, into: image, architecture: architecture, abi: tree.abi, version: tree.version)
    }
}

/// Reads and compares the two compilations of one object. One that exists on one side only is compared with nothing.
private func compare(
    _ pair: ObjectPair, architecture: any TargetArchitecture, tree: XenTree
) throws -> ChangeSet {
    var changes = compareObjects(
        objectName: pair.name, source: pair.source,
        original: try ObjectToCompare(at: pair.original, architecture: architecture),
        patched: try ObjectToCompare(at: pair.patched, architecture: architecture), architecture: architecture,
        xenVersion: (tree.version.major, tree.version.minor), hooksPrefix: tree.abi.hooksPrefix)
    changes.originalSource = pair.originalSource
    try paths(of: pair).checkDebugInfo(of: &changes, architecture: architecture)
    if pair.patched == nil {
        changes.diagnostics.append(
            Diagnostic(
                .objectVanished, .note, location: SourceLocation(file: pair.source),
                message: "\(pair.name) is no longer built: its code stays in the hypervisor, for whoever still refers to it"))
    }
    return changes
}

private func paths(of pair: ObjectPair) -> ObjectPaths { ObjectPaths(original: pair.original, patched: pair.patched) }

/// A payload of another format than the tree's would not load.
private func checkFormat(_ format: BuildOptions.Format, of tree: XenTree) throws(UsageError) {
    guard format == .auto || format.rawValue == tree.abi.format.rawValue else {
        throw UsageError("--format \(format.rawValue): Xen \(tree.version) loads payloads of format \(tree.abi.displayName)")
    }
}

extension BuildOptions {
    func linking(for tree: XenTree) -> LinkOptions {
        LinkOptions(
            name: PayloadName.name(for: patches), abi: tree.abi, depends: depends, xenDepends: xenDepends, prelink: prelink,
            strip: strip, trustSource: trustSource)
    }
}
