import ELFModel
import ObjectFixtures
import PayloadProof
import TestTools
import Testing

/// Changes whose payload may come out wrong although every stage before the proof is content. A linker that refuses such a change is right as
/// well.
@Suite struct MeaningTests {
    static let targets = PayloadProofTests.targets

    private func kinds(_ original: String, _ patched: String, for target: ObjectFixtures.Target = .x86_64, named: Bool = true) async throws
        -> [ProofFailure.Kind]?
    {
        let made = try await ProofCase.makeIfLinked([("test.c", original, patched)], for: target, named: named)
        return made?.proof().failures.map(\.kind)
    }

    /// The compiler counts from behind the array, which is the start of a new variable in the same section.
    private static func loop(_ new: String, _ n: Int) -> String {
        """
        \(new) static u32 array[6] __read_mostly = { 1, 2, 3, 4, 5, 6 };
        void touch(u32 x) { array[x] = x; }
        u32 f(u32 x) { u32 s = \(n); for ( u32 i = 1; i <= x; i++ ) { s += array[i - 1]; sink(&s); } \(new.isEmpty ? "" : "s += fresh++;") return s; }
        """
    }

    @Test("a reference that lies in the neighbour's memory is not taken for the neighbour", arguments: targets, [false, true])
    func neighbours(target: ObjectFixtures.Target, named: Bool) async throws {
        let new = "static u32 fresh __read_mostly = 7;"
        let found = try await kinds(Self.loop("", 1), Self.loop(new, 2), for: target, named: named)
        if let found, !found.isEmpty { #expect(Set(found).isSubset(of: [.ambiguous, .reference, .variable])) }
        // The same without the new variable is no question.
        #expect(try await kinds(Self.loop("", 1), Self.loop("", 2), for: target, named: named) == [])
    }

    @Test("a reference by section is a doubt where variables share the section, unless it names its variable", arguments: targets)
    func doubts(target: ObjectFixtures.Target) async throws {
        let source = { (new: String, n: Int) in
            "static u32 old __read_mostly = 3; \(new) u32 f(u32 x) { sink(&old); \(new.isEmpty ? "" : "sink(&fresh);") return old++ + x * \(n); }"
        }
        let new = "static u32 fresh __read_mostly = 7;"
        guard let plain = try await kinds(source("", 1_000_003), source(new, 1_000_005), for: target, named: false) else { return }
        // Assemblers for arm32 keep the names where an instruction holds half of an address.
        #expect(Set(plain) == (target.architecture.name == "arm32" ? [] : [.ambiguous]))
        #expect(try await kinds(source("", 1_000_003), source(new, 1_000_005), for: target, named: true) == [])
    }

    /// A table of places in a function that the payload replaces.
    @Test("a table in the hypervisor that leads into a replaced function is not used", arguments: targets, ["const ", ""])
    func labels(target: ObjectFixtures.Target, const: String) async throws {
        let source = { (n: Int) in
            """
            u32 f(u32 x) {
                static \(const)void *\(const)modes[] = { &&one, &&two, &&three };
                if ( x > 2 ) return 0;
                sink(&modes[x]);
                goto *modes[x];
                one: printk("one"); return 111;
                two: printk("two"); return \(n);
                three: sink(&x); return 333;
            }
            """
        }
        guard let found = try await kinds(source(222), source(223), for: target) else { return }
        // Included in the payload it is right.
        #expect(found.isEmpty || found.contains(.middleOfFunction), "\(found)")
        if const.isEmpty { #expect(!found.isEmpty) }
    }

    @Test("a function that differs must be in the payload")
    func leftOut() async throws {
        let source = { (n: Int, m: Int) in "u32 f(u32 x) { return x * \(n); } u32 g(u32 x) { printk(\"g\"); return x * \(m); }" }
        let made = try await ProofCase.make(source(1_000_003, 1_000_003), source(1_000_005, 1_000_003))
        let other = try await ProofCase.make(source(1_000_003, 1_000_003), source(1_000_005, 1_000_005))
        #expect(made.proof { $0.objects = other.input.objects }.failures.map(\.kind) == [.leftOut])
        #expect(made.proof { ($0.objects, $0.claim.named) = (other.input.objects, ["g"]) }.failures == [])
        let told = made.proof { ($0.objects, $0.claim.named) = (other.input.objects, nil) }
        #expect(told.failures == [] && told.trusted.map(\.kind) == [.leftOut])
    }

    /// The linker takes the name for one that moved. The object that had it still has the function or variable.
    @Test(
        "a global name is not the hypervisor's if that stays in its file as a static one",
        arguments: [
            ("noinline u32 n(u32 x) { printk(\"n\"); return x * 7; }", "n(x)", ProofFailure.Kind.function), ("u32 n;", "(n += x)", .reference),
        ])
    func secondGlobal(definition: String, use: String, kind: ProofFailure.Kind) async throws {
        let isFunction = kind == .function, declaration = isFunction ? "u32 n(u32 x);" : "extern u32 n;"
        let f = { (before: String) in "\(before) u32 f(u32 x) { sink(0); return \(use) * 1000003; }" }
        let g = { (n: Int) in "u32 g(u32 x) { sink(0); return x * \(n); }" }
        let new = isFunction ? definition.replacing("* 7", with: "* 9") : definition
        let made = try await ProofCase.make([
            ("one.c", f(definition), f(declaration)), ("two.c", g(1_000_003), "\(new) u32 g(u32 x) { sink(0); return \(use) * 1000005; }"),
        ])
        #expect(made.proof().failures == [])
        let kept = try await withTemporaryFolder { folder in
            try ELFFile.read(try await ObjectFixtures.compile(f("static \(definition)"), name: "one.c", in: folder), debugSections: false)
        }
        let proof = made.proof { input in
            input.objects[0].patched = kept
            input.claim.twins?["one.o"]?["n"] = ProofClaim.Twin(original: "n", evidence: "name")
        }
        #expect(proof.failures.contains { $0.kind == kind }, "\(proof.failures)")
        let unclaimed = made.proof { ($0.objects[0].patched, $0.claim.twins) = (kept, nil) }
        #expect(unclaimed.failures.contains { $0.kind == kind }, "\(unclaimed.failures)")
    }

    @Test("new code that uses what is freed after boot is wrong; what the original used stays")
    func bootCode() async throws {
        let source = { (n: Int, calls: Bool) in
            "void noinline __init setup(u32 x) { sink(&x); } u32 f(u32 x) { sink(&x); \(calls ? "if ( x == 7 ) setup(x);" : "") return x * \(n); }"
        }
        let made = try await ProofCase.make(source(1_000_003, true), source(1_000_005, true))
        #expect(made.proof().failures == [])
        let other = try await ProofCase.make(source(1_000_003, false), source(1_000_005, false))
        let changed = made.proof { $0.objects[0].original = other.input.objects[0].original }
        #expect(changed.failures.map(\.kind) == [.bootCode])
    }

    @Test("a changed string is found in the payload, and one of the hypervisor is not taken for it")
    func strings() async throws {
        let source = { (text: String) in "u32 f(u32 x) { printk(\"\(text)\"); return x * 1000003; }" }
        let made = try await ProofCase.make(source("old"), source("new"))
        let other = try await ProofCase.make(source("old"), source("now"))
        #expect(made.proof { $0.objects = other.input.objects }.failures.map(\.kind) == [.bytes])
    }

    @Test("a new variable of an old one's name is listed, and a copy of an old one is refused")
    func newVariables() async throws {
        let old = "u32 f(u32 x) { static u32 n; sink(&n); return x * 1000003 + n++; }"
        let new = "u32 f(u32 x) { static u32 n; sink(&n); return x * 1000005 + n++; }"
        let made = try await ProofCase.make(old, new)
        #expect(made.proof().hypervisorVariables == 1)
        let without = made.proof { $0.claim.twins = ["test.o": [:]] }.failures.map(\.kind)
        #expect(without == [.reference])
        let fresh = try await ProofCase.make(
            "u32 f(u32 x) { sink(&x); return x * 1000003; }", "static u32 n; u32 f(u32 x) { sink(&n); return x * 1000005 + n++; }")
        #expect(fresh.proof().failures == [] && fresh.proof().hypervisorVariables == 0)
    }

    /// The hypervisor was linked with the strong definition. The payload leads there, and the source no longer has it.
    @Test("a weak definition is not where a strong one was that is gone", arguments: targets, [false, true])
    func goneStrong(target: ObjectFixtures.Target, isGone: Bool) async throws {
        let weak = { (n: Int) in
            "u32 __attribute__((weak)) noinline f(u32 x) { sink(\"weak\"); return x; } u32 u(u32 x) { sink(0); return f(x) * \(n); }\n"
        }
        let strong = "u32 f(u32 x) { sink(\"strong\"); return x * 1000003; }\n", other = "u32 k(u32 x) { sink(0); return x; }\n"
        let made = try await ProofCase.make([("a.c", weak(7), weak(9)), ("b.c", strong + other, strong + other)], for: target)
        let without = try await withTemporaryFolder { try ELFFile.read(try await ObjectFixtures.compile(other, name: "b.c", for: target, in: $0)) }
        let proof = made.proof { input in
            for index in input.objects.indices where isGone && input.objects[index].name == "b.o" { input.objects[index].patched = without }
        }
        #expect(proof.failures.contains { $0.kind == .reference } == isGone, "\(proof.failures)")
    }
}
