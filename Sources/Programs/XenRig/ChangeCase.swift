import FoundationEssentials
import SystemPackage
import TestDrive
import WorkFiles

/// A folder of `Fixtures/changes`: a change of a tree, and its expected result. See `Fixtures/README.md`.
package struct ChangeCase: Sendable, CustomStringConvertible {
    package struct Expected: Sendable, Decodable {
        /// `mini-xen`, or a real Xen: `xen-4.17`.
        package var tree: String
        /// The change is only for machines other than a PC: those in `machines`.
        package var othersOnly: Bool?
        /// Options of the program, in addition to those that every change is built with.
        package var options: [String]?
        /// Other versions of Xen to try the change with.
        package var versions: [String]?
        /// The change needs a hypervisor with Xen's own checks switched on (CONFIG_DEBUG).
        package var debug: Bool?
        package var exit: Int
        package var changed: [String]
        package var new: [String]
        /// All symbols of the running hypervisor that the payload refers to.
        package var referred: [String]?
        package var files: [String: [String]]?
        package var diagnostics: [String]
        /// Text that no section name of the payload may begin with.
        package var sectionsAbsent: [String]?
        /// The number of entries in some of the payload's special sections.
        package var entries: [String: Int]?
        /// When the new code of replaced functions runs: the verdict in the report, by name. On a PC.
        package var effects: [String: String]?
        /// The case takes minutes: only 'make test-all' runs it.
        package var slow: Bool?
        /// Options to set in the configuration.
        package var configuration: [String: String]?
        package var boot: Boot?
        /// Why it can't be patched there, for the table's readers.
        package var why: String?
        /// Whether the hypervisor comes from another compiler or configuration than the lists here: then only the exit code and the effect count,
        /// because other functions are inlined.
        package var isOfAnotherBuild: Bool?
        /// The differences on other machines. The key is the value of XEN_TARGET_ARCH, or `arm` for both kinds of ARM; if versions differ,
        /// `arm32 4.17`; or the name of a flavour (`clang-19`). A real Xen's change is tried only with the machines that have an entry here, apart from a PC.
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

    /// The expected results for a machine other than a PC, as far as they differ: another compiler makes other copies of functions.
    package struct Otherwise: Sendable, Decodable {
        package var exit: Int?
        package var changed: [String]?
        package var new: [String]?
        package var files: [String: [String]]?
        package var diagnostics: [String]?
        package var entries: [String: Int]?
        package var boot: Boot?
        /// Why it can't be patched there, for the table's readers.
        package var why: String?
    }

    /// The change's effect in the running hypervisor, as a dom0 sees it.
    package struct Boot: Sendable, Decodable {
        /// A shell command whose output shows the behaviour.
        package var look: String
        /// A pattern that the command's whole output matches only while the payload is applied.
        package var applied: String?
        /// A pattern of a line that Xen logs during the command, only while the payload is applied.
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

    /// The same change for another version of Xen or another machine. A folder named after the version has the patch if the context
    /// differs there; a folder `arm` has it if the source belongs to the processor.
    ///
    /// The expected result stays the same, except for the symbols that the payload refers to, and for what `machines` says.
    func variant(for version: String, machine: String, flavour: String? = nil) throws -> ChangeCase {
        var variant = self
        variant.expected.referred = nil
        variant.expected.isOfAnotherBuild = flavour != nil
        if let otherwise = Self.said(expected.machines, of: flavour ?? machine, version) {
            variant.expected.exit = otherwise.exit ?? expected.exit
            variant.expected.changed = otherwise.changed ?? expected.changed
            variant.expected.new = otherwise.new ?? expected.new
            variant.expected.files = otherwise.files ?? expected.files
            variant.expected.diagnostics = otherwise.diagnostics ?? expected.diagnostics
            variant.expected.entries = otherwise.entries ?? expected.entries
            variant.expected.boot = otherwise.boot ?? expected.boot
            variant.expected.why = otherwise.why
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

    /// Why the change doesn't exist for a machine; nil if it does.
    package func reasonAgainst(machine: String) -> String? { Self.said(expected.notOn, of: machine, "") }

    /// The value for a machine: the one for that machine and version, else for the machine, else for its family.
    private static func said<Value>(_ values: [String: Value]?, of machine: String, _ version: String) -> Value? {
        values?["\(machine) \(version)"] ?? values?[machine] ?? (machine.hasPrefix("arm") ? values?["arm"] : nil)
    }

    /// The folder `Fixtures` of this package.
    package static let fixtures = FilePath(#filePath).removingLastComponent().appending("../../../Fixtures").lexicallyNormalized()

    /// All changes, sorted by name. Throws `WorkFileError`, and what `JSONDecoder` throws for a wrong `expected.json`.
    package static func all(in fixtures: FilePath = fixtures) throws -> [ChangeCase] {
        let root = fixtures.appending("changes")
        return try WorkFiles.names(in: root).map { name in
            let folder = root.appending(name)
            let expected = try JSONDecoder().decode(Expected.self, from: Data(try WorkFiles.read(folder.appending("expected.json"))))
            let patches = try WorkFiles.names(in: folder).filter { $0.hasSuffix(".patch") }.map { folder.appending($0) }
            return ChangeCase(name: name, expected: expected, patches: patches)
        }
    }

    /// The demo's change. It exists for every real Xen.
    package static let demo = ChangeCase(
        name: "hello-world",
        expected: .init(
            versions: DebianXen.all.map(\.version), machines: TargetMachine.all.map(\.name), exit: 0, changed: ["xen_extra_version"],
            boot: .init(look: "cat /sys/hypervisor/version/extra", applied: "Hello World")),
        patches: [fixtures.appending("patches/xen-4.17/hello-world.patch")])
}
