import Diagnostics
import ObjectDiff
import ObjectFixtures
import TestTools
import Testing

/// A changed constant table is right in a payload only when nobody has kept the old one's address.
@Suite struct ConstantAddressTests {
    private func diagnostics(_ source: (Int) -> String) async throws -> [Diagnostic] {
        try await withTemporaryFolder { folder in
            let old = try await ObjectFixtures.compile(source(1), name: "old.c", in: folder)
            let new = try await ObjectFixtures.compile(source(2), name: "new.c", in: folder)
            return try ObjectFixtures.compare(old, new, name: "test.c").diagnostics
        }
    }

    private static let table = "struct ops { u32 (*run)(u32); const char *name; u32 weight; };"

    @Test func aTableThatIsOnlyReadMayChange() async throws {
        let found = try await diagnostics { "static const u32 t[] = { 5, 6, 7, \($0), 9, 11 }; u32 f(u32 i) { return t[i % 6]; }" }
        #expect(found.isEmpty)
    }

    @Test func aTableThatIsPassedToAReaderMayChange() async throws {
        let found = try await diagnostics {
            "extern int memcmp(const void *, const void *, u64); static const char t[16] = \"abc\($0)\"; int f(const void *p) { return memcmp(p, t, 16); }"
        }
        #expect(found.isEmpty)
    }

    @Test func aTableThatALocalFunctionReadsMayChange() async throws {
        let found = try await diagnostics {
            "static const u32 t[] = { 5, 6, 7, \($0), 9, 11 }; static noinline u32 get(const u32 *p, u32 i) { sink(0); return p[i % 6]; } u32 f(u32 i) { return get(t, i) + 1; }"
        }
        #expect(found.isEmpty, "\(found)")
    }

    /// Two that get other names at once, one that is split, one that another file has now.
    @Test(arguments: [
        ("static const u32 a[2] = { 1, 2 }, b[2] = { 4, 5 };", "static const u32 c[2] = { 1, 3 }, d[2] = { 4, 6 };", "x ? a : b", "x ? c : d", 2),
        ("static const u32 a[2] = { 1, 2 };", "static const u32 c[2] = { 1, 2 }, d[2] = { 1, 3 };", "a + (x & 1)", "x ? c : d", 1),
        ("static const u32 a[2] = { 1, 2 };", "extern const u32 a[2];", "x ? a : 0", "x ? a : 0", 1),
    ])
    func keptConstantsUnderOtherNamesAreAWarning(before: String, after: String, old: String, new: String, warnings: Int) async throws {
        let found = try await diagnostics { side in
            "\(side == 1 ? before : after) const u32 *kept; void f(u32 x) { sink(0); kept = \(side == 1 ? old : new); }"
        }
        #expect(found.map(\.id) == Array(repeating: .constantTableChanged, count: warnings) && found.allSatisfy { $0.severity == .warning }, "\(found)")
    }

    /// What kept the address has the one that is gone.
    @Test(arguments: [("b", "3", 1), ("b", "4", 1), ("a", "3", 0)])
    func aConstantThatTakesThePlaceOfAKeptOneIsAWarning(name: String, value: String, warnings: Int) async throws {
        let source = { (name: String, value: String) in
            "static const u32 \(name)[4] = { 1, 2, \(value) }; const u32 *kept; void f(void) { sink(0); kept = \(name); } u32 g(u32 x) { return kept[x & 3]; }"
        }
        let set = try await ObjectFixtures.compare(source("a", "3"), source(name, value))
        #expect(set.diagnostics.filter { $0.id == .constantTableChanged }.map(\.severity) == Array(repeating: .warning, count: warnings), "\(set.diagnostics)")
    }

    @Test func aConstantThatTakesThePlaceOfOneThatIsOnlyReadNeedsNoWarning() async throws {
        let source = { (name: String) in "static const u32 \(name)[4] = { 1, 2, 3, 4 }; u32 g(u32 x) { sink(0); return \(name)[x & 3]; }" }
        #expect(try await ObjectFixtures.compare(source("a"), source("b")).diagnostics.isEmpty)
    }

    private static let cold = "extern void rare(const char *) __attribute__((cold));"

    /// The search goes on in `f.cold`, with the table's address in a register.
    @Test(arguments: ["rare(t[i].name); return t[i].weight + n;", "for ( i++; i < 6; i++ ) if ( t[i].weight == n ) { rare(t[i].name); return i; }"])
    func aTableThatOnlyTheColdPartReadsAsWellMayChange(use: String) async throws {
        let found = try await diagnostics {
            """
            \(Self.cold) \(Self.table) static const struct ops t[6] = { { 0, "a", \($0) }, { 0, "b", 4 } };
            u32 f(u32 n) { u32 i; for ( i = 0; i < 6; i++ ) { if ( t[i].weight == n ) return i; if ( t[i].weight > 100 ) { \(use) } } return 7; }
            """
        }
        #expect(found.filter { $0.severity == .error }.isEmpty, "\(found)")
    }

    @Test func aTableThatTheColdPartKeepsIsRefused() async throws {
        let found = try await diagnostics {
            """
            \(Self.cold) \(Self.table) static const struct ops t[6] = { { 0, "a", \($0) }, { 0, "b", 4 } }; const struct ops *kept;
            u32 f(u32 n) { u32 i; for ( i = 0; i < 6; i++ ) if ( t[i].weight > n ) { rare(t[i].name); kept = &t[i]; return 1; } return 7; }
            """
        }
        #expect(found.contains { $0.id == .constantTableChanged && $0.severity == .error }, "\(found)")
    }

    /// As `intel_idle_ids` of Xen: boot code keeps one of the pointers, and the table's data does not show it.
    @Test func aTableThatBootDataPointsToIsRefused() async throws {
        let found = try await diagnostics {
            """
            \(Self.table) static const struct ops t = { 0, "t", \($0) }, o = { 0, "o", 4 }; const struct ops *v;
            static const struct ops *const ids[] __attribute__((section(".init.rodata"), used)) = { &t, &o };
            void __init f(u32 i) { v = ids[i]; }
            """
        }
        let errors = found.filter { $0.severity == .error }
        #expect(errors.map(\.id) == [.constantTableChanged])
        #expect(errors.allSatisfy { $0.symbol == "t" && $0.message.contains("'ids'") }, "\(errors)")
    }

    /// The table is only read through; the pointer that is read there stays where it was put.
    @Test(arguments: ["v = ids[i];", "sink(ids[i]);", "if ( ids[i]->weight ) v = ids[i];"])
    func aTableThatAnotherTableLeadsToIsToldOf(use: String) async throws {
        let found = try await diagnostics {
            """
            \(Self.table) static const struct ops t = { 0, "t", \($0) }, o = { 0, "o", 4 }; const struct ops *v;
            static const struct ops *const ids[] = { &t, &o }; void f(u32 i) { \(use) }
            """
        }
        #expect(found.map(\.id) == [.constantTableChanged] && found.map(\.severity) == [.warning], "\(found)")
        #expect(found.first?.symbol == "t" && found.first?.message.contains("'ids' points to it") == true)
    }

    @Test(arguments: [
        "static const u32 t[] = { 5, 6, @ }; const u32 *v; static noinline void keep(const u32 *p, u32 i) { sink(0); v = p + i; } void f(u32 i) { keep(t, i); keep(t, i + 1); }",
        "static const struct ops t = { 0, \"t\", @ }; const struct ops *v; void f(void) { v = &t; }",
        "static const struct ops t = { 0, \"t\", @ }; const struct ops *f(void) { return &t; }",
        "static const struct ops t = { 0, \"t\", @ }; void f(void) { sink(&t); }",
        "static const struct ops t = { 0, \"t\", @ }; u32 f(const struct ops *p) { return p == &t; }",
        // Boot code has stored it, and is gone.
        "static const struct ops t = { 0, \"t\", @ }; const struct ops *v; void __init f(void) { v = &t; }",
    ])
    func aTableWhoseAddressIsKeptIsRefused(source: String) async throws {
        let found = try await diagnostics { "\(Self.table) \(source.replacing("@", with: "\($0)"))" }
        #expect(found.filter { $0.severity == .error }.map(\.id) == [.constantTableChanged])
        #expect(found.first { $0.severity == .error }?.message.contains("'f'") == true)
    }
}
