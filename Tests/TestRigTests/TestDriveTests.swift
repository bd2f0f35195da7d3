import Diagnostics
import Testing

@testable import TestRig

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
        #expect(scenario.files == ["fix.livepatch": [1, 2, 3]] && scenario.steps.map(\.id) == steps.map(\.id))
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
        #expect(throws: RigError.self) { try TestDrive(payloads: [payload("a"), payload("a")]).scenario() }
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

    @Test(arguments: ["(XEN) Xen WARN at common/domain.c:7", "BUG: unable to handle page fault", "(XEN) Assertion 'x' failed at y.c:1"])
    func complaints(line: String) throws {
        let result = try judge(run([:], line))
        #expect(result.verdict == .complained(line) && result.telling.first == line)
        // A step that fails says more.
        #expect(try judge(run([4: 1], line)).verdict == .failed(step: "unload"))
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
        ])
    func anEarlyEnd(verdict: MachineRun.Verdict, words: String) throws {
        #expect(try judge("@@step s0 begin\n", verdict).verdict == .stopped(words))
    }
}
