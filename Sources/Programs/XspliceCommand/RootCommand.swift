import ArgumentParser
import Diagnostics
import LivepatchBuild

/// The program's root command: its subcommands, and the default one.
package struct RootCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "xsplice-build",
        abstract: "Turns a Xen source tree and a source patch into a live-patch payload.",
        version: "xsplice-build \(programVersion)",
        subcommands: [
            BuildCommand.self, BatchCommand.self, DiffCommand.self, InspectCommand.self, CheckCommand.self, TestDriveCommand.self, WhyCommand.self,
            EffectCommand.self,
            ExplainCommand.self, CacheCommand.self,
        ],
        defaultSubcommand: BuildCommand.self)

    package init() {}

    static var commandNames: [String] { configuration.subcommands.map { $0._commandName } + ["help"] }
}

/// A parsed command that runs on a console that the caller provides.
protocol ConsoleCommand: ParsableCommand {
    /// - Returns: how the process ends, when no error is thrown.
    func run(on console: Console) async throws -> ProcessExit

    /// How the process ends after a fault of the program or of the machine.
    var fault: ProcessExit { get }

    /// The line to print after an interruption.
    var interruption: String { get }

    /// Whether the text on standard output is the command's whole result. Then the command fails when that text is lost.
    var isResultText: Bool { get }
}

extension ConsoleCommand {
    var interruption: String { "interrupted" }
    var isResultText: Bool { true }
    var fault: ProcessExit { .internalFault }
}

/// The exit codes, for the text of `--help`.
enum ExitCodeHelp {
    static let text =
        "EXIT CODES:\n"
        + ExitStatus.allCases.map { status in
            let code = String(status.rawValue)
            return String(repeating: " ", count: 5 - code.count) + "\(code)  \(status.meaning)"
        }.joined(separator: "\n")
}
