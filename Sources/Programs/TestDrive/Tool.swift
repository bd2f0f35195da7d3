import Diagnostics
import Subprocess
import SystemPackage
import WorkFiles

/// Runs the machine's own programs (`apt-get`, `dpkg-deb`, `make`, …), each with a time limit, none with a terminal.
package struct Tool: Sendable {
    /// The program's name, to find by `PATH`, or its path.
    package var name: String
    /// Variables to set for the program on top of this process's environment; nil unsets one.
    package var environment: [Environment.Key: String?]
    package var timeLimit: Duration

    package init(name: String, environment: [Environment.Key: String?] = [:], timeLimit: Duration = .seconds(600)) {
        (self.name, self.environment, self.timeLimit) = (name, environment, timeLimit)
    }

    /// Runs the program, and returns what it printed on standard output.
    ///
    /// Throws `StepError` when the program is missing, ends with a status other than 0 or exceeds the time limit. The error
    /// includes the most telling line of standard error: the last one that looks like an error, else the last one.
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

    /// Runs the program, and appends all its output to the file `log`.
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
        // The program's messages must not be translated, because callers look for words in them.
        .inherit.updating(environment.merging(["LC_ALL": "C"]) { given, _ in given })
    }

    private var gentleEnd: PlatformOptions {
        var options = PlatformOptions()
        // On SIGTERM, `make` ends its children as well, so give it some time before SIGKILL.
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(3))]
        return options
    }

    private func limited<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        do {
            return try await withTimeLimit(timeLimit, body) {
                StepError("\(name) took longer than \(timeLimit.components.seconds) s and was ended")
            }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw StepError("\(name) is not on this machine", help: "install the package that has it")
        } catch let error as SubprocessError {
            throw StepError("\(name): \(error.description)")
        }
    }

    private func failure(
        _ arguments: [String], _ status: TerminationStatus, lastWords: String, log: FilePath? = nil
    ) -> StepError {
        let lines = lastWords.split(whereSeparator: \.isNewline).map(String.init)
        let telling = lines.last { $0.hasPrefix("E: ") || $0.contains("rror: ") || $0.contains("***") } ?? lines.last
        // Leave out apt's options: they are long and always the same. The other words show what was asked.
        let words = arguments.filter { !$0.hasPrefix("-") && !$0.contains("::") }.prefix(4).joined(separator: " ")
        return StepError(
            "\(name) \(words) failed (\(status)): \(telling ?? "it said nothing")",
            help: log.map { "the whole log: \($0)" })
    }
}

/// Runs `body`. If it takes longer than `limit`, cancels it and throws the error `late`.
func withTimeLimit<R: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> R, late: @escaping @Sendable () -> StepError
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
