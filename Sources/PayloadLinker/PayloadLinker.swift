import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource

/// Makes one payload from the changes of all objects.
///
/// - Parameters:
///   - changeSets: of every object that the patch affects. Their order does not matter.
///   - image: the running hypervisor.
/// - Returns: the payload; or none, when nothing that runs differs or when the change can't be live-patched. The diagnostics tell which.
/// - Throws: `ELFError` only when the finished payload can't be written into memory.
public func linkPayload(
    _ changeSets: [ChangeSet], onto image: XenImage, architecture: any TargetArchitecture, options: LinkOptions
) throws(ELFError) -> LinkOutcome {
    let sets = changeSets.sorted { $0.objectName < $1.objectName }
    var diagnostics = sets.flatMap(\.diagnostics)

    var selection = Selection(
        sets: sets, hypervisor: Hypervisor(image: image, changeSets: sets), architecture: architecture)
    selection.select()
    let check = OriginalCheck(sets: sets, selection: selection, architecture: architecture)
    let verified = check.run()
    diagnostics += options.trustSource ? verified.diagnostics.map(\.asWarning) : verified.diagnostics

    var assembler = Assembler(selection: selection, architecture: architecture, options: options)
    assembler.layOut()
    diagnostics += assembler.diagnostics
    let functions = PatchedFunctions(assembler: assembler, image: image, architecture: architecture)
    diagnostics += functions.diagnostics
    guard !functions.entries.isEmpty || !selection.hooks.isEmpty, !diagnostics.contains(where: { $0.severity == .error }) else {
        return LinkOutcome(payload: nil, diagnostics: diagnostics)
    }

    let depends = options.depends ?? image.buildID
    let xenDepends = options.xenDepends ?? image.buildID
    functions.write(into: &assembler)
    assembler.append(to: options.abi.dependsSection, BuildIDNote.serialise(depends), alignment: 4)
    if let section = options.abi.xenDependsSection {
        assembler.append(to: section, BuildIDNote.serialise(xenDepends), alignment: 4)
    }
    assembler.append(to: options.abi.buildIDSection, BuildIDNote.serialise([]), alignment: 4)

    var file = PayloadFile(sections: assembler.sections, names: [], architecture: architecture)
    let companions = Companions(assembler: assembler, tag: file.contentTag)
    if !options.strip { file.names = functions.names + companions.names }
    let (bytes, buildID) = try file.serialised(buildIDSection: options.abi.buildIDSection, name: options.name)
    if companions.list.contains(where: \.isWritable) {
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
        tableEntries: assembler.tableEntries, verifiedFunctions: verified.equalCount)
    return LinkOutcome(payload: payload, diagnostics: diagnostics)
}

extension Diagnostic {
    fileprivate var asWarning: Diagnostic {
        var copy = self
        if copy.severity == .error { copy.severity = .warning }
        return copy
    }
}
