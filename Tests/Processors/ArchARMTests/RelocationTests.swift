import ArchARM32
import ArchARM64
import ELFModel
import TargetArchitecture
import Testing

/// Relocations as the processors' own linkers perform them.
@Suite struct RelocationTests {
    static let arm64 = """
        .text
        .balign 4096
        start:
            adrp x0, far+4100
            add x0, x0, :lo12:far+4100
            ldrb w1, [x0, #:lo12:far+1]
            ldrh w1, [x0, #:lo12:far+2]
            ldr w1, [x0, #:lo12:far+4]
            ldr x1, [x0, #:lo12:far+8]
            ldr q1, [x0, #:lo12:far+16]
            bl callee
            b callee+8
            b.ne callee
            tbz x0, #5, callee
            adr x3, callee+3
            movz x4, #:abs_g0_nc:far
            movk x4, #:abs_g1_nc:far
            movk x4, #:abs_g2_nc:far
            movk x4, #:abs_g3:far
            .global callee
        callee:
            ret
        .data
            .quad far+5
            .word far, far - ., callee - .
            .hword far - .
            .hword 0
            .quad callee - .
        .global far
        .skip 3000
        .balign 16
        far: .skip 8192

        """

    static let arm32 = """
        .syntax unified
        .arch armv7-a
        .arm
        .text
        start:
            bl callee
            bl callee+4
            bne callee
            b callee
            movw r0, #:lower16:far
            movt r0, #:upper16:far
            movw r1, #:lower16:(far+20)
            movt r1, #:upper16:(far+20)
            .word far+5, start+8, far - ., .data
            .global callee
        callee:
            bx lr
        .data
            .word far, callee+4, callee - .
        .skip 3000
        .global far
        far: .skip 8192

        """

    @Test("are stored as the linker stores them", arguments: [ArchARM64() as any TargetArchitecture, ArchARM32()])
    func stored(architecture: any TargetArchitecture) async throws {
        let code = try await LinkedCode.make(source(architecture), for: architecture)
        for name in [".text", ".data"] {
            let linked = code.linkedBytes(name).bytes
            #expect(linked.count > 40)
            #expect(code.relocatedBytes(name) == linked)
        }
        // Not a test of an assembler that settled everything by itself.
        let relocations = code.object.sections.filter(\.isRelocations).flatMap(\.relocations)
        #expect(relocations.count > 12)
    }

    @Test("tell again which addresses they were made of", arguments: [ArchARM64() as any TargetArchitecture, ArchARM32()])
    func seen(architecture: any TargetArchitecture) async throws {
        let code = try await LinkedCode.make(source(architecture), for: architecture)
        let file = code.object.withSeparateAddends(architecture)
        for name in [".text", ".data"] {
            let (start, bytes) = code.linkedBytes(name)
            for table in file.sections where table.isRelocations && file.sections[Int(table.info)].name == name {
                for relocation in table.relocations {
                    let kind = try #require(architecture.relocationKind(relocation.type))
                    let slot = Int(relocation.offset)..<Int(relocation.offset) + kind.width
                    let target = code.address(of: file.symbols[relocation.symbol]) &+ UInt64(bitPattern: relocation.addend)
                    let seen = try #require(kind.sighting(of: architecture.byteOrder.number(bytes[slot]), at: start + relocation.offset))
                    #expect(seen.value & seen.mask & 0xffff_ffff == target & seen.mask & 0xffff_ffff, "\(kind.name)")
                    #expect(seen.mask != 0, "\(kind.name)")
                    let result = try #require(kind.result(target, at: start + relocation.offset))
                    #expect(kind.holds(result, addressSize: architecture.elfClass.addressSize), "\(kind.name)")
                }
            }
        }
    }

    private func source(_ architecture: any TargetArchitecture) -> String { architecture.elfClass == .bits64 ? Self.arm64 : Self.arm32 }

    @Test("addends in place come out and go back in")
    func inPlace() async throws {
        let file = try await LinkedCode.make(Self.arm32, for: ArchARM32()).object
        let separate = file.withSeparateAddends(ArchARM32())
        #expect(separate != file)
        let addends = separate.sections.flatMap(\.relocations).map(\.addend)
        #expect(Set(addends).isSuperset(of: [-8, -4, 0, 5, 20]))
        #expect(separate.withAddendsInPlace(ArchARM32()) == file)
    }

    @Test("what does not fit is reported")
    func limits() throws {
        let call = try #require(ArchARM64().relocationKind(283))
        #expect(call.holds(0x7ff_fffc, addressSize: 8))
        #expect(!call.holds(0x800_0000, addressSize: 8))
        #expect(call.holds(UInt64(bitPattern: -0x800_0000), addressSize: 8))
        #expect(!call.holds(UInt64(bitPattern: -0x800_0004), addressSize: 8))
        let branch = try #require(ArchARM32().relocationKind(29))
        #expect(branch.holds(0x1ff_fffc, addressSize: 4))
        #expect(!branch.holds(0x200_0000, addressSize: 4))
        // Numbers of 32 bits wrap around.
        #expect(branch.holds(0xffff_fff8, addressSize: 4))
        let page = try #require(ArchARM64().relocationKind(275))
        #expect(page.holds(0xffff_f000, addressSize: 8))
        #expect(!page.holds(0x1_0000_0000, addressSize: 8))
        let half = try #require(ArchARM32().relocationKind(43))
        #expect(half.field.storing(addend: 0x12345, in: 0) == nil)
        #expect(half.field.storing(addend: -4, in: 0) != nil)
    }
}
