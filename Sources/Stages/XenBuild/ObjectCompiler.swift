import ELFModel
import SystemPackage
import WorkFiles

/// Compiles single objects by running the tree's own commands again.
struct ObjectCompiler: Sendable {
    let runner: CommandRunner
    let toolchain: Toolchain
    let launcher: Launcher
    let store: ObjectStore
    let naming: LocalNaming
    let paths: PathNaming
    /// The folder for objects before they go into the store.
    let work: FilePath
    let logs: FilePath

    struct Result: Sendable {
        var entry: ObjectStore.Entry
        var wasCached: Bool
    }

    /// What is known of a preprocessed source.
    struct Preprocessed: Sendable {
        var source: ObjectStore.PreprocessedSource
        /// The compiler's output, if it ran now.
        var output: [UInt8]?
    }

    /// Preprocesses a source. No launcher is used: a launcher would have to send the sources.
    ///
    /// - Returns: nil when the compiler fails. Compiling will show whether that is a fault.
    func preprocess(_ command: ObjectCommand, treeKey: String, top: FilePath, side: String) async throws -> Preprocessed? {
        let key = key(command, treeKey: treeKey, top: top), folder = work.appending(side)
        let output = folder.appending("\(key).i"), rule = folder.appending("\(key).list")
        try WorkFiles.makeFolder(folder)
        let words = command.command.replay(in: top, making: .preprocessed, output: output, dependencies: rule)
        let log = logs.appending(side).appending(command.name + ".preprocess.log")
        guard try await runner.run(words, in: command.command.folder(in: top), log: log) else { return nil }
        let bytes = try WorkFiles.read(output)
        try WorkFiles.remove(output)
        let source = ObjectStore.PreprocessedSource(text: PreprocessedText(bytes, top: top), read: try read(rule, command, top: top))
        try store.store(key, source: source)
        return Preprocessed(source: source, output: bytes)
    }

    /// What an earlier run found out about the preprocessed source; nil if none did.
    func knownSource(_ command: ObjectCommand, treeKey: String, top: FilePath) -> Preprocessed? {
        store.findSource(key(command, treeKey: treeKey, top: top)).map { Preprocessed(source: $0) }
    }

    /// The verdict of an earlier run on two preprocessed sources: see `ObjectStore.findVerdict`.
    func knownVerdict(_ command: ObjectCommand, treeKey: String, top: FilePath, on texts: (PreprocessedText, PreprocessedText)) -> Bool? {
        store.findVerdict(key(command, treeKey: treeKey, top: top), on: texts)
    }

    func keep(verdict: Bool, _ command: ObjectCommand, treeKey: String, top: FilePath, on texts: (PreprocessedText, PreprocessedText)) throws {
        try store.store(key(command, treeKey: treeKey, top: top), verdict: verdict, on: texts)
    }

    /// An object that was compiled before; nil if there is none.
    func stored(_ command: ObjectCommand, treeKey: String, top: FilePath) -> ObjectStore.Entry? {
        store.find(key(command, treeKey: treeKey, top: top))
    }

    private func key(_ command: ObjectCommand, treeKey: String, top: FilePath) -> String {
        let flags = ObjectCommand.differFlags(toolchain) + paths.identity(command.command)
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
        let step = Step(command: command, key: key, top: top, side: side, folder: folder)
        let object = command.isCompiled ? try await compileAndAssemble(step) : try await run(step, making: .object)
        return Result(entry: try store.store(key, object: object, dependencies: try read(step.rule, command, top: top)), wasCached: false)
    }

    /// One compilation that is not in the store.
    private struct Step {
        let command: ObjectCommand
        let key: String
        let top: FilePath
        let side: String
        let folder: FilePath

        var rule: FilePath { file("d") }
        func file(_ suffix: String) -> FilePath { folder.appending("\(key).\(suffix)") }
    }

    /// Compiles to assembly text, and assembles that: what the compiler itself would do. Where a reference to a local variable could mean
    /// another one as well, it assembles the text again with names for the local variables.
    ///
    /// If the second object is not the same apart from the names, the first one counts, and the comparison has to live with the doubt.
    private func compileAndAssemble(_ step: Step) async throws -> FilePath {
        let text = try await run(step, making: .assembly)
        let plain = try await assemble(text, step, into: "o")
        defer { try? WorkFiles.remove(text) }
        let object = try ELFFile.read(plain, debugSections: false)
        let names = naming.names(in: object)
        guard !names.isEmpty else { return plain }
        let namedText = step.file("named.s")
        defer { try? WorkFiles.remove(namedText) }
        try WorkFiles.write(try WorkFiles.read(text) + Array(NamedLocals.assembly(for: names).utf8), to: namedText)
        let named: FilePath
        do {
            named = try await assemble(namedText, step, into: "named.o")
        } catch is BuildError {
            // The text may have something that can't be done with a global symbol.
            return plain
        }
        guard naming.areSame(object, try ELFFile.read(named, debugSections: false)) else {
            try WorkFiles.remove(named)
            return plain
        }
        try WorkFiles.remove(plain)
        return named
    }

    /// Runs the object's own command.
    private func run(_ step: Step, making product: TreeCommand.Product) async throws -> FilePath {
        let output = step.file(product == .assembly ? "s" : "o")
        let command = step.command.command
        let words = command.replay(
            in: step.top, making: product, output: output, dependencies: step.rule, isRelative: paths.isRelative(command), extra: flags(step))
        try await run(launcher.words + words, step, log: ".log")
        return output
    }

    private func assemble(_ text: FilePath, _ step: Step, into suffix: String) async throws -> FilePath {
        let output = step.file(suffix)
        try await run(step.command.command.assembling(text, in: step.top, output: output, extra: flags(step)), step, log: ".assemble.log")
        return output
    }

    private func flags(_ step: Step) -> [String] { ObjectCommand.differFlags(toolchain) + paths.flags(step.command.command, top: step.top) }

    private func run(_ words: [String], _ step: Step, log suffix: String) async throws {
        let log = logs.appending(step.side).appending(step.command.name + suffix)
        guard try await runner.run(words, in: step.command.command.folder(in: step.top), log: log, adding: launcher.variables(for: step.top)) else {
            throw BuildError.fromLog("\(step.command.source) (\(step.side)) does not compile", log: log)
        }
    }
}
