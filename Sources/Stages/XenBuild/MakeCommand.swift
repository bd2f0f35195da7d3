import CompilerRecorder
import SourcePatch
import SystemPackage
import WorkFiles

/// The tree's own make, in a private tree.
struct MakeCommand: Sendable {
    let request: BuildRequest
    let toolchain: Toolchain
    let runner: CommandRunner
    /// The private tree.
    let top: FilePath
    /// A private folder for the scripts that start the recorder or the interpreter.
    let tools: FilePath

    private var recorder: FilePath { tools.appending("cc") }

    /// Makefiles split `CC` at white space, and up to 4.7 pass it on without quotes (`HOSTCC=$(HOSTCC)`). So one script stands for the
    /// recorder and the compiler after it: a single word.
    func installRecorder() throws { try install(request.recorder + toolchain.compiler, at: recorder) }

    /// A script that makefiles can call with one word, for an interpreter with its options.
    /// - Returns: that word.
    func installInterpreter(_ words: [String]) throws -> String {
        let path = tools.appending("python")
        try install(words, at: path)
        return path.string
    }

    /// Installs a script in the recorder's place that runs the compiler, and notes its command lines and the files that it reads. It is
    /// for makes that compile no object.
    func installCompiler() throws {
        let words = shellWords(toolchain.compiler)
        // A command that asks for its dependencies writes them where it wants them, and makefiles may remove that file, so the script
        // copies it at once. Other commands write them where the variable says.
        try install(
            toolchain.compiler, at: recorder,
            before: """
                test "$\(RecordingFolder.variable)" || exec \(words) "$@"
                note="$\(RecordingFolder.variable)/\(RecordingFolder.others)/$$"
                printf '%s\\0' "$PWD" \(words) "$@" > "$note" || exit
                rule= previous=
                for word; do
                    case $word in -Wp,-MD,* | -Wp,-MMD,*) rule=${word##*,};; esac
                    case $previous in -MF) rule=$word;; esac
                    previous=$word
                done
                if test "$rule"; then
                    \(words) "$@" || exit
                    exec cp -- "$rule" "$note.d"
                fi
                export DEPENDENCIES_OUTPUT="$note.d"

                """)
    }

    private func install(_ words: [String], at path: FilePath, before: String = "") throws {
        try WorkFiles.write(Array("#!/bin/sh\n\(before)exec \(shellWords(words)) \"$@\"\n".utf8), to: path, executable: true)
    }

    /// The commands that make says it would run.
    ///
    /// Make may well end with an error, because files are missing that a real run would have made.
    func dryRun(log: FilePath, output: FilePath, adding variables: [String: String]) async throws -> DryRun {
        _ = try await run(["-n", "-k", "-w"], compiler: [recorder.string], log: log, output: output, adding: variables)
        return try DryRun(
            output: try WorkFiles.read(output), errors: String(decoding: try WorkFiles.read(log), as: UTF8.self), compiler: recorder.string,
            folder: top.string)
    }

    /// - Returns: true when make exits with 0.
    func run(_ targets: [String], log: FilePath, adding variables: [String: String] = [:]) async throws -> Bool {
        try await run(targets + BuildSystemQuirks.withoutHeaderChecks, compiler: [recorder.string], log: log, adding: variables)
    }

    /// The same with the compiler itself, with more flags, instead of the recorder.
    func runForReal(_ targets: [String], compilerFlags: [String] = [], log: FilePath, adding variables: [String: String] = [:]) async throws -> Bool {
        try await run(targets, compiler: toolchain.compiler + compilerFlags, log: log, adding: variables)
    }

    func distclean(log: FilePath) async throws {
        guard try await run(["distclean"], log: log) else {
            throw BuildError.fromLog("the copy of \(request.tree.top), which was built in place, can't be cleaned", log: log)
        }
    }

    private func run(
        _ targets: [String], compiler: [String], log: FilePath, output: FilePath? = nil, adding variables: [String: String]
    ) async throws -> Bool {
        let words =
            ["make", "-C", "xen"] + targets
            + ["XEN_TARGET_ARCH=\(request.architecture)", "CC=\(compiler.joined(separator: " "))"]
            + (request.crossPrefix.isEmpty ? [] : ["CROSS_COMPILE=\(request.crossPrefix)"]) + request.makeVariables
        return try await runner.run(words, in: top, log: log, output: output, adding: variables)
    }
}

extension AppliedPatch {
    /// Writes the patched files into a private tree. It replaces each file and never writes through it, because the file may be a hard
    /// link.
    func write(into top: FilePath) throws {
        for file in files {
            let path = top.appending(file.path)
            switch file.change {
            case .write(let content, let executable):
                try WorkFiles.makeFolder(path.removingLastComponent())
                try WorkFiles.remove(path)
                try WorkFiles.write(content, to: path, executable: executable)
            case .remove: try WorkFiles.remove(path)
            }
        }
    }
}
