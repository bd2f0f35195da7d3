import Diagnostics
import ELFModel

/// What the patch did to one object: the status of every item, with the evidence.
package struct ChangeSet: Sendable {
    package enum Status: String, Sendable, Equatable, Codable {
        case same, changed
        /// It has no twin in the original.
        case new
    }

    /// One item of the patched object.
    package struct Record: Sendable {
        package let item: PatchedItem
        /// The original item that it was correlated with; nil for a new one.
        package let twin: Twin?
        /// `same` for every item without a name: the items that refer to it show its changes.
        package let status: Status
        /// Where the source declares it, if debug info says so.
        package let location: SourceLocation?
        /// For a changed item, what differs first.
        package let difference: Difference?

        /// Whether it is a function that runs after boot and that the hypervisor does not have in this form.
        var isNewRuntimeCode: Bool { item.kind == .function && item.role == .code && status != .same }
    }

    /// A static local variable, as the source names it.
    package struct StaticLocal: Sendable, Equatable {
        package var name: String
        package var function: String
        /// The file that declares it.
        package var file: String?
    }

    /// The names that debug info gives for the source of one side.
    package struct SourceNames<Side: ComparisonSide>: Sendable {
        /// The names of all functions, including those that were inlined everywhere.
        package var functions: Set<String> = []
        package var staticLocals: [Item<Side>.ID: StaticLocal] = [:]
    }

    package let object: ObjectID
    /// Its main source file, relative to `xen/`.
    package let source: String
    /// The original's main source file, if the patch renamed it.
    package let originalSource: String?
    package let original: ObjectGraph<OriginalSide>
    package let patched: ObjectGraph<PatchedSide>
    /// One for each item of the patched object, in the object's order.
    package let records: [Record]
    /// Items of the original that have no twin. Only functions and variables are listed.
    package let removed: [OriginalItem.ID]
    package let diagnostics: [Diagnostic]
    /// The names in the sources, before and after the patch.
    package let originalNames: SourceNames<OriginalSide>
    package let patchedNames: SourceNames<PatchedSide>
    private let successors: [OriginalItem.ID: PatchedItem.ID]

    init(
        _ pair: CompiledPair, original: ObjectGraph<OriginalSide>, patched: ObjectGraph<PatchedSide>, records: [Record] = [],
        removed: [OriginalItem.ID] = [], diagnostics: [Diagnostic], originalNames: SourceNames<OriginalSide> = SourceNames(),
        patchedNames: SourceNames<PatchedSide> = SourceNames()
    ) {
        self.init(
            object: pair.object, source: pair.source, originalSource: pair.originalSource, original: original, patched: patched,
            records: records, removed: removed, diagnostics: diagnostics, originalNames: originalNames, patchedNames: patchedNames)
    }

    private init(
        object: ObjectID, source: String, originalSource: String?, original: ObjectGraph<OriginalSide>, patched: ObjectGraph<PatchedSide>,
        records: [Record], removed: [OriginalItem.ID], diagnostics: [Diagnostic], originalNames: SourceNames<OriginalSide>,
        patchedNames: SourceNames<PatchedSide>
    ) {
        self.object = object
        self.source = source
        self.originalSource = originalSource
        self.original = original
        self.patched = patched
        self.records = records
        self.removed = removed
        self.diagnostics = diagnostics
        self.originalNames = originalNames
        self.patchedNames = patchedNames
        successors = Dictionary(records.compactMap { record in record.twin.map { ($0.original, record.item.id) } }) { first, _ in first }
    }

    package subscript(_ id: PatchedItem.ID) -> Record { records[id.index] }

    /// The original item that a patched item was correlated with; nil if there is none.
    package func twin(of id: PatchedItem.ID) -> OriginalItem? { self[id].twin.map { original[$0.original] } }

    /// The patched item that an original item was correlated with; nil if there is none.
    package func successor(of id: OriginalItem.ID) -> Record? { successors[id].map { self[$0] } }

    /// Where the source declares an item, or at least the file that contains it.
    package func location(of id: PatchedItem.ID) -> SourceLocation { self[id].location ?? SourceLocation(file: source) }

    /// The changed functions that run after boot, including cold parts.
    package var changedFunctions: [Record] {
        records.filter { $0.item.kind == .function && $0.item.role == .code && $0.status == .changed }
    }

    /// Whether everything that runs or is used after boot is unchanged.
    package var isUnchanged: Bool { changedFunctions.isEmpty && !diagnostics.contains { $0.severity == .error } }

    /// The record in `below` for an item of this original. Both must be comparisons of the same object.
    ///
    /// `below` compares the hypervisor's own source with the source that runs now, and the source that runs now is this comparison's
    /// original. So the patched items of `below` have the same ids as the original items here.
    package func record(ofOriginal id: OriginalItem.ID, inPatchedOf below: ChangeSet) -> Record? {
        below.records.indices.contains(id.index) ? below.records[id.index] : nil
    }

    /// The same comparison, but with some functions treated as changed: it shows what a payload with them would be.
    package func treating(asChanged ids: Set<PatchedItem.ID>) -> ChangeSet {
        let records = records.map { record in
            ids.contains(record.item.id)
                ? Record(item: record.item, twin: record.twin, status: .changed, location: record.location, difference: record.difference) : record
        }
        return ChangeSet(
            object: object, source: source, originalSource: originalSource, original: original, patched: patched, records: records,
            removed: removed, diagnostics: diagnostics, originalNames: originalNames, patchedNames: patchedNames)
    }
}
