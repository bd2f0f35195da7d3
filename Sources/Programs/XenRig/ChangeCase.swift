import FoundationEssentials
import SystemPackage
import TestDrive
import WorkFiles

/// A folder of `Fixtures/changes`: a change of a tree, and what must come of it. See `Fixtures/README.md`.
package struct ChangeCase: Sendable, CustomStringConvertible {
    package struct Expected: Sendable, Decodable {
        /// `mini-xen`, or a real Xen: `xen-4.17`.
        package var tree: String
        /// For other machines than a PC only: those of `machines`.
        package var othersOnly: Bool?
        /// Options of the program beside those that every change is built with.
        package var options: [String]?
        /// Other versions of Xen that the change is tried with.
        package var versions: [String]?
        /// For a hypervisor with Xen's own checks switched on (CONFIG_DEBUG).
        package var debug: Bool?
        package var exit: Int
        package var changed: [String]
        package var new: [String]
        /// All that the payload takes from the running hypervisor by name.
        package var referred: [String]?
        package var files: [String: [String]]?
        package var diagnostics: [String]
        /// What the names of no section of the payload may begin with.
        package var sectionsAbsent: [String]?
        /// How many entries some special sections of the payload have.
        package var entries: [String: Int]?
        /// For a case that takes minutes: run by 'make test-all' only.
        package var slow: Bool?
        /// Options to set in the configuration.
        package var configuration: [String: String]?
        package var boot: Boot?
        /// What is otherwise on other machines, by the value of XEN_TARGET_ARCH, or `arm` for both of ARM; where that differs between
        /// versions, `arm32 4.17`. A real Xen's change is tried with those machines only.
        package var machines: [String: Otherwise]?
        /// Why a change of `mini-xen` can't exist for a machine, or for `arm`.
        package var notOn: [String: String]?

        package init(
            tree: String = XenTarget.standard.tree, versions: [String]? = nil, machines: [String]? = nil, debug: Bool = false, exit: Int,
            changed: [String] = [], boot: Boot? = nil
        ) {
            (self.tree, self.versions, self.debug, self.exit, self.changed, self.boot) = (tree, versions, debug, exit, changed, boot)
            (new, diagnostics) = ([], [])
            self.machines = machines.map { Dictionary(uniqueKeysWithValues: Set($0).map { ($0, Otherwise()) }) }
        }
    }

    /// What is expected for another machine than a PC, where it is not the same: another compiler makes other copies of functions.
    package struct Otherwise: Sendable, Decodable {
        package var exit: Int?
        package var changed: [String]?
        package var new: [String]?
        package var files: [String: [String]]?
        package var diagnostics: [String]?
        package var entries: [String: Int]?
        package var boot: Boot?
    }

    /// What a dom0 sees of the change in the running hypervisor.
    package struct Boot: Sendable, Decodable {
        /// A shell command that shows the behaviour.
        package var look: String
        /// A pattern that its whole output matches while the payload is applied, and only then.
        package var applied: String?
        /// A pattern of a line that Xen logs meanwhile while the payload is applied, and only then.
        package var log: String?

        package init(look: String, applied: String? = nil, log: String? = nil) {
            (self.look, self.applied, self.log) = (look, applied, log)
        }
    }

    package var name: String
    package var expected: Expected
    /// In the order in which they are applied.
    package var patches: [FilePath]
    package var description: String { name }
    package var isForOthersOnly: Bool { expected.othersOnly == true }
    package var isForDebugBuild: Bool { expected.debug == true }
    package var options: [String] { expected.options ?? [] }

    package init(name: String, expected: Expected, patches: [FilePath]) {
        (self.name, self.expected, self.patches) = (name, expected, patches)
    }

    /// The same change for another version of Xen or another machine: a folder named after the version has the patch where the context
    /// differs there, one called `arm` where the source is the processor's.
    ///
    /// What is expected stays, but for the names that the payload takes from the hypervisor and for what `machines` says.
    func variant(for version: String, machine: String) throws -> ChangeCase {
        var variant = self
        variant.expected.referred = nil
        if let otherwise = Self.said(expected.machines, of: machine, version) {
            variant.expected.exit = otherwise.exit ?? expected.exit
            variant.expected.changed = otherwise.changed ?? expected.changed
            variant.expected.new = otherwise.new ?? expected.new
            variant.expected.files = otherwise.files ?? expected.files
            variant.expected.diagnostics = otherwise.diagnostics ?? expected.diagnostics
            variant.expected.entries = otherwise.entries ?? expected.entries
            variant.expected.boot = otherwise.boot ?? expected.boot
        }
        guard let home = patches.first?.removingLastComponent() else { return variant }
        for name in machine.hasPrefix("arm") ? ["arm-\(version)", "arm", version] : [version] {
            let folder = home.appending(name)
            guard try WorkFiles.kind(of: folder) == .folder else { continue }
            variant.patches = try WorkFiles.names(in: folder).filter { $0.hasSuffix(".patch") }.map { folder.appending($0) }
            break
        }
        return variant
    }

    /// Why there is no such change for a machine; nil where there is one.
    package func reasonAgainst(machine: String) -> String? { Self.said(expected.notOn, of: machine, "") }

    /// What is said of a machine: of it with that version, of it, of its family.
    private static func said<Value>(_ values: [String: Value]?, of machine: String, _ version: String) -> Value? {
        values?["\(machine) \(version)"] ?? values?[machine] ?? (machine.hasPrefix("arm") ? values?["arm"] : nil)
    }

    /// The folder `Fixtures` of this package.
    package static let fixtures = FilePath(#filePath).removingLastComponent().appending("../../../Fixtures").lexicallyNormalized()

    /// All changes there are, by name. Throws `WorkFileError`, and what `JSONDecoder` throws for an `expected.json` that is wrong.
    package static func all(in fixtures: FilePath = fixtures) throws -> [ChangeCase] {
        let root = fixtures.appending("changes")
        return try WorkFiles.names(in: root).map { name in
            let folder = root.appending(name)
            let expected = try JSONDecoder().decode(Expected.self, from: Data(try WorkFiles.read(folder.appending("expected.json"))))
            let patches = try WorkFiles.names(in: folder).filter { $0.hasSuffix(".patch") }.map { folder.appending($0) }
            return ChangeCase(name: name, expected: expected, patches: patches)
        }
    }

    /// The demo's change, which there is for every real Xen.
    package static let demo = ChangeCase(
        name: "hello-world",
        expected: .init(
            versions: DebianXen.all.map(\.version), machines: TargetMachine.all.map(\.name), exit: 0, changed: ["xen_extra_version"],
            boot: .init(look: "cat /sys/hypervisor/version/extra", applied: "Hello World")),
        patches: [fixtures.appending("patches/xen-4.17/hello-world.patch")])
}
