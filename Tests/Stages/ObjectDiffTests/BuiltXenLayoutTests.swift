import DebugInfo
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import ObjectDiff

/// The types of a real hypervisor, held against themselves.
@Suite(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
struct BuiltXenLayoutTests {
    /// - Returns: how many definitions there are.
    private func check(_ object: FilePath) throws -> Int {
        let types = try TypeInfo.read(object, withUses: true)
        let pairs = LayoutPairs(original: types, patched: types)
        // A plain build must never be refused for types that are not described. An object without debug info may be there.
        #expect(types.gaps.isEmpty || types.gaps == [.everything], "\(object): \(types.gaps)")
        #expect(pairs.found.isEmpty && pairs.onlyOriginal.isEmpty && pairs.onlyPatched.isEmpty, "\(object)")
        return types.definitions.count
    }

    /// A release build has no debug info; a folder of objects that have some may be given too.
    @Test func noObjectDiffersFromItself() async throws {
        var objects = 0, definitions = 0
        for object in try await BuiltXen.objects() {
            // The EFI loader's build-id is a COFF file that is only called .o.
            guard try WorkFiles.read(object).starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { continue }
            definitions += try check(object)
            objects += 1
        }
        print("\(objects) objects, \(definitions) definitions")
        #expect(objects > 300)
    }

    @Test func typesOfObjectsWithDebugInfo() async throws {
        try await withTemporaryFolder { folder in
            for object in try await BuiltXen.compileWithDebugInfo(["common/domain.o", "common/grant_table.o", "arch/x86/mm.o"], in: folder) {
                #expect(try check(object) > 200)
                let types = try TypeInfo.read(object, withUses: true)
                let domain = try #require(types.definitions.first { $0.spelling == "struct domain" && $0.isComplete })
                #expect(domain.declaration?.file == "include/xen/sched.h")
                #expect(domain.members.first?.name == "domain_id" && domain.members.count > 60)
                // Every member lies within, and most functions know the type.
                #expect(domain.members.allSatisfy { $0.bitOffset + ($0.bitSize ?? 0) <= (domain.size ?? 0) * 8 })
                let index = types.definitions.firstIndex(of: domain)
                #expect(types.functions.count { $0.pointsTo.contains(index ?? -1) } * 3 > types.functions.count)
            }
        }
    }
}
