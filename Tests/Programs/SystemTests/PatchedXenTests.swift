import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

/// Payloads that the program makes, in a running hypervisor: one boot, in which each is loaded, seen, reverted and unloaded.
@Suite(.timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct PatchedXenTests {
    private func payload(_ change: ChangeCase) async throws -> [UInt8] {
        let outcome = try await RealXen.outcome(of: change)
        return try #require(outcome.payload, "no payload for \(change.name): \(outcome.error)")
    }

    @Test("a payload changes the running hypervisor, and its revert changes it back", arguments: RealXen.booted)
    func loadAndRevert(change: ChangeCase) async throws {
        _ = try await payload(change)
        let machine = try await RealXen.machine(debug: change.isForDebugBuild)
        let found = try BootedChange.deviations(of: change, in: machine)
        #expect(found == [])
    }

    @Test("other people's tools find nothing wrong with a payload, and it is small", arguments: RealXen.cases.filter { $0.expected.exit == 0 })
    func file(change: ChangeCase) async throws {
        let bytes = try await payload(change)
        if change.expected.changed.count == 1 { #expect(bytes.count < 32 << 10) }
        try await withTemporaryFolder { folder in
            let file = folder.appending("\(change.name).livepatch")
            try WorkFiles.write(bytes, to: file)
            let complaints = try await run("sh", ["-c", "readelf -aW \"$1\" 2>&1 >/dev/null", "sh", file.string])
            #expect(complaints == "")
            let lint = try await run("sh", ["-c", "eu-elflint --gnu-ld \"$1\" 2>&1 || :", "sh", file.string])
            #expect(lint == "No errors\n")
            #expect(try await !run("readelf", ["-SW", file.string]).contains(".debug_"))
        }
    }

    @Test("the hypervisor is alive at the end, has no payload left, and never complained but where it was made to", arguments: RealXen.flavours)
    func alive(debug: Bool) async throws {
        let machine = try await RealXen.machine(debug: debug)
        try machine.requireFinished()
        #expect(machine["alive"].succeeded)
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        let changes = RealXen.booted.filter { $0.isForDebugBuild == debug }
        #expect(BootedChange.complaints(in: machine, without: changes) == [])
    }
}
