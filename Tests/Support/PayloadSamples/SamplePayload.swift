import ArchX86_64
import ELFModel
import SystemPackage
import TargetArchitecture
import TestTools
import WorkFiles
import XenSource
import XenVersions

@testable import LoaderModel

/// A hypervisor with the symbols that the sample payloads refer to.
package struct SampleHypervisor: HypervisorSymbols {
    package var symbols: [String: UInt64] = [
        "printk": 0xffff_82d0_4020_1000, "victim": 0xffff_82d0_4020_2000, "common/kernel.c#hidden": 0xffff_82d0_4020_3000,
    ]
    package var code: [UInt64: [UInt8]] = [0xffff_82d0_4020_2000: [0x55, 0x48, 0x89, 0xe5, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3]]
    package var buildID: [UInt8] = Array(1...20)
    package var payloadArea: UInt64 = 0xffff_82d0_4080_0000
    /// The addresses with memory; nil means all addresses.
    package var memory: Range<UInt64>?

    /// The addresses that are freed after boot; `foreign` are those that belong to payloads.
    package var freed: Range<UInt64>?
    package var foreign: Range<UInt64>?
    package var payloadBuildIDs: [[UInt8]] = []
    package var patches: [CodePatch] = []
    /// Names that are no text.
    package var names: [SymbolName: UInt64] = [:]
    package var sizes: [String: UInt64] = [:]
    package var variables: [String: Range<UInt64>] = [:]
    /// The addresses without code; nil means none.
    package var data: Range<UInt64>?

    package init() {}

    package func hasCode(at address: UInt64) -> Bool { hasMemory(at: address) && data?.contains(address) != true }

    package func size(ofGlobal name: String) -> UInt64? { sizes[name] }

    package func isInImage(_ address: UInt64) -> Bool { hasMemory(at: address) && foreign?.contains(address) != true }

    package func isFreedAfterBoot(_ address: UInt64) -> Bool { freed?.contains(address) ?? false }

    package func variable(at address: UInt64) -> String? {
        variables.first { $0.value.contains(address) }.map { "\($0.key)+\(address - $0.value.lowerBound)" }
    }

    package func payloadArea(_ rules: LoaderRules) -> UInt64 { payloadArea }

    package func address(ofSymbol name: SymbolName) -> UInt64? { names[name] ?? name.exactText.flatMap { symbols[$0] } }

    package func hasMemory(at address: UInt64) -> Bool { memory?.contains(address) ?? true }

    package func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        for (start, bytes) in code where address >= start && address - start < UInt64(bytes.count) {
            let rest = bytes.dropFirst(Int(address - start))
            return rest.count >= count ? rest.prefix(count) : nil
        }
        return nil
    }
}

/// The assembler source of a payload, in parts, so that a test can replace one.
package struct SamplePayload {
    package var machine = Machine.x86_64
    package var text = """
        .section .text.new_victim, "ax", %progbits
        new_victim:
            lea message(%rip), %rdi
            call printk
            call "common/kernel.c#hidden"
            movl $1, counter(%rip)
            ret
            .size new_victim, . - new_victim
        .section .rodata.message, "a", %progbits
        message: .asciz "hello"
        """
    package var data = """
        .section .bss.counter, "aw", %nobits
        counter: .skip 4
        """
    package var name = "victim"
    /// The symbol of the function's name in the payload.
    package var nameLabel = "name"
    package var newAddress = "new_victim"
    package var oldAddress = "0"
    package var newSize = "27"
    package var oldSize = "10"
    package var version = "2"
    package var expectation = ".skip 32"
    package var functionFlags = "aw"
    package var buildID = note("0x91", ".note.gnu.build-id")
    package var depends = note(nil, ".livepatch.depends")
    package var xenDepends = note(nil, ".livepatch.xen_depends")
    package var more = ""
    /// The directive that aligns functions and notes.
    package var alignment = ""

    package init() {}

    /// The source of an entry in each table that belongs to a function; for x86_64.
    package static let tables = """
        .section .bug_frames.0, "a"
        .long new_victim - ., message - .
        .section .ex_table, "a"
        .long new_victim - ., new_victim + 7 - .
        .section .altinstructions, "a"
        .long new_victim - ., replacement - .
        .word 3
        .byte 7, 3, 0, 0
        .section .altinstr_replacement, "ax"
        replacement: .byte 0x0f, 0x1f, 0x00
        """

    /// The source of a note with a build-id of 20 bytes: `byte` repeated, or the bytes given with commas between them, or (with nil) the sample
    /// hypervisor's build-id.
    package static func note(_ byte: String?, _ section: String, type: Int = 3, owner: String = "GNU", alignment: String = "") -> String {
        let id = byte.map { $0.contains(",") ? ".byte \($0)" : ".fill 20, 1, \($0)" } ?? ".byte 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"
        return """
            .section \(section), "a", %note
            \(alignment)
            .long 4, 20, \(type)
            .asciz "\(owner)"
            \(id)
            """
    }

    package var source: String {
        """
        \(text)
        \(data)
        .section .livepatch.strings, "a", %progbits
        \(nameLabel): .asciz "\(name)"
        .section .livepatch.funcs, "\(functionFlags)", %progbits
        \(alignment)
        \(machine.pointer) \(nameLabel), \(newAddress), \(oldAddress)
        .long \(newSize), \(oldSize)
        .byte \(version)
        .skip 39
        \(expectation)
        \(buildID)
        \(depends)
        \(xenDepends)
        \(more)

        """
    }

    package func assembled() async throws -> [UInt8] { try await assemble(source, for: machine) }

    package func loaded(into hypervisor: SampleHypervisor? = nil, abi: PayloadABI = .livepatchV2, minor: Int = 17, point: Int? = nil)
        async throws -> LoadResult
    {
        load(try await assembled(), into: hypervisor, abi: abi, minor: minor, point: point, machine: machine)
    }
}

package func load(
    _ bytes: [UInt8], into hypervisor: SampleHypervisor? = nil, abi: PayloadABI = .livepatchV2, minor: Int = 17, point: Int? = nil,
    machine: Machine = .x86_64
) -> LoadResult {
    loadPayload(
        bytes, into: hypervisor ?? machine.hypervisor, architecture: machine.architecture, abi: abi,
        version: XenVersion(major: 4, minor: minor, extra: point.map { ".\($0)" } ?? ""))
}

extension LoadResult {
    package var refusal: Refusal? { if case .refused(let refusal) = verdict { refusal } else { nil } }

    package func isRefused(_ step: Step, _ error: ErrorNumber, logged: Bool = true, _ mention: String = "") -> Bool {
        guard let refusal else { return false }
        return refusal.step == step && refusal.error == error && refusal.isLogged == logged
            && (mention.isEmpty || refusal.reason.contains(mention))
    }

    /// Whether the verdict is `crashes`, with a reason that contains `mention`.
    package func crashes(_ mention: String) -> Bool { if case .crashes(let reason) = verdict { reason.contains(mention) } else { false } }
    package var crashes: Bool { if case .crashes = verdict { true } else { false } }
    package func has(_ kind: Finding.Kind) -> Bool { findings.contains { $0.kind == kind } }
}

package func assemble(_ source: String, for machine: Machine = .x86_64) async throws -> [UInt8] {
    try await withTemporaryFolder { folder in
        let file = try write(source, to: "payload.s", in: folder)
        try await run(machine.tools + "as", ["-o", "payload.o", file.string], in: folder)
        return try WorkFiles.read(folder.appending("payload.o"))
    }
}
