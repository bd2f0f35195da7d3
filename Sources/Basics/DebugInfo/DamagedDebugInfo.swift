import Diagnostics
import SystemPackage

/// Why a file's debug information can't be read.
extension InputError {
    /// The file could not be opened or read.
    package static func unreadable(_ file: FilePath, _ errno: Errno) -> InputError {
        InputError(file: file, reason: "can't be read: \(errno.description)")
    }

    /// The file is not an ELF file, or its section tables are damaged; with the reason.
    package static func notELF(_ file: FilePath, _ reason: String) -> InputError {
        InputError(file: file, reason: "is not a usable ELF file: \(reason)")
    }

    /// The ELF file has debug information that contradicts itself, or is of a kind that libdw does not know; with the reason.
    package static func corrupt(_ file: FilePath, _ reason: String) -> InputError {
        InputError(file: file, reason: "its debug information can't be read: \(reason)")
    }
}
