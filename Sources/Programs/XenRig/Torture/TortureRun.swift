import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// Tries the program with random patches.
package struct TortureRun: Sendable {
    package var seed: UInt64
    package var count: Int
    package var base: TortureTree.Base
    package var debug: Bool
    package var machine: TargetMachine
    /// The only case to run; nil for all.
    package var only: Int?
    /// How many failures are reduced.
    package var reductions = 3
    /// The kinds of change.
    package var kinds = TortureMutation.allCases
    package var program: FilePath
    package var fixtures: FilePath
    package var cache: FolderCache
    /// The folder for patches that go wrong.
    package var failures: FilePath
    /// The folder for the tree and all that is made of it, which is then kept; nil for a temporary one.
    package var kept: FilePath?
    /// Called with lines for people.
    package var tell: @Sendable (String) -> Void

    /// Files in a tree: as many as make one compilation of each cheap, and enough for names to meet.
    package static let files = 12

    package init(
        seed: UInt64, count: Int, base: TortureTree.Base = .mini, debug: Bool = false, machine: TargetMachine = .x86_64, program: FilePath, fixtures: FilePath,
        cache: FolderCache, failures: FilePath, tell: @escaping @Sendable (String) -> Void
    ) {
        (self.seed, self.count, self.base, self.debug, self.machine, self.program) = (seed, count, base, debug, machine, program)
        (self.fixtures, self.cache, self.failures, self.tell) = (fixtures, cache, failures, tell)
    }

    /// Builds a tree, runs all cases, and reduces those that go wrong.
    ///
    /// - Throws: `StepError` and `WorkFileError` when the tree can't be built or the program can't be started.
    package func run() async throws -> TortureTable {
        let work: FilePath
        if let kept {
            work = kept
            try WorkFiles.remove(kept)
            try WorkFiles.makeFolder(kept)
        } else {
            work = try WorkFiles.makeTemporaryFolder(named: "xsplice-torture")
        }
        defer { if kept == nil { try? WorkFiles.remove(work) } }
        let features = TortureFeatures(machine)
        let trial = try await firstTrial(in: work, features)
        let usable = trial.usable
        if usable.count < Self.files { tell("\(Self.files - usable.count) of \(Self.files) files are not usable") }
        let numbers = only.map { [$0] } ?? Array(0..<count)
        let outcomes = try await inTurns(numbers, limit: 2) { number -> (TortureCase, TortureOutcome, String)? in
            guard let change = TortureCase.random(number, seed: seed, files: usable, kinds: kinds, features: features) else { return nil }
            let (outcome, patch) = try await trial.run(change, breaks: number % 4 == 0)
            if outcome.kind.isFault { tell("case \(number): \(outcome.kind.rawValue): \(outcome.words.first ?? "")") }
            if outcome.noticed == false { tell("case \(number): the judge did not notice that a reference was moved") }
            return (change, outcome, patch)
        }
        var table = TortureTable()
        for (change, outcome, patch) in outcomes.compactMap({ $0 }) {
            table.count(outcome, change.mutations)
            guard outcome.kind.isFault || outcome.kind == .overcautious || outcome.noticed == false || only != nil else { continue }
            try write(change, outcome, patch, as: "\(seed)-\(change.number)")
        }
        // One of each kind: failures of one kind mostly have one cause.
        var reduced: Set<String> = []
        for (change, outcome, _) in outcomes.compactMap({ $0 }).filter({ $0.1.kind.isFault || (only != nil && $0.1.kind == .overcautious) })
        where reduced.count < reductions {
            let words: [Substring] = (outcome.words.first ?? "").split(separator: " ").filter { $0.allSatisfy(\.isLetter) && $0.count > 3 }
            guard reduced.insert("\(outcome.kind.rawValue) \(words.suffix(4))").inserted else { continue }
            try await reduce(change, outcome, in: work)
        }
        return table
    }

    /// The tree of the seed. Files that the compiler does not take are made anew.
    private func firstTrial(in work: FilePath, _ features: TortureFeatures) async throws -> TortureTrial {
        var attempts: [Int: Int] = [:]
        while true {
            do {
                return try await trial(TortureCase.files(seed: seed, count: Self.files, features: features, attempts: attempts), in: work)
            } catch let error as StepError {
                let log = (try? WorkFiles.readText(work.appending("built.log"))) ?? ""
                let rejected = (0..<Self.files).filter { number in
                    log.contains("common/torture_\(number < 10 ? "0" : "")\(number).c:") && (attempts[number] ?? 0) < 3
                }
                guard !rejected.isEmpty else { throw error }
                tell("the compiler does not take files \(rejected.map(String.init).joined(separator: ", ")) of the seed; they are made anew")
                for number in rejected { attempts[number, default: 0] += 1 }
                try WorkFiles.remove(work)
                try WorkFiles.makeFolder(work)
            }
        }
    }

    private func trial(_ files: [TortureFile], in work: FilePath) async throws -> TortureTrial {
        try WorkFiles.makeFolder(work)
        let tree = try await TortureTree.make(files, of: base, debug: debug, for: machine, fixtures: fixtures, cache: cache, in: work)
        return try await TortureTrial(tree: tree, program: program, programCache: work.appending("cache"), work: work.appending("trial"))
    }

    // MARK: Failures

    private func reduce(_ change: TortureCase, _ outcome: TortureOutcome, in work: FilePath) async throws {
        tell("reducing case \(change.number)")
        var reducer = TortureReducer(change, budget: base == .mini ? 80 : 12)
        var last: (outcome: TortureOutcome, patch: String)?
        try await reducer.run { smaller in
            let place = work.appending("reduced")
            defer { try? WorkFiles.remove(place) }
            guard let trial = try? await trial(smaller.originals, in: place) else { return false }
            guard trial.usable.count == smaller.originals.count else { return false }
            let result = try await trial.run(smaller)
            guard result.outcome.kind == outcome.kind else { return false }
            last = result
            return true
        }
        guard let last else { return }
        try write(reducer.change, last.outcome, last.patch, as: "\(seed)-\(change.number)-reduced")
        tell(last.patch)
        for word in last.outcome.words { tell("  \(last.outcome.kind.rawValue): \(word)") }
    }

    private func write(_ change: TortureCase, _ outcome: TortureOutcome, _ patch: String, as name: String) throws {
        let folder = failures.appending(name)
        try WorkFiles.makeFolder(folder)
        for file in change.originals {
            try WorkFiles.write(Array(TortureText.source(file).text.utf8), to: folder.appending("original_\(file.label).c"))
            try WorkFiles.write(Array(TortureText.header(file).text.utf8), to: folder.appending("original_\(file.label).h"))
        }
        try WorkFiles.write(Array(patch.utf8), to: folder.appending("change.patch"))
        let lines =
            ["seed \(seed), case \(change.number), \(machine)\(debug ? ", debug" : "")", "kinds: \(change.mutations.map(\.rawValue).joined(separator: ", "))"]
            + ["outcome: \(outcome.kind.rawValue)"] + outcome.words + outcome.details
        try WorkFiles.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: folder.appending("expect"))
    }
}
