import DebugInfo
import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// A structure with these members, a variable of it that lasts, and functions that use it.
private func source(_ members: String, _ body: String = "s->last = 1;") -> String {
    """
    struct s { \(members) };
    extern struct s everywhere;
    void changed(struct s *s) { \(body) }
    u32 stays(const struct s *s) { return s->first; }
    """
}

extension LayoutChange {
    fileprivate var rows: [String] {
        members.map { member in
            func text(_ place: Place?) -> String { place.map { "\($0.bitOffset)+\($0.bitSize.map { String($0) } ?? "open")" } ?? "-" }
            return "\(member.name) \(text(member.old)) \(text(member.new)) \(member.change.rawValue)"
        }
    }
}

@Suite struct LayoutTests {
    private let original = "u32 first; u32 last;"

    @Test func nothingChanged() async throws {
        let text = source(original)
        let result = try await layouts([(text, text)])
        #expect(result.layouts.isEmpty && result.diagnostics.isEmpty)
    }

    /// New code for an old type.
    @Test func aChangedFunctionAlone() async throws {
        let result = try await layouts([(source(original), source(original, "s->last = 2;"))])
        #expect(result.layouts.isEmpty && result.diagnostics.isEmpty)
    }

    @Test func aMemberInTheMiddle() async throws {
        let result = try await layouts([(source(original), source("u32 first; u32 new; u32 last;"))])
        let change = try #require(result.layouts.first)
        #expect(result.layouts.count == 1)
        #expect(change.type == "struct s" && change.outcome == .refused)
        #expect(change.oldSize == 8 && change.newSize == 12 && change.unchanged == 1)
        #expect(change.rows == ["new - 32+32 new", "last 32+32 64+32 moved"])
        #expect(change.location == SourceLocation(file: "test0.c", line: 1))
        #expect(change.users == LayoutChange.Users(outsideCount: 1, outside: ["stays"], inPayload: 1, variables: []))
        let diagnostic = try #require(result.diagnostics.first)
        #expect(diagnostic.id == .layoutChanged && diagnostic.severity == .error && diagnostic.symbol == "struct s")
        #expect(diagnostic.help?.contains("--allow-layout-change 'struct s'") == true)
    }

    @Test(arguments: [
        // Removed; swapped; resized; another array bound; bit fields moved; in a nested nameless type; moved by an attribute.
        ("u32 first; u32 gone; u32 last;", "u32 first; u32 last;", ["last 64+32 32+32 moved", "gone 32+32 - removed"]),
        ("u32 first; u32 a; u32 last;", "u32 first; u32 last; u32 a;", ["last 64+32 32+32 moved", "a 32+32 64+32 moved"]),
        ("u64 first; u32 a; u32 last;", "u64 first; u64 a; u32 last;", ["a 64+32 64+64 resized", "last 96+32 128+32 moved"]),
        (
            "u32 first; unsigned char a[4]; u32 last;", "u32 first; unsigned char a[8]; u32 last;",
            ["a 32+32 32+64 resized", "last 64+32 96+32 moved"]
        ),
        (
            "u32 first; u32 a:3, b:5; u32 last;", "u32 first; u32 a:4, b:5; u32 last;",
            ["a 32+3 32+4 resized", "b 35+5 36+5 moved"]
        ),
        (
            "u32 first; struct { u32 x, y; } in; u32 last;", "u32 first; struct { u32 y, x; } in; u32 last;",
            ["in.y 64+32 32+32 moved", "in.x 32+32 64+32 moved"]
        ),
        (
            "u32 first; union { u32 x; u64 last; };", "u32 first; union { u32 x; u64 last; } __attribute__((packed));",
            ["x 64+32 32+32 moved", "last 64+64 32+64 moved"]
        ),
    ])
    func brokenLayouts(before: String, after: String, rows: [String]) async throws {
        let result = try await layouts([(source(before), source(after, "s->last = 2;"))])
        #expect(result.layouts.map(\.rows) == [rows])
        #expect(result.layouts.map(\.outcome) == [.refused])
    }

    @Test(arguments: [
        ("unsigned char first; u32 last;", "unsigned char first, new; u32 last;", ["new - 8+8 new"]),
        ("u32 first:3; u32 last;", "u32 first:3, new:2; u32 last;", ["new - 3+2 new"]),
        ("u32 first; union { u64 last; u32 a; } u;", "u32 first; union { u64 last; u32 a; u32 new; } u;", ["u.new - 64+32 new"]),
    ])
    func paddingUsed(before: String, after: String, rows: [String]) async throws {
        let body = after.contains("union") ? "s->u.new = 5;" : "s->new = 1;"
        let old = after.contains("union") ? "s->u.last = 5;" : "s->last = 1;"
        let result = try await layouts([(source(before, old), source(after, body))])
        #expect(result.layouts.map(\.rows) == [rows])
        #expect(result.layouts.map(\.outcome) == [.compatible])
        #expect(result.diagnostics.map(\.id) == [.layoutPaddingUsed])
        #expect(result.diagnostics.map(\.severity) == [.warning])
    }

    /// Names of types are the compiler's business only.
    @Test(arguments: [
        ("u32 first; u32 last; u32 a;", "u32 first; unsigned int last; const u32 a;"),
        ("u32 first; struct in { u32 x; } in; u32 last;", "u32 first; struct other { u32 x; } in; u32 last;"),
        ("u32 first; struct in { u32 x; } *in; u32 last;", "u32 first; struct other { u32 x; } *in; u32 last;"),
    ])
    func renamed(before: String, after: String) async throws {
        let result = try await layouts([(source(before), source(after, "s->last = 2;"))])
        #expect(result.layouts.isEmpty, "\(result.layouts)")
    }

    @Test func anotherTypeOfTheSameSize() async throws {
        let result = try await layouts([(source("u32 first; u32 last;"), source("u32 first; int last;", "s->last = -2;"))])
        #expect(result.layouts.map(\.outcome) == [.retyped])
        #expect(result.layouts.first?.rows == ["last 32+32 32+32 retyped"])
        #expect(result.diagnostics.map(\.id) == [.layoutMemberRetyped])
        #expect(result.diagnostics.map(\.severity) == [.warning])
    }

    /// The running hypervisor has the bytes in the order of before.
    @Test func theOtherByteOrder() async throws {
        let text = source("u32 first; u32 last;", "s->last = 2;")
        let result = try await layouts([(text, text.replacing("struct s {", with: "struct __attribute__((scalar_storage_order(\"big-endian\"))) s {"))])
        #expect(result.layouts.map(\.type) == ["struct s"])
        #expect(!result.diagnostics.isEmpty)
    }

    @Test func typesThatContainItAreToldWithIt() async throws {
        let source = { (members: String, value: Int) in
            """
            struct in { \(members) }; struct middle { struct in in[2]; u32 m; }; struct out { u32 o; struct middle middle; };
            struct leads { struct in *in; };
            extern struct leads leads;
            void changed(struct out *o) { o->middle.m = \(value); }
            void stays(struct out *o) { o->o = 1; }
            """
        }
        let result = try await layouts([(source("u32 x;", 1), source("u32 x, y;", 1))])
        #expect(result.layouts.map(\.type) == ["struct in"])
        #expect(result.layouts.first?.alsoChanged == ["struct middle", "struct out"])
        #expect(result.layouts.first?.users?.outside == ["stays"])
        #expect(result.diagnostics.count == 1)
    }

    // MARK: Enums

    @Test(arguments: [
        ("A, B, C", "A, N, B, C", LayoutChange.Outcome.refused, ["N nil 1", "B 1 2", "C 2 3"]),
        ("A, B, C", "A, C = 2", .refused, ["B 1 nil"]),
        ("A, B, C", "A, B, C, D", .compatible, ["D nil 3"]),
        ("A, B, C", "A, X, C", .compatible, []),
    ])
    func enums(before: String, after: String, outcome: LayoutChange.Outcome, rows: [String]) async throws {
        for tag in ["e", ""] {
            let source = { (list: String, value: Int) in
                "enum \(tag) { \(list) }; struct h { u32 x; }; u32 changed(struct h *h) { return h->x == C + \(value); } u32 other(void) { \(tag.isEmpty ? "u32" : "enum e") v = C; return v; }"
            }
            let result = try await layouts([(source(before, 0), source(after, 7))])
            let found = result.layouts.flatMap { $0.enumerators.map { "\($0.name) \($0.old.map { "\($0)" } ?? "nil") \($0.new.map { "\($0)" } ?? "nil")" } }
            #expect(found == rows, "\(tag)")
            guard !rows.isEmpty else { continue }
            // Its values are also in variables of other types, as here.
            #expect(result.layouts.map(\.outcome) == [outcome])
            #expect(result.diagnostics.map(\.id) == [outcome == .compatible ? .layoutValuesAdded : .layoutChanged])
        }
    }

    @Test func severalEnumsWithoutName() async throws {
        let source = { (a: String, b: String, value: Int) in
            "enum { \(a) }; enum { \(b) }; u32 f(u32 x) { return x == A1 || x == B1 ? \(value) : 0; }"
        }
        let result = try await layouts([(source("A0, A1", "B0, B1", 1), source("A0, AN, A1", "BN, B0, B1", 2))])
        #expect(result.layouts.map(\.type) == ["enum {A0, …}", "enum {BN, …}"])
        #expect(result.layouts.map(\.outcome) == [.refused, .refused])
    }

    // MARK: On the stack only

    private func local(_ members: String, _ rest: String = "") -> String {
        """
        struct loc { \(members) };
        static noinline u32 fill(struct loc *l, u32 x) { l->a = x; l->c = x + 1; return l->a; }
        u32 entry(u32 x) { struct loc l = { 0 }; fill(&l, x); sink(&l); return l.c; }
        \(rest)
        """
    }

    /// Nothing can be kept in constant bytes.
    @Test(arguments: ["", "extern const unsigned char table[16]; u32 user(u32 x) { struct loc l; sink(&l); fill(&l, x); return l.c + table[x & 15]; }"])
    func aTypeOfTheStackMayChange(rest: String) async throws {
        let result = try await layouts([(local("u32 a, c;", rest), local("u32 b, a, c;", rest))])
        #expect(result.layouts.map(\.outcome) == [.stackOnly])
        #expect(result.layouts.first?.users == LayoutChange.Users(inPayload: rest.isEmpty ? 2 : 3))
        #expect(result.diagnostics.map(\.severity) == [.warning])
    }

    @Test(arguments: [
        // A function that stays; a variable; a pointer in another type; in a type that a variable holds; linked in a list.
        ("u32 a, c;", "u32 b, a, c;", "u32 stays(struct loc *l) { return l != 0; }"),
        ("u32 a, c;", "u32 b, a, c;", "struct loc *last; "),
        ("u32 a, c;", "u32 b, a, c;", "struct keeps { struct loc *l; }; struct keeps *kept; u32 other(void) { return kept != 0; }"),
        ("u32 a, c;", "u32 b, a, c;", "struct has { u32 n; struct loc l; }; u32 other(struct has *h) { return h->n; }"),
        ("u32 a, c; struct link { struct link *next; } link;", "u32 b, a, c; struct link { struct link *next; } link;", ""),
        // In bytes; behind a pointer to anything; in a struct of either.
        ("u32 a, c;", "u32 b, a, c;", "static char pool[64]; u32 user(u32 x) { struct loc *l = (void *)pool; sink(pool); l->c = x; return l->a; }"),
        ("u32 a, c;", "u32 b, a, c;", "void *slot; u32 user(u32 x) { struct loc *l = slot; l->c = x; return l->a; }"),
        ("u32 a, c;", "u32 b, a, c;", "extern void *other; u32 user(u32 x) { struct loc *l = other; l->c = x; return l->a; }"),
        ("u32 a, c;", "u32 b, a, c;", "struct { u32 n; const void *p; } slot; u32 user(u32 x) { struct loc *l = (void *)slot.p; l->c = x; return l->a; }"),
    ])
    func aTypeThatOutlivesCallsMayNot(before: String, after: String, rest: String) async throws {
        let result = try await layouts([(local(before, rest), local(after, rest))])
        #expect(result.layouts.map(\.outcome) == [.refused])
    }

    /// It has the name of the variable: the first is over bytes that stay, the second on the stack.
    @Test(arguments: [
        ("*h = (void *)pool; h->a = x; sink(pool);", LayoutChange.Outcome.refused), ("h = { 0 }; h.a = x; sink(&h);", .stackOnly),
    ])
    func aTypeWithoutANameInAFunction(use: String, outcome: LayoutChange.Outcome) async throws {
        let source = { (members: String) in "static char pool[64]; u32 f(u32 x) { struct { \(members) } \(use) return x; }" }
        let result = try await layouts([(source("u32 a, b;"), source("u32 b, a;"))])
        #expect(result.layouts.map(\.outcome) == [outcome])
        #expect(result.layouts.map(\.type) == ["struct {…} h"])
    }

    @Test func usersInOtherObjectsCount() async throws {
        let other = "struct s { u32 first; u32 last; }; u32 elsewhere(const struct s *s) { return s->first; }"
        let new = "struct s { u32 first; u32 new; u32 last; }; u32 elsewhere(const struct s *s) { return s->first; }"
        // Types of a header, as the compiler sees them in both objects.
        let header = "# 1 \"shared.h\"\n"
        let result = try await layouts([
            (header + source(original), header + source("u32 first; u32 new; u32 last;")), (header + other, header + new),
        ])
        #expect(result.layouts.count == 1)
        #expect(result.layouts.first?.users?.outside == ["elsewhere", "stays"])
    }

    @Test func aTypeThatMovesToAHeaderKeepsItsUsers() async throws {
        let result = try await layouts([
            (source(original), "# 1 \"shared.h\"\n" + source("u32 first; u32 new; u32 last;").replacing("stays", with: "fresh"))
        ])
        #expect(result.layouts.first?.users?.inPayload == 2)
        #expect(result.layouts.first?.location?.file == "shared.h")
    }

    /// One object has the type only after the patch, and in the other nothing differs.
    @Test func theOtherSideMayBeInAnotherObject() async throws {
        let header = { (members: String) in "# 1 \"shared.h\"\nstruct s { \(members) };\n# 1 \"test.c\"\n" }
        let result = try await layouts([
            ("u32 f(void) { return 1; }", header("u32 a, b;") + "u32 f(void) { struct s s = { 2, 3 }; sink(&s); return s.b; }"),
            (header("u32 a;") + "u32 g(struct s *s) { return s->a; }", header("u32 a, b;") + "u32 g(struct s *s) { return s->a; }"),
        ])
        #expect(result.layouts.map(\.type) == ["struct s"])
        #expect(result.layouts.first?.users?.outside == ["g"])
    }

    // MARK: What the user allows

    @Test(arguments: ["struct s", "s", " struct  s "])
    func allowedByTheUser(name: String) async throws {
        let result = try await layouts([(source(original), source("u32 first; u32 new; u32 last;"))], allowed: [name])
        #expect(result.layouts.map(\.outcome) == [.allowed])
        #expect(result.diagnostics.map(\.severity) == [.warning])
        #expect(result.diagnostics.map(\.id) == [.layoutChanged])
    }

    @Test func aTypeThatDidNotChangeIsNamed() async throws {
        let result = try await layouts([(source(original), source("u32 first; u32 new; u32 last;"))], allowed: ["struct t"])
        #expect(result.layouts.map(\.outcome) == [.refused])
        #expect(result.diagnostics.map(\.id) == [.layoutChanged, .layoutNotChanged])
        #expect(result.diagnostics.last?.message.contains("struct t") == true)
    }

    // MARK: Weak evidence

    @Test func typesOfOneNameInTwoBlocks() async throws {
        let source = { (first: String, second: String) in
            """
            u32 f(u32 x)
            {
                if ( x ) { struct t { \(first) } t = { x }; sink(&t); }
                { struct t { \(second) } t = { x }; sink(&t); }
                return x;
            }
            """
        }
        let one = try await layouts([(source("u32 a;", "u32 a, b;"), source("u32 a;", "u32 c, a, b;"))])
        #expect(one.layouts.map(\.outcome) == [.stackOnly])
        // Neither is what it was: their members tell which is which, and of those that are alike any pair shows the difference.
        let both = try await layouts([(source("u32 a;", "u32 a, b;"), source("u32 n, a;", "u32 c, a, b;"))])
        #expect(both.layouts.map(\.outcome) == [.stackOnly])
    }

    /// All of them are there again, and yet each state is now read as the other's.
    @Test(arguments: [
        ("struct t { u32 a, b; }", "struct t { u32 b, a; }", "struct t"),
        ("enum t { first, second }", "enum t { second, first }", "enum t"), ("enum { first, second }", "enum { second, first }", nil),
    ])
    func blocksThatExchangeTheirTypes(one: String, other: String, type: String?) async throws {
        let source = { (first: String, second: String, result: String) in
            """
            u32 f(u32 x)
            {
                if ( x ) { static \(first) old; sink(&old); }
                { static \(second) young; sink(&young); }
                return \(result);
            }
            """
        }
        let exchanged = try await layouts([(source(one, other, "x"), source(other, one, "x + 1"))])
        #expect(Set(exchanged.layouts.map(\.outcome)) == [.refused])
        if let type { #expect(exchanged.layouts.map(\.type) == [type]) }
        let kept = try await layouts([(source(one, other, "x"), source(one, other, "x + 1"))])
        #expect(kept.layouts.isEmpty)
    }

    @Test func aVariablesTypeWithoutName() async throws {
        let source = { (members: String) in
            "static struct { \(members) } state; u32 f(u32 x) { state.a += x; return state.b; } void g(void) { sink(&state); }"
        }
        let result = try await layouts([(source("u32 a, b;"), source("u32 b, a;"))])
        #expect(result.layouts.map(\.type) == ["struct {…} state"])
        #expect(result.layouts.map(\.outcome) == [.refused])
        #expect(result.layouts.first?.users?.variables == ["state"])
    }

    @Test func aTagForATypedef() async throws {
        let source = { (tag: String, members: String) in
            "typedef struct \(tag) { \(members) } s_t; void f(s_t *s) { s->b = 1; } u32 g(s_t *s) { return s->a; }"
        }
        let result = try await layouts([(source("", "u32 a, b;"), source("s", "u32 a, n, b;"))])
        #expect(result.layouts.map(\.type) == ["struct s"])
    }

    // MARK: Other names

    /// What the hypervisor has of the old type is behind a `void *`, so nothing but its members says what it is now.
    @Test(arguments: [
        (
            "struct old { u32 flags; int pri; u64 x; };", "struct new { int pri; u32 flags; u64 x; };", "struct old", "struct new",
            [LayoutChange.Outcome.refused]
        ),
        ("struct old { u32 flags; int pri; };", "struct new { u32 flags; int pri; u64 x; };", "struct old", "struct new", [.refused]),
        ("struct old { u32 flags; int pri; };", "typedef struct { int pri; u32 flags; } new_t;", "struct old", "new_t", [.refused]),
        ("struct old { u32 flags; int pri; };", "struct new { u32 flags; int pri; };", "struct old", "struct new", []),
        // Nothing in common.
        ("struct old { u32 a, b; };", "struct new { u64 flags; u32 pri; };", "struct old", "struct new", []),
    ])
    func aRenamedTypeIsHeldAgainstTheOldOne(
        before: String, after: String, old: String, new: String, outcomes: [LayoutChange.Outcome]
    ) async throws {
        let source = { (definition: String, type: String, member: String) in
            "\(definition) void *any; u64 f(void) { \(type) *p = any; return p->\(member); } u32 g(u32 x) { return x; }"
        }
        let member = before.contains("flags") ? "flags" : "a"
        let result = try await layouts([(source(before, old, member), source(after, new, "pri + p->flags"))])
        #expect(result.layouts.map(\.outcome) == outcomes)
        #expect(result.layouts.allSatisfy { $0.type == new && $0.oldType == old })
    }

    @Test func aRenamedTypeOfAFunction() async throws {
        let source = { (type: String) in "static char pool[64]; u64 f(void) { struct \(type) *p = (void *)pool; sink(pool); return p->a; }" }
        let result = try await layouts([(source("x { u32 a; u64 b; }"), source("y { u64 b; u32 a; }"))])
        #expect(result.layouts.map(\.oldType) == ["struct x"] && result.layouts.map(\.outcome) == [.refused])
    }

    /// Whatever the names and the places of the two definitions are: what was written by the one is read by the other.
    @Test(arguments: [
        ("enum { A, B }; u32 f(void) { return *word == A; }", "enum e { B, A }; u32 f(void) { return *word == A; }"),
        ("enum e { A, B }; u32 f(void) { return *word == A; }", "enum d { B, A }; u32 f(void) { return *word == A; }"),
        (
            "typedef enum { A, B } e_t; u32 f(void) { e_t e = *word; return e == A; }",
            "typedef enum { B, A } d_t; u32 f(void) { d_t e = *word; return e == A; }"
        ),
        (
            "u32 f(int w) { if (w) { struct h { u32 id, x; } *h = any; return h->x; } else { struct h { u32 key, y; } *h = any; return h->y; } }",
            "u32 f(int w) { if (w) { struct h { u32 x, id; } *h = any; return h->x; } else { struct h { u32 y, key; } *h = any; return h->y; } }"
        ),
        ("u32 f(void) { return ((struct { u32 id, x; } *)any)->x; }", "u32 f(void) { return ((struct { u32 x, id; } *)any)->x; }"),
        ("u32 f(void) { struct h { u32 id, x; } *h = any; return h->x; }", "struct h { u32 x, id; }; u32 f(void) { struct h *h = any; return h->x; }"),
        ("struct h { u32 id, x; }; u32 f(void) { struct h *h = any; return h->x; }", "u32 f(void) { struct h { u32 x, id; } *h = any; return h->x; }"),
        (
            "u32 f(void) { struct h { u32 id, x; } *h = any; return h->x; }",
            "noinline static u32 g(void) { struct h { u32 x, id; } *h = any; return h->x; } u32 f(void) { return g() + 1; }"
        ),
    ])
    func aTypeIsFoundUnderAnotherNameOrInAnotherPlace(before: String, after: String) async throws {
        let start = "void *any; u32 *word; "
        let result = try await layouts([(start + before, start + after)])
        #expect(!result.layouts.isEmpty && result.layouts.allSatisfy { $0.outcome == .refused }, "\(result.layouts)")
        // And the same types in other code are no change.
        let other = "static u32 __attribute__((used)) k(u32 x) { return x + 1; } "
        #expect(try await layouts([(start + before, start + other + before)]).layouts.isEmpty)
    }

    /// The first object that has the old type is not the first that has the new one.
    @Test func aRenamedTypeOfSeveralObjects() async throws {
        let old = "struct entry { u32 id, x; };", new = "struct item { u32 x, id; };"
        let result = try await layouts([
            ("\(old) u32 f(struct entry *e) { return e->x; }", "u32 f(void *e) { sink(e); return 1; }"),
            ("\(old) u32 g(struct entry *e) { return e->id; }", "\(new) u32 g(struct item *e) { return e->id; }"),
        ])
        #expect(result.layouts.map(\.outcome) == [.refused] && result.layouts.map(\.oldType) == ["struct entry"], "\(result.layouts)")
    }
}
