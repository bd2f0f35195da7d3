import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource

/// Makes one payload from the changes of all objects.
///
/// - Parameters:
///   - changeSets: of every object that the patch affects. Their order does not matter.
///   - layouts: what the patch does to the layout of types.
///   - running: the hypervisor, with the payloads that are applied to it.
///   - below: what those payloads changed, object by object: a comparison of the hypervisor's own source with the original of
///     `changeSets`.
///   - likelyCause: called for each function that differs from the running one.
/// - Returns: the payload; or none, when no running code changes or when the change can't be live-patched. The diagnostics say which.
/// - Throws: `ELFWritingError` when the payload can't be written into memory, or when this program contradicts itself.
package func linkPayload(
    _ changeSets: [ChangeSet], layouts: LayoutComparison = LayoutComparison(), onto running: RunningHypervisor, below: [ChangeSet] = [],
    architecture: any TargetArchitecture, options: LinkOptions, likelyCause: (UnequalOriginal) -> LikelyCause = { LikelyCause(of: $0) }
) throws(ELFWritingError) -> LinkOutcome {
    let input = LinkInput(changeSets, onto: running, below: below, architecture: architecture, options: options)

    // What the payload includes: the changed functions, and what they newly need.
    let selection = select(input)
    // From here on the set of included items is final. Each has its path to the change that it is included for.

    // Whether the running code equals what was compiled here from the original source.
    let check = verifyOriginals(selection, input)
    // From here on the replaced functions are known to be the hypervisor's own, or a diagnostic says that they are not.

    // What stays in the hypervisor, and leads to the old code of what does not.
    let leftBehind = removedFunctions(input) + lostDefinitions(input) + sharedLabelTables(selection, input)

    // Where each item goes, and what fills each reference.
    let resolved = resolve(selection, input)
    // From here on every reference has its destination, and every refusal has been reported.

    let found =
        input.objects.sets.flatMap { $0.diagnostics + (layouts.diagnostics[$0.object] ?? []) } + check.diagnostics
        + check.unequal.map { $0.diagnostic(likelyCause($0), isTrusted: options.trustSource) } + resolved.diagnostics + leftBehind
    guard !resolved.functions.isEmpty || resolved.hasHooks, !found.contains(where: { $0.severity == .error }) else {
        return LinkOutcome(payload: nil, diagnostics: found, unequal: check.unequal)
    }
    // A reference without a filling would be a call to nowhere.
    if let reference = resolved.unfilled.first {
        throw ELFWritingError(
            file: options.name, reason: "cannot be written: nothing fills the reference of \(reference), and no check found out why")
    }

    // The sections with their bytes and relocations.
    let sections = try layOut(resolved, input)

    // The file.
    let payload = try write(sections, of: resolved, verifiedBy: check, input)
    return LinkOutcome(payload: payload, diagnostics: found + writableData(resolved, options), unequal: check.unequal)
}

private func write(
    _ sections: [OutputSection], of resolved: ResolvedPayload, verifiedBy check: OriginalCheck, _ input: LinkInput
) throws(ELFWritingError) -> Payload {
    let abi = input.options.abi
    // The loader refuses a payload that brings a name which the hypervisor or another payload already has. Two versions of one fix bring
    // the same helpers, so the tag makes names unique. The loader makes an exception for the new address of a replaced function:
    // backtraces then show the usual name.
    let tag = PayloadFile.contentTag(of: sections, abi: abi)
    let ofFunctions = resolved.functions.compactMap { replaced in
        replaced.place.map { PayloadFile.Name(text: replaced.function.name, place: $0, size: replaced.function.newSize, isFunction: true) }
    }
    let ofCompanions = resolved.companions.map {
        PayloadFile.Name(text: "\($0.symbolName)~\(tag)", place: $0.place, size: $0.listed.size, isFunction: $0.listed.isFunction)
    }
    var file = PayloadFile(
        sections, names: input.options.strip ? [] : ofFunctions + ofCompanions, architecture: input.architecture, abi: abi)
    let (bytes, buildID) = try file.serialised(name: input.options.name)
    return Payload(
        name: input.options.name, abi: abi, bytes: bytes, functions: resolved.functions.map(\.function),
        companions: resolved.companions.map(\.listed),
        references: resolved.references.map { .init(name: $0.key, address: $0.value) }.sorted { $0.name < $1.name },
        buildID: buildID, depends: input.depends, xenDepends: abi.xenDependsSection == nil ? nil : input.xenDepends,
        tableEntries: resolved.tableEntries, verifiedFunctions: check.equal, verifiedInInstructions: check.equalInInstructions)
}

private func writableData(_ resolved: ResolvedPayload, _ options: LinkOptions) -> [Diagnostic] {
    guard options.abi.refusesSecondApply, resolved.companions.contains(where: \.listed.isWritable) else { return [] }
    return [
        Diagnostic(
            .writableDataInPayload, .note,
            message: "the payload has variables of its own: after a revert the hypervisor refuses to apply it again, until it is unloaded and uploaded again")
    ]
}
