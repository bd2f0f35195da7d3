import Diagnostics

/// A release of Debian whose Xen the rig can build and boot, and what is particular about it.
package struct DebianXen: Sendable, Equatable, CustomStringConvertible {
    /// The suite's name.
    package var suite: String
    /// Xen's version without the point release, which moves.
    package var version: String
    /// The suite's own GCC, where the machine's would make another program of that Xen; nil elsewhere.
    package var gcc: Int?
    /// What it was last, for when the archive does not serve what it lists.
    var known: KnownSource
    /// What the rig builds it for.
    package var machines: [TargetMachine]
    /// By the name of the machine, the suite that its dom0 comes from, where it is not this one. Its host tool must speak
    /// this Xen's language.
    var dom0Suites: [String: String] = [:]

    package var description: String { "Xen \(version) of Debian \(suite)" }

    /// The oldest first.
    package static let all = [
        // With GCC 12 it compiles with warnings only, and vectorised code stops it at boot.
        DebianXen(
            suite: "bullseye", version: "4.14", gcc: 10,
            known: KnownSource(name: "xen", version: "4.14.6", sha256: "6365e5435b9a18dbce3433ec27e5409d2b1a421d5f6aacfb06833f15d3d9aedd"),
            machines: [.x86_64]),
        DebianXen(
            suite: "bookworm", version: "4.17", gcc: nil,
            known: KnownSource(
                name: "xen", version: "4.17.5+72-g01140da4e8", sha256: "53922f4d0a02c577f2ea9d63f65989cd88715779eebeed879ca1d314103ee06e"),
            machines: TargetMachine.all),
        // Debian 13 has Xen for no 32-bit ARM any more; 4.17's tool and 4.20 have the same sysctl interface.
        DebianXen(
            suite: "trixie", version: "4.20", gcc: nil,
            known: KnownSource(
                name: "xen", version: "4.20.3+127-gc42374a105", sha256: "df0831854a55a8f31cb3cb85036f2edc928e2ef098d77f815f5714bfafac68f3"),
            machines: TargetMachine.all, dom0Suites: [TargetMachine.arm32.name: "bookworm"]),
    ]

    /// The one of a suite. Throws `RigError` for a suite that the rig does not know.
    package static func of(suite: String) throws -> DebianXen {
        guard let found = all.first(where: { $0.suite == suite }) else {
            let known = all.map(\.suite).joined(separator: ", ")
            throw RigError("the rig does not know the Xen of Debian \(suite)", help: "it knows \(known)", exitCode: .usage)
        }
        return found
    }

    /// The one whose host tool speaks to hypervisors of a version, as far as the rig knows.
    package static func speaking(to version: (major: Int, minor: Int)) -> DebianXen? {
        all.last { $0.number <= version } ?? all.first
    }

    private var number: (Int, Int) {
        let parts = version.split(separator: ".").compactMap { Int($0) }
        return (parts.first ?? 0, parts.dropFirst().first ?? 0)
    }

    /// The hypervisor with live patching, built with the compiler that fits it: from the cache, or fetched and built.
    ///
    /// - Parameters as those of `XenRelease.build`. Throws `RigError` when the archive does not have what it takes or has
    ///   another version of Xen by now, and for a machine that is not one of `machines`.
    package func build(
        _ variant: String = "", options: [String: String] = [:], machine: TargetMachine = .x86_64, cache: RigCache
    ) async throws -> HypervisorBuild {
        guard machines.contains(machine) else {
            let known = machines.map(\.name).joined(separator: ", ")
            throw RigError("the rig does not build \(self) for \(machine)", help: "it builds it for \(known)", exitCode: .usage)
        }
        let archive = DebianArchive(suite: suite, cache: cache)
        let release = try await XenRelease.ofDebian(archive)
        guard release.version == version || release.version.hasPrefix("\(version).") else {
            throw RigError("the Xen of Debian \(suite) is \(release.version), not \(version)")
        }
        var compiler: SuiteCompiler?
        if let gcc { compiler = try await SuiteCompiler.ofDebian(archive, version: gcc) }
        return try await release.build(variant, options: options, compiler: compiler, machine: machine, cache: cache)
    }

    /// The dom0 to boot it with: the suite's own kernel and host tool, where it has them for the machine.
    package func dom0(machine: TargetMachine = .x86_64, cache: RigCache) async throws -> Dom0 {
        try await Dom0.ofDebian(dom0Archive(machine: machine, cache: cache))
    }

    /// The same, when it is in the cache already.
    package func existingDom0(machine: TargetMachine = .x86_64, cache: RigCache) throws -> Dom0? {
        try Dom0.existing(dom0Archive(machine: machine, cache: cache))
    }

    /// Where that dom0 comes from.
    func dom0Archive(machine: TargetMachine, cache: RigCache) -> DebianArchive {
        DebianArchive(suite: dom0Suites[machine.name] ?? suite, architecture: machine.debianArchitecture, cache: cache)
    }
}
