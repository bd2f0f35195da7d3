import ArchARM32
import ArchARM64
import TargetArchitecture
import Testing

/// Which places linked code names.
@Suite struct NamedPlacesTests {
    private static let data = """

        .data
        near: .skip 8
        .skip 8000
        .balign 16
        far: .skip 64
        never: .skip 8

        """

    private static let arm64 = """
        .text
            adrp x3, near
            b 2f
        1:  ldr w0, [x3, #:lo12:near]
            ldr q0, [x5, #:lo12:far+32]
            bl callee
            ret
        2:  adrp x5, far+32
            b 1b
        .balign 4096
        callee:
            ret
        """

    private static let arm32 = """
        .syntax unified
        .arch armv7-a
        .arm
        .text
            movw r3, #:lower16:near
            b 2f
        1:  movt r3, #:upper16:near
            ldr r0, [r3]
            ldr r0, =far+32
            bl callee
            bx lr
            .ltorg
        2:  b 1b
        .balign 4096
        callee:
            bx lr
        """

    @Test("branches, and addresses made of two halves wherever these are, and literals", arguments: [ArchARM64() as any TargetArchitecture, ArchARM32()])
    func places(architecture: any TargetArchitecture) async throws {
        let source = architecture.elfClass == .bits64 ? Self.arm64 : Self.arm32
        let code = try await LinkedCode.make(source + Self.data, for: architecture)
        let (start, bytes) = code.linkedBytes(".text")
        let found = architecture.namedPlaces(in: bytes.prefix(2048), at: start)
        func address(_ name: String) throws -> UInt64 { try #require(code.linked.symbols.first { $0.name == name }).value }
        for place in [try address("near"), try address("far") + 32, try address("callee")] { #expect(found.contains(place), "\(place)") }
        #expect(!found.contains(try address("never")))
    }
}
