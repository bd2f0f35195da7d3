import ArchX86_64
import SystemPackage
import TestTools
import Testing

@Suite struct InstructionLayoutTests {
    /// Every encoding form that hypervisor code uses, in the assembler's words, judged by objdump.
    @Test func agreesWithObjdumpOnEachForm() async throws {
        try await withTemporaryFolder { folder in
            let file = try write(assembly + "\n", to: "forms.s", in: folder)
            try await run("as", ["-o", "forms.o", file.string], in: folder)
            let parts = try await Disassembly.of(folder.appending("forms.o"))
            #expect(parts.reduce(0) { $0 + $1.lengths.count } > 200)
            for part in parts {
                #expect(part.differences().wrong == [])
                #expect(part.differences().unknown == [])
                part.expectThatNoBeginningDecodes()
            }
        }
    }

    /// All code of a compiled file with floating point, vectors and switch statements.
    @Test(arguments: [["-O2"], ["-O0", "-fcf-protection"], ["-O3", "-mavx2"], ["-O3", "-mavx512f", "-mavx512vl", "-mavx512bw"]])
    func agreesWithObjdumpOnCompiledCode(options: [String]) async throws {
        try await withTemporaryFolder { folder in
            let file = try write(compiledSource, to: "a.c", in: folder)
            try await run("gcc", options + ["-c", "-o", "a.o", file.string], in: folder)
            for part in try await Disassembly.of(folder.appending("a.o")) {
                #expect(part.differences().wrong == [])
                #expect(part.differences().unknown == [])
            }
        }
    }

    @Test(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
    func agreesWithObjdumpOnXen() async throws {
        var instructions = 0
        // The boot folder holds 16-bit and 32-bit code; objects made of other objects would be compared twice.
        for object in try await BuiltXen.objects()
        where !object.string.contains("/boot/") && !["built_in.o", "prelink.o"].contains(object.lastComponent?.string) {
            for part in try await Disassembly.of(object) {
                let (wrong, unknown) = part.differences()
                instructions += part.lengths.count
                #expect(wrong == [], "\(object)")
                #expect(unknown == [], "\(object)")
            }
        }
        #expect(instructions > 100_000)
    }

    @Test(
        arguments: [
            // cmpl $1, flag(%rip); call; movabs $0, %rax; movw $0, 8(%rsp); ret
            ([0x83, 0x3d, 0, 0, 0, 0, 1], .init(length: 7, displacement: 2..<6, immediate: 6..<7, relative: .operand)),
            ([0xe8, 0, 0, 0, 0, 0x90], .init(length: 5, immediate: 1..<5, relative: .branch)),
            ([0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0], .init(length: 10, immediate: 2..<10)),
            ([0x66, 0xc7, 0x44, 0x24, 8, 0, 0], .init(length: 7, displacement: 4..<5, immediate: 5..<7)),
            ([0xc3], .init(length: 1)),
            // mov 0x1000(%rbp,%rax), %eax; mov 0x1000, %eax; mov 0x10(%eip), %eax; movabs 0x10, %al
            ([0x8b, 0x84, 0x05, 0, 0x10, 0, 0], .init(length: 7, displacement: 3..<7)),
            ([0x8b, 0x04, 0x25, 0, 0x10, 0, 0], .init(length: 7, displacement: 3..<7)),
            ([0x67, 0x8b, 0x05, 0x10, 0, 0, 0], .init(length: 7, displacement: 3..<7, relative: .operand)),
            ([0xa0, 0x10, 0, 0, 0, 0, 0, 0, 0], .init(length: 9, displacement: 1..<9)),
            // enter $16, $2; xbegin; loop; vpblendvb %xmm0, table(%rip), %xmm1, %xmm2
            ([0xc8, 16, 0, 2], .init(length: 4, immediate: 1..<4)),
            ([0xc7, 0xf8, 0, 0, 0, 0], .init(length: 6, immediate: 2..<6, relative: .branch)),
            ([0xe2, 0xfe], .init(length: 2, immediate: 1..<2, relative: .branch)),
            ([0xc4, 0xe3, 0x71, 0x4c, 0x15, 0, 0, 0, 0, 0], .init(length: 10, displacement: 5..<9, immediate: 9..<10, relative: .operand)),
        ] as [([UInt8], InstructionLayout)])
    func layoutTellsTheFields(bytes: [UInt8], layout: InstructionLayout) {
        #expect(decodeInstruction(bytes[...]) == layout)
    }

    /// What Xen writes as bytes, since assemblers are too old for it: UDB, WRMSRNS, ERETU, ERETS.
    @Test(arguments: [[0xd6], [0x0f, 0x01, 0xc6], [0xf3, 0x0f, 0x01, 0xca], [0xf2, 0x0f, 0x01, 0xca]] as [[UInt8]])
    func knowsWhatTheLibraryIsTooOldFor(bytes: [UInt8]) {
        #expect(decodeInstruction(bytes[...]) == InstructionLayout(length: bytes.count))
        #expect(decodeInstruction((bytes + [0x90, 0x90])[...]) == InstructionLayout(length: bytes.count))
        for count in 0..<bytes.count { #expect(decodeInstruction(bytes.prefix(count)) == nil) }
    }

    @Test func cutShortOrInvalidIsUnknown() {
        for bytes: ArraySlice<UInt8> in [
            [], [0x66], [0x48], [0x0F], [0xE8, 0, 0], [0x8B, 0x05, 0, 0, 0], [0xC5], [0xC4, 0xE2, 0x79], [0x0F, 0x38],
            // Not in 64-bit mode: push %es, daa, bound and the like.
            [0x06, 0, 0, 0], [0x27], [0x60], [0x82, 0, 0, 0], [0x9A, 0, 0, 0, 0, 0, 0], [0xEA],
            // Intel and AMD disagree on the operand size of a near branch.
            [0x66, 0xE8, 0, 0, 0, 0], [0x66, 0x0F, 0x84, 0, 0, 0, 0],
            // Fifteen prefixes and no room for an opcode.
            ArraySlice(repeating: 0x66, count: 15) + [0x90],
            // VEX after a prefix that forbids it.
            [0x66, 0xC5, 0xF8, 0x77],
        ] {
            #expect(decodeInstruction(bytes) == nil, "\(bytes)")
        }
    }

    @Test func nothingReadsPastTheEnd() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<200_000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let count = Int(state & 15)
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: state >> (8 * UInt64($0 & 7))) &+ UInt8($0) }
            guard let found = decodeInstruction(bytes[...]) else { continue }
            #expect((1...count).contains(found.length))
            if let immediate = found.immediate { #expect(immediate.upperBound == found.length) }
            // 3DNow! has its opcode behind the displacement.
            if let displacement = found.displacement, bytes.firstRange(of: [0x0f, 0x0f]) == nil {
                #expect(displacement.upperBound == (found.immediate?.lowerBound ?? found.length))
            }
        }
    }

    @Test func trailingBytesOfASlot() {
        // 100: push %rbx; cmpl $1, a(%rip); movw $2, b(%rip); movl $3, c(%rip); mov d(%rip), %eax; jmp e
        let code: [UInt8] = [
            0x53, 0x83, 0x3D, 0, 0, 0, 0, 1, 0x66, 0xC7, 0x05, 0, 0, 0, 0, 2, 0, 0xC7, 0x05, 0, 0, 0, 0, 3, 0, 0, 0, 0x8B,
            0x05, 0, 0, 0, 0, 0xE9, 0, 0, 0, 0,
        ]
        let section: [UInt8] = [UInt8](repeating: 0xCC, count: 100) + code
        let function = section[100...]
        let slots = [103..<107, 111..<115, 119..<123, 129..<133, 134..<138]
        #expect(trailingBytes(after: slots, in: function) == [1, 2, 4, 0, 0])
        // In whatever order they are asked for, and one of them twice.
        #expect(trailingBytes(after: slots.reversed() + [slots[1]], in: function) == [0, 0, 4, 2, 1, 2])
        // Not a field of an instruction, or not in the function.
        for slot in [102..<106, 99..<103, 137..<141] { #expect(trailingBytes(after: [slot, slots[2]], in: function) == [nil, 4]) }
        #expect(trailingBytes(after: [], in: function) == [])
    }

    /// The instruction that holds a byte, whichever of its bytes that is.
    @Test func textOfAnInstruction() {
        // push %rbx; mov $0x1,%eax; call +0; jmp to the start; UDB
        let code: [UInt8] = [0x53, 0xB8, 1, 0, 0, 0, 0xE8, 0, 0, 0, 0, 0xEB, 0xF3, 0xD6]
        let architecture = ArchX86_64()
        #expect(architecture.instructionText(at: 0, in: code[...])?.text == "push %rbx")
        for offset in 1...5 {
            let found = architecture.instructionText(at: offset, in: code[...])
            #expect(found?.text == "mov $0x01, %eax" && found?.mnemonic == "mov" && found?.range == 1..<6)
        }
        #expect(architecture.instructionText(at: 6, in: code[...])?.mnemonic == "call")
        #expect(architecture.instructionText(at: 12, in: code[...])?.text == "jmp 0x0")
        // Not known to the library: its bytes.
        #expect(architecture.instructionText(at: 13, in: code[...])?.text == "d6")
        #expect(architecture.instructionText(at: 14, in: code[...]) == nil && architecture.instructionText(at: -1, in: code[...]) == nil)
        #expect(architecture.instructionText(at: 1, in: [0x06, 0x90][...]) == nil)
    }

    @Test func undecodableCodeBeforeTheSlot() {
        let code: [UInt8] = [0x06, 0xE8, 0, 0, 0, 0]
        #expect(trailingBytes(after: [2..<6], in: code[...]) == [nil])
    }
}

private let compiledSource = """
    struct s { char a; short b; int c; long d; double e; float f[9]; } g[7];
    double mul(double *p, float *q, int n) { double r = 0; for (int i = 0; i < n; i++) r += p[i] * q[i]; return r; }
    void add(short *p, const short *q, int n) { for (int i = 0; i < n; i++) p[i] += q[i] * 3; }
    long sw(int x) { switch (x) { case 0: return g[1].d; case 1: return 77777777777; case 2: return x % 7; case 3:
        return g[2].a; case 4: g[3].b = 5; return 1; case 5: g[x].c = 70000; return x / 9; default: return -1; } }
    int bits(unsigned long v) { return __builtin_popcountl(v) + __builtin_ctzl(v) + __builtin_clzl(v); }
    __int128 wide(__int128 a, __int128 b) { return a * b / 3; }
    long double x87(long double a) { return a * 2.5L + 1; }
    _Bool cas(long *p, long a) { return __sync_bool_compare_and_swap(p, a, 3); }
    """

private let assembly = """
    .text
    addl $1, var(%rip); addw $0x1234, var(%rip); addq $0x12345, 8(%rax,%rbx,4); addb $1, (%r13); addb %al, (%rsp)
    addl $0x11223344, %eax; addw $0x1122, %ax; add $1, %al; orb %cl, 0x12345678; adc (%r12), %r9
    imul $3, (%rbx), %eax; imul $0x1234, %rbx, %rax; imul $0x123, %bx, %ax; pushq $1; pushq $0x1234567; pushw $0x1234
    movslq (%rax), %rbx; movabs $0x1122334455667788, %r10; movabs 0x1122334455667788, %al; movabs %rax, 0x1122334455667788
    addr32 movl 0x11223344, %eax; mov $0x1234, %ax; mov $1, %bl; mov $0x12345678, %ebx; movq $0x1234, (%rsp)
    movw $1, 0x1000(%rbp,%rcx); movb $1, (%rip); test $1, %al; test $0x12345678, %eax; test $0x1234, %ax; testb $1, (%rax)
    testl $0x1234, var(%rip); testw $0x1234, var(%rip); testq $0x1234, (%rax); notl (%rax); negq var(%rip); mulq (%r8)
    divl %ecx; idivq (%rax); incl (%rax); decb (%rbx); call *(%rax); call *%r11; jmp *var(%rip); lcall *(%rax); ljmp *(%rax)
    pushq (%rax); popq (%rax); pop %r12; enter $0x10, $1; leave; ret; ret $8; lretq; lretq $8; iretq; int3; int $0x80
    in $1, %al; in (%dx), %eax; out %al, $1; out %eax, (%dx); insb; outsl; rep movsq; repne scasb; lock xaddl %eax, (%rbx)
    lock cmpxchg16b (%rsi); cmpxchg8b (%rdi); xchg %rax, %rbx; nop; pause; nopw 0x1000(%rax,%rax); nopl (%rax)
    cs nopw 0x0(%rax,%rax); cwde; cqto; pushfq; popfq; sahf; lahf; xlat; hlt; cmc; clc; stc; cli; sti; cld; std
    je near_target; jne .+0x1000; loop .; jrcxz .; jecxz .; jmp .; jmp .+0x1000; call near_target; xbegin .; xabort $1; xend
    near_target: sete %al; setne (%rax); cmovae (%rax), %rbx; bt $3, %rax; btsl $3, var(%rip); btr %rax, (%rbx); btc $1, %eax
    shld $3, %rax, (%rbx); shrd %cl, %eax, %ebx; shl $3, %rax; sarl %cl, (%rax); rolq (%rbx); rcr $1, %al; bsf %rax, %rbx
    bsr (%rax), %ecx; popcnt %rax, %rbx; tzcnt (%rax), %eax; lzcnt %eax, %ebx; movzbl (%rax), %eax; movswq (%rax), %rbx
    bswap %rax; bswap %r9d; xadd %al, (%rbx); movnti %rax, (%rbx); cpuid; rdtsc; rdtscp; rdmsr; wrmsr; rdpmc; ud2
    syscall; sysretq; sysenter; sysexitq; swapgs; clts; invd; wbinvd; invlpg (%rax); lgdt (%rax); sidt (%rbx); lidt (%rcx)
    lmsw %ax; smsw (%rax); str %ax; ltr (%rax); lldt %ax; verw (%rsp); verr (%rax); lar %ax, %ebx; lsl (%rax), %ebx
    mov %cr0, %rax; mov %rax, %cr8; mov %dr7, %rbx; mov %rcx, %dr6; mov %ds, %eax; mov %eax, %fs; mov (%rax), %gs
    fxsave (%rax); fxrstor64 (%rax); xsave (%rax); xsaveopt64 (%rax); xsavec (%rbx); xsaves (%rax); xrstor (%rbx); xrstors64 (%rax)
    xgetbv; xsetbv; rdfsbase %rax; wrgsbase %rbx; lfence; mfence; sfence; clflush (%rax); clflushopt (%rax); clwb (%rbx)
    clac; stac; endbr64; endbr32; rdrand %rax; rdseed %ebx; rdpid %rax; incsspq %rax; rdsspq %rax; saveprevssp
    rstorssp (%rax); wrssq %rax, (%rbx); wrussq %rax, (%rbx); setssbsy; clrssbsy (%rax); notrack jmp *%rax; monitor; mwait
    vmcall; vmlaunch; vmresume; vmxoff; vmxon (%rax); vmclear (%rax); vmptrld (%rax); vmptrst (%rbx); vmread %rax, (%rbx)
    vmwrite (%rax), %rbx; invept (%rax), %rbx; invvpid (%rax), %rbx; invpcid (%rax), %rcx; vmfunc
    vmrun; vmmcall; vmload; vmsave; stgi; clgi; skinit; invlpga %rax, %ecx
    movdir64b (%rax), %rbx; movdiri %rax, (%rbx); enqcmd (%rax), %rbx; wbnoinvd; ptwrite %rax; tpause %eax; umwait %eax
    fninit; fnclex; fld1; fldl (%rax); fstpt 0x10(%rsp); fildll (%rax); fnstsw %ax; fnstcw (%rax); fldcw (%rax); fwait; emms
    movaps %xmm0, (%rax); movdqu 16(%rsi), %xmm9; movq %rax, %xmm0; pxor %xmm1, %xmm2; pshufd $1, %xmm0, %xmm1; psrldq $8, %xmm0
    shufps $1, (%rax), %xmm3; cmpps $2, %xmm0, %xmm1; pinsrw $1, %eax, %xmm0; pextrw $1, %xmm0, %eax; cvtsi2sdq (%rax), %xmm1
    pshufb (%rax), %xmm0; crc32q %rax, %rbx; movbe (%rax), %ebx; aesenc %xmm0, %xmm1; aeskeygenassist $1, %xmm0, %xmm1
    pclmulqdq $1, (%rax), %xmm1; roundsd $1, %xmm0, %xmm1; palignr $4, var(%rip), %xmm1; sha256rnds2 %xmm0, %xmm1, %xmm2
    sha1rnds4 $1, %xmm0, %xmm1; pblendw $1, (%rax), %xmm2; extrq $1, $2, %xmm0; insertq $1, $2, %xmm0, %xmm1
    adcxq (%rax), %rbx; adoxq %rax, %rbx; gf2p8mulb %xmm0, %xmm1; gf2p8affineqb $1, %xmm0, %xmm1; prefetcht0 (%rax); prefetchw (%rax)
    vzeroupper; vzeroall; vmovdqu (%rax), %ymm0; vmovaps %ymm8, 0x1000(%rax,%r9,2); vpxor %xmm1, %xmm2, %xmm3
    vpshufd $1, (%rax), %ymm0; vpslld $3, %ymm0, %ymm1; vcmppd $1, (%rax), %ymm0, %ymm1; vpinsrw $1, %eax, %xmm1, %xmm2
    vpextrw $1, %xmm0, %eax; vshufps $1, %ymm0, %ymm1, %ymm2; vpshufb var(%rip), %ymm0, %ymm1; vpalignr $1, var(%rip), %ymm1, %ymm2
    vpblendvb %ymm0, %ymm1, %ymm2, %ymm3; vperm2i128 $1, %ymm0, %ymm1, %ymm2; vldmxcsr (%rax); vpmovmskb %ymm0, %eax
    andn %rax, %rbx, %rcx; bextr %rax, (%rbx), %rcx; blsr %rax, %rbx; rorx $1, (%rax), %rbx; shlx %rax, (%rbx), %rcx
    mulx %rax, %rbx, %rcx; pdep %rax, %rbx, %rcx; kmovq %k1, %rax; kmovw (%rax), %k2; kortestb %k1, %k2; kandq %k1, %k2, %k3
    kshiftlq $1, %k1, %k2; vmovdqu64 (%rax), %zmm0; vmovdqa32 0x40(%rax), %zmm1{%k1}{z}; vpternlogd $1, var(%rip), %zmm1, %zmm2
    vpcmpud $1, (%rax), %zmm0, %k1; vpaddq (%rax){1to8}, %zmm1, %zmm2; vpsrldq $1, %zmm0, %zmm1; vaddph %zmm0, %zmm1, %zmm2
    vfmadd132ph (%rax), %zmm1, %zmm2; vcmpph $1, %zmm0, %zmm1, %k1; vpermb (%rax), %zmm0, %zmm1; vpshrdd $1, %zmm0, %zmm1, %zmm2
    bextr $0x11223344, (%rax), %rbx; blcfill %rax, %rbx; vprotb $1, %xmm0, %xmm1; vpcmov %xmm0, %xmm1, %xmm2, %xmm3; lwpval $1, (%rax), %rbx
    data16 lea var(%rip), %rdi; .byte 0x66, 0x66, 0x48; call near_target; bnd jmp near_target; fs mov (%rax), %ebx
    .comm var, 4
    """
