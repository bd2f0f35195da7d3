import PayloadSamples
import Testing

@testable import LoaderModel

@Suite struct ConstantTests {
    @Test(arguments: [
        (Machine.x86_64, "movl $17, %eax\nret"), (.x86_64, "endbr64\nmovl $17, %eax\nret"),
        (.x86_64, "push %rbp\nmov %rsp, %rbp\nmovl $17, %eax\npop %rbp\nret"), (.arm64, "mov w0, #17\nret"),
        (.arm64, "stp x29, x30, [sp, #-16]!\nmov x29, sp\nmov w0, #17\nret"), (.arm32, ".arch armv7-a\nmov r0, #17\nbx lr"),
    ])
    func areRead(machine: Machine, code: String) async throws {
        let file = try await assemble(".section .text.f, \"ax\", %progbits\n\(code)\n", for: machine)
        #expect(machine.architecture.returnedConstant(try text(of: file, machine)) == 17)
    }

    @Test(arguments: [(Machine.x86_64, "xor %eax, %eax\nret"), (.arm64, "ldr w0, [x1]\nret"), (.arm32, ".arch armv7-a\nldr r0, [r1]\nbx lr")])
    func areNotGuessed(machine: Machine, code: String) async throws {
        let file = try await assemble(".section .text.f, \"ax\", %progbits\n\(code)\n", for: machine)
        #expect(machine.architecture.returnedConstant(try text(of: file, machine)) == nil)
        #expect(machine.architecture.returnedConstant([]) == nil)
    }

    private func text(of bytes: [UInt8], _ machine: Machine) throws -> ArraySlice<UInt8> {
        let file = RawELF(bytes: bytes, elfClass: machine.architecture.elfClass)
        let place = try header(bytes, machine) { $0.name == ".text.f" }
        let section = try #require(file.section(at: place))
        return try #require(file.contents(section))
    }
}

@Suite struct TrampolineTests {
    /// The assembler's own jump, over a distance both ways.
    @Test(arguments: Machine.allCases, [Int64(0x1000), -0x1000]) func areTheAssemblersJumps(machine: Machine, distance: Int64) async throws {
        let (jump, arch) = machine == .x86_64 ? ("jmp", "") : ("b", machine == .arm32 ? ".arch armv7-a\n" : "")
        let source = "\(arch).section .text.f, \"ax\", %progbits\n\(jump) . + (\(distance))\n.skip 4\n"
        let bytes = try await assemble(source, for: machine)
        let file = RawELF(bytes: bytes, elfClass: machine.architecture.elfClass)
        let section = try #require(file.section(at: try header(bytes, machine) { $0.name == ".text.f" }))
        let code = try #require(file.contents(section))
        let made = machine.architecture.trampoline(at: 0x40_0000, to: UInt64(Int64(0x40_0000) + distance))
        #expect(Array(code.prefix(made.count)) == made)
    }
}
