import SystemPackage
import WorkFiles

/// An empty folder. It is removed with its contents when the value is freed. For suites; a single test uses `withTemporaryFolder`.
package final class TemporaryFolder: Sendable {
    package let path: FilePath

    /// - Parameter name: the beginning of the folder's name.
    package init(named name: String = "xsplice-test", in parent: FilePath = "/tmp") throws {
        path = try WorkFiles.makeTemporaryFolder(named: name, in: parent)
    }

    deinit { try? remove() }

    /// Removes the folder now. Throws when something in it can't be removed.
    package func remove() throws { try WorkFiles.remove(path) }

    /// Writes a text file, and makes the folders above it.
    package func write(_ name: String, _ text: String = "x") throws {
        let file = path.appending(name)
        try WorkFiles.makeFolder(file.removingLastComponent())
        try WorkFiles.write(Array(text.utf8), to: file)
    }

    /// The names of the files in it, or in a folder of it; empty if there is no such folder.
    package func names(_ folder: String = "") -> [String] { (try? WorkFiles.names(in: path.appending(folder))) ?? [] }
}

/// Gives `body` an empty folder, and removes it afterwards. Throws what `body` throws, or when something in the folder can't be removed.
///
/// - Parameter name: the beginning of the folder's name.
package func withTemporaryFolder<R>(
    named name: String = "xsplice-test", in parent: FilePath = "/tmp", _ body: (FilePath) async throws -> R
) async throws -> R {
    let folder = try TemporaryFolder(named: name, in: parent)
    let result = try await body(folder.path)
    try folder.remove()
    return result
}

/// The same for a body that is not asynchronous.
package func withTemporaryFolder<R>(
    named name: String = "xsplice-test", in parent: FilePath = "/tmp", _ body: (FilePath) throws -> R
) throws -> R {
    let folder = try TemporaryFolder(named: name, in: parent)
    let result = try body(folder.path)
    try folder.remove()
    return result
}

/// Writes a text file into a folder, and returns its path.
package func write(_ text: String, to name: String, in folder: FilePath) throws -> FilePath {
    let path = folder.appending(name)
    try WorkFiles.write(Array(text.utf8), to: path)
    return path
}
