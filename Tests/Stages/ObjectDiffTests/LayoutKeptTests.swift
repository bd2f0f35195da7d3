import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// A layout is where the scalars are. How the source names and nests them is none of its business.
@Suite struct LayoutKeptTests {
    private func outcome(_ before: String, _ after: String, compiler: String) async throws -> [LayoutChange.Outcome] {
        let source = { (members: String, value: Int) in
            """
            struct one { u64 v; }; struct pair { u32 x, y; }; struct xy { u32 first, second; }; typedef u64 number; enum e { A, B };
            struct s { u32 head; \(members) };
            u32 changed(struct s *s) { return s->head + \(value); } u32 stays(struct s *s) { return s->head; }
            """
        }
        let result = try await layouts([(source(before, 1), source(after, 2))], compiler: compiler)
        let kept = result.diagnostics.filter { $0.id == .layoutKept }
        #expect(kept.count == result.layouts.count { $0.outcome == .kept } && kept.allSatisfy { $0.severity == .note })
        return result.layouts.map(\.outcome)
    }

    @Test(arguments: [
        ("char tail[0];", "char tail[];"), ("u32 a;", "u32 b;"), ("u64 a;", "struct one a;"), ("u64 a;", "struct { u64 raw; } a;"),
        ("u32 a; u32 b;", "struct pair p;"), ("struct pair p;", "struct xy p;"), ("u32 a, b, c, d;", "u32 v[4];"),
        ("u32 v[2000];", "struct pair v[1000];"), ("u32 a:32;", "u32 a;"), ("u32 a:3, b:5;", "struct { u32 a:3, b:5; } bits;"),
        ("u32 a; union { u64 b; u32 c; };", "u32 a; union { u32 d; u64 b; } u;"),
        ("union { u64 a; struct pair p; };", "union { struct { u32 x; u32 y; }; u64 a; };"), ("enum e a;", "u32 a;"), ("u32 v[6];", "u32 v[2][3];"),
        ("struct pair v[1];", "struct pair v;"),
        ("struct { u32 x; u64 y; } v[500];", "struct { u32 a; struct one b; } v[500];"), ("long a;", "struct { long long a; } w;"),
    ])
    func liesAlike(before: String, after: String) async throws {
        for compiler in ["gcc", "clang"] {
            #expect(try await outcome(before, after, compiler: compiler) == [.kept], "\(compiler)")
            #expect(try await outcome(after, before, compiler: compiler) == [.kept], "\(compiler), backwards")
        }
    }

    @Test(arguments: [("long a;", "long long a;"), ("number a;", "u64 a;"), ("unsigned long *a;", "unsigned long long *a;"), ("char a;", "signed char a;")])
    func isNothing(before: String, after: String) async throws {
        for compiler in ["gcc", "clang"] { #expect(try await outcome(before, after, compiler: compiler).isEmpty, "\(compiler)") }
    }

    @Test(arguments: [
        ("u32 a;", "int a;", LayoutChange.Outcome.retyped), ("u32 a;", "float a;", .retyped), ("u64 a;", "void *a;", .retyped),
        ("unsigned char a;", "_Bool a;", .retyped), ("struct pair *a;", "struct one *a;", .retyped), ("u32 *a;", "int *a;", .retyped),
        ("void (*a)(u32);", "void (*a)(u64);", .retyped), ("u32 t[0];", "int t[];", .retyped), ("u32 pad; u64 a;", "u32 pad; struct pair a;", .retyped),
        ("struct { struct pair *x; } a;", "struct { struct one *y; } b;", .retyped),
        // What lies behind the pointer, or at an index, may be something else.
        ("void *a;", "struct pair *a;", .retyped), ("struct pair *a;", "void *a;", .retyped), ("u32 v[2][3];", "u32 v[3][2];", .retyped),
        ("u32 v[2][3];", "struct pair v[3];", .retyped), ("struct pair v[3];", "struct { u32 x[3], y[3]; } v;", .retyped),
        ("struct { u32 x[3], y[3]; } v;", "struct pair v[3];", .retyped), ("struct pair v[2][3];", "struct pair v[3][2];", .retyped),
        // Two that change places lie alike, and mean something else.
        ("u32 a; u32 b;", "u32 b; u32 a;", .refused), ("u32 v[3];", "u32 v[4];", .refused), ("u32 a; u64 b;", "u64 b; u32 a;", .refused),
        ("u32 a:3, b:5;", "u32 a:5, b:3;", .refused), ("union { u32 a; u64 b; };", "u32 a; u64 b;", .refused),
        ("char t[];", "char t[8];", .refused), ("char t[0];", "u32 t[];", .refused), ("u32 t[];", "u64 t[];", .refused),
        ("struct one t[];", "struct pair t[];", .refused), ("u32 v[2000];", "u32 v[1998]; u64 w;", .refused),
    ])
    func liesOtherwise(before: String, after: String, expected: LayoutChange.Outcome) async throws {
        for compiler in ["gcc", "clang"] { #expect(try await outcome(before, after, compiler: compiler) == [expected], "\(compiler)") }
    }

    /// A member less that shares its bits with others is nothing to code that stays. A member more is, as that code does not know it.
    @Test func membersOfAUnion() async throws {
        let (one, two) = ("union { u32 a; int i; };", "union { u32 a; u32 b; int i; };")
        #expect(try await outcome(two, one, compiler: "gcc") == [.kept])
        let source = { (members: String, value: Int) in "struct s { \(members) }; u32 f(struct s *s) { return s->a + \(value); }" }
        let more = try await layouts([(source(one, 1), source(two, 2))])
        #expect(more.layouts.map(\.outcome) == [.compatible] && more.diagnostics.map(\.id) == [.layoutPaddingUsed])
    }

    @Test func aStructBecomesAUnionOfTheSame() async throws {
        let source = { (kind: String, value: Int) in "\(kind) s { u64 a; }; u64 f(\(kind) s *s) { return s->a + \(value); }" }
        #expect(try await layouts([(source("struct", 1), source("union", 2))]).layouts.map(\.outcome) == [.kept])
    }

    /// Types that lead to each other in circles, all under other names.
    @Test func renamedCircles() async throws {
        let source = { (a: String, b: String, value: Int) in
            """
            struct \(b); struct \(a) { struct \(a) *next; struct \(b) *other; u32 n; }; struct \(b) { struct \(a) *back; struct \(b) *next; };
            struct s { struct \(a) *list; u32 last; }; u32 f(struct s *s) { return s->last + \(value); }
            """
        }
        #expect(try await layouts([(source("a", "b", 1), source("c", "d", 2))]).layouts.isEmpty)
        let other = source("c", "d", 2).replacing("u32 n;", with: "u64 n;")
        #expect(try await Set(layouts([(source("a", "b", 1), other)]).layouts.map(\.outcome)) == [.refused, .retyped])
    }

    /// As deep as a file likes, and linear: a struct in a struct in a struct. The time that counts includes waiting for other tests.
    @Test(.timeLimit(.minutes(30))) func manyThousandNestedTypes() async throws {
        let depth = 2000
        let source = { (first: String, value: Int) in
            let types = (1..<depth).map { "struct s\($0) { struct s\($0 - 1) in; u32 m\($0); };" }
            return "struct s0 { \(first) };\n" + types.joined(separator: "\n")
                + "\nextern struct s\(depth - 1) all; u32 f(void) { return all.m\(depth - 1) + \(value); }"
        }
        let kept = try await layouts([(source("u64 a;", 1), source("struct { u64 a; } b;", 2))])
        #expect(kept.layouts.map(\.outcome) == [.kept])
        let grown = try await layouts([(source("u64 a;", 1), source("u64 a, b;", 2))])
        #expect(grown.layouts.map(\.type) == ["struct s0"])
        #expect(grown.layouts.first?.alsoChanged.count == depth - 1)
    }
}
