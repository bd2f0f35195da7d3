import SystemPackage
import WorkFiles

/// The objects that a patch may affect. There may be too many, but never too few: if an object is not compiled, its part of the fix is
/// left out.
struct AffectedObjects: Sendable {
    struct Candidate: Sendable {
        var name: String
        var original: ObjectCommand?
        var patched: ObjectCommand?
        /// Whether the object is affected whatever the compiler reads: its own source or its command differs, or the files that it reads
        /// are not fully known.
        var isCertain: Bool
    }

    /// Sorted by name.
    var candidates: [Candidate] = []

    /// - Parameter graph: the include graph of the original tree.
    /// - Throws: `MoreIsNeeded` if the tree lacks sources of objects that the patch may reach; `WorkFileError`.
    init(original: PreparedTree, patched: PatchedTree, graph: IncludeGraph) throws {
        guard !patched.changed.isEmpty || patched.wasPrepared else { return }
        // Makefiles take effect through commands and generated files, which are compared themselves. No source includes them, not even one
        // with a computed include.
        let includable = patched.changed.filter { !BuildSystemQuirks.isMakefile($0) || graph.names($0) }
        let reach = try graph.reaching(includable, alsoAsIn: patched.top.appending("xen"))
        if original.depth != .everything { try Self.checkSources(of: original, reached: reach.names, headers: patched.changed) }
        // A new file may hide another of the same name, and the old dependencies do not list the new file.
        let mayShadow = try patched.changed.contains { try WorkFiles.kind(of: original.xen.appending($0)) == nil }
        for name in Set(original.objects.keys).union(patched.objects.keys).sorted() where name != BuildSystemQuirks.configurationCopy {
            let one = original.objects[name], other = patched.objects[name]
            let sources = [one, other].compactMap(\.self).flatMap { [$0.source, $0.sourceAsCompiled] }
            let isReached =
                !reach.paths.isDisjoint(with: sources)
                || [one, other].compactMap(\.self).contains { !reach.names.isDisjoint(with: $0.forcedIncludes) }
            let isOwn = one != other || !patched.changed.isDisjoint(with: sources)
            guard isOwn || isReached else { continue }
            candidates.append(
                Candidate(
                    name: name, original: one, patched: other,
                    isCertain: isOwn || mayShadow || reach.throughAssembler || !reach.withUnlistedInput.isDisjoint(with: sources)))
        }
    }

    /// Some sources are made, or linked to, by the same rule that compiles them (`common/efi/efi-common.mk` of Xen 4.17 and later). In a
    /// tree without objects these sources are missing, and so are their includes.
    private static func checkSources(of tree: PreparedTree, reached names: Set<String>, headers changed: Set<String>) throws {
        var everyName: Set<String>?
        for object in tree.objects.values where object.name != BuildSystemQuirks.configurationCopy {
            guard try WorkFiles.kind(of: tree.xen.appending(object.source)) == nil else { continue }
            let name = IncludeGraph.basename(object.source)
            if names.contains(name) { throw MoreIsNeeded("\(object.source), which the patch may reach, is made with its object") }
            // If no source has that name, nothing shows what the missing link will lead to. It may include any header.
            guard changed.contains(where: { $0.hasSuffix(".h") }) else { continue }
            let known = try everyName ?? namesOfSources(tree.xen)
            everyName = known
            guard known.contains(name) else { throw MoreIsNeeded("\(object.source) is made with its object") }
        }
    }

    private static func namesOfSources(_ xen: FilePath) throws -> Set<String> {
        var names: Set<String> = []
        try WorkFiles.walk(xen) { path, kind in
            if case .regular = kind { names.insert(IncludeGraph.basename(path)) }
            return true
        }
        return names
    }
}
