import Diagnostics
import SystemPackage
import WorkFiles

/// The packages of one suite of Debian, fetched by name without touching the machine's own apt.
///
/// All of apt's state (lists, cache, sources) is in a folder of the cache. The machine's own apt entry for Debian says where
/// the archive is, and which key signs it. This needs no root.
package struct DebianArchive: Sendable {
    /// The suite's name, such as `bookworm`.
    package var suite: String
    /// Debian's name for the processor, such as `amd64` or `arm64`.
    package var architecture: String
    package var cache: FolderCache

    package init(suite: String = "bookworm", architecture: String = "amd64", cache: FolderCache) {
        self.suite = suite
        self.architecture = architecture
        self.cache = cache
    }

    /// The suite and the architecture, for names of folders.
    package var label: String { "\(suite)-\(architecture)" }

    /// Fetches the suite's lists; the result answers questions about its packages. Each call uses the network and takes seconds.
    package func lists() async throws -> Lists {
        let source = try AptSource.ofThisMachine()
        let folder = cache.root.appending("apt-\(label)")
        let lists = Lists(archive: self, folder: folder, uri: source.uri)
        for name in ["parts", "state/lists/partial", "cache/archives/partial"] {
            try WorkFiles.makeFolder(folder.appending(name))
        }
        try WorkFiles.writeAtomically(
            Array(source.deb822(suite: suite).utf8), to: folder.appending("parts/debian.sources"))
        cache.tell("fetching the package lists of Debian \(suite)")
        try await lists.apt("apt-get", ["update"])
        return lists
    }

    /// The fetched lists of a suite.
    package struct Lists: Sendable {
        package var archive: DebianArchive
        /// The folder for everything that is downloaded.
        package var folder: FilePath
        /// The address of the archive.
        package var uri: String

        /// The binary packages that a source package makes.
        package func binaries(ofSource name: String) async throws -> [String] {
            let text = try await apt("apt-cache", ["showsrc", "--only-source", "--", name])
            return Self.field("Binary", of: text).split { $0 == "," || $0.isWhitespace }.map(String.init)
        }

        /// The packages that a package depends on (without alternatives and versions).
        package func dependencies(of package: String) async throws -> [String] {
            let text = try await apt("apt-cache", ["show", "--no-all-versions", "--", package])
            return ["Pre-Depends", "Depends"].flatMap { Self.field($0, of: text).split(separator: ",") }.compactMap {
                $0.split { " (:|".contains($0) }.first.map(String.init)
            }
        }

        /// Downloads packages, and unpacks them all into `folder`; later ones overwrite files of earlier ones.
        package func unpack(_ packages: [String], into folder: FilePath) async throws {
            let downloads = self.folder.appending("download-\(packages.first ?? "none")")
            try WorkFiles.remove(downloads)
            try WorkFiles.makeFolder(downloads)
            try await apt("apt-get", ["download", "--"] + packages, in: downloads)
            for name in try WorkFiles.names(in: downloads) where name.hasSuffix(".deb") {
                try await Tool(name: "dpkg-deb").output(["-x", downloads.appending(name).string, folder.string])
            }
            try WorkFiles.remove(downloads)
        }

        /// Runs one of apt's programs on these lists. Returns what it printed; throws as `Tool.output` does.
        @discardableResult
        package func apt(_ program: String, _ arguments: [String], in folder: FilePath? = nil) async throws -> String {
            let tool = Tool(name: program, environment: ["DEBIAN_FRONTEND": "noninteractive"])
            return try await tool.output(options + arguments, in: folder)
        }

        /// The options that make apt's programs use these lists.
        package var options: [String] {
            [
                "Dir::Etc::SourceList": "/dev/null",
                "Dir::Etc::SourceParts": folder.appending("parts").string,
                "Dir::State": folder.appending("state").string,
                "Dir::State::status": "/dev/null",
                "Dir::Cache": folder.appending("cache").string,
                "APT::Architecture": archive.architecture,
                "APT::Architectures": archive.architecture,
                // When root runs apt, apt fetches as a user of its own, which may not write to this folder.
                "APT::Sandbox::User": "root",
                "Acquire::Languages": "none",
                "Acquire::Retries": "2",
                "Acquire::http::Timeout": "30",
                "Acquire::https::Timeout": "30",
            ].sorted { $0.key < $1.key }.flatMap { ["-o", "\($0.key)=\($0.value)"] } + ["-q"]
        }

        /// The value of a field in the first paragraph of `text` that has it. Continuation lines are joined.
        package static func field(_ name: String, of text: String) -> String {
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
