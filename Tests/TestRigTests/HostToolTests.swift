import Diagnostics
import Subprocess
import SystemPackage
import TestRig
import Testing
import WorkFiles

@Suite("a step that asks the host tool tries again while the hypervisor is busy, and only then")
struct HostToolTests {
    /// Runs the step's command with a host tool that ends with each of `codes` in turn, the last one ever after.
    ///
    /// Gives the exit code and how the tool was called, without the questions for the list.
    private func attempts(_ action: Scenario.HostToolAction, codes: [Int], listed: Bool = false) async throws -> (Int, [String]) {
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        var scenario = Scenario()
        try scenario.hostTool("step", action, "fix")
        let command = try #require(scenario.steps.first?.command)
        // The two programs that the step calls, as functions.
        let script = """
            sleep() { :; }
            xen-livepatch() {
                if [ "$1" = list ]; then \(listed ? "echo 'fix                | CHECKED    | '" : "echo 'Nothing to list'"); return; fi
                echo "$*" >>calls
                sed -n "$(wc -l <calls)p" codes | { read -r code || code=\(codes.last ?? 0); exit "$code"; }
            }
            \(command)
            """
        try WorkFiles.writeAtomically(Array((codes.map(String.init).joined(separator: "\n") + "\n").utf8), to: temporary.path.appending("codes"))
        let result = try await Subprocess.run(
            .name("bash"), arguments: ["-c", script], workingDirectory: temporary.path, output: .discarded, error: .string(limit: 4096))
        #expect(result.standardError == "")
        let calls = String(decoding: try WorkFiles.read(temporary.path.appending("calls")), as: UTF8.self)
        guard case .exited(let code) = result.terminationStatus else { return (-1, []) }
        return (Int(code), calls.split(separator: "\n").map(String.init))
    }

    @Test func doneAtOnce() async throws {
        #expect(try await attempts(.revert, codes: [0]) == (0, ["revert fix"]))
    }

    @Test("to be tried again (2), busy (16), or still under way (11)") func again() async throws {
        #expect(try await attempts(.revert, codes: [2, 16, 11, 0]) == (0, Array(repeating: "revert fix", count: 4)))
    }

    @Test("any other error is the end") func refused() async throws {
        #expect(try await attempts(.apply, codes: [2, 1, 0]) == (1, ["apply fix", "apply fix"]))
    }

    @Test("not for ever") func givesUp() async throws {
        let (code, calls) = try await attempts(.unload, codes: [2])
        #expect(code == 2)
        #expect(calls.count == 20)
    }

    @Test("a load that left its payload uploaded goes on with apply") func load() async throws {
        #expect(try await attempts(.load, codes: [2, 0]) == (0, ["load fix.livepatch", "load fix.livepatch"]))
        #expect(try await attempts(.load, codes: [2, 0], listed: true) == (0, ["apply fix", "apply fix"]))
    }

    @Test("names that the shell would take for something else", arguments: ["", "a b", "-x", "$(reboot)", "a/b"])
    func names(name: String) throws {
        var scenario = Scenario()
        #expect(throws: RigError.self) { try scenario.hostTool("step", .load, name) }
    }
}
