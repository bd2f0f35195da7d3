import XenVersions

/// A release of Debian to make dom0s from. Its host tool works with hypervisors of the version of its own Xen, and, as far as is known, with
/// later ones up to that of the next release.
package struct Dom0Suite: Sendable, Equatable {
    /// The suite's name, such as `bookworm`.
    package var name: String
    /// The version of the suite's own Xen, without the point release, which changes.
    package var xen: XenVersion
    /// For each machine that the suite has no Xen for: the name of another suite whose host tool also works with this Xen.
    var others: [String: String] = [:]

    package static let bullseye = Dom0Suite(name: "bullseye", xen: .ofDebian11)
    package static let bookworm = Dom0Suite(name: "bookworm", xen: .ofDebian12)
    /// Debian 13 no longer has Xen for 32-bit ARM; the host tool of 4.17 and Xen 4.20 have the same sysctl interface.
    package static let trixie = Dom0Suite(name: "trixie", xen: .ofDebian13, others: [TargetMachine.arm32.name: "bookworm"])

    /// The oldest first.
    package static let all = [bullseye, bookworm, trixie]

    /// The suite whose host tool works with hypervisors of a version: the newest suite whose Xen is not newer, else the oldest suite.
    package static func speaking(to version: XenVersion) -> Dom0Suite { all.last { $0.xen <= version } ?? bullseye }

    /// The dom0 for a machine: from the cache, or made from packages (a download of about 80 MB). Throws as `Dom0.ofDebian` does.
    package func dom0(for machine: TargetMachine = .x86_64, cache: FolderCache) async throws -> Dom0 {
        try await Dom0.ofDebian(archive(for: machine, cache: cache))
    }

    /// The dom0 for a machine if it is in the cache already; nil if not. Throws as `Dom0.existing` does.
    package func existingDom0(for machine: TargetMachine, cache: FolderCache) throws -> Dom0? {
        try Dom0.existing(archive(for: machine, cache: cache))
    }

    /// The suite that the dom0 for a machine is made from: `bookworm`.
    package func suiteName(for machine: TargetMachine) -> String { others[machine.name] ?? name }

    /// The archive that has the packages for that dom0.
    func archive(for machine: TargetMachine, cache: FolderCache) -> DebianArchive {
        DebianArchive(suite: suiteName(for: machine), architecture: machine.debianArchitecture, cache: cache)
    }
}
