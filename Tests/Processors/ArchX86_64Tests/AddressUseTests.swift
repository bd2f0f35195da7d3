import ArchX86_64
import ELFModel
import SystemPackage
import TargetArchitecture
import TestTools
import Testing

/// What functions do with the address of `table`, compiled as Xen's are.
@Suite struct AddressUseTests {
    @Test(arguments: [
        // By index, several fields, several places.
        "int f(unsigned i) { return i < 9 ? table[i] : table[0]; }",
        "int f(unsigned i) { return table[i] ? table[i + 1] * table[i & 3] : 7; }",
        // All of it, with bounds that are addresses too.
        "int f(int x) { for (int i = 0; i < 9; i++) if (table[i] == x) return i; return -1; }",
        "int f(int x) { int s = 0; for (const int *p = table; p != table + 9; p++) { ext(*p); s += *p ^ x; } return s; }",
        "int f(void) { int s = 0; for (const int *p = table + 8; p >= table; p--) s = s * 3 + ext(*p); return s; }",
        // To functions that read.
        "int f(void *p) { return memcmp(p, table, 36); }",
        "void f(void *p) { memcpy(p, table, 36); }",
        "void f(void) { printk(\"%p\", table); }",
        // Spilled: too much is alive across the calls.
        """
        int f(int *a, int *b, int *c, int *d, int *e, int *g, unsigned n) {
            const int *t = n & 1 ? table : table + 2;
            for (unsigned i = 0; i < n; i++) { *a = ext(*b); *c = ext(*d); *e = ext(*g); a += t[i & 3]; b += n; c += i; d += *a; }
            return ext(*a) + *t;
        }
        """,
        // A choice that may be neither, and whether it is.
        "int f(int x) { const int *p = x > 3 ? &table[x & 7] : x ? other() : 0; return p ? *p : 4; }",
        // Inline assembly that reads.
        "void f(void *to) { const void *from = table; long n = 9; asm volatile (\"rep movsl\" : \"+D\" (to), \"+S\" (from), \"+c\" (n) :: \"memory\"); }",
        "int f(unsigned i) { int r; asm (\"bt %1, table(%%rip)\\n sbb %0, %0\" : \"=r\" (r) : \"r\" (i), \"m\" (table)); return r; }",
        // Registers that a call has left undefined are no arguments of the next.
        "int f(unsigned i) { unsigned k = table[ext(i) & 7]; return ext(ext(k) + 1); }",
    ])
    func reads(function: String) async throws {
        #expect(try await use(in: function) == .readsOnly)
    }

    @Test(arguments: [
        ("const int *f(unsigned i) { return &table[i]; }", AddressEscape.returned),
        ("struct two f(long x) { return (struct two){ x, table }; }", .returned),
        ("void f(struct s *p) { p->ops = table; }", .stored),
        ("void f(unsigned i) { kept = &table[i]; }", .stored),
        ("void f(const int **p) { __atomic_exchange_n(p, table, 5); }", .stored),
        ("_Bool f(struct s *p) { return p->ops == table; }", .compared),
        // As a jump to a function that finds a place in it.
        ("const void *f(int c) { return memchr(table, c, 36); }", .returned),
        ("void f(int c) { kept = memchr(table, c, 36); }", .stored),
        ("int f(struct s *p) { const int *t = p->ops ? p->ops : table; return t == table ? 3 : *t; }", .compared),
        ("_Bool f(struct s *p) { return p->ops >= table && p->ops < table + 9; }", .compared),
        ("long f(struct s *p) { return p->ops - table; }", .compared),
        ("void f(void) { unknown(table); }", .passed(to: "unknown")),
        ("int f(int a) { return six(a, a, a, a, a, table); }", .passed(to: "six")),
        ("int f(int a) { return seven(a, a, a, a, a, a, table); }", .passed(to: "seven")),
        ("void f(void (*call)(const int *)) { call(table + 2); }", .passed(to: nil)),
        ("int f(int a) { ext(a); unknown(a ? other() : table); return 0; }", .passed(to: "unknown")),
        // In a structure that others are given.
        ("int f(void) { struct s x = { .ops = table }; return look(&x); }", .stored),
        // The part that is written to is never a constant.
        ("void f(void *p) { memcpy((void *)table, p, 36); }", .passed(to: "memcpy")),
    ])
    func escapes(function: String, how: AddressEscape) async throws {
        guard case .escapes(_, let found) = try await use(in: function) else {
            Issue.record("reads only")
            return
        }
        #expect(found == how)
    }

    /// A switch that the compiler makes a table of.
    @Test func switchTable() async throws {
        let source = """
            int f(int x) { switch (x) { case 0: return 17; case 1: return 99; case 2: return 4; case 3: return 62; case 4: return 1717;
                case 5: return 3; case 6: return 5; } return -1; }
            """
        #expect(try await use(in: source, table: "CSWTCH") == .readsOnly)
    }

    /// Strings by index, as `names[i]`: the pointers that are read are not the table.
    @Test func tableOfStrings() async throws {
        let source = """
            static const char *const names[] = { "one", "two", "three", "four" };
            void f(unsigned i) { printk("%s", i < 4 ? names[i] : "?"); for (i = 0; i < 4; i++) printk("%s %s", names[i], names[3 - i]); }
            """
        #expect(try await use(in: source, table: "names") == .readsOnly)
    }

    /// A jump table of offsets, whose base is added to what is read and jumped to.
    @Test func jumpTable() async throws {
        let source = """
            int f(int x, int *p) { switch (x) { case 0: return ext(3); case 1: p[2] = 5; break; case 2: p[x] = 4; return ext(1);
                case 3: return p[3]; case 4: ext(9); break; case 5: return ext(p[1]); case 6: p[9]++; } return ext(x); }
            """
        let object = try await Compiled(source, options: ["-fjump-tables"])
        #expect(try object.use(of: "", in: "f", signatures: ["ext": CallSignature(arguments: 1, results: 1), "f": CallSignature(results: 1)]) == .readsOnly)
    }

    /// With the callee's arguments known, what is left over in a register is not passed.
    @Test func signaturesTellArguments() {
        // lea table(%rip),%rsi; mov (%rsi,%rdi,4),%edi; jmp ext
        let code: [UInt8] = [0x48, 0x8d, 0x35, 0, 0, 0, 0, 0x8b, 0x3c, 0xbe, 0xe9, 0, 0, 0, 0]
        func use(_ signature: CallSignature) -> AddressUse {
            let function = FunctionCode(bytes: code[...], relocated: [3..<7, 11..<15], landings: []) { slot in
                slot == 11 ? Callee(name: "ext", signature: signature, isInSameObject: false) : nil
            }
            return ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:])
        }
        #expect(use(.unknown) == .escapes(at: 10, .passed(to: "ext")))
        #expect(use(CallSignature(arguments: 2)) == .escapes(at: 10, .passed(to: "ext")))
        #expect(use(CallSignature(arguments: 1)) == .readsOnly)
    }

    /// A compiler may count on registers that a function of the same object leaves alone.
    @Test func registersAcrossCalls() {
        // lea table(%rip),%rdx; call g; mov %rdx,(%rbx); ret
        let code: [UInt8] = [0x48, 0x8d, 0x15, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x48, 0x89, 0x13, 0xc3]
        func use(isInSameObject: Bool) -> AddressUse {
            let function = FunctionCode(bytes: code[...], relocated: [3..<7, 8..<12], landings: []) { _ in
                Callee(name: "g", signature: CallSignature(arguments: 0, results: 1), isInSameObject: isInSameObject)
            }
            return ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:])
        }
        #expect(use(isInSameObject: true) == .escapes(at: 12, .stored))
        #expect(use(isInSameObject: false) == .readsOnly)
    }

    /// Where something leads into the middle of a function, the address comes along.
    @Test func landings() {
        // 0: lea table(%rip),%rdx; 7: mov (%rdx),%rdx; 10: ret; 11: mov %rdx,(%rdi); 14: ret
        let code: [UInt8] = [0x48, 0x8d, 0x15, 0, 0, 0, 0, 0x48, 0x8b, 0x12, 0xc3, 0x48, 0x89, 0x17, 0xc3]
        func use(_ landings: [Landing]?, code: [UInt8] = code) -> AddressUse {
            let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: landings, signature: CallSignature(results: 0)) { _ in nil }
            return ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:])
        }
        #expect(use([Landing(from: 0, to: 11)]) == use([Landing(from: 10, to: 11)]))
        #expect(use([Landing(from: 7, to: 11)]) == .escapes(at: 11, .stored))
        #expect(use([Landing(from: nil, to: 11)]) == .escapes(at: 11, .stored))
        #expect(use([Landing(from: 7, to: 12)]) == .escapes(at: 11, .stored))
        #expect(use(nil) == .escapes(at: 11, .stored))
        // Nothing that is known leads there: it may be entered from anywhere.
        #expect(use([]) == .escapes(at: 11, .stored))
        #expect(use([], code: Array(code.prefix(11)) + [0xcc, 0xcc, 0x0f, 0x1f, 0x00]) == .readsOnly)
    }

    /// Code that spills the address, or lets it go in ways that only an instruction's hidden operands and exact reach tell.
    ///
    /// Each begins with `lea table(%rip),%rax`.
    @Test(
        arguments: [
            // push %rax; xor %eax,%eax; …; pop %rax; xor %eax,%eax; ret. movq (%rsp),%xmm0; movq %xmm0,(%rdi)
            ("vector load", [0x50, 0x31, 0xc0, 0xf3, 0x0f, 0x7e, 0x04, 0x24, 0x66, 0x0f, 0xd6, 0x07, 0x58, 0x31, 0xc0, 0xc3], nil),
            // fildll (%rsp); fistpll (%rdi)
            ("x87 load", [0x50, 0x31, 0xc0, 0xdf, 0x2c, 0x24, 0xdf, 0x3f, 0x58, 0x31, 0xc0, 0xc3], nil),
            // mov %rsp,%rbp; movups -8(%rbp),%xmm0
            ("through RBP", [0x50, 0x31, 0xc0, 0x48, 0x89, 0xe5, 0x0f, 0x10, 0x45, 0xf8, 0x58, 0x31, 0xc0, 0xc3], nil),
            // xrstor (%rsp)
            ("saved state", [0x50, 0x31, 0xc0, 0x0f, 0xae, 0x2c, 0x24, 0x58, 0x31, 0xc0, 0xc3], nil),
            // vmptrld (%rsp); cmpxchg16b (%rsp)
            ("system", [0x50, 0x31, 0xc0, 0x0f, 0xc7, 0x34, 0x24, 0x58, 0x31, 0xc0, 0xc3], nil),
            ("16 bytes", [0x50, 0x31, 0xc0, 0x48, 0x0f, 0xc7, 0x0c, 0x24, 0x58, 0x31, 0xc0, 0xc3], nil),
            // mov %rsp,%rdi; xor %eax,%eax; repne scasb compares with the bytes of what was spilled.
            ("scan", [0x50, 0x48, 0x89, 0xe7, 0x31, 0xc0, 0xf2, 0xae, 0x58, 0x31, 0xc0, 0xc3], .stored),
            // mov %rsp,%rdi; movsq; pop %rcx; cmp %rax,%rcx; sete (%rdi): the slot has another pointer by then.
            ("string over the slot", [0x50, 0x48, 0x89, 0xe7, 0x48, 0xa5, 0x59, 0x48, 0x39, 0xc1, 0x0f, 0x94, 0x07, 0x31, 0xc0, 0xc3], .compared),
            // mov %rsi,(%rsp,%rdx,8); pop %rcx; cmp %rax,%rcx
            ("index over the slot", [0x50, 0x48, 0x89, 0x34, 0xd4, 0x59, 0x48, 0x39, 0xc1, 0x0f, 0x94, 0x07, 0x31, 0xc0, 0xc3], .compared),
            // bts %rdx,-16(%rsp); pop %rcx; cmp %rax,%rcx
            ("bit of the slot", [0x50, 0x48, 0x0f, 0xab, 0x54, 0x24, 0xf0, 0x59, 0x48, 0x39, 0xc1, 0x0f, 0x94, 0x07, 0x31, 0xc0, 0xc3], .compared),
            // mov %rax,%rcx; rdsspq %rax; cmp %rax,%rcx: without shadow stacks it is still the address, with them it is not.
            ("RDSSPQ", [0x48, 0x89, 0xc1, 0xf3, 0x48, 0x0f, 0x1e, 0xc8, 0x48, 0x39, 0xc1, 0x0f, 0x94, 0x07, 0x31, 0xc0, 0xc3], .compared),
            // in (%dx),%ax leaves the upper bytes alone; mov %rax,(%rdi)
            ("narrow input", [0x66, 0xed, 0x48, 0x89, 0x07, 0x31, 0xc0, 0xc3], .stored),
            // bndmk (%rax),%bnd0; bndmov %bnd0,(%rdi); xor %eax,%eax; ret
            ("bounds", [0xf3, 0x0f, 0x1b, 0x00, 0x66, 0x0f, 0x1b, 0x07, 0x31, 0xc0, 0xc3], nil),
            // mov %rax,%rdi; ud2 or UDB, which go on for WARN(); mov %rdi,(%rsi); xor %eax,%eax; ret
            ("UD2", [0x48, 0x89, 0xc7, 0x0f, 0x0b, 0x48, 0x89, 0x3e, 0x31, 0xc0, 0xc3], .stored),
            ("UDB", [0x48, 0x89, 0xc7, 0xd6, 0x48, 0x89, 0x3e, 0x31, 0xc0, 0xc3], .stored),
        ] as [(String, [UInt8], AddressEscape?)])
    func exactOperands(what: String, rest: [UInt8], how: AddressEscape?) {
        let code = [0x48, 0x8d, 0x05, 0, 0, 0, 0] + rest
        let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: [], signature: CallSignature(results: 1)) { _ in nil }
        guard case .escapes(_, let found) = ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:]) else {
            Issue.record("reads only")
            return
        }
        if let how { #expect(found == how) } else if case .unknown = found {} else { Issue.record("\(found)") }
    }

    /// Instructions that neither see the address nor where it was spilled.
    @Test(
        arguments: [
            // push %rax; lgdt (%rdi); rdrand %ecx; movups (%rdi),%xmm0; movups %xmm0,-24(%rsp); pop %rax; mov (%rax),%eax; ret
            [
                0x50, 0x0f, 0x01, 0x17, 0x0f, 0xc7, 0xf1, 0x0f, 0x10, 0x07, 0x0f, 0x11, 0x44, 0x24, 0xe8, 0x58, 0x8b, 0x00, 0xc3,
            ],
            // cmpl $0,(%rax); je; UDB; xor %eax,%eax; ret
            [0x83, 0x38, 0, 0x74, 0x01, 0xd6, 0x31, 0xc0, 0xc3],
            // movups (%rax),%xmm0; movups %xmm0,(%rdi); xor %eax,%eax; ret: a copy
            [0x0f, 0x10, 0x00, 0x0f, 0x11, 0x07, 0x31, 0xc0, 0xc3],
        ] as [[UInt8]])
    func operandsThatAreOthers(rest: [UInt8]) {
        let code = [0x48, 0x8d, 0x05, 0, 0, 0, 0] + rest
        let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: [], signature: CallSignature(results: 1)) { _ in nil }
        #expect(ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:]) == .readsOnly)
    }

    /// lea table(%rip),%r8; mov (%r8),%eax; ret; then, from anywhere: xchg %r8d,%eax; mov %rax,(%rdi); ret.
    @Test func anExchangeIsNoFiller() {
        let code: [UInt8] = [0x4c, 0x8d, 0x05, 0, 0, 0, 0, 0x41, 0x8b, 0x00, 0xc3, 0x41, 0x90, 0x48, 0x89, 0x07, 0xc3]
        let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: [], signature: CallSignature(results: 1)) { _ in nil }
        #expect(ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:]) == .escapes(at: 13, .stored))
    }

    /// imul $table,%rcx,%rax; xor %eax,%eax; ret: a number in the instruction is read, too.
    @Test func relocatedNumbers() {
        let code: [UInt8] = [0x48, 0x69, 0xc1, 0, 0, 0, 0, 0x31, 0xc0, 0xc3]
        let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: []) { _ in nil }
        guard case .escapes(0, .unknown) = ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:]) else {
            Issue.record("reads only")
            return
        }
    }

    @Test func undecodableOrOddCode() {
        func use(_ code: [UInt8], slot: Range<Int> = 3..<7) -> AddressUse {
            let function = FunctionCode(bytes: code[...], relocated: [slot], landings: []) { _ in nil }
            return ArchX86_64().addressUse(takenAt: [slot], in: function, readers: [:])
        }
        let read: [UInt8] = [0x48, 0x8b, 0x15, 0, 0, 0, 0, 0xc3]
        #expect(use(read) == .readsOnly)
        for (code, slot) in [
            (read + [0x06], 3..<7), (Array(read.prefix(5)), 3..<7), (read, 2..<6), (read, 40..<44), ([], 0..<4),
            // enter; mov %edx, table(%rip)
            (read.dropLast() + [0xc8, 0, 0, 0, 0xc3], 3..<7), ([0x41, 0x89, 0x15, 0, 0, 0, 0, 0xc3], 3..<7),
        ] {
            guard case .escapes(_, .unknown) = use(code, slot: slot) else {
                Issue.record("\(code) \(slot)")
                continue
            }
        }
    }

    /// Any bytes: no trap, and an end.
    @Test func anyBytes() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<5_000 {
            var code: [UInt8] = [0x48, 0x8d, 0x05, 0, 0, 0, 0]
            for _ in 0..<Int(state % 40) {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                code.append(UInt8(truncatingIfNeeded: state >> 11))
            }
            state &+= 0x9e37_79b9_7f4a_7c15
            let function = FunctionCode(bytes: code[...], relocated: [3..<7], landings: [Landing(from: nil, to: Int(state % 50))]) { _ in nil }
            _ = ArchX86_64().addressUse(takenAt: [3..<7], in: function, readers: [:])
        }
    }

    private func use(in function: String, table: String = "table") async throws -> AddressUse {
        let known = [
            "ext": CallSignature(arguments: 1, results: 1), "other": CallSignature(arguments: 0, results: 1),
            "look": CallSignature(arguments: 1, results: 1),
            "f": CallSignature(results: function.hasPrefix("void") ? 0 : function.hasPrefix("struct") ? 2 : 1),
        ]
        return try await Compiled(Compiled.prelude + function).use(of: table, in: "f", signatures: known)
    }
}

/// An object made from C.
private struct Compiled {
    let file: ELFFile

    static let prelude = """
        #pragma GCC visibility push(hidden)
        struct s { long a; const int *ops; }; struct two { long a; const int *b; };
        static const int table[9] = { 3, 1, 4, 1, 5, 9, 2, 6, 5 };
        const int *kept; int ext(int); const int *other(void); void unknown(const int *); int look(struct s *);
        int six(int, int, int, int, int, const int *); int seven(int, int, int, int, int, int, const int *);
        int memcmp(const void *, const void *, unsigned long); void *memcpy(void *, const void *, unsigned long);
        void *memchr(const void *, int, unsigned long); void printk(const char *, ...);

        """

    init(_ source: String, options: [String] = []) async throws {
        file = try await withTemporaryFolder { folder in
            let heading = source.contains("memcmp") ? "" : "int ext(int); void printk(const char *, ...);\n"
            _ = try write(heading + source + "\n", to: "a.c", in: folder)
            let flags = [
                "-m64", "-std=gnu99", "-O2", "-fomit-frame-pointer", "-fno-builtin", "-fpic", "-ffunction-sections", "-fdata-sections",
                "-fno-asynchronous-unwind-tables", "-mno-red-zone", "-mno-sse", "-fno-strict-aliasing", "-fno-jump-tables",
            ]
            try await run("gcc", flags + options + ["-c", "a.c", "-o", "a.o"], in: folder)
            return try ELFFile.read(folder.appending("a.o"))
        }
    }

    /// - Parameter table: what its section's name ends with, behind `.rodata.` and the like; empty for `.rodata` itself.
    func use(
        of table: String, in function: String, landings: [Landing]? = [], signatures: [String: CallSignature] = [:]
    ) throws -> AddressUse {
        let symbol = try #require(file.symbols.first { $0.name == function })
        let section = try #require(symbol.sectionIndex)
        let relocations = file.sections.filter { $0.isRelocations && Int($0.info) == section }.flatMap(\.relocations)
        let architecture = ArchX86_64()
        func slot(_ relocation: ELFRelocation) -> Range<Int> {
            Int(relocation.offset)..<Int(relocation.offset) + (architecture.relocationKind(relocation.type)?.width ?? 0)
        }
        let slots = relocations.filter { relocation in
            guard let target = file.symbols[relocation.symbol].sectionIndex else { return false }
            let name = file.sections[target].name
            return table.isEmpty ? name == ".rodata" || name == ".rodata.\(function)" : name.hasPrefix(".rodata.\(table)") || name.hasSuffix(".local.\(table)")
        }
        try #require(!slots.isEmpty)
        let code = FunctionCode(
            bytes: file.sections[section].data[...], relocated: relocations.map(slot), landings: landings,
            signature: signatures[function] ?? .unknown
        ) { place in
            relocations.first { Int($0.offset) == place }.map {
                let name = file.symbols[$0.symbol].name
                return Callee(name: name, signature: signatures[name] ?? .unknown, isInSameObject: false)
            }
        }
        return architecture.addressUse(takenAt: slots.map(slot), in: code, readers: Reader.ofXen)
    }
}
