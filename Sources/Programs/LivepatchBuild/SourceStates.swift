import Diagnostics
import PayloadLinker
import SourcePatch
import XenBuild
import XenSource

/// The patches on one tree that give the source of the running hypervisor and the patched source.
struct SourceStates: Sendable, Equatable {
    /// The patches that the applied payloads were made from; empty for a cumulative payload.
    var running: AppliedPatch
    /// The patches of the applied payloads, and the new ones on top of them.
    var patched: AppliedPatch

    /// The same states, with the line numbers that the compiler saw.
    func compiled(as build: BuildOutcome) -> SourceStates {
        SourceStates(
            running: build.shiftsLinesBelow ? running.withoutLineDirectives : running, patched: build.shiftsLines ? patched.withoutLineDirectives : patched)
    }
}

/// Reads the patches and applies them to the tree, in memory. For a cumulative payload, the original is the tree without any patch.
func sourceStates(_ options: BuildOptions, of tree: XenTree) throws -> SourceStates {
    let patches = try readPatches(options.stack.patches + options.input.patches)
    let patched = try applyPatches(patches, to: tree.top)
    guard !options.stack.isReplaced, !options.stack.patches.isEmpty else { return SourceStates(running: AppliedPatch(files: []), patched: patched) }
    return SourceStates(running: try applyPatches(Array(patches.prefix(options.stack.patches.count)), to: tree.top), patched: patched)
}

/// Warns of each applied payload whose patches are not among the given ones: the cumulative `payload` takes its place without them.
func fixesThatEnd(_ stack: RunningHypervisor, given patches: AppliedPatch, payload: Payload) -> [Diagnostic] {
    let given = Set(patches.patches.map(Metadata.digest(of:)))
    return stack.payloads.compactMap { below in
        let missing = below.missingPatch(of: given)
        let reason: String
        if let missing {
            reason = "was made from a patch that is not given (sha256 \(missing.prefix(16))…)"
        } else if below.patchDigests.isEmpty {
            reason = "does not say from which patches it was made"
        } else {
            return nil
        }
        return Diagnostic(
            .appliedFixEnds, .warning,
            message: "\(below.name) \(reason): what that fixed ends when \(payload.name) replaces it, unless another patch has it too",
            help: "give the patches of all applied payloads with --applied-patch")
    }
}

/// Warns of each applied payload that was made from a patch which is not among the given ones: what runs may come from another source than the
/// new code is compiled on top of. Only what the compared functions show is known to be the same.
func otherSources(_ stack: RunningHypervisor, given patches: AppliedPatch) -> [Diagnostic] {
    let given = Set(patches.patches.map(Metadata.digest(of:)))
    return stack.payloads.compactMap { below in
        guard let missing = below.missingPatch(of: given) else { return nil }
        return Diagnostic(
            .appliedPatchDiffers, .warning,
            message: "\(below.name) was made from a patch that is not given (sha256 \(missing.prefix(16))…): what it brought may differ from the source here, "
                + "where no function shows it",
            help: "give the very patch files that it was made from with --applied-patch")
    }
}

extension AppliedPayload {
    /// The SHA-256 digests of the patches that it was made from, in hexadecimal; empty if it does not say.
    fileprivate var patchDigests: [String] {
        metadata.filter { $0.hasPrefix("\(Metadata.digestKey)=") }.map { String($0.dropFirst(Metadata.digestKey.count + 1)) }
    }

    /// The first of them that is not among the given digests; nil if all are.
    fileprivate func missingPatch(of given: Set<String>) -> String? { patchDigests.first { !given.contains($0) } }
}

/// Warns of each applied payload that has writable variables of its own: their values are lost when the cumulative `payload` replaces it.
func stateLost(_ stack: RunningHypervisor, payload: Payload) -> [Diagnostic] {
    stack.payloads.compactMap { below in
        let names = below.symbols.filter { !$0.isFunction && below.isWritable($0) }.map { AppliedPayload.withoutTag($0.name) }
        guard let first = names.first else { return nil }
        return Diagnostic(
            .stateLost, .warning, symbol: first,
            message:
                "\(below.name) has variables of its own (\(names.listed(atMost: 1))): they start with their initial values again when \(payload.name) replaces it"
        )
    }
}
