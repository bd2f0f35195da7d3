import SourcePatch
import SystemPackage

extension BuildOutcome {
    /// Makes the same outcome for an original that is the tree with the patches that run already, not the tree itself.
    ///
    /// `self` is the outcome of all patches together. For each object, the result of all patches is compared with the result of the
    /// running patches. That includes objects that the new patches change back to their state in the tree.
    ///
    /// - Parameters:
    ///   - running: the first patches of the series that `self` was built from. If it has no files, the result is `self`.
    ///   - request: the request that `self` was built from.
    /// - Throws: the same errors as `buildObjectPairs`.
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
        result.shiftsLinesBelow = first.shiftsLines
        result.compiled += first.compiled
        result.fromCache += first.fromCache
        result.uses = uses.joined(with: first.uses)
        result.pairs = first.pairs.map { stage in
            guard var pair = whole.removeValue(forKey: stage.name) else {
                // All patches together do not affect it, so it is again as in the tree.
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
