import ArchX86_64
import Diagnostics
import ObjectFixtures
import PayloadLinker
import SystemPackage
import TestTools
import Testing
import XenSource

/// The functions to be replaced against a hypervisor whose object was compiled apart.
@Suite struct OriginalCheckTests {
    /// - Parameters:
    ///   - built: what the hypervisor was linked from, and the flags that it was compiled with beside the usual ones.
    private func link(
        built: String, flags: [String] = [], _ original: String, _ patched: String, trustSource: Bool = false,
        likelyCause: (UnequalOriginal) -> LikelyCause = { LikelyCause(of: $0) }
    ) async throws -> LinkOutcome {
        let set = try await ObjectFixtures.compare(original, patched)
        return try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile(built, flags: flags, in: folder)
            let image = try await ObjectFixtures.link([object], in: folder)
            let outcome = try linkPayload(
                [set], onto: RunningHypervisor(image), architecture: ArchX86_64(),
                options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures, trustSource: trustSource), likelyCause: likelyCause)
            try outcome.diagnostics.requireCatalogued()
            return outcome
        }
    }

    private static let rest = """
        static noinline void a(u32 x) { sink(0); } static noinline void b(u32 x) { sink(&b); }
        void start(u32 x) { a(x); b(x); }

        """

    /// Calls, a loop, a tail call into the same section, a string.
    private static func source(_ n: Int) -> String {
        rest + "void f(u32 x) { u32 i; for ( i = 0; i < x; i++ ) { printk(\"loop\"); if ( i * 7 > x ) a(i); } if ( x > \(n) ) b(x); else a(x + 1); }"
    }

    @Test func sectionsOfTheirOwnGiveTheSameBytes() async throws {
        let outcome = try await link(built: Self.source(5), Self.source(5), Self.source(6))
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.verifiedFunctions == 1 && payload.verifiedInInstructions == 0)
    }

    @Test func aSharedSectionGivesTheSameInstructions() async throws {
        let outcome = try await link(built: Self.source(5), flags: ["-fno-function-sections"], Self.source(5), Self.source(6))
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.verifiedFunctions == 1 && payload.verifiedInInstructions == 1)
    }

    @Test(arguments: [
        ("another number", "x > 5", "x > 50"), ("another callee", "else a(x + 1)", "else b(x + 1)"),
        ("another string", "loop", "pool"), ("another jump", "i < x", "i <= x"),
    ])
    func aSharedSectionDoesNotHideADifference(what: String, here: String, there: String) async throws {
        let built = Self.source(5).replacing(here, with: there)
        for flags in [[], ["-fno-function-sections"]] {
            let outcome = try await link(built: built, flags: flags, Self.source(5), Self.source(6))
            #expect(outcome.payload == nil, "\(what)")
            #expect(outcome.unequal.map(\.name) == ["f"], "\(what)")
            #expect(outcome.unequal.first.map { [$0.otherFunctions, $0.otherFunctionsEqual] } == [3, 3])
        }
    }

    /// The function to be replaced is the same; another one of the file shows that a struct lies otherwise in the hypervisor. A text counts for
    /// nothing there.
    @Test(arguments: [("u32 first, state;", "printk(\"one\")", true), ("u32 state;", "printk(\"two\")", false)])
    func aNeighbourShowsAnotherSource(members: String, print: String, isOther: Bool) async throws {
        func source(_ members: String, _ print: String, _ use: String) -> String {
            "struct s { \(members) }; u32 other(struct s *s) { \(print); return s->state * 3; } u32 f(struct s *s, u32 x) { sink(s); return \(use); }"
        }
        let old = source("u32 state;", "printk(\"one\")", "x"), new = source("u32 state;", "printk(\"one\")", "x + s->state")
        let outcome = try await link(built: source(members, print, "x"), old, new)
        #expect((outcome.payload == nil) == isOther)
        #expect(outcome.unequal.map(\.name) == (isOther ? ["other"] : []) && outcome.unequal.allSatisfy { !$0.isReplaced })
        #expect(try await link(built: source(members, print, "x"), old, new, trustSource: true).payload != nil)
    }

    /// What the compiled function refers to, and what its variables hold, shows another source as well.
    @Test(
        arguments: [
            ("u32 other(void) { return st.a; }", "u32 other(void) { return st.b; }", "other"),
            ("u32 other(void) { return one; }", "u32 other(void) { return two; }", "other"),
            ("u32 other(void) { return helper(1); }", "u32 other(void) { return second(1); }", "other"),
            ("u32 tab[4];", "u32 tab[8];", "tab"), ("const u32 tab[4] = { 1, 2 };", "const u32 tab[4] = { 1, 3 };", "tab"),
            ("u32 tab = 5;", "u32 tab = 7;", "tab"), ("u32 tab = 5;", "u32 tab;", "tab"), ("u32 tab;", "u32 tab = 7;", "tab"),
            ("u32 *tab = &one;", "u32 *tab = &two;", "tab"), ("char *tab = \"one\";", "char *tab = \"two\";", nil),
            ("u32 tab = 5;", "u32 tab = 5;", nil),
        ] as [(String, String, String?)])
    func aReferenceOrAVariableShowsAnotherSource(built: String, given: String, name: String?) async throws {
        let start = "struct { u32 a, b; } st; u32 one, two; u32 helper(u32 x) { sink(0); return x * 3; } u32 second(u32 x) { sink(0); return x * 5; } "
        let f = { (n: Int) in " u32 f(u32 x) { sink(0); return x * \(n); }" }
        let outcome = try await link(built: start + built + f(7), start + given + f(7), start + given + f(9))
        #expect(outcome.unequal.map(\.name) == [name].compactMap(\.self), "\(outcome.diagnostics)")
        #expect((outcome.payload == nil) == (name != nil))
    }

    /// A weak function that another file's strong one has replaced is not there to compare with, nor to be replaced.
    @Test func aWeakNeighbourThatIsTakenOver() async throws {
        let source = { (n: Int) in
            "__attribute__((weak)) u32 other(u32 x) { sink(0); return x * 3; } __attribute__((weak)) u32 v = 4; u32 f(u32 x) { sink(0); return x * \(n); }"
        }
        let outcome = try await PayloadLinkerTests.link(
            source(1_000_003), source(1_000_005), for: [("test.c", source(1_000_003)), ("two.c", "u32 other(u32 x) { return x; } u32 v = 6;")])
        #expect(outcome.payload?.functions.map(\.name) == ["f"], "\(outcome.diagnostics)")
    }

    /// No static function of the file has the size that it has in the hypervisor.
    @Test func otherSizesOfAllStaticFunctionsShowAnotherSource() async throws {
        let source = { (more: String, n: Int) in
            "static noinline u32 one(u32 x) { sink(0); return x + 1\(more); } static noinline u32 two(u32 x) { sink(0); return x + 2\(more); } "
                + "u32 k(u32 x) { return one(x) + two(x); } u32 f(u32 x) { sink(0); return x * \(n); }"
        }
        let outcome = try await link(built: source("", 7), source(" + x * 1000003", 7), source(" + x * 1000003", 9))
        #expect(outcome.unequal.map(\.name) == ["test.c#one"], "\(outcome.diagnostics)")
    }

    @Test func trustIsAWarningInTheReport() async throws {
        let outcome = try await link(built: Self.source(7), Self.source(5), Self.source(6), trustSource: true)
        #expect(outcome.payload != nil)
        let about = try #require(outcome.diagnostics.first { $0.id == .originalDiffers })
        #expect(about.severity == .warning)
    }

    @Test func theUnlikelyPartIsCompared() async throws {
        func source(_ n: Int, _ cold: Int) -> String {
            """
            extern void __attribute__((cold)) complain(const char *, u32); u32 noinline other(u32 x) { sink(0); return x * 3; }
            void __attribute__((cold)) complain(const char *t, u32 x) { sink(t); sink(0); }
            u32 f(u32 *x, u32 n) { u32 r = other(n); if ( r == 9 ) { complain("text", n); x[1] += other(r) + \(cold); } return r + other(x[2]) * \(n); }
            """
        }
        let same = try await link(built: source(5, 1), source(5, 1), source(7, 1))
        #expect(same.payload?.companions.contains { $0.reason == .coldPart } == true, "\(same.diagnostics)")
        let other = try await link(built: source(5, 2), source(5, 1), source(7, 1))
        #expect(other.unequal.map(\.difference).first?.hasPrefix("its unlikely part") == true, "\(other.diagnostics)")
    }

    // MARK: Causes

    private static let unequal = UnequalOriginal(
        name: "f", objectName: "common/f.o", source: "common/f.c", location: nil, difference: "", otherFunctions: 4, otherFunctionsEqual: 4)

    private static let here = BuildTraits(
        compilers: ["GCC: 12"], configuration: KernelConfiguration(text: "CONFIG_A=y\nCONFIG_GCC_VERSION=12"), flags: ["common/f.c": ["-O2", "-g"]])

    @Test(arguments: [
        (LikelyCause.Kind.compiler, BuildTraits(compilers: ["GCC: 11"], configuration: KernelConfiguration(text: "CONFIG_B=y")), "GCC: 11"),
        (.configuration, BuildTraits(compilers: ["GCC: 12"], configuration: KernelConfiguration(text: "CONFIG_B=y")), "CONFIG_A is not set there, y here"),
        (.flags, BuildTraits(flags: ["common/f.c": ["-O1", "-g3"]]), "-O1 there only, -O2 here only"),
        (
            .source, BuildTraits(compilers: ["GCC: 12", "GAS"], configuration: KernelConfiguration(text: "CONFIG_A=y\nCONFIG_GCC_VERSION=11")),
            "all 4 other functions"
        ),
        (.source, BuildTraits(), "all 4 other functions"),
    ])
    func causes(kind: LikelyCause.Kind, running: BuildTraits, text: String) {
        let cause = LikelyCause(of: Self.unequal, running: running, here: Self.here)
        #expect(cause.kind == kind)
        #expect(cause.reason.contains(text), "\(cause.reason)")
    }

    @Test func manyOtherFunctionsDiffer() {
        var unequal = Self.unequal
        unequal.otherFunctionsEqual = 1
        #expect(LikelyCause(of: unequal).reason.contains("1 of the 4 other functions of common/f.o are"))
        unequal.otherFunctionsEqual = 0
        #expect(LikelyCause(of: unequal).reason.contains("none of the 4"))
        unequal.otherFunctions = 0
        #expect(LikelyCause(of: unequal).kind == .unknown)
        var running = Self.here
        running.flags = [:]
        #expect(LikelyCause(of: unequal, running: running, here: Self.here).kind == .source)
    }
}
