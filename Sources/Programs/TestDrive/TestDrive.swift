import Diagnostics
import SystemPackage

/// Takes payloads through a booted hypervisor: uploads, applies, checks, reverts, applies again and unloads them.
package struct TestDrive: Sendable {
    /// A payload, and what to do with it.
    package struct Payload: Sendable, Equatable {
        /// The name that the host tool uses: the file's name without its suffix.
        package var name: String
        package var bytes: [UInt8]
        /// Whether it replaces all applied payloads, instead of going on top of them.
        package var replaces: Bool
        /// Whether the hypervisor lets it be applied again after a revert.
        package var mayBeAppliedAgain: Bool

        package init(name: String, bytes: [UInt8], replaces: Bool, mayBeAppliedAgain: Bool) {
            self.name = name
            self.bytes = bytes
            self.replaces = replaces
            self.mayBeAppliedAgain = mayBeAppliedAgain
        }
    }

    /// A command for the dom0's shell, and text that its output must contain.
    package struct Expectation: Sendable, Equatable {
        package var command: String
        package var text: String

        package init(command: String, text: String) {
            self.command = command
            self.text = text
        }
    }

    package var payloads: [Payload]
    /// Checked before anything is applied, and again after everything is reverted.
    package var before: [Expectation]
    /// Checked while all payloads are applied.
    package var after: [Expectation]

    package init(payloads: [Payload], before: [Expectation] = [], after: [Expectation] = []) {
        self.payloads = payloads
        self.before = before
        self.after = after
    }

    /// One step of the drive, and its title for the user.
    package struct Step: Sendable, Equatable {
        package var id: String
        /// `apply`, or `apply fix-2` when there are several payloads.
        package var title: String
        /// The check that this step makes between the actions; nil for an action.
        package var question: Question?
    }

    /// An expectation at one time.
    package struct Question: Sendable, Equatable {
        package var command: String
        /// `before`, `after`, `reverted`, `applied again`, `reverted again`.
        package var moment: String
        /// The text that the output must contain.
        package var expected: String
    }

    /// The dom0's scenario, and the steps to show to the user. The first and the last step of the scenario are not shown: they read the taint of
    /// the dom0's kernel, and the first one also checks that the host tool works with the hypervisor.
    ///
    /// - Throws: `StepError` for names that the host tool can't take, and for two payloads with the same name.
    package func scenario() throws -> (scenario: Scenario, steps: [Step]) {
        var scenario = Scenario(), steps: [Step] = []
        for payload in payloads {
            guard scenario.files["\(payload.name).livepatch"] == nil else {
                throw StepError(
                    "two payloads are called \(payload.name)", help: "the host tool knows payloads by their names: give them different ones", exitCode: .usage)
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

    /// Why the dom0's host tool can't do anything: each of its versions works with some hypervisors only. Returns nil when it works.
    static func speechlessness(in machine: MachineRun) -> String? {
        let result = machine[taintBefore]
        guard let code = result.exitCode, code != 0 else { return nil }
        return "the host tool of this dom0 does not speak to this hypervisor: \(result.output.split(whereSeparator: \.isNewline).last ?? "it says nothing")"
    }

    /// The faults that the dom0's kernel added to its taint during the drive (Documentation/admin-guide/tainted-kernels.rst); nil if there are none.
    ///
    /// Taint from before, while the emulated machine booted, does not come from a payload.
    static func newTaint(in machine: MachineRun) -> String? {
        func taint(_ step: String) -> Int? { machine[step].output.split(whereSeparator: \.isNewline).compactMap { Int($0) }.last }
        guard let before = taint(taintBefore), let after = taint(taintAfter) else { return nil }
        let marks = [(7, "D: it has died once"), (9, "W: it warned"), (14, "L: a processor was stuck")]
        let found = marks.filter { (after & ~before) >> $0.0 & 1 == 1 }.map(\.1)
        return found.isEmpty ? nil : "the dom0's kernel is tainted since the first step (\(found.joined(separator: ", ")))"
    }
}

/// The result of a test drive.
package struct TestDriveResult: Sendable {
    package enum Verdict: Sendable, Equatable {
        case good
        /// The machine died; the text is its own message.
        case panicked(String)
        /// Everything ran to its end, but a step did not do what it should.
        case failed(step: String)
        /// The hypervisor or the dom0's kernel complained (`WARN`, `BUG`), or the kernel's taint shows a fault.
        case complained(String)
        /// The machine did not finish in time, went off too early, or did not go off at all; or the host tool doesn't work with the hypervisor.
        case stopped(String)
    }

    package struct Step: Sendable, Equatable {
        package var title: String
        package var question: TestDrive.Question?
        /// nil if the run did not complete this step.
        package var isGood: Bool?
        /// What the step printed, and what the hypervisor logged meanwhile.
        package var output: String
        package var xenLog: [String]
    }

    package var verdict: Verdict
    package var steps: [Step]
    /// The console's lines about the death of a machine, or its complaints.
    package var telling: [String]
    /// The time from power on to the first step; nil if no step began.
    package var bootTime: Duration?
    /// The time of the whole run.
    package var duration: Duration
    /// Everything that the machine wrote to the serial line.
    package var log: String

    /// Makes the result from a run of the machine.
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
    /// - Throws: `StepError` and `WorkFileError` when the machine could not start; see `Boot.run`.
    package func run(on boot: Boot) async throws -> TestDriveResult {
        let (scenario, steps) = try scenario()
        return TestDriveResult(try await boot.run(scenario), steps: steps)
    }
}

extension Console {
    /// The console's lines from the beginning of a panic on, at most 40: they say where and why it happened.
    var aroundPanic: [String] {
        guard
            let start = lines.firstIndex(where: { line in
                switch line {
                case .hypervisor(let text): Self.isDeadly(text) || text.contains("----[ Xen")
                case .dom0(let text): text.contains("Kernel panic - not syncing")
                }
            })
        else { return [] }
        return lines[start...].prefix(40).map { line in
            switch line {
            case .hypervisor(let text): "(XEN) \(text)"
            case .dom0(let text): text
            }
        }
    }

    /// Lines in which the hypervisor or the dom0's kernel reports a fault of its own. The kernel's lines count only after the scenario begins,
    /// because the kernel may warn of the emulated machine while it boots.
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

    /// Words that Linux uses. The words for an Oops differ between architectures; `[#1]` is in all of them.
    private static let troubles = [
        "BUG: ", "Oops: ", "WARNING: CPU", "kernel BUG at", "general protection fault", "[#1]", "rcu: INFO", "Internal error: Oops",
    ]
}
