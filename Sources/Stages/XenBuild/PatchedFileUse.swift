/// What the build makes of one file of the patch: into which objects it goes, or why into none.
package struct PatchedFileUse: Sendable, Equatable {
    package enum Way: Sendable, Equatable {
        /// These objects are made from it.
        case objects([String])
        /// These objects are made from files that make makes from it.
        case generated([String])
        /// It decides how these objects are compiled, or that they are.
        case commands([String])
        /// No object of this configuration depends on it. The value is the reason.
        case nothing(String)
        /// Only the last link of the hypervisor reads it.
        case lastLink
    }

    /// Relative to the top of the tree: `xen/common/kernel.c`.
    package var path: String
    package var way: Way

    package init(_ path: String, _ way: Way) {
        self.path = path
        self.way = way
    }
}

extension [PatchedFileUse] {
    /// The uses in two builds of the same objects. A file that is in objects of either is in all of those.
    func joined(with others: [PatchedFileUse]) -> [PatchedFileUse] {
        let byPath = Dictionary(others.map { ($0.path, $0) }) { first, _ in first }, own = Set(map(\.path))
        return map { use in
            guard let other = byPath[use.path] else { return use }
            switch (use.way, other.way) {
            case (.objects(let a), .objects(let b)): return PatchedFileUse(use.path, .objects(Set(a).union(b).sorted()))
            case (.nothing, let way): return PatchedFileUse(use.path, way)
            default: return use
            }
        } + others.filter { !own.contains($0.path) }
    }
}
