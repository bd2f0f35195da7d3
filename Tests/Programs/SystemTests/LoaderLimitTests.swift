import FoundationEssentials
import LoaderModel
import SystemPackage
import TestDrive
import Testing
import WorkFiles
import XenRig

/// The model beside the hypervisor, for payloads that nobody chose.
@Suite(.timeLimit(.minutes(150)))
struct LoaderLimitTests {
    private typealias Bench = LoaderAnswerTests.Bench

    struct Row: Sendable {
        var payload: BrokenPayload
        var model: LoadResult
        /// As `LoaderAnswerTests.said`; "crash" if the hypervisor dies.
        var hypervisor: String

        /// Whether the model is right. Where it says that memory gets overwritten, the hypervisor may survive that; where it does not know, it
        /// says nothing.
        var isRight: Bool {
            switch model.verdict {
            case .crashes where !model.ruinsLater: true
            case .notModelled: hypervisor != "crash"
            default: LoaderAnswerTests.said(model) == hypervisor
            }
        }
    }

    /// `XSPLICE_ODD_SEED` and `XSPLICE_ODD_COUNT` are for runs by hand.
    @Test(
        "the hypervisor answers as the model says when one number of a payload is at its limit", .enabled(if: RealXen.isThorough, "'make test-all' runs it"),
        arguments: [("4.17", 450), ("4.14", 60), ("4.20", 60), ("4.20 arm64", 60)])
    func limits(name: String, count: Int) async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["XSPLICE_ODD_SEED"].flatMap { UInt64($0) } ?? 21
        let bench = try await Bench(name)
        let good = try await BrokenPayloads(bench.targets, machine: bench.machine).withEverything()
        let payloads = try OddPayloads(good).payloads(count: environment["XSPLICE_ODD_COUNT"].flatMap { Int($0) } ?? count, seed: seed)
        let rows = try await Self.rows([BrokenPayload(name: "nothing wrong", bytes: good)] + payloads, on: bench)
        print("\(rows.count) payloads for Xen \(bench.hypervisor.version), \(bench.machine), seed \(seed)\n" + Self.counts(rows))
        if name == "4.17", let path = environment["XSPLICE_LOADER_LIMITS"] {
            try WorkFiles.writeAtomically(Array(Self.page(rows, of: bench.hypervisor).utf8), to: FilePath(path))
        }
        #expect(rows.first.map { LoaderAnswerTests.said($0.model) } == "taken")
        #expect(rows.count >= 60)
        for row in rows where !row.isRight { Issue.record("\(row.payload.name): the model says \(row.model.verdict), the hypervisor \(row.hypervisor)") }
    }

    /// Alone, and on top of another payload.
    @Test(
        "those that are taken go on as the model says: applied, reverted, and applied again", .enabled(if: RealXen.isThorough, "'make test-all' runs it"),
        arguments: [false, true])
    func actions(isPair: Bool) async throws {
        let bench = try await Bench("4.17")
        let (good, below) = try await BrokenPayloads(bench.targets).harmless(isPair: isPair)
        let odd = try OddPayloads(good).payloads(count: 400, seed: isPair ? 24 : 23, below: below)
        let before = try bench.model(BrokenPayload(name: "nothing wrong", bytes: good, below: below))
        // What runs must be the same code in the same place: that other code does something else is no news.
        let harmless = try odd.filter { payload in
            let model = try bench.model(payload)
            return model.isAccepted && Self.code(model) == Self.code(before) && Self.addresses(model) == Self.addresses(before)
        }
        #expect(harmless.count >= 60)
        print("\(harmless.count) of \(odd.count) payloads may be applied")
        for start in stride(from: 0, to: harmless.count, by: Self.bootful / 2) {
            try await LoaderAnswerTests.checkActions(of: Array(harmless[start...].prefix(Self.bootful / 2)), on: bench)
        }
    }

    private static func code(_ model: LoadResult) -> [[UInt8]] { model.sections.filter { $0.region == .text }.map(\.bytes) }

    private static func addresses(_ model: LoadResult) -> [UInt64] { model.functions.flatMap { [$0.oldAddress, $0.newAddress] } }

    private static func page(_ rows: [Row], of hypervisor: HypervisorBuild) -> String {
        """
        # What the loader answers to numbers at their limits

        A payload has something in each structure that Xen's loader reads. Here is what the model of `xsplice-build check` says of \(rows.count - 1) copies of it, in
        each of which one number is at a limit: of its field, of the file, or of what is there; and beside it what the booted hypervisor answered to the
        upload. Every field comes once before any comes twice. `make test-all` makes the payloads, asks both, and writes this page; the hypervisor was
        Xen \(hypervisor.version) of Debian, x86_64. [LoaderAnswers.md](LoaderAnswers.md) has the payloads that people thought of.

        `crash` is said of a payload that makes the hypervisor read or write memory that is not the payload's: it may survive that.

        | payload | the model | the hypervisor |
        |---|---|---|
        \(rows.map { "| \($0.payload.name) | \(LoaderAnswerTests.said($0.model)) | \($0.hypervisor) |" }.sorted().joined(separator: "\n"))

        """
    }

    private static func counts(_ rows: [Row]) -> String {
        Dictionary(grouping: rows) { "model \(LoaderAnswerTests.said($0.model)), hypervisor \($0.hypervisor)" }
            .map { "  \($0.value.count) \($0.key)" }.sorted().joined(separator: "\n")
    }

    /// So many in one boot end in its time even when other tests keep the processors busy.
    private static let bootful = 100

    /// Uploads all, many in one boot: those that the model fears come last, each in a boot of its own.
    private static func rows(_ payloads: [BrokenPayload], on bench: Bench) async throws -> [Row] {
        let modelled = try payloads.map { ($0, try bench.model($0)) }
        var rows: [Row] = [], left = modelled.filter { !isFeared($0.1) }
        while !left.isEmpty {
            let next = left.prefix(bootful)
            let answers = try await upload(next.map(\.0), on: bench)
            rows += zip(next, answers).map { Row(payload: $0.0, model: $0.1, hypervisor: $1) }
            left.removeFirst(answers.count)
            guard answers.count < next.count, let (payload, model) = left.first else { continue }
            left.removeFirst()
            // Alone, it shows whether the hypervisor dies of it or of an earlier one.
            let alone = try await upload([payload], on: bench).first
            rows.append(Row(payload: payload, model: model, hypervisor: alone.map { "\($0), alone; after others crash" } ?? "crash"))
        }
        for (payload, model) in modelled where isFeared(model) {
            rows.append(Row(payload: payload, model: model, hypervisor: try await upload([payload], on: bench).first ?? "crash"))
        }
        return rows
    }

    private static func isFeared(_ model: LoadResult) -> Bool {
        if case .crashes = model.verdict { return !model.ruinsLater }
        return false
    }

    /// - Returns: the answers to the payloads before the one of which the hypervisor dies, if there is such a one.
    private static func upload(_ payloads: [BrokenPayload], on bench: Bench) async throws -> [String] {
        var scenario = Scenario()
        for (number, payload) in payloads.enumerated() {
            scenario.files["p\(number).livepatch"] = payload.bytes
            scenario.step("p\(number)", "xen-livepatch upload p\(number) p\(number).livepatch")
            scenario.step("p\(number).unload", "xen-livepatch unload p\(number) || true")
        }
        scenario.step("alive", "xen-livepatch list")
        let machine = try await bench.boot(scenario, limit: .seconds(payloads.count == 1 ? 300 : 1200))
        let steps = Dictionary(machine.steps.map { ($0.id, $0) }) { first, _ in first }
        var answers = payloads.indices.prefix { steps["p\($0).unload"]?.exitCode != nil }.compactMap { steps["p\($0)"] }.map(LoaderAnswerTests.said)
        if answers.count == payloads.count, steps["alive"]?.succeeded != true { answers.removeLast() }
        return answers
    }
}
