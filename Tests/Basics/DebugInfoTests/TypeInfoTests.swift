import DebugInfo
import Diagnostics
import SystemPackage
import TestTools
import Testing
import WorkFiles

private let source = """
    typedef unsigned char u8; typedef unsigned int u32;
    struct list { struct list *next, *prev; };
    typedef struct { int counter; } atomic_t;
    enum color { RED, GREEN = 5, BLUE = -1 };
    enum { ANON_A, ANON_B = 200 };
    struct dom;
    struct big {
        u32 a:3, b:5; const char *name; u8 raw[16]; struct list l;
        struct { int val; struct dom *d; } td;
        union { long x; u8 y; };
        struct { int q; } slots[4];
        void (*fn)(struct big *, int, ...); int (*arr)[3]; atomic_t cnt; enum color c;
        struct { int z; } *pz; char *const cp; u8 grid[2][3]; u8 flex[];
    };
    static struct { int s1; struct list sl; } state;
    extern struct big extbig;
    static inline int inl(struct list *p) { struct big *b = (void *)p; return b->a; }
    int f(int i) { enum local { LA, LB } e = i; struct loc { int x[4]; } l = { { e } }; state.s1++; return l.x[i] + extbig.c; }
    int g(struct dom *d) { struct list *p = (void *)d; return inl(p); }
    u32 h(u32 x) { atomic_t t = { x }; static struct list here; here.prev = here.next + x; here.next = here.prev; return t.counter + ANON_B + (here.next != 0); }
    """

private func types<R>(
    of text: String = source, _ options: [String] = ["-g", "-O2"], withUses: Bool = true, _ body: (TypeInfo) throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder in
        try await run("mkdir", ["common"], in: folder)
        _ = try write(text, to: "common/sample.c", in: folder)
        try await run("gcc", options + ["-c", "common/sample.c", "-o", "sample.o"], in: folder)
        return try body(try TypeInfo.read(folder.appending("sample.o"), withUses: withUses))
    }
}

extension TypeInfo {
    fileprivate func definition(_ spelling: String) throws -> Definition {
        let found = definitions.filter { $0.spelling == spelling && $0.isComplete }
        return try #require(found.count == 1 ? found.first : nil, "\(spelling): \(definitions.map(\.spelling))")
    }

    fileprivate func names(_ indices: [Int]) -> [String] { indices.map { definitions[$0].spelling }.sorted() }

    fileprivate func function(_ name: String) throws -> FunctionUse {
        try #require(functions.first { $0.name == name }, "\(functions.map(\.name))")
    }
}

@Suite struct TypeInfoTests {
    @Test(arguments: [["-g", "-O2"], ["-gdwarf-4", "-O2"], ["-gdwarf-2", "-gstrict-dwarf", "-O0"], ["-g", "-O0", "-gz"]])
    func members(options: [String]) async throws {
        try await types(options) { types in
            let big = try types.definition("struct big")
            #expect(big.kind == .structure && big.size == 136)
            #expect(big.declaration?.description == "common/sample.c:7")
            let rows = big.members.map { "\($0.name) \($0.bitOffset) \($0.bitSize.map { String($0) } ?? "-") \($0.type)" }
            #expect(
                rows == [
                    "a 0 3 u32", "b 3 5 u32", "name 64 64 const char *", "raw 128 128 u8[16]", "l 256 128 struct list",
                    "td.val 384 32 int", "td.d 448 64 struct dom *", "x 512 64 long int", "y 512 8 u8",
                    "slots 576 128 struct {…}[4]", "slots[].q 576 32 int", "fn 704 64 void (*)(struct big *, int, ...)",
                    "arr 768 64 int (*)[3]", "cnt 832 32 atomic_t", "c 864 32 enum color", "pz 896 64 struct {…} *",
                    "cp 960 64 char *const", "grid 1024 48 u8[2][3]", "flex 1072 - u8[]",
                ])
            #expect(big.members.filter(\.isBitField).map(\.name) == ["a", "b"])
        }
    }

    @Test func canonicalTypesKnowNoTypedef() async throws {
        try await types { types in
            let big = try types.definition("struct big")
            let found = Dictionary(uniqueKeysWithValues: big.members.map { ($0.name, $0.canonicalType) })
            #expect(found["raw"] == "unsigned char[16]")
            #expect(found["name"] == "char *" && found["cp"] == "char *")
            #expect(found["cnt"] == "atomic_t")
        }
    }

    @Test func membersLeadToTheirTypes() async throws {
        try await types { types in
            let big = try types.definition("struct big")
            func member(_ name: String) throws -> TypeInfo.Member { try #require(big.members.first { $0.name == name }) }
            #expect(types.names([try #require(member("l").holds)]) == ["struct list"])
            #expect(types.names([try #require(member("cnt").holds)]) == ["atomic_t"])
            let dom = types.definitions[try #require(member("td.d").pointsTo)]
            #expect(dom.spelling == "struct dom" && !dom.isComplete)
            #expect(try types.definition("struct {…} big.pz").members.map(\.name) == ["z"])
            #expect(try member("fn").pointsTo == nil)
        }
    }

    @Test func enumsAndTypesWithoutNames() async throws {
        try await types { types in
            #expect(
                try types.definition("enum color").enumerators
                    == [.init(name: "RED", value: 0), .init(name: "GREEN", value: 5), .init(name: "BLUE", value: -1)])
            #expect(try types.definition("enum {ANON_A, …}").enumerators.map(\.value) == [0, 200])
            let state = try types.definition("struct {…} state")
            #expect(state.members.map(\.name) == ["s1", "sl"] && state.key.naming == .variable)
            #expect(try types.definition("struct loc").key.scope == ["f"])
            #expect(try types.definition("enum local").key.scope == ["f"])
        }
    }

    @Test(arguments: [["-g", "-O2"], ["-gdwarf-4", "-O2"], ["-g", "-O0"]])
    func usersOfTypes(options: [String]) async throws {
        try await types(options) { types in
            let g = try types.function("g")
            // Also what the function inlined into it uses.
            #expect(types.names(g.pointsTo).contains("struct list") && types.names(g.pointsTo).contains("struct dom"))
            if options.contains("-O2") { #expect(types.names(g.pointsTo).contains("struct big")) }
            #expect(types.names(try types.function("h").holds) == ["atomic_t", "struct list"])
            #expect(types.names(try types.function("f").holds).contains("struct loc"))
            #expect(!types.functions.contains { $0.name == "inl" } || options.contains("-O0"))

            let variables = types.variables.filter { $0.name == "extbig" || $0.name == "here" || $0.name == "state" }
            #expect(
                variables.map { "\($0.name) \($0.enclosingFunction ?? "-") \(types.names($0.holds.map { [$0] } ?? []))" }.sorted()
                    == ["extbig - [\"struct big\"]", "here h [\"struct list\"]", "state - [\"struct {…} state\"]"])
        }
    }

    @Test func definitionsAloneAreTheSame() async throws {
        let whole = try await types { $0.definitions.filter(\.isComplete) }
        let alone = try await types(withUses: false) { types in
            #expect(types.functions.isEmpty && types.variables.isEmpty)
            return types.definitions.filter(\.isComplete)
        }
        #expect(alone.map(\.key) == whole.map(\.key))
        #expect(alone.map { $0.members.map(\.bitOffset) } == whole.map { $0.members.map(\.bitOffset) })
    }

    @Test func objectsOf32Bits() async throws {
        try await types(["-g", "-O2", "-m32"]) { types in
            #expect(try types.definition("struct list").size == 8)
            let big = try types.definition("struct big")
            #expect(big.members.first { $0.name == "fn" }?.bitSize == 32)
            let f = try types.function("f")
            #expect(!f.holds.isEmpty)
        }
    }

    @Test func anObjectWithoutDebugInfo() async throws {
        try await types([]) { #expect($0 == TypeInfo(gaps: [.everything])) }
    }

    /// Whatever a file holds, reading ends with a value or an error.
    @Test(arguments: ["-gdwarf-4", "-gdwarf-5"]) func overwritten(version: String) async throws {
        try await withTemporaryFolder { folder in
            let file = try write(source, to: "a.c", in: folder)
            try await run("gcc", [version, "-O2", "-c", file.string, "-o", "a.o"], in: folder)
            let good = try WorkFiles.read(folder.appending("a.o"))
            let broken = folder.appending("broken.o")
            var refused = 0
            var random = Repeatable(state: 0x9876_5432)
            for _ in 0..<1500 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                try WorkFiles.write(bytes, to: broken)
                do { _ = try TypeInfo.read(broken, withUses: true) } catch { refused += 1 }
            }
            #expect(refused > 0)
        }
    }

    /// Written by hand, as no compiler makes them: a typedef of itself, a structure that lies in itself.
    @Test func typesThatGoRoundInCircles() async throws {
        let assembly = """
            .section .debug_abbrev,"",@progbits
            .uleb128 1; .uleb128 0x11; .byte 1; .uleb128 3; .uleb128 8; .uleb128 0; .uleb128 0
            .uleb128 2; .uleb128 0x16; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x49; .uleb128 0x13; .uleb128 0; .uleb128 0
            .uleb128 3; .uleb128 0x13; .byte 1; .uleb128 0xb; .uleb128 0xb; .uleb128 0; .uleb128 0
            .uleb128 4; .uleb128 0xd; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x49; .uleb128 0x13; .uleb128 0x38; .uleb128 0xb; .uleb128 0; .uleb128 0
            .uleb128 5; .uleb128 0x34; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x49; .uleb128 0x13; .uleb128 0; .uleb128 0
            .byte 0
            .section .debug_info,"",@progbits
            .Lcu: .long .Lend - .Lversion
            .Lversion: .short 4; .long .debug_abbrev; .byte 8
            .uleb128 1; .asciz "circles.c"
            .Ltypedef: .uleb128 2; .asciz "again"; .long .Ltypedef - .Lcu
            .Lstruct: .uleb128 3; .byte 8
              .uleb128 4; .asciz "inner"; .long .Lstruct - .Lcu; .byte 0
              .byte 0
            .uleb128 5; .asciz "v"; .long .Lstruct - .Lcu
            .uleb128 5; .asciz "w"; .long .Ltypedef - .Lcu
            .byte 0
            .Lend:

            """
        try await withTemporaryFolder { folder in
            _ = try write(assembly, to: "c.s", in: folder)
            try await run("gcc", ["-c", "c.s", "-o", "c.o"], in: folder)
            #expect(throws: InputError.self) { try TypeInfo.read(folder.appending("c.o"), withUses: true) }
            let straight = assembly.replacing(".uleb128 4; .asciz \"inner\"; .long .Lstruct", with: ".uleb128 4; .asciz \"inner\"; .long .Ltypedef")
            _ = try write(straight, to: "d.s", in: folder)
            try await run("gcc", ["-c", "d.s", "-o", "d.o"], in: folder)
            let types = try TypeInfo.read(folder.appending("d.o"), withUses: true)
            #expect(types.definitions.map(\.spelling) == ["struct {…} v"])
            #expect(types.definitions[0].members.map(\.canonicalType) == ["…"])
        }
    }

    /// Written by hand, as compilers leave it to other tools to move what units have in common into a partial unit.
    @Test(arguments: [4, 5]) func typesOfAPartialUnit(version: Int) async throws {
        let header = { (kind: Int) in
            version == 4 ? ".short 4; .long .debug_abbrev; .byte 8" : ".short 5; .byte \(kind); .byte 8; .long .debug_abbrev"
        }
        let assembly = """
            .section .debug_abbrev,"",@progbits
            .uleb128 1; .uleb128 0x11; .byte 1; .uleb128 3; .uleb128 8; .uleb128 0; .uleb128 0
            .uleb128 2; .uleb128 0x3c; .byte 1; .uleb128 0; .uleb128 0
            .uleb128 3; .uleb128 0x13; .byte 1; .uleb128 3; .uleb128 8; .uleb128 0xb; .uleb128 0xb; .uleb128 0; .uleb128 0
            .uleb128 4; .uleb128 0xd; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x49; .uleb128 0x13; .uleb128 0x38; .uleb128 0xb; .uleb128 0; .uleb128 0
            .uleb128 5; .uleb128 0x24; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x3e; .uleb128 0xb; .uleb128 0xb; .uleb128 0xb; .uleb128 0; .uleb128 0
            .uleb128 6; .uleb128 0x34; .byte 0; .uleb128 3; .uleb128 8; .uleb128 0x49; .uleb128 0x10; .uleb128 0; .uleb128 0
            .byte 0
            .section .debug_info,"",@progbits
            .Lpartial: .long .Lend1 - .Lversion1
            .Lversion1: \(header(3))
            .uleb128 2
            .Lint: .uleb128 5; .asciz "int"; .byte 5; .byte 4
            .Lstruct: .uleb128 3; .asciz "shared"; .byte 4
              .uleb128 4; .asciz "m"; .long .Lint - .Lpartial; .byte 0
              .byte 0
            .byte 0
            .Lend1: .long .Lend2 - .Lversion2
            .Lversion2: \(header(1))
            .uleb128 1; .asciz "partial.c"
            .uleb128 6; .asciz "v"; .long .Lstruct
            .byte 0
            .Lend2:

            """
        try await withTemporaryFolder { folder in
            _ = try write(assembly, to: "p.s", in: folder)
            try await run("gcc", ["-c", "p.s", "-o", "p.o"], in: folder)
            let types = try TypeInfo.read(folder.appending("p.o"), withUses: true)
            #expect(types.gaps.isEmpty)
            #expect(types.definitions.map(\.spelling) == ["struct shared"] && types.definitions.first?.members.map(\.name) == ["m"])
            #expect(types.names(types.variables.compactMap(\.holds)) == ["struct shared"])
        }
    }

    /// Each type in a unit of its own, or in another file: the same types.
    @Test(arguments: [["-fdebug-types-section"], ["-fdebug-types-section", "-gdwarf-4"], ["-gsplit-dwarf"], ["-gdwarf64"], ["-gz=zlib-gnu"]])
    func whereverTheyAre(options: [String]) async throws {
        // Several units may declare a type that none defines.
        func summary(_ types: TypeInfo) -> Set<String> {
            let definitions = types.definitions.map { type in
                "\(type.spelling) \(type.size ?? 0) \(type.members.map { "\($0.name) \($0.bitOffset) \($0.type)" })"
            }
            return Set(definitions + types.functions.map { "\($0.name) \(types.names($0.holds)) \(types.names($0.pointsTo))" })
        }
        let plain = try await types { summary($0) }
        try await types(["-g", "-O2"] + options) { types in
            #expect(summary(types) == plain)
            #expect(types.gaps.isEmpty)
        }
    }
}
