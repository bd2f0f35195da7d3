import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XenBuild

@Suite struct ToolchainTests {
    @Test(arguments: [
        ("gcc (Debian 12.2.0-14) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n", ["-g", "-fno-var-tracking"]),
        ("Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n", ["-g"]),
    ])
    func debugFlagsAreThoseThatTheCompilerTakes(version: String, flags: [String]) {
        #expect(Toolchain.debugFlags(version: version) == flags)
    }

    @Test func debugFlagsChangeNoCode() async throws {
        let flags = Toolchain.debugFlags(version: try await run("gcc", ["--version"]))
        try #require(flags.count > 1)
        try await withTemporaryFolder { folder in
            _ = try write(
                "int g(int *); int f(int a, int b) { int c = a * b; for (int i = 0; i < b; i++) { int d = c + i; c += g(&d) ? d : i; } return c; }\n",
                to: "f.c", in: folder)
            var objects: [[UInt8]] = []
            for (name, more) in [("plain.o", []), ("debug.o", flags)] {
                try await run("gcc", ["-O2", "-c", "f.c", "-o", name] + more, in: folder)
                try await run("objcopy", ["--strip-debug", name], in: folder)
                objects.append(try WorkFiles.read(folder.appending(name)))
            }
            #expect(objects[0] == objects[1])
        }
    }

    @Test(arguments: [
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n", true),
        ("gcc-8 (SUSE Linux) 8.2.1 20180831 [gcc-8-branch revision 264010]\nCopyright (C) 2018 Free Software Foundation, Inc.\n", true),
        ("gcc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)\nCopyright (C) 2015 Free Software Foundation, Inc.\n", false),
        ("gcc (Ubuntu 7.5.0-3ubuntu1~18.04) 7.5.0\nCopyright (C) 2017 Free Software Foundation, Inc.\n", false),
        ("Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n", true), ("clang version 9.0.1\n", false), ("cc 1.0\n", false), ("", false),
    ])
    func compilersThatReplacePathsInMacros(version: String, can: Bool) {
        #expect(Toolchain.canReplaceMacroPaths(version: version) == can)
    }
}
