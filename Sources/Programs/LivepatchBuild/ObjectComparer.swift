import DebugInfo
import ObjectDiff
import SystemPackage
import TargetArchitecture
import XenBuild
import XenVersions

/// Compares objects, each with its other compilation, and then the types of all.
package struct ObjectComparer: Sendable {
    private let rules: ComparisonRules

    /// - Parameters:
    ///   - version: decides on the layout of special tables.
    ///   - abi: decides on the names of the sections that hooks are in.
    package init(architecture: any TargetArchitecture, version: XenVersion, abi: PayloadABI) {
        rules = ComparisonRules(architecture: architecture, xen: version, abi: abi)
    }

    /// Compares two compilations of one object. Nil stands for one that does not exist, and is compared as an empty one.
    ///
    /// - Parameters:
    ///   - name: as the build calls the object; `source` is its main source file.
    /// - Throws: what reading debug info throws.
    package func compare(_ original: ObjectFile?, _ patched: ObjectFile?, name: String, source: String) throws -> ChangeSet {
        try compareObjects(
            CompiledPair(
                ObjectID(name), source: source, original: try original?.compiled() ?? .absent(for: rules.architecture),
                patched: try patched?.compiled() ?? .absent(for: rules.architecture)),
            by: rules)
    }

    /// Reads and compares the objects of a pair.
    func compare(_ pair: ObjectPair) throws -> ChangeSet {
        try compareObjects(
            CompiledPair(
                ObjectID(pair.name), source: pair.source, originalSource: pair.originalSource,
                original: try .read(pair.original, for: rules.architecture), patched: try .read(pair.patched, for: rules.architecture)),
            by: rules)
    }

    /// Compares the types of all objects: a new layout concerns all that know the type.
    ///
    /// - Parameters:
    ///   - pairs: where the objects are.
    ///   - allowed: types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
    /// - Throws: what reading types throws; `CancellationError`.
    package func compareTypes(_ changes: [ChangeSet], of pairs: [ObjectPair], allowed: [String] = []) throws -> LayoutComparison {
        let byName = Dictionary(pairs.map { (ObjectID($0.name), $0) }) { first, _ in first }
        return try compareLayouts(changes, allowed: allowed, bootOnly: Set(pairs.filter(\.isInitOnly).map { ObjectID($0.name) })) { object, side, withUses in
            try Task.checkCancellation()
            let path = side == .original ? byName[object]?.original : byName[object]?.patched
            return try path.map { try TypeInfo.read($0, withUses: withUses) } ?? TypeInfo()
        }
    }
}
