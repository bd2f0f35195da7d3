import ELFModel
import Testing

@testable import XenVersions

/// Entries of the functions section, as bytes and back.
@Suite struct FunctionEntryTests {
    /// Sizes of `struct livepatch_func` by format and pointer size (BUILD_BUG_ON of `xen/common/livepatch.c`: 64, 52, 104, 92).
    @Test(arguments: [
        (PayloadABI.xspliceV1, 8, 64), (.livepatchV1, 8, 64), (.livepatchV1, 4, 52), (.livepatchV2, 8, 104), (.livepatchV2, 4, 92),
    ])
    func sizes(abi: PayloadABI, pointerSize: Int, size: Int) {
        #expect(FunctionEntry.Layout(abi, pointerSize: pointerSize).size == size)
    }

    @Test func expectationsStandBehindThePadding() {
        #expect(FunctionEntry.Layout(.livepatchV1, pointerSize: 8).expectation == nil)
        #expect(FunctionEntry.Layout(.livepatchV2, pointerSize: 8).expectation == 72)
        #expect(FunctionEntry.Layout(.livepatchV2, pointerSize: 4).expectation == 60)
    }

    @Test func fieldsStandWhereTheHeaderHasThem() {
        let entry = FunctionEntry(oldAddress: 0xffff_82d0_4020_1000, newSize: 0x11, oldSize: 0x22, version: 2, expectation: .init([0xaa, 0xbb]))
        let bytes = entry.bytes(layout: .init(.livepatchV2, pointerSize: 8), byteOrder: .little)
        #expect(bytes[0..<16].allSatisfy { $0 == 0 })
        #expect(bytes[16..<24] == [0x00, 0x10, 0x20, 0x40, 0xd0, 0x82, 0xff, 0xff])
        #expect(bytes[24..<33] == [0x11, 0, 0, 0, 0x22, 0, 0, 0, 2])
        #expect(bytes[72..<75] == [2 << 1 | 1, 0xaa, 0xbb])
        #expect(bytes[75...].allSatisfy { $0 == 0 })
    }

    @Test(arguments: [(PayloadABI.livepatchV1, 4), (.livepatchV1, 8), (.livepatchV2, 4), (.livepatchV2, 8)])
    func readsWhatItWrites(abi: PayloadABI, pointerSize: Int) throws {
        let layout = FunctionEntry.Layout(abi, pointerSize: pointerSize)
        var entry = FunctionEntry(
            oldAddress: 0x1234_5678, newSize: 7, oldSize: 900, version: abi.version,
            expectation: abi.hasExpectations ? .init(Array(1...31)) : nil)
        entry.name = 0x10
        entry.newAddress = 0x20
        let bytes = entry.bytes(layout: layout, byteOrder: .little)
        // From the middle of something, as loaders read them.
        let around = [0xff] + bytes + [0xff]
        #expect(try #require(FunctionEntry(around[1..<1 + layout.size], layout: layout, byteOrder: .little)) == entry)
        #expect(FunctionEntry(bytes.dropLast()[...], layout: layout, byteOrder: .little) == nil)
        #expect(FunctionEntry((bytes + [0])[...], layout: layout, byteOrder: .little) == nil)
    }

    @Test func reservedBitsOfAnExpectationAreKept() throws {
        let layout = FunctionEntry.Layout(.livepatchV2, pointerSize: 8)
        var bytes = [UInt8](repeating: 0, count: layout.size)
        bytes[72] = 0b1100_0110
        let expectation = try #require(FunctionEntry(bytes[...], layout: layout, byteOrder: .little)?.expectation)
        #expect(!expectation.isEnabled && expectation.count == 3 && expectation.reserved == 3 && expectation.bytes.count == 3)
    }

    @Test func noMoreIsExpectedThanFits() {
        let expectation = FunctionEntry.Expectation(Array(repeating: 1, count: 40))
        #expect(expectation.count == 31 && expectation.data.count == 31)
    }
}
