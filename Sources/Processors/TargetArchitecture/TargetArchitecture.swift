import ELFModel
import XenVersions

/// Everything that differs between the processors that Xen runs on, as far as live patching is concerned.
///
/// Each conformance is in a module of its own. Nothing outside those modules asks which processor it is.
package protocol TargetArchitecture: Sendable {
    /// As in `--arch` and in Xen's `XEN_TARGET_ARCH`: `x86_64`.
    var name: String { get }
    /// The Kconfig option that is on in a hypervisor for this processor, without `CONFIG_`: `X86_64`.
    var kconfigOption: String { get }
    /// `e_machine` of its ELF files.
    var machine: UInt16 { get }
    var elfClass: ELFClass { get }
    var byteOrder: ByteOrder { get }
    /// The prefix of cross compilers' names, for use when this machine is another: `aarch64-linux-gnu-`.
    var toolchainPrefix: String { get }
    /// The Debian package with the compiler of that prefix: `gcc-aarch64-linux-gnu`.
    var toolchainPackage: String { get }

    /// `e_flags` of its payloads.
    var headerFlags: UInt32 { get }
    /// Whether addends are in the same bits that relocations fill: then its relocation tables are `SHT_REL`, not `SHT_RELA`.
    var hasAddendsInPlace: Bool { get }

    /// What a relocation type means, or nil for one that this program does not know.
    func relocationKind(_ type: UInt32) -> RelocationKind?
    /// Whether two types mean the same in a hypervisor, which has no procedure linkage table. For example, calls by PLT32 and by PC32.
    func areEquivalent(_ a: UInt32, _ b: UInt32) -> Bool
    /// The type that stores the address of a symbol in a pointer.
    var pointerRelocation: UInt32 { get }

    /// For each relocation, the distance in bytes from its symbol to the place that it refers to.
    ///
    /// That is the addend, plus the bytes from the relocated field to where the processor counts from, such as the end of the instruction.
    /// - Parameters:
    ///   - relocations: of the function, each with the bytes that it fills, as indices into `code`.
    ///   - code: the function, from its first byte; or the section's bytes where no function is known.
    /// - Returns: for each relocation; nil when the instruction around it can't be decoded.
    func distances(of relocations: [(relocation: ELFRelocation, slot: Range<Int>)], in code: ArraySlice<UInt8>) -> [Int64?]

    /// The size in bytes of the shortest function that has space for the hypervisor's trampoline, given the function's first bytes.
    func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int
    /// Whether a function begins with a landing pad. A trampoline goes behind it, and the hypervisor may remove it.
    func beginsWithLandingPad(_ firstBytes: ArraySlice<UInt8>) -> Bool
    /// The size of a landing pad, in bytes.
    var landingPadSize: Int { get }
    /// Code that jumps to a symbol and may be called through a pointer, for fields that are too narrow to reach the symbol. Nil when the
    /// processor needs none.
    var veneer: Veneer? { get }
    /// How far a trampoline reaches to either side, in bytes.
    var trampolineReach: Int64 { get }
    /// The jump that the hypervisor writes over a replaced function, behind its landing pad.
    func trampoline(at place: UInt64, to target: UInt64) -> [UInt8]
    /// The number that a function returns if it does nothing else, given its first bytes; nil if they do not look like that.
    func returnedConstant(_ code: ArraySlice<UInt8>) -> UInt64?
    /// Functions start at multiples of this, in bytes.
    var functionAlignment: UInt64 { get }
    /// Whether code may be at a place of the payload's text, which begins at a page of 4 KiB.
    ///
    /// - Parameter offset: from the start of the text, in bytes.
    func mayStand(_ code: ArraySlice<UInt8>, at offset: Int) -> Bool

    /// Where the code refers to places outside of itself without a relocation: to other code in its section.
    ///
    /// - Parameter relocated: the bytes that relocations fill, counted from the code's start.
    /// - Returns: nil when the code can't be decoded.
    func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]?

    /// The places that linked code names: targets of branches, and addresses of data that it makes. There may be some too many, as which
    /// instruction runs before which is not followed.
    ///
    /// - Parameter address: where the code is.
    func namedPlaces(in code: ArraySlice<UInt8>, at address: UInt64) -> Set<UInt64>

    /// What linked code does with places outside of itself, in the order of its instructions. Which instruction runs before which is not
    /// followed: where an address takes two instructions, the second one goes with the last first one above it. Code that can't be decoded
    /// ends the list.
    ///
    /// - Parameter address: where the code is.
    func placeUses(in code: ArraySlice<UInt8>, at address: UInt64) -> [PlaceUse]
    /// The registers with the first arguments of a call, by their numbers in `PlaceUse`.
    var argumentRegisters: Set<UInt8> { get }

    /// The code, instruction by instruction.
    ///
    /// - Returns: nil when the code can't be decoded.
    func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]?

    /// The code, instruction by instruction, up to the first one that can't be decoded or that the code cuts short.
    func leadingInstructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]

    /// The instruction that a byte of a function belongs to, as text for people.
    ///
    /// - Parameters:
    ///   - offset: of the byte, from the code's start.
    ///   - code: the function, from its first byte.
    /// - Returns: nil when the code can't be decoded up to there.
    func instructionText(at offset: Int, in code: ArraySlice<UInt8>) -> InstructionText?

    /// Whether a function does anything with the address of a constant except read from it.
    ///
    /// - Parameters:
    ///   - slots: the relocated bytes that refer to the constant, from the code's start.
    ///   - readers: functions that the address may be passed to, by name.
    /// - Returns: `.readsOnly` only when that is certain.
    func addressUse(takenAt slots: [Range<Int>], in function: FunctionCode, readers: [String: Reader]) -> AddressUse

    /// The code of a running function, as it would be if the linker had not worked around faults of processors.
    ///
    /// - Parameters:
    ///   - running: the bytes of a function in the linked hypervisor; `address` is where they are.
    ///   - compiled: the same function in an object.
    ///   - read: returns bytes of the hypervisor, or nil if there are none at that address.
    func withoutLinkerFixes(
        _ running: [UInt8], like compiled: [UInt8], at address: UInt64, read: (_ address: UInt64, _ count: Int) -> ArraySlice<UInt8>?
    ) -> [UInt8]

    /// The byte that fills gaps between functions: where possible, an instruction that stops a processor that gets there.
    var textFiller: UInt8 { get }
    /// Whether the bytes are what compilers and assemblers fill gaps between functions with.
    func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool
    /// Symbols that only say whether code or data follows (ARM's `$a`, `$d`, `$x`).
    func isMappingSymbol(_ name: String) -> Bool

    /// Sections that other programs load but a hypervisor never uses: their names, or what their names begin with.
    var uselessSections: [String] { get }
    /// The tables that belong to functions, entry by entry, in the given version of Xen.
    func specialTables(of version: XenVersion) -> [SpecialTable]

    /// How its payload loader differs from the other processors' loaders, in the given version of Xen.
    func loaderRules(of version: XenVersion) -> LoaderRules
    /// What the payload loader stores for a relocation, correct or not.
    ///
    /// - Parameters:
    ///   - symbol: the symbol's address.
    ///   - number: the bytes at the place, as a number.
    /// - Returns: nil for a type that the loader refuses.
    func loaded(_ type: UInt32, symbol: UInt64, addend: Int64, at place: UInt64, in number: UInt64) -> LoadedField?
}

extension TargetArchitecture {
    package func withoutLinkerFixes(
        _ running: [UInt8], like compiled: [UInt8], at address: UInt64, read: (_ address: UInt64, _ count: Int) -> ArraySlice<UInt8>?
    ) -> [UInt8] { running }
    package var headerFlags: UInt32 { 0 }
    package var hasAddendsInPlace: Bool { false }
    package var uselessSections: [String] { [] }
    package func mayStand(_ code: ArraySlice<UInt8>, at offset: Int) -> Bool { true }
    package func areEquivalent(_ a: UInt32, _ b: UInt32) -> Bool { a == b }
    package func beginsWithLandingPad(_ firstBytes: ArraySlice<UInt8>) -> Bool { false }
    package var landingPadSize: Int { 0 }
    package var veneer: Veneer? { nil }
    package func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? { nil }
    package func namedPlaces(in code: ArraySlice<UInt8>, at address: UInt64) -> Set<UInt64> { branchTargets(in: code, at: address) }
    /// Where the instructions with a distance in them lead, in linked code.
    package func branchTargets(in code: ArraySlice<UInt8>, at address: UInt64) -> Set<UInt64> {
        Set((resolvedReferences(code, relocated: []) ?? []).map { address &+ UInt64(bitPattern: Int64($0.target)) })
    }
    package func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? { nil }
    package func leadingInstructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction] { instructions(code) ?? [] }
    package func instructionText(at offset: Int, in code: ArraySlice<UInt8>) -> InstructionText? { nil }
    package func addressUse(takenAt slots: [Range<Int>], in function: FunctionCode, readers: [String: Reader]) -> AddressUse {
        guard let first = slots.map(\.lowerBound).min() else { return .readsOnly }
        return .escapes(at: first, .unknown("the code of \(name) is not analysed"))
    }
}

/// A relative branch or operand that the assembler resolved by itself, because both ends are in one section.
package struct ResolvedReference: Sendable, Equatable {
    /// The bytes of the distance, counted from the code's start.
    package var field: Range<Int>
    /// Where it leads, counted from the code's start: negative, or beyond its end.
    package var target: Int
    /// What those bytes hold besides the distance.
    package var rest: UInt64

    package init(field: Range<Int>, target: Int, rest: UInt64 = 0) {
        self.field = field
        self.target = target
        self.rest = rest
    }
}

/// A jump in a payload to somewhere in the hypervisor.
package struct Veneer: Sendable, Equatable {
    package var code: [UInt8]
    /// Its symbol is the target of the jump; `offset` counts from the start of the code, in bytes.
    package var relocation: (offset: Int, type: UInt32, addend: Int64)

    package init(code: [UInt8], relocation: (offset: Int, type: UInt32, addend: Int64)) {
        self.code = code
        self.relocation = relocation
    }

    package static func == (a: Veneer, b: Veneer) -> Bool { a.code == b.code && a.relocation == b.relocation }
}
