import Diagnostics
import ObjectDiff
import ObjectFixtures
import TestTools
import Testing

/// A struct that grows is reported whatever way the compiler describes it, and if it is not described at all, that is reported.
@Suite struct LayoutDoubtTests {
    private static let gcc = "gcc", clang = "clang"
    private static let original = source("u32 a, b;", 1)
    private static let patched = source("u32 a, b, c;", 2)

    private static func source(_ members: String, _ value: Int) -> String {
        """
        struct s { \(members) }; extern struct s *p; extern u32 k(struct s *);
        u32 f(void) { return p->a + k(p); } u32 g(struct s *q) { return q->b + \(value); }
        """
    }

    @Test(arguments: [
        (gcc, ["-gdwarf-2"]), (gcc, ["-gdwarf-3"]), (gcc, ["-gdwarf-4"]), (gcc, ["-gdwarf-5"]), (gcc, ["-gdwarf64"]), (gcc, ["-gdwarf64", "-gdwarf-4"]),
        (gcc, ["-g3"]), (gcc, ["-gstrict-dwarf"]), (gcc, ["-gz=zlib"]), (gcc, ["-gz=zlib-gnu"]), (gcc, ["-fdebug-types-section"]),
        (gcc, ["-fdebug-types-section", "-gdwarf-4"]), (gcc, ["-fdebug-types-section", "-gdwarf64"]), (gcc, ["-fdebug-types-section", "-gz=zlib"]),
        (gcc, ["-fdebug-types-section", "-gz=zlib-gnu"]), (gcc, ["-fdebug-types-section", "-gz=zlib-gnu", "-gdwarf-4"]), (gcc, ["-gsplit-dwarf"]),
        (gcc, ["-gsplit-dwarf", "-gdwarf-4"]), (gcc, ["-gsplit-dwarf", "-gz=zlib"]), (gcc, ["-gsplit-dwarf", "-gdwarf-4", "-fdebug-types-section"]),
        (clang, ["-gdwarf-3"]), (clang, ["-gdwarf-4"]), (clang, ["-gdwarf-5"]), (clang, ["-gdwarf64"]), (clang, ["-fdebug-types-section"]),
        (clang, ["-gsplit-dwarf"]), (clang, ["-gsplit-dwarf", "-gdwarf-4"]),
    ])
    func everyDescriptionIsRead(compiler: String, flags: [String]) async throws {
        let result = try await layouts([(Self.original, Self.patched)], compiler: compiler, flags: flags)
        #expect(result.layouts.map(\.type) == ["struct s"] && result.layouts.first?.newSize == 12)
        #expect(result.diagnostics.map(\.id) == [.layoutChanged])
    }

    @Test(arguments: [
        (gcc, ["-g0"], "no debug info"), (clang, ["-g0"], "no debug info"), (gcc, ["-g1"], "without types"), (clang, ["-g1"], "without types"),
        (clang, ["-gline-tables-only"], "without types"), (gcc, ["-gsplit-dwarf", "-g1"], "without types"),
        (gcc, ["-gsplit-dwarf", "-gdwarf-5", "-fdebug-types-section"], "missing"), (gcc, ["-femit-struct-debug-baseonly"], "declarations"),
    ])
    func noDescriptionIsReported(compiler: String, flags: [String], reason: String) async throws {
        for isWhole in [true, false] {
            let result = try await layouts([(Self.original, Self.patched)], compiler: compiler, flags: flags, isWhole: isWhole)
            let doubts = result.diagnostics.filter { $0.id == .layoutsNotCompared }
            #expect(doubts.map(\.severity) == [isWhole ? .error : .warning])
            #expect(doubts.first?.message.contains(reason) == true, "\(doubts)")
        }
    }

    /// The second compilation in a folder overwrites the file; the object is then without it.
    @Test(arguments: ["rm", "cp"]) func theFileWithTheTypesIsOfAnotherRun(command: String) async throws {
        let result = try await layouts([(Self.original, Self.patched)], flags: ["-gsplit-dwarf"]) { original, patched in
            let (mine, other) = (original.removingLastComponent().appending("test0.dwo"), patched.removingLastComponent().appending("test0.dwo"))
            try await run(command, command == "rm" ? [mine.string] : [other.string, mine.string])
        }
        #expect(result.diagnostics.map(\.id) == [.layoutsNotCompared])
        #expect(result.diagnostics.first?.message.contains("the original has its types in 'test0.dwo'") == true)
    }

    /// A pipe in its place must not stop the program.
    @Test func theFileWithTheTypesIsAPipe() async throws {
        let result = try await layouts([(Self.original, Self.patched)], flags: ["-gsplit-dwarf"]) { original, _ in
            let dwo = original.removingLastComponent().appending("test0.dwo").string
            try await run("rm", [dwo])
            try await run("mkfifo", [dwo])
        }
        #expect(result.diagnostics.map(\.id) == [.layoutsNotCompared])
    }

    @Test func strippedObjects() async throws {
        let result = try await layouts([(Self.original, Self.patched)]) { _, patched in try await run("strip", ["-g", patched.string]) }
        #expect(result.diagnostics.map(\.id) == [.layoutsNotCompared])
        #expect(result.diagnostics.first?.message.contains("the patched object has no debug info") == true)
    }

    /// Only what changes code needs its types, and functions without types have none to compare.
    @Test func nothingToDoubt() async throws {
        let same = try await layouts([(Self.original, Self.original)], flags: ["-g1"])
        #expect(same.diagnostics.isEmpty)
        for compiler in [Self.gcc, Self.clang] {
            let none = try await layouts(
                [("void k(void); void f(void) { k(); }", "void k(void); void f(void) { k(); k(); }")], compiler: compiler)
            #expect(none.diagnostics.isEmpty, "\(compiler)")
            let opaque = try await layouts(
                [("struct o; void k(struct o *); void f(struct o *o) { k(o); }", "struct o; void k(struct o *); void f(struct o *o) { k(o); k(0); }")],
                compiler: compiler, isWhole: false)
            #expect(opaque.diagnostics.isEmpty, "\(compiler)")
        }
    }

    @Test func aTypeThatOneSideOnlyDeclares() async throws {
        let declared = "struct o; u32 k(struct o *); u32 f(struct o *o) { return k(o); }"
        let defined = "struct o { u32 a; }; u32 k(struct o *); u32 f(struct o *o) { return k(o) + o->a; }"
        for (original, patched, side) in [(declared, defined, "original"), (defined, declared, "patched")] {
            let result = try await layouts([(original, patched)], isWhole: false)
            #expect(result.diagnostics.map(\.id) == [.layoutsNotCompared] && result.diagnostics.first?.symbol == "struct o")
            #expect(result.diagnostics.first?.message.contains(side) == true)
            // No object of a whole hypervisor has the definition on that side, so none relies on it.
            #expect(try await layouts([(original, patched)]).diagnostics.isEmpty)
        }
    }

    /// With all objects at hand, the definition is in another one.
    @Test func theDefinitionIsInAnotherObject() async throws {
        let header = { (members: String) in "# 1 \"shared.h\"\nstruct o { \(members) };\n# 1 \"test.c\"\n" }
        let result = try await layouts([
            ("struct o; u32 f(struct o *o) { return o != 0; }", header("u32 a, b;") + "u32 f(struct o *o) { return o->b; }"),
            (header("u32 a;") + "u32 g(struct o *o) { return o->a; }", header("u32 a, b;") + "u32 g(struct o *o) { return o->a; }"),
        ])
        #expect(result.diagnostics.map(\.id) == [.layoutChanged])
    }
}
