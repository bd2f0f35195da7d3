import SystemPackage
import TestTools
import Testing

@testable import ArchX86_64

/// Operands and their directions, against what objdump writes: source first, destination last.
@Suite struct InstructionEffectTests {
    @Test func agreesWithObjdumpOnCompiledCode() async throws {
        try await withTemporaryFolder { folder in
            let file = try write(source, to: "a.c", in: folder)
            for level in ["-O0", "-O2", "-Os"] {
                try await run("gcc", [level, "-mno-sse", "-c", "-o", "a.o", file.string], in: folder)
                var tally = Tally()
                for part in try await Disassembly.of(folder.appending("a.o")) { tally.compare(part) }
                #expect(tally.wrong == [])
                #expect(tally.compared > 60)
            }
        }
    }

    @Test(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
    func agreesWithObjdumpOnXen() async throws {
        var tally = Tally()
        for object in try await BuiltXen.objects()
        where !object.string.contains("/boot/") && !["built_in.o", "prelink.o"].contains(object.lastComponent?.string) {
            for part in try await Disassembly.of(object) { tally.compare(part) }
        }
        #expect(tally.wrong == [])
        #expect(tally.compared > 100_000)
    }
}

extension InstructionEffectTests {
    /// What instructions read and write without saying so.
    @Test(
        arguments: [
            // cpuid, wrmsr, rdmsr, rdtscp, xgetbv, monitor, mulq %rcx, idivl (%rsi), cmpxchg16b (%rdi), cqto
            ([0x0f, 0xa2], [.rax, .rcx], [.rax, .rbx, .rcx, .rdx]), ([0x0f, 0x30], [.rax, .rcx, .rdx], []),
            ([0x0f, 0x32], [.rcx], [.rax, .rdx]), ([0x0f, 0x01, 0xf9], [], [.rax, .rcx, .rdx]), ([0x0f, 0x01, 0xd0], [.rcx], [.rax, .rdx]),
            ([0x0f, 0x01, 0xc8], [.rax, .rcx, .rdx], []), ([0x48, 0xf7, 0xe1], [.rax, .rcx], [.rax, .rdx]),
            ([0xf7, 0x3e], [.rax, .rdx], [.rax, .rdx]), ([0x48, 0x0f, 0xc7, 0x0f], [.rax, .rbx, .rcx, .rdx], [.rax, .rdx]),
            ([0x48, 0x99], [.rax], [.rdx]),
            // xsave (%rdi), rdpkru, vmload, out %eax,(%dx), in (%dx),%al, shld %cl,%rax,%rbx, rdrand %rbx, movq %rax,%xmm0
            ([0x0f, 0xae, 0x27], [.rax, .rdx], []), ([0x0f, 0x01, 0xee], [.rcx], [.rax, .rdx]), ([0x0f, 0x01, 0xda], [.rax], []),
            ([0xef], [.rax, .rdx], []), ([0xec], [.rdx], [.rax]), ([0x48, 0x0f, 0xa5, 0xc3], [.rax, .rbx, .rcx], [.rbx]),
            ([0x48, 0x0f, 0xc7, 0xf3], [], [.rbx]), ([0x66, 0x48, 0x0f, 0x6e, 0xc0], [.rax], []),
            // BSF %rcx,%rdx and RDSSPQ %rdx, which may leave it alone; UDB
            ([0x48, 0x0f, 0xbc, 0xd1], [.rcx], [.rdx]), ([0xf3, 0x48, 0x0f, 0x1e, 0xca], [], [.rdx]), ([0xd6], [], []),
        ] as [([UInt8], [Register], [Register])])
    func impliedRegisters(code: [UInt8], reads: [Register], writes: [Register]) throws {
        let instruction = try #require(Instruction(at: 0, in: code[...]))
        #expect(instruction.end == code.count)
        func registers(_ operands: [Operand]) -> [Register] {
            Set(operands.compactMap { if case .register(let number, _, _) = $0 { number } else { nil } }).sorted()
        }
        switch instruction.effect {
        case .compute(let all):
            #expect(registers(all.reads) == reads.sorted())
            #expect(registers(all.writes + all.mayWrite) == writes.sorted())
        case .none: #expect(reads.isEmpty && writes.isEmpty)
        default: Issue.record("\(instruction.effect)")
        }
    }

    /// Hypercalls, interrupts and what the library does not know may use any register that a call may change.
    @Test(arguments: [[0x0f, 0x01, 0xc1], [0xcd, 0x80], [0x0f, 0x05], [0x48, 0xcf], [0x0f, 0x01, 0xc6]] as [[UInt8]])
    func whatOthersDoMeanwhile(code: [UInt8]) throws {
        guard case .compute(let all) = try #require(Instruction(at: 0, in: code[...])).effect else {
            Issue.record("it has a meaning of its own")
            return
        }
        #expect(all.leadsElsewhere)
        for register in Register.scratch + [.rbx] { #expect(all.reads.contains(.register(register, width: 8))) }
    }
}

private struct Tally {
    var compared = 0
    var wrong: [String] = []

    mutating func compare(_ part: Disassembly) {
        var position = 0
        for (length, text) in zip(part.lengths, part.texts) {
            defer { position += length }
            // Behind this prefix, registers in addresses have 32 bits.
            guard part.code[position] != 0x67, let instruction = Instruction(at: position, in: part.code[...]) else { continue }
            guard let expected = operands(of: instruction.effect) else { continue }
            compared += 1
            // Mnemonic, operands, comment; the first may have prefixes before it.
            let plain = text.split(separator: "#")[0].split(separator: "<")[0].split(separator: " ").joined(separator: " ")
            // An absolute address has no register either.
            let found = plain.hasSuffix(expected) || plain.hasSuffix(expected.replacing("(%rip)", with: ""))
            if !found, !Self.isWrittenOtherwise(plain) { wrong.append("\(part.name)+\(position): \(text): \(expected)") }
        }
    }

    /// Whether operands are implied, or stand in parentheses of their own.
    private static func isWrittenOtherwise(_ text: String) -> Bool {
        ["cltq", "cqto", "cwtl", "cltd", "cwtd", "cbtw", "in (", "pushf", "popf"].contains { text.hasPrefix($0) }
    }

    /// "source,destination" as objdump writes them; nil for effects that it says more or less about.
    private func operands(of effect: InstructionEffect) -> String? {
        switch effect {
        case .move(let target, let source), .conditionalMove(let target, let source): list(source, target)
        case .add(let target, let source), .subtract(let target, let source), .and(let target, let source), .compare(let target, let source):
            list(source, target)
        case .compareExchange(let target, let source): list(source, target)
        case .test(let a, let b): list(b, a)
        case .addressOf(let memory, let target): list(.memory(memory, width: 8), target)
        case .compute(let all) where all.writes.count == 1 && all.mayWrite.isEmpty && all.reads.count == 2 && all.reads[0] == all.writes[0]:
            list(all.reads[1], all.writes[0])
        case .compute(let all) where all.writes.count == 1 && all.mayWrite.isEmpty && all.reads.count == 1: list(all.reads[0], all.writes[0])
        case .push(let operand), .pop(let operand): string(operand)
        default: nil
        }
    }

    private func list(_ a: Operand, _ b: Operand) -> String? {
        // Numbers are left out, and one operand that is both.
        guard let second = string(b) else { return nil }
        guard a != b, let first = string(a) else { return second }
        return "\(first),\(second)"
    }

    private func string(_ operand: Operand) -> String? {
        switch operand {
        case .register(let number, let width, let isSecondByte):
            return "%" + (isSecondByte ? ["ah", "ch", "dh", "bh"][number] : Self.name(number, width))
        case .immediate: return nil
        case .memory(let memory, _):
            let displacement = memory.field == nil ? "" : Self.hexadecimal(memory.displacement)
            guard memory.base != nil || memory.index != nil else {
                return memory.field.map { $0.count } == 8 ? nil : "\(displacement)(%rip)"
            }
            let base = memory.base.map { "%" + Self.name($0, 8) } ?? ""
            let index = memory.index.map { ",%\(Self.name($0, 8)),\(memory.scale)" } ?? ""
            return "\(displacement)(\(base)\(index))"
        }
    }

    private static func hexadecimal(_ value: Int64) -> String {
        (value < 0 ? "-0x" : "0x") + String(value.magnitude, radix: 16)
    }

    private static func name(_ number: Int, _ width: Int) -> String {
        if number >= 8 { return "r\(number)" + [1: "b", 2: "w", 4: "d", 8: ""][width, default: "?"] }
        let stem = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"][number]
        switch width {
        case 1: return number < 4 ? String(stem.prefix(1)) + "l" : stem + "l"
        case 2: return stem
        case 4: return "e" + stem
        default: return "r" + stem
        }
    }
}

private let source = """
    struct s { char a; short b; int c; long d; unsigned char e[9]; } g[7];
    long sum(struct s *p, int n) { long r = 0; for (int i = 0; i < n; i++) r += p[i].d * p[i].c - p[i].b + p[i].e[i & 7]; return r; }
    void set(struct s *p, int i) { p[i].a = p->b; p[i].b = p->c; p[i].c = p->a; p[i].d = (long)&p[i].c; g[i].e[3] |= 5; g[i].c ^= i; }
    int pick(int a, int b, long c) { return (a < b ? a : b) + (c > 3 && a ? g[c].c : (c & 4) != 0); }
    unsigned div(unsigned a, unsigned b) { return a / b + a % 7 + (a >> (b & 31)) - (unsigned short)(a + b); }
    _Bool cas(long *p, long a) { return __sync_bool_compare_and_swap(p, a, 3); }
    long many(long a, long b, long c, long d, long e, long f, long h) { return a * 3 + b * 5 + c * 9 - d + e * 2 + (f & h); }
    """
