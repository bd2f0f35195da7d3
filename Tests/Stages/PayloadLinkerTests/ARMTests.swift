import ELFModel
import LoaderModel
import ObjectFixtures
import PayloadLinker
import TargetArchitecture
import Testing
import XenSource
import XenVersions

/// What is particular about payloads for ARM.
@Suite struct ARMTests {
    static let targets: [ObjectFixtures.Target] = [.arm64, .arm32]
    private static let version = XenVersion(major: 4, minor: 17)

    private func payload(
        _ original: String, _ patched: String, for target: ObjectFixtures.Target
    ) async throws -> (file: ELFFile, image: XenImage, outcome: LinkOutcome) {
        let (outcome, image) = try await PayloadLinkerTests.link([("test.c", original, patched)], for: target)
        let payload = try #require(outcome.payload, "\(outcome.diagnostics.map(\.message))")
        let result = loadPayload(payload.bytes, into: image, architecture: target.architecture, abi: .livepatchV2, version: Self.version)
        #expect(result.verdict == .accepted)
        #expect(payload.verifiedFunctions == payload.functions.count)
        return (try ELFFile(bytes: payload.bytes, name: "payload"), image, outcome)
    }

    /// A static function that is called from places an odd and an even number of words apart, a global one, one of the hypervisor,
    /// variables with and without an offset, a table of a switch.
    private static let source = """
        static u32 table[8] = { 1, 2, 3 }; u32 seen;
        static noinline u32 part(u32 x) { return x * 7 + seen; }
        u32 f(u32 x) {
            sink(&table[2]); asm volatile ("nop");
            printk("%u", part(x)); printk("%u", part(x + 1)); asm volatile ("nop"); printk("%u", part(x + 2));
            switch ( x ) { case 0: return table[1]; case 1: return seen; case 2: printk("two"); return 9; case 3: return part(4); case 4: return 77;
                           case 5: sink("five"); return 1234; case 6: return part(12) + part(99); }
            seen += VALUE;
            return part(seen);
        }

        """

    private static func source(_ value: Int) -> String { source.replacing("VALUE", with: "\(value)") }

    @Test("a function with calls, addresses in halves and a switch is replaced", arguments: targets)
    func replaces(target: ObjectFixtures.Target) async throws {
        let (file, image, outcome) = try await payload(Self.source(1), Self.source(2), for: target)
        #expect(outcome.payload?.functions.map(\.name) == ["f"])
        #expect(outcome.payload?.functions.first?.oldAddress == image.global("f")?.address)
        #expect(file.header.machine == target.architecture.machine && file.header.flags == target.architecture.headerFlags)
    }

    @Test("no payload for arm32 has a relocated branch, nor an addend for half an address")
    func harmlessRelocations() async throws {
        let architecture = ObjectFixtures.Target.arm32.architecture
        let file = try await payload(Self.source(1), Self.source(2), for: .arm32).file
        let separate = file.withSeparateAddends(architecture)
        var names: Set<String> = []
        for table in separate.sections where table.isRelocations {
            #expect(table.name.hasPrefix(".rel."))
            for relocation in table.relocations {
                let kind = try #require(architecture.relocationKind(relocation.type))
                #expect(kind.isLoadable, "\(kind.name)")
                if kind.loading == .withoutAddend { #expect(relocation.addend == 0, "\(kind.name)") }
                names.insert(kind.name)
            }
        }
        #expect(names.isSuperset(of: ["R_ARM_ABS32", "R_ARM_MOVW_ABS_NC", "R_ARM_MOVT_ABS"]))
        for name in [".livepatch.depends", ".livepatch.xen_depends", ".note.gnu.build-id", ".livepatch.funcs"] {
            let section = try #require(file.sections.first { $0.name == name })
            #expect(section.alignment == 4, "\(name)")
        }
    }

    @Test("each function of the hypervisor has one veneer, however often it is called")
    func veneers() async throws {
        let file = try await payload(Self.source(1), Self.source(2), for: .arm32).file
        let text = try #require(file.sections.first { $0.name == ".text" })
        let veneers = stride(from: 0, to: text.data.count - 3, by: 4).filter { Array(text.data[$0..<$0 + 4]) == [0x04, 0xf0, 0x1f, 0xe5] }
        // part, printk, sink
        #expect(veneers.count == 3)
    }

    @Test("new functions and variables come along", arguments: targets)
    func new(target: ObjectFixtures.Target) async throws {
        let patched = "static u32 calls; static noinline u32 more(u32 x) { return x * 3 + ++calls; } u32 f(u32 x) { return more(x) + more(x + 1) * 5; }"
        let outcome = try await payload("u32 f(u32 x) { return x * 1000003; }", patched, for: target).outcome
        #expect(outcome.payload?.companions.map(\.name).sorted() == ["calls", "more"])
    }

    @Test("the instructions that stand in for others are aligned as instructions are", arguments: targets)
    func alternatives(target: ObjectFixtures.Target) async throws {
        let alternative = """
            #define ALT() asm volatile ( "1: nop\\n.pushsection .altinstructions, \\"a\\"\\n.word 1b - ., 3f - .\\n.hword 1\\n.byte 4, 4\\n.popsection\\n" \\
                ".pushsection .altinstr_replacement, \\"ax\\"\\n3: nop\\n.popsection" )

            """
        let source = { (value: Int) in alternative + "u32 f(u32 x) { ALT(); sink(&x); ALT(); return x * \(value); }" }
        let file = try await payload(source(1_000_003), source(1_000_033), for: target).file
        let replacements = try #require(file.sections.first { $0.name == ".altinstr_replacement" })
        #expect(replacements.size == 8 && replacements.alignment == 4)
    }

    @Test("code that must not lie at the end of a page does not")
    func erratum() async throws {
        // Functions of about a page each, all with addresses in halves.
        let functions = (0..<24).map { index in
            "u32 v\(index); u32 g\(index)(u32 x) { " + String(repeating: "v\(index) += x; sink(&v\(index)); ", count: 30) + " return x * SEED; } "
        }.joined()
        let file = try await payload(
            functions.replacing("SEED", with: "3"), functions.replacing("SEED", with: "5"), for: .arm64
        ).file
        let text = try #require(file.sections.first { $0.name == ".text" }).data
        #expect(text.count > 0x3000)
        for place in stride(from: 0xff8, to: text.count - 7, by: 0x1000) {
            for word in [place, place + 4] { #expect(text[word + 3] & 0x9f != 0x90, "an ADRP at \(word)") }
        }
    }
}
