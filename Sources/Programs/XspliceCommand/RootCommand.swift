import ArgumentParser
import Diagnostics
import LivepatchBuild

/// The program: what its first argument may be.
package struct RootCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "xsplice-build",
        abstract: "Turns a Xen source tree and a source patch into a live-patch payload.",
        version: "xsplice-build \(programVersion)",
        subcommands: [BuildCommand.self, BatchCommand.self, DiffCommand.self, InspectCommand.self, CheckCommand.self, TestDriveCommand.self, WhyCommand.self, ExplainCommand.self, CacheCommand.self],
        defaultSubcommand: BuildCommand.self)

    package init() {}
}

/// A parsed command that runs against a console that the caller gives.
protocol ConsoleCommand: ParsableCommand {
    /// - Returns: how it ended, where that is no error.
    func run(on console: Console) async throws -> ExitStatus

    /// The line that is said of an interruption.
    var interruption: String { get }
}

extension ConsoleCommand {
    var interruption: String { "interrupted" }
}

/// The exit codes, as `--help` has them.
enum ExitCodeHelp {
    static let text =
        "EXIT CODES:\n"
        + ExitStatus.allCases.map { status in
            let code = String(status.rawValue)
            return String(repeating: " ", count: 5 - code.count) + "\(code)  \(status.meaning)"
        }.joined(separator: "\n")
}
