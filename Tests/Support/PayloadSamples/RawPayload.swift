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

/// Returns the file's bytes with a text replaced by as many other bytes, wherever it is.
package func replacing(_ text: String, with other: [UInt8], in bytes: [UInt8]) throws -> [UInt8] {
    guard text.utf8.count == other.count, bytes.firstRange(of: Array(text.utf8)) != nil else { throw Missing() }
    var bytes = bytes
    while let range = bytes.firstRange(of: Array(text.utf8)) { bytes.replaceSubrange(range, with: other) }
    return bytes
}

/// Returns the file's bytes with one name of `length` bytes for all symbols whose names begin with `stem`.
package func withOneName(ofLength length: Int, forSymbols stem: String, _ bytes: [UInt8], _ machine: Machine = .x86_64) throws -> [UInt8] {
    let file = RawELF(bytes: bytes, elfClass: machine.architecture.elfClass)
    let table = try header(bytes, machine) { $0.type == 2 }, strings = try header(bytes, machine) { $0.name == ".strtab" }
    guard let symbols = file.section(at: table), let names = file.section(at: strings), let old = file.contents(names) else { throw Missing() }
    var result = bytes
    for place in stride(from: symbols.offset, to: symbols.offset + symbols.size, by: Int(symbols.entrySize)) {
        guard let symbol = file.symbol(at: place), file.string(at: symbol.nameOffset, in: names)?.hasPrefix(stem) == true else { continue }
        result = with(UInt32(names.size), at: place, result)
    }
    result = with(UInt64(bytes.count), at: strings + 24, with(names.size + UInt64(length) + 1, at: strings + 32, result))
    return result + old + [UInt8](repeating: UInt8(ascii: "n"), count: length) + [0]
}

private struct Missing: Error {}
