import Diagnostics
import ELFModel
import ObjectDiff
import PayloadProof
import Report
import SystemPackage
import WorkFiles
import XenBuild

/// Reads the objects that a proof needs: those that differ, straight from the files.
///
/// - Parameter below: the hypervisor's own objects and those that run, where applied payloads changed them. Names as in `pairs`.
/// - Throws: `InputError`, `WorkFileError`; `CancellationError`.
func proofObjects(_ pairs: [ObjectPair], below: [ObjectPair], jobs: Int) async throws -> [ProofObject] {
    let below = Dictionary(below.map { ($0.name, $0) }) { first, _ in first }
    return try await inParallel(pairs, limit: jobs) { pair in
        try ProofObject(
            name: pair.name, source: pair.originalSource ?? pair.source, original: pair.original, patched: pair.patched, isBootOnly: pair.isInitOnly,
            below: below[pair.name])
    }.compactMap { $0 }
}

extension ProofObject {
    /// Reads all sides of an object. nil if they are the same in memory: then it has nothing to do with the patches.
    ///
    /// - Parameter below: if applied payloads changed the object, what they made of it.
    /// - Throws: `InputError`, `WorkFileError`.
    package init?(
        name: String, source: String? = nil, original: FilePath?, patched: FilePath?, isBootOnly: Bool = false, below: ObjectPair? = nil
    ) throws {
        let (before, after) = (try original.map { try WorkFiles.read($0) }, try patched.map { try WorkFiles.read($0) })
        let linked = try below?.original.map { try WorkFiles.read($0) }
        guard before != after || below != nil && linked != after else { return nil }
        func object(_ bytes: [UInt8]?, _ path: FilePath?) throws -> ELFFile? {
            guard let bytes, let path else { return nil }
            return try ELFFile(bytes: bytes, name: path.string, debugSections: false)
        }
        self.init(
            name: name, source: source, original: try object(before, original), patched: try object(after, patched), isBootOnly: isBootOnly,
            built: try below.map { ProofObject.Built(source: $0.originalSource ?? $0.source, file: try object(linked, $0.original)) })
        if isUnchanged { return nil }
    }
}

extension ProofClaim {
    /// What the build says about its payload: which variable it takes for which, and what it has reported.
    ///
    /// - Parameters:
    ///   - below: what the applied payloads changed, compared with the hypervisor's own source.
    init(_ changes: [ChangeSet], below: [ChangeSet], reported: [Diagnostic], depends: [UInt8]?) {
        let below = Dictionary(below.map { ($0.object, $0) }) { first, _ in first }
        let twins = changes.map { ($0.object.name, Self.twins(in: $0, below: below[$0.object])) }
        self.init(twins: Dictionary(twins) { first, _ in first }, named: Self.names(in: reported), depends: depends)
    }

    private static func twins(in set: ChangeSet, below: ChangeSet?) -> [String: Twin] {
        var result: [String: Twin] = [:]
        let labels = set.patched.innerLabels, labelsBefore = labels.isEmpty ? [:] : set.original.innerLabels
        let labelsBelow = labels.isEmpty ? nil : below?.original.innerLabels
        for record in set.records where record.item.isNamed {
            guard let twin = record.twin else { continue }
            let original = set.original[twin.original]
            let built = below.flatMap { below in set.record(ofOriginal: twin.original, inPatchedOf: below)?.twin.map { below.original[$0.original] } }
            let evidence = twin.evidence.words
            for name in record.item.names {
                let before = original.names.contains(name) ? name : original.name
                let inHypervisor = built.map { $0.names.contains(before) ? before : $0.name }
                result[name] = Twin(original: before, inHypervisor: inHypervisor, evidence: evidence)
            }
            // To the proof, a label of assembly inside an item is a piece of its own.
            for (name, distance) in labels[record.item.id] ?? [:] where labelsBefore[twin.original]?[name] == distance && result[name] == nil {
                let isBuilt = built.map { labelsBelow?[$0.id]?[name] == distance } ?? false
                result[name] = Twin(original: name, inHypervisor: isBuilt ? name : nil, evidence: evidence)
            }
        }
        return result
    }

    /// The symbols that diagnostics are about, and those that their messages quote.
    private static func names(in diagnostics: [Diagnostic]) -> Set<String> {
        Set(
            diagnostics.flatMap { diagnostic in
                let quoted = diagnostic.message.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(
                    \.element)
                return (diagnostic.symbol.map { [$0] } ?? []) + quoted.map(String.init)
            })
    }
}
