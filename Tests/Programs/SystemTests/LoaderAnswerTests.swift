import FoundationEssentials
import LoaderModel
import PayloadSamples
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig
import XenSource
import XenVersions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the model of the loader says of a payload is what the hypervisor says.
@Suite(.timeLimit(.minutes(150)))
struct LoaderAnswerTests {
    fileprivate static func target(_ name: String) throws -> XenTarget { try #require(XenTarget.debian.first { $0.title == name }) }

    /// A hypervisor, and what is asked of it.
    struct Bench {
        var target: XenTarget
        var hypervisor: HypervisorBuild
        var image: XenImage
        var loader: HypervisorLoader
        var machine: Machine
        var targets: SampleTargets

        init(_ name: String) async throws {
            target = try LoaderAnswerTests.target(name)
            hypervisor = try await EveryXen.hypervisor(target)
            image = try XenImage.read(hypervisor.symbols)
            let name = target.machine.name
            machine = try #require(Machine.allCases.first { $0.architecture.name == name })
            loader = try HypervisorLoader(of: image, architecture: machine.architecture)
            targets = try #require(SampleTargets(image))
        }

        /// The hypervisor with what is below a payload.
        func running(below payload: BrokenPayload) throws -> RunningHypervisor {
            let below = payload.below.map { [(path: FilePath("below"), bytes: $0)] } ?? []
            return try loadStack(below, onto: image, architecture: machine.architecture, abi: loader.abi, version: loader.version)
        }

        func model(_ payload: BrokenPayload) throws -> LoadResult {
            loadPayload(
                payload.bytes, into: try running(below: payload), architecture: machine.architecture, abi: loader.abi, version: loader.version)
        }

        func actions(_ payload: BrokenPayload) throws -> PayloadActions {
            PayloadActions(after: try model(payload), into: try running(below: payload), loader: loader)
        }

        func boot(_ scenario: Scenario, limit: Duration = .seconds(1800)) async throws -> MachineRun {
            var boot = Boot(hypervisor: hypervisor.image, dom0: try await target.xen.debian.dom0(for: target.machine, cache: RealXen.cache))
            boot.timeLimit = limit
            return try await Turns.boot.one { [boot] in try await boot.run(scenario) }
        }
    }

    /// As the C library of the dom0 says it.
    private static let words: [(LoadResult.ErrorNumber, String)] = [
        (.invalid, "Invalid argument"), (.notSupported, "Operation not supported"), (.notImplemented, "Function not implemented"),
        (.noData, "No data available"), (.notFound, "No such file or directory"), (.outOfMemory, "Cannot allocate memory"),
        (.overflow, "Value too large for defined data type"), (.exists, "File exists"), (.outOfRange, "Numerical result out of range"),
        (.noSpace, "No space left on device"),
    ]

    static func said(_ step: Console.StepResult) -> String {
        if step.exitCode == 0 { return "taken" }
        return words.first { step.output.contains($0.1) }?.0.rawValue ?? step.output
    }

    static func said(_ result: LoadResult) -> String {
        switch result.verdict {
        case .accepted: "taken"
        case .refused(let refusal): refusal.error.rawValue
        // What ruins the hypervisor when it runs is taken by the upload.
        case .crashes: result.ruinsLater ? "taken" : "crash"
        case .notModelled: "not known"
        }
    }

    /// Uploads all of them in one boot.
    private static func answers(_ payloads: [BrokenPayload], on bench: Bench) async throws -> [(payload: BrokenPayload, model: LoadResult, hypervisor: String)]
    {
        var scenario = Scenario()
        for (number, payload) in payloads.enumerated() {
            scenario.files["p\(number).livepatch"] = payload.bytes
            try putBelow(payload, "below\(number)", &scenario)
            scenario.step("p\(number)", "xen-livepatch upload p\(number) p\(number).livepatch")
            // What was not taken is not there.
            scenario.step("p\(number).unload", "xen-livepatch unload p\(number) || true")
            try takeBelow(payload, "below\(number)", &scenario)
        }
        scenario.step("alive", "xen-livepatch list")
        let machine = try await bench.boot(scenario)
        try machine.requireFinished()
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        return try payloads.enumerated().map { ($1, try bench.model($1), said(machine["p\($0)"])) }
    }

    /// Applies what is below a payload.
    private static func putBelow(_ payload: BrokenPayload, _ name: String, _ scenario: inout Scenario) throws {
        guard let below = payload.below else { return }
        scenario.files["\(name).livepatch"] = below
        scenario.step("\(name).upload", "xen-livepatch upload \(name) \(name).livepatch")
        try scenario.hostTool("\(name).apply", .apply, name)
    }

    /// Reverts it, unless something has replaced it, and unloads it.
    private static func takeBelow(_ payload: BrokenPayload, _ name: String, _ scenario: inout Scenario) throws {
        guard payload.below != nil else { return }
        scenario.step("\(name).list", "xen-livepatch list")
        try scenario.hostTool("\(name).revert", .revert, name)
        scenario.step("\(name).unload", "xen-livepatch unload \(name)")
    }

    private static func page(_ rows: [(payload: BrokenPayload, model: LoadResult, hypervisor: String)], of hypervisor: HypervisorBuild) -> String {
        """
        # What the loader answers to wrong and odd payloads

        `xsplice-build check` follows Xen's loader in a model. Here is what that model says of \(rows.count) payloads, each made wrong or odd in one place, beside what the
        booted hypervisor answered to their upload: `taken`, or the error number. `make test-all` makes the payloads, asks both, and writes this page; the
        hypervisor was Xen \(hypervisor.version) of Debian, x86_64. The reasons are the model's own words.

        \(table(rows))

        """
    }

    /// Payload, model and hypervisor of a line of the table.
    private static func answers(ofLine line: String) -> [String] {
        let cells = line.split(separator: "|").map { String($0.dropFirst().dropLast()) }
        guard cells.count == 3 else { return cells }
        return [cells[0], String(cells[1].prefix { $0 != ":" && $0 != "," }), cells[2]]
    }

    private static func table(_ rows: [(payload: BrokenPayload, model: LoadResult, hypervisor: String)]) -> String {
        (["| payload | the model | the hypervisor |", "|---|---|---|"]
            + rows.map { row in
                var reason = ""
                if case .refused(let refusal) = row.model.verdict { reason = ": \(refusal.reason)" }
                if case .crashes(let text) = row.model.verdict { reason = (row.model.ruinsLater ? ", and ruins it later: " : ": ") + text }
                return "| \(row.payload.name) | \(said(row.model))\(reason.replacing("|", with: "/")) | \(row.hypervisor) |"
            }).joined(separator: "\n")
    }

    @Test("Xen 4.17 answers what the model says, to each wrong payload")
    func everyAnswer() async throws {
        let bench = try await Bench("4.17")
        var payloads = BrokenPayloads(bench.targets)
        try await payloads.addAll()
        let rows = try await Self.answers(payloads.all, on: bench)
        print("\(rows.count) payloads for Xen \(bench.hypervisor.version)\n" + Self.table(rows))
        #expect(rows.count >= 60)
        // Written first: who changed a payload wants to see the new table.
        if let path = getenv("XSPLICE_LOADER_ANSWERS") {
            try WorkFiles.writeAtomically(Array(Self.page(rows, of: bench.hypervisor).utf8), to: FilePath(String(cString: path)))
        }
        if RealXen.isThorough {
            let committed = ChangeCase.fixtures.appending("../Docs/LoaderAnswers.md").lexicallyNormalized()
            let said = CompatibilityTable.lines(ofPage: try WorkFiles.readText(committed))
            // Without the reasons, which name addresses and functions of this very hypervisor.
            #expect(said.dropFirst(2).map(Self.answers(ofLine:)) == rows.map { [$0.payload.name, Self.said($0.model), $0.hypervisor] })
        }
        for row in rows { #expect(Self.said(row.model) == row.hypervisor, "\(row.payload.name)") }
        // They are not all wrong for one reason.
        #expect(Set(rows.map { Self.said($0.model) }).isSuperset(of: ["taken", "EINVAL", "EOPNOTSUPP", "ENOENT", "EEXIST", "EOVERFLOW"]))
    }

    @Test(
        "the other hypervisors answer what the model says, to a sample", .enabled(if: RealXen.isThorough, "boots five; 'make test-all' runs it"),
        arguments: ["4.20", "4.17 arm64", "4.20 arm64", "4.17 arm32", "4.20 arm32"])
    func sample(name: String) async throws {
        let bench = try await Bench(name)
        var payloads = BrokenPayloads(bench.targets, machine: bench.machine)
        try await payloads.addSample()
        let rows = try await Self.answers(payloads.all, on: bench)
        print("\(rows.count) payloads for Xen \(bench.hypervisor.version), \(bench.machine)\n" + Self.table(rows))
        for row in rows { #expect(Self.said(row.model) == row.hypervisor, "\(row.payload.name)") }
    }

    @Test("applying, reverting and applying again end as the model says, error number for error number")
    func everyAction() async throws {
        let bench = try await Bench("4.17")
        var payloads = BrokenPayloads(bench.targets)
        try await payloads.addToApply()
        try await Self.checkActions(of: payloads.all, on: bench)
    }

    /// Applies, reverts, applies again and reverts each payload, all of them in one boot.
    static func checkActions(of payloads: [BrokenPayload], on bench: Bench) async throws {
        var scenario = Scenario()
        let look = "cat /sys/hypervisor/version/minor"
        let plans = try payloads.map { try bench.actions($0) }
        for (number, payload) in payloads.enumerated() {
            let name = "p\(number)"
            scenario.files["\(name).livepatch"] = payload.bytes
            try Self.putBelow(payload, "below\(number)", &scenario)
            scenario.step("\(name).upload", "xen-livepatch upload \(name) \(name).livepatch")
            let first: Scenario.HostToolAction = plans[number].answers.contains { $0.action == .replace } ? .replace : .apply
            for (id, action) in [(first.rawValue, first), ("revert", .revert), ("apply-again", .apply), ("last", .revert)] {
                try scenario.hostTool("\(name).\(id)", action, name)
                scenario.step("\(name).\(id).look", look)
            }
            scenario.step("\(name).unload", "xen-livepatch unload \(name)")
            try Self.takeBelow(payload, "below\(number)", &scenario)
        }
        scenario.step("alive", "xen-livepatch list")
        let machine = try await bench.boot(scenario, limit: .seconds(1200))
        let steps = Dictionary(machine.steps.map { ($0.id, $0) }) { first, _ in first }
        if let last = machine.steps.last, machine.verdict != .finished {
            let number = last.id.prefix { $0 != "." }.dropFirst().filter(\.isNumber)
            print("the last step was \(last.id): \(Int(number).map { payloads[$0].name } ?? "")")
        }
        try machine.requireFinished()
        func step(_ id: String) -> Console.StepResult { steps[id] ?? Console.StepResult(id: id) }
        print(step("alive").output)

        for (number, payload) in payloads.enumerated() {
            // After a refusal, what it would have led to is asked for all the same, and answered otherwise.
            for answer in plans[number].answers.prefix(while: { $0.action != .unload }) where answer.action != .revert || !answer.hooks.isEmpty {
                let step = step("p\(number).\(answer.action.rawValue.replacing(" ", with: "-"))")
                var model = "taken"
                if case .refused(let refusal) = answer.outcome { model = refusal.error.rawValue }
                let onProcessor = try bench.model(payload).findings.contains { $0.kind == .dependsOnProcessor }
                let depends = !answer.hooks.isEmpty || onProcessor
                print("\(payload.name), \(answer.action.rawValue): \(model)\(depends ? ", or not" : ""), \(Self.said(step))")
                if !depends { #expect(model == Self.said(step), "\(payload.name), \(answer.action.rawValue): \(step.output)") }
            }
            for id in ["revert", "last"] { #expect(step("p\(number).\(id).look").output == "17", "\(payload.name)") }
            // A replacement that fails leaves nothing applied.
            if payload.below != nil, let replace = plans[number].answers.first(where: { $0.action == .replace }), replace.outcome != .done {
                #expect(step("below\(number).list").output.contains("CHECKED"), "\(step("below\(number).list").output)")
            }
        }
    }

    @Test("what the model says would ruin the hypervisor does", .enabled(if: RealXen.isThorough, "boots for each; 'make test-all' runs it"))
    func crashes() async throws {
        let bench = try await Bench("4.17")
        var payloads = BrokenPayloads(bench.targets)
        try await payloads.addRuinous()
        for payload in payloads.all {
            let model = try bench.model(payload)
            guard case .crashes(let expected) = model.verdict else {
                Issue.record("\(payload.name): \(model.verdict)")
                continue
            }
            let look = "xl debug-keys h; cat /sys/hypervisor/version/minor"
            var scenario = Scenario(files: ["p.livepatch": payload.bytes])
            try Self.putBelow(payload, "below", &scenario)
            scenario.step("upload", "xen-livepatch upload p p.livepatch")
            if model.ruinsLater {
                let first: Scenario.HostToolAction = payload.below != nil && model.depends == bench.image.buildID ? .replace : .apply
                try scenario.hostTool("apply", first, "p")
                if payload.below != nil { scenario.step("below.unload", "xen-livepatch unload below") }
                scenario.step("call", look)
                try scenario.hostTool("revert", .revert, "p")
                scenario.step("unload", "xen-livepatch unload p")
                scenario.step("look", look)
            }
            scenario.step("alive", "true")
            // Ten seconds on an idle machine. Some payloads make it hang.
            let machine = try await bench.boot(scenario, limit: .seconds(240))
            let reason: String
            switch machine.verdict {
            case .panicked(let words): reason = words
            // Memory was overwritten before it could say a word, or it hangs.
            case .stopped(let step) where step != "upload" && model.ruinsLater: reason = "no word more"
            case .timedOut(_, let step) where step != "upload" && model.ruinsLater: reason = "it hangs"
            case .finished where !machine["look"].output.hasSuffix("17") && model.ruinsLater: reason = "the function now returns '\(machine["look"].output)'"
            default:
                Issue.record("\(payload.name): \(machine.verdict), \(machine.steps.map(\.output))")
                continue
            }
            // Not before it was to.
            #expect(machine["upload"].succeeded == model.ruinsLater, "\(payload.name)")
            // The host tool itself calls the new code.
            if model.ruin > .call { #expect(machine["apply"].succeeded, "\(payload.name)") }
            print("\(payload.name): \(expected)\n  \(reason)")
        }
    }

    @Test(
        "what a hypervisor says of itself: version and payload format", .enabled(if: RealXen.isThorough, "builds six; 'make test-all' runs it"),
        arguments: XenTarget.debian)
    func loader(target: XenTarget) async throws {
        let bench = try await Bench(target.title)
        #expect(bench.loader == HypervisorLoader(version: try target.xen.debian.xen, abi: .livepatchV2))
    }
}
