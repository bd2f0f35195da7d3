import Diagnostics
import ELFModel

/// What the patch did to one object: what became of every item, with the evidence.
package struct ChangeSet: Sendable {
    package enum Status: String, Sendable, Equatable, Codable {
        case same, changed
        /// No twin in the original.
        case new
    }

    /// One item of the patched object.
    package struct Record: Sendable {
        package let item: PatchedItem
        /// Which item of the original it is; nil for a new one.
        package let twin: Twin?
        /// What has no name is the same: it counts through those who refer to it.
        package let status: Status
        /// Where the source declares it, as far as debug info says.
        package let location: SourceLocation?
        /// For a changed one, what differs first.
        package let difference: Difference?
    }

    /// A static local, as the source has it.
    package struct StaticLocal: Sendable, Equatable {
        package var name: String
        package var function: String
        /// The file that declares it.
        package var file: String?
    }

    /// What debug info says of the source of one side.
    package struct SourceNames<Side: ComparisonSide>: Sendable {
        /// Of all functions, also of those that were inlined everywhere.
        package var functions: Set<String> = []
        package var staticLocals: [Item<Side>.ID: StaticLocal] = [:]
    }

    package let object: ObjectID
    /// Its main source file, relative to `xen/`.
    package let source: String
    /// The original's main source file, where the patch renamed it.
    package let originalSource: String?
    package let original: ObjectGraph<OriginalSide>
    package let patched: ObjectGraph<PatchedSide>
    /// For each item of the patched object, in its order.
    package let records: [Record]
    /// Items of the original that have no twin: functions and variables only.
    package let removed: [OriginalItem.ID]
    package let diagnostics: [Diagnostic]
    /// What the sources call things, before and after.
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

    /// The item of the original that a patched item is.
    package func twin(of id: PatchedItem.ID) -> OriginalItem? { self[id].twin.map { original[$0.original] } }

    /// The patched item that an item of the original became.
    package func successor(of id: OriginalItem.ID) -> Record? { successors[id].map { self[$0] } }

    /// Where the source has an item, or at least the file that it is in.
    package func location(of id: PatchedItem.ID) -> SourceLocation { self[id].location ?? SourceLocation(file: source) }

    /// The changed functions that run after boot, cold parts among them.
    package var changedFunctions: [Record] {
        records.filter { $0.item.kind == .function && $0.item.role == .code && $0.status == .changed }
    }

    /// Whether nothing that runs or is used after boot differs.
    package var isUnchanged: Bool { changedFunctions.isEmpty && !diagnostics.contains { $0.severity == .error } }

    /// The original's item that the patched object of `below` is: both are of one file.
    ///
    /// What payloads below changed is a comparison of the hypervisor's own source with the source that runs, and the latter is
    /// the original of the next comparison.
    package func record(ofOriginal id: OriginalItem.ID, inPatchedOf below: ChangeSet) -> Record? {
        below.records.indices.contains(id.index) ? below.records[id.index] : nil
    }

    /// The same comparison, with some functions taken for changed: what a payload of them would be.
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
