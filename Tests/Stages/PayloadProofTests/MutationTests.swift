import ObjectFixtures
import Testing

/// Good payloads, changed in one place at a time: the proof must find each change that changes anything.
@Suite struct MutationTests {
    /// What only x86 has: entries of all tables, with code of their own.
    private static let tables = """
        noinline void run(void) { printk("run"); }
        u32 g(u32 x) { TRY("movl (%%rax), %%eax"); ALTERNATIVE("nop", "nop"); WARN(); RUN(run); ALTERNATIVE("nop; nop; nop; nop; nop", "call sink");
            TRY("movl (%%rbx), %%eax"); ALTERNATIVE("nop; nop", "nop"); WARN(); return x * VALUE; }

        """

    private static let more = """
        static u32 made, calls2[40]; static const u32 primes[] = { 2, 3, 5, 7 };
        static noinline u32 more(u32 x) { printk("more"); return x * primes[x & 3] + ++made; }
        u32 h(u32 x) { calls2[x]++; return more(x) + more(x + 1) * VALUE; }

        """

    private static func sources(for target: ObjectFixtures.Target) -> (original: String, patched: String) {
        let isX86 = target.architecture.name == "x86_64"
        let source = { (n: Int) in
            (PayloadProofTests.source(n) + (isX86 ? tables : "")).replacing("VALUE", with: "\(n)")
        }
        return (source(3) + "u32 h(u32 x) { return x * 1000003; }", source(5) + more.replacing("VALUE", with: "5"))
    }

    @Test(arguments: PayloadProofTests.targets)
    func everyMutationIsFoundOrChangesNothing(target: ObjectFixtures.Target) async throws {
        let sources = Self.sources(for: target)
        let made = try await ProofCase.make(sources.original, sources.patched, for: target)
        try #require(made.proof().failures == [])
        let mutations = try made.mutations(step: 3)
        var counts: [String: Int] = [:]
        for mutation in mutations {
            let outcome = try made.outcome(of: mutation)
            #expect(outcome != .missed, "\(target): \(mutation.kind.rawValue): \(mutation.place)")
            counts["\(outcome)", default: 0] += 1
        }
        print("\(target): \(mutations.count) mutations: \(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))")
        #expect(mutations.count > 500)
        #expect(counts["found", default: 0] > 250)
        for kind in Mutation.Kind.allCases where target.architecture.name == "x86_64" { #expect(mutations.contains { $0.kind == kind }, "\(kind)") }
    }
}
