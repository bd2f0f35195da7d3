import SystemPackage
import Testing

@testable import LivepatchBuild

/// Values that can't be, or that do not go together, are no options.
@Suite struct BuildOptionsTests {
    @Test(arguments: [
        (["--arch", "mips"], "--arch mips: this version makes payloads for x86_64, arm64, arm32"),
        (["--arch", "arm64,arm64"], "--arch arm64 is given twice"), (["--arch", "arm64,"], "--arch : this version makes payloads for x86_64, arm64, arm32"),
        (["--on", "1.livepatch"], "payloads are applied to a running hypervisor: give its xen-syms with --xen-syms FILE"),
        (["--cumulative"], "payloads are applied to a running hypervisor: give its xen-syms with --xen-syms FILE"),
        (["--xen-syms", "x", "--applied-patch", "p"], "--applied-patch needs the payloads that were made from it: --on PAYLOAD"),
        (["--name", "a/b"], "--name takes 1 to 127 letters, digits, _ and -, not 'a/b'"),
        (["--name", ""], "--name takes 1 to 127 letters, digits, _ and -, not ''"), (["-c", ""], "-c is given an empty name"),
        (["--xen-syms", "arm64="], "--xen-syms is given an empty name"),
        (["--format", "xsplice", "--xen-depends", "bb"], "--xen-depends: the xsplice format has no such dependency"),
    ])
    func wrongOnes(words: [String], message: String) {
        let error = #expect(throws: UsageError.self) { try buildOptions(words) }
        #expect(error?.message == message && error?.help == "xsplice-build --help lists the options")
    }

    @Test(arguments: [
        ("EXTRA", "--make takes NAME=VALUE, not 'EXTRA'", nil), ("=x", "--make takes NAME=VALUE, not '=x'", nil),
        ("-k=1", "--make takes NAME=VALUE, not '-k=1'", nil), ("O=/there", "--make O: this program gives that variable to make itself", nil),
        ("CROSS_COMPILE=arm-", "--make CROSS_COMPILE: this program gives that variable to make itself", "use --cross-compile"),
    ])
    func variablesOfMake(text: String, message: String, help: String?) throws {
        let error = #expect(throws: UsageError.self) { try buildOptions(["--make", text]) }
        #expect(error?.message == message && error?.help == help)
        let good = ["EXTRA_CFLAGS_XEN_CORE=-O1 -DA=b", "XEN_VENDORVERSION="]
        #expect(try buildOptions(good.flatMap { ["--make", $0] }).targets.makeVariables == good)
    }

    @Test func thereIsSomethingToDo() throws {
        let work = BuildOptions.Work(jobs: 1, cache: "c")
        let error = #expect(throws: UsageError.self) { try BuildOptions(input: .init(source: "a"), work: work) }
        #expect(error?.message == "no patch is given: -p PATCH")
        var fix = BuildOptions.Fix()
        fix.nops = [.init(function: "f", count: 5)]
        _ = try BuildOptions(input: .init(source: "a"), fix: fix, work: work)
    }

    @Test func aStackThatIsReplacedNeedsNoPayloads() throws {
        let options = try buildOptions(["--xen-syms", "x", "--applied-patch", "p", "--cumulative"])
        #expect(options.stack.isReplaced && options.stack.patches == ["p"])
    }

    @Test func cacheFolder() throws {
        #expect(try CacheFolder.locate(option: "x", environment: [:]) == "x")
        let both = ["HOME": "/h", "XDG_CACHE_HOME": "/c"]
        #expect(try CacheFolder.locate(option: nil, environment: both) == "/c/xsplice-build")
        let relative = ["HOME": "/h", "XDG_CACHE_HOME": "c"]
        #expect(try CacheFolder.locate(option: nil, environment: relative) == "/h/.cache/xsplice-build")
        #expect(throws: UsageError.self) { try CacheFolder.locate(option: nil, environment: [:]) }
    }

    @Test func placesOfFiles() {
        let places = OutputPlaces(top: "out")
        #expect(places.payloadFolder(for: nil) == "out" && places.logs(for: nil) == "out/logs")
        #expect(places.payloadFolder(for: "arm64") == "out/arm64" && places.logs(for: "arm64") == "out/logs/arm64")
    }
}
