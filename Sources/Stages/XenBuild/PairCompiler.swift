import EmittedSource
import SystemPackage

/// Compiles candidates on both sides, with a limit on how many at a time.
struct PairCompiler: Sendable {
    let compiler: ObjectCompiler
    let original: PreparedTree
    let patched: PatchedTree
    let sparing: ObjectSparing

    struct Outcome: Sendable {
        /// Sorted by name.
        var pairs: [ObjectPair] = []
        var compiled = 0
        var fromCache = 0
        /// All files that the affected objects were made from, relative to `xen/`.
        var read: Set<String> = []
        /// Sorted by name.
        var decisions: [ObjectDecision] = []
        /// The objects that were made from each changed file, compared or found to have the same source.
        var readers: [String: Set<String>] = [:]
    }

    fileprivate struct One: Sendable {
        var decision: ObjectDecision?
        /// nil when the object depends on no changed file, or when both of its preprocessed sources are the same.
        var pair: ObjectPair?
        var compiled = 0
        var fromCache = 0
        var read: Set<String> = []

        mutating func add(_ result: ObjectCompiler.Result) {
            if result.wasCached { fromCache += 1 } else { compiled += 1 }
            read.formUnion(result.entry.dependencies)
        }
    }

    /// How many uncertain candidates are preprocessed and compared first, to find out whether that pays for the others.
    ///
    /// It takes about a quarter of the time of the compiles that it may save.
    private static let sampleSize = 8
    /// It pays if one in so many is spared.
    private static let worth = 2

    func compile(
        _ candidates: [AffectedObjects.Candidate], jobs: Int, progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> Outcome {
        // Spread the sample over all candidates, because neighbours in a folder are alike. The choice is the same in every run.
        let inDoubt = candidates.filter { !$0.isCertain && $0.original != nil && $0.patched != nil }
        let step = max(1, inDoubt.count / Self.sampleSize)
        let sample = stride(from: 0, to: inDoubt.count, by: step).prefix(Self.sampleSize).map { inDoubt[$0] }
        let names = Set(sample.map(\.name)), others = candidates.filter { !names.contains($0.name) }

        progress(BuildProgress(.compiling, done: 0, total: candidates.count))
        func compile(_ part: [AffectedObjects.Candidate], preprocessFirst: Bool, before: Int) async throws -> [One] {
            try await inParallel(
                part, limit: jobs, done: { progress(BuildProgress(.compiling, done: before + $0, total: candidates.count)) }
            ) { try await self.compile($0, preprocessFirst: preprocessFirst) }
        }
        let first = try await compile(sample, preprocessFirst: sparing != .none, before: 0)
        let pays = sparing != .none && first.count { $0.pair == nil } * Self.worth >= first.count
        let all = try await first + compile(others, preprocessFirst: pays, before: first.count)
        return try await withRepresentatives(all, of: sample + others).reduce(into: Outcome()) { outcome, one in
            outcome.compiled += one.compiled
            outcome.fromCache += one.fromCache
            outcome.read.formUnion(one.read)
            if let decision = one.decision {
                outcome.decisions.append(decision)
                for path in one.read where patched.changed.contains(path) { outcome.readers[path, default: []].insert(decision.object) }
            }
            if let pair = one.pair { outcome.pairs.append(pair) }
        }.sorted()
    }

    /// - Parameter preprocessFirst: whether to compare preprocessed sources before compiling, if they may be the same.
    private func compile(_ candidate: AffectedObjects.Candidate, preprocessFirst: Bool) async throws -> One {
        if !candidate.isCertain {
            let stored = candidate.original.flatMap { compiler.stored($0, treeKey: original.key, top: original.top) }
            // The result can differ only if the compiler reads a changed file.
            if let stored, stored.dependencies.isDisjoint(with: patched.changed) { return One(sparing: candidate, because: .readsNoneOfThem) }
            if preprocessFirst, let one = try await spared(candidate) { return one }
        }
        return try await compilePair(candidate)
    }

    private func compilePair(_ candidate: AffectedObjects.Candidate) async throws -> One {
        guard let command = candidate.patched ?? candidate.original else { return One() }
        var one = One()
        var pair = ObjectPair(
            name: candidate.name, source: command.source, sourceAsCompiled: command.sourceAsCompiled,
            isInitOnly: command.isInitOnly, original: nil, patched: nil)
        if let command = candidate.original {
            let result = try await compiler.compile(command, treeKey: original.key, top: original.top, side: "original")
            if !candidate.isCertain && result.entry.dependencies.isDisjoint(with: patched.changed) { return One(counting: result, of: candidate) }
            one.add(result)
            pair.original = result.entry.object
        }
        if let command = candidate.patched {
            let result = try await compiler.compile(command, treeKey: patched.key, top: patched.top, side: "patched")
            one.add(result)
            pair.patched = result.entry.object
        }
        one.pair = pair
        one.decision = ObjectDecision(object: candidate.name, reason: reason(for: candidate, read: one.read))
        return one
    }

    /// The same, with one object compiled for each changed file that only objects read which emit nothing of what differs: otherwise nobody
    /// would see that the file does not compile.
    ///
    /// - Parameter candidates: in the order of `all`.
    private func withRepresentatives(_ all: [One], of candidates: [AffectedObjects.Candidate]) async throws -> [One] {
        var all = all
        for file in patched.changed.sorted() {
            let readers = all.indices.filter { all[$0].read.contains(file) }
            let unseen = readers.filter { all[$0].decision?.reason == .withoutEffect }
            guard !unseen.isEmpty, !readers.contains(where: { all[$0].pair != nil }),
                let chosen = unseen.min(by: { candidates[$0].name < candidates[$1].name })
            else { continue }
            var one = try await compilePair(candidates[chosen])
            one.decision = ObjectDecision(object: candidates[chosen].name, reason: .standsForReaders(of: file))
            all[chosen] = one
        }
        return all
    }

    /// Why a candidate was compiled.
    private func reason(for candidate: AffectedObjects.Candidate, read: Set<String>) -> ObjectDecision.Reason {
        guard let before = candidate.original else { return .added }
        guard let after = candidate.patched else { return .removed }
        if let source = [after.source, after.sourceAsCompiled].first(where: patched.changed.contains) { return .source(source) }
        return before == after ? .reads(read.intersection(patched.changed).sorted()) : .command
    }

    /// The decision about a candidate that need not be compiled: it reads none of the changed files, its preprocessed source is the same, or
    /// what differs in that makes no difference to the object.
    ///
    /// - Returns: nil when it has to be compiled, or has been.
    private func spared(_ candidate: AffectedObjects.Candidate) async throws -> One? {
        guard let before = candidate.original, let after = candidate.patched, !after.storesLines else { return nil }
        let known = (
            compiler.knownSource(before, treeKey: original.key, top: original.top), compiler.knownSource(after, treeKey: patched.key, top: patched.top)
        )
        // A second run decides as the first did, or its report would be another one.
        let isDecided = known.0 != nil && known.1 != nil
        guard isDecided || compiler.stored(after, treeKey: patched.key, top: patched.top) == nil, let old = try await source(before, .original, known: known.0)
        else { return nil }
        if old.source.read.isDisjoint(with: patched.changed) { return One(sparing: candidate, because: .readsNoneOfThem) }
        guard let new = try await source(after, .patched, known: known.1) else { return nil }
        var one: One
        if new.source.text == old.source.text {
            one = One(sparing: candidate, because: .sameText)
        } else if try await isWithoutEffect(before, old, after, new) {
            one = One(sparing: candidate, because: .withoutEffect)
        } else {
            return nil
        }
        one.read = old.source.read.union(new.source.read)
        return one
    }

    private enum Side: String { case original, patched }

    private func source(_ command: ObjectCommand, _ side: Side, known: ObjectCompiler.Preprocessed?) async throws -> ObjectCompiler.Preprocessed? {
        if let known { return known }
        return try await preprocess(command, side)
    }

    private func preprocess(_ command: ObjectCommand, _ side: Side) async throws -> ObjectCompiler.Preprocessed? {
        switch side {
        case .original: try await compiler.preprocess(command, treeKey: original.key, top: original.top, side: side.rawValue)
        case .patched: try await compiler.preprocess(command, treeKey: patched.key, top: patched.top, side: side.rawValue)
        }
    }

    /// Whether it can be shown that nothing that the compiler emits uses what differs in the preprocessed source.
    private func isWithoutEffect(
        _ before: ObjectCommand, _ old: ObjectCompiler.Preprocessed, _ after: ObjectCommand, _ new: ObjectCompiler.Preprocessed
    ) async throws -> Bool {
        guard sparing == .withoutEffect, before.command == after.command, after.isCompiled, !after.mayEmitUnused, compiler.toolchain.isTriedForSparing else {
            return false
        }
        let texts = (old.source.text, new.source.text)
        if let verdict = compiler.knownVerdict(after, treeKey: patched.key, top: patched.top, on: texts) { return verdict }
        guard let one = try await parts(before, old, .original), let other = try await parts(after, new, .patched) else { return false }
        let verdict = SourceDifference.isWithoutEffect(one, other)
        try compiler.keep(verdict: verdict, after, treeKey: patched.key, top: patched.top, on: texts)
        return verdict
    }

    private func parts(_ command: ObjectCommand, _ known: ObjectCompiler.Preprocessed, _ side: Side) async throws -> SourceParts? {
        var output = known.output
        if output == nil { output = try await preprocess(command, side)?.output }
        return output.flatMap { SourceParts($0, top: Array((side == .original ? original.top : patched.top).string.utf8)) }
    }
}

extension PairCompiler.One {
    /// For an object that was compiled and turned out to read none of the changed files.
    fileprivate init(counting result: ObjectCompiler.Result, of candidate: AffectedObjects.Candidate) {
        self.init(sparing: candidate, because: .readsNoneOfThem)
        add(result)
        read = []
    }

    fileprivate init(sparing candidate: AffectedObjects.Candidate, because reason: ObjectDecision.Reason) {
        decision = ObjectDecision(object: candidate.name, reason: reason)
    }
}

extension PairCompiler.Outcome {
    fileprivate consuming func sorted() -> Self {
        pairs.sort { $0.name < $1.name }
        decisions.sort { $0.object < $1.object }
        return self
    }
}
