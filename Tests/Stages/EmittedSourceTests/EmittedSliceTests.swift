import Testing

@testable import EmittedSource

@Suite("what decides what the compiler emits, found in the preprocessed source")
struct EmittedSliceTests {
    private func slice(_ text: String, top: String = "") -> EmittedSlice? { EmittedSlice(Array(text.utf8), top: Array(top.utf8)) }

    /// A source that uses `used`, `struct used`, `ONE` and `inline_used`.
    private static let code = """
        struct used *keep(struct used *p) { p->a = ONE; return inline_used(p); }
        """
    private static let header = """
        typedef unsigned int u32;
        struct inner { u32 x; };
        struct used { int a; struct inner b; };
        enum { ZERO, ONE };
        static inline struct used *inline_used(struct used *p) { return helper(p) ? p : 0; }
        static inline int helper(struct used *p) { return p->b.x; }

        """

    private func isSame(_ old: String, _ new: String) throws -> Bool {
        let one = try #require(slice(Self.header + old + "\n" + Self.code)), other = try #require(slice(Self.header + new + "\n" + Self.code))
        return one == other
    }

    @Test(
        "what nothing uses makes no difference",
        arguments: [
            ("", "int unused(int);"), ("", "static inline int unused(int a) { return a; }"), ("struct other { int a; };", "struct other { long a; };"),
            ("typedef int t;", "typedef long t;"), ("enum other { A, B };", "enum other { A, X, B };"), ("extern int v;", "extern long v;"),
            ("int f(int);", "int f(int) __attribute__((warn_unused_result));"), ("", "struct forward;"), ("", ";"),
            ("", "static inline __attribute__((__always_inline__)) u32 f(u32 a) { struct local { int i; } l = { a }; return l.i; }"),
            ("", "typedef u32 (*handler_t)(struct used *, u32);"), ("", "extern u32 (*handler)(struct used *);"), ("", "u32 f(u32);"),
            ("", "extern __attribute__((section(\".data\"))) __typeof__(int) per_cpu__x;"), ("", "__extension__ typedef struct { long long q; } q_t;"),
            ("", "int one(void), two(u32 a, char b[4]);"), ("", "extern char c1[], c2[sizeof(struct used)];"),
            ("int f(int);\nint g(int);", "int g(int);\nint f(int);"),
            (
                "",
                "static inline int f(void) { int i = helper(0); if (i) return helper (0); else helper(0); i = sizeof helper(0); return inline_used(0) != 0; }"
            ),
        ])
    func unused(old: String, new: String) throws {
        #expect(try isSame(old, new), "\(new)")
    }

    @Test(
        "what takes effect by itself makes a difference",
        arguments: [
            "int tentative;", "static int table[2];", "int a = 1;", "extern int e = 1;", "u32 (v);", "u32 v, f(void);", "int (*pointer)(void);",
            "u32 (*pointer)(u32);",
            "int definition(void) { return 1; }", "inline int definition(void) { return 1; }", "static int definition(void) { return 1; }",
            "asm(\".globl x\");", "__asm__ volatile (\"nop\");", "_Static_assert(1, \"\");", "#pragma GCC visibility push(hidden)",
            "static inline int f(void) {\n#pragma pack(1)\nreturn 1; }", "void f(void) __attribute__((alias(\"keep\")));",
            "static inline __attribute__((used)) int f(void) { return 1; }", "static inline int f(void) __attribute__((constructor));",
            "extern int w __attribute__((weak));", "register unsigned long sp asm(\"rsp\");", "struct other { int a; } variable;", "struct used u;",
            "[[gnu::used]] static inline int f(void) { return 1; }", "void (*signal(int sig, void (*f)(int)))(int) { return 0; }",
        ])
    func root(text: String) throws {
        #expect(try !isSame("", text), "\(text)")
    }

    @Test(
        "what is used, directly or through others, makes a difference",
        arguments: [
            ("typedef unsigned int u32;", "typedef unsigned long u32;"), ("struct inner { u32 x; };", "struct inner { u32 x, y; };"),
            ("struct used { int a;", "struct used { int more; int a;"), ("enum { ZERO, ONE };", "enum { ZERO, X, ONE };"),
            ("return p->b.x;", "return p->b.x + 1;"), ("static inline int helper", "static inline __attribute__((noinline)) int helper"),
        ])
    func used(old: String, new: String) throws {
        let changed = Self.header.replacing(old, with: new)
        try #require(changed != Self.header)
        #expect(try #require(slice(Self.header + Self.code)) != #require(slice(changed + Self.code)))
    }

    @Test(
        "a declaration of what is used makes a difference, wherever it is",
        arguments: [
            // The compiler calls it by itself.
            "void *memcpy(void *, const void *, unsigned long) __attribute__((visibility(\"hidden\")));", "void *memset(void *, int, unsigned long);",
            "struct used *keep(struct used *) __attribute__((section(\".text.keep\")));", "struct used;",
            "static inline void f(void) { extern int ZERO, ONE; }", "static inline void f(void) { int helper(struct used *) __attribute__((cold)); }",
            "static inline void f(void) { struct used *helper(int), *inline_used(int); }", "static inline void f(void) { int (helper)(int); }",
            "static inline void f(void) { int __attribute__((cold)) helper(int); }", "static inline void f(void) { __typeof__(1) helper(int); }",
            "static inline void f(void) { again: int helper(int); }", "static inline void f(void) { u32 __attribute__((cold)) (helper)(int); }",
            "static inline void f(void) { extern struct { int i; } ONE; }",
            "struct outer { struct used { int a; } u; };", "enum other { FIRST = 1, ONE };", "int f(enum { ONE } e);", "typedef enum tag { A, ONE } e_t;",
            "extern int helper;", "int (helper)(struct used *);", "int (*helper)(struct used *), unused(void);", "typedef int unused_t, helper;",
            "struct __attribute__((packed)) used { char a; };", "struct outer { struct __attribute__((packed)) used { char a; } u; };",
        ])
    func declared(text: String) throws {
        #expect(try !isSame("", text), "\(text)")
    }

    @Test("a built-in function stands for the library's") func builtin() throws {
        let code = "int f(char *a) { return __builtin_special(a); }"
        #expect(try #require(slice(code)) != #require(slice("int special(char *);\n" + code)))
        #expect(try #require(slice(code)) == #require(slice("int other(char *);\n" + code)))
    }

    @Test("blanks, line markers and the tree's path are nothing; what separates tokens is")
    func tokens() throws {
        func same(_ one: String, _ other: String) throws -> Bool { try #require(slice(one, top: "/a/tree")) == #require(slice(other, top: "/a/tree")) }
        #expect(try same("int a = 1;", "# 3 \"x.h\" 2\nint\n\ta  =  1;\n"))
        #expect(try !same("int f(int a) { return a + +a; }", "int f(int a) { return a ++a; }"))
        #expect(try !same("char *a = \"x y\";", "char *a = \"xy\";") && !same("char a = 'a';", "char a = 'b';"))
        #expect(try same("char *a = \"/a/tree/x.c\";", "char *a = \"/a/tree/x.c\";"))
        #expect(try !same("double a = 1e+5;", "double a = 1e+6;") && !same("double a = .5;", "double a = .6;"))
        #expect(try !same("int a = 0x1;", "int a = 0x2;") && !same("char *a = \"\\\"x\";", "char *a = \"\\\"y\";"))
        let one = try #require(EmittedSlice(Array("char *a = \"/a/tree/x.c\";".utf8), top: Array("/a/tree".utf8)))
        #expect(one == EmittedSlice(Array("char *a = \"/b/tree/x.c\";".utf8), top: Array("/b/tree".utf8)))
    }

    @Test("the order of what is emitted is part of it") func order() throws {
        #expect(try #require(slice("int a; int b;")) != #require(slice("int b; int a;")))
    }

    @Test(
        "what is not understood has no slice",
        arguments: [
            "int f(a) int a; { return a; }", "int f(void) {", "}", "int a[2;", "int a = (1];", "{ }", "int a", "int f(void) { return __builtin_LINE(); }",
            "int f(void) { return x(__builtin_FILE()); }", "struct used { int a;",
        ])
    func odd(text: String) {
        #expect(slice(text) == nil, "\(text)")
    }

    @Test("more names than the table had room for") func manyNames() throws {
        let many = (0..<30_000).map { "int f\($0)(void);" }.joined(separator: "\n")
        let one = try #require(slice(many + "int g(void) { return f17(); }"))
        #expect(one.counts.all == 30_001 && one.counts.reached == 2)
    }

    @Test("nothing, and every byte") func bytes() throws {
        #expect(try #require(slice("")).counts.all == 0)
        let odd = EmittedSlice(Array("int a = \"".utf8) + Array(0...255) + Array("\";".utf8), top: [])
        #expect(odd == nil || odd?.counts.all ?? 0 > 0)
    }
}
