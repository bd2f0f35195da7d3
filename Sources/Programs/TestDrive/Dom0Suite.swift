import XenVersions

/// A release of Debian that dom0s are made of. Its host tool speaks to hypervisors of its own Xen's version, and, as far as is known, to later
/// ones up to that of the next release.
package struct Dom0Suite: Sendable, Equatable {
    /// The suite's name, such as `bookworm`.
    package var name: String
    /// The suite's own Xen, without the point release, which moves.
    package var xen: XenVersion
    /// By the name of a machine for which the suite has no Xen: a suite that has one, with a host tool that speaks to this Xen, too.
    var others: [String: String] = [:]

    package static let bullseye = Dom0Suite(name: "bullseye", xen: XenVersion(major: 4, minor: 14))
    package static let bookworm = Dom0Suite(name: "bookworm", xen: XenVersion(major: 4, minor: 17))
    /// Debian 13 has Xen for no 32-bit ARM any more; 4.17's tool and 4.20 have the same sysctl interface.
    package static let trixie = Dom0Suite(name: "trixie", xen: XenVersion(major: 4, minor: 20), others: [TargetMachine.arm32.name: "bookworm"])

    /// The oldest first.
    package static let all = [bullseye, bookworm, trixie]

    /// The one whose host tool speaks to hypervisors of a version: the newest that is not newer, else the oldest there is.
    package static func speaking(to version: XenVersion) -> Dom0Suite { all.last { $0.xen <= version } ?? bullseye }

    /// The dom0 for a machine: from the cache, or made of packages (about 80 MB to download). Throws as `Dom0.ofDebian` does.
    package func dom0(for machine: TargetMachine = .x86_64, cache: FolderCache) async throws -> Dom0 {
        try await Dom0.ofDebian(archive(for: machine, cache: cache))
    }

    /// The same, when it is in the cache already; nil when not. Throws as `Dom0.existing` does.
    package func existingDom0(for machine: TargetMachine, cache: FolderCache) throws -> Dom0? {
        try Dom0.existing(archive(for: machine, cache: cache))
    }

    /// Where that dom0 comes from.
    func archive(for machine: TargetMachine, cache: FolderCache) -> DebianArchive {
        DebianArchive(suite: others[machine.name] ?? name, architecture: machine.debianArchitecture, cache: cache)
    }
}
