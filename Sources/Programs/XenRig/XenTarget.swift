import TestDrive

/// A hypervisor to try the changes of `Fixtures` with: the small tree or Debian's Xen, for one kind of machine.
package struct XenTarget: Sendable, Hashable, CustomStringConvertible {
    package enum Source: Sendable, Equatable {
        /// `mini-xen`.
        case small
        case debian(DebianXen)
    }

    package var source: Source
    package var machine: TargetMachine
    /// nil for the default build.
    package var flavour: XenFlavour?

    package init(_ source: Source, _ machine: TargetMachine, flavour: XenFlavour? = nil) {
        (self.source, self.machine, self.flavour) = (source, machine, flavour)
    }

    // MARK: All targets

    /// The small tree for every machine, PCs first.
    package static let small = TargetMachine.all.map { XenTarget(.small, $0) }
    /// Debian's hypervisors: PCs first, and then the oldest first.
    package static let debian = TargetMachine.all.flatMap { machine in
        DebianXen.all.filter { $0.machines.contains(machine) }.map { XenTarget(.debian($0), machine) }
    }
    package static let all = small + debian
    /// Debian's hypervisors of other flavours.
    package static let flavoured = DebianXen.all.flatMap { xen in xen.flavours.map { XenTarget(.debian(xen), .x86_64, flavour: $0) } }

    /// The hypervisor that the changes of a real Xen were written for.
    package static let standard = XenTarget(.debian(DebianXen.standard), .x86_64)

    // MARK: Names

    /// The name in one word, for files and options: `mini-xen-arm64`, `4.17`, `4.20-arm32`.
    package var name: String { words.joined(separator: "-") }
    /// The name in tables: `4.17`, `4.20 arm32`.
    package var title: String { words.joined(separator: " ") }
    package var description: String { isSmall ? title : "Xen \(title)" }

    private var words: [String] { [isSmall ? MiniXen.name : version] + (machine == .x86_64 ? [] : [machine.name]) + (flavour.map { [$0.name] } ?? []) }

    package var isSmall: Bool { source == .small }
    /// The version of Xen, without the point release.
    package var version: String {
        switch source {
        case .small: MiniXen.version
        case .debian(let xen): xen.version
        }
    }
    /// The name of the tree in `expected.json`.
    package var tree: String { isSmall ? MiniXen.name : "xen-\(DebianXen.standard.version)" }

    /// Debian's Xen. Throws `StepError` for the small tree, which can't be booted.
    package var xen: DebianXen {
        get throws(StepError) {
            guard case .debian(let xen) = source else { throw StepError("\(self) is no release of Debian's Xen") }
            return xen
        }
    }

    /// The hypervisor: from the cache, or built. Throws as `DebianXen.build`.
    package func build(cache: FolderCache) async throws -> HypervisorBuild {
        if let flavour { return try await xen.build(flavour: flavour, cache: cache) }
        return try await xen.build(machine: machine, cache: cache)
    }

    package static func == (a: XenTarget, b: XenTarget) -> Bool { a.name == b.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    // MARK: Changes

    /// The change for this hypervisor: its patches, and its expected result. Returns nil if the change doesn't exist for it.
    ///
    /// `Fixtures/README.md` explains what a change says about versions and machines. Throws `WorkFileError`.
    package func variant(of change: ChangeCase) throws -> ChangeCase? {
        guard change.expected.tree == tree else { return nil }
        if isSmall {
            guard change.reasonAgainst(machine: machine.name) == nil else { return nil }
        } else {
            guard machine == .x86_64 ? !change.isForOthersOnly : change.expected.machines?[machine.name] != nil else { return nil }
            if self == .standard { return change }
            guard let versions = change.expected.versions, version == DebianXen.standard.version || versions.contains(version) else { return nil }
        }
        return try change.variant(for: version, machine: machine.name, flavour: flavour?.name)
    }
}

/// A change to try with a hypervisor.
package struct Trial: Sendable, CustomStringConvertible {
    package var target: XenTarget
    /// The change's variant for the target.
    package var change: ChangeCase
    package var description: String { "\(change.name) in \(target)" }

    package init(target: XenTarget, change: ChangeCase) { (self.target, self.change) = (target, change) }

    /// All trials of these changes with these hypervisors, grouped by hypervisor. Throws `WorkFileError`.
    package static func all(of changes: [ChangeCase], with targets: [XenTarget]) throws -> [Trial] {
        try targets.flatMap { target in
            try changes.compactMap { change in try target.variant(of: change).map { Trial(target: target, change: $0) } }
        }
    }
}
