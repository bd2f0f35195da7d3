import Diagnostics
import SystemPackage
import TestTools
import Testing

@testable import DebugInfo

/// Declarations of variables, with storage and without.
@Suite struct VariableDeclarationTests {
    private func declarations(_ source: String, _ names: Set<String>) async throws -> [VariableDeclarations.Declaration] {
        try await withTemporaryFolder { folder in
            _ = try write(source, to: "a.c", in: folder)
            try await run("gcc", ["-O2", "-g", "-fno-common", "-c", "a.c", "-o", "a.o"], in: folder)
            return try VariableDeclarations.read(folder.appending("a.o"), named: names)
        }
    }

    @Test func withStorageAndWithout() async throws {
        let found = try await declarations(
            "static int kept = 5, folded = 7;\nextern int other;\nint f(int x) {\n  static int v = 3;\n  if (x) { static int v; v++; x += v; }\n  kept += x;\n  return v + folded + kept + other;\n}\n",
            ["kept", "folded", "other", "v"])
        #expect(found.map(\.name) == ["kept", "folded", "v", "v"])
        #expect(found.map { $0.storage != nil } == [true, false, false, true])
        #expect(found.map(\.place?.line) == [1, 1, 4, 5] && found.map(\.column) == [12, 22, 14, 23])
        #expect(found.map(\.scope) == [[], [], [.function("f")], [.function("f"), .block(0)]])
        #expect(found[2].constant == 3 && !found.contains { $0.isAutomatic })
    }

    @Test func onceHoweverOftenItsFunctionWasInlined() async throws {
        let found = try await declarations(
            "static inline int g(int x) { static int v; int w = x * 2; v += w; return v; }\nint f(int x) { return g(x) + g(x + 1); }\nint h(int x) { return g(x); }\n",
            ["v"])
        #expect(found.count == 1 && found.first?.storage != nil && found.first?.scope == [.function("g")])
    }

    @Test func namesThatNobodyAskedForAreNotRead() async throws {
        #expect(try await declarations("int v;\n", []).isEmpty)
        #expect(try await declarations("int v;\n", ["w"]).isEmpty)
    }
}
