import ArgumentParser
import Diagnostics
import LivepatchBuild
import Report
import SystemPackage

/// The command's result did not reach standard output.
private struct LostOutput: ExplainedError {
    var reason: Errno
    var message: String { "cannot write to standard output: \(reason.description)" }
    var exitCode: ExitStatus { .internalFault }
}

/// The program without its process: takes arguments, returns an exit code.
package enum CommandLineTool {
    /// The hidden first argument with which a build calls the program in the compiler's place.
    package static let recorderCommand = "record-compile"

    /// Says so when this process can't work under its limits. It must be called before anything asynchronous: the runtime waits for ever for a
    /// thread that the system refuses.
    ///
    /// - Parameter rawArguments: the arguments as the process got them. One that is not UTF-8 would name another file than the user means.
    /// - Returns: the exit code; nil when the limits are wide enough.
    package static func refusal(rawArguments: [UnsafeMutablePointer<CChar>] = []) -> Int32? {
        do {
            if let index = rawArguments.firstIndex(where: { String(validatingCString: $0) == nil }) {
                throw UsageError(
                    "argument \(index + 1) is not UTF-8: \(String(cString: rawArguments[index]))", help: "rename that file or folder, or lead a link to it")
            }
            try ProcessLimits.check(processors: ProcessFacts.processors)
            return nil
        } catch {
            return explain(error, on: Console.process()).rawValue
        }
    }

    /// Runs the whole program, with signals caught.
    ///
    /// - Returns: the exit code.
    package static func main(_ arguments: [String]) async -> Int32 {
        let console = Console.process()
        let (ending, wasInterrupted) = await Interrupts.run { await run(arguments, on: console) }
        // A signal that comes after the payload is in place doesn't undo the payload.
        return wasInterrupted && ending != .written ? ProcessExit.interrupted.code : ending.code
    }

    /// Parses the arguments and runs the command. Prints every error on `console`, and throws none.
    package static func run(_ arguments: [String], on console: Console) async -> ProcessExit {
        // A newcomer looks for the options of the default command, so show those.
        if arguments == ["--help"] || arguments == ["-h"] || arguments == ["help"] {
            console.output.write(help(columns: console.outputStyle.width))
            return end(.written, orFault: .internalFault, on: console)
        }
        let command: any ConsoleCommand
        do {
            guard let parsed = try parse(arguments, on: console) else { return end(.written, orFault: .internalFault, on: console) }
            command = parsed
        } catch {
            return ProcessExit(explain(error, on: console))
        }
        do {
            let ending = try await command.run(on: console)
            return command.isResultText ? end(ending, orFault: command.fault, on: console) : ending
        } catch {
            let status = explain(error, interruption: command.interruption, on: console)
            return status == .internalFault ? command.fault : ProcessExit(status)
        }
    }

    /// A command whose text was lost has failed: whoever reads that text must not take the part for the whole.
    private static func end(_ ending: ProcessExit, orFault fault: ProcessExit, on console: Console) -> ProcessExit {
        guard let loss = console.output.loss else { return ending }
        _ = explain(LostOutput(reason: loss), on: console)
        return fault
    }

    /// The help page of the program.
    package static func help(columns: Int = 100) -> String {
        RootCommand.helpMessage(for: BuildCommand.self, columns: columns) + "\n"
    }

    /// The command that the arguments name; nil when they ask for a help page or the version, which this function then prints.
    private static func parse(_ arguments: [String], on console: Console) throws -> (any ConsoleCommand)? {
        let command: any ParsableCommand
        // The default command takes no words without an option, so a first word is meant for a command.
        if let word = arguments.first, !word.hasPrefix("-"), !RootCommand.commandNames.contains(word) {
            throw UsageError("there is no command '\(word)'", help: "the commands are \(RootCommand.commandNames.joined(separator: ", "))")
        }
        do {
            command = try RootCommand.parseAsRoot(arguments)
        } catch {
            guard RootCommand.exitCode(for: error).isSuccess else {
                throw UsageError(RootCommand.message(for: error), help: help(for: arguments))
            }
            console.output.write(RootCommand.fullMessage(for: error, columns: console.outputStyle.width) + "\n")
            return nil
        }
        guard let command = command as? any ConsoleCommand else {
            // This is the parser's own help command: its `run()` throws the page.
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

    /// Where the options of the command that the arguments mean are listed.
    private static func help(for arguments: [String]) -> String {
        let names = RootCommand.commandNames
        if let first = arguments.first, names.contains(first) { return "xsplice-build \(first) --help lists the options" }
        // A word right behind an option is that option's value.
        let later = zip(arguments, arguments.dropFirst()).first { !$0.hasPrefix("-") && names.contains($1) }
        return later.map { "the command comes first: xsplice-build \($0.1) …" } ?? "xsplice-build --help lists the options"
    }

    /// Prints an error, and returns its exit code.
    ///
    /// - Parameter interruption: the text for an interruption.
    static func explain(_ error: any Error, interruption: String = "interrupted", on console: Console) -> ExitStatus {
        let (text, status) = explanation(of: error, interruption: interruption, style: console.errorStyle)
        console.error.write(text + "\n")
        return status
    }

    /// The text for an error, without a line feed at its end, and its exit code.
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
