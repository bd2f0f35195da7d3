import SystemPackage
import WorkFiles

/// Compiles single objects by replaying the tree's own commands.
struct ObjectCompiler: Sendable {
    let runner: CommandRunner
    let launcher: [String]
    let store: ObjectStore
    /// For objects on their way into the store.
    let work: FilePath
    let logs: FilePath

    struct Result: Sendable {
        var entry: ObjectStore.Entry
        var wasCached: Bool
    }

    /// The files that the compiler would read, relative to `xen/`, links resolved: without compiling, and without a launcher, which
    /// would have to send the sources to do so.
    func files(readFor command: ObjectCommand, top: FilePath, side: String) async throws -> Set<String> {
        let folder = work.appending(side), rule = folder.appending("\(ContentKey.of([command.name])).list")
        try WorkFiles.makeFolder(folder)
        let log = logs.appending(side).appending(command.name + ".list.log")
        guard try await runner.run(command.listing(in: top, dependencies: rule), in: command.folder(in: top), log: log) else {
            throw BuildError.fromLog("\(command.source) (\(side)) does not compile", log: log)
        }
        return try read(rule, command, top: top)
    }

    private func read(_ rule: FilePath, _ command: ObjectCommand, top: FilePath) throws -> Set<String> {
        var paths = ResolvedPaths(xen: top.appending("xen"))
        let names = dependencies(inRule: try WorkFiles.read(rule))
        try WorkFiles.remove(rule)
        return Set(names.compactMap { paths.relative($0, from: command.folder(in: top).string) })
    }

    /// - Parameters:
    ///   - tree: the key of the tree's content, and where it is.
    ///   - side: `original` or `patched`, for the log and for messages.
    /// - Throws: `BuildError` (exit 5) with the compiler's own first error.
    func compile(_ command: ObjectCommand, treeKey: String, top: FilePath, side: String) async throws -> Result {
        let extra = ObjectCommand.differFlags(top: top)
        let key = ContentKey.of([Cache.schema, treeKey, command.name, command.folder] + command.words + extra.dropLast())
        if let entry = store.find(key) { return Result(entry: entry, wasCached: true) }
        let folder = work.appending(side)
        try WorkFiles.makeFolder(folder)
        let output = folder.appending("\(key).o"), rule = folder.appending("\(key).d")
        let log = logs.appending(side).appending(command.name + ".log")
        let words = command.replay(in: top, output: output, dependencies: rule, extra: extra)
        guard try await runner.run(launcher + words, in: command.folder(in: top), log: log) else {
            throw BuildError.fromLog("\(command.source) (\(side)) does not compile", log: log)
        }
        return Result(entry: try store.store(key, object: output, dependencies: try read(rule, command, top: top)), wasCached: false)
    }
}
