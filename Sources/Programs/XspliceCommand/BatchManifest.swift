import Diagnostics
import FoundationEssentials
import LivepatchBuild
import SystemPackage
import WorkFiles

/// The input of `batch`: fixes for hypervisors. Read from JSON; relative paths start in the manifest's own folder.
struct BatchManifest: Sendable, Equatable {
    /// A running hypervisor, and the source that it was built from.
    struct Hypervisor: Sendable, Equatable {
        var name: String
        var source: FilePath
        var targets = BuildOptions.Targets()
        var stack = BuildOptions.Stack()
    }

    struct Fix: Sendable, Equatable {
        var name: String
        /// In the order in which they are applied.
        var patches: [FilePath]
        /// Names of hypervisors; nil means all of them.
        var hypervisors: [String]?
        /// The options of `build` for this fix alone.
        var options = BuildOptions.Fix()
    }

    var hypervisors: [Hypervisor]
    var fixes: [Fix]

    /// - Throws: `UsageError` that names the file, and the place in it.
    static func read(_ path: FilePath) throws -> BatchManifest {
        let bytes = try InputFile.read(path, limit: WorkFiles.textLimit)
        let folder = FilePath(path.removingLastComponent().string)
        // The decoder takes one of two values of a key, and does not say where a text stops being JSON.
        if let fault = JSONFault.find(in: bytes) { throw UsageError("\(path):\(fault.line):\(fault.column): \(fault.text)", help: Self.help) }
        do {
            let file = try JSONDecoder().decode(ManifestFile.self, from: Data(bytes))
            return try file.manifest(below: folder.isEmpty ? "." : folder)
        } catch let error as DecodingError {
            throw UsageError("\(path): \(ManifestFile.describe(error))", help: Self.help)
        } catch let error as UsageError {
            throw UsageError("\(path): \(error.message)", help: error.help ?? Self.help)
        }
    }

    /// Whether a folder can be named so.
    static func isFolderName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || "-_.".utf8.contains(byte)
        }
        return isPlain && !name.isEmpty && name.first != "." && name.first != "-" && name.utf8.count <= 100
    }

    private static let help = "xsplice-build help batch shows what a manifest looks like"

    /// One run of `build`.
    struct Cell: Sendable, Equatable {
        var fix: Fix
        var hypervisor: Hypervisor
        /// The path of this run's folder, relative to the batch's output folder.
        var folder: String { "\(hypervisor.name)/\(fix.name)" }

        /// - Parameter work: the options that all cells share.
        /// - Throws: `UsageError` for impossible options, and for options that don't go together.
        func options(work: BuildOptions.Work) throws(UsageError) -> BuildOptions {
            var payload = BuildOptions.Payload()
            // Name the payload after the fix. Characters that a payload's name can't have become `-`.
            payload.name = PayloadName.name(for: [FilePath(fix.name)])
            return try BuildOptions(
                input: BuildOptions.Input(source: hypervisor.source, patches: fix.patches), targets: hypervisor.targets, stack: hypervisor.stack,
                payload: payload, fix: fix.options, work: work)
        }
    }

    /// All builds: the first fix for all its hypervisors, then the next fix.
    var cells: [Cell] {
        fixes.flatMap { fix in
            hypervisors.filter { fix.hypervisors?.contains($0.name) ?? true }.map { Cell(fix: fix, hypervisor: $0) }
        }
    }
}

/// The manifest as the file has it.
private struct ManifestFile: Decodable {
    struct Hypervisor: Decodable {
        var name, source: String
        var xenSyms, config, arch, crossCompile: String?
        var on, appliedPatches, make: [String]?
        var cumulative: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable { case name, source, xenSyms, config, arch, crossCompile, make, on, appliedPatches, cumulative }
    }

    struct Fix: Decodable {
        var name: String?
        var patches: [String]
        var hypervisors, options: [String]?

        enum CodingKeys: String, CodingKey, CaseIterable { case name, patches, hypervisors, options }
    }

    var hypervisors: [Strict<Hypervisor>]
    var fixes: [Strict<Fix>]

    enum CodingKeys: String, CodingKey, CaseIterable { case hypervisors, fixes }

    init(from decoder: any Decoder) throws {
        try refuseUnknownKeys(in: decoder, known: CodingKeys.allCases.map(\.rawValue))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        hypervisors = try values.decode([Strict<Hypervisor>].self, forKey: .hypervisors)
        fixes = try values.decode([Strict<Fix>].self, forKey: .fixes)
    }

    func manifest(below folder: FilePath) throws(UsageError) -> BatchManifest {
        func path(_ text: String) -> FilePath { folder.pushing(FilePath(text)) }
        var manifest = BatchManifest(
            hypervisors: hypervisors.map { $0.value.hypervisor(path) },
            fixes: fixes.map(\.value).map { one in
                let patches = one.patches.map(path)
                return BatchManifest.Fix(
                    name: one.name ?? patches.first.map { PayloadName.name(for: [$0]) } ?? "", patches: patches, hypervisors: one.hypervisors)
            })
        try check(manifest)
        for (index, fix) in fixes.enumerated() { manifest.fixes[index].options = try options(fix.value.options ?? [], of: index) }
        return manifest
    }

    private func check(_ manifest: BatchManifest) throws(UsageError) {
        let names = manifest.hypervisors.map(\.name)
        try checkNames(names, of: "hypervisors")
        if let index = names.firstIndex(of: BatchFolder.reportName) {
            throw UsageError("hypervisors[\(index)].name: '\(BatchFolder.reportName)' is the name of the batch's report")
        }
        for (index, fix) in manifest.fixes.enumerated() where fix.patches.isEmpty {
            throw UsageError("fixes[\(index)].patches: no patch is named")
        }
        try checkNames(manifest.fixes.map(\.name), of: "fixes")
        for (index, fix) in manifest.fixes.enumerated() {
            if fix.hypervisors?.isEmpty == true {
                throw UsageError(
                    "fixes[\(index)].hypervisors: the list of fix '\(fix.name)' is empty", help: "leave it out: then the fix is for all hypervisors")
            }
            for name in fix.hypervisors ?? [] where !names.contains(name) {
                throw UsageError("fixes[\(index)].hypervisors: no hypervisor of fix '\(fix.name)' is called '\(name)'")
            }
        }
    }

    /// The options of a fix as values.
    private func options(_ words: [String], of index: Int) throws(UsageError) -> BuildOptions.Fix {
        for option in words where option.hasPrefix("-") {
            let name = option.prefix { $0 != "=" }
            guard FixOptions.names.contains(String(name)) else {
                throw UsageError(
                    "fixes[\(index)].options: '\(name)' is not an option of a fix", help: "the options of a fix are \(FixOptions.names.joined(separator: ", "))"
                )
            }
        }
        do {
            return try FixOptions.parse(words).values
        } catch {
            throw UsageError("fixes[\(index)].options: \(FixOptions.message(for: error))", help: "xsplice-build --help lists the options")
        }
    }

    /// Checks the names in a list: they become names of folders.
    private func checkNames(_ names: [String], of list: String) throws(UsageError) {
        if names.isEmpty { throw UsageError("\(list): the list is empty") }
        var seen: Set<String> = []
        for (index, name) in names.enumerated() {
            guard BatchManifest.isFolderName(name) else {
                throw UsageError(
                    "\(list)[\(index)].name: '\(name)' can't name a folder",
                    help: "1 to 100 letters, digits, '.', '_' and '-', and no '.' or '-' at the beginning")
            }
            if !seen.insert(name).inserted { throw UsageError("\(list)[\(index)].name: '\(name)' is there twice") }
        }
    }

    /// The text for an error in the file: `fixes[2].patches: what is wrong`, or without a place if the whole file is wrong.
    static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key]))is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "\(place(context.codingPath))is of another type than it should be"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "is not JSON: \(context.underlyingError.map { "\($0)" } ?? context.debugDescription)"
                : "\(place(context.codingPath))\(context.debugDescription)"
        @unknown default: "\(error)"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        var text = ""
        for key in path {
            if let index = key.intValue { text += "[\(index)]" } else { text += (text.isEmpty ? "" : ".") + key.stringValue }
        }
        return text.isEmpty ? "" : text + ": "
    }
}

extension ManifestFile.Hypervisor {
    /// - Parameter path: turns a path in the manifest into one that this process can use.
    func hypervisor(_ path: (String) -> FilePath) -> BatchManifest.Hypervisor {
        var hypervisor = BatchManifest.Hypervisor(name: name, source: path(source))
        hypervisor.targets.architectures = arch.map(Architectures.list) ?? []
        hypervisor.targets.xenSyms = xenSyms.map { [TargetValue(path($0))] } ?? []
        hypervisor.targets.config = config.map { [TargetValue(path($0))] } ?? []
        hypervisor.targets.makeVariables = make ?? []
        hypervisor.targets.crossCompile = crossCompile.map { [TargetValue(argument: $0) { $0 }] } ?? []
        hypervisor.stack.payloads = (on ?? []).map(path)
        hypervisor.stack.patches = (appliedPatches ?? []).map(path)
        hypervisor.stack.isReplaced = cumulative ?? false
        return hypervisor
    }
}

/// A value that refuses unknown keys: a misspelt key would be an option that is silently left out.
private struct Strict<Value: Decodable & KnowsItsKeys>: Decodable {
    var value: Value

    init(from decoder: any Decoder) throws {
        try refuseUnknownKeys(in: decoder, known: Value.keys)
        value = try Value(from: decoder)
    }
}

private protocol KnowsItsKeys {
    static var keys: [String] { get }
}

extension ManifestFile.Hypervisor: KnowsItsKeys {
    static var keys: [String] { CodingKeys.allCases.map(\.rawValue) }
}

extension ManifestFile.Fix: KnowsItsKeys {
    static var keys: [String] { CodingKeys.allCases.map(\.rawValue) }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private func refuseUnknownKeys(in decoder: any Decoder, known: [String]) throws {
    let values = try decoder.container(keyedBy: AnyKey.self)
    for key in values.allKeys where !known.contains(key.stringValue) {
        throw DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath + [key], debugDescription: "is not known here; there are \(known.joined(separator: ", "))"))
    }
}
