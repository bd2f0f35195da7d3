import Diagnostics
import Subprocess
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@Suite("a step that asks the host tool tries again while the hypervisor is busy, and only then")
struct HostToolTests {
    /// Runs the step's command with a host tool that ends with each of `codes` in turn, the last one ever after.
    ///
    /// Gives the exit code and how the tool was called, without the questions for the list.
    private func attempts(_ action: Scenario.HostToolAction, codes: [Int], listed: Bool = false) async throws -> (Int, [String]) {
        return try await withTemporaryFolder { temporary in
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
            try WorkFiles.writeAtomically(Array((codes.map(String.init).joined(separator: "\n") + "\n").utf8), to: temporary.appending("codes"))
            let result = try await Subprocess.run(
                .name("bash"), arguments: ["-c", script], workingDirectory: temporary, output: .discarded, error: .string(limit: 4096))
            #expect(result.standardError == "")
            let calls = try WorkFiles.readText(temporary.appending("calls"))
            guard case .exited(let code) = result.terminationStatus else { return (-1, []) }
            return (Int(code), calls.split(separator: "\n").map(String.init))
        }
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

    // MARK: The list

    /// Runs a verified step with a host tool that always ends with 0, and with a list of its own.
    private func verified(_ action: Scenario.HostToolAction, _ name: String = "fix", list: String) async throws -> (code: Int, output: String) {
        return try await withTemporaryFolder { temporary in
            var scenario = Scenario()
            try scenario.hostTool("step", action, name, verified: true)
            let command = try #require(scenario.steps.first?.command)
            try WorkFiles.writeAtomically(Array(list.utf8), to: temporary.appending("list"))
            let script = "xen-livepatch() { if [ \"$1\" = list ]; then cat list; fi; }\n\(command)"
            let result = try await Subprocess.run(
                .name("bash"), arguments: ["-c", script], workingDirectory: temporary, output: .string(limit: 4096), error: .string(limit: 4096))
            #expect(result.standardError == "")
            guard case .exited(let code) = result.terminationStatus else { return (-1, "") }
            return (Int(code), result.standardOutput)
        }
    }

    /// A list as the tool prints it: the name in 40 columns, unless it is longer.
    private func list(_ rows: KeyValuePairs<String, String>) -> String {
        " ID                                     | status     | metadata\n----------------------------------------+------------+---------------\n"
            + rows.map { name, state in name + String(repeating: " ", count: max(0, 40 - name.count)) + "| \(state)\n" }.joined()
    }

    @Test("what the tool says that it did is looked up in its list") func states() async throws {
        let checked = list(["fix-2": "APPLIED    | ", "fix": "CHECKED    | a=b;fix | APPLIED"])
        let applied = list(["a.fix": "CHECKED    | ", "fix": "APPLIED    | "])
        for (action, good, bad, said) in [
            (Scenario.HostToolAction.upload, checked, applied, "fix is APPLIED, not CHECKED"), (.revert, checked, applied, "fix is APPLIED, not CHECKED"),
            (.apply, applied, checked, "fix is CHECKED, not APPLIED"), (.replace, applied, list(["fix-2": "APPLIED    | "]), "fix is absent, not APPLIED"),
            (.unload, "Nothing to list\n", checked, "fix is CHECKED, not absent"),
        ] {
            let fine = try await verified(action, list: good)
            #expect(fine.code == 0 && fine.output.isEmpty, "\(fine.output)")
            let failed = try await verified(action, list: bad)
            #expect(failed.code == 1 && failed.output == "xen-livepatch ended without an error, but in its list \(said)\n", "\(failed.output)")
        }
    }

    @Test("names that fill the list's column, and more", arguments: [39, 40, 41, 127]) func longNames(length: Int) async throws {
        let name = String(repeating: "n", count: length)
        #expect(try await verified(.apply, name, list: list(["n": "CHECKED    | ", name: "APPLIED (11, why)    | "])).code == 0)
        #expect(try await verified(.unload, name, list: list([name + "n": "CHECKED    | "])).code == 0)
    }

    @Test("a tool that can't reach the hypervisor lists nothing, and ends with 0", arguments: Scenario.HostToolAction.allCases)
    func noList(action: Scenario.HostToolAction) async throws {
        let ending = try await verified(action, list: "")
        #expect(ending.code == 1 && ending.output == "xen-livepatch list says nothing of the payloads\n")
    }

    @Test("names that the shell would take for something else", arguments: ["", "a b", "-x", "$(reboot)", "a/b"])
    func names(name: String) throws {
        var scenario = Scenario()
        #expect(throws: StepError.self) { try scenario.hostTool("step", .load, name) }
    }
}
