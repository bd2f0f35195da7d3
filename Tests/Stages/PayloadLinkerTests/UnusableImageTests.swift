import Diagnostics
import ObjectFixtures
import TestTools
import Testing
import XenSource

/// Files that are made from xen-syms and can't stand for it.
@Suite struct UnusableImageTests {
    @Test(
        arguments: [
            ("--only-keep-debug", "has no code", "split off"), ("-g", "has no FILE symbols", "strip -g"), ("-x", "has no local symbols", "strip -x"),
            ("-S", "has no symbols", "a stripped file"),
        ])
    func refused(_ option: String, _ message: String, _ help: String) async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile("static int s(int a) { return a; } int f(int a) { return s(a); } int v;\n", in: folder)
            _ = try await ObjectFixtures.link([object], in: folder)
            try await run("objcopy", [option, "xen-syms", "other"], in: folder)
            let error = #expect(throws: InputError.self) { try XenImage.read(folder.appending("other")) }
            #expect(error?.reason.contains(message) == true, "\(error?.message ?? "")")
            #expect(error?.help?.contains(help) == true)
        }
    }
}
