import CompilerRecorder
import Dispatch
import Glibc
import XspliceCommand

// A file that is opened in the place of a closed standard stream would get what is written there. What takes its place here refuses to be read
// or written, as a closed one does.
for stream in 0...2 as ClosedRange<Int32> where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) }
let arguments = Array(CommandLine.arguments.dropFirst())
// A build runs this program a thousand times in the compiler's place, so check for that before any other setup.
if arguments.first == CommandLineTool.recorderCommand {
    exit(CompilerRecorder.run(Array(arguments.dropFirst())))
}
if let code = CommandLineTool.refusal(rawArguments: (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }) { exit(code) }
// Not `await` at this level: with it the runtime starts its threads before the first line.
Task { exit(await CommandLineTool.main(arguments)) }
dispatchMain()
