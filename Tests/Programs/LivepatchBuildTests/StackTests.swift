import Diagnostics
import LoaderModel
import ObjectDiff
import ObjectFixtures
import PayloadLinker
import PayloadProof
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild
import XenSource
import XenVersions

@testable import LivepatchBuild

/// Payloads on top of payloads, from objects to proofs. The hypervisor is linked from the first state of the source, and what runs is another:
/// names, sizes and linkage of its items differ.
@Suite struct StackTests {
    /// The sources of some files, by name. Marks say in which states a line is there: `0|`, `12|`. A line without a mark is in all of them.
    struct Story: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var files: [String: String]
        /// The functions that the last payload replaces.
        var replaces: [String]
        /// Functions and variables that the last payload brings beside them.
        var brings: [String] = []
        var steps = 2

        func sources(_ state: Int) -> [String: String] {
            files.compactMapValues { text in
                let lines = text.split(separator: "\n").compactMap { line -> Substring? in
                    guard let bar = line.firstIndex(of: "|"), line[..<bar].allSatisfy(\.isNumber), bar > line.startIndex else { return line }
                    return line[..<bar].contains("\(state)") ? line[line.index(after: bar)...] : nil
                }
                return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
            }
        }
    }

    private struct Layer {
        var outcome: LinkOutcome
        var proof: Proof?
    }

    private static let architecture = ObjectFixtures.Target.x86_64.architecture
    private static let comparer = ObjectComparer(architecture: architecture, version: .ofFixtures, abi: .livepatchV2)

    private func stack(_ story: Story) async throws -> [Layer] {
        try await withTemporaryFolder { folder in
            var states: [[String: FilePath]] = []
            for state in 0...story.steps {
                let place = folder.appending("\(state)")
                try WorkFiles.makeFolder(place)
                var objects: [String: FilePath] = [:]
                for (name, source) in story.sources(state) { objects[name] = try await ObjectFixtures.compile(source, name: name, in: place) }
                states.append(objects)
            }
            let image = try await ObjectFixtures.link(states[0].sorted { $0.key < $1.key }.map(\.value), in: folder)
            var payloads: [(path: FilePath, bytes: [UInt8])] = [], layers: [Layer] = []
            for step in 1...story.steps {
                let running = try loadStack(payloads, onto: image, architecture: Self.architecture, abi: .livepatchV2, version: .ofFixtures)
                let layer = try await layer(step, of: states, onto: running)
                layers.append(layer.layer)
                guard let bytes = layer.bytes else { break }
                payloads.append((FilePath("step-\(step).livepatch"), bytes))
            }
            return layers
        }
    }

    /// Builds one payload, as a build does.
    private func layer(_ step: Int, of states: [[String: FilePath]], onto running: RunningHypervisor) async throws -> (layer: Layer, bytes: [UInt8]?) {
        func pairs(_ before: Int, _ after: Int) -> [ObjectPair] {
            Set(states[before].keys).union(states[after].keys).sorted().map { name in
                ObjectPair(name: String(name.dropLast()) + "o", source: name, original: states[before][name], patched: states[after][name])
            }
        }
        let (joined, _, renamed) = try joinRenamed(pairs(step - 1, step))
        let below = step > 1 ? try joinRenamed(below: pairs(0, step - 1), laterNames: renamed) : []
        let (changes, changesBelow) = (try joined.map { try Self.comparer.compare($0) }, try below.map { try Self.comparer.compare($0) })
        let outcome = try linkPayload(
            changes, onto: running, below: changesBelow, architecture: Self.architecture,
            options: LinkOptions(name: "step-\(step)", abi: .livepatchV2, xen: .ofFixtures))
        try outcome.diagnostics.requireCatalogued()
        guard let bytes = outcome.payload?.bytes else { return (Layer(outcome: outcome), nil) }
        let loaded = loadPayload(bytes, into: running, architecture: Self.architecture, abi: .livepatchV2, version: .ofFixtures)
        try #require(loaded.verdict == .accepted)
        let proof = provePayload(
            ProofInput(
                loaded: loaded, running: running, objects: try await proofObjects(joined, below: below, jobs: 1),
                claim: ProofClaim(changes, below: changesBelow, reported: outcome.diagnostics, depends: nil), architecture: Self.architecture,
                abi: .livepatchV2, version: .ofFixtures))
        return (Layer(outcome: outcome, proof: proof), bytes)
    }

    static let stories: [Story] = [
        Story(
            testDescription: "the only static function of a file changes its size, then its caller changes",
            files: [
                "a.c": """
                0|static noinline int h(int x) { sink("h"); return x; }
                12|static noinline int h(int x) { sink("h"); return x * 300007; }
                01|int f(int x) { sink("f"); return h(x); }
                2|int f(int x) { sink("f!"); return h(x); }
                """
            ], replaces: ["f"]),
        Story(
            testDescription: "the only static function of a file changes its size twice",
            files: [
                "a.c": """
                0|static noinline int h(int x) { sink("h"); return x; }
                1|static noinline int h(int x) { sink("h"); return x * 300007; }
                2|static noinline int h(int x) { sink("h"); return x * 300007 + x / 7; }
                int f(int x) { sink("f"); return h(x); }
                """
            ], replaces: ["a.c#h"]),
        Story(
            testDescription: "a new static local takes another's number",
            files: [
                "a.c": """
                int f(int x)
                {
                    static int a;
                12|    static int b = 7;
                    sink("f"); sink(&a); a++;
                0|    return x;
                1|    return b += x;
                2|    return b += x + 1;
                }
                """
            ], replaces: ["f"]),
        Story(
            testDescription: "a static local is gone, and another has its number",
            files: [
                "a.c": """
                int f(int x)
                {
                    static int a;
                0|    static int b = 7; b += x;
                    sink("f"); sink(&a); a++;
                0|    return b;
                1|    return x;
                2|    return x + 1;
                }
                """
            ], replaces: ["f"]),
        Story(
            testDescription: "a static function becomes global, then it changes",
            files: [
                "a.c": """
                0|static noinline int f(int x) { sink("f"); return x * 1000003; }
                1|noinline int f(int x) { sink("f"); return x * 1000003; }
                2|noinline int f(int x) { sink("f!"); return x * 1000003; }
                int u(int x) { sink("u"); return f(x); }
                """,
                "b.c": """
                12|int f(int x);
                0|int m(int x) { sink("m"); return x; }
                12|int m(int x) { sink("m"); return f(x); }
                """,
            ], replaces: ["a.c#f"]),
        Story(
            testDescription: "a static function becomes global and another file calls it, then that caller changes",
            files: [
                "a.c": """
                static noinline int h(int x) { sink("h"); return x * 3; }
                0|static noinline int f(int x) { sink("f"); return x * 1000003; }
                12|noinline int f(int x) { sink("f"); return x * 1000003; }
                int u(int x) { sink("u"); return f(x) + h(x); }
                """,
                "b.c": """
                12|int f(int x);
                0|int m(int x) { sink("m"); return x; }
                1|int m(int x) { sink("m1"); return f(x); }
                2|int m(int x) { sink("m2"); return f(x); }
                """,
            ], replaces: ["m"]),
        Story(
            testDescription: "a global function becomes static, then it changes",
            files: [
                "a.c": """
                0|noinline int f(int x) { sink("f"); return x * 1000003; }
                1|static noinline int f(int x) { sink("f"); return x * 1000003; }
                2|static noinline int f(int x) { sink("f!"); return x * 1000003; }
                0|int u(int x) { sink("u"); return f(x); }
                12|int u(int x) { sink("u!"); return f(x); }
                """
            ], replaces: ["f"]),
        Story(
            testDescription: "a global function becomes static, then another file defines one of that name and it changes itself",
            files: [
                "a.c": """
                0|noinline int f(int x) { sink("f"); return x * 1000003; }
                1|static noinline int f(int x) { sink("f"); return x * 1000003; }
                2|static noinline int f(int x) { sink("f!"); return x * 1000003; }
                0|int u(int x) { sink("u"); return f(x); }
                12|int u(int x) { sink("u!"); return f(x); }
                """,
                "b.c": """
                2|noinline int f(int x) { sink("other"); return x * 1000033; }
                01|int m(int x) { sink("m"); return x; }
                2|int m(int x) { sink("m"); return f(x); }
                """,
            ], replaces: ["f", "m"], brings: ["f"]),
        Story(
            testDescription: "a static variable becomes global, then its user changes, and another file uses it",
            files: [
                "a.c": """
                0|static int n = 4;
                12|int n = 4;
                0|int u(int x) { sink("u"); return n += x; }
                1|int u(int x) { sink("u1"); return n += x; }
                2|int u(int x) { sink("u2"); return n += x; }
                """,
                "b.c": """
                2|extern int n;
                01|int m(int x) { sink("m"); return x; }
                2|int m(int x) { sink("m"); return n + x; }
                """,
            ], replaces: ["u", "m"]),
        Story(
            testDescription: "a static variable becomes global, then only another file changes",
            files: [
                "a.c": """
                static noinline int h(int x) { sink("h"); return x * 3; }
                0|static int n = 4;
                12|int n = 4;
                0|int u(int x) { sink("u"); return n += h(x); }
                12|int u(int x) { sink("u1"); return n += h(x); }
                """,
                "b.c": """
                2|extern int n;
                01|int m(int x) { sink("m"); return x; }
                2|int m(int x) { sink("m"); return n + x; }
                """,
            ], replaces: ["m"]),
        Story(
            testDescription: "a global variable becomes static, then its user changes",
            files: [
                "a.c": """
                0|int n = 4;
                12|static int n = 4;
                0|int u(int x) { sink("u"); return n += x; }
                1|int u(int x) { sink("u1"); return n += x; }
                2|int u(int x) { sink("u2"); return n += x; }
                """
            ], replaces: ["u"]),
        Story(
            testDescription: "a constant becomes global, then another file uses it",
            files: [
                "a.c": """
                static noinline int h(int x) { sink("h"); return x * 3; }
                0|static const int t[4] = { 1, 2, 3, 4 };
                12|extern const int t[4]; const int t[4] = { 1, 2, 3, 4 };
                0|int u(int x) { sink("u"); return t[x & 3] + h(x); }
                12|int u(int x) { sink("u1"); return t[x & 3] + h(x); }
                """,
                "b.c": """
                2|extern const int t[4];
                01|int m(int x) { sink("m"); return x; }
                2|int m(int x) { sink("m"); return t[x & 3]; }
                """,
            ], replaces: ["m"]),
        Story(
            testDescription: "a new static variable becomes global in the next payload, then its user changes",
            files: [
                "a.c": """
                1|static int n = 4;
                23|int n = 4;
                0|int u(int x) { sink("u"); return x; }
                1|int u(int x) { sink("u"); return n += x; }
                2|int u(int x) { sink("u2"); return n += x; }
                3|int u(int x) { sink("u3"); return n += x; }
                """
            ], replaces: ["u"], steps: 3),
        Story(
            testDescription: "a function moves to another file, then it changes",
            files: [
                "a.c": """
                0|int f(int x) { sink("f"); return x * 1000003; }
                0|int k(int x) { sink("k"); return x; }
                12|int k(int x) { sink("k!"); return x; }
                """,
                "b.c": """
                1|int f(int x) { sink("f"); return x * 1000003; }
                2|int f(int x) { sink("f!"); return x * 1000003; }
                int m(int x) { sink("m"); return x; }
                """,
            ], replaces: ["f"]),
        Story(
            testDescription: "a function moves to another file and changes, then again",
            files: [
                "a.c": """
                0|int f(int x) { sink("f"); return x * 1000003; }
                int k(int x) { sink("k"); return x; }
                """,
                "b.c": """
                1|int f(int x) { sink("f1"); return x * 1000003; }
                2|int f(int x) { sink("f2"); return x * 1000003; }
                int m(int x) { sink("m"); return x; }
                """,
            ], replaces: ["f"]),
        Story(
            testDescription: "a function moves to another file, then a caller in a third changes",
            files: [
                "a.c": """
                0|int f(int x) { sink("f"); return x * 1000003; }
                0|int k(int x) { sink("k"); return x; }
                12|int k(int x) { sink("k!"); return x; }
                """,
                "b.c": """
                12|int f(int x) { sink("f"); return x * 1000003; }
                int m(int x) { sink("m"); return x; }
                """,
                "c.c": """
                int f(int x);
                01|int c(int x) { sink("c"); return f(x); }
                2|int c(int x) { sink("c2"); return f(x); }
                """,
            ], replaces: ["c"]),
        Story(
            testDescription: "a variable moves to another file, then its user in the old one changes",
            files: [
                "a.c": """
                extern int n;
                0|int n = 4;
                0|int k(int x) { sink("k"); return n += x; }
                1|int k(int x) { sink("k1"); return n += x; }
                2|int k(int x) { sink("k2"); return n += x; }
                """,
                "b.c": """
                extern int n;
                12|int n = 4;
                int m(int x) { sink("m"); return x; }
                """,
            ], replaces: ["k"]),
        Story(
            testDescription: "a variable is gone, then another file has a new one of its name, then the user of that changes",
            files: [
                "a.c": """
                0|int n = 4;
                0|int k(int x) { sink("k"); return n += x; }
                123|int k(int x) { sink("k1"); return x; }
                """,
                "b.c": """
                23|extern int n; int n = 5;
                01|int m(int x) { sink("m"); return x; }
                2|int m(int x) { sink("m"); return n += x; }
                3|int m(int x) { sink("m3"); return n += x; }
                """,
            ], replaces: ["m"], steps: 3),
        Story(
            testDescription: "a file is renamed, then a function in it changes",
            files: [
                "a.c": """
                0|static int n = 4;
                0|static noinline int h(int x) { sink("h"); return n += x; }
                0|int f(int x) { sink("f"); return h(x); }
                0|int g(int x) { sink("g"); return h(x) + 1; }
                """,
                "b.c": """
                12|static int n = 4;
                12|static noinline int h(int x) { sink("h"); return n += x; }
                1|int f(int x) { sink("f1"); return h(x); }
                2|int f(int x) { sink("f2"); return h(x); }
                12|int g(int x) { sink("g"); return h(x) + 1; }
                """,
            ], replaces: ["f"]),
        Story(
            testDescription: "a file changes, then it is renamed and changes again",
            files: [
                "a.c": """
                01|static int n = 4;
                01|static noinline int h(int x) { sink("h"); return n += x; }
                0|int f(int x) { sink("f"); return h(x); }
                1|static int more; int f(int x) { sink("f1"); return h(x) + more++; }
                01|int g(int x) { sink("g"); return h(x) + 1; }
                """,
                "b.c": """
                2|static int n = 4;
                2|static noinline int h(int x) { sink("h"); return n += x; }
                2|static int more; int f(int x) { sink("f2"); return h(x) + more++; }
                2|int g(int x) { sink("g"); return h(x) + 1; }
                """,
            ], replaces: ["f"]),
        Story(
            testDescription: "a strong function that nothing uses is gone, then the file with the weak one uses that",
            files: [
                "a.c": """
                int __attribute__((weak)) noinline f(int x) { sink("weak"); return x * 1000003; }
                01|int u(int x) { sink("u"); return x; }
                2|int u(int x) { sink("u"); return f(x); }
                """,
                "b.c": """
                0|int f(int x) { sink("strong"); return x * 1000033; }
                0|int m(int x) { sink("m"); return x; }
                12|int m(int x) { sink("m1"); return x; }
                """,
            ], replaces: ["u"], brings: ["f"]),
    ]

    @Test(arguments: stories) func theHypervisorsItemsAreFound(_ story: Story) async throws {
        let layers = try await stack(story)
        for (number, layer) in layers.enumerated() {
            let payload = try #require(layer.outcome.payload, "step \(number + 1): \(layer.outcome.diagnostics) \(layer.outcome.unequal)")
            #expect(layer.outcome.unequal.isEmpty && payload.verifiedFunctions == payload.functions.count)
            #expect(layer.proof?.failures == [], "step \(number + 1)")
        }
        let last = try #require(layers.last?.outcome.payload)
        #expect(layers.count == story.steps)
        #expect(last.functions.map(\.name).sorted() == story.replaces.sorted())
        #expect(last.companions.map(\.name).sorted() == story.brings.sorted())
    }

    /// Unchanged callers of the hypervisor still reach the strong definition, and new code would, too.
    @Test(arguments: [
        ("int f2(int x) { sink(\"strong\"); return x * 1000033; }", "gone"), ("", "gone"),
        ("static noinline int f(int x) { sink(\"strong\"); return x * 1000033; }", "static"),
    ])
    func aWeakDefinitionDoesNotTakeThePlaceOfAStrongOne(instead: String, what: String) async throws {
        let weak = "int __attribute__((weak)) noinline f(int x) { sink(\"weak\"); return x * 1000003; }\n"
        let table = "static int (*const t[])(int) = { f, 0 };\n"
        for use in ["f(x)", "t[x](x)"] {
            let story = Story(
                testDescription: what,
                files: [
                    "a.c": weak + table + "0|int u(int x) { sink(\"u\"); return \(use); }\n1|int u(int x) { sink(\"u!\"); return \(use); }\n",
                    "b.c": "0|int f(int x) { sink(\"strong\"); return x * 1000033; }\n1|\(instead)\n"
                        + (what == "static" ? "int k(int x) { sink(\"k\"); return f(x); }\n" : "int k(int x) { sink(\"k\"); return x; }\n"),
                ], replaces: [], steps: 1)
            let layer = try #require(try await stack(story).first)
            #expect(layer.outcome.payload == nil)
            let error = try #require(layer.outcome.diagnostics.first { $0.severity == .error })
            #expect(error.id == .globalNameMoved && error.symbol == "f" && error.message.contains(what), "\(error)")
        }
    }
}
