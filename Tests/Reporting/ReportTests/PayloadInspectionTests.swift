import Diagnostics
import ELFModel
import Report
import Testing
import XenSource
import XenVersions

@Suite struct PayloadInspectionTests {
    /// A payload of format livepatch v2 with one replaced function, made by hand.
    static func payload() -> ELFFile {
        let abi = PayloadABI.livepatchV2
        var entry = [UInt8](repeating: 0, count: FunctionEntry.Layout(abi, pointerSize: 8).size)
        entry.replaceSubrange(24..<32, with: [0x2a, 0, 0, 0, 0x2b, 1, 0, 0])
        entry[32] = 2
        let alloc = ELF.SectionFlag.alloc
        return ELFFile(
            header: ELFHeader(elfClass: .bits64, byteOrder: .little, type: 1, machine: ELF.Machine.x86_64),
            sections: [
                ELFSection(name: "", type: 0),
                ELFSection(
                    name: ".text.f", type: 1, flags: alloc | ELF.SectionFlag.execinstr, data: [0x90, 0xc3]),
                ELFSection(name: abi.stringsSection, type: 1, flags: alloc, data: Array("g\0f\0".utf8)),
                ELFSection(
                    name: abi.functionsSection, type: 1, flags: alloc | ELF.SectionFlag.write, alignment: 8, data: entry),
                ELFSection(
                    name: ".rela" + abi.functionsSection, type: ELF.SectionType.rela, info: 3,
                    relocations: [
                        ELFRelocation(offset: 0, type: 1, symbol: 2, addend: 2),
                        ELFRelocation(offset: 8, type: 1, symbol: 1),
                    ]),
                ELFSection(
                    name: abi.dependsSection, type: ELF.SectionType.note, flags: alloc, alignment: 4,
                    data: BuildIDNote.serialise([0xab, 0x01])),
                ELFSection(name: abi.hooksPrefix + "load", type: 1, flags: alloc, data: [UInt8](repeating: 0, count: 8)),
                ELFSection(
                    name: ".rela.hooks", type: ELF.SectionType.rela, info: 6,
                    relocations: [ELFRelocation(offset: 0, type: 1, symbol: 3)]),
            ],
            symbols: [
                ELFSymbol(name: ""),
                ELFSymbol(name: "f", size: 2, type: 2, place: .section(1)),
                ELFSymbol(name: "", type: 3, place: .section(2)),
                ELFSymbol(name: "hook", type: 2, binding: 1),
            ])
    }

    @Test func readsWhatThePayloadSays() throws {
        let found = try PayloadInspection(Self.payload(), file: "f.livepatch") { $0 == 1 ? "R_X86_64_64" : nil }
        #expect(found.format == "livepatch v2")
        #expect(found.depends == "ab01")
        #expect(found.buildID == nil && found.xenDepends == nil)
        #expect(found.functions.map(\.name) == ["f"])
        #expect(found.functions.map(\.oldSize) == [299] && found.functions.map(\.newSize) == [42])
        #expect(found.functions.map(\.replacement) == ["f"])
        #expect(found.hooks.map(\.name) == ["load"] && found.hooks.map(\.functions) == [["hook"]])
        #expect(found.undefinedSymbols == ["hook"])
        #expect(found.relocations.map(\.count) == [2, 1])
        #expect(found.relocations.allSatisfy { $0.type == "R_X86_64_64" })
        #expect(found.sections.first?.flags == "AX")
    }

    @Test func textNamesEverything() throws {
        let found = try PayloadInspection(Self.payload(), file: "f.livepatch")
        let text = ListingText.render(found, style: TextStyle())
        for part in ["livepatch v2 payload", "f  299 → 42 bytes, by f", "load: hook", "type 1", "undefined symbols: 1"] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test func theProcessorIsNamedWhereItIsKnown() throws {
        let found = try PayloadInspection(Self.payload(), file: "f.livepatch", architecture: "arm64")
        #expect(ListingText.render(found, style: TextStyle()).hasPrefix("f.livepatch: livepatch v2 payload for arm64\n"))
        #expect(try JSONText.encode(found).contains(#""architecture" : "arm64""#))
    }

    /// ARM's mapping symbols lie where functions begin.
    @Test func aFunctionOutranksOtherSymbolsOfItsPlace() throws {
        var file = Self.payload()
        file.symbols[1] = ELFSymbol(name: "$x", place: .section(1))
        file.symbols += [ELFSymbol(name: "f", size: 2, type: 2, place: .section(1)), ELFSymbol(name: "", type: 3, place: .section(1))]
        file.sections[4].relocations[1].symbol = 5
        #expect(try PayloadInspection(file, file: "f").functions.map(\.replacement) == ["f"])
    }

    @Test func addendsOfRelTablesAreInThePlace() throws {
        var file = Self.payload()
        file.sections[4].type = ELF.SectionType.rel
        file.sections[4].relocations[0].addend = 0
        file.sections[3].data[0] = 2
        #expect(try PayloadInspection(file, file: "f").functions.map(\.name) == ["f"])
    }

    @Test func damageIsRefusedOrLeftOut() throws {
        // One that only has hooks is a payload as well.
        var other = Self.payload()
        other.sections[3].name = ".data"
        #expect(try PayloadInspection(other, file: "f").functions.isEmpty)
        for index in other.sections.indices where other.sections[index].name.hasPrefix(".livepatch.hooks.") { other.sections[index].name = ".data" }
        #expect(throws: InputError.self) { try PayloadInspection(other, file: "f") }

        var short = Self.payload()
        short.sections[3].data.removeLast()
        #expect(throws: InputError.self) { try PayloadInspection(short, file: "f") }

        // Indices and offsets that lead nowhere.
        var wild = Self.payload()
        wild.sections[4].relocations = [
            ELFRelocation(offset: 0, type: 1, symbol: 2, addend: Int64.max),
            ELFRelocation(offset: 8, type: 1, symbol: 999),
            ELFRelocation(offset: UInt64.max, type: 1, symbol: -1),
        ]
        wild.sections[7].info = 77
        wild.sections[5].data = [4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0]
        let found = try PayloadInspection(wild, file: "f")
        #expect(found.functions.map(\.name) == ["?"])
        #expect(found.functions.map(\.replacement) == [nil])
        #expect(found.depends == nil)
    }
}
