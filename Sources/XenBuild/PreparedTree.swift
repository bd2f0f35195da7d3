import CompilerRecorder
import Diagnostics
import ELFModel
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// A private tree that was configured, has all its generated files, and whose objects' commands are known.
struct PreparedTree: Sendable {
    /// Names the content, the configuration and the tools.
    var key: String
    var top: FilePath
    var configuration: KernelConfiguration
    /// By name.
    var objects: [String: ObjectCommand]
    /// Files, relative to `xen/`, that the compiler read for something other than an object: generators of headers,
    /// linker scripts, boot code.
    var readByOthers: Set<String>

    var xen: FilePath { top.appending("xen") }
}

/// Makes prepared trees, each once.
struct TreePreparation: Sendable {
    let request: BuildRequest
    let cache: Cache
    let toolchain: Toolchain
    let runner: CommandRunner
    let snapshot: TreeSnapshot
    let configuration: ConfigurationChoice
    let progress: @Sendable (BuildProgress) -> Void

    /// The user's tree as it is, or with the patch.
    /// - Parameter patch: what to write over the copy before it is configured.
    func prepared(patch: AppliedPatch? = nil) async throws -> PreparedTree {
        let key = key(patch)
        let place = cache.tree(key)
        let lock = try await FileLock.acquire(cache.lock(key)) { progress(BuildProgress(.waiting)) }
        defer { withExtendedLifetime(lock) {} }
        if let folder = place.completed(), let tree = try? load(key: key, folder: folder) { return tree }
        let folder = try place.begin()
        do {
            try await make(folder, patch: patch)
            let tree = try load(key: key, folder: folder)
            try place.complete(folder)
            return tree
        } catch {
            place.removeAll()
            throw error
        }
    }

    func key(_ patch: AppliedPatch?) -> String {
        var key = ContentKey()
        for part in [
            Cache.schema, snapshot.key, configuration.identity, request.architecture, request.crossPrefix, toolchain.identity,
            request.makeVariables.joined(separator: "\u{0}"),
        ] { key.add(part) }
        // Those of the user's tree are in the snapshot.
        if let path = factsBesideImage, let facts = try? WorkFiles.read(path) { key.add(facts) }
        for file in patch?.files ?? [] {
            key.add(file.path)
            switch file.change {
            case .write(let content, let executable):
                key.add(executable ? "x" : "f")
                key.add(content)
            case .remove: key.add("removed")
            }
        }
        return key.finished()
    }

    private func make(_ folder: FilePath, patch: AppliedPatch?) async throws {
        let top = folder.appending("tree"), recording = folder.appending("recording")
        let side = patch == nil ? "original" : "patched"
        for name in [RecordingFolder.objects, RecordingFolder.others] { try WorkFiles.makeFolder(recording.appending(name)) }
        try WorkFiles.makeFolder(folder.appending("bin"))
        progress(BuildProgress(.copying))
        try snapshot.copy(to: top)
        let make = MakeCommand(request: request, toolchain: toolchain, runner: runner, top: top, tools: folder.appending("bin"))
        try make.installRecorder()
        if snapshot.wasBuilt { try await make.distclean(log: log("distclean-\(side)")) }
        if let patch { try patch.write(into: top) }

        progress(BuildProgress(.configuring))
        var environment = try await configuration.configure(make, logs: request.logs, side: side)

        progress(BuildProgress(.recording))
        try await compileStandIn(recording.appending(RecordingFolder.standIn), log: log("stand-in-\(side)"))
        let log = log("prepare-\(side)")
        environment[RecordingFolder.variable] = recording.string
        let succeeded = try await make.run(["-k", "-j\(request.jobs)"], log: log, adding: environment)
        // The last link must fail, since the objects are empty. The object that holds all others comes just before it,
        // and make does not make it unless everything before was made.
        let folders = (try? WorkFiles.names(in: top.appending("xen/arch"))) ?? []
        let prelinked = BuildSystemQuirks.prelinkObjects(folders: folders, architecture: request.architecture)
            .contains { WorkFiles.isReadableFile(top.appending("xen").appending($0)) }
        guard succeeded || prelinked else {
            throw BuildError.fromLog(
                "the \(side) tree does not build", log: log, help: side == "original" ? "try `make -C xen` in it" : nil)
        }
        try keepBuildFacts(in: top)
    }

    /// Date, person and machine of the user's own build: the objects that hold them are to be those of the hypervisor that came of it.
    ///
    /// The tree given is often a fresh copy of the one that was built, so what lies beside xen-syms comes first.
    private func keepBuildFacts(in top: FilePath) throws {
        let path = BuildSystemQuirks.buildFacts
        guard !request.patch.files.contains(where: { $0.path == BuildSystemQuirks.buildFactsTemplate }) else { return }
        for source in [factsBesideImage, request.tree.top.appending(path)].compactMap({ $0 }) {
            guard case .regular = try WorkFiles.kind(of: source) else { continue }
            return try WorkFiles.write(try WorkFiles.read(source), to: top.appending(path))
        }
    }

    private var factsBesideImage: FilePath? {
        request.image?.removingLastComponent().appending(BuildSystemQuirks.buildFactsInHypervisor)
    }

    /// An empty object of the target's kind, which each recorded command leaves as its output.
    private func compileStandIn(_ path: FilePath, log: FilePath) async throws {
        let words = toolchain.compiler + ["-c", "-x", "assembler", "/dev/null", "-o", path.string]
        guard try await runner.run(words, in: path.removingLastComponent(), log: log) else {
            throw BuildError.fromLog("the compiler can't compile an empty file", log: log)
        }
        let made = try ELFFile.read(path).header.machine
        if let machine = request.machine, made != machine {
            throw BuildError(
                "'\(toolchain.compiler.joined(separator: " "))' is no compiler for \(request.architecture): it makes objects of ELF machine \(made), not \(machine)",
                help: request.environment["CC"] == nil
                    ? "say with --cross-compile what stands before the names of the right tools"
                    : "CC is taken as it is, whatever the target: unset it, or say in it which compiler to use")
        }
    }

    private func load(key: String, folder: FilePath) throws -> PreparedTree {
        let top = folder.appending("tree"), recording = folder.appending("recording")
        var objects: [String: ObjectCommand] = [:]
        let commands = recording.appending(RecordingFolder.objects)
        for name in try WorkFiles.names(in: commands) {
            guard let record = RecordedCommand(bytes: try WorkFiles.read(commands, name)) else {
                throw BuildError("\(commands.appending(name)) is damaged", exitCode: .internalFault)
            }
            if let object = ObjectCommand(record, top: top) { objects[object.name] = object }
        }
        guard !objects.isEmpty else { throw BuildError("\(request.tree.top): make compiles no object of a hypervisor") }
        let configuration = try KernelConfiguration(contentsOf: top.appending("xen/.config"))
        return PreparedTree(
            key: key, top: top, configuration: configuration, objects: objects,
            readByOthers: try readByOthers(recording.appending(RecordingFolder.others), top: top))
    }

    private func readByOthers(_ folder: FilePath, top: FilePath) throws -> Set<String> {
        var result: Set<String> = []
        var paths = ResolvedPaths(xen: top.appending("xen"))
        for name in try WorkFiles.names(in: folder) where !name.hasSuffix(".d") {
            guard let record = RecordedCommand(bytes: try WorkFiles.read(folder, name)) else { continue }
            // A compiler that failed (a probe may) leaves no list; its inputs are known all the same.
            let rule = try? WorkFiles.read(folder, name + ".d")
            for path in CompilerArguments(record.words).inputs + (rule.map(dependencies(inRule:)) ?? []) {
                if let path = paths.relative(path, from: record.folder) { result.insert(path) }
            }
        }
        return result
    }

    private func log(_ name: String) -> FilePath { request.logs.appending("\(name).log") }
}

/// Paths that compilers tell, as paths relative to `xen/` with symbolic links resolved. Each is looked up once.
struct ResolvedPaths {
    private let xen: String
    private var known: [String: String?] = [:]

    /// - Parameter xen: absolute, links resolved.
    init(xen: FilePath) { self.xen = xen.string }

    /// nil for files outside `xen/`.
    mutating func relative(_ path: String, from folder: String) -> String? {
        let full = path.hasPrefix("/") ? path : folder + "/" + path
        if let result = known[full] { return result }
        let resolved = WorkFiles.resolved(full) ?? full
        let result = relativePath(resolved, from: folder, below: xen)
        known[full] = .some(result)
        return result
    }
}
