import Subprocess
import SystemPackage

/// Runs a program that prints where this one does.
///
/// - Parameter failure: what is said when it does not end with 0, before the way that it ended. Default: its command line.
/// - Throws: `RigError` then.
package func runInView(_ program: Executable, _ arguments: [String], environment: Environment = .inherit, failure: String? = nil) async throws {
    let status = try await Subprocess.run(
        program, arguments: Arguments(arguments), environment: environment, input: .none, output: .currentStandardOutput, error: .currentStandardError
    ).terminationStatus
    guard status.isSuccess else {
        throw RigError("\(failure ?? "\(program) \(arguments.joined(separator: " ")) failed") (\(status))")
    }
}
