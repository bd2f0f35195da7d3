import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// Source packages of a suite.
extension DebianArchive.Lists {
    /// The versions of a source package, newest first.
    package func sourceVersions(_ name: String) async throws -> [String] {
        // One line a version: " name | version | where", in apt's order of preference.
        try await apt("apt-cache", ["madison", "--", name]).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "|").map { $0.filter { !$0.isWhitespace } }
            guard columns.count >= 3, columns[2].hasSuffix("Sources") else { return nil }
            return columns[1]
        }
    }

    /// Downloads a source package and unpacks it as `destination`, which must not exist. Returns its version.
    ///
    /// Tries the versions from the newest on: an archive may list one whose files are gone already. Where that is so of all,
    /// upstream's own archive of the newest version that is still served does: it is the same source without Debian's changes. The last
    /// resort is `known`, which the suite had before. Throws `TestDriveError` and `RigError` when none is to be had.
    func unpackSource(_ name: String, known: KnownSource? = nil, as destination: FilePath) async throws -> String {
        var reason: (any Error)?
        let versions = try await sourceVersions(name)
        for parts in [[], ["--tar-only"]] {
            for version in versions {
                let downloads = folder.appending("source-\(name)")
                try WorkFiles.remove(downloads)
                try WorkFiles.makeFolder(downloads)
                do {
                    // apt checks the signature and the sums.
                    try await apt(
                        "apt-get", ["source", "--download-only", "--only-source"] + parts + ["--", "\(name)=\(version)"], in: downloads)
                } catch {
                    reason = reason ?? error
                    continue
                }
                guard try await unpackSource(in: downloads, as: destination) else { continue }
                try WorkFiles.remove(downloads)
                if !parts.isEmpty {
                    archive.cache.tell("Debian \(archive.suite) does not serve all of \(name) \(version): taking upstream's part of it")
                }
                return version
            }
        }
        let missing = reason ?? RigError("Debian \(archive.suite) has no source package \(name)")
        guard let known, known.name == name else { throw missing }
        let downloads = folder.appending("source-\(name)")
        try WorkFiles.remove(downloads)
        try WorkFiles.makeFolder(downloads)
        do {
            try await known.unpack(from: uri, options: options, downloads: downloads, as: destination)
        } catch {
            // What the suite has now is what was wanted.
            throw missing
        }
        try WorkFiles.remove(downloads)
        archive.cache.tell("Debian \(archive.suite) serves none of the versions of \(name) that it lists: taking \(known.version), which it had before")
        return "\(known.version)-0"
    }

    /// False when the folder has neither a description of a source package nor upstream's archive.
    private func unpackSource(in downloads: FilePath, as destination: FilePath) async throws -> Bool {
        let names = try WorkFiles.names(in: downloads)
        if let description = names.first(where: { $0.hasSuffix(".dsc") }) {
            try await Tool(name: "dpkg-source").output(
                ["--no-check", "-x", downloads.appending(description).string, destination.string], in: downloads)
            return true
        }
        guard let upstream = names.first(where: { $0.split(separator: ".").dropLast().suffix(2) == ["orig", "tar"] }) else { return false }
        try await KnownSource.unpack(downloads.appending(upstream), as: destination)
        return true
    }
}
