import FoundationEssentials
import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file that exists for one run.
struct TemporaryFile {
    let path: FilePath

    /// Writes the file into `$TMPDIR`, else `/tmp`, under a name that nobody else has.
    init(_ bytes: [UInt8]) throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = FilePath(folder).appending("xen-rig-\(UUID().uuidString)")
        try WorkFiles.writeAtomically(bytes, to: path)
    }

    func remove() { try? Folder.remove(path) }
}
