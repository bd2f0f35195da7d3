import DebugInfo
import SystemPackage
import TestTools
import Testing
import WorkFiles

/// Objects of a real hypervisor, held against their symbol tables.
@Suite(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
struct BuiltXenTests {
    private static let names = [
        "common/kernel.o", "common/grant_table.o", "common/domain.o", "common/event_channel.o", "common/sched/credit2.o",
        "common/timer.o", "common/livepatch.o", "arch/x86/domain.o", "arch/x86/mm.o", "arch/x86/traps.o",
        "arch/x86/hvm/hvm.o", "arch/x86/hvm/vmx/vmx.o", "arch/x86/cpu/intel.o", "drivers/char/console.o",
        "drivers/passthrough/pci.o", "drivers/passthrough/vtd/iommu.o",
    ]

    /// A release build has no debug info: nothing is found then, and nothing goes wrong.
    @Test func everyObjectIsRead() async throws {
        var objects = 0
        for object in try await BuiltXen.objects() {
            // The EFI loader's build-id is a COFF file that is only called .o.
            guard try WorkFiles.read(object).starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { continue }
            _ = try DebugInfo.read(object)
            objects += 1
        }
        #expect(objects > 300)
    }

    @Test func everySymbolIsFound() async throws {
        try await withTemporaryFolder { folder in
            try await check(try await BuiltXen.compileWithDebugInfo(Self.names, in: folder))
        }
    }

    private func check(_ objects: [FilePath]) async throws {
        var missing: [String] = []
        var checked = 0
        for object in objects {
            let info = try DebugInfo.read(object)
            #expect(info.units.contains { $0.language == .c })
            let functions = Dictionary(grouping: info.functions.flatMap { function in function.ranges.map { ($0, function.name) } }) {
                $0.0
            }
            for symbol in try await symbolTable(object) {
                checked += 1
                if symbol.type == "FUNC" {
                    let range = DebugInfo.CodeRange(section: symbol.section, offset: symbol.value, size: symbol.size)
                    let names = functions[range]?.map(\.1) ?? []
                    if !names.contains(symbol.sourceName) { missing.append("\(object): \(symbol) \(names)") }
                } else if symbol.type == "OBJECT" {
                    let found = info.variables.contains {
                        $0.section == symbol.section && $0.offset == symbol.value && symbol.sourceName == $0.name
                    }
                    if !found { missing.append("\(object): \(symbol)") }
                }
            }
        }
        // GCC itself is silent about some: functions folded into an identical one, tables made from switch statements,
        // position thunks, and a few static locals that nothing refers to but another section.
        #expect(checked > 1_000)
        #expect(missing.count * 200 <= checked, "\(missing)")
    }
}
