import SystemPackage

/// Compiles candidates on both sides, a bounded number at a time.
struct PairCompiler: Sendable {
    let compiler: ObjectCompiler
    let original: PreparedTree
    let patched: PatchedTree

    struct Outcome: Sendable {
        /// Sorted by name.
        var pairs: [ObjectPair] = []
        var compiled = 0
        var fromCache = 0
        /// All files that the objects of the pairs were made from, relative to `xen/`.
        var read: Set<String> = []
    }

    private struct One: Sendable {
        /// nil when the compiler says that the object does not depend on any changed file.
        var pair: ObjectPair?
        var compiled = 0
        var fromCache = 0
        var read: Set<String> = []

        mutating func add(_ result: ObjectCompiler.Result) {
            if result.wasCached { fromCache += 1 } else { compiled += 1 }
            read.formUnion(result.entry.dependencies)
        }
    }

    func compile(
        _ candidates: [AffectedObjects.Candidate], jobs: Int, progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> Outcome {
        var outcome = Outcome()
        let total = candidates.count
        progress(BuildProgress(.compiling, done: 0, total: total))
        try await withThrowingTaskGroup(of: One.self) { group in
            var waiting = candidates.makeIterator(), done = 0
            for _ in 0..<jobs {
                if let next = waiting.next() { group.addTask { try await compile(next) } }
            }
            while let one = try await group.next() {
                done += 1
                progress(BuildProgress(.compiling, done: done, total: total))
                outcome.compiled += one.compiled
                outcome.fromCache += one.fromCache
                if let pair = one.pair {
                    outcome.pairs.append(pair)
                    outcome.read.formUnion(one.read)
                }
                if let next = waiting.next() { group.addTask { try await compile(next) } }
            }
        }
        outcome.pairs.sort { $0.name < $1.name }
        return outcome
    }

    private func compile(_ candidate: AffectedObjects.Candidate) async throws -> One {
        var one = One()
        guard let command = candidate.patched ?? candidate.original else { return one }
        var pair = ObjectPair(
            name: candidate.name, source: command.source, sourceAsCompiled: command.sourceAsCompiled,
            isInitOnly: command.isInitOnly, original: nil, patched: nil)
        // Of single sources few objects are in doubt, and most of them for a name alone; of headers nearly all that are in doubt read them.
        if let command = candidate.original, !candidate.isCertain, original.depth == .headers,
            try await compiler.files(readFor: command, top: original.top, side: "original").isDisjoint(with: patched.changed)
        { return one }
        if let command = candidate.original {
            let result = try await compiler.compile(command, treeKey: original.key, top: original.top, side: "original")
            one.add(result)
            // Only a changed file that the compiler read can change what it makes.
            if !candidate.isCertain && result.entry.dependencies.isDisjoint(with: patched.changed) { return one }
            pair.original = result.entry.object
        }
        if let command = candidate.patched {
            let result = try await compiler.compile(command, treeKey: patched.key, top: patched.top, side: "patched")
            one.add(result)
            pair.patched = result.entry.object
        }
        one.pair = pair
        return one
    }
}
