import Diagnostics
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@Suite("a scenario that can't be run is refused before anything boots")
struct ScenarioTests {
    /// An emulator must not be needed: the files to boot are there, and that is all.
    private func run(_ scenario: Scenario) async throws {
        try await withTemporaryFolder { temporary in
            let file = temporary.appending("file")
            try WorkFiles.writeAtomically([], to: file)
            let dom0 = Dom0(kernel: file, initramfs: file, kernelPackage: "none")
            _ = try await Boot(hypervisor: file, dom0: dom0).run(scenario)
        }
    }

    private func message(_ scenario: Scenario) async -> String? {
        await #expect(throws: StepError.self) { try await run(scenario) }?.message
    }

    @Test("names of steps that would break the marks or the shell", arguments: ["", "two words", "a/b", "$(reboot)", "ü"])
    func stepNames(id: String) async {
        #expect(await message(Scenario(steps: [.init(id, "true")]))?.contains("'\(id)'") == true)
    }

    @Test("two steps of the same name")
    func twice() async {
        #expect(await message(Scenario(steps: [.init("a", "true"), .init("a", "false")])) == "two steps are named a")
    }

    @Test("names of files outside of the payloads' folder", arguments: ["", ".", "..", "../init", "/init"])
    func fileNames(name: String) async {
        #expect(await message(Scenario(files: [name: []]))?.contains("'\(name)'") == true)
    }

    @Test("a hypervisor that is not there")
    func noHypervisor() async {
        let dom0 = Dom0(kernel: "/nonexistent/vmlinuz", initramfs: "/nonexistent/initramfs", kernelPackage: "none")
        let error = await #expect(throws: StepError.self) {
            _ = try await Boot(hypervisor: "/nonexistent/xen", dom0: dom0).run(Scenario())
        }
        #expect(error?.message.contains("/nonexistent/xen") == true)
        #expect(error?.exitCode == .usage)
    }
}
