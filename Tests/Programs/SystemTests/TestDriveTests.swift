import PayloadSamples
import Subprocess
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig
import XenSource

/// `check` and `test-drive`, as a release engineer calls them, on payloads of this program, of Xen's own makefiles, and made to kill.
@Suite(.timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct TestDriveTests {
    private struct Ending {
        var code: Int
        var output: String
        var error: String
    }

    private static func program(_ arguments: [String]) async throws -> Ending {
        let program = try #require(RealXen.program)
        let result = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), input: .none, output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
        return Ending(code: exitCode(result.terminationStatus), output: result.standardOutput, error: result.standardError)
    }

    private static func drive(_ payloads: [FilePath], _ more: [String] = []) async throws -> Ending {
        let build = try await RealXen.hypervisor(debug: false)
        _ = try await DebianXen.standard.debian.dom0(cache: RealXen.cache)
        let arguments =
            ["test-drive"] + payloads.map(\.string)
            + ["--xen", build.image.string + ".gz", "--xen-syms", build.symbols.string, "--dom0-dir", RealXen.cache.root.string, "--time-limit", "600"]
        return try await Turns.boot.one { try await program(arguments + more) }
    }

    private static let look = "cat /sys/hypervisor/version/extra"

    @Test("a payload that does what it should: good, with what is expected before and after, and all of it on the build's page")
    func good() async throws {
        let payload = try #require(try await RealXen.outcome(of: .demo).payload), build = try await RealXen.hypervisor(debug: false)
        try await withTemporaryFolder { folder in
            let other = folder.appending("other.livepatch"), out = folder.appending("out")
            let made = try await Turns.work.one {
                try await Self.program(
                    ["-s", build.source.string] + build.programOptions + ChangeCase.demo.patches.flatMap { ["-p", $0.string] } + [
                        "-o", out.string, "--name", "hello", "--xen-syms", build.symbols.string, "--cache-dir",
                        try RealXen.cache.programCache("xsplice-build").string,
                    ])
            }
            #expect(made.code == 0, "\(made.error)")
            let file = out.appending("hello.livepatch"), page = out.appending("report.html")
            let ending = try await Self.drive(
                [file], ["--expect-after", "\(Self.look)=Hello World", "--expect-before", "\(Self.look)=.", "--report", out.string])
            #expect(ending.code == 0, "\(ending.output) \(ending.error)")
            for word in ["upload", "apply", "revert", "apply again", "unload", "still alive", "verdict: good"] {
                #expect(ending.output.contains(word), "\(word): \(ending.output)")
            }
            #expect(try WorkFiles.readText(out.appending("test-drive.log")).contains("(XEN)"))
            for word in [">driven</li>", "verdict: good", "Hello World", "(XEN)"] { #expect(try WorkFiles.readText(page).contains(word), "\(word)") }

            // A page tells of its own payload only.
            try WorkFiles.write(payload + [0], to: other)
            let another = try await Self.drive([other], ["--report", out.string])
            #expect(another.code == 64 && another.error.contains("none of the payloads to drive"), "\(another.error)")

            let wrong = try await Self.drive(
                [file], ["--expect-after", "\(Self.look)=Good Bye", "--log", folder.appending("log").string, "--report", out.string])
            for word in [">drive failed</li>", "verdict: failed at"] { #expect(try WorkFiles.readText(page).contains(word), "\(word)") }
            #expect(wrong.code == 4 && wrong.output.contains("verdict: failed at '\(Self.look) after'"), "\(wrong.output)")
            #expect(wrong.output.contains("Hello World"))
        }
    }

    // The first shows a panic as it is as a rule. The second is called by the panic itself, which therefore faults again and again.
    @Test(
        "a payload that follows a bad pointer: panicked, with the console's lines",
        arguments: [
            ("xen_compile_date", "compilation/compile_date", "GENERAL PROTECTION FAULT"), ("xen_minor_version", "version/minor", "DOUBLE FAULT"),
        ])
    func panics(function: String, look: String, reason: String) async throws {
        let image = try XenImage.read(try await RealXen.hypervisor(debug: false).symbols)
        var targets = try #require(SampleTargets(image))
        targets.victim = function
        let victim = image.global(function)
        targets.victimSize = try #require(victim).size
        var payload = targets.good(.x86_64)
        payload.text = """
            .section .text.new_victim, "ax", %progbits
            new_victim: movabs $0x8000000000000000, %rax
            movl (%rax), %eax
            ret

            """
        payload.data = ""
        payload.newSize = "13"
        let bytes = try await payload.assembled()
        try await withTemporaryFolder { folder in
            let file = folder.appending("deadly.livepatch")
            try WorkFiles.write(bytes, to: file)
            let ending = try await Self.drive([file], ["--expect-after", "cat /sys/hypervisor/\(look)=1"])
            #expect(ending.code == 4, "\(ending.error)")
            #expect(ending.output.contains("verdict: panicked: "), "\(ending.output)")
            #expect(ending.output.contains("(XEN)") && ending.output.contains(reason), "\(ending.output)")
            print(ending.output)
        }
    }

    @Test("a machine that writes without end is stopped, and what it wrote is kept")
    func loud() async throws {
        var boot = Boot(
            hypervisor: try await RealXen.hypervisor(debug: false).image, dom0: try await DebianXen.standard.debian.dom0(cache: RealXen.cache))
        boot.timeLimit = .seconds(1800)
        boot.consoleLimit = 50_000
        let machine = try await Turns.boot.one { [boot] in
            try await boot.run(Scenario(steps: [.init("before", "true"), .init("loud", "yes over and over")]))
        }
        #expect(machine.verdict == .tooLoud(bytes: 50_000, step: "loud"))
        #expect(machine["before"].succeeded && machine["loud"].output.contains("over and over") && machine.log.utf8.count == 50_000)
    }

    @Test("the example payloads that Xen's own makefiles make: checked, and driven")
    func examples() async throws {
        let build = try await RealXen.hypervisor(debug: false)
        let folder = build.tree.appending("xen/test/livepatch")
        func example(_ name: String) -> FilePath { folder.appending("xen_\(name).livepatch") }
        let syms = ["--xen-syms", build.symbols.string]
        for (name, code, words) in [
            ("hello_world", 0, "verdict: good"), ("replace_world", 0, "verdict: good"), ("bye_world", 4, "it depends on build-id"),
            ("expectations_fail", 4, "does not start with the bytes"), ("no_xen_buildid", 4, ".livepatch.xen_depends"),
        ] {
            let ending = try await Self.program(["check", example(name).string] + syms)
            #expect(ending.code == code && ending.output.contains(words), "\(name): \(ending.output) \(ending.error)")
        }
        let stacked = try await Self.program(["check", example("bye_world").string, "--on", example("hello_world").string] + syms)
        #expect(stacked.code == 0, "\(stacked.output)")

        try await withTemporaryFolder { folder in
            let log = ["--log", folder.appending("log").string]
            // The third depends on the hypervisor alone.
            let three = try await Self.drive(
                ["hello_world", "bye_world", "replace_world"].map(example), ["--expect-after", "\(Self.look)=Hello Again Wor"] + log)
            #expect(three.code == 0 && three.output.contains("replace xen_replace_world"), "\(three.output) \(three.error)")
            let refused = try await Self.drive([example("expectations_fail")], log)
            #expect(refused.code == 4 && refused.output.contains("verdict: failed at 'apply'"), "\(refused.output)")
        }
    }

    @Test("what can't be driven is said before anything boots")
    func refusals() async throws {
        let build = try await RealXen.hypervisor(debug: false)
        let example = build.tree.appending("xen/test/livepatch/xen_hello_world.livepatch").string
        try await withTemporaryFolder { folder in
            let syms = ["--xen-syms", build.symbols.string]
            let other = folder.appending("other")
            try WorkFiles.write(Array("no hypervisor".utf8), to: other)
            for (arguments, words) in [
                ([example, "--xen", other.string] + syms, "is not the hypervisor of"),
                ([example, "--xen", folder.appending("none").string] + syms, "none"),
                ([example, "--xen", build.image.string + ".gz"] + syms + ["--dom0-dir", folder.appending("empty").string], "--fetch-dom0"),
                ([example, example, "--xen", build.image.string + ".gz"] + syms, "two payloads are called xen_hello_world"),
                ([folder.appending("none.livepatch").string, "--xen", build.image.string + ".gz"] + syms, "none.livepatch"),
            ] {
                let ending = try await Self.program(["test-drive"] + arguments)
                #expect(ending.code == 64 || ending.code == 1, "\(ending.error)")
                #expect(ending.error.contains(words), "\(ending.error)")
            }
        }
    }
}
