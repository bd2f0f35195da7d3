import DebugInfo
import Diagnostics
import ELFModel
import TargetArchitecture
import XenVersions

/// What the patch did to one object: every item's fate, with the evidence.
package struct ChangeSet: Sendable {
    package enum Status: String, Sendable, Equatable, Codable {
        case same, changed
        /// No twin in the original.
        case new
    }

    /// A static local, as the source has it.
    package struct StaticLocal: Sendable, Equatable {
        package var name: String
        package var function: String
        /// The file that declares it.
        package var file: String?
    }

    /// What debug info says of the source of one side.
    package struct SourceNames: Sendable, Equatable {
        /// Of all functions, also of those that were inlined everywhere.
        package var functions: Set<String> = []
        /// By item.
        package var staticLocals: [Int: StaticLocal] = [:]
    }

    /// As the build calls it: `common/kernel.o`.
    package var objectName: String
    /// Its main source file, relative to `xen/`.
    package var source: String
    /// The original's main source file, where it has another name; nil is the same.
    package var originalSource: String?
    package var original: ObjectGraph
    package var patched: ObjectGraph
    package var twins: Correlation
    /// For each item of the patched object. What has no name is the same: it counts through those who refer to it.
    package var status: [Status]
    /// For each item of the patched object, where the source declares it, as far as debug info says.
    package var locations: [SourceLocation?]
    /// Items of the original that have no twin: functions and variables only.
    package var removed: [Int]
    package var diagnostics: [Diagnostic]
    /// What the sources call things, before and after.
    package var originalNames = SourceNames()
    package var patchedNames = SourceNames()

    /// The changed functions that run after boot, as indices of patched items.
    package var changedFunctions: [Int] {
        patched.items.indices.filter {
            patched.items[$0].kind == .function && patched.items[$0].role == .code && status[$0] == .changed
        }
    }

    /// Whether nothing that runs or is used after boot differs.
    package var isUnchanged: Bool { changedFunctions.isEmpty && !diagnostics.contains { $0.severity == .error } }
}

/// One object as compiled from both sources, with its debug info.
package struct ObjectToCompare: Sendable {
    package var file: ELFFile
    package var debug: DebugInfo

    package init(file: ELFFile, debug: DebugInfo) {
        self.file = file
        self.debug = debug
    }
}

/// Compares two compilations of one object, function by function and variable by variable.
///
/// - Parameters:
///   - objectName: as the build calls it; `source` is its main source file.
///   - xenVersion: decides the layout of the special tables.
///   - hooksPrefix: what the names of the payload format's hook sections begin with.
/// - Returns: what changed. What can't be live-patched is among its diagnostics, as errors; it never throws away a difference.
package func compareObjects(
    objectName: String, source: String, original: ObjectToCompare, patched: ObjectToCompare,
    architecture: any TargetArchitecture, xenVersion: XenVersion, hooksPrefix: String
) -> ChangeSet {
    let roles = SectionRoles(
        tables: architecture.specialTables(of: xenVersion), hooksPrefix: hooksPrefix,
        useless: architecture.uselessSections)
    guard [original, patched].allSatisfy({ $0.file.header.machine == architecture.machine }) else {
        return compareForeign(objectName: objectName, source: source, original: original, patched: patched, roles: roles)
    }
    func explained(_ object: ObjectToCompare) -> ExplainedGraph {
        ExplainedGraph(
            graph: ObjectGraph(objectName: objectName, file: object.file, architecture: architecture, roles: roles),
            debug: object.debug)
    }
    let (a, b) = (explained(original), explained(patched))
    let twins = correlate(a, b)
    var comparison = Comparison(original: a.graph, patched: b.graph, twins: twins, architecture: architecture)

    let locations = b.graph.items.indices.map { b.location($0) }
    var classifier = Classifier(
        objectName: objectName, source: source, original: a, patched: b, twins: twins, roles: roles, locations: locations)
    classifier.classify(with: &comparison)
    return ChangeSet(
        objectName: objectName, source: source, original: a.graph, patched: b.graph, twins: twins, status: classifier.status,
        locations: locations, removed: classifier.removed, diagnostics: classifier.diagnostics, originalNames: a.sourceNames,
        patchedNames: b.sourceNames)
}

/// An object for another machine is no part of the hypervisor's own code: x86 boots in 32-bit code, which the build puts into
/// the 64-bit hypervisor as a block of bytes (`xen/arch/x86/boot`), and never comes back to it.
private func compareForeign(
    objectName: String, source: String, original: ObjectToCompare, patched: ObjectToCompare, roles: SectionRoles
) -> ChangeSet {
    let sections = AssemblyComparison(original: original.file, patched: patched.file, roles: roles).differingSections()
    var diagnostics: [Diagnostic] = []
    if !sections.isEmpty || original.file.header.machine != patched.file.header.machine {
        diagnostics.append(
            Diagnostic(
                .initOnlyChange, .warning, location: SourceLocation(file: source),
                message: "\(objectName) changed, which is for another machine (ELF machine \(patched.file.header.machine)): it runs at boot only and is never live-patched"))
    }
    func nothing(_ object: ObjectToCompare) -> ObjectGraph {
        ObjectGraph(objectName: objectName, fileSymbol: "", file: object.file, items: [], oddities: [])
    }
    return ChangeSet(
        objectName: objectName, source: source, original: nothing(original), patched: nothing(patched), twins: Correlation(),
        status: [], locations: [], removed: [], diagnostics: diagnostics)
}
