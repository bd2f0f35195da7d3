import Testing

@testable import XspliceCommand

#if canImport(Glibc)
import Glibc
#endif

private func reset(_ number: Int32) { signal(number, SIG_DFL) }

/// Serialised: signals go to the whole process.
@Suite(.serialized) struct InterruptsTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalCancelsTheRun(signal: Int32) async {
        // A shell may have started the tests with it ignored.
        reset(signal)
        let (wasCancelled, wasInterrupted) = await Interrupts.run {
            kill(getpid(), signal)
            try? await Task.sleep(for: .seconds(30))
            return Task.isCancelled
        }
        #expect(wasCancelled && wasInterrupted)
    }

    /// An alarm that stays would end the program in the middle of its cleaning up.
    @Test func noAlarmStaysBehind() async {
        reset(SIGHUP)
        for _ in 0..<50 {
            let (left, _) = await Interrupts.run { () -> UInt32 in
                kill(getpid(), SIGHUP)
                try? await Task.sleep(for: .seconds(30))
                return alarm(0)
            }
            #expect(left == 0)
        }
    }

    @Test func withoutASignalNothingHappens() async {
        let (value, wasInterrupted) = await Interrupts.run { 42 }
        #expect(value == 42 && !wasInterrupted)
    }

    @Test func aBrokenPipeIsNoCrash() async {
        let (result, _) = await Interrupts.run { () -> Int in
            var ends: [Int32] = [-1, -1]
            pipe(&ends)
            close(ends[0])
            defer { close(ends[1]) }
            return write(ends[1], "x", 1)
        }
        #expect(result == -1)
    }
}
