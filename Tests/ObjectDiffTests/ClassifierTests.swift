import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

@Suite struct ClassifierTests {
    @Test(arguments: [
        ("u32 v = 1; u32 f(void) { return v; }", "u32 v = 2; u32 f(void) { return v; }", "data-initialiser-changed"),
        ("u32 v = 1; u32 f(void) { return v; }", "u32 v[2] = { 1 }; u32 f(void) { return v[0]; }", "data-size-changed"),
        ("u32 f(void) { return 0; }", "DEFINE_PER_CPU(u32, v); u32 f(void) { return per_cpu__v; }", "per-cpu-added"),
        (
            "const u32 t[] = { 1, 2, 3, 4 }; u32 f(u32 i) { return t[i]; }",
            "const u32 t[] = { 1, 2, 3, 5 }; u32 f(u32 i) { return t[i]; }", "constant-table-changed"
        ),
        (
            "u32 v; u32 f(void) { return v; }",
            "u32 v; u32 f(void) { return v; } static u32 *e __attribute__((section(\".data.schedulers\"), used)) = &v;",
            "collected-array-changed"
        ),
        (
            "u32 f(void) { return 1; }", "u32 __attribute__((section(\".odd\"))) o = 1; u32 f(void) { return o; }",
            "section-not-understood"
        ),
        (
            "asm ( \".section .text.x, \\\"ax\\\"\\n nop\\n call f\" ); u32 f(void) { return 1; }",
            "asm ( \".section .text.x, \\\"ax\\\"\\n nop\\n call g\" ); u32 f(void) { return 1; } u32 g(void) { return 2; }",
            "section-not-understood"
        ),
    ])
    func whatCannotBePatchedIsRefused(original: String, patched: String, id: String) async throws {
        let set = try await ObjectFixtures.compare(original, patched)
        #expect(set.errors.contains(id))
    }

    @Test func bootCodeIsAWarning() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 __init f(void) { return 1; } u32 g(void) { return 2; }",
            "u32 __init f(void) { return 3; } u32 g(void) { return 2; }")
        #expect(set.isUnchanged)
        #expect(set.diagnostics.map(\.id) == [.initOnlyChange])
        #expect(set.diagnostics.first?.message.contains("'f'") == true)
    }

    @Test func newVariablesAreNoReasonToRefuse() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(void) { return 1; }",
            "static u32 a; u32 b = 5; static u32 __read_mostly c = 1; u32 f(void) { return ++a + b++ + c++; }")
        #expect(set.errors.isEmpty)
        #expect(set.names(.new) == ["a", "b", "c"])
        #expect(set.names(.changed) == ["f"])
    }

    @Test func diagnosticsKnowTheLine() async throws {
        let set = try await ObjectFixtures.compare("u32 g;\n\nu32 v = 1;\n", "u32 g;\n\nu32 v = 2;\n")
        let diagnostic = try #require(set.diagnostics.first)
        #expect(diagnostic.location == SourceLocation(file: "test.c", line: 3))
        #expect(diagnostic.help != nil)
    }

    @Test func aColdPartTakesItsFunctionAlong() async throws {
        let source = { (text: String) in
            """
            extern void __attribute__((cold)) complain(const char *, u32); extern u32 other(u32);
            u32 f(u32 *x, u32 n) { u32 r = other(n); if ( r == 9 ) { complain("\(text)", n); x[1] += other(r); } return r + other(x[2]); }
            u32 g(u32 x) { return x; }
            """
        }
        let set = try await ObjectFixtures.compare(source("abc"), source("abd"))
        #expect(set.patched.items.contains { $0.name == "f.cold" && $0.parent != nil })
        #expect(set.names(.changed) == ["f", "f.cold"])
    }
}
