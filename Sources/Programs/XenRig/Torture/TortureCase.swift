/// One random patch: files of the tree before and after.
package struct TortureCase: Sendable {
    package var number: Int
    package var originals: [TortureFile]
    package var patched: [TortureFile]
    package var mutations: [TortureMutation]

    package init(number: Int, originals: [TortureFile], patched: [TortureFile], mutations: [TortureMutation]) {
        (self.number, self.originals, self.patched, self.mutations) = (number, originals, patched, mutations)
    }

    /// The files of a tree. Equal for equal seeds.
    ///
    /// - Parameter attempts: for files that the compiler did not take, by number, how many others were tried.
    package static func files(seed: UInt64, count: Int, features: TortureFeatures, attempts: [Int: Int] = [:]) -> [TortureFile] {
        (0..<count).map { number in
            let random = TortureRandom(seed: seed, number: -1 - number - 1000 * (attempts[number] ?? 0))
            var generator = TortureGenerator(random: random, features: features)
            return generator.file(number)
        }
    }

    /// Changes one or two files by one to three mutations. Equal for equal seeds and numbers.
    ///
    /// - Returns: nil if no mutation has a place in the file.
    package static func random(
        _ number: Int, seed: UInt64, files: [TortureFile], kinds: [TortureMutation] = TortureMutation.allCases, features: TortureFeatures
    ) -> TortureCase? {
        var random = TortureRandom(seed: seed, number: number)
        guard let first = random.pick(files) else { return nil }
        var originals = [first]
        if random.chance(15), let second = random.pick(files), second.number != first.number { originals.append(second) }
        var result = TortureCase(number: number, originals: originals, patched: originals, mutations: [])
        for _ in 0..<(random.chance(50) ? 1 : 2 + random.below(2)) {
            let index = random.below(originals.count)
            // Try kinds until one has a place in this file.
            for _ in 0..<6 {
                guard let kind = random.pick(kinds) else { break }
                var mutator = TortureMutator(random: TortureRandom(seed: random.next()), features: features)
                guard let changed = mutator.apply(kind, to: result.patched[index]) else { continue }
                result.patched[index] = changed
                result.mutations.append(kind)
                break
            }
        }
        return result.mutations.isEmpty || result.originals == result.patched ? nil : result
    }

    /// The pairs of files that differ.
    package var changes: [(original: TortureFile, patched: TortureFile)] { Array(zip(originals, patched)).filter { $0 != $1 } }

    // MARK: What the patch may be refused for

    /// Whether a structure got another layout.
    package var changesLayout: Bool { changes.contains { $0.original.header.members != $0.patched.header.members } }

    /// Whether code of the changed files shows it: a member that is used lies elsewhere. Variables of the structure have another size, which
    /// the judge sees.
    package var showsLayout: Bool {
        changes.contains { original, patched in
            guard original.header.members != patched.header.members else { return false }
            return patched.functions.flatMap(\.body.allStatements).contains { statement in
                guard case .member(let id, _) = statement.kind else { return false }
                let before = original.header.members.firstIndex(of: id)
                return before != nil && before != patched.header.members.firstIndex(of: id)
            }
        }
    }

    /// Static variables of functions that are written before, and read after, with their functions.
    package var keptLocals: [(file: String, function: String, variable: TortureVariable)] {
        changes.flatMap { original, patched in
            let written = Set(original.functions.flatMap(\.body.allStatements).filter(\.writes).compactMap(\.variable))
            return patched.functions.flatMap { function in
                let read = Set(function.body.allStatements.filter(\.reads).compactMap(\.variable))
                return function.body.allVariables.filter { $0.isWritable && written.contains($0.id) && read.contains($0.id) }
                    .map { (patched.source, function.name, $0) }
            }
        }
    }

    /// Kinds of change after which the program may not be sure which variable is which, or what a writable variable would hold.
    private static let doubtful: Set<TortureMutation> = [
        .localAdded, .localAddedSameName, .localRemoved, .localRenamed, .localsSwapped, .localsReordered, .localMoved, .localsWrapped, .localTypeChanged,
        .blockDoubled, .sectionChanged, .variableResized,
        .initialChanged, .memberAdded, .functionSplit, .functionMoved, .labelsChanged, .linkageChanged,
    ]

    package var isDoubtful: Bool { mutations.contains(where: Self.doubtful.contains) }
}
