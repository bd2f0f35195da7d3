import Diagnostics
import ObjectFixtures
import Testing

/// Data that the source keeps although nothing in its object refers to it.
@Suite struct KeptDataTests {
    private func found(_ original: String, _ patched: String) async throws -> [String] {
        let code = " u32 f(u32 x) { return x * 3; }"
        let set = try await ObjectFixtures.compare(original + code, patched + code)
        return set.diagnostics.map { "\($0.severity.rawValue) \($0.id.rawValue)" }
    }

    private static let entry = "u32 one(u32 x) { return x; } static u32 (*const entry_one)(u32) __attribute__((used, section(\".rodata.odd\"))) = one;"
    private static let variable = "static u32 entry __attribute__((used, section(\".data.odd\"))) = 5;"

    @Test(
        arguments: [
            (
                "static const u32 t[] __attribute__((used)) = { 1, 2 };", "static const u32 t[] __attribute__((used)) = { 1, 3 };",
                ["error constant-table-changed"]
            ),
            ("", "static const u32 t[] __attribute__((used)) = { 1, 2 };", ["warning collected-array-changed"]),
            ("static const u32 t[] __attribute__((used)) = { 1, 2 };", "", ["warning collected-array-changed"]),
            ("u32 one(u32 x) { return x; }", entry, ["error collected-array-changed"]),
            (entry, "u32 one(u32 x) { return x; }", ["error collected-array-changed"]),
            ("", variable, ["error collected-array-changed"]),
            (variable, "", ["note data-left-behind", "error collected-array-changed"]),
            (
                "asm ( \".section .rodata.odd, \\\"a\\\"\\n .long 1\\n .text\" );", "asm ( \".section .rodata.odd, \\\"a\\\"\\n .long 2\\n .text\" );",
                ["note section-not-understood"]
            ),
            (
                "asm ( \".section .note.odd, \\\"a\\\", @note\\n .long 4, 4, 1, 1, 5\\n .text\" );",
                "asm ( \".section .note.odd, \\\"a\\\", @note\\n .long 4, 4, 1, 1, 6\\n .text\" );", ["note section-not-understood"]
            ),
        ] as [(String, String, [String])])
    func isReported(original: String, patched: String, diagnostics: [String]) async throws {
        #expect(try await found(original, patched) == diagnostics)
    }

    @Test("data with a user is the business of its users") func used() async throws {
        let set = try await ObjectFixtures.compare(
            "static const u32 t[] __attribute__((used)) = { 1, 2, 3 }; u32 f(u32 x) { return t[x]; }",
            "static const u32 t[] __attribute__((used)) = { 1, 2, 4 }; u32 f(u32 x) { return t[x]; }")
        #expect(set.diagnostics.isEmpty && set.names(.changed).contains("f"))
    }
}
