import DebugInfo
import ObjectDiff
import SourcePatch
import SystemPackage
import TargetArchitecture
import XenBuild
import XenVersions

/// Compares each patched object with its original, and then the types of all objects.
package struct ObjectComparer: Sendable {
    private let rules: ComparisonRules
    private let history: LineHistory?

    /// - Parameters:
    ///   - version: determines the layout of special tables.
    ///   - abi: determines the names of the sections with hooks.
    ///   - history: which line of the original source became which; nil if nobody knows.
    package init(architecture: any TargetArchitecture, version: XenVersion, abi: PayloadABI, history: LineHistory? = nil) {
        self.history = history
        rules = ComparisonRules(architecture: architecture, xen: version, abi: abi)
    }

    /// Compares the original and the patched compilation of one object. nil means that the object doesn't exist; it is compared as an empty one.
    ///
    /// - Parameters:
    ///   - name: the object's name in the build; `source` is its main source file.
    /// - Throws: the errors of reading debug information.
    package func compare(_ original: ObjectFile?, _ patched: ObjectFile?, name: String, source: String) throws -> ChangeSet {
        try compareObjects(
            CompiledPair(
                ObjectID(name), source: source, original: try original?.compiled() ?? .absent(for: rules.architecture),
                patched: try patched?.compiled() ?? .absent(for: rules.architecture)),
            by: rules)
    }

    /// Reads and compares the objects of a pair.
    ///
    /// - Throws: `UnusableObject`; the errors of reading an object.
    func compare(_ pair: ObjectPair) throws -> ChangeSet {
        try compareObjects(
            CompiledPair(
                ObjectID(pair.name), source: pair.source, originalSource: pair.originalSource,
                original: try .readCode(pair.original, of: pair.name, for: rules.architecture),
                patched: try .readCode(pair.patched, of: pair.name, for: rules.architecture), history: history),
            by: rules)
    }

    /// Compares the types of all objects: a new layout affects every object that uses the type.
    ///
    /// - Parameters:
    ///   - pairs: the paths of the objects.
    ///   - allowed: types whose new layout the user accepts: `struct domain`, or `domain`.
    /// - Throws: the errors of reading types; `CancellationError`.
    package func compareTypes(_ changes: [ChangeSet], of pairs: [ObjectPair], allowed: [String] = []) throws -> LayoutComparison {
        let byName = Dictionary(pairs.map { (ObjectID($0.name), $0) }) { first, _ in first }
        return try compareLayouts(changes, allowed: allowed, bootOnly: Set(pairs.filter(\.isInitOnly).map { ObjectID($0.name) })) { object, side, withUses in
            try Task.checkCancellation()
            let path = side == .original ? byName[object]?.original : byName[object]?.patched
            return try path.map { try TypeInfo.read($0, withUses: withUses) } ?? TypeInfo()
        }
    }
}
