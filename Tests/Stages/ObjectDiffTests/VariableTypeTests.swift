import Diagnostics
import ObjectDiff
import ObjectFixtures
import TestTools
import Testing

@Suite struct VariableTypeTests {
    private func errors(_ original: String, _ patched: String) async throws -> [Diagnostic] {
        try await diagnostics(original, patched).filter { $0.severity == .error }
    }

    private func diagnostics(_ original: String, _ patched: String) async throws -> [Diagnostic] {
        try await withTemporaryFolder { folder in
            let old = try await ObjectFixtures.compile(original, name: "old.c", in: folder)
            let new = try await ObjectFixtures.compile(patched, name: "new.c", in: folder)
            return try ObjectFixtures.compare(old, new, name: "test.c").diagnostics
        }
    }

    @Test(arguments: [
        ("static u32 v;", "static int v;"),
        ("struct a { u32 x; }; struct b { u64 x; }; static struct a *v;", "struct a { u32 x; }; struct b { u64 x; }; static struct b *v;"),
        ("static u32 v[2];", "static u64 v[1];"), ("static struct { u32 a; } *v;", "static void *v;"), ("static u32 v[2][8];", "static u32 v[8][2];"),
        ("static struct { u32 x, y; } v[4];", "static struct { u32 x[4], y[4]; } v;"),
    ])
    func anotherTypeOfTheSameSizeIsRefused(original: String, patched: String) async throws {
        let found = try await errors(
            "\(original) void f(void) { sink(&v); }", "\(patched) void f(void) { sink(&v); sink(&v); }")
        #expect(found.map(\.id) == [.dataTypeChanged])
        #expect(found.first?.message.contains("'v'") == true && found.first?.location?.line == 1)
    }

    /// The new code comes from a function that the original does not have, or from another object.
    @Test func aNewFunctionIsEnough() async throws {
        let found = try await errors("u32 v; u32 f(void) { return 1; }", "int v; u32 f(void) { return 1; } u32 g(void) { return v / 2; }")
        #expect(found.map(\.id) == [.dataTypeChanged])
    }

    @Test(arguments: [("u32 x) { return x + v; }", []), ("u32 x) { printk(\"f\"); return x + v; }", [DiagnosticID.dataTypeChanged])])
    func anotherObjectsCodeIsEnough(after: String, ids: [DiagnosticID]) async throws {
        let user = "u32 f(u32 x) { return x + v; }", h = " u32 h(u32 x) { return x; }"
        let result = try await layouts([("extern u32 v; \(user)", "extern int v; u32 f(\(after)"), ("u32 v;\(h)", "int v;\(h)")])
        #expect(result.diagnostics.map(\.id) == ids)
    }

    /// One file defines the variable before, and another after the patch.
    @Test(arguments: [("u32 v;", []), ("int v;", [DiagnosticID.dataTypeChanged])])
    func aVariableThatMovesKeepsItsType(definition: String, ids: [DiagnosticID]) async throws {
        let (f, g) = ("u32 f(u32 x) { return x + v; }", "u32 g(u32 x) { return x - v; }")
        let result = try await layouts([("u32 v; \(f)", "extern \(definition) \(f)"), ("extern u32 v; \(g)", "\(definition) \(g)")])
        #expect(result.diagnostics.map(\.id) == ids)
    }

    @Test(
        "one of several of a name, and one of each processor",
        arguments: [
            (
                "void f(void) { static u64 v; sink(&v); } void g(void) { static u64 v; sink(&v); v++; }",
                "void f(void) { static u64 v; sink(&v); } void g(void) { static void *v; sink(&v); v++; sink(0); }"
            ),
            (
                "static u64 v; void e(void) { sink(&v); } void f(void) { static u64 v; sink(&v); }",
                "static void *v; void e(void) { sink(&v); sink(0); } void f(void) { static u64 v; sink(&v); }"
            ),
            (
                "__attribute__((section(\".bss.percpu\"))) u64 per_cpu__v; void f(void) { sink(&per_cpu__v); }",
                "__attribute__((section(\".bss.percpu\"))) void *per_cpu__v; void f(void) { sink(&per_cpu__v); sink(0); }"
            ),
        ])
    func namesakes(original: String, patched: String) async throws {
        #expect(try await errors(original, patched).map(\.id) == [.dataTypeChanged])
    }

    /// The one that changed its size is reported as that, and the other is what it was.
    @Test func aNamesakeInAnotherFunctionIsNotMeant() async throws {
        let source = { (size: Int) in
            "void f(void) { static char v[\(size)]; sink(v); sink(0); } void g(void) { static char v[4]; sink(v); } void h(void) { sink((void *)\(size)L); }"
        }
        #expect(try await errors(source(8), source(16)).map(\.id) == [.dataSizeChanged])
    }

    @Test(arguments: [
        ("static char *v;", "static const char *v;"),
        ("typedef u32 number; static u32 v;", "typedef u32 number; static number v;"),
        ("static u32 v;", "static volatile u32 v;"),
    ])
    func theSameMeaningIsNoChange(original: String, patched: String) async throws {
        #expect(try await errors("\(original) void f(void) { sink((void *)&v); }", "\(patched) void f(void) { sink((void *)&v); sink(0); }").isEmpty)
    }

    @Test(arguments: [
        ("static u64 v;", "struct one { u64 n; }; static struct one v;"),
        ("struct a { u32 x, y; }; static struct a v;", "struct b { u32 first, second; }; static struct b v;"),
        ("struct a { u32 x; }; static struct a *v;", "struct b { u32 x; }; static struct b *v;"),
        ("static u32 v[4];", "static struct { u32 a, b; } v[2];"),
        ("static u64 v;", "static unsigned long long v;"),
        ("static u32 v[16];", "static u32 v[2][8];"),
        (
            "__attribute__((section(\".bss.percpu\"))) u64 per_cpu__v;",
            "struct one { u64 n; }; __attribute__((section(\".bss.percpu\"))) struct one per_cpu__v;"
        ),
    ])
    func theSameBitsAreANote(original: String, patched: String) async throws {
        let name = original.contains("per_cpu__v") ? "per_cpu__v" : "v"
        let all = try await diagnostics("\(original) void f(void) { sink(&\(name)); }", "\(patched) void f(void) { sink(&\(name)); sink(0); }")
        #expect(all.allSatisfy { $0.severity == .note } && all.map(\.id) == (patched.contains("long long") ? [] : [.layoutKept]), "\(all)")
    }
}
