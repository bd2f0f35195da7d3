import Diagnostics
import LoaderModel
import PayloadLinker
import SourcePatch
import TargetArchitecture
import WorkFiles
import XenSource

/// The source as it runs, and as it is to run: patches on top of one tree.
struct SourceStates: Sendable, Equatable {
    /// The patches that the applied payloads were made from.
    var running: AppliedPatch
    /// Those, and the new ones on top of them.
    var patched: AppliedPatch
}

/// Applies the patches to the tree, in memory. A cumulative payload starts from the tree itself.
func sourceStates(_ options: BuildOptions, of tree: XenTree) throws -> SourceStates {
    let patched = try applyPatches(options.appliedPatches + options.patches, to: tree.top)
    guard !options.cumulative, !options.appliedPatches.isEmpty else { return SourceStates(running: AppliedPatch(files: []), patched: patched) }
    return SourceStates(running: try applyPatches(options.appliedPatches, to: tree.top), patched: patched)
}

/// The hypervisor with the payloads that the user says are applied to it.
///
/// - Throws: `StackError` for a payload that can't be there or can't be read.
func appliedPayloads(
    _ options: BuildOptions, on image: XenImage, architecture: any TargetArchitecture, tree: XenTree
) throws -> RunningHypervisor {
    let payloads = try options.applied.map { path in
        do throws(WorkFileError) {
            return (path: path, bytes: try WorkFiles.read(path))
        } catch {
            throw StackError(path: path, reason: "can't be read: \(error.errno)")
        }
    }
    return try loadStack(payloads, onto: image, architecture: architecture, abi: tree.abi, version: tree.version)
}

/// What the payloads that a cumulative one replaces kept in variables of their own.
func stateLost(_ stack: RunningHypervisor, payload: Payload) -> [Diagnostic] {
    stack.payloads.compactMap { below in
        let names = below.symbols.filter { !$0.isFunction && below.isWritable($0) }.map { AppliedPayload.withoutTag($0.name) }
        guard let first = names.first else { return nil }
        return Diagnostic(
            .stateLost, .warning, symbol: first,
            message: "\(below.name) has variables of its own (\(names.listed(atMost: 1))): they begin anew when \(payload.name) takes its place")
    }
}
