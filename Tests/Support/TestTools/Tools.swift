import Subprocess
import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A tool failed to do what a test needs.
package struct ToolFailure: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) {
        self.description = description
    }
}

/// Runs a tool of the machine, and returns what it printed. Throws when the tool fails: a test must not go on without its input.
@discardableResult
package func run(_ tool: String, _ arguments: [String], in folder: FilePath? = nil) async throws -> String {
    let result = try await Subprocess.run(
        .name(tool), arguments: Arguments(arguments), workingDirectory: folder,
        output: .string(limit: 1 << 28), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
        throw ToolFailure(description: "\(tool) \(arguments.joined(separator: " ")): \(result.standardError)")
    }
    return result.standardOutput
}

/// The exit code of a process as a shell reports it: its own, or 128 plus the number of the signal that ended it.
package func exitCode(_ status: TerminationStatus) -> Int {
    switch status {
    case .exited(let code): Int(code)
    case .signaled(let signal): 128 + Int(signal)
    }
}

/// The objects of a Xen tree that was built beforehand, for tests that need a real Xen.
package enum BuiltXen {
    /// The `xen/` folder of the tree that the environment variable `XSPLICE_BUILT_XEN` names; nil if it is not set.
    package static let folder: FilePath? = getenv("XSPLICE_BUILT_XEN").map { FilePath(String(cString: $0)) }

    /// All object files below it.
    package static func objects() async throws -> [FilePath] {
        guard let folder else { throw ToolFailure(description: "XSPLICE_BUILT_XEN is not set") }
        return try await run("find", [folder.string, "-name", "*.o"]).split(separator: "\n").map { FilePath(String($0)) }
            .sorted { $0.string < $1.string }
    }

    /// Compiles some of its objects again, with the commands of the tree's own make but with debug information, which a release build lacks.
    ///
    /// - Parameter names: the objects' paths relative to `xen/`, such as `common/kernel.o`.
    package static func compileWithDebugInfo(_ names: [String], in target: FilePath) async throws -> [FilePath] {
        guard let folder else { throw ToolFailure(description: "XSPLICE_BUILT_XEN is not set") }
        var objects: [FilePath] = []
        for name in names {
            let path = FilePath(name)
            let record = folder.pushing(path.removingLastComponent()).appending(".\(path.lastComponent?.string ?? "").cmd")
            // Make keeps the command as `cmd_OBJECT := COMMAND`, with each dollar sign doubled.
            let line = try WorkFiles.readText(record).prefix { $0 != "\n" }
            guard let start = line.firstRange(of: ":= ")?.upperBound else { throw ToolFailure(description: "\(record) has no command") }
            let command = line[start...].replacing("$$", with: "$")
                .replacing(#/ -(o|MF|MQ) [^ ]+/#, with: "").replacing(#/ -(MMD|MP)\b/#, with: "")
            let object = target.appending(name.replacing("/", with: "-"))
            try await run("sh", ["-c", "\(command) -g -o '\(object)'"], in: folder)
            objects.append(object)
        }
        return objects
    }
}
