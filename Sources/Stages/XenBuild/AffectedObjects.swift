import SystemPackage
import WorkFiles

/// Which objects a patch may affect. It may name too many and never too few: an object that is not compiled is a fix
/// that is left out.
struct AffectedObjects: Sendable {
    struct Candidate: Sendable {
        var name: String
        var original: ObjectCommand?
        var patched: ObjectCommand?
        /// True when the object is affected whatever the compiler read: its own source or its command differs.
        var isCertain: Bool
    }

    /// Sorted by name.
    var candidates: [Candidate] = []

    /// - Parameter graph: of the original tree.
    /// - Throws: `MoreIsNeeded` for a tree in which sources of objects are missing that the patch may reach; `WorkFileError`.
    init(original: PreparedTree, patched: PatchedTree, graph: IncludeGraph) throws {
        guard !patched.changed.isEmpty || patched.wasPrepared else { return }
        let reach = try graph.reaching(patched.changed, alsoAsIn: patched.top.appending("xen"))
        if original.depth != .everything { try Self.checkSources(of: original, reached: reach.names, headers: patched.changed) }
        // A file that appears may stand before another of its name, and the old dependencies do not list it.
        let mayShadow = try patched.changed.contains { try WorkFiles.kind(of: original.xen.appending($0)) == nil }
        for name in Set(original.objects.keys).union(patched.objects.keys).sorted() where name != BuildSystemQuirks.configurationCopy {
            let one = original.objects[name], other = patched.objects[name]
            let sources = [one, other].compactMap(\.self).flatMap { [$0.source, $0.sourceAsCompiled] }
            let isReached = !reach.paths.isDisjoint(with: sources)
                || [one, other].compactMap(\.self).contains { !reach.names.isDisjoint(with: $0.forcedIncludes) }
            let isOwn = one != other || !patched.changed.isDisjoint(with: sources)
            guard isOwn || isReached else { continue }
            candidates.append(
                Candidate(
                    name: name, original: one, patched: other,
                    isCertain: isOwn || mayShadow || reach.throughAssembler))
        }
    }

    /// Some sources are made, or linked to, by the very rule that compiles them (`common/efi/efi-common.mk` of Xen 4.17 and later): without
    /// objects they are missing, and so are their includes.
    private static func checkSources(of tree: PreparedTree, reached names: Set<String>, headers changed: Set<String>) throws {
        var everyName: Set<String>?
        for object in tree.objects.values where object.name != BuildSystemQuirks.configurationCopy {
            guard try WorkFiles.kind(of: tree.xen.appending(object.source)) == nil else { continue }
            let name = IncludeGraph.basename(object.source)
            if names.contains(name) { throw MoreIsNeeded("\(object.source), which the patch may reach, is made with its object") }
            // Not even the name tells what it is a link to: any header may be in it.
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
