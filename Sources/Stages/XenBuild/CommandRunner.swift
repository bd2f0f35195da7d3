import Subprocess
import SystemPackage
import WorkFiles

/// Runs compilers and make with a fixed environment, so that the same request gives the same objects everywhere.
struct CommandRunner: Sendable {
    let environment: [String: String]

    /// The caller's variables that tools need in order to work. CFLAGS, MAKEFLAGS and similar variables are never passed on.
    private static let passed = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "HOSTCC", "PYTHON", "USER"]
    /// The prefixes of variables for compiler launchers.
    private static let passedPrefixes = ["CCACHE_", "DISTCC_", "ICECC_", "SCCACHE_"]
    /// Variables with those prefixes that name another compiler.
    private static let heldBack: Set = ["CCACHE_COMPILER", "CCACHE_COMPILERTYPE", "CCACHE_PATH"]

    /// - Parameter caller: the caller's environment.
    init(caller: [String: String]) {
        var environment = caller.filter { name, _ in
            Self.passed.contains(name) || Self.passedPrefixes.contains { name.hasPrefix($0) } && !Self.heldBack.contains(name)
        }
        environment["PATH", default: "/usr/local/bin:/usr/bin:/bin"] += ""
        environment["LC_ALL"] = "C"
        // Fixed values for the time, person and machine in compile.h.
        environment["XEN_BUILD_DATE"] = "Thu Jan  1 00:00:00 UTC 1970"
        environment["XEN_BUILD_TIME"] = "00:00:00"
        environment["XEN_BUILD_HOST"] = "xsplice-build"
        environment["XEN_DOMAIN"] = "localdomain"
        environment["XEN_WHOAMI"] = "xsplice-build"
        environment["SOURCE_DATE_EPOCH"] = "0"
        self.environment = environment
    }

    /// Runs a command to its end, and writes its output and errors to one log file.
    ///
    /// - Parameter output: the file for the output alone, without the errors; nil for the log.
    /// - Returns: true when the command exited with 0.
    /// - Throws: `BuildError` when the command can't be started; `CancellationError` after its processes have ended.
    func run(
        _ words: [String], in folder: FilePath, log: FilePath, output: FilePath? = nil, adding variables: [String: String] = [:]
    ) async throws -> Bool {
        guard let program = words.first else { throw BuildError("an empty command") }
        try WorkFiles.makeFolder(log.removingLastComponent())
        try WorkFiles.writeAnew(Array("\(CommandLog.beginning)\(folder) && \(shellWords(words))\n\n".utf8), to: log)
        if let output { try WorkFiles.writeAnew([], to: output) }
        do {
            let status = try await Subprocess.run(
                executable(program), arguments: Arguments(Array(words.dropFirst())), environment: subprocessEnvironment(variables),
                workingDirectory: folder, platformOptions: Self.options,
                input: .fileDescriptor(try open("/dev/null", .readOnly), closeAfterSpawningProcess: true),
                output: .fileDescriptor(try appending(to: output ?? log), closeAfterSpawningProcess: true),
                error: .fileDescriptor(try appending(to: log), closeAfterSpawningProcess: true)
            ).terminationStatus
            try Task.checkCancellation()
            if !status.isSuccess { try checkSpace(folder, log: log) }
            return status.isSuccess
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw startError(program, error)
        }
    }

    private func appending(to path: FilePath) throws -> FileDescriptor { try open(path, .writeOnly) }

    /// Opens every file that a process gets: the library that starts processes traps when it can't open `/dev/null` itself.
    private func open(_ path: FilePath, _ mode: FileDescriptor.AccessMode) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, mode, options: mode == .readOnly ? .closeOnExec : [.append, .noFollow, .closeOnExec])
        } catch {
            throw WorkFileError(mode == .readOnly ? "cannot read" : "cannot write", path, error as? Errno ?? .ioError)
        }
    }

    /// If a tool failed because a device is full, the failure says nothing about the source.
    private func checkSpace(_ folder: FilePath, log: FilePath) throws {
        if WorkFiles.isDeviceFull(of: log) { throw WorkFileError("cannot write", log, .noSpace) }
        // A tool that fails removes what it wrote, so the device has some space again. But the words alone may come from the source.
        let places = [folder, log, FilePath(environment["TMPDIR"] ?? "/tmp"), "/tmp"]
        guard places.contains(where: { WorkFiles.isNearlyFull(deviceOf: $0) }) else { return }
        let output = String(decoding: try WorkFiles.read(log), as: UTF8.self)
        // The tools' own message, which is English because LC_ALL is C.
        guard let line = output.split(whereSeparator: \.isNewline).first(where: { $0.hasSuffix(Errno.noSpace.description) })
        else { return }
        throw BuildError(
            "cannot build in \(folder): \(line)", help: "free some space there, or give another folder with --cache-dir",
            exitCode: .internalFault)
    }

    /// The output of a command; nil when the command fails.
    ///
    /// - Parameter limit: in bytes; the command fails if it writes more.
    /// - Throws: `BuildError` when the command can't be started.
    func output(_ words: [String], limit: Int = 1 << 16) async throws -> String? {
        guard let program = words.first else { return nil }
        do {
            let result = try await Subprocess.run(
                executable(program), arguments: Arguments(Array(words.dropFirst())),
                environment: subprocessEnvironment([:]), platformOptions: Self.options,
                input: .fileDescriptor(try open("/dev/null", .readOnly), closeAfterSpawningProcess: true), output: .string(limit: limit),
                error: .fileDescriptor(try open("/dev/null", .writeOnly), closeAfterSpawningProcess: true))
            return result.terminationStatus.isSuccess ? result.standardOutput : nil
        } catch let error as SubprocessError {
            if error.code == .outputLimitExceeded { return nil }
            try Task.checkCancellation()
            throw startError(program, error)
        }
    }

    /// The path of a program that is found through `PATH`, symbolic links resolved; nil if there is none.
    func locate(_ program: String) -> FilePath? {
        if program.contains("/") { return WorkFiles.resolved(FilePath(program)) }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            let path = FilePath(String(folder)).appending(program)
            if WorkFiles.isReadableFile(path) { return WorkFiles.resolved(path) }
        }
        return nil
    }

    /// Make starts processes of its own. They all end when the task is cancelled.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
        ]
        return options
    }

    private func executable(_ program: String) -> Executable {
        program.contains("/") ? .path(FilePath(program)) : .name(program)
    }

    private func subprocessEnvironment(_ variables: [String: String]) -> Environment {
        var all: [Environment.Key: String] = [:]
        for (name, value) in environment.merging(variables, uniquingKeysWith: { $1 }) {
            if let key = Environment.Key(rawValue: name) { all[key] = value }
        }
        return .custom(all)
    }

    private func startError(_ program: String, _ error: SubprocessError) -> BuildError {
        if error.code == .executableNotFound {
            return BuildError("\(program): no such program in PATH", help: "install it, or set CC to the compiler to use")
        }
        return BuildError("\(program) can't be started: \(error.underlyingError?.description ?? error.description)")
    }
}

/// The command in a form that can be typed into a shell.
func shellWords(_ words: [String]) -> String {
    words.map { word in
        let plain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "-_=+./,:@%".utf8.contains(byte)
        }
        return plain && !word.isEmpty ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }.joined(separator: " ")
}
