import SystemPackage
import WorkFiles

/// The largest patch file that is read, in bytes. Source patches are far smaller.
let patchSizeLimit = 64 << 20

/// A patch as it was read.
package struct PatchFile: Sendable, Equatable {
    /// The name that stands for standard input.
    package static let standardInput: FilePath = "-"

    /// As the user named it.
    package var path: FilePath
    package var bytes: [UInt8]

    package init(path: FilePath, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }
}

/// Reads patch files whole. They may be pipes; `-` is standard input.
///
/// - Returns: the files, in the same order.
/// - Throws: `PatchError` for the first file that can't be read; `CancellationError`, also while it waits for the writer of a pipe.
package func readPatches(_ paths: [FilePath], standardInput: FileDescriptor = .standardInput) throws -> [PatchFile] {
    try paths.map { path in
        let bytes: [UInt8]
        do {
            bytes =
                try path == PatchFile.standardInput
                ? WorkFiles.readStream(standardInput, limit: patchSizeLimit) : WorkFiles.readStream(path, limit: patchSizeLimit)
        } catch let error as WorkFileError {
            throw PatchError(path, error.errno == .isDirectory ? .isDirectory : .unreadable(error.errno))
        }
        guard bytes.count <= patchSizeLimit else { throw PatchError(path, .tooLarge(limit: patchSizeLimit)) }
        return PatchFile(path: path, bytes: bytes)
    }
}
