import FoundationEssentials
import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file that exists for one run.
package struct TemporaryFile {
    package let path: FilePath

    /// Writes the file into `$TMPDIR`, else `/tmp`, under a name that nobody else has.
    package init(_ bytes: [UInt8]) throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = FilePath(folder).appending("xen-rig-\(UUID().uuidString)")
        try WorkFiles.writeAtomically(bytes, to: path)
    }

    package func remove() { try? Folder.remove(path) }
}
