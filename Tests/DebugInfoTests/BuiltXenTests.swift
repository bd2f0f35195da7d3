import SystemPackage
import TestTools
import Testing

import DebugInfo

/// All objects of a real hypervisor; those that were compiled with `-g` are held against their symbol tables.
@Suite(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
struct BuiltXenTests {
    @Test func everySymbolIsFound() async throws {
        var missing: [String] = []
        var checked = 0
        var objects = 0
        for object in try await BuiltXen.objects() {
            // The EFI loader's build-id is a COFF file that is only called .o.
            guard try bytes(of: object).starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { continue }
            let info = try DebugInfo.read(object)
            objects += 1
            // Assembly has no types: its variables are not told.
            guard info.units.contains(where: { $0.language == .c }) else { continue }
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
        #expect(objects > 100)
        #expect(missing.count * 200 <= checked, "\(missing)")
    }
}
