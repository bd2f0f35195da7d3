import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// Source packages of a suite.
extension DebianArchive.Lists {
    /// The versions of a source package, newest first.
    package func sourceVersions(_ name: String) async throws -> [String] {
        // One line for each version: " name | version | where", in apt's order of preference.
        try await apt("apt-cache", ["madison", "--", name]).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "|").map { $0.filter { !$0.isWhitespace } }
            guard columns.count >= 3, columns[2].hasSuffix("Sources") else { return nil }
            return columns[1]
        }
    }

    /// Downloads a source package and unpacks it as `destination`, which must not exist. Returns its version.
    ///
    /// Tries the newest version first: an archive may list a version whose files are gone already. If the archive has all files of none of them,
    /// takes upstream's own archive of the newest version that it still has: the same source without Debian's changes. The last
    /// resort is `known`, which the suite had before. Throws `StepError` when all of these fail.
    func unpackSource(_ name: String, known: KnownSource? = nil, as destination: FilePath) async throws -> String {
        var reason: (any Error)?
        let versions = try await sourceVersions(name)
        for parts in [[], ["--tar-only"]] {
            for version in versions {
                let downloads = folder.appending("source-\(name)")
                try WorkFiles.remove(downloads)
                try WorkFiles.makeFolder(downloads)
                do {
                    // apt checks the signature and the checksums.
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
        let missing = reason ?? StepError("Debian \(archive.suite) has no source package \(name)")
        guard let known, known.name == name else { throw missing }
        let downloads = folder.appending("source-\(name)")
        try WorkFiles.remove(downloads)
        try WorkFiles.makeFolder(downloads)
        do {
            try await known.unpack(from: uri, options: options, downloads: downloads, as: destination)
        } catch {
            // Report the first error: the caller wanted a version that the suite has now.
            throw missing
        }
        try WorkFiles.remove(downloads)
        archive.cache.tell("Debian \(archive.suite) serves none of the versions of \(name) that it lists: taking \(known.version), which it had before")
        return "\(known.version)-0"
    }

    /// Unpacks what was downloaded. Returns false when the folder has neither a description of a source package nor upstream's archive.
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
