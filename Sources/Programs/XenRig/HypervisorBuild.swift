import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// The source of one of Debian's releases of Xen, unpacked in the cache.
package struct XenRelease: Sendable, Equatable {
    /// Upstream's version with Debian's additions, such as `4.17.5+72-g01140da4e8`.
    package var version: String
    /// The top of the source tree. Nothing is ever built in it.
    package var source: FilePath
    /// The folder of the cache that holds the source and the builds.
    var home: String

    /// The Xen of a suite of Debian: from the cache, or downloaded.
    package static func ofDebian(_ archive: DebianArchive) async throws -> XenRelease {
        let cache = archive.cache
        // Which version a suite has is asked once a cache: a test must not fail because a new point release came out.
        let known = try await cache.folder("debian-\(archive.suite)-xen") { folder in
            let lists = try await archive.lists()
            cache.tell("fetching the source of Xen from Debian \(archive.suite)")
            let tree = folder.appending("source")
            let version = try await lists.unpackSource("xen", known: DebianXen.all.first { $0.suite == archive.suite }?.known, as: tree)
            let upstream = version.split(separator: "-").dropLast().joined(separator: "-")
            let home = "xen-\(upstream.isEmpty ? version : upstream)"
            _ = try await cache.folder("\(home)/source") { place in
                try WorkFiles.remove(place)
                try WorkFiles.move(tree, to: place)
            }
            try WorkFiles.writeAtomically(Array(home.utf8), to: folder.appending("home"))
        }
        let home = try WorkFiles.readText(known.appending("home"))
        let source = cache.root.appending("\(home)/source")
        guard WorkFiles.exists(source) else {
            throw RigError("the cache lost \(source)", help: "remove \(cache.root) and start again")
        }
        return XenRelease(version: String(home.dropFirst("xen-".count)), source: source, home: home)
    }

    /// A hypervisor of this release with live patching: from the cache, or built (about a minute on two cores).
    ///
    /// - Parameters:
    ///   - variant: a word for the folder's name when `options` or `flags` differ from the default; empty is the default build.
    ///   - options: Kconfig options to set on top of the default configuration, with the values of a `.config` file.
    ///   - flags: compiler flags to add, for suites whose Xen needs them with a newer compiler.
    ///   - compiler: which to build with; nil is the machine's own, or its cross-compiler.
    ///   - machine: what to build it for.
    package func build(
        _ variant: String = "", options: [String: String] = [:], flags: String = "", compiler: SuiteCompiler? = nil,
        machine: TargetMachine = .x86_64, cache: FolderCache
    ) async throws -> HypervisorBuild {
        let recipe = BuildRecipe(variant: variant, options: options, flags: flags, compiler: compiler, machine: machine)
        let tree = try await cache.folder("\(home)/\(recipe.folder)", recipe: recipe.text) { tree in
            let what = recipe.words.isEmpty ? "" : " (\(recipe.words.joined(separator: ", ")))"
            cache.tell("building Xen \(version)\(what); the log: \(tree).log")
            try WorkFiles.remove(tree)
            // With the times of the source: make compares them.
            try await Tool(name: "cp").output(["-a", "--", source.string, tree.string])
            try await make(in: tree, recipe)
        }
        return HypervisorBuild(version: version, tree: tree, compiler: compiler, machine: machine)
    }

    private func make(in tree: FilePath, _ recipe: BuildRecipe) async throws {
        let log = FilePath(tree.string + ".log")
        try WorkFiles.remove(log)
        let tool = Tool(name: "make", environment: Tool.withoutOuterMake, timeLimit: .seconds(1800))
        let xen = tree.appending("xen")
        let variables = recipe.variables
        try await tool.run(["-C", xen.string, "defconfig"] + variables, log: log)
        let config = xen.appending(".config")
        var lines = try WorkFiles.readText(config).split(separator: "\n").map(String.init)
        let assignments = recipe.assignments
        for assignment in assignments {
            let option = assignment.prefix { $0 != "=" }
            lines.removeAll { $0.hasPrefix("\(option)=") || $0 == "# \(option) is not set" }
        }
        lines += assignments.map { assignment in
            assignment.hasSuffix("=n") ? "# \(assignment.dropLast(2)) is not set" : assignment
        }
        try WorkFiles.writeAtomically(Array((lines.joined(separator: "\n") + "\n").utf8), to: config)
        try await tool.run(["-C", xen.string, "olddefconfig"] + variables, log: log)
        let settled = Set(try WorkFiles.readText(config).split(separator: "\n").map(String.init))
        // Kconfig drops silently what it does not know or allow.
        for assignment in assignments where !assignment.hasSuffix("=n") && !settled.contains(assignment) {
            throw RigError("the configuration of Xen \(version) does not take \(assignment)", exitCode: .usage)
        }
        try await tool.run(["-C", xen.string, "-j\(ThisMachine.processors)"] + BuildRecipe.facts + variables, log: log)
        // Xen's own example payloads: the model of the loader is held against them.
        try await tool.run(["-C", xen.string, "tests"] + BuildRecipe.facts + variables, log: log)
    }
}

/// What one build of a release is made with: names its folder in the cache and tells whether what is there is still it.
struct BuildRecipe: Sendable, Equatable {
    var variant = ""
    var options: [String: String] = [:]
    var flags = ""
    var compiler: SuiteCompiler?
    var machine = TargetMachine.x86_64

    /// What sets it apart from the default build, for people.
    var words: [String] { (machine == .x86_64 ? [] : [machine.name]) + (variant.isEmpty ? [] : [variant]) }

    /// The name of its folder, such as `build-arm64-debug`. The default build's has no addition.
    var folder: String { (["build"] + words).joined(separator: "-") }

    /// Lines for Xen's `.config`.
    var assignments: [String] {
        options.merging(["CONFIG_LIVEPATCH": "y"]) { given, _ in given }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// Variables for each call of make.
    var variables: [String] { with + (flags.isEmpty ? [] : ["EXTRA_CFLAGS_XEN_CORE=\(flags)"]) }

    private var with: [String] { machine.makeVariables + (compiler.map { ["CC=\($0.program)"] } ?? []) }

    /// All that the content of the folder depends on beside the source.
    var text: String { (assignments + ["flags \(flags)", "with example payloads"] + Self.facts + with).joined(separator: "\n") }

    /// What a build puts into the hypervisor beside its source: fixed, so that two builds are the same.
    static let facts = [date, "XEN_BUILD_TIME=00:00:00", "XEN_BUILD_HOST=rig"]
    static let date = "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970"
}

/// A hypervisor that the rig built, with its objects.
package struct HypervisorBuild: Sendable, Equatable {
    /// See `XenRelease.version`.
    package var version: String
    /// The top of the tree that was built in: configuration and objects are in it. To be copied before it is changed.
    package var tree: FilePath
    /// What it was built with; nil is the machine's own. Whoever compiles for this hypervisor takes the same.
    package var compiler: SuiteCompiler?
    /// What it was built for, and with which prefix of the tools' names.
    package var machine: TargetMachine

    package init(version: String, tree: FilePath, compiler: SuiteCompiler? = nil, machine: TargetMachine = .x86_64) {
        self.version = version
        self.tree = tree
        self.compiler = compiler
        self.machine = machine
    }

    /// The file that a boot loader (and QEMU) takes.
    package var image: FilePath { tree.appending("xen/xen") }
    /// The hypervisor with its symbol table.
    package var symbols: FilePath { tree.appending("xen/xen-syms") }
    /// What it was configured with.
    package var configuration: FilePath { tree.appending("xen/.config") }
    /// The compiler as a shell would call it.
    package var compilerName: String { compiler?.program.string ?? "\(machine.crossPrefix)gcc" }
}
