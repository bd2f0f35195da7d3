import Diagnostics
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// Compiles, from the original and from the patched source, every object that the patch can affect.
///
/// The user's tree is read and nothing else: all work happens below the cache folder.
/// - Parameter progress: called from any task, and often; the caller shows it.
/// - Throws: `BuildError`, `XenSourceError` or `WorkFileError`, all explained; `CancellationError` when the task was
///   cancelled, after the processes were ended and the run's own files removed.
public func buildObjectPairs(
    _ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void
) async throws -> BuildOutcome {
    let preparation = try await TreePreparation(request, progress: progress)
    let original = try await preparation.prepared()
    let area = try preparation.cache.makeWorkArea()
    defer { if !request.keepWork { area.remove() } }

    let patched = try await PatchedTree.make(
        original: original, patch: request.patch, preparation: preparation, folder: area.folder)
    let affected = try AffectedObjects(original: original, patched: patched)

    let compiler = ObjectCompiler(
        runner: preparation.runner, store: ObjectStore(root: preparation.cache.root.appending("objects")),
        work: area.folder, logs: request.logs)
    let compiled = try await PairCompiler(compiler: compiler, original: original, patched: patched)
        .compile(affected.candidates, jobs: request.jobs, progress: progress)

    return BuildOutcome(
        pairs: compiled.pairs, objectCount: original.objects.count, compiled: compiled.compiled,
        fromCache: compiled.fromCache, compiler: preparation.toolchain.displayName, configuration: original.configuration,
        diagnostics: accountForFiles(request, original: original, patched: patched, readByObjects: compiled.read))
}

extension TreePreparation {
    /// Finds the tools, chooses the configuration and reads the user's tree.
    init(_ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void) async throws {
        let configuration = try ConfigurationChoice(request)
        let cache = try Cache(request.cache)
        let runner = CommandRunner(caller: request.environment)
        try WorkFiles.makeFolder(request.logs)
        let toolchain = try await Toolchain.find(request, runner: runner)
        progress(BuildProgress(.copying))
        self.init(
            request: request, cache: cache, toolchain: toolchain, runner: runner, snapshot: try TreeSnapshot(request.tree),
            configuration: configuration, progress: progress)
    }
}
