import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// Upstream's archive of a source package as a suite of Debian had it once, with the sum that Debian's signed list gave for it.
///
/// Lists move on to a new point release before each mirror has its files, while the files of the last one are there for some time yet.
struct KnownSource: Sendable, Equatable {
    /// The source package.
    var name: String
    /// Upstream's version, such as `4.20.3+127-gc42374a105`.
    var version: String
    /// Hexadecimal.
    var sha256: String

    /// Below the top of an archive, as it is in URIs.
    var path: String {
        "pool/main/\(name.prefix(1))/\(name)/\(name)_\(version.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%2b")).orig.tar.xz"
    }

    /// Downloads the archive and unpacks it as `destination`.
    ///
    /// - Parameters:
    ///   - uri: the top of Debian's archive; of any kind that apt knows.
    ///   - options: for apt, on its command line.
    ///   - downloads: a folder for the archive.
    /// - Throws: `TestDriveError` when it is not there or has another sum; `WorkFileError`.
    func unpack(from uri: String, options: [String], downloads: FilePath, as destination: FilePath) async throws {
        let file = downloads.appending("\(name).orig.tar.xz")
        // It is apt's own, for scripts; it goes the way that apt goes, and checks the sum.
        try await Tool(name: "/usr/lib/apt/apt-helper").output(
            options + ["download-file", "\(uri.hasSuffix("/") ? uri : uri + "/")\(path)", file.string, "SHA256:\(sha256)"])
        try await Self.unpack(file, as: destination)
    }

    /// Unpacks an archive that has one folder for all, without that folder.
    static func unpack(_ archive: FilePath, as destination: FilePath) async throws {
        try WorkFiles.makeFolder(destination)
        try await Tool(name: "tar").output(["-x", "--strip-components=1", "-f", archive.string, "-C", destination.string])
    }
}
