/// Numbers of the ELF specification (gABI 4.1, chapter 4) that this program's modules use.
package enum ELF {
    /// The first bytes of a file.
    package static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

    package enum FileType {
        package static let relocatable: UInt16 = 1
        package static let executable: UInt16 = 2
        package static let shared: UInt16 = 3
    }

    package enum Machine {
        package static let arm: UInt16 = 40
        package static let x86_64: UInt16 = 62
        package static let aarch64: UInt16 = 183
    }

    package enum SectionType {
        package static let null: UInt32 = 0
        package static let progbits: UInt32 = 1
        package static let symtab: UInt32 = 2
        package static let strtab: UInt32 = 3
        package static let rela: UInt32 = 4
        package static let note: UInt32 = 7
        package static let nobits: UInt32 = 8
        package static let rel: UInt32 = 9
        package static let group: UInt32 = 17
        package static let symtabShndx: UInt32 = 18
    }

    package enum SectionFlag {
        package static let write: UInt64 = 1 << 0
        package static let alloc: UInt64 = 1 << 1
        package static let execinstr: UInt64 = 1 << 2
        package static let merge: UInt64 = 1 << 4
        package static let strings: UInt64 = 1 << 5
        package static let infoLink: UInt64 = 1 << 6
        package static let group: UInt64 = 1 << 9
    }

    package enum SymbolType {
        package static let notype: UInt8 = 0
        package static let object: UInt8 = 1
        package static let function: UInt8 = 2
        package static let section: UInt8 = 3
        package static let file: UInt8 = 4
    }

    package enum Binding {
        package static let local: UInt8 = 0
        package static let global: UInt8 = 1
        package static let weak: UInt8 = 2
    }

    package enum NoteType {
        /// NT_GNU_BUILD_ID, owner `GNU`.
        package static let gnuBuildID: UInt32 = 3
    }
}

extension ELFSection {
    package var isAllocated: Bool { flags & ELF.SectionFlag.alloc != 0 }
    package var isExecutable: Bool { flags & ELF.SectionFlag.execinstr != 0 }
    package var isWritable: Bool { flags & ELF.SectionFlag.write != 0 }
    package var isMergeable: Bool { flags & ELF.SectionFlag.merge != 0 }
    /// NUL-terminated strings that the linker may merge: `.rodata.str1.1`, for example.
    package var isStringTable: Bool { isMergeable && flags & ELF.SectionFlag.strings != 0 }
    package var isRelocations: Bool { type == ELF.SectionType.rela || type == ELF.SectionType.rel }
    /// Zero-filled at load, without bytes in the file.
    package var isZeroFilled: Bool { type == ELF.SectionType.nobits }
}

extension ELFSymbol {
    package var isLocal: Bool { binding == ELF.Binding.local }
    package var isFunction: Bool { type == ELF.SymbolType.function }
    package var isObject: Bool { type == ELF.SymbolType.object }
    package var isSection: Bool { type == ELF.SymbolType.section }
    package var isFile: Bool { type == ELF.SymbolType.file }
    package var isUndefined: Bool { place == .undefined }
    /// The index of the section that defines the symbol; nil if none does.
    package var sectionIndex: Int? {
        if case .section(let index) = place { index } else { nil }
    }
}
