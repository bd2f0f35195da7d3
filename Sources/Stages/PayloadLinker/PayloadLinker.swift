import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// Makes one payload from the changes of all objects.
///
/// - Parameters:
///   - changeSets: of every object that the patch affects. Their order does not matter.
///   - running: the hypervisor, with the payloads that are applied to it.
///   - below: what those payloads changed, object by object: the hypervisor's own source compared with the original of `changeSets`.
///   - likelyCause: asked about each function that is not what runs.
/// - Returns: the payload; or none, when nothing that runs differs or when the change can't be live-patched. The diagnostics tell which.
/// - Throws: `ELFError` only when the finished payload can't be written into memory.
package func linkPayload(
    _ changeSets: [ChangeSet], onto running: RunningHypervisor, below: [ChangeSet] = [], architecture: any TargetArchitecture,
    options: LinkOptions, likelyCause: (UnequalOriginal) -> LikelyCause = { LikelyCause(of: $0) }
) throws(ELFError) -> LinkOutcome {
    let sets = changeSets.sorted { $0.objectName < $1.objectName }
    var diagnostics = sets.flatMap(\.diagnostics)

    var selection = Selection(
        sets: sets, hypervisor: Hypervisor(running, changeSets: sets, below: below), architecture: architecture)
    selection.select()
    let check = OriginalCheck(sets: sets, selection: selection, architecture: architecture).run()
    diagnostics += check.diagnostics + check.unequal.map { $0.diagnostic(likelyCause($0), isTrusted: options.trustSource) }

    var assembler = Assembler(selection: selection, architecture: architecture, options: options)
    assembler.layOut()
    diagnostics += assembler.diagnostics
    let functions = PatchedFunctions(assembler: assembler, architecture: architecture)
    diagnostics += functions.diagnostics
    guard !functions.entries.isEmpty || !selection.hooks.isEmpty, !diagnostics.contains(where: { $0.severity == .error }) else {
        return LinkOutcome(payload: nil, diagnostics: diagnostics, unequal: check.unequal)
    }

    let depends = options.depends ?? running.topBuildID
    let xenDepends = options.xenDepends ?? running.image.buildID
    functions.write(into: &assembler)
    assembler.append(to: options.abi.dependsSection, BuildIDNote.serialise(depends), alignment: 4)
    if let section = options.abi.xenDependsSection {
        assembler.append(to: section, BuildIDNote.serialise(xenDepends), alignment: 4)
    }
    assembler.append(to: options.abi.buildIDSection, BuildIDNote.serialise([]), alignment: 4)
    if let section = options.abi.metadataSection, !options.metadata.isEmpty {
        assembler.append(to: section, options.metadata.flatMap(\.bytes))
    }

    var file = PayloadFile(sections: assembler.sections, names: [], architecture: architecture)
    let companions = Companions(assembler: assembler, tag: file.contentTag)
    if !options.strip { file.names = functions.names + companions.names }
    let (bytes, buildID) = try file.serialised(buildIDSection: options.abi.buildIDSection, name: options.name)
    if options.abi.refusesSecondApply, companions.list.contains(where: \.isWritable) {
        diagnostics.append(
            Diagnostic(
                .writableDataInPayload, .note,
                message: "the payload brings variables of its own: after a revert the hypervisor refuses to apply it again until it has been unloaded and uploaded anew"))
    }
    let payload = Payload(
        name: options.name, abi: options.abi, bytes: bytes, functions: functions.entries.map(\.function),
        companions: companions.list,
        references: assembler.references.map { .init(name: $0.key, address: $0.value) }.sorted { $0.name < $1.name },
        buildID: buildID, depends: depends, xenDepends: options.abi.xenDependsSection == nil ? nil : xenDepends,
        tableEntries: assembler.tableEntries, verifiedFunctions: check.equal, verifiedInInstructions: check.equalInInstructions)
    return LinkOutcome(payload: payload, diagnostics: diagnostics, unequal: check.unequal)
}

extension LinkOptions.Metadata {
    /// `key=value` and a zero byte. What a host tool prints line by line has no lines of its own.
    fileprivate var bytes: [UInt8] { Array("\(key)=\(value)".utf8.map { $0 < 32 ? UInt8(ascii: " ") : $0 }) + [0] }
}
