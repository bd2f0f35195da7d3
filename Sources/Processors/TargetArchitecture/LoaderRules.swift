import XenVersions

/// What Xen's payload loader demands of a payload and does with it, where the loaders of the processors differ.
///
/// The defaults are those of `xen/arch/x86/livepatch.c`. The rules for ARM are in `xen/arch/arm/livepatch.c` and the folders below it.
package struct LoaderRules: Sendable, Equatable {
    /// What happens to relocation tables without addends (`SHT_REL`).
    package enum TablesWithoutAddends: Sendable, Equatable {
        case performed
        /// Refused, with a message on the console.
        case notSupported
        /// Refused as not implemented, without a message.
        case notImplemented
    }

    /// When the loader checks that a relocation lies within its section.
    package enum PlaceCheck: Sendable, Equatable {
        /// Once its type is known.
        case afterType
        /// The given number of bytes before the loader looks at the type; the type's own width afterwards.
        case beforeType(bytes: UInt64)
        /// Not at all: the loader writes wherever the relocation says.
        case never
    }

    /// Where the hypervisor puts payloads.
    package enum Area: Sendable, Equatable {
        /// Behind the hypervisor's image, at a multiple of the given number of bytes.
        case behindImage(multiple: UInt64)
        /// The given number of bytes behind the start of the image.
        case afterImageStart(UInt64)
    }

    /// The features that alternatives ask for. The hypervisor stops itself, or refuses, at a number behind the last.
    package struct Features: Sendable, Equatable {
        /// The hypervisor's own array with one word for each 32 features that processors report.
        package var array: String
        /// How many such words there are if the array can't be found.
        package var reportedWords: UInt64
        /// How many words follow them.
        package var ownWords: UInt64
        /// The feature that each processor has. Alternatives with it turn calls through pointers into direct ones, if the hypervisor does that.
        package var always: UInt16
        package var turnsCalls: Bool

        package init(array: String, reportedWords: UInt64, ownWords: UInt64, always: UInt16, turnsCalls: Bool) {
            self.array = array
            self.reportedWords = reportedWords
            self.ownWords = ownWords
            self.always = always
            self.turnsCalls = turnsCalls
        }
    }

    package var tablesWithoutAddends = TablesWithoutAddends.notSupported
    /// Whether the loader checks the byte order in the file's identification.
    package var checksByteOrder = true
    /// The bits of `e_flags` that must equal those of `headerFlags`.
    package var headerFlagsMask: UInt32 = 0
    /// The loader refuses a file with a symbol of one of these names, or of such a name followed by a dot and more.
    package var refusedSymbols: [String] = []
    /// Tables that the loader refuses by name, whatever their length, in the order in which it looks for them.
    package var refusedSections: [String] = []
    package var placeCheck = PlaceCheck.afterType
    /// Relocation types that the loader performs but `relocationKind` does not describe.
    package var undescribedRelocations: Set<UInt32> = []
    /// The alignment, in bytes, of words that the hypervisor reads or writes. It faults at a word that is not aligned to this.
    package var wordAlignment: UInt64 = 1
    /// In bytes. Functions start at multiples of this, and NOPs are written in units of this.
    package var instructionSize: UInt32 = 1
    /// Whether a function that becomes NOPs must have at least that many bytes, rather than only space for a trampoline.
    package var holdsNOPsToFunction = true
    /// Whether replacement code must be as long as the code that it replaces. If it is not, the hypervisor stops itself.
    package var wantsAlternativesOfOneLength = false
    /// Nil when any number will do.
    package var features: Features?
    /// Whether the hypervisor reads the code that an alternative call leads to.
    package var readsTargetsOfCalls = false
    /// Functions that wait on the stack of a virtual processor while another one runs in its place. Empty when each processor has one
    /// stack and starts it anew.
    package var functionsOnWaitingStacks: [String] = []
    /// Whether the hypervisor writes its trampoline behind a landing pad, which it looks for at upload.
    package var sparesLandingPads = true
    /// Whether the hypervisor can write to the read-only part of a payload while it applies the payload.
    package var overridesReadOnly = true
    /// Whether only the hypervisor's own image can be patched, because applying writes through a second mapping of the image.
    package var patchesImageOnly = false
    package var area = Area.behindImage(multiple: 2 << 20)

    package init() {}
}

/// What the payload loader stores for a relocation.
package struct LoadedField: Sendable, Equatable {
    /// The bytes at the relocation's place, as a number.
    package var number: UInt64
    /// Whether the loader accepts the result as one that fits. If not, the upload fails.
    package var fits: Bool

    package init(number: UInt64, fits: Bool) {
        self.number = number
        self.fits = fits
    }
}

extension RelocationKind {
    /// What a loader stores if it performs the relocation correctly and checks exactly what it stores.
    ///
    /// - Parameters:
    ///   - symbol: the symbol's address.
    ///   - number: the bytes at the place, as a number.
    ///   - addressSize: of the processor, in bytes.
    /// - Returns: nil for a type that the loader refuses.
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
