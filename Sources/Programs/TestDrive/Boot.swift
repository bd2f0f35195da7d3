import Diagnostics
import Subprocess
import Synchronization
import SystemPackage
import WorkFiles

/// Boots a hypervisor with a dom0 under QEMU, lets the dom0 run a scenario, and returns what happened.
///
/// QEMU emulates the processor (no KVM): a run takes about ten seconds and works in any container.
///
///     let machine = try await Boot(hypervisor: build.image, dom0: dom0).run(scenario)
///     machine["load"].exitCode
package struct Boot: Sendable {
    /// The hypervisor's `xen/xen`.
    package var hypervisor: FilePath
    package var dom0: Dom0
    /// For the whole run, from power on. Ten seconds are enough on an idle machine; on a machine that also runs other tests or compiles
    /// it has taken two minutes.
    package var timeLimit: Duration = .seconds(300)
    /// The limit for the console's output, in bytes. Hundreds of steps write less than a million; a machine that complains in a loop writes that
    /// in seconds.
    package var consoleLimit = 64 << 20
    /// The number of the machine's processors. The initial value comes from `TargetMachine`, as that of the memory does.
    package var processors: Int
    /// Memory of the machine and of the dom0, in MiB.
    package var memory: Int
    package var dom0Memory: Int
    /// More words for the command lines of Xen and of the dom0's kernel.
    package var xenOptions: [String] = []
    package var kernelOptions: [String] = []

    /// Makes a boot. The hypervisor must be for the same machine as the dom0.
    package init(hypervisor: FilePath, dom0: Dom0) {
        self.hypervisor = hypervisor
        self.dom0 = dom0
        let emulator = dom0.machine.emulator
        processors = emulator.processors
        memory = emulator.memory
        dom0Memory = emulator.dom0Memory
    }

    /// The machine to boot on, which is the dom0's.
    package var machine: TargetMachine { dom0.machine }

    /// Runs the scenario to its end, to a panic or to the time limit. QEMU always ends with this call, even if the call is cancelled.
    ///
    /// Whatever the machine does is a result. Throws `StepError` and `WorkFileError` when the machine could not start: a file or
    /// program is missing, the scenario has a wrong name, or QEMU refuses its arguments.
    package func run(_ scenario: Scenario) async throws -> MachineRun {
        for file in [hypervisor, dom0.kernel] where !WorkFiles.exists(file) {
            throw StepError("there is no \(file) to boot", exitCode: .usage)
        }
        let initramfs = try TemporaryFile(try WorkFiles.read(dom0.initramfs) + scenario.archive())
        defer { initramfs.remove() }
        let start = ContinuousClock.now
        let wire = Wire(deadline: start + timeLimit, limit: consoleLimit)
        let arguments = try arguments(initramfs: initramfs.path)
        let emulator = machine.emulator
        let status: TerminationStatus
        do {
            status = try await run(arguments, into: wire)
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw StepError("\(emulator.program) is not on this machine", help: "Debian's package \(emulator.package) has it")
        } catch let error as SubprocessError {
            throw StepError("\(emulator.program): \(error.description)")
        }
        try Task.checkCancellation()
        let bytes = wire.bytes
        let console = Console(bytes)
        if !status.isSuccess, !wire.isOver, console.steps.isEmpty, console.panic == nil {
            let lastLine = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).last ?? "it said nothing"
            throw StepError("\(emulator.program) failed (\(status)): \(lastLine)")
        }
        return MachineRun(
            console: console, log: String(decoding: bytes, as: UTF8.self),
            verdict: wire.verdict(console, timeLimit, wasKilled: !status.isSuccess), bootTime: wire.firstStep.map { $0 - start }, duration: .now - start)
    }

    private func run(_ arguments: [String], into wire: Wire) async throws -> TerminationStatus {
        var options = PlatformOptions()
        options.teardownSequence = []
        return try await Subprocess.run(
            .name(machine.emulator.program), arguments: .init(arguments), platformOptions: options, input: .none,
            output: .sequence, error: .combinedWithOutput
        ) { execution in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !wire.isOver { try await Task.sleep(for: .milliseconds(200)) }
                    await execution.teardown(using: [])
                }
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { wire.append($0) }
                }
                group.cancelAll()
            }
        }.terminationStatus
    }
}

/// Collects what the machine writes to the serial line, and decides how long it may still run.
final class Wire: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var deadline: ContinuousClock.Instant
        var looked = 0
        var sawPanic = false
        var firstStep: ContinuousClock.Instant?
    }

    private let state: Mutex<State>
    private let limit: Int

    init(deadline: ContinuousClock.Instant, limit: Int) {
        state = Mutex(State(deadline: deadline))
        self.limit = limit
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var firstStep: ContinuousClock.Instant? { state.withLock { $0.firstStep } }
    private var isFull: Bool { state.withLock { $0.bytes.count >= limit } }
    private var isLate: Bool { state.withLock { ContinuousClock.now >= $0.deadline } }
    /// Whether to stop waiting for the machine.
    var isOver: Bool { isFull || isLate }

    func append(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            state.bytes += bytes.prefix(limit - state.bytes.count)
            // Look only at whole lines, and at each line once.
            guard !state.sawPanic, let end = state.bytes.lastIndex(of: UInt8(ascii: "\n")), end > state.looked else { return }
            let lines = state.bytes[state.looked...end]
            state.sawPanic = Console(lines).panic != nil
            if state.firstStep == nil, lines.firstRange(of: Array("@@step ".utf8)) != nil { state.firstStep = .now }
            state.looked = end + 1
            // A dying machine switches itself off after some seconds. If it is too broken for that, don't wait longer.
            if state.sawPanic { state.deadline = min(state.deadline, .now + .seconds(12)) }
        }
    }

    /// - Parameters:
    ///   - time: how long the machine was allowed to run.
    ///   - wasKilled: whether the machine had to be stopped.
    func verdict(_ console: Console, _ time: Duration, wasKilled: Bool) -> MachineRun.Verdict {
        if let reason = console.panic { return .panicked(reason) }
        if console.cameToTheEnd { return isOver && wasKilled ? .stillOn : .finished }
        let step = console.steps.last.flatMap { $0.exitCode == nil ? $0.id : nil }
        if isFull { return .tooLoud(bytes: limit, step: step) }
        return isLate ? .timedOut(after: time, step: step) : .stopped(step: step)
    }
}

/// The outcome of one boot.
package struct MachineRun: Sendable {
    package enum Verdict: Sendable, Equatable {
        /// All steps ran, and the machine switched itself off. The results say whether each step succeeded.
        case finished
        /// All steps ran, but the machine had to be stopped: it hung, or wrote without end, instead of switching itself off.
        case stillOn
        /// The hypervisor or the dom0's kernel died; the text is its own message.
        case panicked(String)
        /// The time limit was reached. `step` is the step that was running; nil before the first step and between two steps.
        case timedOut(after: Duration, step: String?)
        /// The machine wrote too many bytes to the serial line and was stopped.
        case tooLoud(bytes: Int, step: String?)
        /// The machine went off before the end of its scenario, and gave no reason.
        case stopped(step: String?)
    }

    package var console: Console
    /// Everything that the machine wrote to the serial line, unchanged.
    package var log: String
    package var verdict: Verdict
    /// The time from power on to the first step; nil if no step began.
    package var bootTime: Duration?
    package var duration: Duration

    /// The steps that began, in order.
    package var steps: [Console.StepResult] { console.steps }

    /// The result of a step. It has no exit code if the step did not end.
    package subscript(id: String) -> Console.StepResult {
        steps.first { $0.id == id } ?? Console.StepResult(id: id)
    }

    /// Throws `StepError` with the reason, unless the machine reached the end of its scenario and switched itself off.
    package func requireFinished() throws {
        let during = { (step: String?) in step.map { " during the step '\($0)'" } ?? "" }
        switch verdict {
        case .finished: return
        case .stillOn: throw StepError("the machine did not switch off after the last step")
        case .panicked(let reason): throw StepError("the machine died: \(reason)")
        case .timedOut(let limit, let step):
            throw StepError("the machine was not done after \(limit.components.seconds) s\(during(step))")
        case .tooLoud(let bytes, let step):
            throw StepError("the machine wrote \(bytes) bytes to its console and was stopped\(during(step))")
        case .stopped(let step):
            throw StepError(console.lacksPrivcmd ? Console.noPrivcmd : "the machine went off before it was done\(during(step))")
        }
    }
}

extension Duration {
    /// In seconds with one decimal, rounded down: `9.3 s`.
    package var inSeconds: String {
        let tenths = Int(self / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
