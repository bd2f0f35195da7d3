import PayloadSamples
import Testing
import XenSource
import XenVersions

@testable import LoaderModel

/// What hooks may do, and where they may be.
@Suite struct HookTests {
    @Test("a hook that is no code", arguments: PayloadABI.livepatchV2.hooks.map(\.section))
    func notExecutable(section: String) async throws {
        var payload = SamplePayload()
        payload.more = ".section \(section), \"a\"\n.quad message\n"
        let result = try await payload.loaded()
        let isLater = ["unload", "prerevert", "revert", "postrevert"].contains { section.hasSuffix(".\($0)") }
        #expect(result.crashes("call 0xffff82d0408") && result.crashes("in section .rodata.message") && result.ruin == (isLater ? .revert : .apply))
        payload.more = ".section \(section), \"a\"\n.quad new_victim\n"
        #expect(try await payload.loaded().isAccepted)
    }
}
