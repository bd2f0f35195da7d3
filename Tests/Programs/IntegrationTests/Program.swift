import Subprocess
import SystemPackage
import TestTools
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The program as a user starts it: a process of its own, in an environment of our making.
enum Program {
    /// How a run ended, and what it said.
    struct Ending: Sendable {
        /// The exit code; 128 and the signal's number for a process that a signal ended.
        var code: Int
        var output: String
        var error: String

        /// The lines that tell errors: one a run, as each ends with the first.
        var errorLines: [String] {
            error.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error:") }
        }
    }

    /// What `make test` built, or else what was built with the tests.
    static let path: FilePath = {
        if let given = getenv("XSPLICE_BUILD").map({ String(cString: $0) }), !given.isEmpty { return FilePath(given) }
        let tests = WorkFiles.resolved("/proc/self/exe" as FilePath) ?? "/"
        return tests.removingLastComponent().appending("xsplice-build")
    }()

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - environment: beside PATH and HOME, or instead of them.
    ///   - meanwhile: gets the process; may send it signals.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], in folder: FilePath? = nil,
        meanwhile: @Sendable (Process) async throws -> Void = { _ in }
    ) async throws -> Ending {
        try #require(WorkFiles.isReadableFile(path), "\(path) is missing")
        return try await start(path.string, arguments, environment: environment, in: folder, meanwhile: meanwhile)
    }

    /// Runs a shell script with the arguments `"$@"`, of which the program's path is the first.
    static func run(
        script: String, _ arguments: [String], environment: [String: String], in folder: FilePath
    ) async throws -> Ending {
        try await start("sh", ["-c", script, "sh", path.string] + arguments, environment: environment, in: folder)
    }

    /// Runs it as the last command of a shell script, in which it is `"$@"`, with file systems of its own that are gone at
    /// the script's end. Needs no more than the right to make a user namespace.
    static func run(
        inOwnNamespace script: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Ending {
        let namespace = getuid() == 0 ? ["-m"] : ["-r", "-m"]
        let probe = try await start("unshare", namespace + ["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        try #require(
            probe.code == 0,
            "this test mounts a file system in a namespace: run as root, or allow user namespaces (\(probe.error))")
        return try await start(
            "unshare", namespace + ["sh", "-c", script, "sh", path.string] + arguments, environment: environment)
    }

    /// A process that runs.
    struct Process: Sendable {
        var identifier: pid_t
        func send(_ signal: CInt) { kill(identifier, signal) }
        /// False once it has ended, reaped or not.
        var isRunning: Bool {
            guard let bytes = try? WorkFiles.read(FilePath("/proc/\(identifier)/stat")) else { return false }
            // The state comes after the name, which stands in brackets and may hold anything.
            let rest = String(decoding: bytes, as: UTF8.self).split(separator: ")").last ?? ""
            return !rest.hasPrefix(" Z") && !rest.hasPrefix(" X")
        }
    }

    private static func start(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: FilePath? = nil,
        meanwhile: @Sendable (Process) async throws -> Void = { _ in }
    ) async throws -> Ending {
        var all: [Environment.Key: String] = [:]
        let home = try await Bench.shared().folder.appending("home")
        let path = try #require(getenv("PATH").map { String(cString: $0) })
        for (name, value) in ["PATH": path, "HOME": home.string].merging(environment, uniquingKeysWith: { $1 }) {
            all[try #require(Environment.Key(rawValue: name))] = value
        }
        await turns.take()
        do {
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                environment: .custom(all), workingDirectory: folder ?? home, input: .none,
                output: .string(limit: 1 << 24), error: .string(limit: 1 << 24)
            ) { execution in
                try await meanwhile(Process(identifier: execution.processIdentifier.value))
            }
            await turns.give()
            return Ending(code: exitCode(result.terminationStatus), output: result.standardOutput, error: result.standardError)
        } catch {
            await turns.give()
            throw error
        }
    }

    /// All tests start at once; processors are few.
    private static let turns = Turns(count: 2)
}
