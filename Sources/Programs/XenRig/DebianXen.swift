import Diagnostics
import TestDrive

/// A release of Debian whose Xen the rig can build and boot, with the facts that are special to it.
package struct DebianXen: Sendable, Equatable, CustomStringConvertible {
    /// The release. The dom0 to boot this Xen with also comes from it.
    package var debian: Dom0Suite
    /// The version of the suite's own GCC, when the machine's GCC would not build a Xen that works; nil when the machine's GCC is used.
    package var gcc: Int?
    /// The last known source, for when the archive lists a version but no longer has its files.
    var known: KnownSource
    /// The machines that the rig builds it for.
    package var machines: [TargetMachine]

    /// The suite's name.
    package var suite: String { debian.name }
    /// Xen's version without the point release, which changes.
    package var version: String { "\(debian.xen)" }
    package var description: String { "Xen \(version) of Debian \(suite)" }

    /// The oldest first.
    package static let all = [
        // GCC 12 compiles this Xen, with warnings, but vectorised code then stops it at boot.
        DebianXen(
            debian: .bullseye, gcc: 10,
            known: KnownSource(name: "xen", version: "4.14.6", sha256: "6365e5435b9a18dbce3433ec27e5409d2b1a421d5f6aacfb06833f15d3d9aedd"),
            machines: [.x86_64]),
        DebianXen(
            debian: .bookworm, gcc: nil,
            known: KnownSource(
                name: "xen", version: "4.17.5+72-g01140da4e8", sha256: "53922f4d0a02c577f2ea9d63f65989cd88715779eebeed879ca1d314103ee06e"),
            machines: TargetMachine.all),
        DebianXen(
            debian: .trixie, gcc: nil,
            known: KnownSource(
                name: "xen", version: "4.20.3+127-gc42374a105", sha256: "df0831854a55a8f31cb3cb85036f2edc928e2ef098d77f815f5714bfafac68f3"),
            machines: TargetMachine.all),
    ]

    /// The Xen that changes are written for, and the tools' default.
    package static let standard = all[1]

    /// Other ways to build it that the fixtures are tried with.
    package var flavours: [XenFlavour] {
        switch debian {
        case .bookworm: [.clang(19), .rich, .richDebug, .lean, .packaged]
        case .trixie: [.gcc(14, of: "trixie"), .gcc(15, of: "forky")]
        default: []
        }
    }

    /// The Xen of a suite. Throws `StepError` for a suite that the rig does not know.
    package static func of(suite: String) throws -> DebianXen {
        guard let found = all.first(where: { $0.suite == suite }) else {
            let known = all.map(\.suite).joined(separator: ", ")
            throw StepError("the rig does not know the Xen of Debian \(suite)", help: "it knows \(known)", exitCode: .usage)
        }
        return found
    }

    /// The hypervisor with live patching, built with the compiler that fits it: from the cache, or downloaded and built.
    ///
    /// The parameters are those of `XenRelease.build`. Throws `StepError` when the archive lacks files that the build needs,
    /// when the archive now has another version of Xen, or for a machine that is not one of `machines`.
    package func build(
        _ variant: String = "", options: [String: String] = [:], machine: TargetMachine = .x86_64, cache: FolderCache
    ) async throws -> HypervisorBuild {
        guard machines.contains(machine) else {
            let known = machines.map(\.name).joined(separator: ", ")
            throw StepError("the rig does not build \(self) for \(machine)", help: "it builds it for \(known)", exitCode: .usage)
        }
        let release = try await release(in: cache)
        return try await release.build(variant, options: options, compiler: try await ownCompiler(cache), machine: machine, cache: cache)
    }

    private func release(in cache: FolderCache) async throws -> XenRelease {
        let release = try await XenRelease.ofDebian(DebianArchive(suite: suite, cache: cache))
        guard release.version == version || release.version.hasPrefix("\(version).") else {
            throw StepError("the Xen of Debian \(suite) is \(release.version), not \(version)")
        }
        return release
    }

    private func ownCompiler(_ cache: FolderCache) async throws -> SuiteCompiler? {
        guard let gcc else { return nil }
        return try await SuiteCompiler.ofDebian(DebianArchive(suite: suite, cache: cache), version: gcc)
    }

    /// The hypervisor of another flavour, for PCs.
    package func build(flavour: XenFlavour, cache: FolderCache) async throws -> HypervisorBuild {
        let release = try await release(in: cache)
        var compiler = try await ownCompiler(cache)
        switch flavour.compiler {
        case .gcc(let version, let suite): compiler = try await SuiteCompiler.ofDebian(DebianArchive(suite: suite, cache: cache), version: version)
        case .clang(let version): compiler = .clang(version)
        case nil: break
        }
        return try await release.build(
            flavour.name, options: flavour.options, makeVariables: flavour.makeVariables, isOutOfTree: flavour.isOutOfTree, compiler: compiler, cache: cache)
    }

    /// The same hypervisor, with or without Xen's own checks.
    package func build(debug: Bool, machine: TargetMachine = .x86_64, cache: FolderCache) async throws -> HypervisorBuild {
        debug ? try await build("debug", options: Self.debugOptions, machine: machine, cache: cache) : try await build(machine: machine, cache: cache)
    }

    /// The Kconfig options of a debug build.
    package static let debugOptions = ["CONFIG_DEBUG": "y"]
}
