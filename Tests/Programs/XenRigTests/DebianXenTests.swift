import Diagnostics
import TestDrive
import Testing
import XenRig

@Suite("the releases of Debian whose Xen the rig builds")
struct DebianXenTests {
    @Test("each is found by its name, and is of another version")
    func known() throws {
        for xen in DebianXen.all { #expect(try DebianXen.of(suite: xen.suite) == xen) }
        #expect(Set(DebianXen.all.map(\.version)).count == DebianXen.all.count)
    }

    @Test("an unknown one is a wrong argument, and the error says which are known")
    func unknown() {
        let error = #expect(throws: StepError.self) { try DebianXen.of(suite: "woody") }
        #expect(error?.message.contains("woody") == true)
        #expect(error?.help?.contains("bullseye") == true)
        #expect(error?.exitCode == .usage)
    }

    @Test("a suite's Xen is built only for machines that it is known to work on")
    func machinesOfSuites() async throws {
        let cache = FolderCache(root: "/nonexistent")
        let old = try DebianXen.of(suite: "bullseye")
        let error = await #expect(throws: StepError.self) { try await old.build(machine: .arm64, cache: cache) }
        #expect(error?.message == "the rig does not build Xen 4.14 of Debian bullseye for arm64")
        #expect(error?.exitCode == .usage)
        for suite in ["bookworm", "trixie"] { #expect(try DebianXen.of(suite: suite).machines == TargetMachine.all) }
    }
}
