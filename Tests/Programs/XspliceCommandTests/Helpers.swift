import Diagnostics
import Report
import SystemPackage
import WorkFiles

@testable import XspliceCommand

#if canImport(Glibc)
import Glibc
#endif

/// Runs the program in this process, and keeps what it says.
func run(_ arguments: [String], environment: [String: String] = ["HOME": "/nowhere"]) async -> (
    status: ExitStatus, output: String, error: String
) {
    let (output, error) = (MemorySink(), MemorySink())
    let console = Console(output: output, error: error, environment: environment)
    let status = await CommandLineTool.run(arguments, on: console)
    return (status, output.text, error.text)
}

/// The top of the package.
let packageFolder = FilePath(#filePath).appending("../../../..").lexicallyNormalized()

/// An empty folder that goes away with the value.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/xsplice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        path = FilePath(platformString: template)
    }

    deinit {
        chmod(path.string, 0o755)
        try? Self.remove(path)
    }

    func write(_ name: String, _ text: String = "x") throws {
        var folder = path
        for part in FilePath(name).removingLastComponent().components {
            folder.append(part)
            mkdir(folder.string, 0o755)
        }
        try WorkFiles.writeAtomically(Array(text.utf8), to: path.appending(name))
    }

    func names(_ folder: String = "") -> [String] { Self.names(path.appending(folder)) }

    static func names(_ folder: FilePath) -> [String] {
        guard let stream = opendir(folder.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ folder: FilePath) throws {
        for name in names(folder) {
            let path = folder.appending(name)
            if unlink(path.string) != 0 { try remove(path) }
        }
        rmdir(folder.string)
    }
}
