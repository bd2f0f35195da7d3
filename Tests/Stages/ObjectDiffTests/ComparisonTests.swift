import ArchX86_64
import DebugInfo
import ELFModel
import ObjectDiff
import ObjectFixtures
import TestTools
import Testing
import WorkFiles
import XenSource
import XenVersions

@Suite struct ComparisonTests {
    @Test func theSameSourceHasNoDifference() async throws {
        let source = """
            static u32 counter = 3; static const char *const words[] = { "one", "two" };
            DEFINE_PER_CPU(u32, slot);
            static noinline u32 helper(u32 x) { static u32 calls; calls++; if ( x == 7 ) WARN(); return calls + x; }
            u32 entry(u32 x) { TRY("nop"); ALTERNATIVE("nop; nop; nop", "xorl %%eax, %%eax"); sink(words[x & 1]); return helper(x) + counter++; }
            """
        let set = try await ObjectFixtures.compare(source, source)
        #expect(set.records.allSatisfy { $0.status == .same })
        #expect(set.diagnostics.isEmpty)
        #expect(set.removed.isEmpty)
    }

    @Test func aChangedBodyIsOneChangedFunction() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) { return x + 1; } u32 g(u32 x) { return x + 2; }",
            "u32 f(u32 x) { return x + 3; } u32 g(u32 x) { return x + 2; }")
        #expect(set.names(.changed) == ["f"])
        #expect(set.names(.new).isEmpty)
        #expect(set.errors.isEmpty)
    }

    @Test func commentsOrderAndLinesDoNotCount() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) { return x + 1; }\nu32 g(u32 x) { printk(\"g\"); return x + 2; }",
            "/* moved */\nu32 g(u32 x)\n{\n    printk(\"g\");\n    return x + 2;\n}\nu32 f(u32 x) { return x + 1; }")
        #expect(set.names(.changed).isEmpty)
        #expect(set.isUnchanged)
    }

    @Test func aStringOfTheSameLengthIsADifference() async throws {
        let set = try await ObjectFixtures.compare(
            "void f(void) { printk(\"abc\"); } void g(void) { printk(\"other\"); }",
            "void f(void) { printk(\"abd\"); } void g(void) { printk(\"other\"); }")
        #expect(set.names(.changed) == ["f"])
    }

    @Test func aStringInATableIsADifferenceOfItsUsers() async throws {
        let tables = { (word: String) in
            "static const char *const words[] = { \"one\", \"\(word)\" };\nvoid f(u32 x) { sink(words[x]); }\nvoid g(void) { sink(\"g\"); }"
        }
        let set = try await ObjectFixtures.compare(tables("two"), tables("owt"))
        #expect(set.names(.changed) == ["f"])
        #expect(set.errors.isEmpty)
    }

    @Test func aNewStringAboveOthersChangesNobodyElse() async throws {
        let set = try await ObjectFixtures.compare(
            "void f(void) { sink(\"f\"); } void g(void) { printk(\"g\"); }",
            "void f(void) { sink(\"new\"); sink(\"f\"); } void g(void) { printk(\"g\"); }")
        #expect(set.names(.changed) == ["f"])
    }

    @Test func variablesInOneSectionAreToldApartByTheInstruction() async throws {
        // An immediate behind the displacement moves the addend: only the instruction's length tells which variable is meant.
        let source = { (name: String) in
            "static __read_mostly u32 a = 1, b = 2, c = 3;\nvoid f(void) { \(name) = 0x12345678; sink(&a); sink(&b); sink(&c); }"
        }
        let set = try await ObjectFixtures.compare(source("a"), source("b"))
        #expect(set.names(.changed) == ["f"])
        let f = try #require(set.patched.items.first { $0.name == "f" })
        let meant = f.references.compactMap { reference -> String? in
            guard case .item(let target) = reference.target else { return nil }
            return set.patched[target].name
        }
        #expect(meant.sorted() == ["a", "b", "b", "c"])
    }

    @Test func aStaticLocalKeepsItsTwinWhenItsNumberChanges() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(void) { static u32 n = 1; return n++; } u32 g(void) { static u32 n = 1; return n += 2; }",
            "u32 e(void) { static u32 n = 1; return n += 5; } u32 f(void) { static u32 n = 1; return n++; } u32 g(void) { static u32 n = 1; return n += 2; }")
        #expect(set.names(.changed).isEmpty)
        #expect(set.names(.new).count == 2)
        #expect(!set.records.contains { $0.twin?.evidence.doubt != nil })
    }

    @Test func aCounterpartOfAnotherFunctionIsNoTwin() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(void) { static u32 n; return n++; }", "u32 g(void) { static u32 n; return n++; }")
        #expect(set.names(.new).contains { $0.hasPrefix("n") })
        #expect(set.removed.contains { set.original[$0].name.hasPrefix("n") })
    }

    @Test func aLineNumberInATableIsADifference() async throws {
        let set = try await ObjectFixtures.compare("void f(void) { WARN(); }", "\n\nvoid f(void) { WARN(); }")
        #expect(set.names(.changed) == ["f"])
    }

    @Test func theOrderOfTablesInTheObjectDoesNotCount() async throws {
        let g = "\nvoid g(void) { WARN(); TRY(\"cld\"); sink(\"g\"); }"
        let set = try await ObjectFixtures.compare("void f(void) { sink(\"f\"); }" + g, "void f(void) { TRY(\"nop\"); sink(\"f\"); }" + g)
        #expect(set.names(.changed) == ["f"])
    }

    @Test func changedFixUpsAndReplacementsAreTheirFunctions() async throws {
        let set = try await ObjectFixtures.compare(
            "void f(void) { ALTERNATIVE(\"nop; nop\", \"nop\"); }\nvoid g(void) { ALTERNATIVE(\"nop; nop\", \"cld\"); }",
            "void f(void) { ALTERNATIVE(\"nop; nop\", \"std\"); }\nvoid g(void) { ALTERNATIVE(\"nop; nop\", \"cld\"); }")
        #expect(set.names(.changed) == ["f"])
    }

    @Test func damagedObjectsNeverTrap() async throws {
        try await withTemporaryFolder { folder in
            let path = try await ObjectFixtures.compile(
                "static const char *const t[] = { \"a\", \"b\" }; DEFINE_PER_CPU(u32, p); u32 f(u32 x) { static u32 n; TRY(\"nop\"); WARN(); ALTERNATIVE(\"nop; nop\", \"cld\"); sink(t[x]); return ++n; }",
                in: folder)
            let whole = try WorkFiles.read(path)
            let good = try ObjectFixtures.read(path)
            var state: UInt64 = 11
            func random(_ limit: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % UInt64(limit))
            }
            // Headers and tables are where damage does harm: they stand at the end, behind the debug info.
            let tables = max(0, whole.count - 9_000)
            var accepted = 0
            for _ in 0..<4_000 {
                var damaged = whole
                for _ in 0...random(6) {
                    let place = random(3) == 0 ? random(whole.count) : tables + random(whole.count - tables)
                    damaged[place] = random(2) == 0 ? 0xff : UInt8(random(256))
                }
                guard let file = try? ELFFile(bytes: damaged, name: "damaged") else { continue }
                accepted += 1
                _ = try compareObjects(
                    CompiledPair(ObjectID("test.o"), source: "test.c", original: good, patched: CompiledObject(file: file, debug: DebugInfo())),
                    by: ObjectFixtures.rules())
            }
            #expect(accepted > 500)
        }
    }
}

// MARK: What names and places mean

extension ComparisonTests {
    /// C gives each object an address of its own, so code can tell constants with the same content apart.
    @Test(arguments: [
        ("static const char none = 1, all = 1;", "const void *f(void) { return &none; }", "const void *f(void) { return &all; }"),
        (
            "static const u32 one[4] = { 1, 2 };", "const u32 *f(u32 x) { sink(one); return one; }",
            "static const u32 two[4] = { 1, 2 }; const u32 *f(u32 x) { sink(one); return two; }"
        ),
    ])
    func anotherConstantOfTheSameContentIsADifference(shared: String, before: String, after: String) async throws {
        let users = " u32 g(const void *p) { sink(p); return 0; }"
        let set = try await ObjectFixtures.compare("\(shared) \(before)\(users)", "\(shared) \(after)\(users)")
        #expect(set.names(.changed) == ["f"] && set.errors.isEmpty)
    }

    @Test func aVariableThatPointsToAnotherConstantHasAnotherInitialValue() async throws {
        let source = { (name: String) in "static const char none = 1, all = 1; const void *chosen = &\(name); void f(void) { sink(&none); sink(&all); }" }
        #expect(try await ObjectFixtures.compare(source("none"), source("all")).errors == ["data-initialiser-changed"])
    }

    /// The names of the compiler's own constants say nothing.
    @Test func anotherFunctionsNameAboveIsNoDifference() async throws {
        let f = "void f(void) { printk(__func__); sink(__func__); }"
        let set = try await ObjectFixtures.compare("void e(void) { sink(__func__); } \(f)", "void e(void) { sink(0); } \(f)")
        #expect(set.names(.changed) == ["e"])
    }

    @Test func aConstantThatNeedsMoreAlignmentChangesWithItsUsers() async throws {
        let source = { (bytes: Int) in
            "static const char page[64] __attribute__((aligned(\(bytes)))) = { 1 }; char f(u32 x) { return page[x]; } u32 g(u32 x) { return x; }"
        }
        let more = try await ObjectFixtures.compare(source(32), source(4096))
        #expect(more.names(.changed) == ["f"])
        #expect(try await ObjectFixtures.compare(source(4096), source(32)).isUnchanged)
    }

    /// The caller means this version of the function.
    @Test(arguments: ["call inner", "lea inner(%%rip), %%rax", "1: nop; .pushsection .ex_table, \\\"a\\\"; .long 1b - ., inner - .; .popsection"])
    func whoLeadsIntoAChangedFunctionChangesWithIt(code: String) async throws {
        let source = { (value: Int) in
            """
            noinline u32 f(void) { asm volatile ( "nop; inner: mov $\(value), %eax" ); return 1; }
            u32 g(void) { asm volatile ( "\(code)" ::: "rax" ); return 2; }
            u32 h(void) { sink(f); return f(); }
            """
        }
        #expect(try await Set(ObjectFixtures.compare(source(3), source(4)).names(.changed)) == ["f", "g"])
        #expect(try await ObjectFixtures.compare(source(3), source(3)).isUnchanged)
    }

    @Test func anAliasThatBecomesAFunctionIsRefused() async throws {
        let f = "static __attribute__((used)) u32 f(u32 x) { sink(f); return x + 1; }"
        let set = try await ObjectFixtures.compare(
            "\(f) static u32 g(u32) __attribute__((alias(\"f\"), used));", "\(f) static __attribute__((used)) u32 g(u32 x) { return x + 2; }")
        #expect(set.errors == ["global-name-moved"])
    }

    @Test func aGlobalThatMovesIsStillUsed() async throws {
        let f = "u32 f(u32 x) { return v + x; }"
        let set = try await ObjectFixtures.compare("u32 v; \(f)", "extern u32 v; \(f)")
        #expect(!set.diagnostics.contains { $0.id == .dataLeftBehind })
    }
}
