import CompilerRecorder
import Glibc
import XspliceCommand

let arguments = Array(CommandLine.arguments.dropFirst())
// A build runs the program in the compiler's place, a thousand times: before anything else is set up.
if arguments.first == CommandLineTool.recorderCommand {
    exit(CompilerRecorder.run(Array(arguments.dropFirst())))
}
exit(await CommandLineTool.main(arguments))
