import XenVersions

/// What Xen's payload loader for a processor asks of a payload and does with it, where the processors' loaders differ.
///
/// The defaults are those of `xen/arch/x86/livepatch.c`; what ARM's do is in `xen/arch/arm/livepatch.c` and below it.
package struct LoaderRules: Sendable, Equatable {
    /// What happens to relocation tables without addends (`SHT_REL`).
    package enum TablesWithoutAddends: Sendable, Equatable {
        case performed
        /// Refused, with a word on the console.
        case notSupported
        /// Refused without a word, as not implemented.
        case notImplemented
    }

    /// When the place of a relocation is held against its section.
    package enum PlaceCheck: Sendable, Equatable {
        /// When its type is known.
        case afterType
        /// That many bytes before its type is looked at, the type's width afterwards.
        case beforeType(bytes: UInt64)
        /// Not at all: the loader writes wherever the relocation says.
        case never
    }

    /// Where payloads are put.
    package enum Area: Sendable, Equatable {
        /// Behind the hypervisor's image, at a multiple of so many bytes.
        case behindImage(multiple: UInt64)
        /// So many bytes behind the start of the image.
        case afterImageStart(UInt64)
    }

    package var tablesWithoutAddends = TablesWithoutAddends.notSupported
    /// Whether the byte order in the file's identification is looked at.
    package var checksByteOrder = true
    /// The bits of `e_flags` that have to be those of `headerFlags`.
    package var headerFlagsMask: UInt32 = 0
    /// A symbol of such a name, or of such a name and a dot and more, makes the loader refuse the file.
    package var refusedSymbols: [String] = []
    /// Tables that the loader refuses by their name, however long they are, in its order.
    package var refusedSections: [String] = []
    package var placeCheck = PlaceCheck.afterType
    /// Relocation types that the loader performs and `relocationKind` does not describe.
    package var undescribedRelocations: Set<UInt32> = []
    /// What words that the hypervisor reads or writes have to be aligned to, in bytes, so that it does not fault.
    package var wordAlignment: UInt64 = 1
    /// Functions start at multiples of this, and as many bytes become NOPs at a time.
    package var instructionSize: UInt32 = 1
    /// Whether a function that becomes NOPs must have as many bytes, rather than room for a trampoline.
    package var holdsNOPsToFunction = true
    /// Whether a replacement of code has to be as long as what it replaces; the hypervisor stops itself else.
    package var wantsAlternativesOfOneLength = false
    /// Functions that wait on the stack of a virtual processor which another one has taken the place of. Empty where each processor has one
    /// stack, and begins it anew.
    package var functionsOnWaitingStacks: [String] = []
    /// Whether what it writes over a function begins behind a mark for indirect calls, which the upload looks for.
    package var sparesLandingPads = true
    /// Whether the hypervisor can write to the read-only part of a payload while it applies it.
    package var overridesReadOnly = true
    /// Whether only the hypervisor's own image can be patched, since applying writes through a second mapping of that.
    package var patchesImageOnly = false
    package var area = Area.behindImage(multiple: 2 << 20)

    package init() {}
}

/// What the payload loader stores for a relocation.
package struct LoadedField: Sendable, Equatable {
    /// The bytes at the place, as a number.
    package var number: UInt64
    /// Whether the loader takes the result for one that fits; else the upload ends.
    package var fits: Bool

    package init(number: UInt64, fits: Bool) {
        self.number = number
        self.fits = fits
    }
}

extension RelocationKind {
    /// What a loader stores that performs the relocation as it is meant, and checks exactly what it stores.
    ///
    /// - Parameters:
    ///   - symbol: the symbol's address.
    ///   - number: the bytes at the place, as a number.
    ///   - addressSize: of the processor, in bytes.
    /// - Returns: nil for a type that loaders refuse.
    package func loaded(symbol: UInt64, addend: Int64, at place: UInt64, in number: UInt64, addressSize: Int) -> LoadedField? {
        guard loading != .refused else { return nil }
        guard let result = result(symbol &+ UInt64(bitPattern: addend), at: place) else { return LoadedField(number: number, fits: true) }
        return LoadedField(number: field.storing(result, in: number), fits: holds(result, addressSize: addressSize))
    }
}

extension TargetArchitecture {
    package func loaderRules(of version: XenVersion) -> LoaderRules { LoaderRules() }

    package func loaded(_ type: UInt32, symbol: UInt64, addend: Int64, at place: UInt64, in number: UInt64) -> LoadedField? {
        relocationKind(type)?.loaded(symbol: symbol, addend: addend, at: place, in: number, addressSize: elfClass.addressSize)
    }
}
