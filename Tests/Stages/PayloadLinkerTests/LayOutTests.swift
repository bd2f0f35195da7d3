import ArchX86_64
import ELFModel
import ObjectFixtures
import TargetArchitecture
import TestTools
import Testing
import XenSource
import XenVersions

@testable import PayloadLinker

@Suite struct LayOutTests {
    /// A payload of one NOP, with one value at an offset of it.
    private func sections(withValueAt offset: Int, width: Int) async throws -> [OutputSection] {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile("int f(void) { return 1; }", in: folder)
            let input = LinkInput(
                [try ObjectFixtures.compare(object, object, name: "test.c")],
                onto: RunningHypervisor(try await ObjectFixtures.link([object], in: folder)), below: [], architecture: ArchX86_64(),
                options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            let start = Place(section: .text, offset: 0)
            let payload = ResolvedPayload(
                blocks: [.init(place: start, bytes: [0x90, 0x90, 0x90, 0x90], size: 4, alignment: 1)], entries: [],
                fills: [.init(place: start.advanced(by: offset), filling: .value(0x1234, RelocationField(width: width, groups: [.init(8 * width, at: 0)])))],
                functions: [], companions: [],
                references: [:], tableEntries: [:], hasHooks: false, diagnostics: [], unfilled: [])
            return try layOut(payload, input)
        }
    }

    @Test func aValueIsInItsPlace() async throws {
        let text = try #require(try await sections(withValueAt: 2, width: 2).first { $0.kind == .text })
        #expect(text.data == [0x90, 0x90, 0x34, 0x12])
    }

    @Test(arguments: [3, 4, 400]) func aValueOutsideItsSectionIsNeverLost(offset: Int) async {
        await #expect(throws: ELFWritingError.self) { try await sections(withValueAt: offset, width: 2) }
    }
}
