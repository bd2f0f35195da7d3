import Diagnostics
import ELFModel
import Report
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// A tree to try patches in: the program, the hypervisor's symbols, and the compiled originals.
package struct TortureTrial: Sendable {
    let tree: TortureTree
    let program: FilePath
    /// The program's own cache.
    let programCache: FilePath
    let work: FilePath
    let hypervisor: HypervisorSymbols
    let compiler: OracleCompiler
    /// The originals that names do not change, by number.
    let originals: [Int: OracleCompiler.Pair]

    /// - Parameter work: a folder for its files; it exists.
    package init(tree: TortureTree, program: FilePath, programCache: FilePath, work: FilePath) async throws {
        (self.tree, self.program, self.programCache, self.work) = (tree, program, programCache, work)
        hypervisor = HypervisorSymbols(try ELFFile.read(tree.build.symbols, debugSections: false))
        let compiler = OracleCompiler(tree: tree, work: work.appending("oracle"))
        self.compiler = compiler
        let pairs = try await inTurns(tree.files, limit: 2) { file in (file.number, try await compiler.compile(file, as: "original-\(file.label)")) }
        originals = Dictionary(pairs.compactMap { number, pair in pair.map { (number, $0) } }) { first, _ in first }
    }

    /// The files that patches may change.
    package var usable: [TortureFile] { tree.files.filter { originals[$0.number] != nil } }

    /// Builds a payload for the patch, and judges it.
    ///
    /// - Parameter breaks: also tries the judge with a broken copy of a payload that is right.
    /// - Returns: the outcome, and the patch.
    package func run(_ change: TortureCase, breaks: Bool = false) async throws -> (outcome: TortureOutcome, patch: String) {
        let folder = work.appending("case-\(change.number)")
        try WorkFiles.remove(folder)
        try WorkFiles.makeFolder(folder)
        defer { try? WorkFiles.remove(folder) }
        let patch = try await TorturePatch.of(change, in: folder)
        guard !patch.text.isEmpty else { return (TortureOutcome(.unusable, ["the text is the same"]), "") }
        guard let judge = try await judge(change, patch) else {
            return (TortureOutcome(.unusable, ["not to be compiled, or names change the code"]), patch.text)
        }
        try WorkFiles.write(Array(patch.text.utf8), to: folder.appending("change.patch"))
        return (try await outcome(of: change, judge, folder, breaks: breaks), patch.text)
    }

    private func judge(_ change: TortureCase, _ patch: TorturePatch) async throws -> TortureJudge? {
        var files: [TortureJudge.File] = []
        for (original, patched) in change.changes {
            let lines = patch.oldLines[original.number] ?? [:]
            guard let before = originals[original.number],
                let after = try await compiler.compile(patched, as: "case-\(change.number)", oldLines: lines)
            else { return nil }
            let owners = original.owners
            let wandered = patched.owners.filter { id, owner in owners[id] != owner }.keys.map(TortureText.label)
            files.append(
                TortureJudge.File(
                    source: original.source,
                    diff: OracleDiff(original: before.named, patched: after.named, twins: patch.twins[original.number] ?? [:]),
                    plainNames: before.plainNames, wandered: Set(wandered), lookalikes: original.lookalikes))
        }
        return TortureJudge(files: files, hypervisor: hypervisor)
    }

    private func outcome(of change: TortureCase, _ judge: TortureJudge, _ folder: FilePath, breaks: Bool) async throws -> TortureOutcome {
        let output = folder.appending("out")
        let arguments = [
            "-s", tree.source.string, "-p", folder.appending("change.patch").string, "-o", output.string, "--xen-syms", tree.build.symbols.string,
            "-c", tree.build.configuration.string, "--cache-dir", programCache.string, "-j", "1", "-q",
        ]
        let result = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .inherit.updating(tree.build.environment), input: .none,
            output: .discarded, error: .string(limit: 1 << 20))
        guard case .exited(let code) = result.terminationStatus else { return TortureOutcome(.failed, ["ended with \(result.terminationStatus)"]) }
        let run = try ChangeOutcome(code: Int(code), output: output, error: result.standardError)
        switch code {
        case 0:
            guard let bytes = run.payload else { return TortureOutcome(.failed, ["exit code 0 without a payload"]) }
            let namesNoFile = (run.report?.diagnostics ?? []).contains { $0.id == .bugFrameWithoutFile }
            let payload = TorturePayload(try ELFFile(bytes: bytes, name: "payload"), for: hypervisor)
            var outcome = try judged(payload, change, judge, namesNoFile: namesNoFile, warnings: run.warnings, breaks: breaks)
            // The compiler puts a variable's initial value in where nothing writes it any more; the running value is lost.
            let warned = (run.report?.diagnostics ?? []).filter { $0.severity != .note }.map { $0.message + ($0.symbol ?? "") }
            for (source, function, variable) in change.keptLocals where judge.isFolded(TortureText.label(variable.id), of: function, in: source) {
                guard !warned.contains(where: { $0.contains(variable.name) }) else { continue }
                outcome.words.append("\(variable.name) of \(function) is not written any more: its running value is lost without a warning")
                outcome.kind = .wrong
            }
            return outcome
        case 3:
            let missed = judge.files.flatMap { file in file.changed.must.sorted().map { "\(file.source): \($0) differs" } }
            return missed.isEmpty ? TortureOutcome(.nothing) : TortureOutcome(.lost, missed)
        case 4:
            let errors = (run.report?.diagnostics ?? []).filter { $0.severity == .error }
            let isRight = change.changesLayout || !judge.changedVariables.isEmpty || judge.hasNewlyWritten
            let isLimit = errors.allSatisfy { knownLimits.contains($0.id.rawValue) }
            var outcome = TortureOutcome(isRight ? .refused : change.isDoubtful || isLimit ? .unsure : .overcautious, errors.map(\.id.rawValue))
            outcome.details = errors.map { "\($0.symbol ?? ""): \($0.message)" }
            return outcome
        default:
            return TortureOutcome(.failed, ["exit code \(code)", result.standardError])
        }
    }

    /// What the program refuses on ARM because it does not analyse the code, or because the hypervisor can't do it in a payload.
    private var knownLimits: Set<String> {
        switch tree.build.machine {
        case .x86_64: []
        case .arm64: ["constant-table-changed"]
        default: ["constant-table-changed", "special-entry-harmful"]
        }
    }

    private func judged(_ payload: TorturePayload, _ change: TortureCase, _ judge: TortureJudge, namesNoFile: Bool, warnings: Set<DiagnosticID>, breaks: Bool)
        throws -> TortureOutcome
    {
        let (saysNew, saysMoved) = (warnings.contains(.variableStartsAnew), warnings.contains(.correlationAmbiguous))
        var faults = judge.faults(of: payload, hasOtherFileNames: namesNoFile, saysMoved: saysMoved)
        // What the running hypervisor holds can't follow. The walk above has seen that a renewed one is the payload's own.
        faults += judge.changedVariables.filter { !($0.mayBeRenewed && saysNew) }.map { "\($0.words), and nothing is refused" }
        if change.showsLayout { faults.append("a structure has another layout, and nothing is refused") }
        var outcome = TortureOutcome(faults.isEmpty ? .right : .wrong, faults)
        if breaks, faults.isEmpty, let broken = payload.file.withOneReferenceMoved {
            let found = judge.faults(of: TorturePayload(broken.file, for: hypervisor), hasOtherFileNames: namesNoFile, saysMoved: saysMoved)
            outcome.noticed = !found.isEmpty
            outcome.details.append("the judge was tried with a reference moved: \(broken.reference)")
        }
        return outcome
    }
}

extension ChangeOutcome {
    fileprivate var warnings: Set<DiagnosticID> { Set((report?.diagnostics ?? []).filter { $0.severity == .warning }.map(\.id)) }
}

extension TortureFile {
    /// The function of each static variable.
    var owners: [Int: Int] {
        Dictionary(functions.flatMap { function in function.body.allVariables.map { ($0.id, function.id) } }) { first, _ in first }
    }
}

extension ELFFile {
    /// A payload with one reference of its code two bytes further on, where no variable begins, and which reference that is; nil if its code
    /// refers to nothing. Four bytes could lead from one variable to another that the judge has to allow, too.
    package var withOneReferenceMoved: (file: ELFFile, reference: String)? {
        var result = withOwnAddends
        for index in sections.indices where sections[index].isRelocations {
            let target = Int(sections[index].info), count = sections[index].relocations.count
            guard sections.indices.contains(target), sections[target].isExecutable, count > 0 else { continue }
            result.sections[index].relocations[count / 2].addend += 2
            let moved = sections[index].relocations[count / 2]
            let symbol = symbols.indices.contains(moved.symbol) ? symbols[moved.symbol].name : ""
            return (result, "\(sections[target].name)+\(moved.offset), which refers to '\(symbol)'")
        }
        return nil
    }
}
