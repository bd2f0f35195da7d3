import SystemPackage
import WorkFiles

/// An empty folder that goes away, with all that is in it, with the value. For suites; a single test takes `withTemporaryFolder`.
package final class TemporaryFolder: Sendable {
    package let path: FilePath

    /// - Parameter name: what its name begins with.
    package init(named name: String = "xsplice-test", in parent: FilePath = "/tmp") throws {
        path = try WorkFiles.makeTemporaryFolder(named: name, in: parent)
    }

    deinit { try? remove() }

    /// Removes it now. Throws when something in it can't be removed.
    package func remove() throws { try WorkFiles.remove(path) }

    /// Writes a text file, with the folders above it.
    package func write(_ name: String, _ text: String = "x") throws {
        let file = path.appending(name)
        try WorkFiles.makeFolder(file.removingLastComponent())
        try WorkFiles.write(Array(text.utf8), to: file)
    }

    /// What is in it, or in a folder of it; nothing where there is no such folder.
    package func names(_ folder: String = "") -> [String] { (try? WorkFiles.names(in: path.appending(folder))) ?? [] }
}

/// Gives `body` an empty folder, and removes it afterwards. Throws what `body` throws, or when something in the folder can't be removed.
///
/// - Parameter name: what the folder's name begins with.
package func withTemporaryFolder<R>(
    named name: String = "xsplice-test", in parent: FilePath = "/tmp", _ body: (FilePath) async throws -> R
) async throws -> R {
    let folder = try TemporaryFolder(named: name, in: parent)
    let result = try await body(folder.path)
    try folder.remove()
    return result
}

/// The same for what does not wait.
package func withTemporaryFolder<R>(
    named name: String = "xsplice-test", in parent: FilePath = "/tmp", _ body: (FilePath) throws -> R
) throws -> R {
    let folder = try TemporaryFolder(named: name, in: parent)
    let result = try body(folder.path)
    try folder.remove()
    return result
}

/// Writes a text file into a folder and gives its path.
package func write(_ text: String, to name: String, in folder: FilePath) throws -> FilePath {
    let path = folder.appending(name)
    try WorkFiles.write(Array(text.utf8), to: path)
    return path
}
