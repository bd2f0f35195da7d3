import CompilerRecorder
import Dispatch
import Glibc
import XspliceCommand

// A file that is opened in the place of a closed standard stream would get what is written there.
for _ in 0..<3 {
    let number = open("/dev/null", O_RDWR)
    if number > 2 {
        close(number)
        break
    }
    if number < 0 { break }
}
let arguments = Array(CommandLine.arguments.dropFirst())
// A build runs this program a thousand times in the compiler's place, so check for that before any other setup.
if arguments.first == CommandLineTool.recorderCommand {
    exit(CompilerRecorder.run(Array(arguments.dropFirst())))
}
if let code = CommandLineTool.refusal(rawArguments: (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }) { exit(code) }
// Not `await` at this level: with it the runtime starts its threads before the first line.
Task { exit(await CommandLineTool.main(arguments)) }
dispatchMain()
