import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// Upstream's archive of a source package that a suite of Debian once had, with the checksum from Debian's signed list.
///
/// The lists name a new point release before each mirror has its files, and the files of the previous one stay for some time.
struct KnownSource: Sendable, Equatable {
    /// The source package.
    var name: String
    /// Upstream's version, such as `4.20.3+127-gc42374a105`.
    var version: String
    /// The checksum in hexadecimal.
    var sha256: String

    /// The path below the top of an archive, encoded for a URI.
    var path: String {
        "pool/main/\(name.prefix(1))/\(name)/\(name)_\(version.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%2b")).orig.tar.xz"
    }

    /// Downloads the archive and unpacks it as `destination`.
    ///
    /// - Parameters:
    ///   - uri: the top of Debian's archive, of any kind that apt supports.
    ///   - options: apt's options, for its command line.
    ///   - downloads: the folder for the downloaded archive.
    /// - Throws: `StepError` when the archive is not there or has another checksum; `WorkFileError`.
    func unpack(from uri: String, options: [String], downloads: FilePath, as destination: FilePath) async throws {
        let file = downloads.appending("\(name).orig.tar.xz")
        // This is apt's own program for scripts: it downloads as apt does, and checks the checksum.
        try await Tool(name: "/usr/lib/apt/apt-helper").output(
            options + ["download-file", "\(uri.hasSuffix("/") ? uri : uri + "/")\(path)", file.string, "SHA256:\(sha256)"])
        try await Self.unpack(file, as: destination)
    }

    /// Unpacks an archive with a single top folder, without that folder.
    static func unpack(_ archive: FilePath, as destination: FilePath) async throws {
        try WorkFiles.makeFolder(destination)
        try await Tool(name: "tar").output(["-x", "--strip-components=1", "-f", archive.string, "-C", destination.string])
    }
}
