import ChangeCases
import SystemPackage
import TestRig
import TestTools
import Testing

/// Payloads that the program makes, in a running hypervisor: one boot, in which each is loaded, seen, reverted and unloaded.
@Suite(.timeLimit(.minutes(60)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct PatchedXenTests {
    private func payload(_ change: ChangeCase) async throws -> [UInt8] {
        let outcome = try await RealXen.outcome(of: change)
        return try #require(outcome.payload, "no payload for \(change.name): \(outcome.error)")
    }

    @Test("a payload changes the running hypervisor, and its revert changes it back", arguments: RealXen.booted)
    func loadAndRevert(change: ChangeCase) async throws {
        _ = try await payload(change)
        let boot = try #require(change.expected.boot)
        let machine = try await RealXen.machine(debug: change.expected.debug == true)
        func step(_ part: String) -> Console.StepResult { machine["\(change.name).\(part)"] }

        for part in RealXen.parts {
            #expect(step(part).succeeded, "\(part): exit code \(String(describing: step(part).exitCode)): \(step(part).output) \(step(part).xenLog)")
        }
        for part in ["before", "applied", "reverted"] {
            let result = step(part)
            let isApplied = part == "applied"
            if let pattern = boot.applied {
                let isMatch = try result.output.wholeMatch(of: Regex(pattern)) != nil
                #expect(isMatch == isApplied, "\(part): \(result.output) \(result.xenLog)")
            }
            if let pattern = boot.log {
                let regex = try Regex(pattern)
                #expect(result.xenLog.contains { $0.contains(regex) } == isApplied, "\(part): \(result.output) \(result.xenLog)")
            }
        }
        #expect(boot.applied != nil || boot.log != nil)

        func entry(_ part: String) -> Substring? { step(part).output.split(separator: "\n").first { $0.hasPrefix("\(change.name) ") } }
        #expect(entry("list")?.contains("APPLIED") == true)
        #expect(entry("gone") == nil)
    }

    @Test("other people's tools find nothing wrong with a payload, and it is small", arguments: RealXen.cases.filter { $0.expected.exit == 0 })
    func file(change: ChangeCase) async throws {
        let bytes = try await payload(change)
        if change.expected.changed.count == 1 { #expect(bytes.count < 32 << 10) }
        try await withTemporaryFolder { folder in
            let file = folder.appending("\(change.name).livepatch")
            try write(bytes, to: file)
            let complaints = try await run("sh", ["-c", "readelf -aW \"$1\" 2>&1 >/dev/null", "sh", file.string])
            #expect(complaints == "")
            let lint = try await run("sh", ["-c", "eu-elflint --gnu-ld \"$1\" 2>&1 || :", "sh", file.string])
            #expect(lint == "No errors\n")
            #expect(try await !run("readelf", ["-SW", file.string]).contains(".debug_"))
        }
    }

    @Test("the hypervisor is alive at the end, has no payload left, and never complained but where it was made to", arguments: [false, true])
    func alive(debug: Bool) async throws {
        let machine = try await RealXen.machine(debug: debug)
        try machine.requireFinished()
        #expect(machine["alive"].succeeded)
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        // Those whose very effect is a complaint.
        let wanted = RealXen.booted.filter { ($0.expected.debug == true) == debug && $0.expected.boot?.log?.contains("Xen WARN") == true }
            .flatMap { machine["\($0.name).applied"].xenLog.filter(Self.isComplaint) }
        let complaints = machine.console.lines.compactMap { line in
            if case .hypervisor(let text) = line, Self.isComplaint(text) { text } else { nil }
        }
        #expect(complaints == wanted)
    }

    /// A debug build tells each fault that an exception table catches.
    private static func isComplaint(_ line: String) -> Bool {
        !line.hasPrefix("Fixup #") && ["Xen WARN", "Xen BUG", "Assertion", "FATAL", "Panic", "GPF (", "#PF", "#UD"].contains { line.contains($0) }
    }
}
