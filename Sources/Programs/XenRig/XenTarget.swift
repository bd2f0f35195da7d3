import TestDrive

/// A hypervisor that the changes of `Fixtures` are tried with: the small tree or Debian's Xen, for one kind of machine.
package struct XenTarget: Sendable, Hashable, CustomStringConvertible {
    package enum Source: Sendable, Equatable {
        /// `mini-xen`.
        case small
        case debian(DebianXen)
    }

    package var source: Source
    package var machine: TargetMachine

    package init(_ source: Source, _ machine: TargetMachine) { (self.source, self.machine) = (source, machine) }

    // MARK: Which there are

    /// The small tree for every machine, PCs first.
    package static let small = TargetMachine.all.map { XenTarget(.small, $0) }
    /// Debian's, PCs first, and the oldest first.
    package static let debian = TargetMachine.all.flatMap { machine in
        DebianXen.all.filter { $0.machines.contains(machine) }.map { XenTarget(.debian($0), machine) }
    }
    package static let all = small + debian

    /// The one that the changes of a real Xen were written for.
    package static let standard = XenTarget(.debian(DebianXen.standard), .x86_64)

    // MARK: Names

    /// In one word, for files and options: `mini-xen-arm64`, `4.17`, `4.20-arm32`.
    package var name: String { words.joined(separator: "-") }
    /// In tables: `4.17`, `4.20 arm32`.
    package var title: String { words.joined(separator: " ") }
    package var description: String { isSmall ? title : "Xen \(title)" }

    private var words: [String] { [isSmall ? MiniXen.name : version] + (machine == .x86_64 ? [] : [machine.name]) }

    package var isSmall: Bool { source == .small }
    /// Of Xen, without the point release.
    package var version: String {
        switch source {
        case .small: MiniXen.version
        case .debian(let xen): xen.version
        }
    }
    /// As `expected.json` names the tree.
    package var tree: String { isSmall ? MiniXen.name : "xen-\(DebianXen.standard.version)" }

    /// Throws `RigError` for the small tree, which can't be booted.
    package var xen: DebianXen {
        get throws(RigError) {
            guard case .debian(let xen) = source else { throw RigError("\(self) is no release of Debian's Xen") }
            return xen
        }
    }

    package static func == (a: XenTarget, b: XenTarget) -> Bool { a.name == b.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    // MARK: Changes

    /// A change as it is for this hypervisor: its patches, and what must come of it. Nil when there is no such change for it.
    ///
    /// See `Fixtures/README.md` for what a change says about versions and machines. Throws `WorkFileError`.
    package func variant(of change: ChangeCase) throws -> ChangeCase? {
        guard change.expected.tree == tree else { return nil }
        if isSmall {
            guard change.reasonAgainst(machine: machine.name) == nil else { return nil }
        } else {
            guard machine == .x86_64 ? !change.isForOthersOnly : change.expected.machines?[machine.name] != nil else { return nil }
            if self == .standard { return change }
            guard let versions = change.expected.versions, version == DebianXen.standard.version || versions.contains(version) else { return nil }
        }
        return try change.variant(for: version, machine: machine.name)
    }
}

/// A change that is tried with a hypervisor.
package struct Trial: Sendable, CustomStringConvertible {
    package var target: XenTarget
    /// As it is for the target.
    package var change: ChangeCase
    package var description: String { "\(change.name) in \(target)" }

    package init(target: XenTarget, change: ChangeCase) { (self.target, self.change) = (target, change) }

    /// All that there are of some changes for some hypervisors, by hypervisor. Throws `WorkFileError`.
    package static func all(of changes: [ChangeCase], with targets: [XenTarget]) throws -> [Trial] {
        try targets.flatMap { target in
            try changes.compactMap { change in try target.variant(of: change).map { Trial(target: target, change: $0) } }
        }
    }
}
