#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Runs in place of the compiler that make calls. It notes how each object of the hypervisor is compiled and leaves an empty object
/// instead. Every other command it runs for real, and it notes what files that command read.
///
/// A build starts it a thousand times, so it uses nothing but the C library.
package enum CompilerRecorder {
    /// - Parameter command: the compiler and its arguments.
    /// - Returns: the exit status for the process; does not return when the compiler replaces the process.
    package static func run(_ command: [String]) -> Int32 {
        guard !command.isEmpty else { return complain("no compiler given", status: 64) }
        guard let pointer = getenv(RecordingFolder.variable) else { return replaceProcess(command) }
        let recording = String(cString: pointer)
        let arguments = CompilerArguments(command)
        if arguments.isHypervisorObject {
            return record(arguments, in: recording)
        }
        guard !arguments.inputs.isEmpty else { return replaceProcess(command) }
        return runAndNote(arguments, in: recording)
    }

    /// Notes the command and leaves an empty object and a dependency file, which the next steps of the makefiles expect.
    private static func record(_ arguments: CompilerArguments, in recording: String) -> Int32 {
        guard let output = arguments.output, let dependencies = arguments.dependencyFile,
            let source = arguments.inputs.first
        else { return complain("not the command of an object", status: 1) }
        // Let the compiler report a missing source: an object without a source must not pass for compiled.
        guard access(source, R_OK) == 0 else { return replaceProcess(arguments.words) }
        guard let object = readFile("\(recording)/\(RecordingFolder.standIn)") else {
            return complain("\(recording)/\(RecordingFolder.standIn) can't be read", status: 1)
        }
        let rule = Array("\(arguments.dependencyTarget ?? output): \(source)\n".utf8)
        for (path, bytes) in [
            (newName(in: "\(recording)/\(RecordingFolder.objects)"), RecordedCommand(folder: folder(), words: arguments.words).bytes),
            (dependencies, rule), (output, object),
        ] where !writeFile(path, bytes) {
            return complain("cannot write \(path): \(String(cString: strerror(errno)))", status: 1)
        }
        return 0
    }

    /// Runs the command for real and keeps the list of the files that it read.
    private static func runAndNote(_ arguments: CompilerArguments, in recording: String) -> Int32 {
        let name = newName(in: "\(recording)/\(RecordingFolder.others)")
        guard writeFile(name, RecordedCommand(folder: folder(), words: arguments.words).bytes) else {
            return complain("cannot write \(name): \(String(cString: strerror(errno)))", status: 1)
        }
        guard let dependencies = arguments.dependencyFile else {
            // This variable makes GCC and Clang write the dependencies to a file, and changes nothing else.
            setenv("DEPENDENCIES_OUTPUT", "\(name).d", 1)
            return replaceProcess(arguments.words)
        }
        // The makefiles remove this file once they have read it, so it is copied as soon as the command ends.
        let status = runAndWait(arguments.words)
        if status == 0, let bytes = readFile(dependencies), !writeFile("\(name).d", bytes) {
            return complain("cannot write \(name).d: \(String(cString: strerror(errno)))", status: 1)
        }
        return status
    }

    private static func folder() -> String {
        guard let pointer = getcwd(nil, 0) else { return "" }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// Time and process id make the name unique. Sorting by name sorts by time.
    private static func newName(in folder: String) -> String {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let digits = String(Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
        return "\(folder)/\(String(repeating: "0", count: max(0, 20 - digits.count)))\(digits)-\(getpid())"
    }

    private static func complain(_ text: String, status: Int32) -> Int32 {
        let line = Array("xsplice-build: recording a compile: error: \(text)\n".utf8)
        _ = write(2, line, line.count)
        return status
    }

    private static func withCStrings<R>(_ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }

    private static func replaceProcess(_ command: [String]) -> Int32 {
        guard let program = command.first else { return 64 }
        _ = withCStrings(command) { execvp(program, $0) }
        return complain("cannot run \(program): \(String(cString: strerror(errno)))", status: 127)
    }

    private static func runAndWait(_ command: [String]) -> Int32 {
        guard let program = command.first else { return 64 }
        var child = pid_t()
        let reason = withCStrings(command) { posix_spawnp(&child, program, nil, nil, $0, environ) }
        guard reason == 0 else { return complain("cannot run \(program): \(String(cString: strerror(reason)))", status: 127) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { return 1 } }
        // The low seven bits are the signal, the next eight the exit status (wait(2)).
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    private static func readFile(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    private static func writeFile(_ path: String, _ bytes: [UInt8]) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 {
                close(descriptor)
                return false
            }
            written += count
        }
        return close(descriptor) == 0
    }
}
