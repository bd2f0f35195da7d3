import CompilerRecorder
import Diagnostics
import ELFModel
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// A private tree that is configured and has its generated files. The commands for its objects are known.
struct PreparedTree: Sendable {
    /// Identifies the content, the configuration and the tools.
    var key: String
    var top: FilePath
    var configuration: KernelConfiguration
    /// By name.
    var objects: [String: ObjectCommand]
    /// The compiler's other commands. At the depth of headers many of them have not run and are known only from make's dry run.
    var others: [OtherCommand]
    var depth: Depth = .everything

    /// How far a tree was prepared.
    enum Depth: String, Sendable {
        /// Configuration, host tools and the headers that all objects may include. Files that a folder makes for its own objects (the
        /// flask module's tables, the boot code) are missing. This takes half the time, and is enough for most changes of single sources.
        case headers
        /// Everything but the objects.
        case everything
    }

    var xen: FilePath { top.appending("xen") }

    /// The header with the build's facts as make wrote it, before the running hypervisor's took its place.
    var generatedFacts: FilePath { top.removingLastComponent().appending("generated-compile.h") }

    /// Files, relative to `xen/`, that the compiler read for something other than an object.
    var readByOthers: Set<String> { others.reduce(into: []) { $0.formUnion($1.reads) } }
}

/// A tree that was prepared only as far as its headers is not enough: everything must be prepared.
struct MoreIsNeeded: Error {
    /// For developers who debug the build stage.
    var reason: String

    init(_ reason: String) { self.reason = reason }
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

    /// Prepares the user's tree, with or without the patch.
    ///
    /// - Parameters:
    ///   - patch: the files to write over the copy before it is configured.
    ///   - original: the tree without the patch, if there is a patch.
    ///   - depth: how far to prepare. A kept tree that was prepared further is used as well.
    /// - Throws: `MoreIsNeeded` at the depth of headers, when make does not say enough.
    func prepared(patch: AppliedPatch? = nil, over original: PreparedTree? = nil, depth: PreparedTree.Depth = .everything) async throws -> PreparedTree {
        try checkFactsBesideImage()
        let key = key(patch)
        let jobs = request.jobs
        if depth != .everything, let folder = try await cache.tree(key).completed(jobs: jobs), let tree = try? load(key: key, folder: folder) {
            return tree
        }
        let name = depth == .everything ? key : "\(key)-\(depth.rawValue)"
        let place = cache.tree(name)
        let lock = try await FileLock.acquire(cache.lock(name)) { progress(BuildProgress(.waiting)) }
        defer { withExtendedLifetime(lock) {} }
        if let folder = try await place.completed(jobs: jobs), let tree = try? load(key: key, folder: folder, depth: depth) { return tree }
        let folder = try place.begin()
        do {
            try await make(folder, patch: patch, over: original, depth: depth)
            let tree = try load(key: key, folder: folder, depth: depth)
            try await place.complete(folder, jobs: jobs)
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
        // The facts in the user's tree are part of the snapshot.
        if let path = factsBesideImage, let facts = try? WorkFiles.read(path, limit: BuildFacts.sizeLimit) { key.add(facts) }
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

    private func make(_ folder: FilePath, patch: AppliedPatch?, over original: PreparedTree?, depth: PreparedTree.Depth) async throws {
        let top = folder.appending("tree"), recording = folder.appending("recording")
        let side = patch == nil ? "original" : "patched"
        for name in [RecordingFolder.objects, RecordingFolder.others] { try WorkFiles.makeFolder(recording.appending(name)) }
        try WorkFiles.makeFolder(folder.appending("bin"))
        progress(BuildProgress(.copying))
        try snapshot.copy(to: top)
        let make = MakeCommand(request: request, toolchain: toolchain, runner: runner, top: top, tools: folder.appending("bin"))
        try depth == .everything ? make.installRecorder() : make.installCompiler()
        if snapshot.wasBuilt { try await make.distclean(log: log("distclean-\(side)")) }
        if let patch { try patch.write(into: top) }
        try BuildSystemQuirks.spareProcesses(in: top)

        progress(BuildProgress(.configuring))
        var environment = try await configuration.configure(make, logs: request.logs, side: side)

        progress(BuildProgress(.recording))
        try await compileStandIn(recording.appending(RecordingFolder.standIn), log: log("stand-in-\(side)"))
        switch depth {
        case .everything: try await recordAll(make, in: recording, side: side, environment: environment)
        case .headers:
            if let python = try await interpreter(for: top) { environment["PYTHON"] = try make.installInterpreter([python, "-S"]) }
            try await recordDryRun(make, in: recording, side: side, environment: environment)
        }
        try keepBuildFacts(in: top, over: original)
    }

    /// Copies a tree whose configuration is final, for a dry run that runs at the same time as the make that makes headers. Two makes in
    /// one tree would remove each other's probes of the compiler.
    ///
    /// - Returns: nil for a tree that its next make would configure again.
    private func copyForDryRun(_ make: MakeCommand, side: String, environment: [String: String]) async throws -> FilePath? {
        guard try BuildSystemQuirks.hasSyncconfig(in: make.top),
            try await make.run(["syncconfig"], log: log("syncconfig-\(side)"), adding: environment)
        else { return nil }
        let copy = make.top.removingLastComponent().appending("dry-run")
        try WorkFiles.linkFolder(make.top, to: copy)
        return copy
    }

    /// - Returns: what make would do in `make`'s tree, found out in the copy; nil without a copy, or if make can't say yet.
    private func dryRunMeanwhile(
        in copy: FilePath?, of make: MakeCommand, side: String, environment: [String: String]
    ) async throws -> DryRun? {
        guard let copy else { return nil }
        let other = MakeCommand(request: request, toolchain: toolchain, runner: runner, top: copy, tools: make.tools)
        do {
            return try await other.dryRun(log: log("early-dry-run-\(side)"), output: copy.appending("dry-run.out"), adding: environment)
                .moved(from: copy, to: make.top)
        } catch is DryRun.NotUnderstood {
            return nil
        }
    }

    /// The path of the Python interpreter that the tree's scripts would get. It bypasses wrappers that the user may have installed, and
    /// modules that Python loads for other programs: the scripts need neither, and run about sixty times.
    ///
    /// - Returns: nil to let the makefiles choose.
    private func interpreter(for top: FilePath) async throws -> String? {
        let makefile = String(decoding: try WorkFiles.read(top.appending("xen/Makefile")), as: UTF8.self)
        guard runner.environment["PYTHON"] == nil, BuildSystemQuirks.looksForPython3(makefile), runner.locate("python3") != nil,
            let output = try await runner.output(["python3", "-S", "-c", "import sys; print(sys.executable)"])
        else { return nil }
        let path = output.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return path.hasPrefix("/") ? path : nil
    }

    /// Lets make do everything, with the recorder in place of the compiler.
    private func recordAll(_ make: MakeCommand, in recording: FilePath, side: String, environment: [String: String]) async throws {
        let log = log("prepare-\(side)")
        var environment = environment
        environment[RecordingFolder.variable] = recording.string
        let succeeded = try await make.run(["-k", "-j\(request.jobs)"], log: log, adding: environment)
        // The last link must fail, because the objects are empty. The object that contains all others is made just before it, and make
        // only makes that object if everything before it was made.
        let xen = make.top.appending("xen")
        let folders = (try? WorkFiles.names(in: xen.appending("arch"))) ?? []
        let prelinked = BuildSystemQuirks.prelinkObjects(folders: folders, architecture: request.architecture)
            .contains { WorkFiles.isReadableFile(xen.appending($0)) }
        guard succeeded || prelinked else {
            throw BuildError.fromLog(
                "the \(side) tree does not build", log: log, help: side == "original" ? "try `make -C xen` in it" : nil)
        }
    }

    /// Lets make do what comes before the objects, and say how it would make those.
    private func recordDryRun(_ make: MakeCommand, in recording: FilePath, side: String, environment: [String: String]) async throws {
        let copy = try await copyForDryRun(make, side: side, environment: environment)
        async let early = dryRunMeanwhile(in: copy, of: make, side: side, environment: environment)
        // Make ends with an error, because there is nothing to link. If headers are missing, compiling the objects shows it.
        _ = try await make.run(
            ["-j\(request.jobs)"] + BuildSystemQuirks.withoutObjects, log: log("headers-\(side)"),
            adding: environment.merging([RecordingFolder.variable: recording.string]) { $1 })
        // A dry run does not list objects that make has made already.
        guard try BuildSystemQuirks.madeObjects(in: make.top).isEmpty else { throw MoreIsNeeded("make made objects too early") }
        var dryRun = try await early
        do {
            // Makefiles up to 4.14 can't list the commands before the headers exist.
            if dryRun == nil {
                dryRun = try await make.dryRun(log: log("dry-run-\(side)"), output: recording.appending("dry-run"), adding: environment)
            }
        } catch let error as DryRun.NotUnderstood {
            throw MoreIsNeeded("make says: \(error.line)")
        }
        for path in [recording.appending("dry-run"), copy].compactMap(\.self) { try WorkFiles.remove(path) }
        guard let run = dryRun, !run.objects.isEmpty else { throw MoreIsNeeded("make names no object") }
        for (name, commands) in [(RecordingFolder.objects, run.objects), (RecordingFolder.others, run.others)] {
            for (number, command) in commands.enumerated() {
                let record = RecordedCommand(folder: command.folder, words: toolchain.compiler + command.words)
                // Names sort in the order of the commands. If one object has two commands, the last one counts.
                try WorkFiles.write(record.bytes, to: recording.appending(name).appending("dry-run-\(1_000_000 + number)"))
            }
        }
    }

    /// Makes an empty object for the target. The recorder copies it to the output of each recorded command.
    private func compileStandIn(_ path: FilePath, log: FilePath) async throws {
        let words = toolchain.compiler + ["-c", "-x", "assembler", "/dev/null", "-o", path.string]
        guard try await runner.run(words, in: path.removingLastComponent(), log: log) else {
            throw BuildError.fromLog("the compiler can't compile an empty file", log: log)
        }
        let made = try ELFFile.read(path).header.machine
        if let machine = request.machine, made != machine {
            throw BuildError(
                "'\(toolchain.compiler.joined(separator: " "))' is not a compiler for \(request.architecture): it makes objects of ELF machine \(made), not \(machine)",
                help: request.environment["CC"] == nil
                    ? "give the prefix of the right tools with --cross-compile"
                    : "the build uses CC as it is, whatever the target: unset it, or set it to the right compiler")
        }
    }

    private func load(key: String, folder: FilePath, depth: PreparedTree.Depth = .everything) throws -> PreparedTree {
        let top = folder.appending("tree"), recording = folder.appending("recording")
        var objects: [String: ObjectCommand] = [:]
        let commands = recording.appending(RecordingFolder.objects)
        for name in try WorkFiles.names(in: commands) {
            if let object = ObjectCommand(try RecordedCommand.read(commands, name), top: top) { objects[object.name] = object }
        }
        guard !objects.isEmpty else { throw BuildError("\(request.tree.top): make compiles no object of a hypervisor") }
        let configuration = try KernelConfiguration(contentsOf: top.appending("xen/.config"))
        return PreparedTree(
            key: key, top: top, configuration: configuration, objects: objects,
            others: try OtherCommand.all(in: recording.appending(RecordingFolder.others), top: top), depth: depth)
    }

    private func log(_ name: String) -> FilePath { request.logs.appending("\(name).log") }
}

/// Converts paths from compilers to paths relative to `xen/` with symbolic links resolved. Each path is looked up once.
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
