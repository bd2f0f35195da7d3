import ELFModel

/// A 64-bit little-endian ELF file as raw headers.
///
/// The loader looks at raw headers before anything is known to be sound, and refuses in an order of its own; so this reader
/// judges nothing. Every read is bounds-checked and gives nil outside the file.
struct RawELF {
    let bytes: [UInt8]

    static let headerSize = 64
    static let sectionHeaderSize = 64
    static let symbolSize: UInt64 = 24
    static let relaSize: UInt64 = 24
    static let relSize: UInt64 = 16

    struct Header {
        var identification: ArraySlice<UInt8>
        var type: UInt16
        var machine: UInt16
        var version: UInt32
        var sectionTable: UInt64
        var programHeaders: UInt16
        var sectionEntrySize: UInt16
        var sectionCount: UInt16
        var nameTable: UInt16
    }

    struct Section {
        var nameOffset: UInt32
        var type: UInt32
        var flags: UInt64
        var address: UInt64
        var offset: UInt64
        var size: UInt64
        var link: UInt32
        var info: UInt32
        var alignment: UInt64
        var entrySize: UInt64
        var name = ""

        var isLoaded: Bool { flags & ELF.SectionFlag.alloc != 0 }
        var isWritable: Bool { flags & ELF.SectionFlag.write != 0 }
        var isExecutable: Bool { flags & ELF.SectionFlag.execinstr != 0 }
        var hasFileBytes: Bool { type != ELF.SectionType.nobits }
    }

    struct Symbol {
        var nameOffset: UInt32
        /// The low four bits are `STT_FUNC`…
        var info: UInt8
        var section: UInt16
        var value: UInt64
        var size: UInt64
        var name = ""
        /// Defined in a section that is not loaded.
        var isIgnored = false
    }

    /// Nil when the file is shorter than the header.
    func header() -> Header? {
        guard let type: UInt16 = number(at: 16), let machine: UInt16 = number(at: 18), let version: UInt32 = number(at: 20),
            let table: UInt64 = number(at: 40), let segments: UInt16 = number(at: 56), let entry: UInt16 = number(at: 58),
            let count: UInt16 = number(at: 60), let names: UInt16 = number(at: 62)
        else { return nil }
        return Header(
            identification: bytes[..<16], type: type, machine: machine, version: version, sectionTable: table,
            programHeaders: segments, sectionEntrySize: entry, sectionCount: count, nameTable: names)
    }

    func section(at offset: UInt64) -> Section? {
        guard let name: UInt32 = number(at: offset), let type: UInt32 = number(at: offset &+ 4),
            let flags: UInt64 = number(at: offset &+ 8), let address: UInt64 = number(at: offset &+ 16),
            let start: UInt64 = number(at: offset &+ 24), let size: UInt64 = number(at: offset &+ 32),
            let link: UInt32 = number(at: offset &+ 40), let info: UInt32 = number(at: offset &+ 44),
            let alignment: UInt64 = number(at: offset &+ 48), let entry: UInt64 = number(at: offset &+ 56)
        else { return nil }
        return Section(
            nameOffset: name, type: type, flags: flags, address: address, offset: start, size: size, link: link, info: info,
            alignment: alignment, entrySize: entry)
    }

    func symbol(at offset: UInt64) -> Symbol? {
        guard let name: UInt32 = number(at: offset), let info: UInt8 = number(at: offset &+ 4),
            let section: UInt16 = number(at: offset &+ 6), let value: UInt64 = number(at: offset &+ 8),
            let size: UInt64 = number(at: offset &+ 16)
        else { return nil }
        return Symbol(nameOffset: name, info: info, section: section, value: value, size: size)
    }

    /// The file's bytes of a section; nil when they are not all there.
    func contents(_ section: Section) -> ArraySlice<UInt8>? {
        let (end, wraps) = section.offset.addingReportingOverflow(section.size)
        guard !wraps, end <= UInt64(bytes.count) else { return nil }
        return bytes[Int(section.offset)..<Int(end)]
    }

    /// The NUL-terminated string at an offset of a section. Names beyond any use are cut, so that a hostile file with many
    /// symbols of one endless name costs no time.
    func string(at offset: UInt32, in section: Section) -> String? {
        guard let contents = contents(section), UInt64(offset) < section.size else { return nil }
        return String(decoding: contents.dropFirst(Int(offset)).prefix(1024).prefix { $0 != 0 }, as: UTF8.self)
    }

    func number<N: FixedWidthInteger>(at offset: UInt64) -> N? { bytes.number(at: offset) }
}

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// A little-endian number, or nil when it is not wholly inside; the offset counts from the first element.
    func number<N: FixedWidthInteger>(at offset: UInt64) -> N? {
        let width = N.bitWidth / 8
        guard offset <= UInt64(count), UInt64(count) - offset >= UInt64(width) else { return nil }
        var value: N = 0
        for index in (0..<width).reversed() { value = value << 8 | N(truncatingIfNeeded: self[startIndex + Int(offset) + index]) }
        return value
    }
}
