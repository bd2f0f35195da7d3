import Diagnostics
import SystemPackage

/// Why a file's debug information could not be read.
package enum DebugInfoError: ExplainedError, Equatable {
    /// The file could not be opened or read.
    case unreadable(FilePath, Errno)
    /// Not an ELF file, or one whose tables of sections are broken; with the reason.
    case notELF(FilePath, String)
    /// The ELF file has debug information that contradicts itself; with the reason.
    case corrupt(FilePath, String)

    package var message: String {
        switch self {
        case .unreadable(let path, let errno): "cannot read \(path): \(errno.description)"
        case .notELF(let path, let reason): "\(path) is not a usable ELF file: \(reason)"
        case .corrupt(let path, let reason): "the debug information of \(path) is damaged: \(reason)"
        }
    }

    package var exitCode: ExitStatus { .usage }
}
