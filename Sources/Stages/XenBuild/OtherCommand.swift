import CompilerRecorder
import SystemPackage
import WorkFiles

/// A command of the compiler for something other than the hypervisor's objects: text that headers are generated from, linker scripts,
/// boot code.
struct OtherCommand: Sendable {
    var command: TreeCommand
    /// Relative to `xen/`, links resolved: its inputs, and if `isComplete` every other file that it read.
    var reads: Set<String>
    /// False for a command that failed, as a probe may, and for a command that make only said it would run.
    var isComplete: Bool

    /// Whether it reads one of the changed files, or may read one.
    ///
    /// - Parameter reach: the files that reach the changed ones through includes. It is used for commands whose reads are not fully
    ///   known.
    func isConcerned(by changed: Set<String>, _ reach: IncludeGraph.Reach) -> Bool {
        !reads.isDisjoint(with: isComplete ? changed : reach.paths)
    }

    /// Reads the records in a recording's folder.
    ///
    /// - Parameter top: the private tree in which the commands ran.
    static func all(in folder: FilePath, top: FilePath) throws -> [OtherCommand] {
        var result: [TreeCommand: OtherCommand] = [:]
        var paths = ResolvedPaths(xen: top.appending("xen"))
        for name in try WorkFiles.names(in: folder) where !name.hasSuffix(".d") {
            let record = try RecordedCommand.read(folder, name)
            let rule = try? WorkFiles.read(folder, name + ".d")
            let read = CompilerArguments(record.words).inputs + (rule.map(dependencies(inRule:)) ?? [])
            let one = OtherCommand(
                command: TreeCommand(record, top: top), reads: Set(read.compactMap { paths.relative($0, from: record.folder) }), isComplete: rule != nil)
            // If make announced a command and also ran it, the record of the run counts.
            if result[one.command]?.isComplete != true { result[one.command] = one }
        }
        return Array(result.values)
    }

    /// Whether the command makes the same file from both trees, byte for byte. Debug information, which contains line numbers, is left
    /// out.
    ///
    /// - Parameter folder: for the output files, which are removed afterwards.
    /// - Returns: false also if the command fails or can't be repeated. Then only make can tell.
    func makesTheSame(in trees: [FilePath], runner: CommandRunner, folder: FilePath, log: FilePath) async throws -> Bool {
        let arguments = CompilerArguments(command.words)
        // Input from a pipe is no longer there.
        guard !arguments.inputs.isEmpty, arguments.mode != .linked, !command.words.contains("-") else { return false }
        try WorkFiles.makeFolder(folder)
        var made: [[UInt8]] = []
        for top in trees {
            let output = folder.appending("output"), rule = folder.appending("rule")
            let words = command.replay(in: top, output: output, dependencies: rule, extra: ["-g0"])
            guard try await runner.run(words, in: command.folder(in: top), log: log) else { return false }
            made.append(try WorkFiles.read(output))
            for path in [output, rule] { try WorkFiles.remove(path) }
        }
        return made.allSatisfy { $0 == made.first }
    }
}

extension RecordedCommand {
    /// Reads one record of a recording's folder.
    ///
    /// - Throws: `BuildError` for a damaged record; `WorkFileError`.
    static func read(_ folder: FilePath, _ name: String) throws -> RecordedCommand {
        guard let record = RecordedCommand(bytes: try WorkFiles.read(folder, name)) else {
            throw BuildError("\(folder.appending(name)) is damaged", exitCode: .internalFault)
        }
        return record
    }
}
