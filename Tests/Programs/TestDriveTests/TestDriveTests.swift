import Diagnostics
import Testing

@testable import TestDrive

@Suite("the way of payloads through a booted hypervisor, and what is said of it")
struct TestDriveTests {
    private func payload(_ name: String, replaces: Bool = false, again: Bool = true) -> TestDrive.Payload {
        .init(name: name, bytes: [1, 2, 3], replaces: replaces, mayBeAppliedAgain: again)
    }

    private func titles(_ drive: TestDrive) throws -> [String] { try drive.scenario().steps.map(\.title) }

    @Test func onePayload() throws {
        let drive = TestDrive(payloads: [payload("fix")], before: [.init(command: "b", text: "x")], after: [.init(command: "a", text: "y")])
        #expect(
            try titles(drive) == [
                "b before", "upload", "apply", "a after", "revert", "b reverted", "apply again", "a applied again", "revert", "b reverted again",
                "unload", "still alive",
            ])
        let (scenario, steps) = try drive.scenario()
        // The first and the last one are about the dom0's kernel, and not reported.
        #expect(scenario.files == ["fix.livepatch": [1, 2, 3]] && scenario.steps.map(\.id).dropFirst().dropLast() == steps.map(\.id)[...])
        #expect(
            scenario.steps.first?.command == "cat /proc/sys/kernel/tainted && xen-livepatch list"
                && scenario.steps.last?.command == "cat /proc/sys/kernel/tainted")
        // What the host tool is asked to do is looked at in its list.
        #expect(scenario.steps.count { $0.command.contains("list=$(xen-livepatch list)") } == 6)
        #expect(steps[3].question == .init(command: "a", moment: "after", expected: "y"))
    }

    @Test("what can't be applied again is not, nor what is below or on top of it")
    func onceOnly() throws {
        #expect(try titles(TestDrive(payloads: [payload("fix", again: false)])) == ["upload", "apply", "revert", "unload", "still alive"])
        #expect(
            try titles(TestDrive(payloads: [payload("a"), payload("b", again: false)])) == [
                "upload a", "apply a", "upload b", "apply b", "revert b", "revert a", "unload b", "unload a", "still alive",
            ])
    }

    @Test("one that takes the place of the others leaves nothing of them to be reverted")
    func replacement() throws {
        let drive = TestDrive(payloads: [payload("a"), payload("b", again: false), payload("c", replaces: true)])
        #expect(
            try titles(drive) == [
                "upload a", "apply a", "upload b", "apply b", "upload c", "replace c", "revert c", "apply again c", "revert c",
                "unload c", "unload b", "unload a", "still alive",
            ])
    }

    @Test func twoOfOneName() {
        #expect(throws: StepError.self) { try TestDrive(payloads: [payload("a"), payload("a")]).scenario() }
    }

    // MARK: The verdict

    private let drive = TestDrive(payloads: [.init(name: "fix", bytes: [], replaces: false, mayBeAppliedAgain: false)], after: [.init(command: "a", text: "y")])

    /// Judges what came over the wire.
    private func judge(_ text: String, _ verdict: MachineRun.Verdict = .finished) throws -> TestDriveResult {
        let machine = MachineRun(console: Console(text.utf8), log: text, verdict: verdict, bootTime: .seconds(6), duration: .seconds(10))
        return TestDriveResult(machine, steps: try drive.scenario().steps)
    }

    /// A run of which every step ends with 0, but those given; with a line of the hypervisor's in between.
    private func run(_ codes: [Int: Int] = [:], answer: String = "xyz", _ line: String = "(XEN) all is well") -> String {
        (0..<6).map { "@@step s\($0) begin\n\($0 == 2 ? answer : "")\n\(line)\n@@step s\($0) end \(codes[$0] ?? 0)\n" }.joined() + "@@scenario end\n"
    }

    @Test func good() throws {
        let result = try judge(run())
        #expect(result.verdict == .good && result.steps.allSatisfy { $0.isGood == true } && result.telling == [])
        #expect(result.bootTime == .seconds(6) && result.duration == .seconds(10))
    }

    @Test func aStepThatFails() throws {
        let result = try judge(run([1: 1]))
        #expect(result.verdict == .failed(step: "apply"))
        #expect(result.steps.map(\.isGood) == [true, false, true, true, true, true])
    }

    @Test func anAnswerThatIsAnother() throws {
        let result = try judge(run(answer: "xxx"))
        #expect(result.verdict == .failed(step: "a after") && result.steps[2].output == "xxx")
    }

    @Test(arguments: [
        "(XEN) Xen WARN at common/domain.c:7", "BUG: unable to handle page fault", "(XEN) Assertion 'x' failed at y.c:1",
        "[    9.1] WARNING: CPU: 0 PID: 7 at mm/x.c:1 f+0x1/0x2", "[    9.1] kernel BUG at mm/slub.c:1!", "[    9.1] rcu: INFO: rcu_sched detected stalls",
        "[    9.1] general protection fault, probably for non-canonical address", "[    9.1] Internal error: Oops - undefined instruction: 0 [#1] SMP ARM",
    ])
    func complaints(line: String) throws {
        let result = try judge(run([:], line))
        #expect(result.verdict == .complained(line) && result.telling.first == line)
        // A step that fails says more.
        #expect(try judge(run([4: 1], line)).verdict == .failed(step: "unload"))
    }

    @Test("what the dom0's kernel warned of while it booted is no payload's doing") func warningsOfTheBoot() throws {
        let warning = "[    1.0] WARNING: CPU: 0 PID: 0 at arch/arm/x.c:1"
        #expect(try judge("\(warning)\n@@scenario begin\n" + run()).verdict == .good)
        #expect(try judge("@@scenario begin\n\(warning)\n" + run()).verdict == .complained(warning))
    }

    @Test(
        "a taint of the dom0's kernel counts when it is new and means trouble",
        arguments: [
            (0, 0, nil), (512, 512, nil), (0, 4097, nil), (0, 512, "W: it warned"), (4096, 4096 | 640, "D: it has died once, W: it warned"),
            (512, 512 | 16384, "L: a processor was stuck"),
        ] as [(Int, Int, String?)])
    func taints(before: Int, after: Int, words: String?) throws {
        let end = "@@scenario end\n"
        let text =
            "@@step taint-before begin\n\(before)\n\n@@step taint-before end 0\n"
            + run().replacing(end, with: "@@step taint-after begin\n\(after)\n\n@@step taint-after end 0\n\(end)")
        let line = words.map { "the dom0's kernel is tainted since the first step (\($0))" }
        let result = try judge(text), verdict: TestDriveResult.Verdict = line.map { .complained($0) } ?? .good
        #expect(result.verdict == verdict)
        #expect(result.telling == [line].compactMap(\.self))
    }

    @Test("a host tool that the hypervisor does not understand is reported, rather than the first step that it fails")
    func aToolOfAnotherVersion() throws {
        let text = "@@step taint-before begin\n0\nError listing payloads: 13: Permission denied\n\n@@step taint-before end 13\n" + run()
        #expect(
            try judge(text).verdict
                == .stopped("the host tool of this dom0 does not speak to this hypervisor: Error listing payloads: 13: Permission denied"))
    }

    @Test func aPanic() throws {
        let text = "@@step s0 begin\n(XEN) ----[ Xen-4.17 ]----\n(XEN) RIP: here\n(XEN) Panic on CPU 0:\n(XEN) FATAL TRAP\n"
        let result = try judge(text, .panicked("Panic on CPU 0: FATAL TRAP"))
        #expect(result.verdict == .panicked("Panic on CPU 0: FATAL TRAP"))
        #expect(result.telling.prefix(2) == ["(XEN) ----[ Xen-4.17 ]----", "(XEN) RIP: here"])
        #expect(result.steps[0].isGood == nil && result.steps[1].isGood == nil)
    }

    @Test(
        "a machine that does not come to the end says where it was",
        arguments: [
            (MachineRun.Verdict.timedOut(after: .seconds(30), step: "s1"), "not done after 30 s, during 'apply'"),
            (.timedOut(after: .seconds(30), step: nil), "not done after 30 s"), (.stopped(step: "s4"), "the machine went off, during 'unload'"),
            (.tooLoud(bytes: 99, step: "s2"), "the machine wrote 99 bytes to its console, during 'a after'"),
            (.stillOn, "the machine did not switch off after the last step"),
        ])
    func anEarlyEnd(verdict: MachineRun.Verdict, words: String) throws {
        #expect(try judge("@@step s0 begin\n", verdict).verdict == .stopped(words))
    }

    @Test("a machine that hangs, or writes without end, when its steps are done is not finished")
    func afterTheEnd() {
        let end = Console("@@scenario end\n".utf8)
        let late = Wire(deadline: ContinuousClock.now - .seconds(1), limit: 100), full = Wire(deadline: ContinuousClock.now + .seconds(1000), limit: 0)
        #expect(late.verdict(end, .seconds(5), wasKilled: true) == .stillOn)
        #expect(full.verdict(end, .seconds(5), wasKilled: true) == .stillOn)
        // It went off by itself, in the last moment.
        #expect(late.verdict(end, .seconds(5), wasKilled: false) == .finished)
        #expect(late.verdict(Console("".utf8), .seconds(5), wasKilled: true) == .timedOut(after: .seconds(5), step: nil))
    }

    @Test("a dom0 that can't reach the hypervisor says so") func withoutPrivcmd() throws {
        let machine = MachineRun(
            console: Console("\n@@scenario without /dev/xen/privcmd\n".utf8), log: "", verdict: .stopped(step: nil), duration: .seconds(5))
        #expect(TestDriveResult(machine, steps: try drive.scenario().steps).verdict == .stopped(Console.noPrivcmd))
        let error = #expect(throws: StepError.self) { try machine.requireFinished() }
        #expect(error?.message == Console.noPrivcmd)
    }
}
