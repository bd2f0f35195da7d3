import DebugInfo
import Diagnostics
import SystemPackage
import TestTools
import Testing

/// Which line a machine instruction came from, held against addr2line.
@Suite struct SourceLinesTests {
    private static let source = """
        extern void use(int);
        static inline int twice(int x)
        {
            return x * 1000003;
        }
        void f(int x)
        {
            use(x + 1);
            use(twice(x));
        }
        void g(int x)
        {
            if ( x > 3 )
                use(x);
        }
        """

    private func object(_ flags: [String], in folder: FilePath) async throws -> FilePath {
        let file = try write(Self.source, to: "lines.c", in: folder), object = folder.appending("lines.o")
        try await run("gcc", flags + ["-O2", "-ffunction-sections", "-c", file.lastComponent?.string ?? "", "-o", object.string], in: folder)
        return object
    }

    @Test(arguments: [["-g"], ["-gdwarf-4"], ["-g", "-gz"]]) func agreesWithAddr2line(flags: [String]) async throws {
        try await withTemporaryFolder { folder in
            let object = try await object(flags, in: folder)
            let functions = try DebugInfo.read(object).functions
            var seen = 0
            for name in ["f", "g"] {
                let entry = try #require(functions.first { $0.name == name }?.entry)
                let places = (0..<Int(entry.size)).map { SourceLines.Place(section: entry.section, offset: Int(entry.offset) + $0) }
                let found = try SourceLines.read(object, for: Set(places))
                let offsets = places.map { "0x" + String($0.offset, radix: 16) }
                let other = try await run("addr2line", ["-e", object.string, "-j", ".text.\(name)"] + offsets).split(separator: "\n")
                #expect(other.count == places.count)
                for (place, line) in zip(places, other) {
                    // `/tmp/…/lines.c:8 (discriminator 1)`
                    let number = line.split(separator: ":").last?.split(separator: " ").first.flatMap { Int($0) }
                    #expect(found[place]?.line == number, "\(name)+\(place.offset): \(line)")
                    if found[place] != nil { seen += 1 }
                }
                #expect(found.values.allSatisfy { $0.file == "lines.c" })
            }
            #expect(seen > 20)
        }
    }

    @Test func nothingIsKnownOfOtherPlaces() async throws {
        try await withTemporaryFolder { folder in
            let object = try await object(["-g"], in: folder)
            #expect(try SourceLines.read(object, for: [.init(section: 1, offset: 1 << 20), .init(section: 9_999, offset: 0)]).isEmpty)
            let bare = try await self.object(["-g0"], in: folder)
            #expect(try SourceLines.read(bare, for: [.init(section: 1, offset: 0)]).isEmpty)
        }
    }
}
