import ELFModel
import Testing

@testable import XenRig

/// A function that counts in two static variables, `tv_1` and `tv_2`, and asks for `other`.
@Suite("the judge of random patches")
struct TortureJudgeTests {
    private static let header = ELFHeader(elfClass: .bits64, byteOrder: .little, type: ELF.FileType.relocatable, machine: ELF.Machine.x86_64)
    private static let null = ELFSection(name: "", type: 0)

    private static func section(_ name: String, _ flags: UInt64, _ data: [UInt8], zero: UInt64? = nil) -> ELFSection {
        ELFSection(
            name: name, type: zero == nil ? ELF.SectionType.progbits : ELF.SectionType.nobits, flags: ELF.SectionFlag.alloc | flags, size: zero, data: data)
    }

    private static func symbol(_ name: String, _ place: ELFSymbol.Place, size: UInt64 = 4, type: UInt8 = ELF.SymbolType.object) -> ELFSymbol {
        ELFSymbol(name: name, size: size, type: type, binding: ELF.Binding.global, place: place)
    }

    /// Three references, four bytes each, with distances from behind them.
    private static func relocations(_ symbols: [Int], to section: UInt32) -> ELFSection {
        ELFSection(
            name: ".rela.text.f", type: ELF.SectionType.rela, info: section,
            relocations: symbols.enumerated().map { ELFRelocation(offset: UInt64($0 * 8 + 4), type: 2, symbol: $1, addend: -4) })
    }

    private static let code = [UInt8](repeating: 0x90, count: 24)

    /// - Parameters:
    ///   - mark: a byte of the function.
    ///   - new: whether there is a third variable, which the function uses instead of the second.
    ///   - constant: the name of the first variable if it is a constant.
    private static func object(mark: UInt8, new: Bool = false, text: String = "text", constant: String? = nil) -> OracleObject {
        var code = code
        code[3] = mark
        let sections = [
            null, section(".text.f", ELF.SectionFlag.execinstr, code), section(".bss.tv_1", constant != nil ? 0 : ELF.SectionFlag.write, [], zero: 4),
            section(".bss.tv_2", ELF.SectionFlag.write, [], zero: 4), section(".bss.tv_3", ELF.SectionFlag.write, [], zero: 4),
            section(".rodata.str1.1", ELF.SectionFlag.merge | ELF.SectionFlag.strings, Array(text.utf8) + [0]),
            relocations([2, new ? 4 : 3, 5], to: 1),
        ]
        let symbols = [
            ELFSymbol(name: ""), symbol("f", .section(1), size: 24, type: ELF.SymbolType.function), symbol(constant ?? "tv_1", .section(2)),
            symbol("tv_2", .section(3)),
            symbol("tv_3", .section(4)), ELFSymbol(name: ".LC0", place: .section(5)),
        ]
        var file = ELFFile(header: header, sections: sections, symbols: symbols)
        if !new { file.symbols[4].place = .undefined }
        return OracleObject(file)
    }

    /// `f` at 0x1000, `n.0` at 0x2000, `n.1` at 0x2004.
    private static let hypervisor: HypervisorSymbols = {
        func local(_ name: String, _ address: UInt64) -> ELFSymbol { ELFSymbol(name: name, value: address, place: .section(1)) }
        let symbols = [
            ELFSymbol(name: ""), ELFSymbol(name: "common/a.c", type: ELF.SymbolType.file, place: .absolute), local("f", 0x1000), local("n.0", 0x2000),
            local("n.1", 0x2004),
        ]
        return HypervisorSymbols(ELFFile(header: header, sections: [null, section(".text", 0, [])], symbols: symbols))
    }()

    private static func judge(
        _ patched: OracleObject, twins: [String: String] = ["tv_1": "tv_1", "tv_2": "tv_2"], lookalikes: [String: Set<String>] = [:]
    ) -> TortureJudge {
        let names: [OracleObject.Place: String] = [
            .init(section: 1, offset: 0): "f", .init(section: 2, offset: 0): "n.0", .init(section: 3, offset: 0): "n.1",
        ]
        let file = TortureJudge.File(
            source: "common/a.c", diff: OracleDiff(original: object(mark: 1), patched: patched, twins: twins), plainNames: names, lookalikes: lookalikes)
        return TortureJudge(files: [file], hypervisor: hypervisor)
    }

    /// A payload that replaces `f` and refers to these names; `own` is the payload's own variable, `string` its string.
    private static func payload(_ references: [String], mark: UInt8 = 2, string: String = "text", change: (inout ELFFile) -> Void = { _ in }) -> TorturePayload
    {
        var code = code
        code[3] = mark
        var functions = [UInt8](repeating: 0, count: 104)
        functions.replaceSubrange(16..<24, with: ByteOrder.little.bytes(0x1000, count: 8))
        functions[24] = 24
        let names = ["common/a.c#n.0", "common/a.c#n.1", "own", "string"]
        var file = ELFFile(
            header: header,
            sections: [
                null, section(".text", ELF.SectionFlag.execinstr, code), section(".bss", ELF.SectionFlag.write, [], zero: 4),
                section(".rodata", 0, Array(string.utf8) + [0]), section(".livepatch.strings", 0, [0x66, 0]), section(".livepatch.funcs", 0, functions),
                relocations(references.map { (names.firstIndex(of: $0) ?? -1) + 1 }, to: 1),
                ELFSection(
                    name: ".rela.livepatch.funcs", type: ELF.SectionType.rela, info: 5,
                    relocations: [ELFRelocation(offset: 0, type: 1, symbol: 6), ELFRelocation(offset: 8, type: 1, symbol: 5)]),
            ],
            symbols: [
                ELFSymbol(name: ""), ELFSymbol(name: names[0]), ELFSymbol(name: names[1]), symbol("own", .section(2)), symbol("string", .section(3)),
                symbol("f", .section(1)), symbol("name", .section(4)),
            ])
        change(&file)
        return TorturePayload(file, for: hypervisor)
    }

    private let usual = ["common/a.c#n.0", "common/a.c#n.1", "string"]

    @Test("a payload that means what the compiler meant has no fault") func right() {
        #expect(Self.judge(Self.object(mark: 2)).faults(of: Self.payload(usual)) == [])
        #expect(Self.judge(Self.object(mark: 2)).mustChange)
        #expect(!Self.judge(Self.object(mark: 1)).mustChange)
    }

    @Test("two static variables of one name that are swapped are seen") func swapped() {
        let faults = Self.judge(Self.object(mark: 2)).faults(of: Self.payload(["common/a.c#n.1", "common/a.c#n.0", "string"]))
        #expect(faults.count == 2)
        #expect(faults.first == "f+4: tv_1 expected, but it leads to the hypervisor's common/a.c#n.1")
    }

    @Test("where two variables may have either storage, they have not the same") func sharedStorage() {
        let judge = Self.judge(Self.object(mark: 2), twins: ["tv_1": "tv_2", "tv_2": "tv_1"])
        #expect(judge.faults(of: Self.payload(usual)) == [])
        #expect(judge.faults(of: Self.payload(["common/a.c#n.1", "common/a.c#n.0", "string"])) == [])
        #expect(judge.faults(of: Self.payload(["common/a.c#n.1", "common/a.c#n.1", "string"])) == ["f+12: tv_2 has the storage of tv_1"])
    }

    @Test("what the text does not tell apart may be exchanged, if the program warns and the patch moves it") func lookalikes() {
        let alike: [String: Set<String>] = ["tv_1": ["tv_2"], "tv_2": ["tv_1"]]
        let exchanged = Self.payload(["common/a.c#n.1", "common/a.c#n.0", "string"])
        let moved = Self.judge(Self.object(mark: 2), twins: [:], lookalikes: alike)
        #expect(moved.faults(of: exchanged, saysMoved: true) == [])
        #expect(moved.faults(of: exchanged).count == 2)
        #expect(Self.judge(Self.object(mark: 2), twins: [:]).faults(of: exchanged, saysMoved: true).count == 2)
        #expect(Self.judge(Self.object(mark: 2), lookalikes: alike).faults(of: exchanged, saysMoved: true).count == 2)
        #expect(moved.faults(of: Self.payload(["common/a.c#n.1", "common/a.c#n.1", "string"]), saysMoved: true) == ["f+12: tv_2 has the storage of tv_1"])
    }

    @Test("what moves may have the storage of what stays in its line, if the program warns") func displaced() {
        let judge = Self.judge(Self.object(mark: 2), twins: ["tv_1": "tv_2"])
        let exchanged = Self.payload(["common/a.c#n.1", "common/a.c#n.0", "string"])
        #expect(judge.faults(of: exchanged, saysMoved: true) == [])
        #expect(judge.faults(of: exchanged).count == 1)
        #expect(judge.faults(of: Self.payload(["common/a.c#n.1", "common/a.c#n.1", "string"]), saysMoved: true) == ["f+12: tv_2 has the storage of tv_1"])
    }

    @Test("a function may be replaced, and need not be, if it refers to another constant with the same content") func otherConstant() {
        func changed(_ patched: OracleObject) -> (must: Set<String>, may: Set<String>) {
            let original = Self.object(mark: 1, constant: "tv_1"), stay = ["tv_1": "tv_1", "tv_2": "tv_2"]
            return TortureJudge.File(source: "common/a.c", diff: OracleDiff(original: original, patched: patched, twins: stay), plainNames: [:]).changed
        }
        #expect(changed(Self.object(mark: 1, constant: "tv_9")) == ([], ["f"]))
        #expect(changed(Self.object(mark: 1, constant: "tv_1")) == ([], []))
        #expect(changed(Self.object(mark: 2, constant: "tv_9")) == (["f"], []))
    }

    @Test("a function may be replaced, and need not be, if a variable that nobody writes becomes a constant") func newConstant() {
        func diff(_ patched: OracleObject) -> OracleDiff { OracleDiff(original: Self.object(mark: 1), patched: patched) }
        #expect(diff(Self.object(mark: 1, constant: "tv_1")).difference(of: "f") == .onlyStorage)
        #expect(diff(Self.object(mark: 2, constant: "tv_1")).difference(of: "f") == .content("other bytes"))
        #expect(diff(Self.object(mark: 1)).difference(of: "f") == .none)
    }

    @Test("a distance that is wrong is seen") func distance() throws {
        let right = Self.payload(usual)
        let broken = try #require(right.file.withOneReferenceMoved).file
        #expect(!Self.judge(Self.object(mark: 2)).faults(of: TorturePayload(broken, for: Self.hypervisor)).isEmpty)
    }

    @Test("a new variable is the payload's own, and one that stays is not")
    func storage() {
        let own = ["common/a.c#n.0", "own", "string"]
        #expect(Self.judge(Self.object(mark: 2, new: true)).faults(of: Self.payload(own)) == [])
        #expect(Self.judge(Self.object(mark: 2, new: true)).faults(of: Self.payload(usual)).count == 1)
        #expect(Self.judge(Self.object(mark: 2)).faults(of: Self.payload(own)).count == 1)
        let past = Self.payload(own) { $0.sections[6].relocations[1].addend += 2 }
        #expect(Self.judge(Self.object(mark: 2, new: true)).faults(of: past) == ["tv_3: 4 bytes go past the end of its section"])
        // The patch took the declaration away and put it back: nothing says that it is the same variable.
        #expect(Self.judge(Self.object(mark: 2), twins: ["tv_1": "tv_1"]).faults(of: Self.payload(own)) == [])
    }

    @Test("other code, another string, a missing reference, a missing function")
    func contents() {
        let judge = Self.judge(Self.object(mark: 2))
        #expect(judge.faults(of: Self.payload(usual, mark: 3)) == ["f: other bytes than the compiler's"])
        #expect(judge.faults(of: Self.payload(usual, string: "tent")) == ["a constant: other bytes than the compiler's"])
        #expect(judge.faults(of: Self.payload(usual) { $0.sections[6].relocations.removeLast() }).count == 1)
        #expect(judge.faults(of: Self.payload(usual) { $0.sections[7].relocations = [] }).count == 1)
        #expect(Self.judge(Self.object(mark: 1)).faults(of: Self.payload(usual, mark: 1)) == ["common/a.c: f is replaced and does not differ"])
        #expect(Self.judge(Self.object(mark: 1, text: "other")).mustChange)
    }
}
