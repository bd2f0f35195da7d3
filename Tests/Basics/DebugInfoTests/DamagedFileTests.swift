import DebugInfo
import Diagnostics
import SystemPackage
import TestTools
import Testing
import WorkFiles

/// Whatever a file holds, reading ends with a value or an error.
@Suite struct DamagedFileTests {
    @Test func notAnELFFile() throws {
        try withTemporaryFolder { folder in
            let text = try write("int x;", to: "x.c", in: folder)
            #expect(throws: InputError.notELF(text, "no ELF header")) { try DebugInfo.read(text) }
            let empty = try write("", to: "empty", in: folder)
            #expect(throws: InputError.notELF(empty, "no ELF header")) { try DebugInfo.read(empty) }
            let missing = folder.appending("missing.o")
            #expect(throws: InputError.unreadable(missing, .noSuchFileOrDirectory)) { try DebugInfo.read(missing) }
            #expect(throws: InputError.unreadable(folder, .isDirectory)) { try DebugInfo.read(folder) }
        }
    }

    @Test func messageNamesFileAndReason() {
        let error = InputError.corrupt("common/kernel.o", "entries in a circle")
        #expect(error.message == "common/kernel.o: its debug information can't be read: entries in a circle")
        #expect(error.exitCode == .usage)
    }

    @Test(arguments: ["-gdwarf-4", "-gdwarf-5"]) func truncatedOrOverwritten(version: String) async throws {
        try await withTemporaryFolder { folder in
            let text = """
                static inline int in(int x) { static int n; if (x) { static int m; m += n; } return n += x; }
                int a(int x) { static int n; { static int n; n += x; } return n += in(x); }
                int b(int x) { struct { int a, b[3]; } s = { x }; return s.b[x] + in(x); }
                """
            let file = try write(text, to: "a.c", in: folder)
            try await run("gcc", [version, "-O2", "-c", file.string, "-o", "a.o"], in: folder)
            let good = try WorkFiles.read(folder.appending("a.o"))
            let broken = folder.appending("broken.o")
            var refused = 0
            func attempt(_ bytes: [UInt8]) throws {
                try WorkFiles.write(bytes, to: broken)
                do { _ = try DebugInfo.read(broken) } catch { refused += 1 }
            }
            for length in stride(from: 0, to: good.count, by: 61) { try attempt(Array(good[..<length])) }
            // Seeded, so that a failure can be repeated.
            var random = Repeatable(state: 0x1234_5678)
            for _ in 0..<1500 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                try attempt(bytes)
            }
            #expect(refused > 0)
        }
    }
}
