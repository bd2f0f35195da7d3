import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// Static locals: a payload that takes one for another works on the wrong state.
@Suite struct StaticLocalTests {
    /// The twin's name of each patched variable whose initial value is the key; nil for new ones.
    private func twins(_ original: String, _ patched: String) async throws -> (set: ChangeSet, twins: [UInt8: UInt8]) {
        let set = try await ObjectFixtures.compare(original, patched)
        var twins: [UInt8: UInt8] = [:]
        for item in set.patched.items where item.kind == .data && item.role == .writable {
            guard let value = set.patched.bytes(of: item).first else { continue }
            let old = set.twin(of: item.id)
            twins[value] = old.flatMap { set.original.bytes(of: $0).first } ?? 0
        }
        return (set, twins)
    }

    private func source(_ lines: [String]) -> String { "u32 f(u32 x) {\n" + lines.joined(separator: "\n") + "\nreturn x;\n}\n" }
    private func once(_ value: Int) -> String { "if ( x == \(value) ) { static u32 once = \(value); x += once++; }" }

    @Test func aBlockBeforeTheOthersShiftsNone() async throws {
        // As in patched sources, the lines behind the addition keep their numbers.
        let (set, twins) = try await twins(
            source([once(1), once(2)]), source([once(3), "#line 2", once(1), once(2)]))
        #expect(twins == [1: 1, 2: 2, 3: 0])
        #expect(set.errors.isEmpty)
    }

    @Test func oneInTheMiddleIsTheNewOne() async throws {
        let (set, twins) = try await twins(
            source([once(1), once(2)]), source([once(1), once(3), "#line 3", once(2)]))
        #expect(twins == [1: 1, 2: 2, 3: 0])
        #expect(set.errors.isEmpty)
    }

    @Test func whatIsGoneTakesNoOtherAlong() async throws {
        let (set, twins) = try await twins(source([once(1), once(2)]), source(["#line 3", once(2)]))
        #expect(twins == [2: 2])
        // Two objects alone do not say which line became which.
        #expect(set.diagnostics.map(\.id) == [.dataLeftBehind, .correlationAmbiguous] && set.errors == [])
    }

    @Test func theSameBlockOnAnotherLine() async throws {
        let (set, twins) = try await twins(source([once(1), once(2)]), source(["x++;", "", once(1), once(2)]))
        #expect(twins == [1: 1, 2: 2])
        #expect(set.errors.isEmpty)
    }

    /// Lines that moved, and one more: which is which can't be known.
    @Test func ambiguousOnesAreRefused() async throws {
        let (set, _) = try await twins(source([once(1), once(2)]), source(["x++;", "", "", once(3), once(1), once(2)]))
        #expect(set.errors.contains("correlation-ambiguous"))
    }

    @Test func aFunctionOfAnotherNameDoesNotInherit() async throws {
        let body = "(u32 x) { static u32 count; return count += x; }"
        let set = try await ObjectFixtures.compare("u32 f\(body)", "u32 g\(body)")
        #expect(set.diagnostics.contains { $0.id == .variableStartsAnew && $0.severity == .warning })
        #expect(set.names(.new).contains("g"))
    }

    @Test func anotherNumberIsNoDifference() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) { static u32 count; return count += x; }",
            "u32 g(u32 x) { static u32 other; return other += x * 3; } u32 f(u32 x) { static u32 count; return count += x; }")
        #expect(set.names(.changed) == [])
        #expect(set.errors.isEmpty)
    }
}
