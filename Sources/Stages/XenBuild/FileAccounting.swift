import Diagnostics
import SystemPackage

/// Accounts for every file of the patch: it is in an object that was compiled, or it is said why not.
struct FileAccounting {
    let request: BuildRequest
    let original: PreparedTree
    let patched: PatchedTree
    /// The objects that were made from each changed file, relative to `xen/`.
    let readers: [String: Set<String>]

    /// One for each file of the patch, in its order.
    private(set) var uses: [PatchedFileUse] = []
    private(set) var diagnostics: [Diagnostic] = []

    init(_ request: BuildRequest, original: PreparedTree, patched: PatchedTree, readers: [String: Set<String>]) {
        self.request = request
        self.original = original
        self.patched = patched
        self.readers = readers
        noteConfiguration()
        noteVersion()
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
        let own = Set(request.patch.files.map { String($0.path.dropFirst(4)) })
        let throughGenerated = readers.filter { !own.contains($0.key) }.values.reduce(into: Set<String>()) { $0.formUnion($1) }.sorted()
        for file in request.patch.files where file.path.hasPrefix("xen/") {
            let path = String(file.path.dropFirst(4))
            uses.append(PatchedFileUse(file.path, way(of: path, throughGenerated: throughGenerated, isLinked: !linkInputs.isEmpty)))
        }
    }

    private mutating func way(of path: String, throughGenerated: [String], isLinked: Bool) -> PatchedFileUse.Way {
        if let objects = readers[path] { return .objects(objects.sorted()) }
        // A makefile takes effect through the commands for objects, and every object with a changed command was compiled.
        if BuildSystemQuirks.isMakefile(path), original.objects != patched.objects {
            let names = Set(original.objects.keys).union(patched.objects.keys)
            return .commands(names.filter { original.objects[$0] != patched.objects[$0] }.sorted())
        }
        let known = BuildSystemQuirks.reasonNotBuilt(path, architecture: request.architecture)
        if BuildSystemQuirks.isReadByBuild(path) || original.readByOthers.contains(path) || patched.readByOthers.contains(path) {
            // Make has run: every file made from this one was compared, and the objects that read a changed one were compiled.
            if !throughGenerated.isEmpty { return .generated(throughGenerated) }
            if isLinked { return .lastLink }
            return note(path, known ?? "the build reads it, but nothing that objects are made from changes")
        }
        if let known { return note(path, known) }
        diagnostics.append(
            Diagnostic(
                .fileNotBuilt, .warning, location: SourceLocation(file: path),
                message: "\(path) is in no object of this hypervisor: the configuration leaves it out",
                help: "check that -c is the configuration of the running hypervisor"))
        return .nothing("none of the \(original.objects.count) objects of this configuration depends on it")
    }

    private mutating func note(_ path: String, _ reason: String) -> PatchedFileUse.Way {
        diagnostics.append(
            Diagnostic(.fileNotBuilt, .note, location: SourceLocation(file: path), message: "\(path) is in no object: \(reason)"))
        return .nothing(reason)
    }

    private mutating func noteConfiguration() {
        guard !patched.changedOptions.isEmpty else { return }
        diagnostics.append(
            Diagnostic(
                .configurationChanged, .warning,
                message: "the patch changes the configuration: "
                    + patched.changedOptions.map { "CONFIG_\($0)" }.joined(separator: ", ")
                    + "; if the hypervisor holds a copy of its configuration, that copy stays as it is"))
    }

    private mutating func noteVersion() {
        let taken = patched.versionChanges.filter(\.isFollowed), left = patched.versionChanges.filter { !$0.isFollowed && !$0.isBanner }
        if !taken.isEmpty {
            diagnostics.append(
                Diagnostic(
                    .versionChanged, .note, message: "the patch changes what the hypervisor says about its version: \(taken.map(\.words).listed(atMost: 3))"))
        }
        if !left.isEmpty {
            diagnostics.append(
                Diagnostic(
                    .versionChanged, .warning,
                    message: "the patch changes the version, but what the hypervisor says about it stays: \(left.map(\.words).listed(atMost: 3))",
                    help: "this tree does not make the running hypervisor's value; leave that part out, or change the function that returns it"))
        }
    }
}
