import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

/// Payloads on top of payloads, and payloads that take the place of others, in a running hypervisor.
@Suite(.timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct StackTests {
    private static let patches = ChangeCase.fixtures.appending("stacks/xen-4.17")

    private static func patch(_ name: String) -> String { patches.appending("\(name).patch").string }

    /// Builds a payload from a patch, on top of those that the given patches were made into; puts its bytes among the files.
    private static func build(
        _ name: String, on below: [String] = [], cumulative: Bool = false, patch: String? = nil, options: [String] = [], in folder: FilePath
    ) async throws -> ChangeOutcome {
        var arguments = ["-p", Self.patch(patch ?? name), "--name", name] + options
        for other in below {
            arguments += ["--on", folder.appending("\(other).livepatch").string, "--applied-patch", Self.patch(other)]
        }
        if cumulative { arguments.append("--cumulative") }
        let outcome = try await RealXen.run(arguments)
        let payload = try #require(outcome.payload, "\(name): \(outcome.error)")
        try WorkFiles.write(payload, to: folder.appending("\(name).livepatch"))
        return outcome
    }

    private static let look = "cat /sys/hypervisor/version/extra /sys/hypervisor/compilation/compiler /sys/hypervisor/compilation/compile_date"

    /// Does the steps in one boot, each an action and a payload's name; after each it looks.
    private static func drive(_ steps: [(Scenario.HostToolAction, String)], in folder: FilePath) async throws -> (
        first: [String], answers: [[String]], machine: MachineRun
    ) {
        var scenario = Scenario()
        for name in Set(steps.map(\.1)) { try scenario.take(folder.appending("\(name).livepatch")) }
        scenario.step("look", look)
        for (number, (action, name)) in steps.enumerated() {
            try scenario.hostTool("\(number)", action, name)
            scenario.step("\(number).look", look)
        }
        scenario.step("list", "xen-livepatch list")
        let machine = try await RealXen.boot(scenario)
        try machine.requireFinished()
        for (number, (action, name)) in steps.enumerated() {
            let step = machine["\(number)"]
            #expect(step.succeeded, "\(action.rawValue) \(name): \(step.output) \(step.xenLog)")
        }
        func lines(_ id: String) -> [String] { machine[id].output.split(separator: "\n").map(String.init) }
        #expect(lines("list").last == "Nothing to list")
        return (lines("look"), steps.indices.map { lines("\($0).look") }, machine)
    }

    @Test("three payloads: the second uses a variable of the first, the third replaces a function of the first; then one for all")
    func threeOnTopOfEachOther() async throws {
        try await withTemporaryFolder { folder in
            let one = try await Self.build("stack-1", in: folder)
            let two = try await Self.build("stack-2", on: ["stack-1"], in: folder)
            let three = try await Self.build("stack-3", on: ["stack-1", "stack-2"], in: folder)
            #expect([one, two, three].map(\.changed) == [["xen_extra_version"], ["xen_compiler"], ["stack_say"]])
            #expect(one.new == ["stack_say", "stack_word"] && two.new.isEmpty && three.new.isEmpty)
            #expect(two.report?.payload?.depends == one.report?.payload?.buildID)
            #expect(three.report?.payload?.depends == two.report?.payload?.buildID)
            #expect([one, two, three].allSatisfy { $0.report?.original?.equal == 1 })

            let all = try await Self.build("all", on: ["stack-1", "stack-2"], cumulative: true, patch: "stack-3", in: folder)
            #expect(all.changed == ["xen_compiler", "xen_extra_version"] && all.new == ["stack_say", "stack_word"])
            #expect(all.diagnostics == ["state-lost", "writable-data-in-payload"])
            #expect(all.report?.payload?.depends == all.report?.hypervisor?.buildID)

            let (first, answers, machine) = try await Self.drive(
                [
                    (.upload, "stack-1"), (.upload, "stack-2"), (.upload, "stack-3"), (.upload, "all"),
                    (.apply, "stack-1"), (.apply, "stack-2"), (.apply, "stack-3"), (.revert, "stack-3"), (.apply, "stack-3"),
                    (.replace, "all"), (.revert, "all"),
                    (.unload, "stack-1"), (.unload, "stack-2"), (.unload, "stack-3"), (.unload, "all"),
                ], in: folder)
            func changed(_ step: Int) -> [String] { zip(answers[step], first).filter { $0 != $1 }.map(\.0) }
            #expect((0...3).allSatisfy { changed($0) == [] })
            #expect(changed(4) == [".one"])
            // The look asks for the extra version first, then for the compiler, which writes to the variable.
            #expect(changed(5) == [".one", ".One"])
            #expect(changed(6) == [".three", ".One"])
            #expect(changed(7) == [".One", ".One"])
            #expect(changed(8) == [".three", ".One"])
            #expect(changed(9) == [".three", ".One"])
            #expect((10...14).allSatisfy { changed($0) == [] })
            // What the host tool and the console say of a payload.
            #expect(machine["4"].xenLog.contains { $0.contains("patch=stack-1.patch") })
        }
    }

    @Test("the transcript of the manual: test1, test2 on top, test3 instead of both")
    func transcript() async throws {
        try await withTemporaryFolder { folder in
            _ = try await Self.build("test1", in: folder)
            _ = try await Self.build("test2", on: ["test1"], in: folder)
            _ = try await Self.build("test3", in: folder)
            let (first, answers, _) = try await Self.drive(
                [
                    (.upload, "test1"), (.upload, "test2"), (.upload, "test3"), (.apply, "test1"), (.apply, "test2"), (.replace, "test3"),
                    (.revert, "test3"), (.unload, "test1"), (.unload, "test2"), (.unload, "test3"),
                ], in: folder)
            func changed(_ step: Int) -> [String] { zip(answers[step], first).filter { $0 != $1 }.map(\.0) }
            #expect(changed(3) == [".test1"] && changed(4) == [".test1", "test2"] && changed(5) == ["test3"])
            #expect([0, 1, 2, 6, 7, 8, 9].allSatisfy { changed($0) == [] })
        }
    }

    @Test("a cumulative payload without a patch of those that it replaces is made with a warning")
    func fixThatEnds() async throws {
        try await withTemporaryFolder { folder in
            let one = try await Self.build("test1", in: folder)
            let on = ["--on", folder.appending("test1.livepatch").string, "--cumulative"]
            let alone = try await RealXen.run(["-p", Self.patch("test3")] + on)
            #expect(alone.code == 0 && alone.diagnostics == ["applied-fix-ends"])
            #expect(alone.error.contains("test1 was made from a patch that is not given (sha256 "))
            // Another name of the same patch is the same patch.
            let same = folder.appending("renamed.patch")
            try WorkFiles.write(try WorkFiles.read(FilePath(Self.patch("test1"))), to: same)
            let both = try await RealXen.run(["-p", same.string] + on)
            #expect(both.code == 0 && both.diagnostics.isEmpty, "\(both.error)")
            let id = try #require(one.report?.hypervisor?.buildID)
            let short = try await RealXen.run(["-p", Self.patch("test3"), "--depends", String(id.prefix(12))])
            #expect(short.code == 64 && short.error.contains("that is only the beginning of a build-id") && short.error.contains(id), "\(short.error)")
        }
    }

    @Test("hello, bye and replace world, made from patches")
    func worlds() async throws {
        try await withTemporaryFolder { folder in
            _ = try await Self.build("hello_world", options: ["--expect"], in: folder)
            _ = try await Self.build("bye_world", on: ["hello_world"], in: folder)
            _ = try await Self.build("replace_world", options: ["--expect"], in: folder)
            let (first, answers, _) = try await Self.drive(
                [
                    (.load, "hello_world"), (.load, "bye_world"), (.upload, "replace_world"), (.replace, "replace_world"), (.revert, "replace_world"),
                    (.unload, "hello_world"), (.unload, "bye_world"), (.unload, "replace_world"),
                ], in: folder)
            // Xen cuts the extra version after 15 characters (XEN_EXTRAVERSION_LEN).
            #expect(answers.prefix(5).map(\.first) == ["Hello World", "Bye World!", "Bye World!", "Hello Again Wor", first.first])
        }
    }

    /// `mov $17, %eax`, without which the function returns what was in the register.
    @Test("the first instruction of a function becomes NOPs, and comes back")
    func nops() async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await RealXen.run(["--nop", "xen_minor_version=5"])
            let payload = try #require(outcome.payload, "\(outcome.error)")
            try WorkFiles.write(payload, to: folder.appending("nops.livepatch"))
            var scenario = Scenario()
            try scenario.take(folder.appending("nops.livepatch"))
            let look = "cat /sys/hypervisor/version/minor"
            scenario.step("before", look)
            try scenario.hostTool("load", .load, "nops")
            scenario.step("loaded", look)
            try scenario.hostTool("revert", .revert, "nops")
            scenario.step("reverted", look)
            let machine = try await RealXen.boot(scenario)
            try machine.requireFinished()
            #expect(machine["load"].succeeded && machine["revert"].succeeded, "\(machine["load"].output) \(machine["load"].xenLog)")
            #expect(machine["before"].output == "17" && machine["reverted"].output == "17")
            #expect(machine["loaded"].succeeded && machine["loaded"].output != "17")
        }
    }

    @Test("a payload for the bottom of the stack is not taken on top")
    func wrongPlace() async throws {
        try await withTemporaryFolder { folder in
            _ = try await Self.build("test1", in: folder)
            _ = try await Self.build("test2", in: folder)
            var scenario = Scenario()
            for name in ["test1", "test2"] { try scenario.take(folder.appending("\(name).livepatch")) }
            try scenario.hostTool("load", .load, "test1")
            scenario.step("second", "xen-livepatch upload test2 test2.livepatch && xen-livepatch apply test2")
            let machine = try await RealXen.boot(scenario)
            #expect(machine["load"].succeeded)
            #expect(machine["second"].exitCode != 0, "\(machine["second"].output)")
        }
    }
}
