import ArgumentParser
import Diagnostics
import LivepatchBuild
import SystemPackage
import Testing

@testable import XspliceCommand

@Suite struct BuildCommandTests {
    func parse(_ arguments: String...) throws -> BuildOptions {
        let command = try #require(try RootCommand.parseAsRoot(arguments) as? BuildCommand)
        return try command.options(environment: ["HOME": "/home/u"], processors: 3)
    }

    /// The call of the public tutorial of the format's first year.
    @Test func tutorialCall() throws {
        let options = try parse(
            "-s", "/tmp/xen", "-p", "/root/work/test1.patch", "-o", "out1", "--xen-debug", "--debug", "--xen-syms",
            "/root/xen/xen/xen-syms")
        #expect(options.input == .init(source: "/tmp/xen", patches: ["/root/work/test1.patch"]))
        #expect(options.targets.xenSyms == [TargetValue("/root/xen/xen/xen-syms")])
        #expect(options.fix.xenDebug)
    }

    @Test func defaults() throws {
        let options = try parse("-s", "a", "-p", "b", "-o", "c")
        let work = BuildOptions.Work(jobs: 3, cache: "/home/u/.cache/xsplice-build", cacheLimit: 10 << 30)
        #expect(try options == BuildOptions(input: .init(source: "a", patches: ["b"]), work: work))
    }

    @Test func whatIsSaidAndWhere() throws {
        func command(_ arguments: String...) throws -> BuildCommand {
            try #require(try RootCommand.parseAsRoot(["-s", "a", "-p", "b", "-o", "c"] + arguments) as? BuildCommand)
        }
        #expect(try command().output.path == "c")
        #expect(try !command().output.force && command("--force").output.force)
        for (option, verbosity) in [("-q", Verbosity.quiet), ("-v", .verbose), ("-d", .debug), ("--debug", .debug)] {
            #expect(try command(option).said.verbosity == verbosity)
        }
        #expect(try command().said.verbosity == .normal && command("-v", "-d").said.verbosity == .debug)
    }

    @Test func everyOption() throws {
        let id = "BB359fb422930011223344556677889904ab04ab"
        let options = try parse(
            "build", "-s", "a", "-p", "1.patch", "-p", "2.patch", "-o", "c", "-c", "config", "-j8", "--depends", id,
            "--xen-depends", id, "--arch", "arm64", "--cross-compile", "aarch64-none-", "--format", "livepatch", "-k", "diff", "--prelink", "--strip",
            "--cache-dir", "/cache", "--cache-size", "500M", "--compiler-launcher", "ccache --x", "--compile-all", "--keep-work", "--trust-source", "--force",
            "-v",
            "--allow-layout-change", "struct domain", "--allow-layout-change", "vcpu", "--xen-syms", "xen-syms", "--on", "1.livepatch",
            "--on", "2.livepatch", "--applied-patch", "0.patch", "--cumulative", "--expect", "--nop", "a.c#f=5", "--name", "fix-1")
        let (stack, payload, fix, work) = (options.stack, options.payload, options.fix, options.work)
        #expect(stack.payloads == ["1.livepatch", "2.livepatch"] && stack.patches == ["0.patch"] && stack.isReplaced)
        #expect(fix.expect && fix.nops == [.init(function: "a.c#f", count: 5)] && payload.name == "fix-1")
        #expect(options.input.patches == ["1.patch", "2.patch"])
        #expect(options.targets.config == [TargetValue("config")])
        #expect(work.jobs == 8)
        #expect(payload.depends?.first == 0xbb && payload.depends?.count == 20)
        #expect(payload.xenDepends == payload.depends)
        #expect(options.targets.architectures == ["arm64"] && options.targets.crossCompile == [TargetValue("aarch64-none-")])
        #expect(fix.format == .livepatch)
        #expect(work.skip == .diff)
        #expect(fix.prelink && fix.strip && work.keepWork && fix.trustSource && !fix.xenDebug)
        #expect(work.cache == "/cache" && work.cacheLimit == 500 << 20 && work.compilerLauncher == ["ccache", "--x"] && work.sparing == .none)
        #expect(fix.allowedLayouts == ["struct domain", "vcpu"])
    }

    @Test(arguments: [("0", nil), ("1000", 1000), ("3k", 3 << 10), ("2G", 2 << 30), ("1T", 1 << 40)] as [(String, Int64?)])
    func sizes(text: String, limit: Int64?) throws {
        #expect(try parse("-s", "a", "-p", "b", "-o", "c", "--cache-size", text).work.cacheLimit == limit)
    }

    @Test(arguments: ["", "G", "-1", "1X", "1.5G", "99999999T"])
    func noSizes(text: String) {
        #expect(throws: (any Error).self) { try parse("-s", "a", "-p", "b", "-o", "c", "--cache-size", text) }
    }

    /// What belongs to one target stands behind its name; other names before an `=` belong to the file.
    @Test func severalTargets() throws {
        let options = try parse(
            "-s", "a", "-p", "b", "-o", "c", "--arch", "x86_64,arm64", "--arch", "arm32", "--xen-syms", "arm64=64/xen-syms", "--xen-syms",
            "build=1/xen-syms", "--xen-syms", "./arm32=new", "-c", "arm32=a=b", "--cross-compile", "arm64=")
        #expect(options.targets.architectures == ["x86_64", "arm64", "arm32"])
        #expect(options.targets.xenSyms == [TargetValue("64/xen-syms", for: "arm64"), TargetValue("build=1/xen-syms"), TargetValue("./arm32=new")])
        #expect(options.targets.config == [TargetValue("a=b", for: "arm32")])
        #expect(options.targets.crossCompile == [TargetValue("", for: "arm64")])
    }

    @Test func longNames() throws {
        let options = try parse("--srcdir", "a", "--patch", "b", "--output", "c", "--cpus", "2", "--skip", "build")
        #expect(options.input.source == "a" && options.work.jobs == 2 && options.work.skip == .build)
    }

    @Test(arguments: [
        [], ["-s", "a"], ["-s", "a", "-p", "b"], ["-p", "b", "-o", "c"], ["--no-such-option"], ["diff", "only-one.o"],
        ["inspect"], ["-s", "a", "-p", "b", "-o", "c", "-j", "0"], ["-s", "a", "-p", "b", "-o", "c", "-j", "many"],
        ["-s", "a", "-p", "b", "-o", "c", "--depends", "abc"], ["-s", "a", "-p", "b", "-o", "c", "--depends", "xyz0"],
        ["-s", "a", "-p", "b", "-o", "c", "--depends", "abcd"], ["-s", "a", "-p", "b", "-o", "c", "--arch", "mips"],
        ["-s", "a", "-p", "b", "-o", "c", "--arch", "arm64,arm64"], ["-s", "a", "-p", "b", "-o", "c", "--arch", "arm64", "--arch", "arm64"],
        ["-s", "a", "-p", "b", "-o", "c", "--arch", "arm64,"], ["-s", "a", "-p", "b", "-o", "c", "--xen-syms", "arm64="],
        ["-s", "a", "-p", "b", "-o", "c", "-c", ""],
        ["-s", "a", "-p", "b", "-o", "c", "--format", "kpatch"], ["-s", "a", "-p", "b", "-o", "c", "-k", "all"],
        ["-s", "a", "-p", "b", "-o", "c", "-q", "-v"], ["-s", "", "-p", "b", "-o", "c"],
        ["-s", "a", "-p", "b", "-o", "c", "stray"], ["explain", "no-such-diagnostic"],
        ["-s", "a", "-p", "b", "-o", "c", "--format", "xsplice", "--xen-depends", "bb359fb4"],
        ["-s", "a", "-p", "b", "-o", "c", "--on", "1.livepatch"], ["-s", "a", "-p", "b", "-o", "c", "--cumulative"],
        ["-s", "a", "-p", "b", "-o", "c", "--xen-syms", "x", "--applied-patch", "p"],
        ["-s", "a", "-p", "b", "-o", "c", "--nop", "f"], ["-s", "a", "-p", "b", "-o", "c", "--nop", "=5"],
        ["-s", "a", "-p", "b", "-o", "c", "--name", "a/b"], ["-s", "a", "-p", "b", "-o", "c", "--name", ""],
    ])
    func wrongUsage(arguments: [String]) async {
        let result = await run(arguments)
        #expect(result.status == .usage)
        #expect(result.output.isEmpty)
        #expect(result.error.hasPrefix("error: "), "\(result.error)")
    }

    @Test(
        "a word that is no command is named, and what is missing is named at once",
        arguments: [
            ([], "missing: -s SRC, -p PATCH, -o OUT"), (["build"], "missing: -s SRC, -p PATCH, -o OUT"), (["-s", "a"], "missing: -p PATCH, -o OUT"),
            (["-p", "b", "-o", "c"], "missing: -s SRC"), (["-s", "a", "-o", "c", "--nop", "f=5", "-v"], nil),
            (["biuld"], "there is no command 'biuld'"), (["biuld", "-s", "a"], "there is no command 'biuld'"),
            (["-s", "a", "-p", "-", "-p", "-", "-o", "c"], "standard input, which can be read only once"),
        ] as [([String], String?)])
    func whatIsMissing(arguments: [String], words: String?) async {
        let result = await run(arguments)
        guard let words else {
            #expect(!result.error.contains("missing"), "\(result.error)")
            return
        }
        #expect(result.status == .usage && result.error.contains(words), "\(result.error)")
    }

    /// The titles of the groups, with what stands below them.
    @Test func helpHasGroups() {
        let page = CommandLineTool.help()
        let titles = ["INPUT", "OUTPUT", "TARGET", "APPLIED PAYLOADS", "PAYLOAD", "WORK", "WHAT IS SAID", "OPTIONS"]
        let found = page.split(separator: "\n").filter { $0.hasSuffix(":") && $0.first?.isLetter == true && !$0.hasPrefix("EXIT") }.map { $0.dropLast() }
        #expect(found.map(String.init) == titles)
        // A group that is in two parts has one title.
        let payload = page.split(separator: "\nPAYLOAD:\n")[1].split(separator: "\n\n")[0]
        #expect(payload.contains("--name <name>") && payload.contains("--expect"))
    }
}
