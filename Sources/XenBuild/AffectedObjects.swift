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
    init(original: PreparedTree, patched: PatchedTree, graph: IncludeGraph) throws {
        guard !patched.changed.isEmpty || patched.wasPrepared else { return }
        let reach = try graph.reaching(patched.changed, alsoAsIn: patched.top.appending("xen"))
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
}
