import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// What a payload expects, beside what is in memory when it is applied.
@Suite struct ExpectationTests {
    private let victim: UInt64 = 0xffff_82d0_4020_2000

    /// A hypervisor whose function has an alternative at byte 4, three bytes long.
    private func hypervisor(replacement: [UInt8] = [0x90, 0x90, 0x90]) -> SampleHypervisor {
        var hypervisor = SampleHypervisor()
        let table: UInt64 = 0xffff_82d0_4030_0000
        hypervisor.symbols["__alt_instructions"] = table
        hypervisor.symbols["__alt_instructions_end"] = table + 14
        func distance(_ from: UInt64, _ to: UInt64) -> [UInt8] { withUnsafeBytes(of: UInt32(truncatingIfNeeded: to &- from).littleEndian, Array.init) }
        let code: UInt64 = 0xffff_82d0_4030_1000
        hypervisor.code[code] = replacement
        hypervisor.code[table] = distance(table, victim + 4) + distance(table + 4, code) + [3, 0, 3, UInt8(replacement.count), 0, 0]
        return hypervisor
    }

    private func loaded(_ bytes: [UInt8], into hypervisor: SampleHypervisor) async throws -> LoadResult {
        var payload = SamplePayload()
        payload.expectation =
            ".byte 1 | \(bytes.count) << 1, \(bytes.map(String.init).joined(separator: ","))\n.skip \(31 - bytes.count)"
        return load(try await payload.assembled(), into: hypervisor)
    }

    @Test("bytes that the hypervisor changes when it boots, on some processors")
    func boot() async throws {
        let start: [UInt8] = [0x55, 0x48, 0x89, 0xe5]
        #expect(try await loaded(start, into: hypervisor()).findings.map(\.kind) == [.notReappliable])
        for last in [0x90, 0x0f] as [UInt8] {
            let result = try await loaded(start + [last], into: hypervisor())
            #expect(result.isAccepted && result.has(.dependsOnProcessor) && result.unmetExpectation == nil)
        }
        #expect(try await loaded([0x54, 0x48, 0x89, 0xe5, 0x90], into: hypervisor()).unmetExpectation?.error == .invalid)
        // A call through a pointer becomes a direct one on all.
        let certain = hypervisor(replacement: [0xe8, 0xfb, 0xff, 0xff, 0xff])
        #expect(try await loaded(start + [0x90], into: certain).unmetExpectation?.reason.contains("changes the start of victim when it boots") == true)
    }

    @Test("the jump of a payload below, written for another address")
    func below() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.patches = [CodePatch(function: "other", address: victim + 2, size: 5, target: 0xffff_82d0_4080_0000, bytes: [0xe9, 1, 2, 3, 4])]
        #expect(try await loaded([0x55, 0x48, 0x89], into: hypervisor).unmetExpectation?.reason.contains("has the jump of a payload below") == true)
        #expect(try await loaded([0x55, 0x48], into: hypervisor).unmetExpectation == nil)
        // It is gone when the payload replaces that one.
        hypervisor.payloadBuildIDs = [[UInt8](repeating: 0x44, count: 20)]
        #expect(try await loaded([0x55, 0x48, 0x89], into: hypervisor).unmetExpectation == nil)
    }
}
