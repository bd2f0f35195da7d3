import ELFModel
import Testing

@Suite struct NamedLocalsTests {
    @Test func theListIsAssembly() {
        #expect(
            NamedLocals.assembly(for: ["count.0", "odd name", "3rd"])
                == "\n\t.section .xsplice.named_locals,\"\",%progbits\n\t.globl count.0\n\t.asciz \"count.0\"\n")
    }

    @Test func listedSymbolsAreLocalAgain() {
        let symbols = [
            ELFSymbol(name: ""), ELFSymbol(name: "count.0", binding: ELF.Binding.global, place: .section(1)),
            ELFSymbol(name: "exported", binding: ELF.Binding.global, place: .section(1)),
            ELFSymbol(name: "elsewhere", binding: ELF.Binding.global, place: .undefined),
        ]
        let file = ELFFile(
            header: ELFHeader(elfClass: .bits64, byteOrder: .little, type: ELF.FileType.relocatable, machine: 62),
            sections: [
                ELFSection(name: "", type: ELF.SectionType.null), ELFSection(name: ".data", type: ELF.SectionType.progbits, data: [0]),
                ELFSection(name: NamedLocals.section, type: ELF.SectionType.progbits, data: Array("count.0\0elsewhere\0".utf8)),
            ], symbols: symbols)
        #expect(file.withLocalsRestored().symbols.map(\.binding) == [0, ELF.Binding.local, ELF.Binding.global, ELF.Binding.global])
    }
}
