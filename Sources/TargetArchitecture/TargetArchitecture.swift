import ELFModel

/// All that differs between the processors that Xen runs on, as far as live patching goes.
///
/// Each conformance lives in a module of its own; nothing outside those modules asks which processor it is.
public protocol TargetArchitecture: Sendable {
    /// As in `--arch` and in Xen's `XEN_TARGET_ARCH`: `x86_64`.
    var name: String { get }
    /// `e_machine` of its ELF files.
    var machine: UInt16 { get }
    var elfClass: ELFClass { get }
    var byteOrder: ByteOrder { get }
    /// What compilers for it are prefixed with when this machine is another: `aarch64-linux-gnu-`.
    var toolchainPrefix: String { get }
    /// The Debian package that has the compiler of that prefix: `gcc-aarch64-linux-gnu`.
    var toolchainPackage: String { get }

    /// What a relocation type means, or nil for one that this program does not know.
    func relocationKind(_ type: UInt32) -> RelocationKind?
    /// Whether two types mean the same in a hypervisor, which has no procedure linkage table: a call by PLT32 or by PC32.
    func areEquivalent(_ a: UInt32, _ b: UInt32) -> Bool
    /// The type that stores the address of a symbol in a pointer.
    var pointerRelocation: UInt32 { get }

    /// The distance from a relocation's symbol to the place that it refers to.
    ///
    /// That is the addend, less what a PC-relative instruction operand adds to reach the end of its instruction.
    /// - Parameters:
    ///   - slot: the bytes that the relocation fills, as indices into `code`.
    ///   - code: the function, from its first byte; or the section's bytes where no function is known.
    /// - Returns: nil when the instruction around the slot can't be decoded.
    func distance(of relocation: ELFRelocation, slot: Range<Int>, in code: ArraySlice<UInt8>) -> Int64?

    /// What a PC-relative operand at an instruction's end adds to the addend to reach that end, negated: 4 on x86.
    var operandBias: Int64 { get }

    /// The shortest function, in bytes, that the hypervisor can put its trampoline into, given its first bytes.
    func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int
    /// Whether a function begins with a mark for indirect calls, behind which a trampoline goes and which the hypervisor may remove.
    func beginsWithLandingPad(_ firstBytes: ArraySlice<UInt8>) -> Bool
    /// The size of that mark, in bytes.
    var landingPadSize: Int { get }
    /// Code that goes on at a symbol and may be called through a pointer, for tables whose fields are too narrow to reach it; nil where
    /// none are.
    var veneer: Veneer? { get }
    /// How far a trampoline reaches to either side, in bytes.
    var trampolineReach: Int64 { get }
    /// Functions start at multiples of this.
    var functionAlignment: UInt64 { get }

    /// Where the code refers to places outside of itself without a relocation: to its neighbours in its section.
    ///
    /// - Parameter relocated: the bytes that relocations fill in, counted from the code's start.
    /// - Returns: nil when the code can't be decoded.
    func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]?

    /// The code, instruction by instruction.
    ///
    /// - Returns: nil when the code can't be decoded, or when one instruction has one encoding only, so that bytes say it all.
    func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]?

    /// Whether a function does more with the address of a constant than to read from it.
    ///
    /// - Parameters:
    ///   - slots: the relocated bytes that refer to the constant, from the code's start.
    ///   - readers: functions that the address may be passed to, by name.
    /// - Returns: `.readsOnly` only where that is certain.
    func addressUse(takenAt slots: [Range<Int>], in function: FunctionCode, readers: [String: Reader]) -> AddressUse

    /// What to fill gaps between functions with: an instruction that stops whoever strays there.
    var textFiller: UInt8 { get }
    /// Whether the bytes are what compilers and assemblers fill gaps between functions with.
    func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool
    /// Symbols that only say whether code or data follows (ARM's `$a`, `$d`, `$x`).
    func isMappingSymbol(_ name: String) -> Bool

    /// The tables that belong to functions, entry by entry, in the given version of Xen.
    func specialTables(major: Int, minor: Int) -> [SpecialTable]
}

extension TargetArchitecture {
    public func areEquivalent(_ a: UInt32, _ b: UInt32) -> Bool { a == b }
    public func beginsWithLandingPad(_ firstBytes: ArraySlice<UInt8>) -> Bool { false }
    public var landingPadSize: Int { 0 }
    public var veneer: Veneer? { nil }
    public func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? { nil }
    public func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? { nil }
    public func addressUse(takenAt slots: [Range<Int>], in function: FunctionCode, readers: [String: Reader]) -> AddressUse {
        guard let first = slots.map(\.lowerBound).min() else { return .readsOnly }
        return .escapes(at: first, .unknown("the code of \(name) is not analysed"))
    }
}

/// A relative branch or operand that the assembler has put in by itself, because both ends are in one section.
public struct ResolvedReference: Sendable, Equatable {
    /// The bytes of the distance, counted from the code's start.
    public var field: Range<Int>
    /// Where it leads, counted from the code's start: negative, or beyond its end.
    public var target: Int

    public init(field: Range<Int>, target: Int) {
        self.field = field
        self.target = target
    }
}

/// A jump in a payload to somewhere in the hypervisor.
public struct Veneer: Sendable, Equatable {
    public var code: [UInt8]
    /// Against the symbol to jump to.
    public var relocation: (offset: Int, type: UInt32, addend: Int64)

    public init(code: [UInt8], relocation: (offset: Int, type: UInt32, addend: Int64)) {
        self.code = code
        self.relocation = relocation
    }

    public static func == (a: Veneer, b: Veneer) -> Bool { a.code == b.code && a.relocation == b.relocation }
}

/// How a relocation is read, compared and written.
public struct RelocationKind: Sendable, Equatable {
    /// As the processor's ABI writes it: `R_X86_64_PC32`.
    public var name: String
    /// The bytes that it fills.
    public var width: Int
    public var isPCRelative: Bool
    /// Whether Xen's payload loader performs it.
    public var isLoadable: Bool

    public init(name: String, width: Int, isPCRelative: Bool, isLoadable: Bool) {
        self.name = name
        self.width = width
        self.isPCRelative = isPCRelative
        self.isLoadable = isLoadable
    }
}

/// A section that is a table of entries, each belonging to the function that its first field points into.
public struct SpecialTable: Sendable, Equatable {
    /// A field that a relocation fills.
    public struct Field: Sendable, Equatable {
        /// Into the entry, in bytes.
        public var offset: Int
        /// What the addend holds on top of the distance to the place meant.
        public var bias: Int64
        /// How many low bits of the addend are that distance; the others hold something else, a line number for example.
        public var bits: Int

        public init(offset: Int, bias: Int64 = 0, bits: Int = 32) {
            self.offset = offset
            self.bias = bias
            self.bits = bits
        }
    }

    /// Where a field points to code that belongs to the entry alone, in a section of such pieces.
    public struct Piece: Sendable, Equatable {
        /// The section of the pieces: `.altinstr_replacement`, `.fixup`.
        public var section: String
        /// The offset of the byte in the entry that tells the piece's length; nil when a piece ends where the next begins.
        public var lengthOffset: Int?

        public init(section: String, lengthOffset: Int? = nil) {
            self.section = section
            self.lengthOffset = lengthOffset
        }
    }

    /// A call through a pointer that the hypervisor turns into a direct one.
    public struct Call: Sendable, Equatable {
        /// The first bytes of the instruction: the same in all of them.
        public var start: [UInt8]
        /// Of the instruction, in bytes.
        public var size: Int

        public init(start: [UInt8], size: Int) {
            self.start = start
            self.size = size
        }
    }

    public var section: String
    /// In bytes.
    public var entrySize: Int
    /// Of the section in a payload, in bytes.
    public var alignment: UInt64
    /// The first one names the owner.
    public var fields: [Field]
    public var piece: Piece?
    /// False when the payload loader ignores the table: an entry that matters can't be taken along.
    public var isLoaded: Bool
    /// Where each entry names a call through a pointer: what the loader holds the code there against.
    public var call: Call?
    /// Whether the hypervisor writes over the code that an entry belongs to, when it boots or when the payload is loaded.
    public var patchesCode: Bool

    public init(
        section: String, entrySize: Int, alignment: UInt64 = 4, fields: [Field], piece: Piece? = nil, isLoaded: Bool = true,
        patchesCode: Bool = false, call: Call? = nil
    ) {
        self.section = section
        self.entrySize = entrySize
        self.alignment = alignment
        self.fields = fields
        self.piece = piece
        self.isLoaded = isLoaded
        self.patchesCode = patchesCode
        self.call = call
    }
}
