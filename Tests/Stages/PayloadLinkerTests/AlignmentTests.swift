import Diagnostics
import Testing

/// The loader places a payload at pages, and keeps no larger alignment.
@Suite struct AlignmentTests {
    @Test(arguments: [(4096, []), (8192, [DiagnosticID.alignmentNotKept])] as [(Int, [DiagnosticID])])
    func newVariables(alignment: Int, expected: [DiagnosticID]) async throws {
        let outcome = try await PayloadLinkerTests.link(
            "u32 f(u32 x) { sink(&x); return x * 1000003; }",
            "static char buffer[64] __attribute__((aligned(\(alignment)))); u32 f(u32 x) { sink(buffer); sink(&x); return x * 1000003 + ++buffer[x & 63]; }")
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == expected)
        #expect((outcome.payload == nil) == !expected.isEmpty)
    }
}
