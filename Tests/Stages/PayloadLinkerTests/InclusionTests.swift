import ObjectDiff
import PayloadLinker
import Testing

/// Why each thing is in the payload.
@Suite struct InclusionTests {
    private typealias Step = Payload.Inclusion

    private func words(_ why: [Step]) -> [String] { why.map { "\($0.name): \($0.reason)" } }

    @Test func aChangedFunctionIsItsOwnReason() async throws {
        let outcome = try await PayloadLinkerTests.link("u32 f(u32 x) { return x * 1000003 + 100; }", "u32 f(u32 x) { return x * 1000003 + 101; }")
        let function = try #require(outcome.payload?.functions.first)
        #expect(function.why.map(\.name) == ["f"] && function.why.map(\.reason) == [.changed])
        #expect(function.difference?.kind == .bytes)
    }

    @Test func theWayLeadsToTheChange() async throws {
        let original = "u32 f(u32 x) { sink(&x); return x * 1000003 + 100; }"
        let patched = """
            static u32 count; static noinline u32 deep(u32 x) { sink(&x); return x + ++count; }
            static noinline u32 helper(u32 x) { sink(&x); return deep(x) * 3; }
            u32 f(u32 x) { sink(&x); return helper(x) * 1000003 + 100; }
            """
        let outcome = try await PayloadLinkerTests.link(original, patched)
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        let count = try #require(payload.companions.first { $0.name == "count" })
        #expect(count.why.map(\.name) == ["count", "deep", "helper", "f"])
        #expect(count.why.map(\.reason) == [.needed(isNew: true), .needed(isNew: true), .needed(isNew: true), .changed])
    }

    /// Of several ways the shortest is given.
    @Test func theShortestWay() async throws {
        let original = "u32 f(u32 x) { sink(&x); return x * 1000003 + 100; } u32 g(u32 x) { sink(&x); return x * 1000003 + 200; }"
        let patched = """
            static noinline u32 deep(u32 x) { sink(&x); return x + 7; }
            static noinline u32 helper(u32 x) { sink(&x); return deep(x) * 3; }
            u32 f(u32 x) { sink(&x); return helper(x) * 1000003 + 100; } u32 g(u32 x) { sink(&x); return deep(x) * 1000003 + 200; }
            """
        let payload = try #require(try await PayloadLinkerTests.link(original, patched).payload)
        #expect(payload.companions.first { $0.name == "deep" }?.why.map(\.name) == ["deep", "g"])
    }

    @Test func aPartComesWithItsFunction() async throws {
        let source = { (n: Int) in
            "extern __attribute__((__cold__)) void sink(const void *);"
                + "u32 f(u32 x) { if ( __builtin_expect(x > 100, 0) ) { sink(0); sink(&x); sink((void *)8); } return x * 1000003 + \(n); }"
        }
        let payload = try #require(try await PayloadLinkerTests.link(source(100), source(101)).payload)
        let part = try #require(payload.companions.first { $0.name == "f.cold" })
        #expect(part.reason == .coldPart && part.why.map(\.reason) == [.part, .changed])
    }
}
