import SystemPackage
import WorkFiles

/// Compiles single objects by running the tree's own commands again.
struct ObjectCompiler: Sendable {
    let runner: CommandRunner
    let toolchain: Toolchain
    let launcher: Launcher
    let store: ObjectStore
    /// The folder for objects before they go into the store.
    let work: FilePath
    let logs: FilePath

    struct Result: Sendable {
        var entry: ObjectStore.Entry
        var wasCached: Bool
    }

    /// The preprocessed source, and the files it is made of, relative to `xen/`, links resolved. No launcher is used: a launcher would
    /// have to send the sources.
    ///
    /// - Returns: nil when the compiler fails. Compiling will show whether that is a fault.
    func preprocess(_ command: ObjectCommand, top: FilePath, side: String) async throws -> (text: PreprocessedText, read: Set<String>)? {
        let folder = work.appending(side), name = ContentKey.of([command.name])
        let output = folder.appending("\(name).i"), rule = folder.appending("\(name).list")
        try WorkFiles.makeFolder(folder)
        let words = command.command.preprocessing(in: top, output: output, dependencies: rule)
        let log = logs.appending(side).appending(command.name + ".preprocess.log")
        guard try await runner.run(words, in: command.command.folder(in: top), log: log) else { return nil }
        let text = PreprocessedText(try WorkFiles.read(output), top: top)
        try WorkFiles.remove(output)
        return (text, try read(rule, command, top: top))
    }

    /// An object that was compiled before; nil if there is none.
    func stored(_ command: ObjectCommand, treeKey: String, top: FilePath) -> ObjectStore.Entry? {
        store.find(key(command, treeKey: treeKey, top: top))
    }

    private func key(_ command: ObjectCommand, treeKey: String, top: FilePath) -> String {
        // Leave out the last flag: it contains the path of the tree.
        let flags = ObjectCommand.differFlags(toolchain, top: top).dropLast()
        return ContentKey.of([Cache.schema, treeKey, command.name, command.command.folder] + command.command.words + flags)
    }

    private func read(_ rule: FilePath, _ command: ObjectCommand, top: FilePath) throws -> Set<String> {
        var paths = ResolvedPaths(xen: top.appending("xen"))
        let names = dependencies(inRule: try WorkFiles.read(rule))
        try WorkFiles.remove(rule)
        return Set(names.compactMap { paths.relative($0, from: command.command.folder(in: top).string) })
    }

    /// - Parameters:
    ///   - treeKey: the key of the tree's content.
    ///   - top: the top of the tree.
    ///   - side: `original` or `patched`, for the log and for messages.
    /// - Throws: `BuildError` (exit 5) with the compiler's first error.
    func compile(_ command: ObjectCommand, treeKey: String, top: FilePath, side: String) async throws -> Result {
        let key = key(command, treeKey: treeKey, top: top)
        if let entry = store.find(key) { return Result(entry: entry, wasCached: true) }
        let folder = work.appending(side)
        try WorkFiles.makeFolder(folder)
        let output = folder.appending("\(key).o"), rule = folder.appending("\(key).d")
        let log = logs.appending(side).appending(command.name + ".log")
        let words = command.command.replay(in: top, output: output, dependencies: rule, extra: ObjectCommand.differFlags(toolchain, top: top))
        guard try await runner.run(launcher.words + words, in: command.command.folder(in: top), log: log, adding: launcher.variables(for: top)) else {
            throw BuildError.fromLog("\(command.source) (\(side)) does not compile", log: log)
        }
        return Result(entry: try store.store(key, object: output, dependencies: try read(rule, command, top: top)), wasCached: false)
    }
}
