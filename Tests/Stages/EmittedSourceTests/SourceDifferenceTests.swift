import Testing

@testable import EmittedSource

@Suite("whether what differs in a preprocessed source can reach what the compiler emits")
struct SourceDifferenceTests {
    private func parts(_ text: String, top: String = "") -> SourceParts? { SourceParts(Array(text.utf8), top: Array(top.utf8)) }

    /// A source that uses `used`, `struct used`, `ONE` and `inline_used`.
    private static let code = """
        struct used *keep(struct used *p) { p->a = ONE; return inline_used(p); }
        """
    private static let header = """
        typedef unsigned int u32; typedef int (*callback_t)(u32); typedef int handler_fn(u32); typedef struct inner_s inner_t;
        struct inner { u32 x; };
        struct used { int a; struct inner b; };
        enum { ZERO, ONE };
        static inline struct used *inline_used(struct used *p) { return inner_helper(p) ? p : 0; }
        static inline int inner_helper(struct used *p) { return p->b.x; }
        extern int other_helper(int); extern int emitted_elsewhere;

        """

    private func isWithoutEffect(_ old: String, _ new: String) throws -> Bool {
        let one = try #require(parts(Self.header + old + "\n" + Self.code)), other = try #require(parts(Self.header + new + "\n" + Self.code))
        let forth = SourceDifference.isWithoutEffect(one, other)
        #expect(SourceDifference.isWithoutEffect(other, one) == forth)
        return forth
    }

    @Test(
        "plain declarations that nothing uses have none",
        arguments: [
            ("", "int un_used(int);"), ("", "static inline int un_used(int a) { return a; }"), ("struct o_ther { int a; };", "struct o_ther { long a; };"),
            ("typedef int t_t;", "typedef long t_t;"), ("enum o_ther { A_A, B_B };", "enum o_ther { A_A, X_X, B_B };"),
            ("extern int v_v;", "extern long v_v;"), ("int f_f(int);", "int f_f(int) __attribute__((warn_unused_result));"), ("", "struct forward;"), ("", ";"),
            ("", "static inline __attribute__((__always_inline__)) u32 f_f(u32 a) { struct inner l = { a }; return l.x; }"),
            ("", "typedef u32 (*handler_t)(struct used *, u32);"), ("", "extern u32 (*handler_p)(struct used *);"), ("", "u32 f_f(u32);"),
            ("", "extern __attribute__((section(\".data\"))) __typeof__(int) per_cpu__x;"), ("", "__extension__ typedef struct { long long q; } q_t;"),
            ("", "int one_f(void), two_f(u32 a, char b[4]);"), ("", "extern char c_1[], c_2[sizeof(struct used)];"),
            ("int f_f(int);\nint g_f(int);", "int g_f(int);\nint f_f(int);"),
            (
                "",
                "static inline int f_f(void) { int i = other_helper(0); if (i) return other_helper (0); else other_helper(0); i = sizeof other_helper(0); return inline_used(0) != 0; }"
            ),
            (
                "",
                """
                static inline u32 f_f(struct used *p, u32 n)
                {
                    static u32 count; u32 i, *q = &i, a[2] = { 1, (2) }; const struct inner *b = &p->b; register u32 r asm("eax") = 1;
                    typeof(p->a) t = 3, u = ({ u32 x = 1; x + n; }); callback_t c = 0;
                    for ( u32 j = 0; j < n; j++ ) { switch (j) { case 1: i = 2; break; case ONE + 1: default: continue; } }
                    do { i += n * r; } while ( i < 3 );
                    if ( n ) goto out; else asm volatile ( "nop" : "+r" (i) : "i" (sizeof(struct used)) : "memory" );
                out:
                    __attribute__((__fallthrough__)); i * n; (void)c(i);
                    return p->a ? i : count + t + u + a[1] + *q + b->x;
                }
                """
            ),
            // What is used through others that nothing emits, too.
            ("struct o_ther { int a; };\nint f_f(struct o_ther *);", "struct o_ther { long a; };\nint f_f(struct o_ther *);"),
            ("typedef int t_t;\nstatic inline t_t f_f(void) { return 1; }", "typedef long t_t;\nstatic inline t_t f_f(void) { return 1; }"),
        ])
    func unused(old: String, new: String) throws {
        #expect(try isWithoutEffect(old, new), "\(new)")
    }

    @Test(
        "what takes effect by itself has one, and so may whatever is not plain",
        arguments: [
            "int tentative;", "static int table[2];", "int a = 1;", "extern int e = 1;", "u32 (v);", "u32 v, f(void);", "int (*pointer)(void);", "v_v;",
            "f_f();",
            "u32 (*pointer)(u32);", "int definition_f(void) { return 1; }", "inline int definition_f(void) { return 1; }",
            "static int definition_f(void) { return 1; }", "extern inline int definition_f(void) { return 1; }", "inline int f_f(void);",
            "asm(\".globl x\");", "__asm__ volatile (\"nop\");", "_Static_assert(1, \"\");", "#pragma GCC visibility push(hidden)",
            "static inline int f_f(void) {\n#pragma pack(1)\nreturn 1; }", "void f_f(void) __attribute__((alias(\"keep\")));",
            "static inline __attribute__((used)) int f_f(void) { return 1; }", "static inline int f_f(void) __attribute__((constructor));",
            "extern int w_w __attribute__((weak));", "register unsigned long s_p asm(\"rsp\");", "struct o_ther { int a; } variable;", "struct used u_u;",
            "[[gnu::used]] static inline int f_f(void) { return 1; }", "void (*signal_f(int sig, void (*f)(int)))(int) { return 0; }",
            "static inline u32 (f_f(int a)) { return a; }", "int __attribute__((used)) (f_f)(void);", "int (__attribute__((weak)) f_f)(void);",
            "struct [[gnu::packed]] o_ther { int a; };", "enum __attribute__((mode(struct used))) o_ther { A_A };x", "int f_f(int) asm(\"keep\");",
            "int f_f(struct in_params { int a; } *p);", "static inline int f_f(void), g_f(void) { return 1; }",
            "typedef int t_t = 1;", "union u_u { int a; _Static_assert(1, \"x\"); };", "extern int v_v[({ 1; })];", "auto int v_v;",
            "_Thread_local extern int v_v;",
            // The compiler may use these by itself.
            "void *memcpy(void *, const void *, unsigned long);", "long lround(double);", "int putchar_unlocked(int);", "void __stack_chk_fail(void);",
            "unsigned long long __udivti3(unsigned long long, unsigned long long);", "void __atomic_load_16(void);", "void _Unwind_Resume(void *);",
        ])
    func takesEffect(text: String) throws {
        #expect(try !isWithoutEffect("", text), "\(text)")
    }

    @Test(
        "a body that may declare something for the whole file is not plain",
        arguments: [
            "extern int ONE;", "int inner_helper(int);", "u32 inner_helper(int);", "struct used *inner_helper(int);", "int (inner_helper)(int);",
            "int x, inner_helper(int);", "int x = 1, inner_helper(int);", "int x[] = { 1 }, inner_helper(int);", "int x = ({ 1; }), inner_helper(int);",
            "handler_fn inner_helper;", "u32 const inner_helper(int);", "u32 (inner_helper);", "u32 (inner_helper(int));", "__typeof__(inner_helper) keep;",
            "__typeof__(1) inner_helper(int);", "again: int inner_helper(int);", "case 1: int inner_helper(int);",
            "int __attribute__((cold)) inner_helper(int);",
            "u32 __attribute__((cold)) (inner_helper)(int);", "extern struct { int i; } ONE;", "for ( int inner_helper(int); ; ) ;",
            "return ({ int inner_helper(int); 1; });",
            "other_helper(({ int inner_helper(int); 1; }));", "if ( 1 ) { int inner_helper(int); }", "un_known(1);", "auto int nested(int);",
            "int nested(int a) { return a; }",
            "typedef int local_fn(int); local_fn inner_helper;", "struct local { int a; } inner_helper(int);", "int x __attribute__((section(\"a\"), used));",
            "static int x __attribute__((alias(\"keep\")));", "[[gnu::used]] int x;", "int x = sizeof(struct { int a; });", "__label__ a;",
            "_Noreturn void inner_helper(int);",
            "inline int nested(int);", "_Static_assert(1, \"\");", "typeof(int (int)) inner_helper;", "__auto_type x;", "u32 *(*inner_helper)(int);",
            "unknown_t *x;y z;",
            "static u32 inner_helper(int);", "register int inner_helper(int);", "const inner_helper(int);", "do u32 inner_helper(int); while (1);",
            "else_t inner_helper(int);",
            "enum { ONE } x;", "_Pragma(\"weak keep\")", "u32 a:3;", "_Float128 *inner_helper(int);", "_Float128 (inner_helper)(int);",
            "__float128 *inner_helper(int);", "__seg_gs int *inner_helper(int);", "__builtin_va_list *inner_helper(int);",
        ])
    func declaresInBody(statement: String) throws {
        #expect(try !isWithoutEffect("", "static inline int f_f(int a) { \(statement) return a; }"), "\(statement)")
    }

    @Test(
        "what is used, directly or through others, has one",
        arguments: [
            ("typedef unsigned int u32;", "typedef unsigned long u32;"), ("struct inner { u32 x; };", "struct inner { u32 x, y; };"),
            ("struct used { int a;", "struct used { int more; int a;"), ("enum { ZERO, ONE };", "enum { ZERO, X, ONE };"),
            ("return p->b.x;", "return p->b.x + 1;"), ("static inline int inner_helper", "static inline __attribute__((noinline)) int inner_helper"),
        ])
    func used(old: String, new: String) throws {
        let changed = Self.header.replacing(old, with: new)
        try #require(changed != Self.header)
        #expect(try !SourceDifference.isWithoutEffect(#require(parts(Self.header + Self.code)), #require(parts(changed + Self.code))))
    }

    @Test(
        "a declaration of what is used has one, wherever it is",
        arguments: [
            "struct used *keep(struct used *) __attribute__((section(\".text.keep\")));", "struct outer { struct used { int a; } u; };",
            "enum o_ther { FIRST = 1, ONE };", "int f_f(enum { ONE } e);", "typedef enum tag { A_A, ONE } e_t;", "extern int inner_helper;",
            "int (inner_helper)(struct used *);", "int (*inner_helper)(struct used *), un_used(void);", "typedef int unused_t, inner_helper;",
            "struct __attribute__((packed)) used { char a; };", "struct outer { struct __attribute__((packed)) used { char a; } u; };",
            "int f_f(void), inner_helper(struct used *);",
        ])
    func declared(text: String) throws {
        #expect(try !isWithoutEffect("", text), "\(text)")
    }

    @Test(
        "a name in a text or a directive is a use",
        arguments: [
            "asm(\"call un_used\");", "asm(\"a\\n\\tcall\\tun\" \"_used\\n\");", "asm(\".long $un_used\");", "asm(\"call \\x75n_used\");",
            "asm(\"call \\165n_used\");",
            "void other(void) __attribute__((alias(\"un_used\")));", "#pragma weak keep = un_used", "asm(\"x:\\nun_used: ret\");",
            "int other(void) { asm(\"call %P0\" :: \"i\" (un_used)); }",
        ])
    func quoted(text: String) throws {
        #expect(try !isWithoutEffect(text, "int un_used(int);\n" + text), "\(text)")
        #expect(try isWithoutEffect(text, "int other_name(int);\n" + text), "\(text)")
    }

    @Test("a built-in function stands for the library's") func builtIn() throws {
        let code = "int f(char *a) { return __builtin_special_one(a); }"
        #expect(try !isWithoutEffect(code, "int special_one(char *);\n" + code))
        #expect(try isWithoutEffect(code, "int special_two(char *);\n" + code))
    }

    @Test("blanks, line markers and the tree's path are nothing; what separates tokens is")
    func tokens() throws {
        func same(_ one: String, _ other: String) throws -> Bool {
            try #require(parts(one, top: "/a/tree")).digests == #require(parts(other, top: "/a/tree")).digests
        }
        #expect(try same("int a = 1;", "# 3 \"x.h\" 2\nint\n\ta  =  1;\n"))
        #expect(try !same("int f(int a) { return a + +a; }", "int f(int a) { return a ++a; }"))
        #expect(try !same("char *a = \"x y\";", "char *a = \"xy\";") && !same("char a = 'a';", "char a = 'b';"))
        #expect(try !same("double a = 1e+5;", "double a = 1e+6;") && !same("double a = .5;", "double a = .6;"))
        #expect(try !same("int a = 0x1;", "int a = 0x2;") && !same("char *a = \"\\\"x\";", "char *a = \"\\\"y\";"))
        // The words behind a directive's line are none of it.
        #expect(try !same("int f(void) {\n#pragma a\nb; }", "int f(void) {\n#pragma a b\n; }"))
        let one = try #require(parts("char *a = \"/a/tree/x.c\";", top: "/a/tree"))
        #expect(try one.digests == #require(parts("char *a = \"/b/tree/x.c\";", top: "/b/tree")).digests)
    }

    @Test("the order of what is emitted is part of it") func order() throws {
        #expect(try !isWithoutEffect("int a_a; int b_b;", "int b_b; int a_a;"))
    }

    @Test(
        "a source that asks for its own place, or is damaged, has no parts",
        arguments: [
            "}", "int f(void) {", "int f(void) { return __builtin_LINE(); }", "int f(void) { return x(__builtin_FILE()); }", "struct used { int a;",
            "int a = \"\0\";",
        ])
    func odd(text: String) {
        #expect(parts(text) == nil, "\(text)")
    }

    @Test("more differences than anybody wants to follow, and more names than a table had room for") func many() throws {
        let many = (0..<30_000).map { "int f_\($0)(void);" }.joined(separator: "\n"), code = "int g(void) { return f_17(); }"
        let one = try #require(parts(many + code))
        #expect(one.digests.count == 30_001)
        #expect(try !SourceDifference.isWithoutEffect(one, #require(parts(code))))
        #expect(try SourceDifference.isWithoutEffect(one, #require(parts("int f_new(void);" + many + code))))
    }

    @Test("none of the holes that were found is open, in either direction", arguments: SourceDifferenceCases.all)
    func holes(kind: String, original: String, patched: String) {
        // A source that has no parts is compiled.
        guard let one = parts(original), let other = parts(patched) else { return }
        #expect(one.digests != other.digests, "\(kind)")
        #expect(!SourceDifference.isWithoutEffect(one, other) && !SourceDifference.isWithoutEffect(other, one), "\(kind)")
    }

    @Test("nothing, and every byte") func bytes() throws {
        #expect(try #require(parts("")).digests.isEmpty)
        _ = SourceParts(Array("int a = \"".utf8) + Array(1...255) + Array("\";".utf8), top: [])
    }

    @Test("structs in structs have a limit, and attributes in attributes") func deep() throws {
        let deep = String(repeating: "struct a_a { ", count: 100_000) + String(repeating: "} b;", count: 100_000)
        #expect(try !isWithoutEffect("", deep))
        let attributes = "typedef int t_t " + String(repeating: "__attribute__((aligned(", count: 50_000) + "1" + String(repeating: ")))", count: 50_000) + ";"
        #expect(try !isWithoutEffect("", attributes))
    }
}
