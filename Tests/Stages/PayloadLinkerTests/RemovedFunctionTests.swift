import Diagnostics
import PayloadLinker
import Testing

/// Functions that are gone or renamed, while something may still call their old code.
@Suite struct RemovedFunctionTests {
    private func warnings(_ original: String, _ patched: String) async throws -> [Diagnostic] {
        try await PayloadLinkerTests.link(original, patched).diagnostics.filter { $0.id == .oldCodeReachable }
    }

    @Test("a function whose address code that runs takes") func stored() async throws {
        let source = { (name: String, n: Int) in
            "u32 (*hook)(u32); static noinline u32 \(name)(u32 x) { return x * 1000003 + \(n); } void set(void) { sink(&hook); hook = \(name); }"
        }
        let found = try await warnings(source("tick", 1), source("tick_fixed", 2))
        #expect(found.map(\.symbol) == ["tick"] && found.map(\.severity) == [.warning])
        #expect(found.first?.message.contains("'set' took its address: whoever kept that address still calls the old code") == true)
    }

    @Test("a function whose address boot code takes, though there is nothing else to patch") func storedAtBoot() async throws {
        let source = { (name: String, n: Int) in
            "extern u32 (*hook)(u32); u32 (*hook)(u32); static noinline u32 \(name)(u32 x) { return x * 1000003 + \(n); } void __init start(void) { hook = \(name); }"
        }
        let outcome = try await PayloadLinkerTests.link(source("tick", 1), source("tick_fixed", 2))
        #expect(outcome.payload == nil && outcome.diagnostics.contains { $0.id == .oldCodeReachable && $0.symbol == "tick" })
    }

    @Test("a function that is only called is no danger: its callers are in the payload") func called() async throws {
        let source = { (name: String, n: Int) in
            "static noinline u32 \(name)(u32 x) { sink(&x); return x * 1000003 + \(n); } u32 f(u32 x) { sink(&x); return \(name)(x) + 1; }"
        }
        #expect(try await warnings(source("tick", 1), source("tock", 2)).isEmpty)
    }

    @Test("a global function that moves to another file is replaced") func moved() async throws {
        let taker = "u32 (*hook)(u32); extern u32 tick(u32); void set(void) { sink(&hook); hook = tick; }"
        let function = "u32 tick(u32 x) { sink(&x); return x * 1000003 + "
        let (outcome, _) = try await PayloadLinkerTests.link([
            ("a.c", function + "1; }" + taker, taker), ("b.c", "u32 other;", "u32 other; " + function + "2; }"),
        ])
        #expect(!outcome.diagnostics.contains { $0.id == .oldCodeReachable })
    }
}
