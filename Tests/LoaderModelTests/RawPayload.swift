import Testing

@testable import LoaderModel

/// Overwrites a number at an offset of the file.
func with<N: FixedWidthInteger>(_ value: N, at offset: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for index in 0..<N.bitWidth / 8 { bytes[Int(offset) + index] = UInt8(truncatingIfNeeded: value >> N(8 * index)) }
    return bytes
}

/// Where the header of the first section of a name, or of a type, is in the file.
func header(
    _ bytes: [UInt8], _ machine: Machine = .x86_64, where isWanted: (RawELF.Section) -> Bool
) throws -> UInt64 {
    let file = RawELF(bytes: bytes, elfClass: machine.architecture.elfClass)
    let header = try #require(file.header())
    let size = UInt64(header.sectionEntrySize)
    let names = try #require(file.section(at: header.sectionTable + UInt64(header.nameTable) * size))
    for index in 1..<UInt64(header.sectionCount) {
        var section = try #require(file.section(at: header.sectionTable + index * size))
        section.name = file.string(at: section.nameOffset, in: names) ?? ""
        if isWanted(section) { return header.sectionTable + index * size }
    }
    throw Missing()
}

private struct Missing: Error {}
