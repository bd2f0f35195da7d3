import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenBuild
import XenVersions

/// Compares objects, each with its other compilation.
package struct ObjectComparer: Sendable {
    package var architecture: any TargetArchitecture
    /// Decides the layout of special sections.
    package var version: XenVersion
    /// What the names of the payload format's hook sections begin with.
    package var hooksPrefix: String

    package init(architecture: any TargetArchitecture, version: XenVersion, hooksPrefix: String) {
        (self.architecture, self.version, self.hooksPrefix) = (architecture, version, hooksPrefix)
    }

    /// Compares two compilations of one object, and checks what only machine code and types tell of it. nil stands for one that does not
    /// exist, and is compared as an empty one.
    ///
    /// - Parameters:
    ///   - name: as the build calls the object; `source` is its main source file.
    /// - Throws: what reading debug info throws; `CancellationError`.
    package func compare(_ original: ObjectFile?, _ patched: ObjectFile?, name: String, source: String) throws -> ChangeSet {
        var changes = compareObjects(
            objectName: name, source: source, original: try ObjectToCompare(original, architecture: architecture),
            patched: try ObjectToCompare(patched, architecture: architecture), architecture: architecture, xenVersion: version,
            hooksPrefix: hooksPrefix)
        let paths = ObjectPaths(original: original?.path, patched: patched?.path)
        try checkAddressesOfConstants(&changes, architecture: architecture) { try paths.prototypes($0) }
        try checkTypesOfVariables(&changes) { try paths.types($0, withUses: true) }
        return changes
    }

    /// Compares the types of all objects, and adds what there is to say to their change sets.
    ///
    /// - Parameters:
    ///   - objects: where they are, in the order of `changes`.
    ///   - allowed: types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
    ///   - bootOnly: names of objects all of which runs at boot only.
    package func compareTypes(
        _ changes: inout [ChangeSet], of objects: [ObjectPaths], allowed: [String] = [], bootOnly: Set<String> = []
    ) throws -> [LayoutChange] {
        try compareLayouts(&changes, allowed: allowed, bootOnly: bootOnly) { try objects[$0].types($1, withUses: $2) }
    }
}

extension ObjectComparer {
    /// Reads and compares the objects of a pair.
    func compare(_ pair: ObjectPair) throws -> ChangeSet {
        var changes = try compare(pair.original.map(ObjectFile.init), pair.patched.map(ObjectFile.init), name: pair.name, source: pair.source)
        changes.originalSource = pair.originalSource
        if pair.patched == nil {
            changes.diagnostics.append(
                Diagnostic(
                    .objectVanished, .note, location: SourceLocation(file: pair.source),
                    message: "\(pair.name) is no longer built: its code stays in the hypervisor, for whoever still refers to it"))
        }
        return changes
    }

    /// Compares the types of all pairs; see `compareTypes(_:of:allowed:bootOnly:)`.
    func compareTypes(_ changes: inout [ChangeSet], of pairs: [ObjectPair], allowed: [String]) throws -> [LayoutChange] {
        try compareTypes(
            &changes, of: pairs.map { ObjectPaths(original: $0.original, patched: $0.patched) }, allowed: allowed,
            bootOnly: Set(pairs.filter(\.isInitOnly).map(\.name)))
    }
}
