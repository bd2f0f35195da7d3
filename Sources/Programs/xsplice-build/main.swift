import CompilerRecorder
import Glibc
import XspliceCommand

let arguments = Array(CommandLine.arguments.dropFirst())
// A build runs this program a thousand times in the compiler's place, so check for that before any other setup.
if arguments.first == CommandLineTool.recorderCommand {
    exit(CompilerRecorder.run(Array(arguments.dropFirst())))
}
exit(await CommandLineTool.main(arguments))
