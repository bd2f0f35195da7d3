import Synchronization
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// SIGKILL: nothing can be tidied up, and still nobody gets anything wrong.
@Suite struct KilledRunTests {
    private static let isThorough = getenv("XSPLICE_TEST_ALL") != nil

    /// Of a run that needs no more than headers, and of one that needs everything.
    @Test(arguments: ["F1-global", "B1-new-file"])
    func theNextRunAndTheOneBesideItGiveTheSameBytes(change: String) async throws {
        let bench = try await Bench.shared()
        let patch = ChangeCase.fixtures.appending("changes/\(change)/change.patch")
        try await bench.withFolder { folder in
            let cache = folder.appending("cache")
            func arguments(_ output: String, cache: FilePath) -> [String] {
                bench.arguments(patches: [patch], output: folder.appending(output), cache: cache) + ["--force"]
            }
            func payload(_ output: String) throws -> [UInt8] { try WorkFiles.read(folder.appending(output).appending("change.livepatch")) }

            // Without the time that it waits for its turn.
            let time = Mutex(0)
            let first = try await Program.run(arguments("good", cache: folder.appending("own-cache"))) { process in
                let start = ContinuousClock.now
                while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
                time.withLock { $0 = Int((ContinuousClock.now - start) / .milliseconds(1)) }
            }
            try #require(first.code == 0, "\(first.error)")
            let whole = max(1, time.withLock { $0 })
            let good = try payload("good")

            var dice = Repeatable(state: 0x2545_F491_4F6C_DD1D), killed = 0
            for round in 0..<(Self.isThorough ? 20 : 3) {
                // From nothing, or with what the rounds before have left.
                if round % 3 != 2 { try WorkFiles.remove(cache) }
                // The first surely in its midst.
                let delay = Duration.milliseconds(round == 0 ? whole / 3 : Int.random(in: 0..<whole, using: &dice))
                async let beside = Program.run(arguments("beside", cache: cache))
                let victim = try await Program.run(arguments("victim", cache: cache)) { process in
                    try await Task.sleep(for: delay)
                    process.send(SIGKILL)
                }
                let other = try await beside
                #expect(other.code == 0, "round \(round): \(other.error)")
                #expect(try payload("beside") == good, "round \(round)")
                if victim.code != 0 { killed += 1 }

                let next = try await Program.run(arguments("victim", cache: cache))
                #expect(next.code == 0, "round \(round): \(next.error)")
                #expect(try payload("victim") == good, "round \(round)")
                for output in ["victim", "beside"] {
                    let names = try WorkFiles.names(in: folder.appending(output)).sorted()
                    #expect(names == ["change.livepatch", "logs", "report.html", "report.json"], "round \(round)")
                }
            }
            #expect(killed > 0)
        }
    }
}
