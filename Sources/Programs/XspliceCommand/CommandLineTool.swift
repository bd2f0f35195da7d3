import ArgumentParser
import Diagnostics
import LivepatchBuild
import Report

/// The program without the process around it: from arguments to an exit code.
package enum CommandLineTool {
    /// The hidden first argument with which a build calls the program in the compiler's place.
    package static let recorderCommand = "record-compile"

    /// The whole run of the process, with signals caught.
    ///
    /// - Returns: the exit code.
    package static func main(_ arguments: [String]) async -> Int32 {
        let console = Console.process()
        let (status, wasInterrupted) = await Interrupts.run { await run(arguments, on: console) }
        // A signal that came when the payload was in place already does not make it undone.
        guard wasInterrupted, status != .written else { return status.rawValue }
        return ExitStatus.interrupted.rawValue
    }

    /// Parses and runs. All that can be said is said on `console`; no error comes out.
    package static func run(_ arguments: [String], on console: Console) async -> ExitStatus {
        // The default command's options are what a newcomer looks for.
        if arguments == ["--help"] || arguments == ["-h"] || arguments == ["help"] {
            console.output.write(help(columns: console.outputStyle.width))
            return .written
        }
        var interruption = "interrupted"
        do {
            guard let command = try parse(arguments, on: console) else { return .written }
            interruption = command.interruption
            return try await command.run(on: console)
        } catch {
            return explain(error, interruption: interruption, on: console)
        }
    }

    /// The help page of the program.
    package static func help(columns: Int = 100) -> String {
        RootCommand.helpMessage(for: BuildCommand.self, columns: columns) + "\n"
    }

    /// The command that the arguments ask for; nil when they asked for a help page or the version, which then was printed.
    private static func parse(_ arguments: [String], on console: Console) throws -> (any ConsoleCommand)? {
        let command: any ParsableCommand
        do {
            command = try RootCommand.parseAsRoot(arguments)
        } catch {
            guard RootCommand.exitCode(for: error).isSuccess else {
                throw UsageError(
                    RootCommand.message(for: error), help: "xsplice-build --help lists the options")
            }
            console.output.write(RootCommand.fullMessage(for: error, columns: console.outputStyle.width) + "\n")
            return nil
        }
        guard let command = command as? any ConsoleCommand else {
            // A help command of the parser's own: to run it is to throw its page.
            var page = command
            do {
                try page.run()
            } catch {
                console.output.write(RootCommand.fullMessage(for: error, columns: console.outputStyle.width) + "\n")
            }
            return nil
        }
        return command
    }

    /// Says an error, and gives its exit code.
    ///
    /// - Parameter interruption: what is said of one.
    static func explain(_ error: any Error, interruption: String = "interrupted", on console: Console) -> ExitStatus {
        let (text, status) = explanation(of: error, interruption: interruption, style: console.errorStyle)
        console.error.write(text + "\n")
        return status
    }

    /// What is said of an error, without a line feed at its end, and its exit code.
    static func explanation(of error: any Error, interruption: String, style: TextStyle) -> (text: String, status: ExitStatus) {
        switch error {
        case let error as any ExplainedError: (DiagnosticText.render(error, style: style), error.exitCode)
        case is CancellationError: (interruption, .interrupted)
        default:
            (
                "\(style.paint("error:", .red)) \(style.shown("\(error)"))\n"
                    + "  help: this is a fault of xsplice-build; please report it with the command line that led to it", .internalFault
            )
        }
    }
}
