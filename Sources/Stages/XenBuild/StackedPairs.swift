import SourcePatch
import SystemPackage

extension BuildOutcome {
    /// The same for an original that is not the tree itself, but the tree with the patches that run already.
    ///
    /// `self` came of all patches together. What it has of each object with all patches is compared with what the
    /// running patches make of it; an object that the new patches bring back to what the tree has is among them.
    ///
    /// - Parameters:
    ///   - running: the first patches of the series that `self` came of; without files the result is `self`.
    ///   - request: what `self` came of.
    /// - Throws: as `buildObjectPairs`.
    package func beginning(
        at running: AppliedPatch, of request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> BuildOutcome {
        guard !running.files.isEmpty else { return self }
        var request = request
        request.patch = running
        let first = try await buildObjectPairs(request, progress: progress)
        var whole: [String: ObjectPair] = [:]
        for pair in pairs { whole[pair.name] = pair }

        var result = self
        result.below = first.pairs
        result.compiled += first.compiled
        result.fromCache += first.fromCache
        result.pairs = first.pairs.map { stage in
            guard var pair = whole.removeValue(forKey: stage.name) else {
                // Not concerned by all patches together: it is as in the tree again.
                var pair = stage
                (pair.original, pair.patched) = (stage.patched, stage.original)
                return pair
            }
            pair.original = stage.patched
            return pair
        }
        result.pairs += whole.values
        result.pairs.sort { $0.name < $1.name }
        return result
    }
}
