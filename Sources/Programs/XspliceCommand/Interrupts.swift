import Dispatch
import Glibc
import Synchronization

/// Ctrl-C and similar signals: the first one cancels the run in good order; one that comes more than a second later ends the process at once.
/// So does the first one when the program does not react to it: the system may have no thread for that.
package enum Interrupts {
    /// The writing end of the pipe through which the signal handler notifies the program; -1 while there is none.
    private static let pipe = Atomic<Int32>(-1)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private static let secondsToReact: UInt32 = 5

    /// Runs `body` as a task, which a signal cancels.
    ///
    /// Signals are caught and not ignored: a child process starts with the default action for a caught signal, but
    /// inherits an ignored one. The same holds for SIGPIPE: a write to a pipe that nobody reads fails, and the caller of
    /// the write decides what to do.
    ///
    /// - Returns: the value of `body`, and whether a signal came during the run.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () async -> Value
    ) async -> (value: Value, wasInterrupted: Bool) {
        catchSignal(SIGPIPE) { _ in }
        catchSignal(SIGALRM) { _ in _exit(130) }
        let running = Mutex<Task<Value, Never>?>(nil)
        let isInterrupted = Flag()
        let first = Mutex<ContinuousClock.Instant?>(nil)
        let source = signalSource {
            _ = alarm(0)
            isInterrupted.raise()
            running.withLock { $0?.cancel() }
            // timeout(1) and some shells send a signal to the process and then to its group: this counts as one interruption.
            let isImpatient = first.withLock { first in
                let earlier = first ?? .now
                first = earlier
                return ContinuousClock.now - earlier > .seconds(1)
            }
            if isImpatient {
                ProcessFacts.killChildren()
                _exit(130)
            }
        }
        // Signals are caught before the work begins. If one has come already, cancel the work at once.
        let task = Task { await body() }
        running.withLock { $0 = task }
        if isInterrupted.isRaised { task.cancel() }
        let value = await task.value
        source?.cancel()
        return (value, isInterrupted.isRaised)
    }

    /// Calls `action` once for each signal. Returns nil when the system can't make a pipe; then a signal ends the process, as by default.
    private static func signalSource(_ action: @escaping @Sendable () -> Void) -> (any DispatchSourceRead)? {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        let (reading, writing) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        pipe.store(writing, ordering: .releasing)

        // This needs a queue of its own: the shared queues are busy on a busy machine, and Ctrl-C must work there as well.
        let source = DispatchSource.makeReadSource(
            fileDescriptor: reading, queue: DispatchQueue(label: "interrupts", qos: .userInteractive))
        source.setEventHandler {
            var byte: UInt8 = 0
            while read(reading, &byte, 1) == 1 { action() }
        }
        source.setCancelHandler {
            // Another run may have begun in the meantime, with its own pipe.
            _ = pipe.compareExchange(expected: writing, desired: -1, ordering: .acquiringAndReleasing)
            close(reading)
            close(writing)
        }
        source.resume()
        // A signal handler may make only the calls that signal-safety(7) lists; write(2) is one of them.
        for signal in signals where !isIgnored(signal) {
            catchSignal(signal) { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                // Within this time the notification arrives, even on a busy machine. The alarm is first: who reads the notification ends it.
                _ = alarm(Interrupts.secondsToReact)
                _ = write(Interrupts.pipe.load(ordering: .acquiring), &byte, 1)
                errno = saved
            }
        }
        return source
    }

    /// Whether the parent started this process with the signal ignored, as nohup(1) does. Then it stays ignored.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
    }

    private static func catchSignal(_ number: Int32, _ handler: @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        sigemptyset(&action.sa_mask)
        sigaction(number, &action, nil)
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isRaised: Bool { value.load(ordering: .acquiring) }
        func raise() { value.store(true, ordering: .releasing) }
    }
}
