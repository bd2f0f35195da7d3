/// How the loaders of Xen's versions differ when the payload format is the same.
///
/// Read in the releases from 4.12 to 4.22. Point releases brought fixes to older branches. If the point release is unknown, as it is from
/// `xen-syms` alone, the branch's last one counts.
package struct LoaderBehaviour: Sendable {
    /// Whether the loader checks that alternatives and their replacement code are in the payload. Before, that check could never fail.
    package let holdsAlternativesToPayload: Bool
    /// Whether the loader refuses a relocation against a symbol of a section that is not loaded. Before, it took the symbol's offset in its
    /// section for an address.
    package let refusesSymbolsNotLoaded: Bool
    /// Whether the state that applying has to remember is kept outside of the payload, rather than in the entries of functions.
    package let keepsStateApart: Bool
    /// Whether the loader refuses an alternative with wrong lengths or an unknown feature. Before, the hypervisor stopped itself.
    package let refusesFaultyAlternatives: Bool
    /// Whether the top bit of an alternative's feature number asks for processors without the feature. Before, it was a part of the number.
    /// Trees between two point releases have this already, so the release before counts as well.
    package let invertsAlternatives: Bool
    /// What happens when the loader uses a section that is not loaded. True: it reads from the file, which is gone after the upload. False: it
    /// reads through a null pointer.
    package let readsNotLoadedFromFile: Bool

    /// The largest alignment that the loader keeps, in bytes. It places each region of a payload at a page and aligns sections only
    /// within it (`move_payload` of `xen/common/livepatch.c`, all versions).
    package static let largestAlignment: UInt64 = 4096

    // These two came with the same change to the whole loader.
    /// Whether the loader checks the dependency on the hypervisor first, in the file itself. If not, it checks that last.
    package var checksHypervisorFirst: Bool { readsNotLoadedFromFile }
    /// Whether the loader has an error of its own for a faulty note of the payload.
    package var reportsFaultyNotes: Bool { readsNotLoadedFromFile }

    package init(_ version: XenVersion) {
        readsNotLoadedFromFile = Since(20, points: [18: 4, 19: 1]).holds(for: version)
        refusesFaultyAlternatives = Since(20, points: [18: 4, 19: 1]).holds(for: version)
        invertsAlternatives = Since(20, points: [17: 5, 18: 4, 19: 2]).holds(for: version)
        holdsAlternativesToPayload = Since(18, points: [17: 4]).holds(for: version)
        refusesSymbolsNotLoaded = Since(17, points: [14: 5, 15: 3, 16: 1]).holds(for: version)
        keepsStateApart = Since(19, points: [17: 3, 18: 1]).holds(for: version)
    }
}

/// The releases of Xen 4 that include a change.
private struct Since {
    /// The minor version from which on all releases include it.
    let minor: Int
    /// For each older branch, the first point release that includes it.
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
