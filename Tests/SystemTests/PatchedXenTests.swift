import SystemPackage
import TestRig
import TestTools
import Testing

/// Payloads that the program makes, in a running hypervisor: one boot, in which each is loaded, seen, reverted and unloaded.
@Suite(
    .serialized, .timeLimit(.minutes(60)),
    .enabled(if: SystemRig.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct PatchedXenTests {
    private func payload(_ item: PayloadCase, of rig: SystemRig) throws -> [UInt8] {
        switch try #require(rig.builds[item.name]) {
        case .payload(let bytes): return bytes
        case .failed(let words): throw ToolFailure(description: "no payload for \(item.name): \(words)")
        }
    }

    @Test("a payload changes the running hypervisor, and its revert changes it back", arguments: PayloadCase.all)
    func loadAndRevert(item: PayloadCase) async throws {
        let rig = try await SystemRig.shared
        _ = try payload(item, of: rig)
        for part in PayloadCase.parts {
            let step = rig.machine[item.id(part)]
            #expect(step.succeeded, "\(part): exit code \(String(describing: step.exitCode)): \(step.output) \(step.xenLog)")
        }
        let (before, applied) = (rig.machine[item.id("before")], rig.machine[item.id("applied")])
        let reverted = rig.machine[item.id("reverted")]
        #expect(!item.isApplied(before))
        #expect(item.isApplied(applied), "\(applied.output) \(applied.xenLog)")
        #expect(!item.isApplied(reverted), "\(reverted.output) \(reverted.xenLog)")
        #expect(reverted.output == before.output)
        // f4-remove's own mark comes between the dom0's words.
        #expect((applied.output.filter { $0 != "~" } == before.output) == item.onConsoleOnly)

        let entry = { (part: String) in
            rig.machine[item.id(part)].output.split(separator: "\n").first { $0.hasPrefix("\(item.name) ") }
        }
        #expect(entry("list")?.contains("APPLIED") == true)
        #expect(entry("gone") == nil)
    }

    @Test("other people's tools find nothing wrong with a payload, and it is small", arguments: PayloadCase.all)
    func file(item: PayloadCase) async throws {
        let bytes = try payload(item, of: try await SystemRig.shared)
        if item.functions == 1 { #expect(bytes.count < 16 << 10) }
        try await withTemporaryFolder { folder in
            let file = folder.appending("\(item.name).livepatch")
            try write(bytes, to: file)
            let complaints = try await run("sh", ["-c", "readelf -aW \"$1\" 2>&1 >/dev/null", "sh", file.string])
            #expect(complaints == "")
            let lint = try await run("sh", ["-c", "eu-elflint --gnu-ld \"$1\" 2>&1 || :", "sh", file.string])
            #expect(lint == "No errors\n")
            #expect(try await !run("readelf", ["-SW", file.string]).contains(".debug_"))
        }
    }

    @Test("the hypervisor is alive at the end, has no payload left, and never complained but where it was made to")
    func alive() async throws {
        let machine = try await SystemRig.shared.machine
        try machine.requireFinished()
        #expect(machine["alive"].succeeded)
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        let wanted = machine["x1-warn.applied"].xenLog.filter(Self.isComplaint)
        let complaints = machine.console.lines.compactMap { line in
            if case .hypervisor(let text) = line, Self.isComplaint(text) { text } else { nil }
        }
        #expect(complaints == wanted)
    }

    private static func isComplaint(_ line: String) -> Bool {
        ["Xen WARN", "Xen BUG", "Xen call trace", "Assertion", "FATAL", "Panic", "GPF (", "#PF", "#UD"].contains { line.contains($0) }
    }
}
