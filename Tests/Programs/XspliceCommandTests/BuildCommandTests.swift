import ArgumentParser
import Diagnostics
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
        #expect(options.source == "/tmp/xen")
        #expect(options.patches == ["/root/work/test1.patch"])
        #expect(options.output == "out1")
        #expect(options.xenSyms == [TargetValue("/root/xen/xen/xen-syms")])
        #expect(options.xenDebug)
        #expect(options.verbosity == .debug)
    }

    @Test func defaults() throws {
        let options = try parse("-s", "a", "-p", "b", "-o", "c")
        #expect(
            options
                == BuildOptions(
                    source: "a", patches: ["b"], appliedPatches: [], applied: [], cumulative: false, name: nil, output: "c", xenSyms: [], config: [], crossCompile: [], jobs: 3, xenDebug: false,
                    depends: nil, xenDepends: nil, architectures: [], format: .auto, skip: nil, prelink: false,
                    strip: false, expect: false, nops: [], cache: "/home/u/.cache/xsplice-build", cacheLimit: 10 << 30,
                    compilerLauncher: [], keepWork: false, trustSource: false,
                    allowedLayouts: [], force: false, verbosity: .normal))
    }

    @Test func everyOption() throws {
        let id = "BB359fb422930011223344556677889904ab04ab"
        let options = try parse(
            "build", "-s", "a", "-p", "1.patch", "-p", "2.patch", "-o", "c", "-c", "config", "-j8", "--depends", id,
            "--xen-depends", id, "--arch", "arm64", "--cross-compile", "aarch64-none-", "--format", "livepatch", "-k", "diff", "--prelink", "--strip",
            "--cache-dir", "/cache", "--cache-size", "500M", "--compiler-launcher", "ccache --x", "--keep-work", "--trust-source", "--force", "-v",
            "--allow-layout-change", "struct domain", "--allow-layout-change", "vcpu", "--xen-syms", "xen-syms", "--on", "1.livepatch",
            "--on", "2.livepatch", "--applied-patch", "0.patch", "--cumulative", "--expect", "--nop", "a.c#f=5", "--name", "fix-1")
        #expect(options.applied == ["1.livepatch", "2.livepatch"] && options.appliedPatches == ["0.patch"] && options.cumulative)
        #expect(options.expect && options.nops == [.init(function: "a.c#f", count: 5)] && options.name == "fix-1")
        #expect(options.patches == ["1.patch", "2.patch"])
        #expect(options.config == [TargetValue("config")])
        #expect(options.jobs == 8)
        #expect(options.depends?.first == 0xbb && options.depends?.count == 20)
        #expect(options.xenDepends == options.depends)
        #expect(options.architectures == ["arm64"] && options.crossCompile == [TargetValue("aarch64-none-")])
        #expect(options.format == .livepatch)
        #expect(options.skip == .diff)
        #expect(options.prelink && options.strip && options.keepWork && options.trustSource && options.force)
        #expect(options.cache == "/cache" && options.cacheLimit == 500 << 20 && options.compilerLauncher == ["ccache", "--x"])
        #expect(options.allowedLayouts == ["struct domain", "vcpu"])
        #expect(options.verbosity == .verbose)
    }

    @Test(arguments: [("0", nil), ("1000", 1000), ("3k", 3 << 10), ("2G", 2 << 30), ("1T", 1 << 40)] as [(String, Int64?)])
    func sizes(text: String, limit: Int64?) throws {
        #expect(try parse("-s", "a", "-p", "b", "-o", "c", "--cache-size", text).cacheLimit == limit)
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
        #expect(options.architectures == ["x86_64", "arm64", "arm32"])
        #expect(options.xenSyms == [TargetValue("64/xen-syms", for: "arm64"), TargetValue("build=1/xen-syms"), TargetValue("./arm32=new")])
        #expect(options.config == [TargetValue("a=b", for: "arm32")])
        #expect(options.crossCompile == [TargetValue("", for: "arm64")])
    }

    @Test func longNames() throws {
        let options = try parse("--srcdir", "a", "--patch", "b", "--output", "c", "--cpus", "2", "--skip", "build")
        #expect(options.source == "a" && options.jobs == 2 && options.skip == .build)
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

    @Test func cacheFolder() throws {
        #expect(try CacheFolder.locate(option: "x", environment: [:]) == "x")
        let both = ["HOME": "/h", "XDG_CACHE_HOME": "/c"]
        #expect(try CacheFolder.locate(option: nil, environment: both) == "/c/xsplice-build")
        let relative = ["HOME": "/h", "XDG_CACHE_HOME": "c"]
        #expect(try CacheFolder.locate(option: nil, environment: relative) == "/h/.cache/xsplice-build")
        #expect(throws: UsageError.self) { try CacheFolder.locate(option: nil, environment: [:]) }
    }
}
