import ArchX86_64
import Diagnostics
import ELFModel
import ObjectDiff
import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild
import XenSource

@testable import PayloadLinker

/// References to variables that share a section: only their names say which one is meant.
@Suite struct NamedReferenceTests {
    /// Array, and variables around it, in one section; the compiler chooses their order.
    private static let array =
        "static u32 __read_mostly before = 3; static u32 __read_mostly arr[6] = { 1, 2, 3, 4, 5, 6 }; static u32 __read_mostly behind = 4;\n"
    private static let users = """
        u32 keep(void) { return before++ + behind++; }
        void fill(u32 n) { u32 i; for ( i = 1; i <= n; i++ ) arr[i - 1] = n; }
        u32 sum(void) { u32 *p, s = 0; for ( p = arr; p < arr + 6; p++ ) { s += *p; sink(p); } return s; }
        u32 back(u32 n) { return arr[n - 3]; }

        """

    /// What became of a change, with or without names in the references.
    private static func link(_ original: String, _ patched: String, isNamed: Bool = true, for target: ObjectFixtures.Target = .x86_64) async throws -> (
        outcome: LinkOutcome, set: ChangeSet
    ) {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            let before = try await ObjectFixtures.compile(original, for: target, isNamed: isNamed, in: a)
            let after = try await ObjectFixtures.compile(patched, for: target, isNamed: isNamed, in: b)
            let image = try await ObjectFixtures.link([before], for: target, in: folder)
            let set = try ObjectFixtures.compare(before, after, name: "test.c", for: target)
            let options = LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures)
            return (try linkPayload([set], onto: RunningHypervisor(image), architecture: target.architecture, options: options), set)
        }
    }

    /// Ways to change the section around the array; each changes nothing about the array's users.
    static let neighbours: [(String, String)] = [
        ("a variable added at the end", array + "static u32 __read_mostly added = 9; u32 *more(void) { return &added; }\n"),
        ("a variable added at the start", "static u32 __read_mostly added = 9; u32 *more(void) { return &added; }\n" + array),
        ("a large one added", "static u64 __read_mostly added[9] = { 9 }; u64 *more(void) { return added; }\n" + array),
        ("the one behind it gone", array.replacing("static u32 __read_mostly behind = 4;", with: "") + "static u32 behind = 5;\n"),
        ("the one before it gone", array.replacing("static u32 __read_mostly before = 3;", with: "") + "static u32 before = 5;\n"),
    ]

    @Test(arguments: neighbours)
    func functionsThatUseTheArrayStayTheSame(what: String, patched: String) async throws {
        let (_, set) = try await Self.link(Self.array + Self.users, patched + Self.users)
        #expect(set.names(.changed).filter { ["fill", "sum", "back"].contains($0) } == [], "\(what)")
        #expect(!set.diagnostics.contains { $0.id == .referenceAmbiguous }, "\(what)")
    }

    @Test(arguments: ["arr[i - 1] = n;", "s += *p;", "arr[n - 3]"], [ObjectFixtures.Target.x86_64, .arm64, .arm32])
    func changedFunctionsReachTheHypervisorsArray(place: String, target: ObjectFixtures.Target) async throws {
        let change = ["arr[i - 1] = n;": "arr[i - 1] = n + 1;", "s += *p;": "s += *p * 5;", "arr[n - 3]": "arr[n - 3] + 77"][place] ?? place
        for what in Self.neighbours.prefix(3) {
            let (outcome, _) = try await Self.link(Self.array + Self.users, what.1 + Self.users.replacing(place, with: change), for: target)
            let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
            #expect(payload.functions.count == 1)
            #expect(payload.references.contains { $0.name == "test.c#arr" }, "\(payload.references)")
            #expect(payload.companions.isEmpty)
        }
    }

    @Test(arguments: neighbours)
    func withoutNamesTheDoubtIsARefusal(what: String, patched: String) async throws {
        let (outcome, set) = try await Self.link(Self.array + Self.users, patched + Self.users, isNamed: false)
        #expect(set.errors.contains("reference-ambiguous"), "\(what)")
        #expect(outcome.payload == nil)
    }

    @Test func withoutNamesAnUnchangedSectionIsNoDoubt() async throws {
        let (outcome, _) = try await Self.link(
            Self.array + Self.users, Self.array + Self.users.replacing("arr[n - 3]", with: "arr[n - 3] + 77"), isNamed: false)
        #expect(outcome.payload?.functions.map(\.name) == ["back"], "\(outcome.diagnostics)")
    }

    @Test(arguments: [ObjectFixtures.Target.x86_64, .arm64, .arm32])
    func theNamedObjectIsTheSame(target: ObjectFixtures.Target) async throws {
        try await withTemporaryFolder { folder in
            let source = Self.array + Self.users + "const u32 *const places[] = { arr - 1, &behind };\n"
            let path = try await ObjectFixtures.compile(source, for: target, in: folder)
            let named = try ELFFile.read(path), plain = try ELFFile.read(folder.appending("test.o"))
            let naming = LocalNaming(architecture: target.architecture)
            #expect(naming.areSame(plain, named))
            #expect(named.namedLocals == ["arr", "before", "behind"])
            // One byte, one addend, one symbol: each is seen.
            var seen = 0
            for index in named.sections.indices where named.sections[index].isAllocated && !named.sections[index].data.isEmpty {
                var other = named
                other.sections[index].data[0] ^= 1
                #expect(!naming.areSame(plain, other), "\(named.sections[index].name)")
                seen += 1
            }
            let sink = try #require(named.symbols.firstIndex { $0.name == "sink" }), behind = try #require(named.symbols.firstIndex { $0.name == "behind" })
            for table in named.sections.indices where named.sections[table].isRelocations && named.sections[Int(named.sections[table].info)].isAllocated {
                for index in named.sections[table].relocations.indices {
                    var other = named
                    let isBehind = named.sections[table].relocations[index].symbol == behind
                    other.sections[table].relocations[index].symbol = isBehind ? sink : behind
                    #expect(!naming.areSame(plain, other))
                    seen += 1
                }
            }
            #expect(seen > 10)
        }
    }

    // MARK: Labels

    private static let labels = """
        u32 f(u32 mode, u32 x) {
            static const void *const modes[] = { &&one, &&two, &&three };
            if ( mode > 2 ) return 7;
            goto *modes[mode];
        one: printk("%u", 1111); return x;
        two: printk("%u", 2222); return x * 3;
        three: printk("%u", 3333); return x + 1;
        }

        """

    @Test func aTableOfLabelsComesAlong() async throws {
        let (outcome, _) = try await Self.link(Self.labels, Self.labels.replacing("2222", with: "2223"))
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.companions.contains { $0.name.hasPrefix("modes") })
        #expect(!payload.references.contains { $0.name.contains("modes") })
    }

    @Test func aTableThatPointsToATableOfLabelsComesAlong() async throws {
        let source = Self.labels.replacing("goto *modes[mode];", with: "static const void *const *const all[] = { modes, modes + 1 }; goto *all[x & 1][mode];")
        let (outcome, _) = try await Self.link(source, source.replacing("2222", with: "2223"))
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(Set(payload.companions.map { String($0.name.prefix { $0 != "." }) }).isSuperset(of: ["all", "modes"]))
    }

    @Test func aWritableTableOfLabelsIsRefused() async throws {
        let source = Self.labels.replacing("static const void *const modes[]", with: "static const void *modes[]")
            .replacing("if ( mode > 2 ) return 7;", with: "if ( mode > 2 ) { modes[0] = modes[x & 1]; return 7; }")
        let (outcome, _) = try await Self.link(source, source.replacing("2222", with: "2223"))
        #expect(outcome.payload == nil)
        // The function refers to its table several times.
        #expect(outcome.diagnostics.filter { $0.id == .labelTableKept }.map(\.severity) == [.error])
    }

    /// A table beside the function, which another one reads, or other files may.
    @Test(arguments: ["extern const void *const place[]; u32 g(void) { printk(\"g\"); return (u32)(unsigned long)place[0]; }", ".globl place"])
    func aTableOfLabelsThatOthersUseIsRefused(other: String) async throws {
        let isGlobal = other.hasPrefix(".")
        let source = """
            u32 f(u32 x) {
                printk("%u", 2222);
                asm volatile ( "77: nop\\n.pushsection .data.rel.ro.place, \\"aw\\"\\n\(isGlobal ? other : "")\\nplace: .quad 77b\\n"
                    ".size place, 8\\n.type place, @object\\n.popsection" );
                return x;
            }
            \(isGlobal ? "" : other)
            """
        let (outcome, _) = try await Self.link(source, source.replacing("2222", with: "2223"))
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(outcome.payload == nil && errors.map(\.id) == [.labelTableKept] && errors.map(\.symbol) == ["place"], "\(outcome.diagnostics)")
    }
}
