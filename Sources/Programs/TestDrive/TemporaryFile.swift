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

    /// Writes the file into `$TMPDIR`, or `/tmp` if that is not set, under a unique name.
    package init(_ bytes: [UInt8]) throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = FilePath(folder).appending("xsplice-test-drive-\(String(UInt64.random(in: .min ... .max), radix: 16))")
        try WorkFiles.writeAtomically(bytes, to: path)
    }

    package func remove() { try? WorkFiles.removeFile(path) }
}
