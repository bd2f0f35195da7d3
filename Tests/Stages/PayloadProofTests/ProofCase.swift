import Diagnostics
import ELFModel
import LoaderModel
import ObjectDiff
import ObjectFixtures
import PayloadLinker
import PayloadProof
import SystemPackage
import TestTools
import Testing
import XenSource
import XenVersions

/// A payload that was made from small sources, with everything that a proof of it needs.
struct ProofCase: Sendable {
    let target: ObjectFixtures.Target
    let payload: [UInt8]
    let input: ProofInput
    let diagnostics: [Diagnostic]

    /// Compiles originals and patched versions, links the originals into a hypervisor, and makes a payload for it.
    /// - Parameter named: whether the proof gets the objects whose relocations name local variables, from which the payload is made.
    /// - Returns: nil when the linker refuses the change.
    static func makeIfLinked(
        _ sources: [(name: String, original: String, patched: String)], for target: ObjectFixtures.Target = .x86_64, named: Bool = true
    ) async throws -> ProofCase? {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", ["-p", a.appending("plain").string, b.appending("plain").string])
            var originals: [FilePath] = [], sets: [ChangeSet] = [], objects: [ProofObject] = []
            for source in sources {
                let left = try await ObjectFixtures.compile(source.original, name: source.name, for: target, in: a)
                let right = try await ObjectFixtures.compile(source.patched, name: source.name, for: target, in: b)
                originals.append(left)
                sets.append(try ObjectFixtures.compare(left, right, name: source.name, for: target))
                var (before, after) = (left, right)
                if !named {
                    before = try await ObjectFixtures.compile(
                        source.original, name: source.name, for: target, isNamed: false, in: a.appending("plain"))
                    after = try await ObjectFixtures.compile(source.patched, name: source.name, for: target, isNamed: false, in: b.appending("plain"))
                }
                objects.append(
                    ProofObject(
                        name: String(source.name.dropLast()) + "o", source: source.name, original: try ELFFile.read(before, debugSections: false),
                        patched: try ELFFile.read(after, debugSections: false)))
            }
            let image = try await ObjectFixtures.link(originals, for: target, in: folder)
            let running = RunningHypervisor(image)
            let outcome = try linkPayload(
                sets, onto: running, architecture: target.architecture, options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            guard let bytes = outcome.payload?.bytes else { return nil }
            let loaded = loadPayload(bytes, into: running, architecture: target.architecture, abi: .livepatchV2, version: .ofFixtures)
            try #require(loaded.verdict == .accepted)
            let claim = ProofClaim(twins: twins(of: sets), named: Set(outcome.diagnostics.compactMap(\.symbol)))
            let input = ProofInput(
                loaded: loaded, running: running, objects: objects, claim: claim, architecture: target.architecture, abi: .livepatchV2, version: .ofFixtures)
            return ProofCase(target: target, payload: bytes, input: input, diagnostics: outcome.diagnostics)
        }
    }

    static func make(
        _ sources: [(name: String, original: String, patched: String)], for target: ObjectFixtures.Target = .x86_64, named: Bool = true
    ) async throws -> ProofCase {
        try #require(try await makeIfLinked(sources, for: target, named: named))
    }

    static func make(_ original: String, _ patched: String, for target: ObjectFixtures.Target = .x86_64) async throws -> ProofCase {
        try await make([("test.c", original, patched)], for: target)
    }

    private static func twins(of sets: [ChangeSet]) -> [String: [String: ProofClaim.Twin]] {
        Dictionary(
            sets.map { set in
                let twins = set.records.filter { $0.item.isNamed }.compactMap { record in
                    record.twin.map { (record.item.name, ProofClaim.Twin(original: set.original[$0.original].name, evidence: "\($0.evidence)")) }
                }
                return (set.object.name, Dictionary(twins) { first, _ in first })
            }
        ) { first, _ in first }
    }

    func proof(_ change: (inout ProofInput) -> Void = { _ in }) -> Proof {
        var input = input
        change(&input)
        return provePayload(input)
    }
}
