import Glibc
import SystemPackage

/// What the program knows of itself and of the machine.
enum ProcessFacts {
    /// The processors that this process may use.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The program's own file: builds call it back.
    ///
    /// - Throws: `UsageError` where `/proc` is not mounted.
    static func program() throws(UsageError) -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else {
            throw UsageError("the program's own path can't be found", help: "mount /proc")
        }
        return FilePath(platformString: buffer)
    }
}
