import SystemPackage
import TestTools
import Testing

@testable import DebugInfo

/// One source with each case that matters, compiled for every test anew with other options.
private let source = """
    #include "inner.h"
    int visible = 3;
    static long hidden __attribute__((used)) = 4;
    extern int elsewhere;
    extern int table[];
    int table[5] = { 1 };

    static inline int counted(void)
    {
        static int count;
        return ++count;
    }

    __attribute__((noinline)) int blocks(int x)
    {
        static int outer;
        outer += x;
        if (x > 1) {
            static short first;
            first += x;
            outer += first;
        }
        if (x > 2) {
            int y = x * 2;
            static char second[7];
            { static int deep; deep += y; second[x & 3] += deep; }
            outer += second[0];
        }
        return outer + elsewhere;
    }

    int one(void) { return counted() + blocks(1); }
    int two(void) { return counted() + hidden; }

    void die(const char *) __attribute__((noreturn, cold));
    int unlikely(int x)
    {
        if (__builtin_expect(x == 77, 0)) { hidden = table[2]; die("seventy-seven"); }
        return x + visible;
    }
    """

private let header = """
    static inline int in_header(int x)
    {
        static int header_static;
        return header_static += x;
    }
    int from_header(int x) { return in_header(x); }
    """

private func compiled<R>(
    _ options: [String], text: String = source, _ body: (DebugInfo, FilePath) throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder in
        try await run("mkdir", ["-p", "common", "include"], in: folder)
        _ = try write(text, to: "common/sample.c", in: folder)
        _ = try write(header, to: "include/inner.h", in: folder)
        try await run("gcc", ["-I./include", "-c", "common/sample.c", "-o", "sample.o"] + options, in: folder)
        let object = folder.appending("sample.o")
        return try body(try DebugInfo.read(object), object)
    }
}

extension DebugInfo {
    fileprivate func variable(_ name: String) throws -> Variable {
        let matches = variables.filter { $0.name == name }
        return try #require(matches.count == 1 ? matches.first : nil, "\(name): \(matches.count) variables")
    }

    fileprivate func function(_ name: String) throws -> Function {
        let matches = functions.filter { $0.name == name }
        return try #require(matches.count == 1 ? matches.first : nil, "\(name): \(matches.count) functions")
    }
}

private let variants: [[String]] = [
    ["-g", "-O2"], ["-gdwarf-4", "-O2"], ["-g", "-O0"], ["-g", "-O2", "-ffunction-sections", "-fdata-sections"],
    ["-gdwarf-4", "-O2", "-ffunction-sections", "-fdata-sections"], ["-g", "-O2", "-gz"],
    ["-g", "-Os", "-fpic", "-ffunction-sections", "-fdata-sections"],
]

@Suite struct DebugInfoTests {
    @Test(arguments: variants) func unitIsDescribed(options: [String]) async throws {
        try await compiled(options) { (info, _) throws in
            #expect(info.hasDebugInfo)
            let unit = try #require(info.units.first)
            #expect(info.units.count == 1)
            #expect(unit.name == "common/sample.c")
            #expect(unit.language == .c)
            #expect(unit.producer?.hasPrefix("GNU C") == true)
            #expect(unit.dwarfVersion == (options.contains("-gdwarf-4") ? 4 : 5))
        }
    }

    @Test(arguments: variants) func variablesHaveTheirScope(options: [String]) async throws {
        try await compiled(options) { (info, _) throws in
            #expect(try info.variable("visible").isExternal)
            #expect(try info.variable("visible").scope.isEmpty)
            #expect(try info.variable("visible").declaration?.description == "common/sample.c:2")
            #expect(try !info.variable("hidden").isExternal)
            #expect(try info.variable("hidden").size == 8)
            #expect(try info.variable("table").size == 20)
            #expect(try info.variable("table").declaration?.line == 6)
            #expect(try info.variable("count").scope == [.function("counted")])
            #expect(try info.variable("outer").scope == [.function("blocks")])
            #expect(try info.variable("first").scope == [.function("blocks"), .block(0)])
            #expect(try info.variable("first").size == 2)
            #expect(try info.variable("second").scope == [.function("blocks"), .block(1)])
            #expect(try info.variable("second").size == 7)
            #expect(try info.variable("deep").scope == [.function("blocks"), .block(1), .block(0)])
            #expect(try info.variable("deep").enclosingFunction == "blocks")
            #expect(try info.variable("header_static").scope == [.function("in_header")])
            #expect(try info.variable("header_static").declaration?.description == "include/inner.h:3")
            #expect(!info.variables.contains { $0.name == "elsewhere" })
        }
    }

    /// The symbol table is the judge of every place.
    @Test(arguments: variants) func placesAgreeWithTheSymbolTable(options: [String]) async throws {
        try await withTemporaryFolder { folder in
            try await run("mkdir", ["-p", "common", "include"], in: folder)
            _ = try write(source, to: "common/sample.c", in: folder)
            _ = try write(header, to: "include/inner.h", in: folder)
            try await run("gcc", ["-I./include", "-c", "common/sample.c", "-o", "sample.o"] + options, in: folder)
            let object = folder.appending("sample.o")
            let info = try DebugInfo.read(object)
            let symbols = try await symbolTable(object)
            for variable in info.variables {
                let at = symbols.filter { $0.section == variable.section && $0.value == variable.offset && $0.type == "OBJECT" }
                #expect(at.contains { $0.sourceName == variable.name }, "\(variable)")
            }
            for symbol in symbols where symbol.type == "OBJECT" {
                #expect(info.variables.contains { $0.section == symbol.section && $0.offset == symbol.value }, "\(symbol)")
            }
            for symbol in symbols where symbol.type == "FUNC" {
                let owners = info.functions.filter {
                    $0.ranges.contains(DebugInfo.CodeRange(section: symbol.section, offset: symbol.value, size: symbol.size))
                }
                #expect(owners.map(\.name) == [symbol.sourceName], "\(symbol)")
            }
        }
    }

    @Test func splitFunctionHasBothRanges() async throws {
        try await compiled(["-g", "-O2", "-ffunction-sections"]) { (info, _) throws in
            let function = try info.function("unlikely")
            #expect(function.ranges.count == 2)
            #expect(Set(function.ranges.map(\.section)).count == 2)
            #expect(function.isExternal)
            #expect(function.inlining == .none)
            #expect(function.declaration?.description == "common/sample.c:36")
        }
    }

    @Test func inlinedFunctionIsTold() async throws {
        try await compiled(["-g", "-O2"]) { (info, _) throws in
            let counted = try info.function("counted")
            #expect(counted.inlining == .declared)
            #expect(counted.inlining.isInlined)
            #expect(counted.ranges.isEmpty)
            #expect(try info.function("one").entry != nil)
        }
        try await compiled(["-g", "-O0"]) { (info, _) throws in
            let counted = try info.function("counted")
            #expect(!counted.inlining.isInlined)
            #expect(counted.ranges.count == 1)
        }
    }

    @Test func clonesKeepTheirSourceName() async throws {
        let text = """
            __attribute__((noinline)) static int shared(int a, int unused, int scale)
            {
                static int calls;
                calls += a;
                return calls * scale;
            }
            int f(int a) { return shared(a, 1, 3); }
            int g(int a) { return shared(a + 1, 2, 3); }
            """
        try await compiled(["-g", "-O2", "-fipa-cp-clone"], text: text) { (info, _) throws in
            #expect(try info.function("shared").ranges.count == 1)
            #expect(try info.variable("calls").scope == [.function("shared")])
        }
    }

    @Test func sameNameInSeveralScopes() async throws {
        let text = """
            static inline int in(int x) { static int n; return n += x; }
            int a(int x) { static int n; { static int n; n += x; } return n += in(x); }
            int b(int x) { static int n; return n += in(x); }
            """
        try await compiled(["-g", "-O2"], text: text) { (info, _) throws in
            let scopes = info.variables.filter { $0.name == "n" }.map(\.scope)
            #expect(
                Set(scopes) == [
                    [.function("in")], [.function("a")], [.function("a"), .block(0)], [.function("b")],
                ])
            #expect(scopes.count == 4)
        }
    }

    @Test func withoutDebugInfo() async throws {
        try await compiled(["-O2"]) { (info, _) throws in
            #expect(!info.hasDebugInfo)
            #expect(info == DebugInfo())
        }
    }

    @Test func assemblerIsALanguage() async throws {
        try await withTemporaryFolder { folder in
            _ = try write(".text\nstart: ret\n", to: "entry.s", in: folder)
            try await run("gcc", ["-g", "-c", "entry.s", "-o", "entry.o"], in: folder)
            #expect(try DebugInfo.read(folder.appending("entry.o")).units.map(\.language) == [.assembler])
        }
    }

    @Test func linkedFile() async throws {
        try await withTemporaryFolder { folder in
            let file = try write("int v = 1; int _start(void) { static int s = 2; return v += s++; }", to: "a.c", in: folder)
            try await run("gcc", ["-g", "-O2", "-nostdlib", "-static", file.string, "-o", "a.out"], in: folder)
            let program = folder.appending("a.out")
            let info = try DebugInfo.read(program)
            let sections = try await sectionAddresses(program)
            let symbols = try await symbolTable(program)
            let start = try #require(try info.function("_start").entry)
            #expect(symbols.contains { $0.name == "_start" && $0.value == start.offset + (sections[start.section] ?? 0) })
            let variable = try info.variable("s")
            #expect(variable.scope == [.function("_start")])
            #expect(symbols.contains { $0.value == variable.offset + (sections[variable.section] ?? 0) })
        }
    }
}

struct SymbolRow {
    var name: String
    var value: UInt64
    var size: UInt64
    var type: String
    var section: Int

    /// Without what the compiler added: `count.3`, `shared.isra.0`, `unlikely.cold`.
    var sourceName: String { String(name.prefix { $0 != "." }) }
}

/// What binutils' readelf says: a second opinion that shares no code with libdw.
func symbolTable(_ path: FilePath) async throws -> [SymbolRow] {
    try await run("readelf", ["-sW", path.string]).split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ")
        guard fields.count >= 8, let value = UInt64(fields[1], radix: 16), let section = Int(fields[6]) else { return nil }
        let size = fields[2].hasPrefix("0x") ? UInt64(fields[2].dropFirst(2), radix: 16) : UInt64(fields[2])
        return SymbolRow(
            name: String(fields[7]), value: value, size: size ?? 0, type: String(fields[3]), section: section)
    }
}

func sectionAddresses(_ path: FilePath) async throws -> [Int: UInt64] {
    var addresses: [Int: UInt64] = [:]
    for line in try await run("readelf", ["-SW", path.string]).split(separator: "\n") {
        let parts = line.split(separator: "]")
        guard parts.count == 2, let index = Int(parts[0].filter(\.isNumber)) else { continue }
        let fields = parts[1].split(separator: " ")
        if fields.count > 3, let address = UInt64(fields[2], radix: 16) { addresses[index] = address }
    }
    return addresses
}
