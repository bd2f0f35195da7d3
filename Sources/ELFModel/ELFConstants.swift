/// Numbers of the ELF specification (gABI 4.1, chapter 4) that the program's rooms speak of.
public enum ELF {
    public enum FileType {
        public static let relocatable: UInt16 = 1
        public static let executable: UInt16 = 2
        public static let shared: UInt16 = 3
    }

    public enum Machine {
        public static let arm: UInt16 = 40
        public static let x86_64: UInt16 = 62
        public static let aarch64: UInt16 = 183
    }

    public enum SectionType {
        public static let null: UInt32 = 0
        public static let progbits: UInt32 = 1
        public static let symtab: UInt32 = 2
        public static let strtab: UInt32 = 3
        public static let rela: UInt32 = 4
        public static let note: UInt32 = 7
        public static let nobits: UInt32 = 8
        public static let rel: UInt32 = 9
        public static let group: UInt32 = 17
        public static let symtabShndx: UInt32 = 18
    }

    public enum SectionFlag {
        public static let write: UInt64 = 1 << 0
        public static let alloc: UInt64 = 1 << 1
        public static let execinstr: UInt64 = 1 << 2
        public static let merge: UInt64 = 1 << 4
        public static let strings: UInt64 = 1 << 5
        public static let infoLink: UInt64 = 1 << 6
        public static let group: UInt64 = 1 << 9
    }

    public enum SymbolType {
        public static let notype: UInt8 = 0
        public static let object: UInt8 = 1
        public static let function: UInt8 = 2
        public static let section: UInt8 = 3
        public static let file: UInt8 = 4
    }

    public enum Binding {
        public static let local: UInt8 = 0
        public static let global: UInt8 = 1
        public static let weak: UInt8 = 2
    }

    public enum NoteType {
        /// NT_GNU_BUILD_ID, owner `GNU`.
        public static let gnuBuildID: UInt32 = 3
    }
}

extension ELFSection {
    public var isAllocated: Bool { flags & ELF.SectionFlag.alloc != 0 }
    public var isExecutable: Bool { flags & ELF.SectionFlag.execinstr != 0 }
    public var isWritable: Bool { flags & ELF.SectionFlag.write != 0 }
    public var isMergeable: Bool { flags & ELF.SectionFlag.merge != 0 }
    /// NUL-terminated strings that the linker may merge: `.rodata.str1.1` and its like.
    public var isStringTable: Bool { isMergeable && flags & ELF.SectionFlag.strings != 0 }
    public var isRelocations: Bool { type == ELF.SectionType.rela || type == ELF.SectionType.rel }
    /// Zero-filled at load, without bytes in the file.
    public var isZeroFilled: Bool { type == ELF.SectionType.nobits }
}

extension ELFSymbol {
    public var isLocal: Bool { binding == ELF.Binding.local }
    public var isFunction: Bool { type == ELF.SymbolType.function }
    public var isObject: Bool { type == ELF.SymbolType.object }
    public var isSection: Bool { type == ELF.SymbolType.section }
    public var isFile: Bool { type == ELF.SymbolType.file }
    public var isUndefined: Bool { place == .undefined }
    /// The index of the section that defines it, if one does.
    public var sectionIndex: Int? {
        if case .section(let index) = place { index } else { nil }
    }
}
