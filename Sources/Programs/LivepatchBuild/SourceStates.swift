import Diagnostics
import PayloadLinker
import SourcePatch
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
    let patched = try applyPatches(options.stack.patches + options.input.patches, to: tree.top)
    guard !options.stack.isReplaced, !options.stack.patches.isEmpty else { return SourceStates(running: AppliedPatch(files: []), patched: patched) }
    return SourceStates(running: try applyPatches(options.stack.patches, to: tree.top), patched: patched)
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
