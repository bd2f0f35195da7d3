import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// Types that merge, split, or move to another function, file or name. What was written by the one is read by the other.
@Suite struct LayoutMoveTests {
    private let start = "u32 mode; void *any; "

    private func rows(_ layouts: [LayoutChange]) -> [String] {
        func text(_ value: Int64?) -> String { value.map { "\($0)" } ?? "-" }
        return layouts.flatMap { $0.enumerators.map { "\($0.name) \(text($0.old)) \(text($0.new))" } }
    }

    /// Compares the enums of one object, with code that uses them all and changes.
    private func enums(_ before: String, _ after: String) async throws -> [LayoutChange] {
        let code = "u32 f(u32 x, u32 y) { mode = x ? C : D; return y == A || y == B; }"
        return try await layouts([(start + before + code, start + after + code.replacing("y ==", with: "2 + y =="))]).layouts
    }

    // MARK: Enums that merge and split

    @Test(arguments: [
        // Into one, into the first of two, into the second of two, and into others than before.
        ("enum { A, B }; enum { C = 10, D };", "enum { A, B, C = 11, D = 10 };", ["C 10 11", "D 11 10"]),
        ("enum a { A, B }; enum b { C = 10, D };", "enum a { A, B, C = 11, D = 10 };", ["C 10 11", "D 11 10"]),
        ("enum a { A, B }; enum b { C = 10, D };", "enum b { A = 1, B = 0, C = 10, D };", ["A 0 1", "B 1 0"]),
        ("enum { A, B, C = 10, D };", "enum { A, B }; enum { D = 10, C };", ["D 11 10", "C 10 11"]),
        ("enum a { A, B, C = 10, D };", "enum a { A, B }; enum b { D = 10, C };", ["D 11 10", "C 10 11"]),
        ("enum { A, B, E }; enum { C = 10, D };", "enum { B = 1, E }; enum { A, C = 11, D = 10 };", ["A - 0", "C 10 11", "D 11 10"]),
        // A value that another name had is no new name for it.
        ("enum a { A, B }; enum b { C = 2, D };", "enum a { A, C = 1 }; enum { D = 3, B = 1 };", ["C 2 1"]),
    ])
    func anEnumeratorThatChangesOnTheWay(before: String, after: String, expected: [String]) async throws {
        let found = try await enums(before, after)
        #expect(found.contains { $0.outcome == .refused })
        #expect(Set(rows(found)).isSuperset(of: expected) && !rows(found).contains { $0.hasSuffix(" -") }, "\(rows(found))")
    }

    @Test(arguments: [
        ("enum { A, B, C = 10, D };", "enum { A, B }; enum { C = 10, D };"), ("enum a { A, B, C = 10, D };", "enum a { A, B }; enum b { C = 10, D };"),
        ("enum a { A, B, C = 10, D };", "enum { A, B }; enum { C = 10, D };"),
        ("enum a { A, B, C = 7 }; enum b { D = 9 };", "enum a { A, B }; enum b { C = 7, D = 9 };"),
        ("enum { A, B }; enum { C = 10, D };", "enum { A, B, C = 10, D };"), ("enum a { A, B }; enum b { C = 10, D };", "enum c { A, B, C = 10, D };"),
    ])
    func enumeratorsThatKeepTheirValues(before: String, after: String) async throws {
        let found = try await enums(before, after)
        #expect(found.allSatisfy { $0.outcome == .compatible } && rows(found).allSatisfy { $0.contains(" - ") }, "\(found)")
    }

    @Test func anEnumeratorThatIsGone() async throws {
        let text = { (list: String, value: String) in "\(list) u32 f(u32 x) { return x == A || x == C || x == \(value); }" }
        let found = try await layouts([(text("enum { A, B, C = 10 };", "B"), text("enum { A }; enum { C = 10 };", "2"))])
        #expect(rows(found.layouts) == ["B 1 -"] && found.layouts.map(\.outcome) == [.refused])
    }

    /// A part of it is in another enum.
    @Test func anEnumeratorOfAMergedEnumThatIsGone() async throws {
        let text = { (list: String, value: String) in "\(list) u32 f(u32 x) { return x == A || x == C || x == \(value); }" }
        let found = try await layouts([(text("enum a { A }; enum c { C = 10, D };", "D"), text("enum a { A, C = 10 };", "2"))])
        #expect(Set(rows(found.layouts)).isSuperset(of: ["D 11 -"]) && found.layouts.contains { $0.outcome == .refused }, "\(found.layouts)")
    }

    /// Debug info has only what an object uses.
    @Test(arguments: [("enum b { C = 2 };", [], [LayoutChange.Outcome]()), ("enum b { C = 3 };", ["C 2 3"], [.refused]), ("", ["C 2 -"], [.refused])])
    func anEnumThatOnlyAnotherObjectUses(new: String, expected: [String], outcomes: [LayoutChange.Outcome]) async throws {
        let header = { (enums: String) in "# 1 \"shared.h\"\n\(enums)\n# 1 \"test.c\"\n" }
        let (before, after) = (header("enum a { A, B, C };"), header("enum a { A, B }; \(new)"))
        let code = "u32 f(u32 x) { return x == A; }", other = "u32 g(u32 x) { return x == \(new.isEmpty ? "B" : "C"); }"
        let found = try await layouts([(before + code, after + code.replacing("== A", with: "!= A")), (before + other, after + other)])
        #expect(rows(found.layouts) == expected && found.layouts.map(\.outcome) == outcomes, "\(found.layouts)")
    }

    // MARK: Other scopes and files

    @Test(arguments: ["", "m"])
    func anEnumOfAFunctionAndOfTheFile(tag: String) async throws {
        let source = { (file: String, inF: String, inG: String) in
            """
            \(start) \(file) u32 f(u32 x) { \(inF) mode = x ? D : C; return 1; }
            u32 g(void) { \(inG) return mode == C; }
            """
        }
        let (old, new, none) = ("enum \(tag) { C, D };", "enum \(tag) { D, C };", "")
        for (before, after) in [
            (source(none, old, old), source(new, none, none)), (source(old, none, none), source(none, new, new)),
            // Only one of the two functions has the new values.
            (source(none, old, new), source(new, none, none)), (source(old, none, none), source(none, old, new)),
            (source("enum { E = 5 };", old, old), source("enum { E = 5, D = 0, C };", none, none)),
        ] {
            let found = try await layouts([(before, after)])
            #expect(found.layouts.map(\.outcome) == [.refused], "\(before)\n\(after)\n\(found.layouts)")
            #expect(Set(rows(found.layouts)).isSuperset(of: ["D 1 0", "C 0 1"]), "\(rows(found.layouts))")
        }
        let same = try await layouts([(source(none, old, old), source(old, none, none).replacing("return 1", with: "return 2"))])
        #expect(same.layouts.isEmpty, "\(same.layouts)")
    }

    /// Each block has its own.
    @Test func enumsOfOneFunctionWithTheSameNames() async throws {
        let source = { (first: String, second: String) in
            "\(start) u32 f(u32 x) { if (x) { enum { \(first) }; return mode == C; } else { enum { \(second) }; return x + mode == C; } }"
        }
        #expect(try await layouts([(source("C, D", "C, D"), source("D, C", "C, D"))]).layouts.map(\.outcome) == [.refused])
    }

    /// With the function that uses it.
    @Test(arguments: [
        ("enum { C, D };", "enum { D, C };", "mode = D;"), ("enum m { C, D };", "enum m { D, C };", "mode = D;"),
        ("enum m { C, D };", "enum { B, D, C };", "mode = D;"), ("enum m { B }; enum n { C = 1, D };", "enum m { B, D, C };", "mode = D + B;"),
        ("struct s { int a, b; };", "struct s { int b, a; };", "struct s *s = any; s->a = 1;"),
        ("struct s { int a, b; };", "struct s { int x; void *y; };", "struct s *s = any; *(int *)s = 1;"), ("", "", "struct { int a, b; } *s = any; s->a = 1;"),
        ("", "", "struct s { int a, b; } *s = any; s->a = 1;"), ("", "", "((struct { int a, b; } *)any)->a = 1;"),
    ])
    func aTypeThatMovesToAnotherFile(before: String, after: String, code: String) async throws {
        let function = { (types: String, code: String) in "extern u32 mode; extern void *any; \(types) void f(void) { \(code) }" }
        let other = "u32 g(u32 x) { return x; }"
        let changed = code.replacing("int a, b;", with: "int b, a;")
        let found = try await layouts([(function(before, code), "u32 mode; void *any;"), (other, other + function(after, changed))])
        #expect(found.layouts.map(\.outcome).contains(.refused), "\(found.layouts)")
        let same = try await layouts([(function(before, code), "u32 mode; void *any;"), (other, other + function(before, code))])
        #expect(same.layouts.isEmpty, "\(same.layouts)")
    }

    /// The other file has the enum already, with other values.
    @Test(arguments: [("B, D, C", LayoutChange.Outcome.refused), ("B = 5, C = 0, D", .compatible)])
    func anEnumThatBecomesAPartOfAnotherFiles(list: String, outcome: LayoutChange.Outcome) async throws {
        let function = "extern u32 mode; void f(void) { mode = D; }"
        let other = { (list: String) in "enum m { \(list) }; u32 g(u32 x) { return x == B; }" }
        let found = try await layouts([("enum { C, D }; " + function, "u32 mode;"), (other("B = \(outcome == .refused ? 0 : 5)"), other(list) + function)])
        #expect(found.layouts.map(\.outcome) == [outcome], "\(found.layouts)")
    }

    /// Two files may each have an enum of their own with the same names.
    @Test func anEnumOfAnotherFileIsNoneOfItsBusiness() async throws {
        let source = { (list: String, value: Int) in "enum { \(list) }; u32 f\(value / 2)(u32 x) { return (x == C) + (x == D) + \(value); }" }
        #expect(try await layouts([(source("C, D", 0), source("C, D", 1)), (source("D, C", 2), source("D, C", 3))]).layouts.isEmpty)
    }

    // MARK: Other names

    /// A type on the stack goes, and another comes that happens to have a member of the same name.
    @Test(arguments: [
        ("int flags; int a;", "void *next; unsigned long flags;", false), ("int flags; int pri;", "int prio; int flags;", true),
        ("int flags; int pri;", "int pri; int flags; void *next;", true), ("int flags;", "void *next; unsigned long flags;", true),
    ])
    func membersInCommon(before: String, after: String, areOne: Bool) async throws {
        let old = "struct old { \(before) }; u32 f(u32 c) { struct old o = { c }; sink(&o); return o.flags; }"
        let new = "struct new { \(after) }; static struct new last; u32 f(u32 c) { sink(&last); last.flags |= c; return c; }"
        let found = try await layouts([(old, new)])
        #expect(found.layouts.map(\.outcome) == (areOne ? [.refused] : []), "\(found.layouts)")
        #expect(found.layouts.allSatisfy { $0.oldType == "struct old" && $0.type == "struct new" })
        // In one function that is no chance.
        let inside = { (definition: String) in "void *any; u32 f(void) { struct \(definition) *p = any; return p->flags; }" }
        let same = try await layouts([(inside("old { \(before) }"), inside("new { \(after) }"))])
        #expect(same.layouts.map(\.outcome) == [.refused], "\(same.layouts)")
    }
}
