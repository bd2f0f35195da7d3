/// An ELF file as a value: its contents, apart from where in the file they are.
///
/// Symbol, string and relocation tables are kept as `symbols` and `relocations`, not as the bytes of sections. The writer
/// makes these tables anew. Sections keep their order, so that indices in symbols, links and groups stay valid.
package struct ELFFile: Sendable, Equatable {
    package var header: ELFHeader
    /// `sections[0]` is the null section.
    package var sections: [ELFSection]
    /// `symbols[0]` is the null symbol. Locals come before globals, as the ELF specification demands.
    package var symbols: [ELFSymbol]
    /// Program headers: empty in relocatable files.
    package var segments: [ELFSegment]

    package init(header: ELFHeader, sections: [ELFSection], symbols: [ELFSymbol], segments: [ELFSegment] = []) {
        self.header = header
        self.sections = sections
        self.symbols = symbols
        self.segments = segments
    }
}

package enum ELFClass: Sendable, Equatable, Codable {
    case bits32, bits64

    /// The size of an address, in bytes.
    package var addressSize: Int { self == .bits64 ? 8 : 4 }
}

package enum ByteOrder: Sendable, Equatable, Codable {
    case little, big

    /// The unsigned number that the bytes stand for, 8 of them at most.
    package func number(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
        func joined(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return self == .little ? joined(bytes.reversed()) : joined(bytes)
    }

    /// The low `count` bytes of a number.
    package func bytes(_ number: UInt64, count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
        return self == .little ? little : little.reversed()
    }
}

package struct ELFHeader: Sendable, Equatable {
    package var elfClass: ELFClass
    package var byteOrder: ByteOrder
    package var osABI: UInt8
    package var abiVersion: UInt8
    /// `ET_REL`, `ET_EXEC`…
    package var type: UInt16
    /// `EM_X86_64`…
    package var machine: UInt16
    package var entry: UInt64
    package var flags: UInt32
    /// The index of the section that holds the sections' names (`e_shstrndx`).
    package var sectionNameTable: Int

    package init(
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

package struct ELFSection: Sendable, Equatable {
    package var name: String
    /// `SHT_PROGBITS`…
    package var type: UInt32
    /// `SHF_ALLOC`…
    package var flags: UInt64
    package var address: UInt64
    /// In memory, in bytes. Equals `data.count` except for `SHT_NOBITS`.
    package var size: UInt64
    package var alignment: UInt64
    package var entrySize: UInt64
    package var link: UInt32
    package var info: UInt32
    /// Empty for `SHT_NOBITS` and for the tables that the writer makes anew.
    package var data: [UInt8]
    /// For `SHT_REL` and `SHT_RELA` only: the entries, in file order. `info` names the section they apply to.
    package var relocations: [ELFRelocation]

    package init(
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

package struct ELFSymbol: Sendable, Equatable {
    /// Where a symbol is defined.
    package enum Place: Sendable, Equatable, Hashable {
        case undefined
        case absolute
        case common
        /// An index into `ELFFile.sections`.
        case section(Int)
        /// Any other reserved index.
        case reserved(UInt16)
    }

    package var name: String
    package var value: UInt64
    package var size: UInt64
    /// `STT_FUNC`…
    package var type: UInt8
    /// `STB_LOCAL`…
    package var binding: UInt8
    /// `STV_HIDDEN`… with the other bits of `st_other`.
    package var other: UInt8
    package var place: Place

    package init(
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

package struct ELFRelocation: Sendable, Equatable {
    /// From the start of the section that the relocation applies to, in bytes.
    package var offset: UInt64
    /// `R_X86_64_PC32`…
    package var type: UInt32
    /// An index into `ELFFile.symbols`.
    package var symbol: Int
    /// The addend of an `SHT_RELA` entry; 0 for `SHT_REL`, whose addend is in the section's bytes.
    package var addend: Int64

    package init(offset: UInt64, type: UInt32, symbol: Int, addend: Int64 = 0) {
        self.offset = offset
        self.type = type
        self.symbol = symbol
        self.addend = addend
    }
}

package struct ELFSegment: Sendable, Equatable {
    package var type: UInt32
    package var flags: UInt32
    package var offset: UInt64
    package var virtualAddress: UInt64
    package var physicalAddress: UInt64
    package var fileSize: UInt64
    package var memorySize: UInt64
    package var alignment: UInt64

    package init(
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
