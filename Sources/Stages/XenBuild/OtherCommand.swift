import CompilerRecorder
import SystemPackage
import WorkFiles

/// What the compiler does beside the hypervisor's objects: text that headers are generated from, linker scripts, boot code.
struct OtherCommand: Sendable {
    var command: TreeCommand
    /// Relative to `xen/`, links resolved: its inputs, and when `isComplete` all that it read.
    var reads: Set<String>
    /// False for a command that failed, as a probe may, and for one that make only said it would run.
    var isComplete: Bool

    /// Whether it reads one of these files, or may.
    ///
    /// - Parameter reach: of the changed files through includes, for commands of which nobody knows what they read.
    func isConcerned(by changed: Set<String>, _ reach: IncludeGraph.Reach) -> Bool {
        !reads.isDisjoint(with: isComplete ? changed : reach.paths)
    }

    /// Reads what was noted in a recording's folder.
    ///
    /// - Parameter top: the private tree that the commands ran in.
    static func all(in folder: FilePath, top: FilePath) throws -> [OtherCommand] {
        var result: [TreeCommand: OtherCommand] = [:]
        var paths = ResolvedPaths(xen: top.appending("xen"))
        for name in try WorkFiles.names(in: folder) where !name.hasSuffix(".d") {
            let record = try RecordedCommand.read(folder, name)
            let rule = try? WorkFiles.read(folder, name + ".d")
            let read = CompilerArguments(record.words).inputs + (rule.map(dependencies(inRule:)) ?? [])
            let one = OtherCommand(
                command: TreeCommand(record, top: top), reads: Set(read.compactMap { paths.relative($0, from: record.folder) }), isComplete: rule != nil)
            // What make said that it would do, and did.
            if result[one.command]?.isComplete != true { result[one.command] = one }
        }
        return Array(result.values)
    }

    /// Whether the command makes the same of two trees, byte for byte. Debug information, which tells lines, is left out.
    ///
    /// - Parameter folder: for what it makes; emptied afterwards.
    /// - Returns: false as well when it fails, or can't be given again: then only make can tell.
    func makesTheSame(in trees: [FilePath], runner: CommandRunner, folder: FilePath, log: FilePath) async throws -> Bool {
        let arguments = CompilerArguments(command.words)
        // What comes through a pipe is gone.
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
    /// One of a recording's folder.
    ///
    /// - Throws: `BuildError` for a damaged one; `WorkFileError`.
    static func read(_ folder: FilePath, _ name: String) throws -> RecordedCommand {
        guard let record = RecordedCommand(bytes: try WorkFiles.read(folder, name)) else {
            throw BuildError("\(folder.appending(name)) is damaged", exitCode: .internalFault)
        }
        return record
    }
}
