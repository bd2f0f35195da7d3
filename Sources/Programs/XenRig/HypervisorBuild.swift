import Diagnostics
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// The source of one of Debian's releases of Xen, unpacked in the cache.
package struct XenRelease: Sendable, Equatable {
    /// Upstream's version with Debian's additions, such as `4.17.5+72-g01140da4e8`.
    package var version: String
    /// The top of the source tree. Nothing is ever built in this folder.
    package var source: FilePath
    /// The folder of the cache that holds the source and the builds.
    var home: String

    /// The Xen of a suite of Debian: from the cache, or downloaded.
    package static func ofDebian(_ archive: DebianArchive) async throws -> XenRelease {
        let cache = archive.cache
        // Ask only once for each cache which version a suite has: a test must not fail because a new point release came out.
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
            throw StepError("the cache lost \(source)", help: "remove \(cache.root) and start again")
        }
        return XenRelease(version: String(home.dropFirst("xen-".count)), source: source, home: home)
    }

    /// A hypervisor of this release with live patching: from the cache, or built (about a minute on two cores).
    ///
    /// - Parameters:
    ///   - variant: a word for the folder's name when `options` or `flags` differ from the default; empty for the default build.
    ///   - options: Kconfig options to set on top of the default configuration, with values as in a `.config` file.
    ///   - flags: compiler flags to add, for suites whose Xen needs them with a newer compiler.
    ///   - makeVariables: more variables for make.
    ///   - isOutOfTree: whether to build in a folder of its own, beside the source.
    ///   - compiler: the compiler to build with; nil means the machine's own, or its cross-compiler.
    ///   - machine: the machine to build for.
    package func build(
        _ variant: String = "", options: [String: String] = [:], flags: String = "", makeVariables: [String] = [], isOutOfTree: Bool = false,
        compiler: SuiteCompiler? = nil, machine: TargetMachine = .x86_64, cache: FolderCache
    ) async throws -> HypervisorBuild {
        let recipe = BuildRecipe(
            variant: variant, options: options, flags: flags, makeVariables: makeVariables, isOutOfTree: isOutOfTree, compiler: compiler, machine: machine)
        let tree = try await cache.folder("\(home)/\(recipe.folder)", recipe: recipe.text) { tree in
            let what = recipe.words.isEmpty ? "" : " (\(recipe.words.joined(separator: ", ")))"
            cache.tell("building Xen \(version)\(what); the log: \(tree).log")
            try WorkFiles.remove(tree)
            if isOutOfTree {
                try WorkFiles.makeFolder(tree.appending("xen"))
            } else {
                // Keep the files' times: make compares them.
                try await Tool(name: "cp").output(["-a", "--", source.string, tree.string])
            }
            try await make(in: tree, recipe)
        }
        var build = HypervisorBuild(version: version, tree: tree, compiler: compiler, machine: machine)
        if isOutOfTree { build.source = source }
        build.programOptions = (isOutOfTree ? ["-c", build.configuration.string] : []) + makeVariables.flatMap { ["--make", $0] }
        return build
    }

    private func make(in tree: FilePath, _ recipe: BuildRecipe) async throws {
        let log = FilePath(tree.string + ".log")
        try WorkFiles.remove(log)
        let tool = Tool(name: "make", environment: Tool.withoutOuterMake, timeLimit: .seconds(1800))
        let xen = tree.appending("xen")
        let variables = recipe.variables + (recipe.isOutOfTree ? ["O=\(xen)"] : [])
        let home = recipe.isOutOfTree ? source.appending("xen") : xen
        try await tool.run(["-C", home.string, "defconfig"] + variables, log: log)
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
        try await tool.run(["-C", home.string, "olddefconfig"] + variables, log: log)
        let settled = Set(try WorkFiles.readText(config).split(separator: "\n").map(String.init))
        // Kconfig silently drops options that it does not know or allow.
        for assignment in assignments where !assignment.hasSuffix("=n") && !settled.contains(assignment) {
            throw StepError("the configuration of Xen \(version) does not take \(assignment)", exitCode: .usage)
        }
        try await tool.run(["-C", home.string, "-j\(ThisMachine.processors)"] + BuildRecipe.facts + variables, log: log)
        // Build Xen's own example payloads: tests check the model of the loader with them.
        try await tool.run(["-C", home.string, "tests"] + BuildRecipe.facts + variables, log: log)
    }
}

/// The settings of one build of a release. They name its folder in the cache, and show whether the folder's content is still up to date.
struct BuildRecipe: Sendable, Equatable {
    var variant = ""
    var options: [String: String] = [:]
    var flags = ""
    var makeVariables: [String] = []
    var isOutOfTree = false
    var compiler: SuiteCompiler?
    var machine = TargetMachine.x86_64

    /// How it differs from the default build, in words for people.
    var words: [String] { (machine == .x86_64 ? [] : [machine.name]) + (variant.isEmpty ? [] : [variant]) }

    /// The name of its folder, such as `build-arm64-debug`; for the default build it is `build`.
    var folder: String { (["build"] + words).joined(separator: "-") }

    /// Lines for Xen's `.config`.
    var assignments: [String] {
        options.merging(["CONFIG_LIVEPATCH": "y"]) { given, _ in given }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// Variables for each call of make.
    var variables: [String] { with + (flags.isEmpty ? [] : ["EXTRA_CFLAGS_XEN_CORE=\(flags)"]) + makeVariables }

    private var with: [String] { machine.makeVariables + (compiler.map { ["CC=\($0.program)", "HOSTCC=\(SuiteCompiler.host)"] } ?? []) }

    /// Everything that the content of the folder depends on, apart from the source.
    var text: String { (assignments + ["flags \(flags)", "with example payloads"] + Self.facts + with + makeVariables).joined(separator: "\n") }

    /// Values that a build puts into the hypervisor, apart from its source. They are fixed, so that two builds are the same.
    static let facts = [date, "XEN_BUILD_TIME=00:00:00", "XEN_BUILD_HOST=rig"]
    static let date = "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970"
}

/// A hypervisor that the rig built, with its objects.
package struct HypervisorBuild: Sendable, Equatable {
    /// See `XenRelease.version`.
    package var version: String
    /// The top of the tree that was built in, with configuration and objects. Copy it before you change it.
    package var tree: FilePath
    /// The source that it was built from: the same tree, or another folder.
    package var source: FilePath
    /// The program's options for this hypervisor, apart from `-s` and `--xen-syms`.
    package var programOptions: [String] = []
    /// The compiler that built it; nil means the machine's own. Code for this hypervisor must come from the same compiler.
    package var compiler: SuiteCompiler?
    /// The machine that it was built for, which also gives the prefix of the tools' names.
    package var machine: TargetMachine

    package init(version: String, tree: FilePath, compiler: SuiteCompiler? = nil, machine: TargetMachine = .x86_64) {
        self.version = version
        self.tree = tree
        source = tree
        self.compiler = compiler
        self.machine = machine
    }

    /// The file for a boot loader, or for QEMU.
    package var image: FilePath { tree.appending("xen/xen") }
    /// The hypervisor with its symbol table.
    package var symbols: FilePath { tree.appending("xen/xen-syms") }
    /// Its configuration file.
    package var configuration: FilePath { tree.appending("xen/.config") }
    /// What the environment must say so that code for this hypervisor comes from its compiler.
    package var environment: [Environment.Key: String?] {
        ["CC": compiler?.program.string, "HOSTCC": compiler.map { _ in SuiteCompiler.host }]
    }
    /// The compiler's name or path for a shell.
    package var compilerName: String { compiler?.program.string ?? "\(machine.crossPrefix)gcc" }
}
