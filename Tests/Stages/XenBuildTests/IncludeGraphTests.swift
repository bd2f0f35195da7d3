import Testing

@testable import XenBuild

@Suite struct IncludeGraphTests {
    private func includes(_ text: String) -> IncludeGraph.Includes { IncludeGraph.includes(in: Array(text.utf8)) }

    @Test(arguments: [
        ("#include <xen/sched.h>\n# include \"local.h\"\n#\tinclude_next <asm/next.h>", ["sched.h", "local.h", "next.h"]),
        ("#if __has_include(<asm/maybe.h>)", ["maybe.h"]),
        ("%:include \"digraph.h\"", ["digraph.h"]),
        ("/* include \"no.h\" */ int include; #included", []),
        ("#include", []),
        ("#include \"", []),
        ("# include __FILE__", []),
        (" * When #include'ing this header", []),
    ])
    func preprocessor(text: String, names: [String]) {
        #expect(includes(text) == IncludeGraph.Includes(names: Set(names)))
    }

    @Test func assembler() {
        #expect(includes(".include \"macros.h\"\n\t.incbin \"a/blob.bin\"").assembler == ["macros.h", "blob.bin"])
        #expect(includes(#"asm ( ".include \"asm/indirect.h\"" );"#).assembler == ["indirect.h"])
    }

    @Test func computed() {
        #expect(includes("#include CONFIG_FILE_INC").isComputed)
        #expect(includes("  .incbin CONFIG_DTB_FILE").isComputed)
        #expect(includes(#"asm ( ".incbin \"common/lib." EXT "\"" );"#).isComputed)
        #expect(includes(#".incbin "\file""#).isComputed)
        #expect(includes("#include/* which */ \"a.h\"").isComputed)
        for whole in [#"asm ( ".incbin \"common/lib.bin\"" );"#, ".incbin \"a.bin\"", "text: include this"] { #expect(!includes(whole).isComputed) }
    }

    @Test func reachIsTransitiveAndByName() {
        var graph = IncludeGraph()
        for (path, text) in [
            ("common/a.c", "#include <xen/mid.h>"), ("include/xen/mid.h", "#include \"deep.h\""),
            ("common/other.c", "#include <xen/other.h>"), ("common/asm.c", #"asm(".include \"deep.h\"");"#),
            ("common/any.c", "#include MACRO"), ("common/compat/a.c", "#include \"../a.c\""),
        ] { graph.merge(Array(text.utf8), at: path) }
        let reach = graph.reaching(["include/xen/deep.h"])
        #expect(
            reach.paths == [
                "include/xen/deep.h", "include/xen/mid.h", "common/a.c", "common/asm.c", "common/any.c", "common/compat/a.c",
            ])
        #expect(reach.throughAssembler)
        #expect(!graph.reaching(["include/xen/mid.h"]).throughAssembler)
        #expect(reach.withUnlistedInput.isEmpty)
        // Nothing lists what this one reads.
        graph.merge(Array(#"asm(".incbin \"a." EXT "\"");"#.utf8), at: "include/blob.h")
        graph.merge(Array("#include <blob.h>".utf8), at: "common/blob.c")
        let blob = graph.reaching(["common/a.bin"])
        #expect(blob.withUnlistedInput == ["include/blob.h", "common/blob.c"] && !blob.throughAssembler)
        // C sees the lines of this one that the assembler does not, and the other way round.
        graph.merge(Array(#"asm(".include \"self.h\"");"#.utf8), at: "include/self.h")
        graph.merge(Array("#include <self.h>".utf8), at: "common/user.c")
        #expect(graph.reaching(["include/self.h"]).throughAssembler)
        #expect(!graph.reaching(["common/user.c"]).throughAssembler)
        #expect(graph.reaching(["common/other.c"]).paths == ["common/other.c", "common/any.c", "include/blob.h", "common/blob.c"])
    }
}

@Suite struct FirstErrorTests {
    @Test(arguments: [
        (
            "cd x && gcc -Werror a.c\n\nIn file included from a.c:1:\na.h:3:1: warning: w\na.h:4:2: error: real one\nmake: *** [x] Error 1",
            "a.h:4:2: error: real one"
        ),
        ("cd x\na.c:1:10: fatal error: b.h: No such file or directory", "a.c:1:10: fatal error: b.h: No such file or directory"),
        ("cd x\nhead.S:12: Error: no such instruction: `foo'", "head.S:12: Error: no such instruction: `foo'"),
        ("cd x\n/bin/sh: 1: flex: not found\nmake[1]: *** [lex] Error 127", "/bin/sh: 1: flex: not found"),
        ("cd x\nmake: *** No rule to make target 'a.c', needed by 'a.o'.  Stop.", "make: *** No rule to make target 'a.c', needed by 'a.o'.  Stop."),
    ])
    func prefersTheCompiler(log: String, line: String) { #expect(firstError(in: log) == line) }

    @Test func nothingSaid() { #expect(firstError(in: "") == nil) }
}
