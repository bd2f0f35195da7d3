import Diagnostics
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenVersions

@testable import XenSource

/// A tree with nothing but what recognition reads.
private func withTree<R>(makefile: String, sysctl: String, _ body: (FilePath) throws -> R) throws -> R {
    try withTemporaryFolder(named: "xsplice tree") { top in
        for (path, text) in [("xen/Makefile", makefile), ("xen/include/public/sysctl.h", sysctl)] {
            let file = top.appending(path)
            try WorkFiles.makeFolder(file.removingLastComponent())
            try WorkFiles.write(Array(text.utf8), to: file)
        }
        return try body(top)
    }
}

private let makefile = """
    # comment XEN_VERSION = 9
    export XEN_VERSION       = 4
    export XEN_SUBVERSION    = 17
    export XEN_EXTRAVERSION ?= .5$(XEN_VENDORVERSION)
    export XEN_FULLVERSION   = $(XEN_VERSION).$(XEN_SUBVERSION)$(XEN_EXTRAVERSION)
    """

@Suite struct XenTreeTests {
    @Test func recognisesTopAndHypervisorFolder() throws {
        try withTree(makefile: makefile, sysctl: "#define LIVEPATCH_PAYLOAD_VERSION 2\n") { top in
            for path in [top, top.appending("xen")] {
                let tree = try recogniseTree(at: path)
                #expect(tree.top == top)
                #expect(tree.version == XenVersion(major: 4, minor: 17, extra: ".5"))
                #expect(tree.abi == .livepatchV2)
            }
        }
    }

    @Test(arguments: [
        ("#define LIVEPATCH_PAYLOAD_VERSION 1\nstruct livepatch_func {", 13, PayloadABI.livepatchV1),
        ("#define LIVEPATCH_PAYLOAD_VERSION 1\nstruct livepatch_func {", 7, .livepatchV1Of47),
        ("# define LIVEPATCH_PAYLOAD_VERSION 2 /* why */", 14, .livepatchV2),
        ("#define XSPLICE_PAYLOAD_VERSION 1", 7, .xspliceV1),
        ("struct xsplice_patch_func {", 7, .xspliceV1),
    ])
    func readsThePayloadFormat(header: String, minor: Int, abi: PayloadABI) throws {
        #expect(try #require(PayloadABI(sysctlHeader: header, version: XenVersion(major: 4, minor: minor))) == abi)
    }

    @Test(
        "variables and functions of make are left out of the version",
        arguments: [
            (".5$(XEN_VENDORVERSION)", ".5"), ("$(if $(X),-a)", ""), (".5$(or $(V),x)", ".5"), (".5$(call f,(x),$(g (y)))-rc1", ".5-rc1"),
            ("$(a)$(b)", ""), (".5(x)", ".5(x)"), ("$", "$"), ("$(", ""), (")", ")"),
        ])
    func references(value: String, extra: String) {
        let version = XenVersion(makefile: "XEN_VERSION = 4\nXEN_SUBVERSION = 17\nXEN_EXTRAVERSION = \(value)\n")
        #expect(version == XenVersion(major: 4, minor: 17, extra: extra))
    }

    @Test func hooksAreThoseOfTheFormat() {
        #expect(PayloadABI.xspliceV1.hooks.isEmpty && PayloadABI.livepatchV1Of47.hooks.isEmpty)
        #expect(PayloadABI.livepatchV1.hooks.map(\.section) == [".livepatch.hooks.load", ".livepatch.hooks.unload"])
        #expect(PayloadABI.livepatchV2.hooks.count == 8)
        #expect(PayloadABI.livepatchV2.hookLimit(section: ".livepatch.hooks.apply") == 1)
        #expect(PayloadABI.livepatchV1.hookLimit(section: ".livepatch.hooks.apply") == nil)
    }

    @Test func saysWhenTheVersionHasNoLivePatching() throws {
        try withTree(makefile: "export XEN_VERSION = 4\nexport XEN_SUBVERSION = 6\n", sysctl: "") { top in
            let error = try #require(throws: XenSourceError.self) { try recogniseTree(at: top) }
            #expect(error.message.contains("Xen 4.6 has no live patching"))
            #expect(error.exitCode == .usage)
        }
    }

    @Test func refusesWhatIsNoTree() throws {
        let error = try #require(throws: XenSourceError.self) { try recogniseTree(at: "/usr") }
        #expect(error.message.contains("xen/Makefile"))
        #expect(error.exitCode == .usage)
        #expect(throws: XenSourceError("/nonexistent: no such folder")) { try recogniseTree(at: "/nonexistent") }
    }

    @Test func saysWhenTheTreeIsNotComplete() throws {
        try withTree(makefile: "export XEN_VERSION = four\n", sysctl: "") { top in
            let error = try #require(throws: XenSourceError.self) { try recogniseTree(at: top) }
            #expect(error.message.contains("is not a number"))
        }
    }
}

@Suite struct KernelConfigurationTests {
    private let text = """
        # CONFIG_DEBUG is not set
        CONFIG_X86_64=y
        CONFIG_LIVEPATCH=y
        CONFIG_NR_CPUS=256
        CONFIG_CMDLINE="console=com1"
        nonsense
        CONFIG_BROKEN
        """

    @Test func readsOptions() {
        let configuration = KernelConfiguration(text: text)
        #expect(configuration.options == ["X86_64": "y", "LIVEPATCH": "y", "NR_CPUS": "256", "CMDLINE": "console=com1"])
        #expect(configuration.hasLivePatching)
        #expect(configuration.architectureName(by: ["arm64": "ARM_64", "x86_64": "X86_64"]) == "x86_64")
        #expect(throws: Never.self) { try configuration.check(file: "f", architecture: "x86_64", options: ["arm64": "ARM_64", "x86_64": "X86_64"]) }
    }

    @Test(arguments: [
        ("CONFIG_X86_64=y", Diagnostics.ExitStatus.usage, "live patching is off"),
        ("CONFIG_ARM_64=y\nCONFIG_LIVEPATCH=y", .usage, "arm64"),
        ("CONFIG_LIVEPATCH=y\nCONFIG_COVERAGE=y", .cannotBeLivePatched, "CONFIG_COVERAGE"),
        ("CONFIG_XSPLICE=y\nCONFIG_GCOV=y", .cannotBeLivePatched, "CONFIG_GCOV"),
        ("CONFIG_LIVEPATCH=y\nCONFIG_UBSAN=y", .cannotBeLivePatched, "CONFIG_UBSAN"),
        ("CONFIG_LIVEPATCH=y\nCONFIG_LTO=y", .cannotBeLivePatched, "CONFIG_LTO"),
    ])
    func refusesWhatNoPayloadFits(text: String, status: Diagnostics.ExitStatus, words: String) throws {
        let error = try #require(throws: XenSourceError.self) {
            try KernelConfiguration(text: text).check(file: "f.config", architecture: "x86_64", options: ["arm64": "ARM_64", "x86_64": "X86_64"])
        }
        #expect(error.exitCode == status)
        #expect(error.diagnosticID == (status == .cannotBeLivePatched ? .instrumentedBuild : nil))
        #expect(error.message.contains(words))
        #expect(error.message.contains("f.config"))
    }

    @Test func namesDifferences() {
        let other = KernelConfiguration(text: text + "\nCONFIG_DEBUG=y\n")
        #expect(KernelConfiguration(text: text).differences(from: other) == ["DEBUG"])
    }

    @Test func missingFileIsAUsageError() {
        #expect(throws: XenSourceError("/nonexistent: the configuration can't be read")) {
            try KernelConfiguration(contentsOf: "/nonexistent")
        }
    }
}
