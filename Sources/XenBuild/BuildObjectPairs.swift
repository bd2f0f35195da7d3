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
    if preparation.patchMayDoWithHeaders {
        do {
            return try await preparation.objectPairs(at: .headers)
        } catch is MoreIsNeeded {}
    }
    return try await preparation.objectPairs(at: .everything)
}

extension TreePreparation {
    /// True when the patch changes nothing but sources that are there already: what is made from other files stays what it was.
    fileprivate var patchMayDoWithHeaders: Bool {
        request.patch.files.allSatisfy { file in
            guard file.path.hasPrefix("xen/") else { return true }
            return file.path.hasSuffix(".c") && !file.isNew && file.change != .remove
        }
    }

    /// - Throws: `MoreIsNeeded` when the tree at that depth does not tell enough, or lacks a file that an object reads.
    fileprivate func objectPairs(at depth: PreparedTree.Depth) async throws -> BuildOutcome {
        let original = try await prepared(depth: depth)
        let area = try cache.makeWorkArea()
        defer { if !request.keepWork { area.remove() } }

        let patched = try await PatchedTree.make(original: original, patch: request.patch, preparation: self, folder: area.folder)
        let affected = try AffectedObjects(original: original, patched: patched)

        let compiler = ObjectCompiler(
            runner: runner, launcher: request.launcher, store: cache.objects, work: area.folder, logs: request.logs)
        let compiled: PairCompiler.Outcome
        do {
            compiled = try await PairCompiler(compiler: compiler, original: original, patched: patched)
                .compile(affected.candidates, jobs: request.jobs, progress: progress)
        } catch let error as BuildError where original.depth != .everything && error.saysThatAFileIsMissing {
            throw MoreIsNeeded(error.message)
        }
        return BuildOutcome(
            pairs: compiled.pairs, objectCount: original.objects.count, compiled: compiled.compiled,
            fromCache: compiled.fromCache, compiler: toolchain.displayName, configuration: original.configuration,
            diagnostics: accountForFiles(request, original: original, patched: patched, readByObjects: compiled.read))
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
