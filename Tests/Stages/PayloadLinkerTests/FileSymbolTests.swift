import ELFModel
import ObjectFixtures
import PayloadLinker
import TestTools
import Testing

/// Static functions of a source that names its objects itself, as Xen's sources that are compiled several times do: the object then has two
/// FILE symbols, and the linked hypervisor has the static functions under the second one.
@Suite struct FileSymbolTests {
    private static func source(_ object: String, _ n: Int) -> String {
        "asm(\".file \\\"\(object)\\\"\"); static noinline u32 f(u32 x) { sink(&x); return x * \(n); } u32 start_\(object.first ?? "x")(u32 x) { return f(x) + f(x + 1); }"
    }

    @Test func theStaticFunctionOfEachObjectIsFound() async throws {
        let (outcome, image) = try await PayloadLinkerTests.link([
            ("a.c", Self.source("one.o", 3), Self.source("one.o", 5)), ("b.c", Self.source("two.o", 7), Self.source("two.o", 9)),
        ])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name).sorted() == ["one.o#f", "two.o#f"])
        #expect(payload.verifiedFunctions == 2)
        #expect(payload.functions.allSatisfy { $0.oldAddress == image.address(ofSymbol: SymbolName($0.name)) })
    }
}
