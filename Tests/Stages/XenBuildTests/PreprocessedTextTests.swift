import Testing

@testable import XenBuild

@Suite struct PreprocessedTextTests {
    private func text(_ source: String, top: String = "/tree") -> PreprocessedText { PreprocessedText(Array(source.utf8), top: .init(top)) }

    @Test(arguments: [
        ("where lines came from", "# 1 \"a.c\" 2\nint a;\n", "# 1 \"b.c\"\n# 7 \"b.c\"\n\nint a;"),
        ("the width of blanks", "int  a\t= 1;\n", "int a = 1; \n"),
        ("empty lines", "int a;\n\n\nint b;", "int a;\nint b;"),
    ])
    func doesNotCount(what: String, one: String, other: String) {
        #expect(text(one) == text(other), "\(what)")
    }

    @Test(arguments: [
        ("a token", "int a;", "int b;"),
        ("where tokens end", "int ab;", "int a b;"),
        ("blanks in a string", "char *s = \"a  b\";", "char *s = \"a b\";"),
        ("blanks in a character", "int c = '  ';", "int c = ' ';"),
        ("a quote in a string", "char *s = \"\\\"  x\";", "char *s = \"\\\" x\";"),
        ("ends of lines, for assembly", "nop\nret", "nop ret"),
        ("a pragma", "#pragma pack(4)\nint a;", "#pragma pack()\nint a;"),
        ("lines that the compiler asks for", "int a = __builtin_LINE();", "\nint a = __builtin_LINE();"),
        ("an immediate of an assembler", "mov r0,\n#1", "mov r0,\n#2"),
    ])
    func counts(what: String, one: String, other: String) {
        #expect(text(one) != text(other), "\(what)")
    }

    @Test func thePlaceOfTheTreeDoesNotCount() {
        #expect(text("f(\"/one/xen/a.h\");", top: "/one") == text("f(\"/other/xen/a.h\");", top: "/other"))
        #expect(text("f(\"/one/xen/a.h\");", top: "/one") != text("f(\"/one/xen/a.h\");", top: "/other"))
    }
}
