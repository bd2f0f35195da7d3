import ArchX86_64
import ObjectFixtures
import PayloadLinker
import SystemPackage
import TestTools
import Testing
import XenSource

/// Functions to be replaced against a hypervisor whose functions share a section, as before Xen 4.17: the assembler shortens jumps between
/// them, and puts code that inline assembly moves out of the way behind all of them.
@Suite struct SharedSectionTests {
    private static let shared = ["-fno-function-sections", "-fno-data-sections", "-DSHARED"]

    private func link(built: String, _ original: String, _ patched: String) async throws -> LinkOutcome {
        let set = try await ObjectFixtures.compare(original, patched)
        return try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile(built, flags: Self.shared, in: folder)
            let image = try await ObjectFixtures.link([object], in: folder)
            let outcome = try linkPayload(
                [set], onto: RunningHypervisor(image), architecture: ArchX86_64(), options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            try outcome.diagnostics.requireCatalogued()
            return outcome
        }
    }

    private func expectSameInstructions(_ original: String, _ patched: String) async throws {
        let outcome = try await link(built: original, original, patched)
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.verifiedFunctions == 1 && payload.verifiedInInstructions == 1)
    }

    private func expectDifference(_ here: String, _ there: String, in original: String, _ patched: String) async throws {
        let built = original.replacing(here, with: there)
        try #require(built != original)
        let outcome = try await link(built: built, original, patched)
        #expect(outcome.payload == nil, "\(here), \(there)")
        #expect(outcome.unequal.map(\.name) == ["f"], "\(here), \(there)")
    }

    // MARK: Immediates behind the field that a relocation fills

    /// `cmpl $3, state(%rip)` and its like. The tail calls are short jumps in a shared section.
    private static func immediates(_ n: Int) -> String {
        """
        u32 state = 1; unsigned short half = 1; static u32 own __attribute__((used)) = 1, next __attribute__((used)) = 1;
        static noinline void a(u32 x) { sink(&x); } static noinline void b(u32 x) { sink(&own); sink(&next); }
        void start(u32 x) { a(x); b(x); }
        void f(u32 x) { if ( state == 3 ) a(x); if ( own == 70000 ) b(x); own = 11; half = 300; if ( x > \(n) ) b(x); else a(x + 3); }
        """
    }

    @Test func immediatesBehindAFieldMeanTheSame() async throws { try await expectSameInstructions(Self.immediates(5), Self.immediates(6)) }

    @Test(arguments: [
        ("state == 3", "state == 4"), ("state == 3", "next == 3"), ("own == 70000", "next == 70000"), ("own = 11", "next = 11"), ("half = 300", "half = 301"),
    ])
    func immediatesBehindAFieldHideNoDifference(here: String, there: String) async throws {
        try await expectDifference(here, there, in: Self.immediates(5), Self.immediates(6))
    }

    // MARK: Code that is moved out of the way

    /// The first piece of moved code ends the function, and the second one jumps back. The functions around have moved code as well.
    private static func moved(_ n: Int) -> String {
        """
        #define STOP(x) asm volatile ( "cmpl $7, %0; je 1f; .subsection 1; 1: ud2; .subsection 0" :: "r" (x) )
        #define FIX(x) asm volatile ( "cmpl $8, %0; ja 1f; 2: .subsection 1; 1: movl $9, %0; jmp 2b; .subsection 0" : "+r" (x) )
        void before(u32 x) { STOP(x); sink(0); FIX(x); sink(&x); }
        static noinline void a(u32 x) { sink(&x); }
        void f(u32 x) { STOP(x); a(x); FIX(x); if ( x > \(n) ) a(x + 1); x *= 3; STOP(x); a(x * 5); FIX(x); a(x); }
        void behind(u32 x) { FIX(x); sink(0); STOP(x); sink(&x); }
        void start(u32 x) { f(x); }
        """
    }

    @Test func movedCodeIsFoundBehindAllFunctions() async throws { try await expectSameInstructions(Self.moved(5), Self.moved(6)) }

    @Test(arguments: [
        ("1: ud2", "1: hlt"), ("movl $9, %0", "movl $10, %0"), ("a(x * 5); FIX(x); a(x);", "a(x * 5); a(x); FIX(x);"),
        ("1: movl $9, %0; jmp 2b;", "1: movl $9, %0; jmp 1b;"), ("1: movl $9, %0; jmp 2b;", "1: movl $9, %0; 3: jmp 3b;"), ("ja 1f", "jae 1f"),
    ])
    func movedCodeHidesNoDifference(here: String, there: String) async throws {
        try await expectDifference(here, there, in: Self.moved(5), Self.moved(6))
    }

    // MARK: Unlikely parts

    private static func unlikely(_ n: Int) -> String {
        """
        #ifdef SHARED
        #define HOT ".text"
        #else
        #define HOT ".section .text.f,\\"ax\\",@progbits"
        #endif
        static noinline void __attribute__((used)) a(u32 x) { sink(&x); }
        asm ( HOT "\\n.globl f\\n.type f,@function\\nf: cmpl $1, %edi\\nje f.cold\\ncmpl $2, %edi\\nje .Lsecond\\nmovl $\(n), %esi\\n1: jmp a\\n.size f, . - f\\n"
              ".section .text.unlikely.f,\\"ax\\",@progbits\\n.type f.cold,@function\\nf.cold: xorl %esi, %esi\\njmp 1b\\n"
              ".Lsecond: movl $3, %esi\\njmp 1b\\n.size f.cold, . - f.cold\\n.text" );
        void f(u32 x); void start(u32 x) { f(x); a(x); }
        """
    }

    @Test func jumpsToTheUnlikelyPartMeanTheSame() async throws { try await expectSameInstructions(Self.unlikely(5), Self.unlikely(6)) }

    @Test(arguments: [("je f.cold", "je .Lsecond"), ("je .Lsecond", "je f.cold"), ("movl $3, %esi\\njmp 1b", "movl $3, %esi\\njmp f")])
    func jumpsToTheUnlikelyPartHideNoDifference(here: String, there: String) async throws {
        try await expectDifference(here, there, in: Self.unlikely(5), Self.unlikely(6))
    }
}
