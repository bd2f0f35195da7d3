import Diagnostics
import SystemPackage
import WorkFiles

/// Packages and source packages of one suite of Debian, fetched by name without touching the machine's own apt.
///
/// All of apt's state (lists, cache, sources) is in a folder of the rig's cache; where the archive is and which key
/// signs it comes from the machine's own entry for Debian. Needs no root.
package struct DebianArchive: Sendable {
    /// The suite's name, such as `bookworm`.
    package var suite: String
    /// Debian's name of the processor, such as `amd64` or `arm64`.
    package var architecture: String
    package var cache: RigCache

    package init(suite: String = "bookworm", architecture: String = "amd64", cache: RigCache) {
        self.suite = suite
        self.architecture = architecture
        self.cache = cache
    }

    /// The suite and the architecture, for names of folders.
    var label: String { "\(suite)-\(architecture)" }

    /// Fetches the suite's lists; from then on `Lists` answers from them. Takes seconds and the network each time.
    package func lists() async throws -> Lists {
        let source = try AptSource.ofThisMachine()
        let folder = cache.root.appending("apt-\(label)")
        let lists = Lists(archive: self, folder: folder, uri: source.uri)
        for name in ["parts", "state/lists/partial", "cache/archives/partial"] {
            try Folder.create(folder.appending(name))
        }
        try WorkFiles.writeAtomically(
            Array(source.deb822(suite: suite).utf8), to: folder.appending("parts/debian.sources"))
        cache.tell("fetching the package lists of Debian \(suite)")
        try await lists.apt("apt-get", ["update"])
        return lists
    }

    /// The lists of a suite, as fetched.
    package struct Lists: Sendable {
        var archive: DebianArchive
        var folder: FilePath
        /// Where the archive is.
        var uri: String

        /// The versions of a source package, newest first.
        package func sourceVersions(_ name: String) async throws -> [String] {
            // One line a version: " name | version | where", in apt's order of preference.
            try await apt("apt-cache", ["madison", "--", name]).split(separator: "\n").compactMap { line in
                let columns = line.split(separator: "|").map { $0.filter { !$0.isWhitespace } }
                guard columns.count >= 3, columns[2].hasSuffix("Sources") else { return nil }
                return columns[1]
            }
        }

        /// The binary packages that a source package makes.
        package func binaries(ofSource name: String) async throws -> [String] {
            let text = try await apt("apt-cache", ["showsrc", "--only-source", "--", name])
            return Self.field("Binary", of: text).split { $0 == "," || $0.isWhitespace }.map(String.init)
        }

        /// The packages that one depends on (without alternatives and versions).
        package func dependencies(of package: String) async throws -> [String] {
            let text = try await apt("apt-cache", ["show", "--no-all-versions", "--", package])
            return ["Pre-Depends", "Depends"].flatMap { Self.field($0, of: text).split(separator: ",") }.compactMap {
                $0.split { " (:|".contains($0) }.first.map(String.init)
            }
        }

        /// Downloads packages and unpacks them, one over the other, into `folder`.
        package func unpack(_ packages: [String], into folder: FilePath) async throws {
            let downloads = self.folder.appending("download-\(packages.first ?? "none")")
            try Folder.remove(downloads)
            try Folder.create(downloads)
            try await apt("apt-get", ["download", "--"] + packages, in: downloads)
            for name in Folder.names(in: downloads) where name.hasSuffix(".deb") {
                try await Tool(name: "dpkg-deb").output(["-x", downloads.appending(name).string, folder.string])
            }
            try Folder.remove(downloads)
        }

        /// Downloads a source package and unpacks it as `destination`, which must not exist. Returns its version.
        ///
        /// Tries the versions from the newest on: an archive may list one whose files are gone already. Where that is so of all,
        /// upstream's own archive of the newest version that is still served does: it is the same source without Debian's changes. The last
        /// resort is `known`, which the suite had before.
        func unpackSource(_ name: String, known: KnownSource? = nil, as destination: FilePath) async throws -> String {
            var reason: (any Error)?
            let versions = try await sourceVersions(name)
            for parts in [[], ["--tar-only"]] {
                for version in versions {
                    let downloads = folder.appending("source-\(name)")
                    try Folder.remove(downloads)
                    try Folder.create(downloads)
                    do {
                        // apt checks the signature and the sums.
                        try await apt(
                            "apt-get", ["source", "--download-only", "--only-source"] + parts + ["--", "\(name)=\(version)"], in: downloads)
                    } catch {
                        reason = reason ?? error
                        continue
                    }
                    guard try await unpackSource(in: downloads, as: destination) else { continue }
                    try Folder.remove(downloads)
                    if !parts.isEmpty {
                        archive.cache.tell("Debian \(archive.suite) does not serve all of \(name) \(version): taking upstream's part of it")
                    }
                    return version
                }
            }
            let missing = reason ?? RigError("Debian \(archive.suite) has no source package \(name)")
            guard let known, known.name == name else { throw missing }
            let downloads = folder.appending("source-\(name)")
            try Folder.remove(downloads)
            try Folder.create(downloads)
            do {
                try await known.unpack(from: uri, options: options, downloads: downloads, as: destination)
            } catch {
                // What the suite has now is what was wanted.
                throw missing
            }
            try Folder.remove(downloads)
            archive.cache.tell("Debian \(archive.suite) serves none of the versions of \(name) that it lists: taking \(known.version), which it had before")
            return "\(known.version)-0"
        }

        /// False when the folder has neither a description of a source package nor upstream's archive.
        private func unpackSource(in downloads: FilePath, as destination: FilePath) async throws -> Bool {
            let names = Folder.names(in: downloads)
            if let description = names.first(where: { $0.hasSuffix(".dsc") }) {
                try await Tool(name: "dpkg-source").output(
                    ["--no-check", "-x", downloads.appending(description).string, destination.string], in: downloads)
                return true
            }
            guard let upstream = names.first(where: { $0.split(separator: ".").dropLast().suffix(2) == ["orig", "tar"] }) else { return false }
            try await KnownSource.unpack(downloads.appending(upstream), as: destination)
            return true
        }

        @discardableResult
        func apt(_ program: String, _ arguments: [String], in folder: FilePath? = nil) async throws -> String {
            var tool = Tool(name: program)
            tool.environment = ["DEBIAN_FRONTEND": "noninteractive"]
            return try await tool.output(options + arguments, in: folder)
        }

        private var options: [String] {
            [
                "Dir::Etc::SourceList": "/dev/null",
                "Dir::Etc::SourceParts": folder.appending("parts").string,
                "Dir::State": folder.appending("state").string,
                "Dir::State::status": "/dev/null",
                "Dir::Cache": folder.appending("cache").string,
                "APT::Architecture": archive.architecture,
                "APT::Architectures": archive.architecture,
                // As root apt would fetch as its own user, who may not write into this folder.
                "APT::Sandbox::User": "root",
                "Acquire::Languages": "none",
                "Acquire::Retries": "2",
                "Acquire::http::Timeout": "30",
                "Acquire::https::Timeout": "30",
            ].sorted { $0.key < $1.key }.flatMap { ["-o", "\($0.key)=\($0.value)"] } + ["-q"]
        }

        /// The value of a field in the first paragraph of `text` that has it, continuation lines joined.
        static func field(_ name: String, of text: String) -> String {
            var value: String?
            for line in text.split(separator: "\n") {
                if let found = value {
                    guard line.first?.isWhitespace == true else { return found }
                    value = found + line
                } else if line.hasPrefix(name + ":") {
                    value = String(line.dropFirst(name.count + 1))
                }
            }
            return value ?? ""
        }
    }
}
