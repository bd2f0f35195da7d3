/// In what the loaders of Xen's versions differ where the payload format is the same.
///
/// Read in the releases from 4.12 to 4.22: fixes came to older branches with their point releases. Where the point release is not known,
/// as from `xen-syms` alone, the branch's last one counts.
package struct LoaderBehaviour: Sendable {
    /// Whether alternatives and their replacements are held to the payload. Before, the condition of that check could not come true.
    package let holdsAlternativesToPayload: Bool
    /// Whether a relocation against a symbol of a section that is not loaded is refused. Before, the symbol's offset in its section was taken
    /// for an address.
    package let refusesSymbolsNotLoaded: Bool
    /// Whether what applying has to remember stands outside of the payload, rather than in the entries of functions.
    package let keepsStateApart: Bool
    /// Whether what is not loaded and is read all the same is read from the file, which is gone after the upload, rather than through a null
    /// pointer.
    package let readsNotLoadedFromFile: Bool

    // These came with the same change to the whole loader.
    /// Whether the dependency on the hypervisor is looked at first, in the file itself, or last.
    package var checksHypervisorFirst: Bool { readsNotLoadedFromFile }
    /// Whether a faulty note of the payload is told by an error of its own.
    package var tellsFaultyNotes: Bool { readsNotLoadedFromFile }

    package init(_ version: XenVersion) {
        readsNotLoadedFromFile = Since(20, points: [18: 4, 19: 1]).holds(for: version)
        holdsAlternativesToPayload = Since(18, points: [17: 4]).holds(for: version)
        refusesSymbolsNotLoaded = Since(17, points: [14: 5, 15: 3, 16: 1]).holds(for: version)
        keepsStateApart = Since(19, points: [17: 3, 18: 1]).holds(for: version)
    }
}

/// The releases of Xen 4 that have a change.
private struct Since {
    /// All from this one on.
    let minor: Int
    /// By older branch, the point release that brought it.
    let points: [Int: Int]

    init(_ minor: Int, points: [Int: Int]) {
        self.minor = minor
        self.points = points
    }

    func holds(for version: XenVersion) -> Bool {
        guard version.major == 4 else { return version.major > 4 }
        guard let first = points[version.minor] else { return version.minor >= minor }
        return version.point.map { $0 >= first } ?? true
    }
}
