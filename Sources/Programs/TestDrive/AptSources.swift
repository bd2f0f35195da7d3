import Diagnostics
import SystemPackage
import WorkFiles

/// One entry of apt's list of sources: where packages come from, and which key signs them.
///
/// See sources.list(5). Both of its formats can be read.
package struct AptSource: Sendable, Equatable {
    package var uri: String
    package var suites: [String]
    package var components: [String]
    /// The value of `Signed-By`: the path of a key ring, or a whole key with its line breaks. nil means apt's default keys.
    package var signedBy: String?

    package init(uri: String, suites: [String], components: [String], signedBy: String? = nil) {
        self.uri = uri
        self.suites = suites
        self.components = components
        self.signedBy = signedBy
    }

    /// A deb822 file for another suite of the same archive, with the same key, for binary and source packages.
    func deb822(suite: String) -> String {
        var text = "Types: deb deb-src\nURIs: \(uri)\nSuites: \(suite)\nComponents: main\n"
        if let signedBy { text += "Signed-By: \(signedBy)\n" }
        return text
    }

    // MARK: Reading

    /// The entries of a file in the one-line format: `deb [options] uri suite component…`.
    package static func parse(oneLine text: String) -> [AptSource] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var line = line.prefix { $0 != "#" }
            var options: Substring = ""
            if let open = line.firstIndex(of: "["), let close = line[open...].firstIndex(of: "]") {
                options = line[line.index(after: open)..<close]
                line = line[..<open] + " " + line[line.index(after: close)...]
            }
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count >= 3, words[0] == "deb" || words[0] == "deb-src" else { return nil }
            let key = options.split(whereSeparator: \.isWhitespace).first { $0.lowercased().hasPrefix("signed-by=") }
            return AptSource(
                uri: words[1], suites: [words[2]], components: Array(words[3...]),
                signedBy: key.map { String($0.drop { $0 != "=" }.dropFirst()) })
        }
    }

    /// The entries of a file in the deb822 format. Disabled ones are left out.
    package static func parse(deb822 text: String) -> [AptSource] {
        var entries: [AptSource] = []
        var fields: [String: String] = [:]
        var last = ""
        func finish() {
            defer { fields = [:] }
            func words(_ name: String) -> [String] {
                (fields[name] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
            }
            let types = words("types")
            guard types.contains("deb") || types.contains("deb-src"), fields["enabled"]?.lowercased() != "no" else { return }
            for uri in words("uris") {
                entries.append(
                    AptSource(
                        uri: uri, suites: words("suites"), components: words("components"), signedBy: fields["signed-by"]))
            }
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { continue }
            if line.allSatisfy(\.isWhitespace) {
                finish()
            } else if line.first?.isWhitespace == true {
                // A continuation line. The lines of a key in the file must keep their breaks and their indentation.
                fields[last, default: ""] += "\n" + line
            } else if let colon = line.firstIndex(of: ":") {
                last = line[..<colon].lowercased()
                let value = line[line.index(after: colon)...].drop(while: \.isWhitespace)
                fields[last] = String(value)
            }
        }
        finish()
        return entries
    }

    // MARK: This machine's

    /// The entry of this machine's apt for Debian's main archive of the release that it runs.
    ///
    /// `configuration` is `/etc/apt` and `release` is `/etc/os-release`, except in tests. Throws `StepError` when the machine is not
    /// a Debian or has no such entry.
    package static func ofThisMachine(
        configuration: FilePath = "/etc/apt", release: FilePath = "/etc/os-release"
    ) throws -> AptSource {
        let facts = releaseFacts(text(release))
        guard facts["ID"] == "debian", let codename = facts["VERSION_CODENAME"] else {
            throw StepError(
                "\(release) does not name a release of Debian",
                help: "what is fetched comes from Debian's archive, as the machine's own apt knows it")
        }
        var entries = parse(oneLine: text(configuration.appending("sources.list")))
        let parts = configuration.appending("sources.list.d")
        for name in (try? WorkFiles.names(in: parts)) ?? [] {
            if name.hasSuffix(".list") { entries += parse(oneLine: text(parts.appending(name))) }
            if name.hasSuffix(".sources") { entries += parse(deb822: text(parts.appending(name))) }
        }
        let wanted = [codename, "stable", "oldstable", "testing", "unstable", "sid"]
        let fitting = entries.first { entry in
            entry.components.contains("main") && entry.suites.contains { wanted.contains($0) }
        }
        guard let fitting else {
            throw StepError(
                "\(configuration) has no entry for Debian's main archive of \(codename)",
                help: "add one (see sources.list(5)); packages and sources are fetched from where it points")
        }
        return fitting
    }

    private static func text(_ path: FilePath) -> String {
        (try? WorkFiles.readText(path)) ?? ""
    }

    /// The `NAME=value` lines of os-release(5), without quotes.
    private static func releaseFacts(_ text: String) -> [String: String] {
        var facts: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            facts[String(line[..<equals])] = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
        }
        return facts
    }
}
