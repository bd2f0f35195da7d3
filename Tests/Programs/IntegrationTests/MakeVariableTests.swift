import TestTools
import Testing
import WorkFiles
import XenRig

/// A hypervisor whose build gave variables to make, as those of distributions do.
@Suite struct MakeVariableTests {
    @Test("the flags of the hypervisor's build make the same code; without them, or with others, it is refused")
    func flags() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let built = try await bench.copyOfTree(to: folder.appending("built"))
            let flags = "EXTRA_CFLAGS_XEN_CORE=-fno-omit-frame-pointer -fdebug-types-section -ffile-prefix-map=\(built)=/usr/src/xen"
            for goal in ["defconfig", "-j2"] {
                try await run("make", ["-s", "-C", built.appending("xen").string, "CC=gcc", "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970", flags, goal])
            }
            func build(_ output: String, _ more: [String]) async throws -> Program.Ending {
                try await Program.run(bench.arguments(output: folder.appending(output), xenSyms: built.appending("xen/xen-syms")) + more)
            }
            let same = try await build("same", ["--make", flags])
            #expect(same.code == 0 && same.output.contains("byte for byte"), "\(same.error)")
            for (output, more) in [("none", []), ("other", ["--make", "EXTRA_CFLAGS_XEN_CORE=-fno-omit-frame-pointer -O1"])] {
                let other = try await build(output, more)
                #expect(other.code == 6 && other.error.contains("--make"), "\(other.error)")
            }
        }
    }
}
