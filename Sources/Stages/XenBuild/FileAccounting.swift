import Diagnostics
import SystemPackage

/// Accounts for every file of the patch: it is in an object that was compiled, or a diagnostic says why not.
func accountForFiles(
    _ request: BuildRequest, original: PreparedTree, patched: PatchedTree, readByObjects: Set<String>
) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    if !patched.changedOptions.isEmpty {
        diagnostics.append(
            Diagnostic(
                .configurationChanged, .warning,
                message: "the patch changes the configuration: "
                    + patched.changedOptions.map { "CONFIG_\($0)" }.joined(separator: ", ")
                    + "; if the hypervisor holds a copy of its configuration, that copy stays as it is"))
    }
    // Files made from the patch's files that only the last link reads.
    let linkInputs = patched.changed.filter(BuildSystemQuirks.isLinkInput).sorted()
    for path in linkInputs {
        diagnostics.append(
            Diagnostic(
                .buildInputNotUnderstood, location: SourceLocation(file: path),
                message: "the patch changes \(path), which only the last link of the hypervisor reads",
                help: "leave that part out: a payload can't change how the running hypervisor was linked"))
    }
    // Objects that include a file made from the patch's files were compiled because of that file.
    let ownPaths = Set(request.patch.files.map { String($0.path.dropFirst(4)) })
    let hasGenerated = !patched.changed.subtracting(ownPaths).isDisjoint(with: readByObjects)
    for file in request.patch.files where file.path.hasPrefix("xen/") {
        let path = String(file.path.dropFirst(4))
        if readByObjects.contains(path) { continue }
        // A makefile takes effect through the commands for objects, and every object with a changed command was compiled.
        if BuildSystemQuirks.isMakefile(path), original.objects != patched.objects { continue }
        let location = SourceLocation(file: path)
        if BuildSystemQuirks.isReadByBuild(path) || original.readByOthers.contains(path) || patched.readByOthers.contains(path) {
            // Make has run: every file made from this one was compared, and the objects that read a changed one were compiled.
            if hasGenerated { continue }
            let reason =
                BuildSystemQuirks.reasonNotBuilt(path, architecture: request.architecture)
                ?? "the build reads it, but nothing that objects are made from changes"
            diagnostics.append(Diagnostic(.fileNotBuilt, .note, location: location, message: "\(path) is in no object: \(reason)"))
        } else if let reason = BuildSystemQuirks.reasonNotBuilt(path, architecture: request.architecture) {
            diagnostics.append(Diagnostic(.fileNotBuilt, .note, location: location, message: "\(path) is in no object: \(reason)"))
        } else {
            diagnostics.append(
                Diagnostic(
                    .fileNotBuilt, .warning, location: location,
                    message: "\(path) is in no object of this hypervisor: the configuration leaves it out",
                    help: "check that -c is the configuration of the running hypervisor"))
        }
    }
    return diagnostics
}
