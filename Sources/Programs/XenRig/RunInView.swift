import Subprocess
import SystemPackage
import TestDrive

/// Runs a program whose output goes to this program's standard output and standard error.
///
/// - Parameter failure: the beginning of the error's text; the way that the program ended follows. Default: the command line and "failed".
/// - Throws: `StepError` when the program does not end with 0.
package func runInView(_ program: Executable, _ arguments: [String], environment: Environment = .inherit, failure: String? = nil) async throws {
    let status = try await Subprocess.run(
        program, arguments: Arguments(arguments), environment: environment, input: .none, output: .currentStandardOutput, error: .currentStandardError
    ).terminationStatus
    guard status.isSuccess else {
        throw StepError("\(failure ?? "\(program) \(arguments.joined(separator: " ")) failed") (\(status))")
    }
}
