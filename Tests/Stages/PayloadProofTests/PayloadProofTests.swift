import ObjectFixtures
import PayloadProof
import Testing

/// Good payloads are proven, and the counts are those of their sources.
@Suite struct PayloadProofTests {
    static let targets: [ObjectFixtures.Target] = [.x86_64, .arm64, .arm32]

    /// Static and global functions and variables, strings, constants, a table of functions, a switch, addresses behind a variable's start.
    static let source = """
        static u32 table[8] = { 1, 2, 3 }; u32 seen;
        static const char *const words[] = { "one", "two", "three" };
        static noinline u32 part(u32 x) { return x * 7 + seen; }
        static noinline u32 other(u32 x) { return x * 9 + seen; }
        static u32 (*const calls[])(u32) = { part, other };
        u32 f(u32 x) {
            static u32 count;
            sink(&table[2]); asm volatile ("nop");
            printk("%u %s", part(x), words[x & 1]); printk("%u", part(x + 1)); asm volatile ("nop"); printk("%u", part(x + 2));
            switch ( x ) { case 0: return table[1]; case 1: return seen; case 2: printk("two"); return 9; case 3: return part(4); case 4: return 77;
                           case 5: sink("five"); return 1234; case 6: return part(12) + other(99); case 7: return calls[seen & 1](x); }
            seen += VALUE; count++;
            return part(seen) + count;
        }

        """

    static func source(_ value: Int, _ more: String = "") -> String { more + source.replacing("VALUE", with: "\(value)") }

    @Test(arguments: targets)
    func aGoodPayloadIsProven(target: ObjectFixtures.Target) async throws {
        let proof = try await ProofCase.make(Self.source(1), Self.source(2), for: target).proof()
        #expect(proof.failures == [])
        #expect(proof.functions == 1)
        #expect(proof.references > 20)
        #expect(proof.tableEntries == 0)
        #expect(proof.hypervisorVariables == 3)
    }

    @Test(arguments: targets)
    func newFunctionsAndVariablesAreFollowed(target: ObjectFixtures.Target) async throws {
        let patched = """
            static u32 made, calls[40]; static const u32 primes[] = { 2, 3, 5, 7 };
            static noinline u32 more(u32 x) { printk("more"); return x * primes[x & 3] + ++made; }
            u32 f(u32 x) { calls[x]++; return more(x) + more(x + 1) * 5; }
            """
        let proof = try await ProofCase.make("u32 f(u32 x) { return x * 1000003; }", patched, for: target).proof()
        #expect(proof.failures == [])
        #expect(proof.functions == 2)
        #expect(proof.hypervisorVariables == 0)
    }

    @Test func entriesOfSpecialTablesAreCounted() async throws {
        let source = { (n: Int) in
            """
            noinline void run(void) { printk("run"); }
            u32 f(u32 x) { TRY("movl (%%rax), %%eax"); ALTERNATIVE("nop", "nop"); WARN(); RUN(run); ALTERNATIVE("nop; nop; nop; nop; nop", "call sink"); return x * \(n); }
            """
        }
        let proof = try await ProofCase.make(source(3), source(5)).proof()
        #expect(proof.failures == [])
        #expect(proof.tableEntries == 5)
    }
}
