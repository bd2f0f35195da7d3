import Diagnostics
import ELFModel
import TargetArchitecture
import XenVersions

/// What a comparison needs to know about the hypervisor that the objects belong to.
package struct ComparisonRules: Sendable {
    package let architecture: any TargetArchitecture
    let roles: SectionRoles

    /// - Parameters:
    ///   - xen: decides the layout of the special tables.
    ///   - abi: decides the names of the sections for hooks.
    package init(architecture: any TargetArchitecture, xen: XenVersion, abi: PayloadABI) {
        self.architecture = architecture
        roles = SectionRoles(
            tables: architecture.specialTables(of: xen), hooksPrefix: abi.hooksPrefix, useless: architecture.uselessSections)
    }
}

/// Compares two compilations of one object, function by function and variable by variable.
///
/// - Returns: what changed. Its diagnostics include an error for everything that can't be live-patched. No difference is dropped.
/// - Throws: `InputError` when the types or prototypes of an object can't be read.
package func compareObjects(_ pair: CompiledPair, by rules: ComparisonRules) throws -> ChangeSet {
    let architecture = rules.architecture
    guard [pair.original, pair.patched].allSatisfy({ $0.file.header.machine == architecture.machine }) else {
        return compareForeign(pair, by: rules)
    }
    let original = ExplainedGraph<OriginalSide>(pair.object, pair.original, by: rules)
    let patched = ExplainedGraph<PatchedSide>(pair.object, pair.patched, by: rules)

    // Decide which item is which.
    let twins = try correlate(original, patched, lines: pair.lines)
    // From here on each patched item has its twin, if any, with the evidence.

    // Objects made from assembly have labels instead of functions: they are compared section by section.
    let isAssembly = [pair.source, original.graph.fileSymbol, patched.graph.fileSymbol].contains { $0.hasSuffix(".S") || $0.hasSuffix(".s") }
    let outcome = try judgeItems(original, patched, twins: twins, by: rules, isAssembly: isAssembly, source: pair.source)
    // From here on each item has its status. The following steps only read and report.

    let facts = ComparedFacts(pair: pair, original: original, patched: patched, twins: twins, outcome: outcome)
    let lost = try lostValues(facts, byteOrder: architecture.byteOrder)
    var classifier = Classifier(facts, rules: rules, isAssembly: isAssembly, lostValues: lost.variables)
    classifier.classify()
    var diagnostics = outcome.diagnostics + classifier.diagnostics + lost.diagnostics
    diagnostics += isAssembly ? [] : unclearReferences(facts)
    if !isAssembly {
        var comparison = Comparison(original: original.graph, patched: patched.graph, twins: twins, architecture: architecture)
        diagnostics += keptData(facts, &comparison)
    }
    diagnostics += try addressesOfChangedConstants(facts, architecture: architecture)
    diagnostics += try variablesOfOtherTypes(facts)
    if !pair.patched.exists {
        diagnostics.append(
            Diagnostic(
                .objectVanished, .note, location: SourceLocation(file: pair.source),
                message: "the patched tree no longer builds \(pair.object): its code and data stay in the running hypervisor"))
    }
    return ChangeSet(
        pair, original: original.graph, patched: patched.graph, records: outcome.records, removed: outcome.removed, diagnostics: diagnostics,
        originalNames: original.sourceNames, patchedNames: patched.sourceNames)
}

/// An object for another machine is not part of the hypervisor's own code. x86 boots in 32-bit code, which the build puts into the 64-bit
/// hypervisor as a block of bytes (`xen/arch/x86/boot`) and which never runs again after boot.
private func compareForeign(_ pair: CompiledPair, by rules: ComparisonRules) -> ChangeSet {
    let (original, patched) = (pair.original.file, pair.patched.file)
    let sections = AssemblyComparison(original: original, patched: patched, roles: rules.roles).differingSections()
    var diagnostics: [Diagnostic] = []
    if !sections.isEmpty || original.header.machine != patched.header.machine {
        diagnostics.append(
            Diagnostic(
                .initOnlyChange, .warning, location: SourceLocation(file: pair.source),
                message:
                    "\(pair.object) changed, but is for another machine (ELF machine \(patched.header.machine)) and runs at boot only: it is left out"
            ))
    }
    return ChangeSet(
        pair, original: ObjectGraph(empty: pair.object, file: original), patched: ObjectGraph(empty: pair.object, file: patched),
        diagnostics: diagnostics)
}

/// What is known about a pair of objects once their items have been judged; input for the later checks.
struct ComparedFacts {
    let pair: CompiledPair
    let original: ExplainedGraph<OriginalSide>
    let patched: ExplainedGraph<PatchedSide>
    let twins: Correlation
    let outcome: ItemOutcome

    var a: ObjectGraph<OriginalSide> { original.graph }
    var b: ObjectGraph<PatchedSide> { patched.graph }
    var records: [ChangeSet.Record] { outcome.records }

    func status(_ id: PatchedItem.ID) -> ChangeSet.Status { outcome.records[id.index].status }
    func location(_ id: PatchedItem.ID) -> SourceLocation { outcome.records[id.index].location ?? SourceLocation(file: pair.source) }
    /// The original item that a patched item was correlated with; nil if there is none.
    func twin(_ id: PatchedItem.ID) -> OriginalItem? { twins.original(of: id).map { a[$0] } }

    /// Whether a function that runs after boot changed, or is new.
    var hasNewCode: Bool { records.contains(where: \.isNewRuntimeCode) }
}
