import ELFModel
import PayloadSamples
import TestTools
import Testing
import WorkFiles
import XenSource

@testable import LoaderModel

/// What the loaders of arm64 and arm32 have in common.
@Suite struct ARMPayloadTests {
    /// The linker, given the same places, makes the same bytes of the payload: what it holds is what the processor needs.
    @Test(arguments: Machine.arm) func relocatedBytesAreTheLinkers(machine: Machine) async throws {
        let payload = SamplePayload(machine)
        let object = try await payload.assembled()
        let result = load(object, machine: machine)
        #expect(result.verdict == .accepted)
        let linked = try await link(object, at: result, for: machine)
        // The linker leaves out what is empty, and the build-id, which it could make anew. Neither has anything to relocate.
        let compared = result.sections.filter { !$0.bytes.isEmpty && $0.name != ".note.gnu.build-id" }
        #expect(compared.count >= 7)
        for section in compared { #expect(linked[section.name] == section.bytes, "\(section.name)") }
    }

    @Test(arguments: Machine.arm) func functionsAndIdentitiesAreTold(machine: Machine) async throws {
        let result = try await SamplePayload(machine).loaded()
        let area = machine.hypervisor.payloadArea
        #expect(result.regions.map(\.region) == [.text, .writable, .readOnly])
        #expect(result.regions.map(\.address) == [area, area + 4096, area + 8192])
        let function = try #require(result.functions.first)
        #expect(function.name == "victim" && function.oldAddress == machine.hypervisor.symbols["victim"] && function.oldSize == 40)
        #expect(function.newAddress == area)
        #expect(result.buildID == [UInt8](repeating: 0x91, count: 20))
        #expect(result.depends == machine.hypervisor.buildID)
        // Mapping symbols are none of the payload's.
        #expect(result.newSymbols.map(\.name).sorted() == ["counter", "message", "name", "new_victim_end", "numbers", "second"])
        #expect(result.findings.map(\.kind) == [.notReappliable])
    }

    @Test("a function that another payload brought: applying writes through a mapping of the image only", arguments: Machine.allCases)
    func functionOfAnotherPayload(machine: Machine) async throws {
        var hypervisor = machine.hypervisor
        let victim = try #require(hypervisor.symbols["victim"])
        hypervisor.foreign = victim..<victim + 0x1000
        let payload = machine == .x86_64 ? SamplePayload() : SamplePayload(machine)
        let result = try await payload.loaded(into: hypervisor)
        #expect(machine == .x86_64 ? result.isAccepted : result.crashes("lies in another payload") && result.ruinsLater)
    }

    @Test(arguments: Machine.arm) func everyVersion(machine: Machine) async throws {
        let payload = SamplePayload(machine)
        for minor in [14, 17, 20, 22] {
            #expect(try await payload.loaded(minor: minor).isAccepted)
        }
        var old = payload
        old.version = "1"
        old.xenDepends = ""
        old.expectation = ""
        let bytes = try await assemble(old.source.replacing(".skip 39", with: ".skip 31"), for: machine)
        #expect(load(bytes, abi: .livepatchV1, minor: 11, machine: machine).isAccepted)
    }

    @Test(arguments: Machine.arm) func header(machine: Machine) async throws {
        let good = try await SamplePayload(machine).assembled()
        let header = machine == .arm64 ? 64 : 52
        #expect(load(Array(good[..<(header - 1)]), machine: machine).isRefused(.header, .invalid, "shorter"))
        for other in Machine.allCases where other != machine {
            #expect(load(good, machine: other).isRefused(.header, .notSupported, "another machine"), "\(other)")
        }
        var changed = good
        changed[4] ^= 3
        #expect(load(changed, machine: machine).isRefused(.header, .notSupported, "another machine"))
        // Nobody asks for the byte order.
        changed = good
        changed[5] = 2
        #expect(load(changed, machine: machine).isAccepted)
    }

    @Test(arguments: Machine.arm) func roomForTheTrampoline(machine: Machine) async throws {
        var payload = SamplePayload(machine)
        payload.oldSize = "3"
        #expect(try await payload.loaded().isRefused(.functions, .invalid, logged: false, "needs 4"))
        payload.oldSize = "4"
        #expect(try await payload.loaded().isAccepted)
    }

    /// Only whole instructions become NOPs, and the function's size counts as for a trampoline.
    @Test(arguments: Machine.arm) func nops(machine: Machine) async throws {
        func nops(_ count: Int, of size: Int) async throws -> LoadResult {
            var payload = SamplePayload(machine)
            payload.newAddress = "0"
            (payload.newSize, payload.oldSize) = ("\(count)", "\(size)")
            return try await payload.loaded()
        }
        #expect(try await nops(28, of: 40).isAccepted)
        #expect(try await nops(0, of: 4).isAccepted)
        #expect(try await nops(32, of: 40).isRefused(.functions, .notSupported, logged: false, "at most 31"))
        #expect(try await nops(6, of: 40).isRefused(.functions, .notSupported, logged: false, "NOPs of 4 bytes"))
        #expect(try await nops(0, of: 3).isRefused(.functions, .invalid, logged: false, "needs 4"))
        #expect(try await nops(8, of: 4).crashes("what follows it is overwritten"))
    }

    @Test(arguments: [(Machine.arm64, Int64(128 << 20)), (Machine.arm32, Int64(32 << 20))])
    func reachOfTheTrampoline(machine: Machine, reach: Int64) async throws {
        // Where the replacement is, and far from it.
        func patching(_ distance: Int64) async throws -> LoadResult {
            var payload = SamplePayload(machine)
            payload.oldAddress = "\(Int64(machine.hypervisor.payloadArea) + distance)"
            return try await payload.loaded()
        }
        #expect(try await patching(reach - 4).isAccepted)
        #expect(try await patching(reach).isRefused(.functions, .overflow, logged: false, "too far"))
        #expect(try await patching(-8).isAccepted)
        #expect(try await patching((1 << 20) + 6).crashes("multiple of 4"))
    }

    @Test func addressesOf32BitsWrapAround() async throws {
        var payload = SamplePayload(.arm32)
        payload.oldAddress = "0xff002000"
        #expect(try await payload.loaded().isAccepted)
        payload.oldAddress = "0xfe002000"
        #expect(try await payload.loaded().isRefused(.functions, .overflow, logged: false, "too far"))
    }

    /// Applying wrote into the entries, through pages that are read-only on ARM.
    @Test(arguments: Machine.arm) func readOnlyFunctionsBefore417(machine: Machine) async throws {
        var payload = SamplePayload(machine)
        payload.functionFlags = "a"
        #expect(try await payload.loaded(minor: 16).crashes(".livepatch.funcs is read-only"))
        #expect(try await payload.loaded(minor: 17).isAccepted)
    }

    @Test(arguments: Machine.arm) func tables(machine: Machine) async throws {
        func with(_ more: String, minor: Int = 17) async throws -> LoadResult {
            var payload = SamplePayload(machine)
            payload.more = more
            return try await payload.loaded(minor: minor)
        }
        #expect(try await with(".section .bug_frames.0, \"a\"\n.p2align 2\n.skip 16\n").isAccepted)
        #expect(try await with(".section .bug_frames.0, \"a\"\n.p2align 2\n.skip 8\n").isRefused(.tables, .invalid, "multiple of 16"))
        // There is no exception table, not even an empty one; the calls came later.
        #expect(try await with(".section .ex_table, \"a\"\n").isRefused(.tables, .notSupported, ".ex_table"))
        let calls = ".section .ex_table, \"a\"\n.section .alt_call_sites, \"a\"\n"
        #expect(try await with(calls, minor: 20).isRefused(.tables, .notSupported, ".ex_table"))
        #expect(try await with(calls, minor: 21).isRefused(.tables, .notSupported, ".alt_call_sites"))
    }

    @Test(arguments: Machine.arm) func alternatives(machine: Machine) async throws {
        func with(_ lengths: String, _ original: String = "new_victim", minor: Int = 17) async throws -> LoadResult {
            var payload = SamplePayload(machine)
            payload.more = """
                .section .altinstructions, "a"
                .p2align 2
                .long \(original) - ., replacement - .
                .short 3
                .byte \(lengths)
                .section .altinstr_replacement, "ax"
                .p2align 2
                replacement: nop
                nop
                """
            return try await payload.loaded(minor: minor)
        }
        #expect(try await with("8, 8").isAccepted)
        #expect(try await with("8, 4").crashes("4 bytes for a place of 8"))
        #expect(try await with("4, 8").crashes("8 bytes for a place of 4"))
        #expect(try await with("12, 12").isRefused(.tables, .invalid, ".altinstr_replacement"))
        #expect(try await with("8, 8", "victim").isRefused(.tables, .invalid, "outside the payload"))
        #expect(try await with("8, 8", "victim", minor: 16).crashes("outside the payload"))
        // Those further on are looked at before the first is applied.
        #expect(try await with("8, 4\n.long victim - ., replacement - .\n.short 3\n.byte 8, 8").isRefused(.tables, .invalid, "alternative 1"))
        let filled = try await with("8, 0")
        #expect(filled.verdict == .notModelled("a function fills in alternative 0"))
    }

    @Test(arguments: Machine.arm) func hooks(machine: Machine) async throws {
        var payload = SamplePayload(machine)
        payload.more = ".section .livepatch.hooks.load, \"a\"\n.p2align 2\n\(machine.pointer) new_victim, second\n"
        #expect(try await payload.loaded().isAccepted)
        payload.more = ".section .livepatch.hooks.apply, \"a\"\n.p2align 2\n\(machine.pointer) new_victim, second\n"
        #expect(try await payload.loaded().isRefused(.hooks, .invalid, logged: false, "one hook only"))
        payload.more = ".section .livepatch.hooks.load, \"a\"\n.p2align 2\n.skip \(machine.pointerSize + 2)\n"
        #expect(try await payload.loaded().isRefused(.hooks, .invalid, "multiple of \(machine.pointerSize)"))
    }

    /// A note with a fault has an error of its own since 4.20.
    @Test(arguments: Machine.arm) func notes(machine: Machine) async throws {
        var payload = SamplePayload(machine)
        payload.depends = SamplePayload.note(nil, ".livepatch.depends", type: 4, alignment: payload.alignment)
        #expect(try await payload.loaded().isRefused(.notes, .invalid, logged: false, ".livepatch.depends"))
        #expect(try await payload.loaded(minor: 20).isRefused(.notes, .noData, logged: false, ".livepatch.depends"))
    }

    /// Before 4.16.1 (and 4.15.3, 4.14.5), the offset in the section was taken for an address.
    @Test(arguments: Machine.allCases) func symbolOfASectionThatIsNotLoaded(machine: Machine) async throws {
        var payload = machine == .x86_64 ? SamplePayload() : SamplePayload(machine)
        payload.more = ".section .unloaded\nthing: .long 0\n.section .rodata.more, \"a\"\n.p2align 3\n\(machine.pointer) thing\n"
        #expect(try await payload.loaded().isRefused(.relocation, .invalid, "not loaded"))
        #expect(try await payload.loaded(minor: 16, point: 0).crashes("not loaded"))
    }

    /// Whatever the file holds, the model ends with a verdict.
    @Test(arguments: Machine.arm) func anyDamageEndsInAVerdict(machine: Machine) async throws {
        let good = try await SamplePayload(machine).assembled()
        var random = RepeatableRandom()
        var verdicts = 0
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0...random.below(6) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.below(256)) }
            if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
            if !load(bytes, machine: machine).isAccepted { verdicts += 1 }
        }
        #expect(verdicts > 100)
    }
}

/// The same numbers in each run.
private struct RepeatableRandom {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}

/// What the linker makes of an object whose sections it puts where a loader has put them.
///
/// - Returns: the contents by the names of the loaded sections.
func link(_ object: [UInt8], at result: LoadResult, for machine: Machine) async throws -> [String: [UInt8]] {
    let places = result.sections.sorted { $0.address < $1.address }
    let script = """
        SECTIONS {
        \(places.map { "\($0.name) \(hexadecimal($0.address)) : SUBALIGN(1) { *(\($0.name)) }" }.joined(separator: "\n"))
        /DISCARD/ : { *(*) }
        }
        """
    let linked = try await withTemporaryFolder { folder in
        try WorkFiles.write(object, to: folder.appending("payload.o"))
        _ = try write(script, to: "places.ld", in: folder)
        let symbols = machine.hypervisor.symbols.map { "--defsym=\($0.key)=\(hexadecimal($0.value))" }
        let options = ["-T", "places.ld", "-e", "0", "--no-warn-rwx-segments"]
        try await run(machine.tools + "ld", options + symbols + ["-o", "linked", "payload.o"], in: folder)
        return try WorkFiles.read(folder.appending("linked"))
    }
    let file = RawELF(bytes: linked, elfClass: machine.architecture.elfClass)
    let header = try #require(file.header())
    let names = try #require(file.section(at: header.sectionTable + UInt64(header.nameTable) * UInt64(header.sectionEntrySize)))
    var contents: [String: [UInt8]] = [:]
    for index in 1..<UInt64(header.sectionCount) {
        let section = try #require(file.section(at: header.sectionTable + index * UInt64(header.sectionEntrySize)))
        guard section.isLoaded, let name = file.string(at: section.nameOffset, in: names) else { continue }
        contents[name] = section.hasFileBytes ? file.contents(section).map(Array.init) : [UInt8](repeating: 0, count: Int(section.size))
    }
    return contents
}
