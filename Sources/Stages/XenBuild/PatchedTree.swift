import SourcePatch
import SystemPackage
import WorkFiles

/// The private tree with the patch, ready to compile, and everything that differs in it.
struct PatchedTree: Sendable {
    var key: String
    var top: FilePath
    var objects: [String: ObjectCommand]
    /// Files that differ between the two trees, relative to `xen/`: the patch's files and those made from them.
    var changed: Set<String>
    /// The options of the configuration that the patch changes.
    var changedOptions: [String]
    var readByOthers: Set<String>
    /// Whether make prepared this tree from scratch.
    var wasPrepared: Bool
    /// What the patch changes in the hypervisor's texts about its version.
    var versionChanges: [VersionChange] = []

    /// - Parameters:
    ///   - original: the tree that was prepared without the patch.
    ///   - graph: the original tree's include graph.
    ///   - folder: the folder in which a copy may be made.
    static func make(
        original: PreparedTree, patch: AppliedPatch, graph: IncludeGraph, preparation: TreePreparation, folder: FilePath
    ) async throws -> PatchedTree {
        let paths = Set(patch.files.compactMap { $0.path.hasPrefix("xen/") ? String($0.path.dropFirst(4)) : nil })
        if try !isReadByMake(patch, paths: paths, original: original) {
            let top = folder.appending("tree")
            try WorkFiles.linkFolder(original.top, to: top) { $0.hasPrefix("xen/") && $0.hasSuffix(".o") }
            try patch.write(into: top)
            let reach = try graph.reaching(paths, alsoAsIn: top.appending("xen"))
            let others = original.others.filter { $0.isConcerned(by: paths, reach) }
            if try await preparation.makeTheSame(others, in: [original.top, top], folder: folder.appending("others")) {
                return PatchedTree(
                    key: preparation.key(patch), top: top, objects: original.objects, changed: paths, changedOptions: [],
                    readByOthers: original.readByOthers, wasPrepared: false)
            }
            try WorkFiles.remove(top)
        }
        guard original.depth == .everything else { throw MoreIsNeeded("make decides what becomes of the patch's files") }
        let prepared = try await preparation.prepared(patch: patch, over: original)
        let generated = prepared.generatedFacts
        let facts = try WorkFiles.kind(of: generated) == nil ? nil : preparation.factsChange(original, patched: WorkFiles.read(generated))
        return PatchedTree(
            key: prepared.key, top: prepared.top, objects: prepared.objects,
            changed: try paths.union(differences(original.top, prepared.top)),
            changedOptions: prepared.configuration.differences(from: original.configuration),
            readByOthers: prepared.readByOthers, wasPrepared: true, versionChanges: facts?.changes ?? [])
    }

    /// False only if the patch changes nothing but existing C and assembly files that the compiler alone reads. If the compiler also
    /// makes the same other files from them as before, every generated file and every command stays the same.
    private static func isReadByMake(_ patch: AppliedPatch, paths: Set<String>, original: PreparedTree) throws -> Bool {
        if patch.files.contains(where: { $0.isNew || $0.change == .remove }) { return true }
        if paths.contains(where: BuildSystemQuirks.isReadByBuild) { return true }
        // Any tool may read a header that a makefile names.
        let headers = Set(paths.filter { $0.hasSuffix(".h") }.map(IncludeGraph.basename))
        return try !headers.isEmpty && makefileNames(headers, in: original.xen)
    }

    private static func makefileNames(_ names: Set<String>, in folder: FilePath) throws -> Bool {
        var found = false
        try WorkFiles.walk(folder) { path, kind in
            let name = IncludeGraph.basename(path)
            if case .regular = kind, name.hasPrefix("Makefile") || name.hasSuffix(".mk") {
                let text = String(decoding: try WorkFiles.read(folder, path), as: UTF8.self)
                if names.contains(where: { text.contains($0) }) { found = true }
            }
            return !found
        }
        return found
    }

    /// The files that objects may be made from and that differ between two private trees, as paths relative to `xen/`.
    private static func differences(_ a: FilePath, _ b: FilePath) throws -> Set<String> {
        let left = try sources(a.appending("xen")), right = try sources(b.appending("xen"))
        var result = Set(left.keys).symmetricDifference(right.keys)
        for (path, kind) in left where right[path] != nil {
            guard right[path] == kind else {
                result.insert(path)
                continue
            }
            if case .symbolicLink = kind {
                let target = WorkFiles.moved(try WorkFiles.linkTarget(a.appending("xen").appending(path)), from: a, to: b)
                if try WorkFiles.linkTarget(b.appending("xen").appending(path)) != target { result.insert(path) }
            } else {
                let one = BuildSystemQuirks.essence(of: try WorkFiles.read(a, "xen/\(path)"), at: path)
                let other = BuildSystemQuirks.essence(of: try WorkFiles.read(b, "xen/\(path)"), at: path)
                // A generated file may contain the path where it was made (`cpuid-autogen.h` does).
                if one != other, withPlaceholder(one, for: a) != withPlaceholder(other, for: b) { result.insert(path) }
            }
        }
        return result
    }

    /// The bytes, with each occurrence of the private tree's own path replaced by a zero byte.
    private static func withPlaceholder(_ bytes: [UInt8], for top: FilePath) -> [UInt8] {
        let path = Array(top.string.utf8)
        var result: [UInt8] = [], rest = bytes[...]
        while let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
            result += rest[..<slash]
            rest = rest[slash...]
            if rest.starts(with: path) {
                result.append(0)
                rest = rest.dropFirst(path.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }

    private static func sources(_ xen: FilePath) throws -> [String: FileKind] {
        var result: [String: FileKind] = [:]
        try WorkFiles.walk(xen) { path, kind in
            guard !BuildSystemQuirks.isBuildResidue(path) else { return true }
            switch kind {
            // Sizes may differ because of the private tree's own path. The bytes decide.
            case .regular(_, let executable): result[path] = .regular(size: 0, executable: executable)
            case .symbolicLink: result[path] = kind
            case .folder, .other: break
            }
            return true
        }
        return result
    }
}

extension TreePreparation {
    /// Whether each of these commands makes the same in both trees.
    fileprivate func makeTheSame(_ others: [OtherCommand], in trees: [FilePath], folder: FilePath) async throws -> Bool {
        for (number, other) in others.enumerated() {
            let log = request.logs.appending("others").appending("\(number).log")
            guard try await other.makesTheSame(in: trees, runner: runner, folder: folder, log: log) else { return false }
        }
        return true
    }
}
