@testable import LoaderModel

/// Returns the file's bytes with the number at `offset` replaced by `value`, little-endian.
package func with<N: FixedWidthInteger>(_ value: N, at offset: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for index in 0..<N.bitWidth / 8 { bytes[Int(offset) + index] = UInt8(truncatingIfNeeded: value >> N(8 * index)) }
    return bytes
}

/// The fields that identify a section of a file.
package struct SectionHeader {
    package var name: String
    package var type: UInt32
}

/// The file offset of the first section header that fits `isWanted`. Throws when there is none.
package func header(_ bytes: [UInt8], _ machine: Machine = .x86_64, where isWanted: (SectionHeader) -> Bool) throws -> UInt64 {
    let file = RawELF(bytes: bytes, elfClass: machine.architecture.elfClass)
    guard let header = file.header() else { throw Missing() }
    let size = UInt64(header.sectionEntrySize)
    guard let names = file.section(at: header.sectionTable + UInt64(header.nameTable) * size) else { throw Missing() }
    for index in 1..<UInt64(header.sectionCount) {
        let place = header.sectionTable + index * size
        guard let section = file.section(at: place) else { throw Missing() }
        if isWanted(SectionHeader(name: file.string(at: section.nameOffset, in: names) ?? "", type: section.type)) { return place }
    }
    throw Missing()
}

private struct Missing: Error {}
