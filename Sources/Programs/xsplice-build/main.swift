import CompilerRecorder
import Dispatch
import Glibc
import XspliceCommand

let arguments = Array(CommandLine.arguments.dropFirst())
// A build runs this program a thousand times in the compiler's place, so check for that before any other setup.
if arguments.first == CommandLineTool.recorderCommand {
    exit(CompilerRecorder.run(Array(arguments.dropFirst())))
}
if let code = CommandLineTool.refusal() { exit(code) }
// Not `await` at this level: with it the runtime starts its threads before the first line.
Task { exit(await CommandLineTool.main(arguments)) }
dispatchMain()
