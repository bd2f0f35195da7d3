import Diagnostics
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// Compiles every object that the patch can affect, from the original and from the patched source.
///
/// The user's tree is only read: all work happens in the cache folder.
/// - Parameter progress: called often, and from any task, so that the caller can show progress.
/// - Throws: `BuildError`, `XenSourceError` or `WorkFileError`, which all explain themselves; `CancellationError` when the task was
///   cancelled, after its processes have ended and the run's own files are removed.
package func buildObjectPairs(
    _ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void
) async throws -> BuildOutcome {
    do {
        return try await compileObjectPairs(request, progress: progress)
    } catch let error as BuildError where error.exitCode == .buildFailed && request.patch.hasLineDirectives {
        // The directives give added lines the number of a neighbour, and names that macros make of numbers may collide.
        var plain = request
        plain.patch = request.patch.withoutLineDirectives
        var outcome = try await compileObjectPairs(plain, progress: progress)
        outcome.shiftsLines = true
        outcome.diagnostics.append(
            Diagnostic(
                .lineNumbersShifted, .note,
                message: "the patched source compiles only with the line numbers that the patch gives it: functions below the change that contain their line "
                    + "number count as changed"))
        return outcome
    }
}

private func compileObjectPairs(
    _ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void
) async throws -> BuildOutcome {
    let preparation = try await TreePreparation(request, progress: progress)
    var reason = try preparation.whyHeadersAreNotEnough
    if reason == nil {
        do {
            return try await preparation.objectPairs(at: .headers, because: nil)
        } catch let more as MoreIsNeeded { reason = more.reason }
    }
    return try await preparation.objectPairs(at: .everything, because: reason)
}

extension TreePreparation {
    /// Up to this many sources may read the patch's files if the headers alone are prepared. Among more sources there is likely one that
    /// reads files which a folder makes for its own objects.
    private static var fewSources: Int { 60 }

    /// Why the patch needs more than a tree with its headers alone; nil if the headers are enough. They are if the patch changes only
    /// existing sources and headers, and few sources read those: most generated files then stay the same.
    fileprivate var whyHeadersAreNotEnough: String? {
        get throws {
            let files = request.patch.files.filter { $0.path.hasPrefix("xen/") }
            for file in files {
                if file.isNew { return "the patch adds \(file.path)" }
                if file.change == .remove { return "the patch removes \(file.path)" }
                if !file.path.hasSuffix(".c"), !file.path.hasSuffix(".h") { return "the patch changes \(file.path), which is neither a C source nor a header" }
            }
            guard files.contains(where: { $0.path.hasSuffix(".h") }) else { return nil }
            let reach = try IncludeGraph(xen: request.tree.hypervisor).reaching(Set(files.map { String($0.path.dropFirst(4)) }))
            let sources = reach.paths.count { $0.hasSuffix(".c") }
            return sources <= Self.fewSources ? nil : "\(sources) sources may include what the patch changes"
        }
    }

    /// - Parameter reason: why the tree is prepared to that depth.
    /// - Throws: `MoreIsNeeded` when the tree at that depth does not say enough, or lacks a file that an object reads.
    fileprivate func objectPairs(at depth: PreparedTree.Depth, because reason: String?) async throws -> BuildOutcome {
        let original = try await prepared(depth: depth)
        let area = try cache.makeWorkArea()
        defer { area.remove() }

        let graph = try IncludeGraph(xen: original.xen)
        let patched = try await PatchedTree.make(
            original: original, patch: request.patch, graph: graph, preparation: self, folder: area.folder)
        // Copy the trees before anything is compiled: a user needs them most when compiling fails.
        let kept = request.keepWork.map { KeptWork(folder: $0) }
        try kept?.keep(original: original.top, patched: patched.top)
        let affected = try AffectedObjects(original: original, patched: patched, graph: graph)

        let compiler = ObjectCompiler(
            runner: runner, toolchain: toolchain, launcher: try Launcher(request, tops: [original.top, patched.top], folder: area.folder), store: cache.objects,
            naming: LocalNaming(architecture: request.processor), paths: PathNaming(request, toolchain), work: area.folder, logs: request.logs)
        let compiled: PairCompiler.Outcome
        do {
            compiled = try await PairCompiler(compiler: compiler, original: original, patched: patched, sparing: request.sparing)
                .compile(affected.candidates, jobs: request.jobs, progress: progress)
        } catch let error as BuildError where original.depth != .everything && error.saysThatAFileIsMissing {
            throw MoreIsNeeded(error.message)
        }
        guard depth == .everything || patched.changed.subtracting(compiled.read).allSatisfy({ isAccounted($0, in: original) }) else {
            throw MoreIsNeeded("no object that make names reads all of the patch's files")
        }
        try kept?.keep(compiled.pairs)
        let accounts = FileAccounting(request, original: original, patched: patched, readers: compiled.readers)
        let isWhole = original.depth == .everything
        let depthReason = reason ?? (isWhole && depth != .everything ? "it is prepared already" : nil)
        return BuildOutcome(
            pairs: compiled.pairs, objectCount: original.objects.count, compiled: compiled.compiled,
            fromCache: compiled.fromCache, compiler: toolchain.displayName, configuration: original.configuration, configurationOrigin: configuration.origin,
            diagnostics: accounts.diagnostics, decisions: compiled.decisions, uses: accounts.uses,
            preparation: PreparationDecision(isWhole: isWhole, reason: depthReason, facts: factsInUse))
    }

    /// Whether there is a known reason why a file of the patch is in no compiled object.
    private func isAccounted(_ path: String, in original: PreparedTree) -> Bool {
        BuildSystemQuirks.reasonNotBuilt(path, architecture: request.architecture) != nil
            || original.others.contains { $0.isComplete && $0.reads.contains(path) }
    }

    /// Finds the tools, chooses the configuration and reads the user's tree.
    init(_ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void) async throws {
        let configuration = try ConfigurationChoice(request)
        let cache = try Cache(request.cache)
        let runner = CommandRunner(caller: request.environment)
        try WorkFiles.makeFolder(request.logs)
        let toolchain = try await Toolchain.find(request, runner: runner)
        if let launcher = request.launcher.first, runner.locate(launcher) == nil {
            throw BuildError("no compiler launcher: '\(launcher)' is not in PATH", help: "install it, or leave out --compiler-launcher", exitCode: .usage)
        }
        progress(BuildProgress(.copying))
        self.init(
            request: request, cache: cache, toolchain: toolchain, runner: runner, snapshot: try TreeSnapshot(request.tree),
            configuration: configuration, progress: progress)
    }
}
