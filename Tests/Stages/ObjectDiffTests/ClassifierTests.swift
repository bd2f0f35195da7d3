import Diagnostics
import ObjectDiff
import ObjectFixtures
import TestTools
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
        ("const u32 v = 1; void f(void) { sink(&v); }", "u32 v = 1; void f(void) { sink(&v); }", "constant-made-variable"),
        (
            "DEFINE_PER_CPU(u32, v); void f(void) { sink(&per_cpu__v); }", "DEFINE_PER_CPU(u64, v); void f(void) { sink(&per_cpu__v); }",
            "per-cpu-changed"
        ),
        (
            "u32 v = 1; void f(void) { sink(&v); }", "u32 __attribute__((section(\".bss.percpu\"))) v = 0; void f(void) { sink(&v); }",
            "per-cpu-changed"
        ),
        (
            "u32 __attribute__((section(\".data.vpci\"))) v = 1; void f(void) { sink(&v); }", "u32 v = 1; void f(void) { sink(&v); }",
            "placement-changed"
        ),
        ("void __attribute__((section(\".odd\"))) f(void) { sink(0); }", "void f(void) { sink(0); }", "placement-changed"),
        (
            "void f(void) { TRY_EARLY(\"nop\"); }", "void f(void) { TRY_EARLY(\"cld\"); }", "special-entry-ignored"
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

    @Test func allNamesOfAFunctionAreReplaced() async throws {
        let source = { (n: Int) in "u32 f(u32 x) { return x * \(n); } u32 g(u32) __attribute__((alias(\"f\")));" }
        let set = try await ObjectFixtures.compare(source(3), source(5))
        #expect(set.diagnostics.map(\.id) == [.aliasesReplaced] && set.diagnostics.map(\.severity) == [.warning])
        #expect(set.diagnostics.first?.message.contains("has other names (") == true)
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

    @Test func aColdPartKnowsAFunctionThatGoesByAnAlias() async throws {
        let source = { (text: String) in
            """
            extern void __attribute__((cold)) complain(const char *, u32); extern u32 other(u32);
            static u32 f(u32 *x, u32 n) { u32 r = other(n); if ( r == 9 ) { complain("\(text)", n); x[1] += other(r); } return r + other(x[2]); }
            u32 h(u32 *, u32) __attribute__((alias("f")));
            """
        }
        let set = try await ObjectFixtures.compare(source("abc"), source("abd"))
        let cold = try #require(set.patched.items.first { $0.name == "f.cold" })
        #expect(cold.parent.map { set.patched[$0].name } == "h")
        #expect(set.names(.changed) == ["f.cold", "h"])
    }

    /// Boot functions call each other without relocations.
    @Test func bootCodeThatOnlyMovesIsNotNamed() async throws {
        let source = { (n: String) in
            "static noinline u32 __init f(u32 x) { return x \(n); } u32 __init g(u32 x) { sink(&x); return f(x) + 1; } u32 __init h(u32 x) { sink(&x); return g(x) + 1; }"
        }
        let set = try await ObjectFixtures.compare(source("+ 1"), source("* 1000003 + (x >> 3) * 77777"))
        let diagnostic = try #require(set.diagnostics.first)
        #expect(set.diagnostics.count == 1 && diagnostic.id == .initOnlyChange)
        #expect(diagnostic.message.contains("'f'") && !diagnostic.message.contains("'g'") && !diagnostic.message.contains("'h'"))
    }

    @Test func aFunctionThatIsNoBootCodeAnyMoreIsNew() async throws {
        let set = try await ObjectFixtures.compare(
            "static noinline u32 __init f(u32 x) { sink(&x); return x + 1; } u32 __init g(u32 x) { return f(x) * 3; } u32 h(u32 x) { return x; }",
            "static noinline u32 f(u32 x) { sink(&x); return x + 1; } u32 __init g(u32 x) { return f(x) * 3; } u32 h(u32 x) { return f(x); }")
        #expect(set.errors.isEmpty)
        #expect(set.names(.new) == ["f"])
        #expect(set.changedFunctions.map(\.item.name) == ["h"])
    }

    // MARK: Differences that no bytes show

    @Test func aFunctionInAnotherSectionIsReplaced() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) { return x * 3; }", "u32 __attribute__((section(\".text.other\"))) f(u32 x) { return x * 3; }")
        #expect(set.names(.changed) == ["f"])
        #expect(set.diagnostics.map(\.id) == [.placementChanged])
        #expect(set.errors.isEmpty)
    }

    @Test(arguments: [
        ("u32 v = 1;", "u32 __read_mostly v = 1;", Severity.warning),
        ("u32 v = 1;", "u32 __attribute__((section(\".data.ro_after_init\"))) v = 1;", .error),
        ("u32 v;", "u32 __attribute__((aligned(64))) v;", .error),
    ])
    func aVariableStaysWhereItIs(original: String, patched: String, severity: Severity) async throws {
        let use = " u32 f(void) { return v; }"
        let set = try await ObjectFixtures.compare(original + use, patched + use)
        #expect(set.names(.changed) == [])
        #expect(set.diagnostics.map(\.id) == [.placementChanged])
        #expect(set.diagnostics.map(\.severity) == [severity])
    }

    @Test(arguments: [
        // An alias of another function.
        (
            "u32 f(u32 x) { return x * 3; } u32 g(u32 x) { return x * 5; } u32 h(u32) __attribute__((alias(\"f\")));",
            "u32 f(u32 x) { return x * 3; } u32 g(u32 x) { return x * 5; } u32 h(u32) __attribute__((alias(\"g\")));"
        ),
        // An alias that gets a body of its own.
        (
            "u32 f(u32 x) { return x * 3; } u32 h(u32) __attribute__((alias(\"f\")));",
            "u32 f(u32 x) { return x * 3; } u32 h(u32 x) { return x * 7; }"
        ),
        ("u32 f(u32 x) { return x * 3; }", "u32 __attribute__((weak)) f(u32 x) { return x * 3; }"),
        (
            "asm ( \".globl limit\\nlimit = 4\" ); u32 f(u32 x) { return x * 3; }",
            "asm ( \".globl limit\\nlimit = 5\" ); u32 f(u32 x) { return x * 3; }"
        ),
        // A label that others jump to, in a function that changes.
        (
            "u32 f(u32 x) { asm volatile ( \"nop\\n.globl inside\\ninside: nop\" ); return x * 3; }",
            "u32 f(u32 x) { asm volatile ( \"nop\\n.globl inside\\ninside: nop\" ); return x * 5; }"
        ),
    ])
    func aGlobalNameKeepsItsMeaning(original: String, patched: String) async throws {
        let set = try await ObjectFixtures.compare(original, patched)
        #expect(set.errors.contains("global-name-moved"), "\(set.diagnostics)")
    }

    /// Assembly is compared section by section, and these names lie in none.
    @Test(arguments: [
        (".globl limit\\nlimit = 4", ".globl limit\\nlimit = 5", ["global-name-moved"]),
        (".comm buf,64", ".comm buf,128", ["special-section-unknown"]),
        (".globl limit\\nlimit = 4\\n.comm buf,64", ".globl limit\\nlimit = 4\\n.comm buf,64", [String]()),
    ])
    func namesWithoutASectionCountInAssembly(original: String, patched: String, errors: [String]) async throws {
        try await withTemporaryFolder { folder in
            let source = { (text: String) in "asm ( \"\(text)\" ); u32 f(u32 x) { return x * 3; }" }
            let old = try await ObjectFixtures.compile(source(original), name: "old.c", in: folder)
            let new = try await ObjectFixtures.compile(source(patched), name: "new.c", in: folder)
            #expect(try ObjectFixtures.compare(old, new, name: "test.S").errors == errors)
        }
    }

    /// Without sizes, all of them are one item.
    @Test(arguments: [
        ("one: .long 0\\ntwo: .long 0", "two: .long 0\\none: .long 0", false), ("one: .long 0\\ntwo: .long 0", "new: .long 0\\ntwo: .long 0", false),
        ("one: .long 0\\ntwo: .long 0", "one: .long 0\\ntwo: .long 0\\nsame = two", true),
        // With a type only; with types and sizes inside of something larger; as other names for places of it; and each by itself.
        (typed("one") + typed("two"), typed("two") + typed("one"), false),
        (sized("all", 8, "") + sized("one", 4) + sized("two", 4), sized("all", 8, "") + sized("two", 4) + sized("one", 4), false),
        (sized("all", 8) + ".set one, all\\n.set two, all + 4\\n", sized("all", 8) + ".set one, all + 4\\n.set two, all\\n", false),
        (sized("one", 4) + sized("two", 4), sized("two", 4) + sized("one", 4), true),
    ])
    func labelsOfAssemblyDataKeepTheirPlaces(original: String, patched: String, isGood: Bool) async throws {
        let source = { (labels: String, n: Int) in
            "asm ( \".pushsection .data\\n\(labels)\\n.popsection\" ); extern u32 two; u32 f(u32 x) { return two++ * \(n); }"
        }
        let set = try await ObjectFixtures.compare(source(original, 3), source(patched, 5))
        #expect(set.errors.contains("correlation-ambiguous") == !isGood, "\(set.diagnostics)")
    }

    private static func typed(_ name: String) -> String { ".type \(name),@object\\n\(name): .long 0\\n" }
    private static func sized(_ name: String, _ size: Int, _ content: String? = nil) -> String {
        ".type \(name),@object\\n.size \(name),\(size)\\n\(name): \(content ?? ".skip \(size)")\\n"
    }

    @Test func theOrderOfNamesDoesNotMatter() async throws {
        let body = { (n: Int) in "u32 f(u32 x) { return x * \(n); }" }
        let set = try await ObjectFixtures.compare(
            "\(body(3)) u32 h(u32) __attribute__((alias(\"f\")));",
            "static u32 own(u32 x) { return x * 5; } u32 h(u32) __attribute__((alias(\"own\"))); u32 f(u32) __attribute__((alias(\"own\")));")
        #expect(set.errors.isEmpty)
        #expect(set.changedFunctions.count == 1)
    }

    @Test func anEntryThatIsGoneFromACollectedArrayIsRefused() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 v; static u32 *e __attribute__((section(\".data.schedulers\"), used)) = &v;", "u32 v;")
        #expect(set.errors == ["collected-array-changed"])
    }

    @Test func aVariableThatNobodyUsesAnyMoreStays() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(void) { static u32 n; return ++n; }", "u32 f(void) { return 1; }")
        #expect(set.errors.isEmpty)
        #expect(set.diagnostics.map(\.id) == [.dataLeftBehind])
    }

    /// Entries that are not understood in either version may still differ.
    @Test(arguments: [
        // Belongs to no function.
        ("2: .long 0, 7", "2: .long 0, 8"),
        // No multiple of an entry's size.
        (".byte 1", ".byte 2"),
        (".long printk - .\\n.byte 1", ".long sink - .\\n.byte 1"),
    ])
    func aDifferenceInsideSomethingOddIsSeen(original: String, patched: String) async throws {
        let source = { (entry: String) in
            "asm ( \".pushsection .bug_frames.1, \\\"a\\\"\\n\(entry)\\n.popsection\" ); u32 f(void) { return 1; }"
        }
        #expect(try await ObjectFixtures.compare(source(original), source(original)).errors == [])
        #expect(try await !ObjectFixtures.compare(source(original), source(patched)).errors.isEmpty)
    }

    /// Assembly defines a variable with a number in its name, of which debug info knows nothing.
    @Test func aGuessIsReported() async throws {
        let source = { (number: Int, instruction: String) in
            """
            asm ( ".pushsection .bss.n, \\"aw\\", @nobits\\n.type n.\(number), @object\\n.size n.\(number), 4\\nn.\(number): .zero 4\\n.popsection" );
            void f(void) { asm volatile ( "\(instruction) n.\(number)(%rip)" ); }
            """
        }
        let set = try await ObjectFixtures.compare(source(7, "incl"), source(9, "decl"))
        #expect(set.errors.isEmpty)
        #expect(set.names(.changed) == ["f"])
        #expect(set.names(.new) == [])
        #expect(set.diagnostics.map(\.id) == [.correlationAmbiguous])
    }
}
