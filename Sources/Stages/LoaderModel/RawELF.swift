import ELFModel

/// A little-endian ELF file as raw headers. The caller decides whether it is read as a 32-bit or a 64-bit file, whatever the file says.
///
/// The loader looks at raw headers before anything is known to be sound, and refuses in its own order; so this reader judges nothing.
/// Every read is bounds-checked and returns nil outside the file.
struct RawELF {
    let bytes: [UInt8]
    let elfClass: ELFClass

    /// In bytes. Names are cut after that many.
    static let maximumName = 1024

    private var isWide: Bool { elfClass == .bits64 }
    var headerSize: Int { isWide ? 64 : 52 }
    var sectionHeaderSize: Int { isWide ? 64 : 40 }
    var symbolSize: UInt64 { isWide ? 24 : 16 }
    var relaSize: UInt64 { isWide ? 24 : 12 }
    var relSize: UInt64 { isWide ? 16 : 8 }
    /// The largest address. Sums of offsets and addresses wrap around after it.
    var lastAddress: UInt64 { isWide ? .max : UInt64(UInt32.max) }

    struct Header {
        var identification: ArraySlice<UInt8>
        var type: UInt16
        var machine: UInt16
        var version: UInt32
        var flags: UInt32
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
        /// The low four bits are the type: `STT_FUNC`…
        var info: UInt8
        var section: UInt16
        var value: UInt64
        var size: UInt64
        var name: SymbolName = ""
        /// Whether it is defined in a section that is not loaded.
        var isIgnored = false

        var isFunction: Bool { info & 15 == ELF.SymbolType.function }
    }

    struct Relocation {
        var offset: UInt64
        var symbol: Int
        var type: UInt32
        /// nil when the addend is stored in place.
        var addend: Int64?
    }

    /// nil when the file is shorter than the header.
    func header() -> Header? {
        // After the addresses of the entry point and of both tables come the flags, the header's own size, and the tables' entries.
        let rest = UInt64(headerSize) - 16
        guard let type: UInt16 = number(at: 16), let machine: UInt16 = number(at: 18), let version: UInt32 = number(at: 20),
            let table = word(at: isWide ? 40 : 32), let flags: UInt32 = number(at: rest),
            let segments: UInt16 = number(at: rest + 8), let entry: UInt16 = number(at: rest + 10),
            let count: UInt16 = number(at: rest + 12), let names: UInt16 = number(at: rest + 14)
        else { return nil }
        return Header(
            identification: bytes[..<16], type: type, machine: machine, version: version, flags: flags, sectionTable: table,
            programHeaders: segments, sectionEntrySize: entry, sectionCount: count, nameTable: names)
    }

    func section(at offset: UInt64) -> Section? {
        let word = UInt64(elfClass.addressSize)
        // An entry has a name and a type, four words, link and info, and two more words.
        let links = offset &+ 8 &+ 4 &* word
        guard let name: UInt32 = number(at: offset), let type: UInt32 = number(at: offset &+ 4),
            let flags = self.word(at: offset &+ 8), let address = self.word(at: offset &+ 8 &+ word),
            let start = self.word(at: offset &+ 8 &+ 2 &* word), let size = self.word(at: offset &+ 8 &+ 3 &* word),
            let link: UInt32 = number(at: links), let info: UInt32 = number(at: links &+ 4),
            let alignment = self.word(at: links &+ 8), let entry = self.word(at: links &+ 8 &+ word)
        else { return nil }
        return Section(
            nameOffset: name, type: type, flags: flags, address: address, offset: start, size: size, link: link, info: info,
            alignment: alignment, entrySize: entry)
    }

    /// In 32-bit files, value and size come before the other fields.
    func symbol(at offset: UInt64) -> Symbol? {
        guard let name: UInt32 = number(at: offset), let info: UInt8 = number(at: offset &+ (isWide ? 4 : 12)),
            let section: UInt16 = number(at: offset &+ (isWide ? 6 : 14)), let value = word(at: offset &+ (isWide ? 8 : 4)),
            let size = word(at: offset &+ (isWide ? 16 : 8))
        else { return nil }
        return Symbol(nameOffset: name, info: info, section: section, value: value, size: size)
    }

    /// An entry of a relocation table, with an addend (`SHT_RELA`) or without.
    func relocation(at offset: UInt64, hasAddend: Bool) -> Relocation? {
        let word = UInt64(elfClass.addressSize)
        guard let place = self.word(at: offset), let info = self.word(at: offset &+ word) else { return nil }
        var addend: Int64?
        if hasAddend {
            guard let number = self.word(at: offset &+ 2 &* word) else { return nil }
            addend = isWide ? Int64(bitPattern: number) : Int64(Int32(truncatingIfNeeded: number))
        }
        return isWide
            ? Relocation(offset: place, symbol: Int(info >> 32), type: UInt32(truncatingIfNeeded: info), addend: addend)
            : Relocation(offset: place, symbol: Int(info >> 8), type: UInt32(info & 0xff), addend: addend)
    }

    /// The file's bytes of a section; nil when the file is too short.
    func contents(_ section: Section) -> ArraySlice<UInt8>? { bytes(at: section.offset, count: section.size) }

    func bytes(at offset: UInt64, count: UInt64) -> ArraySlice<UInt8>? {
        let (end, wraps) = offset.addingReportingOverflow(count)
        guard !wraps, end <= UInt64(bytes.count) else { return nil }
        return bytes[Int(offset)..<Int(end)]
    }

    /// The NUL-terminated name at an offset of a section. Longer names than anyone uses are cut, so that a hostile file with many
    /// symbols of one endless name costs no time.
    func name(at offset: UInt32, in section: Section) -> SymbolName? {
        guard let contents = contents(section), UInt64(offset) < section.size else { return nil }
        return SymbolName(contents.dropFirst(Int(offset)).prefix(Self.maximumName).prefix { $0 != 0 })
    }

    func string(at offset: UInt32, in section: Section) -> String? { name(at: offset, in: section)?.text }

    func number<N: FixedWidthInteger>(at offset: UInt64) -> N? { bytes.number(at: offset) }
    func word(at offset: UInt64) -> UInt64? { bytes.word(at: offset, elfClass) }
}

extension [Int] {
    /// The index of the first number that fits; the numbers that do not fit come first.
    func partitioningIndex(where fits: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if fits(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// A little-endian number; nil when it is not completely inside. The offset counts from the first element.
    func number<N: FixedWidthInteger>(at offset: UInt64) -> N? {
        let width = N.bitWidth / 8
        guard offset <= UInt64(count), UInt64(count) - offset >= UInt64(width) else { return nil }
        var value: N = 0
        for index in (0..<width).reversed() { value = value << 8 | N(truncatingIfNeeded: self[startIndex + Int(offset) + index]) }
        return value
    }

    /// A number with the size of an address.
    func word(at offset: UInt64, _ elfClass: ELFClass) -> UInt64? {
        if elfClass == .bits64 { return number(at: offset) }
        let short: UInt32? = number(at: offset)
        return short.map(UInt64.init)
    }
}
