import Diagnostics
import ELFModel
import SystemPackage
import TestTools
import Testing
import WorkFiles

@Suite struct ELFFileTests {
    static let source = """
        static int counter = 4; extern int other(const char *); const char *const words[] = { "a", "b" };
        int zero[100]; static int helper(void) { return counter++; }
        int f(int x) { return other(words[x]) + helper() + zero[x]; }
        """

    static func compile(_ arguments: [String] = [], in folder: FilePath) async throws -> FilePath {
        _ = try write(source, to: "a.c", in: folder)
        try await run("gcc", ["-O1", "-c", "a.c", "-o", "a.o", "-fno-inline", "-ffunction-sections"] + arguments, in: folder)
        return folder.appending("a.o")
    }

    @Test func readsSectionsSymbolsAndRelocations() async throws {
        try await withTemporaryFolder { folder in
            let file = try ELFFile.read(try await Self.compile(in: folder))
            #expect(file.header.type == ELF.FileType.relocatable)
            #expect(file.header.machine == ELF.Machine.x86_64)
            let f = try #require(file.symbols.first { $0.name == "f" })
            #expect(f.isFunction && !f.isLocal && f.size > 0)
            let section = try #require(f.sectionIndex)
            #expect(file.sections[section].name == ".text.f")
            let relocations = try #require(file.sections.first { $0.name == ".rela.text.f" })
            #expect(relocations.relocations.contains { file.symbols[$0.symbol].name == "other" })
            #expect(file.sections.contains { $0.isZeroFilled && $0.size >= 400 })
        }
    }

    @Test func writesBackWhatReadelfCallsEqual() async throws {
        try await withTemporaryFolder { folder in
            let path = try await Self.compile(["-g"], in: folder)
            let file = try ELFFile.read(path)
            let copy = folder.appending("b.o")
            try WorkFiles.write(try file.serialised(name: "b.o"), to: copy)
            #expect(Self.withoutTableSizes(try ELFFile.read(copy)) == Self.withoutTableSizes(file))
            #expect(try await Readelf.report(on: copy) == Readelf.report(on: path))
        }
    }

    /// The writer stores each name once, the assembler also shares the ends of names.
    static func withoutTableSizes(_ file: ELFFile) -> ELFFile {
        var copy = file
        for index in copy.sections.indices where copy.sections[index].type == ELF.SectionType.strtab { copy.sections[index].size = 0 }
        return copy
    }

    /// To Swift, two spellings of one letter are one text. Names in ELF files are bytes.
    @Test func namesThatCouldBeMistakenForOthersAreRefused() async throws {
        try await withTemporaryFolder { folder in
            func read(_ name: String) async throws -> ELFFile {
                _ = try await Self.compile(in: folder)
                try await run("objcopy", ["--redefine-sym", "other=\(name)", "a.o", "b.o"], in: folder)
                return try ELFFile.read(folder.appending("b.o"))
            }
            for name in ["caf\u{e9}", "\u{443}\u{437}\u{43b}", "\u{4e2d}"] { #expect(try await read(name).symbols.contains { $0.name == name }) }
            // Composed from two, another letter's sign, a line's end of two characters.
            for name in ["cafe\u{301}", "\u{212b}", "\u{1100}\u{1161}", "a\r\nb", "\u{f7c3}"] {
                await #expect(throws: InputError.self, "\(name)") { _ = try await read(name) }
            }
            let bytes = try WorkFiles.read(folder.appending("a.o"))
            let place = try #require(bytes.firstRange(of: Array("other\0".utf8)))
            #expect(throws: InputError.self) { _ = try ELFFile(bytes: bytes[..<place.lowerBound] + [0xc3] + bytes[(place.lowerBound + 1)...], name: "x") }
        }
    }

    @Test func differentNamesAreDifferentTexts() {
        let names: [[UInt8]] = [
            Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8), [0xc3], [0xc4], [0xff], Array("\u{f7c3}".utf8), Array("\u{212b}".utf8), Array("\u{c5}".utf8),
            [13],
            [13, 10], Array("\u{fffd}".utf8),
        ]
        #expect(Set(names.map { SymbolName($0[...]).distinctText }).count == names.count)
        #expect(SymbolName("plain").distinctText == "plain" && SymbolName("caf\u{e9}").comparableText == "caf\u{e9}")
    }

    @Test func theSameValueGivesTheSameBytes() async throws {
        try await withTemporaryFolder { folder in
            let file = try ELFFile.read(try await Self.compile(in: folder))
            #expect(try file.serialised(name: "x") == file.serialised(name: "x"))
        }
    }

    @Test func aGapThatNoDeviceHoldsIsNotWritten() async throws {
        try await withTemporaryFolder { folder in
            var file = try ELFFile.read(try await Self.compile(in: folder))
            file.sections[2].alignment = 1 << 39
            let error = #expect(throws: ELFWritingError.self) { try file.serialised(name: "x") }
            #expect(error?.message.contains("cannot be written: it would have") == true)
        }
    }

    @Test func whatIsNoELFFileIsRefusedByName() throws {
        for bytes in [[], Array("hello".utf8), [0x7f, 0x45, 0x4c, 0x46], [0x7f, 0x45, 0x4c, 0x46] + Array(repeating: 0, count: 80)] {
            let error = #expect(throws: InputError.self) { try ELFFile(bytes: bytes, name: "the-file") }
            #expect(error?.message.hasPrefix("the-file: ") == true)
        }
        for path: FilePath in ["/nonexistent/file.o", "/tmp", "/dev/zero"] {
            let error = #expect(throws: InputError.self) { try ELFFile.read(path) }
            #expect(error?.message.hasPrefix(path.string) == true)
        }
    }

    @Test("a name beyond any use is refused: many symbols may share it") func longNames() async throws {
        try await withTemporaryFolder { folder in
            let file = try ELFFile.read(try await Self.compile(in: folder))
            let symbol = try #require(file.symbols.firstIndex { $0.name == "f" })
            let section = try #require(file.sections.firstIndex { $0.name == ".text.f" })
            let longest = String(repeating: "n", count: 4096)
            var good = file
            good.symbols[symbol].name = longest
            good.sections[section].name = longest
            let read = try ELFFile(bytes: try good.serialised(name: "x"), name: "x")
            #expect(read.symbols[symbol].name == longest && read.sections[section].name == longest)
            var bad = [good, good]
            bad[0].symbols[symbol].name += "n"
            bad[1].sections[section].name += "n"
            for (file, owner) in zip(bad, ["symbol \(symbol)", "section \(section)"]) {
                let bytes = try file.serialised(name: "x")
                let error = #expect(throws: InputError.self) { try ELFFile(bytes: bytes, name: "the-file") }
                #expect(error?.message == "the-file: \(owner) has a name of more than 4,096 bytes")
            }
        }
    }

    @Test func everyTruncationIsAnErrorOrAFile() async throws {
        try await withTemporaryFolder { folder in
            let whole = try WorkFiles.read(try await Self.compile(in: folder))
            for length in stride(from: 0, to: whole.count, by: 7) {
                #expect(throws: InputError.self) { try ELFFile(bytes: Array(whole[..<length]), name: "cut") }
            }
        }
    }

    @Test func damagedBytesNeverTrap() async throws {
        try await withTemporaryFolder { folder in
            let whole = try WorkFiles.read(try await Self.compile(in: folder))
            var random = SystemRandomNumberGenerator.seeded(7)
            var accepted = 0
            for _ in 0..<3_000 {
                var damaged = whole
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if let file = try? ELFFile(bytes: damaged, name: "damaged") {
                    accepted += 1
                    _ = try? file.serialised(name: "damaged")
                }
            }
            #expect(accepted > 0)
        }
    }
}

/// A small generator with a seed: failures can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

extension SystemRandomNumberGenerator {
    static func seeded(_ seed: UInt64) -> SeededGenerator { SeededGenerator(state: seed) }
}
