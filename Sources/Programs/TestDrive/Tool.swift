import Diagnostics
import Subprocess
import SystemPackage
import WorkFiles

/// Runs the machine's own programs (`apt-get`, `dpkg-deb`, `make`, …), each with a time limit, none with a terminal.
package struct Tool: Sendable {
    /// As `PATH` has it, or a path.
    package var name: String
    /// Set (or, with nil, unset) for the program, on top of this process's environment.
    package var environment: [Environment.Key: String?]
    package var timeLimit: Duration

    package init(name: String, environment: [Environment.Key: String?] = [:], timeLimit: Duration = .seconds(600)) {
        (self.name, self.environment, self.timeLimit) = (name, environment, timeLimit)
    }

    /// What the program printed on standard output.
    ///
    /// Throws `TestDriveError` when it is missing, ends with another status than 0 or exceeds the time limit; the error
    /// has the last line that it printed on standard error.
    @discardableResult
    package func output(_ arguments: [String], in folder: FilePath? = nil) async throws -> String {
        let (status, output, errors) = try await limited {
            let result = try await Subprocess.run(
                executable, arguments: .init(arguments), environment: effectiveEnvironment, workingDirectory: folder,
                platformOptions: gentleEnd, input: .none, output: .string(limit: 64 << 20),
                error: .string(limit: 4 << 20))
            return (result.terminationStatus, result.standardOutput, result.standardError)
        }
        guard status.isSuccess else { throw failure(arguments, status, lastWords: errors) }
        return output
    }

    /// Runs the program with all that it prints appended to the file `log`.
    ///
    /// Throws as `output` does; the error names the log.
    package func run(_ arguments: [String], in folder: FilePath? = nil, log: FilePath) async throws {
        let status = try await limited {
            let file = try FileDescriptor.open(
                log, .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            return try await Subprocess.run(
                executable, arguments: .init(arguments), environment: effectiveEnvironment, workingDirectory: folder,
                platformOptions: gentleEnd, input: .none,
                output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .combinedWithOutput
            ).terminationStatus
        }
        guard status.isSuccess else {
            let text = (try? WorkFiles.readText(log)) ?? ""
            throw failure(arguments, status, lastWords: text, log: log)
        }
    }

    private var executable: Executable { name.contains("/") ? .path(FilePath(name)) : .name(name) }

    private var effectiveEnvironment: Environment {
        // Messages that are looked at must not be translated.
        .inherit.updating(environment.merging(["LC_ALL": "C"]) { given, _ in given })
    }

    private var gentleEnd: PlatformOptions {
        var options = PlatformOptions()
        // `make` takes its children along when it gets the chance.
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(3))]
        return options
    }

    private func limited<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        do {
            return try await withTimeLimit(timeLimit, body) {
                TestDriveError("\(name) took longer than \(timeLimit.components.seconds) s and was ended")
            }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw TestDriveError("\(name) is not on this machine", help: "install the package that has it")
        } catch let error as SubprocessError {
            throw TestDriveError("\(name): \(error.description)")
        }
    }

    private func failure(
        _ arguments: [String], _ status: TerminationStatus, lastWords: String, log: FilePath? = nil
    ) -> TestDriveError {
        let lines = lastWords.split(whereSeparator: \.isNewline).map(String.init)
        let telling = lines.last { $0.hasPrefix("E: ") || $0.contains("rror: ") || $0.contains("***") } ?? lines.last
        // Options of apt are long and the same each time; the words say what was asked.
        let words = arguments.filter { !$0.hasPrefix("-") && !$0.contains("::") }.prefix(4).joined(separator: " ")
        return TestDriveError(
            "\(name) \(words) failed (\(status)): \(telling ?? "it said nothing")",
            help: log.map { "the whole log: \($0)" })
    }
}

/// Runs `body`; when it takes longer than `limit` it is cancelled and the error `late` is thrown.
func withTimeLimit<R: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> R, late: @escaping @Sendable () -> TestDriveError
) async throws -> R {
    try await withThrowingTaskGroup(of: R.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw late()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw late() }
        return first
    }
}
