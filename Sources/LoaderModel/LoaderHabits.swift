import XenSource

/// In what the loaders of Xen's versions differ where the payload format is the same.
struct LoaderHabits {
    /// Whether the dependency on the hypervisor is looked at first, in the file itself (Xen 4.20 and later), or last.
    let checksHypervisorFirst: Bool
    /// Whether alternatives and their replacements are held to the payload (Xen 4.17.4 and later; 4.14 to 4.16 never were).
    /// Before, the condition of that check could not come true.
    let holdsAlternativesToPayload: Bool

    init(_ version: XenVersion) {
        checksHypervisorFirst = version >= XenVersion(major: 4, minor: 20)
        holdsAlternativesToPayload = version >= XenVersion(major: 4, minor: 17)
    }
}
