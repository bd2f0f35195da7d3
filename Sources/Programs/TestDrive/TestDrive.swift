import Diagnostics
import SystemPackage

/// Payloads' way through a booted hypervisor: uploaded, applied, looked at, reverted, applied again, unloaded.
package struct TestDrive: Sendable {
    /// A payload, and what is to be done with it.
    package struct Payload: Sendable, Equatable {
        /// By which the host tool knows it: the file's name without its suffix.
        package var name: String
        package var bytes: [UInt8]
        /// Whether it takes the place of all that are applied, instead of going on top of them.
        package var replaces: Bool
        /// Whether the hypervisor takes it a second time after a revert.
        package var mayBeAppliedAgain: Bool

        package init(name: String, bytes: [UInt8], replaces: Bool, mayBeAppliedAgain: Bool) {
            self.name = name
            self.bytes = bytes
            self.replaces = replaces
            self.mayBeAppliedAgain = mayBeAppliedAgain
        }
    }

    /// A command of the dom0's shell, and words that its output has to hold.
    package struct Expectation: Sendable, Equatable {
        package var command: String
        package var text: String

        package init(command: String, text: String) {
            self.command = command
            self.text = text
        }
    }

    package var payloads: [Payload]
    /// Before anything is applied, and again when all is reverted.
    package var before: [Expectation]
    /// While all payloads are applied.
    package var after: [Expectation]

    package init(payloads: [Payload], before: [Expectation] = [], after: [Expectation] = []) {
        self.payloads = payloads
        self.before = before
        self.after = after
    }

    /// One thing that is done, with the name that it is told by.
    package struct Step: Sendable, Equatable {
        package var id: String
        /// `apply`, or `apply fix-2` where there are several payloads.
        package var title: String
        /// For what is asked between the actions.
        package var question: Question?
    }

    /// An expectation at one time.
    package struct Question: Sendable, Equatable {
        package var command: String
        /// `before`, `after`, `reverted`, `applied again`, `reverted again`.
        package var moment: String
        /// What the output has to hold.
        package var expected: String
    }

    /// What the dom0 does, and how each of its steps is told. The first and the last one are not told: they ask the dom0's kernel what it
    /// thinks of itself, and the first also whether the host tool speaks to the hypervisor.
    ///
    /// - Throws: `TestDriveError` for names that can't be told to the host tool, and for two payloads of one name.
    package func scenario() throws -> (scenario: Scenario, steps: [Step]) {
        var scenario = Scenario(), steps: [Step] = []
        for payload in payloads {
            guard scenario.files["\(payload.name).livepatch"] == nil else {
                throw TestDriveError("two payloads are called \(payload.name)", help: "the host tool knows payloads by their names: give them different ones", exitCode: .usage)
            }
            scenario.files["\(payload.name).livepatch"] = payload.bytes
        }
        func note(_ title: String, _ question: Question? = nil, _ add: (String) throws -> Void) rethrows {
            let id = "s\(steps.count)"
            try add(id)
            steps.append(Step(id: id, title: title, question: question))
        }
        func ask(_ expectations: [Expectation], _ moment: String) {
            for expectation in expectations {
                let question = Question(command: expectation.command, moment: moment, expected: expectation.text)
                note("\(expectation.command) \(moment)", question) { scenario.step($0, expectation.command) }
            }
        }
        func tool(_ action: Scenario.HostToolAction, _ payload: Payload, _ title: String? = nil) throws {
            let what = title ?? action.rawValue
            try note(payloads.count > 1 ? "\(what) \(payload.name)" : what) { try scenario.hostTool($0, action, payload.name, verified: true) }
        }
        scenario.step(Self.taintBefore, "\(Self.readTaint) && xen-livepatch list")
        ask(before, "before")
        var applied: [Payload] = []
        for payload in payloads {
            try tool(.upload, payload)
            try tool(payload.replaces ? .replace : .apply, payload)
            if payload.replaces { applied = [] }
            applied.append(payload)
        }
        ask(after, "after")
        for payload in applied.reversed() { try tool(.revert, payload) }
        ask(before, "reverted")
        if applied.allSatisfy(\.mayBeAppliedAgain) {
            for payload in applied { try tool(.apply, payload, "apply again") }
            ask(after, "applied again")
            for payload in applied.reversed() { try tool(.revert, payload) }
            ask(before, "reverted again")
        }
        for payload in payloads.reversed() { try tool(.unload, payload) }
        note("still alive") { scenario.step($0, "xen-livepatch list && cat /sys/hypervisor/version/major") }
        scenario.step(Self.taintAfter, Self.readTaint)
        return (scenario, steps)
    }

    // MARK: The dom0's kernel

    private static let taintBefore = "taint-before"
    private static let taintAfter = "taint-after"
    private static let readTaint = "cat /proc/sys/kernel/tainted"

    /// Why the dom0's host tool can't do anything: each of its versions speaks to some hypervisors only. Nil when it can.
    static func speechlessness(in machine: MachineRun) -> String? {
        let result = machine[taintBefore]
        guard let code = result.exitCode, code != 0 else { return nil }
        return "the host tool of this dom0 does not speak to this hypervisor: \(result.output.split(whereSeparator: \.isNewline).last ?? "it says nothing")"
    }

    /// What the dom0's kernel noted in its taint during the drive (Documentation/admin-guide/tainted-kernels.rst); nil when it is nothing bad.
    ///
    /// What it noted before, while the emulated machine booted, is no payload's doing.
    static func newTaint(in machine: MachineRun) -> String? {
        func taint(_ step: String) -> Int? { machine[step].output.split(whereSeparator: \.isNewline).compactMap { Int($0) }.last }
        guard let before = taint(taintBefore), let after = taint(taintAfter) else { return nil }
        let marks = [(7, "D: it has died once"), (9, "W: it warned"), (14, "L: a processor was stuck")]
        let found = marks.filter { (after & ~before) >> $0.0 & 1 == 1 }.map(\.1)
        return found.isEmpty ? nil : "the dom0's kernel is tainted since the first step (\(found.joined(separator: ", ")))"
    }
}

/// What became of a test drive.
package struct TestDriveResult: Sendable {
    package enum Verdict: Sendable, Equatable {
        case good
        /// The machine died, with its own words.
        case panicked(String)
        /// Everything ran to its end, and a step did not do what it should.
        case failed(step: String)
        /// The hypervisor or the dom0's kernel complained (`WARN`, `BUG`), or the kernel has a taint that says so.
        case complained(String)
        /// The machine was not done in time, went off before, or did not go off at all.
        case stopped(String)
    }

    package struct Step: Sendable, Equatable {
        package var title: String
        package var question: TestDrive.Question?
        /// Nil for one that was not come to.
        package var isGood: Bool?
        /// What it printed, and what the hypervisor logged meanwhile.
        package var output: String
        package var xenLog: [String]
    }

    package var verdict: Verdict
    package var steps: [Step]
    /// The console's lines about the end of a machine that died, or its complaints.
    package var telling: [String]
    /// From power on to the first step; nil when it did not come to that.
    package var bootTime: Duration?
    /// Of the whole.
    package var duration: Duration
    /// All that came over the serial line.
    package var log: String

    /// Judges a run.
    init(_ machine: MachineRun, steps planned: [TestDrive.Step]) {
        bootTime = machine.bootTime
        duration = machine.duration
        log = machine.log
        steps = planned.map { plan in
            let result = machine[plan.id]
            let isGood = result.exitCode.map { $0 == 0 && (plan.question.map { result.output.contains($0.expected) } ?? true) }
            return Step(title: plan.title, question: plan.question, isGood: isGood, output: result.output, xenLog: result.xenLog)
        }
        telling = []
        let during = { (step: String?) in planned.first { $0.id == step }.map { ", during '\($0.title)'" } ?? "" }
        switch machine.verdict {
        case .panicked(let reason):
            verdict = .panicked(reason)
            telling = machine.console.aroundPanic
        case .timedOut(let limit, let step):
            verdict = .stopped("not done after \(limit.components.seconds) s\(during(step))")
        case .tooLoud(let bytes, let step):
            verdict = .stopped("the machine wrote \(bytes) bytes to its console\(during(step))")
            telling = Array(machine.console.complaints.prefix(40))
        case .stopped(let step):
            verdict = .stopped(machine.console.lacksPrivcmd ? Console.noPrivcmd : "the machine went off\(during(step))")
        case .stillOn:
            verdict = .stopped("the machine did not switch off after the last step")
            telling = Array(machine.console.complaints.prefix(40))
        case .finished:
            telling = machine.console.complaints + [TestDrive.newTaint(in: machine)].compactMap(\.self)
            if let reason = TestDrive.speechlessness(in: machine) {
                verdict = .stopped(reason)
            } else if let bad = steps.first(where: { $0.isGood != true }) {
                verdict = .failed(step: bad.title)
            } else {
                verdict = telling.first.map { .complained($0) } ?? .good
            }
        }
    }
}

extension TestDrive {
    /// Boots the hypervisor and drives the payloads through it.
    ///
    /// - Throws: `TestDriveError` and `WorkFileError` when there was no machine; see `Boot.run`.
    package func run(on boot: Boot) async throws -> TestDriveResult {
        let (scenario, steps) = try scenario()
        return TestDriveResult(try await boot.run(scenario), steps: steps)
    }
}

extension Console {
    /// The hypervisor's lines from its first word of the panic on, as far as they say where and why.
    var aroundPanic: [String] {
        guard let start = lines.firstIndex(where: { line in
            switch line {
            case .hypervisor(let text): Self.isDeadly(text) || text.contains("----[ Xen")
            case .dom0(let text): text.contains("Kernel panic - not syncing")
            }
        }) else { return [] }
        return lines[start...].prefix(40).map { line in
            switch line {
            case .hypervisor(let text): "(XEN) \(text)"
            case .dom0(let text): text
            }
        }
    }

    /// Lines in which the hypervisor or the dom0's kernel says that something is wrong with itself; the kernel's from the scenario's beginning
    /// on, as it may warn of the emulated machine while it boots.
    var complaints: [String] {
        let start = lines.firstIndex(of: .dom0("@@scenario begin")) ?? lines.startIndex
        return lines.indices.compactMap { index in
            switch lines[index] {
            case .hypervisor(let text):
                ["Xen WARN at", "Xen BUG at", "Assertion '"].contains { text.contains($0) } ? "(XEN) \(text)" : nil
            case .dom0(let text):
                index >= start && Self.troubles.contains { text.contains($0) } ? text : nil
            }
        }
    }

    /// Words of Linux. Those of an Oops are others on each architecture; `[#1]` is in all of them.
    private static let troubles = [
        "BUG: ", "Oops: ", "WARNING: CPU", "kernel BUG at", "general protection fault", "[#1]", "rcu: INFO", "Internal error: Oops",
    ]
}
