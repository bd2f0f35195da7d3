/// An ELF file as a value: what it says, apart from where in the file it says it.
///
/// Symbol, string and relocation tables are not kept as sections' bytes but as `symbols` and `relocations`; the writer
/// makes them anew. Sections keep their order, so that indices in symbols, links and groups stay valid.
public struct ELFFile: Sendable, Equatable {
    public var header: ELFHeader
    /// `sections[0]` is the null section.
    public var sections: [ELFSection]
    /// `symbols[0]` is the null symbol. Locals come before globals, as the ELF specification demands.
    public var symbols: [ELFSymbol]
    /// Program headers: empty in relocatable files.
    public var segments: [ELFSegment]

    public init(header: ELFHeader, sections: [ELFSection], symbols: [ELFSymbol], segments: [ELFSegment] = []) {
        self.header = header
        self.sections = sections
        self.symbols = symbols
        self.segments = segments
    }
}

public enum ELFClass: Sendable, Equatable, Codable {
    case bits32, bits64

    /// Bytes of an address.
    public var addressSize: Int { self == .bits64 ? 8 : 4 }
}

public enum ByteOrder: Sendable, Equatable, Codable {
    case little, big

    /// The unsigned number that up to 8 bytes make.
    public func number(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
        func joined(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return self == .little ? joined(bytes.reversed()) : joined(bytes)
    }

    /// The low `count` bytes of a number.
    public func bytes(_ number: UInt64, count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
        return self == .little ? little : little.reversed()
    }
}

public struct ELFHeader: Sendable, Equatable {
    public var elfClass: ELFClass
    public var byteOrder: ByteOrder
    public var osABI: UInt8
    public var abiVersion: UInt8
    /// `ET_REL`, `ET_EXEC`…
    public var type: UInt16
    /// `EM_X86_64`…
    public var machine: UInt16
    public var entry: UInt64
    public var flags: UInt32
    /// The index of the section that holds the sections' names (`e_shstrndx`).
    public var sectionNameTable: Int

    public init(
        elfClass: ELFClass, byteOrder: ByteOrder, osABI: UInt8 = 0, abiVersion: UInt8 = 0, type: UInt16, machine: UInt16,
        entry: UInt64 = 0, flags: UInt32 = 0, sectionNameTable: Int = 0
    ) {
        self.elfClass = elfClass
        self.byteOrder = byteOrder
        self.osABI = osABI
        self.abiVersion = abiVersion
        self.type = type
        self.machine = machine
        self.entry = entry
        self.flags = flags
        self.sectionNameTable = sectionNameTable
    }
}

public struct ELFSection: Sendable, Equatable {
    public var name: String
    /// `SHT_PROGBITS`…
    public var type: UInt32
    /// `SHF_ALLOC`…
    public var flags: UInt64
    public var address: UInt64
    /// In memory; equals `data.count` but for `SHT_NOBITS`.
    public var size: UInt64
    public var alignment: UInt64
    public var entrySize: UInt64
    public var link: UInt32
    public var info: UInt32
    /// Empty for `SHT_NOBITS` and for the tables that the writer makes anew.
    public var data: [UInt8]
    /// For `SHT_REL` and `SHT_RELA` only: the entries, in file order. `info` names the section they apply to.
    public var relocations: [ELFRelocation]

    public init(
        name: String, type: UInt32, flags: UInt64 = 0, address: UInt64 = 0, size: UInt64? = nil, alignment: UInt64 = 1,
        entrySize: UInt64 = 0, link: UInt32 = 0, info: UInt32 = 0, data: [UInt8] = [], relocations: [ELFRelocation] = []
    ) {
        self.name = name
        self.type = type
        self.flags = flags
        self.address = address
        self.size = size ?? UInt64(data.count)
        self.alignment = alignment
        self.entrySize = entrySize
        self.link = link
        self.info = info
        self.data = data
        self.relocations = relocations
    }
}

public struct ELFSymbol: Sendable, Equatable {
    /// Where a symbol is defined.
    public enum Place: Sendable, Equatable, Hashable {
        case undefined
        case absolute
        case common
        /// An index into `ELFFile.sections`.
        case section(Int)
        /// Any other reserved index.
        case reserved(UInt16)
    }

    public var name: String
    public var value: UInt64
    public var size: UInt64
    /// `STT_FUNC`…
    public var type: UInt8
    /// `STB_LOCAL`…
    public var binding: UInt8
    /// `STV_HIDDEN`… with the other bits of `st_other`.
    public var other: UInt8
    public var place: Place

    public init(
        name: String, value: UInt64 = 0, size: UInt64 = 0, type: UInt8 = 0, binding: UInt8 = 0, other: UInt8 = 0,
        place: Place = .undefined
    ) {
        self.name = name
        self.value = value
        self.size = size
        self.type = type
        self.binding = binding
        self.other = other
        self.place = place
    }
}

public struct ELFRelocation: Sendable, Equatable {
    /// Into the section that it applies to, in bytes.
    public var offset: UInt64
    /// `R_X86_64_PC32`…
    public var type: UInt32
    /// An index into `ELFFile.symbols`.
    public var symbol: Int
    /// The addend of an `SHT_RELA` entry; 0 for `SHT_REL`, whose addend is in the section's bytes.
    public var addend: Int64

    public init(offset: UInt64, type: UInt32, symbol: Int, addend: Int64 = 0) {
        self.offset = offset
        self.type = type
        self.symbol = symbol
        self.addend = addend
    }
}

public struct ELFSegment: Sendable, Equatable {
    public var type: UInt32
    public var flags: UInt32
    public var offset: UInt64
    public var virtualAddress: UInt64
    public var physicalAddress: UInt64
    public var fileSize: UInt64
    public var memorySize: UInt64
    public var alignment: UInt64

    public init(
        type: UInt32, flags: UInt32, offset: UInt64, virtualAddress: UInt64, physicalAddress: UInt64, fileSize: UInt64,
        memorySize: UInt64, alignment: UInt64
    ) {
        self.type = type
        self.flags = flags
        self.offset = offset
        self.virtualAddress = virtualAddress
        self.physicalAddress = physicalAddress
        self.fileSize = fileSize
        self.memorySize = memorySize
        self.alignment = alignment
    }
}
