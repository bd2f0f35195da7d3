import Glibc
import LivepatchBuild
import SystemPackage
import WorkFiles

/// Facts about this process and this machine.
enum ProcessFacts {
    /// The number of processors that this process may use: `taskset` and containers give it fewer than are online.
    static var processors: Int {
        // A mask of hexadecimal digits, with commas in it (proc_pid_status(5)).
        let mask = (try? WorkFiles.readText("/proc/self/status"))?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let allowed = mask?.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return max(1, allowed ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// The machine's processor as uname(2) names it: `x86_64`, `aarch64`, `armv7l`; empty if uname(2) gives none.
    static var machine: String {
        var facts = utsname()
        guard uname(&facts) == 0 else { return "" }
        return withUnsafeBytes(of: &facts.machine) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The path of the program's own file. Builds call it in the compiler's place.
    ///
    /// - Throws: `UsageError` when `/proc` is not mounted.
    static func program() throws(UsageError) -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else {
            throw UsageError("the program's own path can't be found", help: "mount /proc")
        }
        return FilePath(platformString: buffer)
    }

    /// Kills the processes that this one started, with their process groups, at once: for an exit that can't wait for them.
    static func killChildren() {
        let own = getpid()
        for child in ((try? WorkFiles.names(in: "/proc")) ?? []).compactMap({ pid_t($0) }) where parent(of: child) == own {
            kill(-child, SIGKILL)
            kill(child, SIGKILL)
        }
    }

    /// Reads the parent's number from `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where NAME may contain any character.
    private static func parent(of process: pid_t) -> pid_t? {
        guard let bytes = try? WorkFiles.read(FilePath("/proc/\(process)/stat")),
            let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let words = String(decoding: bytes[(bracket + 1)...], as: UTF8.self).split(separator: " ")
        return words.count > 1 ? pid_t(words[1]) : nil
    }
}
