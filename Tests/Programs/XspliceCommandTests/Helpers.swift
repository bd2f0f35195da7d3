import Report
import SystemPackage

@testable import XspliceCommand

/// Runs the program in this process, and keeps what it says.
func run(_ arguments: [String], environment: [String: String] = ["HOME": "/nowhere"]) async -> (
    status: ProcessExit, output: String, error: String
) {
    let (output, error) = (MemorySink(), MemorySink())
    let console = Console(output: output, error: error, environment: environment)
    let status = await CommandLineTool.run(arguments, on: console)
    return (status, output.text, error.text)
}

/// The top of the package.
let packageFolder = FilePath(#filePath).appending("../../../..").lexicallyNormalized()
