import Diagnostics
import Subprocess
import Synchronization
import SystemPackage
import WorkFiles

/// Boots a hypervisor with a dom0 under QEMU, lets the dom0 run a scenario, and tells what happened.
///
/// QEMU emulates the processor (no KVM): a run takes about ten seconds and works in any container.
///
///     let machine = try await Boot(hypervisor: build.image, dom0: dom0).run(scenario)
///     machine["load"].exitCode
package struct Boot: Sendable {
    /// The hypervisor's `xen/xen`.
    package var hypervisor: FilePath
    package var dom0: Dom0
    /// For the whole run, from power on. Ten seconds do on an idle machine; on one that also runs other tests or compiles
    /// it has taken two minutes.
    package var timeLimit: Duration = .seconds(300)
    /// In bytes. Hundreds of steps write less than one million; a machine that complains in a loop writes that in seconds.
    package var consoleLimit = 64 << 20
    /// How many the machine has. At first, as memory, what `TargetMachine` has for it.
    package var processors: Int
    /// Memory of the machine and of the dom0, in MiB.
    package var memory: Int
    package var dom0Memory: Int
    /// More words for Xen's and for the dom0 kernel's command line.
    package var xenOptions: [String] = []
    package var kernelOptions: [String] = []

    /// The hypervisor must be for the machine that the dom0 is for.
    package init(hypervisor: FilePath, dom0: Dom0) {
        self.hypervisor = hypervisor
        self.dom0 = dom0
        let emulator = dom0.machine.emulator
        processors = emulator.processors
        memory = emulator.memory
        dom0Memory = emulator.dom0Memory
    }

    /// What is booted on: the dom0's.
    package var machine: TargetMachine { dom0.machine }

    /// Runs the scenario to its end, to a panic or to the time limit. QEMU never survives this call, nor its cancellation.
    ///
    /// Whatever the machine does is a result. Throws `TestDriveError` and `WorkFileError` when there was no machine: a missing
    /// file or program, a scenario with a wrong name, QEMU refusing its arguments.
    package func run(_ scenario: Scenario) async throws -> MachineRun {
        for file in [hypervisor, dom0.kernel] where !WorkFiles.exists(file) {
            throw TestDriveError("there is no \(file) to boot", exitCode: .usage)
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
            throw TestDriveError("\(emulator.program) is not on this machine", help: "Debian's package \(emulator.package) has it")
        } catch let error as SubprocessError {
            throw TestDriveError("\(emulator.program): \(error.description)")
        }
        try Task.checkCancellation()
        let bytes = wire.bytes
        let console = Console(bytes)
        if !status.isSuccess, !wire.isOver, console.steps.isEmpty, console.panic == nil {
            let lastLine = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).last ?? "it said nothing"
            throw TestDriveError("\(emulator.program) failed (\(status)): \(lastLine)")
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

/// What comes over the serial line while the machine runs, and how long it may still run.
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
    /// Whether no more is waited for.
    var isOver: Bool { isFull || isLate }

    func append(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            state.bytes += bytes.prefix(limit - state.bytes.count)
            // Only whole lines are looked at, each once.
            guard !state.sawPanic, let end = state.bytes.lastIndex(of: UInt8(ascii: "\n")), end > state.looked else { return }
            let lines = state.bytes[state.looked...end]
            state.sawPanic = Console(lines).panic != nil
            if state.firstStep == nil, lines.firstRange(of: Array("@@step ".utf8)) != nil { state.firstStep = .now }
            state.looked = end + 1
            // A dying machine switches itself off after seconds; when it is too broken even for that, it need not be waited for.
            if state.sawPanic { state.deadline = min(state.deadline, .now + .seconds(12)) }
        }
    }

    /// - Parameters:
    ///   - time: how long the machine was allowed to run.
    ///   - wasKilled: whether the machine did not end by itself.
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
        /// All steps ran, and the machine switched itself off; whether they did what they should is in their results.
        case finished
        /// All steps ran, and the machine had to be stopped: it hung, or wrote without end, while it should have switched itself off.
        case stillOn
        /// The hypervisor or the dom0's kernel died, with its own words.
        case panicked(String)
        /// The time was over. `step` is the one that was running, nil before the first and between two.
        case timedOut(after: Duration, step: String?)
        /// So many bytes came over the serial line that the machine was stopped.
        case tooLoud(bytes: Int, step: String?)
        /// The machine went off before its scenario was over, and without a word why.
        case stopped(step: String?)
    }

    package var console: Console
    /// All that came over the serial line, as it came.
    package var log: String
    package var verdict: Verdict
    /// From power on to the first step; nil when it did not come to that.
    package var bootTime: Duration?
    package var duration: Duration

    /// The steps that began, in order.
    package var steps: [Console.StepResult] { console.steps }

    /// The result of a step; without an exit code when the run did not come to it.
    package subscript(id: String) -> Console.StepResult {
        steps.first { $0.id == id } ?? Console.StepResult(id: id)
    }

    /// Throws `TestDriveError` with the reason unless the machine came to the end of its scenario and switched itself off.
    package func requireFinished() throws {
        let during = { (step: String?) in step.map { " during the step '\($0)'" } ?? "" }
        switch verdict {
        case .finished: return
        case .stillOn: throw TestDriveError("the machine did not switch off after the last step")
        case .panicked(let reason): throw TestDriveError("the machine died: \(reason)")
        case .timedOut(let limit, let step):
            throw TestDriveError("the machine was not done after \(limit.components.seconds) s\(during(step))")
        case .tooLoud(let bytes, let step):
            throw TestDriveError("the machine wrote \(bytes) bytes to its console and was stopped\(during(step))")
        case .stopped(let step):
            throw TestDriveError(console.lacksPrivcmd ? Console.noPrivcmd : "the machine went off before it was done\(during(step))")
        }
    }
}

extension Duration {
    /// With one decimal, cut off: `9.3 s`.
    package var inSeconds: String {
        let tenths = Int(self / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
