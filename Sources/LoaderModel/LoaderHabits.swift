import XenSource

/// In what the loaders of Xen's versions differ where the payload format is the same.
struct LoaderHabits {
    /// Whether the dependency on the hypervisor is looked at first, in the file itself (Xen 4.20 and later), or last.
    let checksHypervisorFirst: Bool
    /// Whether alternatives and their replacements are held to the payload (Xen 4.17.4 and later; 4.14 to 4.16 never were).
    /// Before, the condition of that check could not come true.
    let holdsAlternativesToPayload: Bool
    /// Whether a relocation against a symbol of a section that is not loaded is refused (Xen 4.17 and later). Before, the symbol's offset in
    /// its section was taken for an address.
    let refusesSymbolsNotLoaded: Bool
    /// Whether what applying has to remember stands outside of the payload (Xen 4.17.3 and later), rather than in the entries of functions.
    let keepsStateApart: Bool
    /// Whether a faulty note of the payload is told by an error of its own (Xen 4.20 and later).
    let tellsFaultyNotes: Bool

    /// Whether what is not loaded and is read all the same is read from the file, which is gone after the upload (Xen 4.20 and later), rather
    /// than through a null pointer.
    let readsNotLoadedFromFile: Bool

    init(_ version: XenVersion) {
        checksHypervisorFirst = version >= XenVersion(major: 4, minor: 20)
        holdsAlternativesToPayload = version >= XenVersion(major: 4, minor: 17)
        refusesSymbolsNotLoaded = version >= XenVersion(major: 4, minor: 17)
        keepsStateApart = version >= XenVersion(major: 4, minor: 17)
        readsNotLoadedFromFile = version >= XenVersion(major: 4, minor: 20)
        tellsFaultyNotes = version >= XenVersion(major: 4, minor: 20)
    }
}
