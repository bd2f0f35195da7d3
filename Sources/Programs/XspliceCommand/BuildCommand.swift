import ArgumentParser
import Diagnostics
import PayloadLinker
import SystemPackage
import XenSource
import XenVersions

/// `build`, the default: from a patch to a payload. Names of options are those of the older tools of this kind.
struct BuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Turn a source patch into a payload. The default: the word 'build' may be left out.",
        usage: """
            xsplice-build -s SRC -p PATCH [-p PATCH...] -o OUT [--xen-syms FILE] [options]
            xsplice-build -s SRC -p PATCH -o OUT --arch ARCH,ARCH... [--xen-syms ARCH=FILE...] [options]
            xsplice-build batch MANIFEST -o OUT [options]
            xsplice-build diff ORIGINAL.o PATCHED.o [--json]
            xsplice-build inspect PAYLOAD [--json]
            xsplice-build check PAYLOAD --xen-syms FILE [--on PAYLOAD...] [--json]
            xsplice-build test-drive PAYLOAD... --xen xen.gz --xen-syms FILE [options]
            xsplice-build explain [IDENTIFIER]
            xsplice-build cache status|clear
            """,
        discussion: """
            Turns a Xen source tree and a source patch into a live-patch payload for a running hypervisor. The tree is only \
            read. The payload is OUT/NAME.livepatch (or .xsplice), named after the first patch; OUT/report.json says the same as the \
            terminal, and OUT/logs/ has what the compilers said.

            One run can make payloads for several architectures: OUT/ARCH/NAME.livepatch each. A change that is refused for one is \
            still built for the others; the exit code is then that of the worst ending: 5, else 6, else 4, else 3.

            \(ExitCodeHelp.text)
            """)

    @Option(
        name: [.customShort("s"), .customLong("srcdir")],
        help: ArgumentHelp("The Xen source tree: the folder that holds xen/, or xen/ itself.", valueName: "src"))
    var source: String

    @Option(
        name: [.customShort("p"), .customLong("patch")],
        help: ArgumentHelp("A patch in the format of diff -u or git. Give it again for a series.", valueName: "patch"))
    var patches: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The folder for the payload, the report and the logs.", valueName: "out"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "The payload's name, by which the host tool knows it: letters, digits, _ and -. Default: that of the first patch.",
            valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "The xen-syms of the running hypervisor. Without it one is built, which takes its time. Give it again for each target, as FILE or ARCH=FILE.",
            valueName: "file"))
    var xenSyms: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Xen's configuration. Without it: xen/.config of the tree if it is for that architecture, else the copy in xen-syms, else the default one. With several targets: ARCH=FILE.",
            valueName: "config"))
    var config: [String] = []

    @Option(
        help: ArgumentHelp(
            "What stands before the names of compiler and binutils: PREFIX, or ARCH=PREFIX. Default: $CROSS_COMPILE, else the architecture's usual one where this machine has another.",
            valueName: "prefix"))
    var crossCompile: [String] = []

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("cpus")],
        help: ArgumentHelp("How many compilers run at a time. Default: the number of processors.", valueName: "n"))
    var jobs: Int?

    @Flag(name: .shortAndLong, help: "Log everything that the stages do, and why.")
    var debug = false

    @Flag(help: "Build Xen with debugging turned on (debug=y).")
    var xenDebug = false

    @Option(
        help: ArgumentHelp(
            "The build-id that must be on top of the stack when the payload is applied. Default: that of xen-syms.",
            valueName: "build-id"))
    var depends: BuildIDArgument?

    @Option(
        help: ArgumentHelp(
            "The build-id of the hypervisor itself. Default: that of xen-syms.", valueName: "build-id"))
    var xenDepends: BuildIDArgument?

    @Option(
        name: .customLong("on"),
        help: ArgumentHelp(
            "A payload that is applied to the hypervisor: the new one goes on top of it. Give it again for each, bottom first.",
            valueName: "payload"))
    var applied: [String] = []

    @Option(
        name: .customLong("applied-patch"),
        help: ArgumentHelp(
            "A patch that went into the payloads of --on: the new one is made against the tree with it. Give it again for a series.",
            valueName: "patch"))
    var appliedPatches: [String] = []

    @Flag(
        help: "Make a payload that takes the place of all applied ones: of the patches of --applied-patch and -p together, for '\(PayloadABI.livepatchV2.hostTool) replace'.")
    var cumulative = false

    @Option(
        help: ArgumentHelp(
            "The processor that the hypervisor runs on: \(Architectures.names). Several, with commas between them or in options of their own, are several targets. Default: that of xen-syms, else this machine's.",
            valueName: "arch"))
    var arch: [String] = []

    /// The names in all `--arch`.
    private var architectures: [String] {
        arch.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map(String.init)
    }

    @Option(help: ArgumentHelp("The payload format; auto takes the one that the tree's hypervisor loads.", valueName: "format"))
    var format = BuildOptions.Format.auto

    @Option(
        name: [.customShort("k"), .customLong("skip")],
        help: ArgumentHelp(
            "diff: stop when the objects are compiled. build: has no effect, as what was compiled before is in the cache anyway.",
            valueName: "phase"))
    var skip: BuildOptions.SkippedPhase?

    @Flag(help: "Write addresses of the hypervisor into the payload instead of symbols to look up.")
    var prelink = false

    @Flag(help: "Leave out symbols that the loader does not need.")
    var strip = false

    @Flag(help: "Let the hypervisor check the first bytes of each function before it replaces it (livepatch v2).")
    var expect = false

    @Option(
        name: .customLong("nop"),
        help: ArgumentHelp(
            "Turn the first bytes of a function into NOPs, instead of replacing it. For experts: nothing checks what the rest does then.",
            valueName: "function=bytes"))
    var nops: [NOPArgument] = []

    @OptionGroup var cacheFolder: CacheFolderOption

    @Option(
        help: ArgumentHelp(
            "How much the cache may hold: bytes, or with K, M, G or T behind the number; 0 for no limit. What was not used for the longest time goes first.",
            valueName: "size"))
    var cacheSize = CacheSize(bytes: 10 << 30)

    @Option(
        help: ArgumentHelp(
            "A program to put before the compiler, with its arguments: ccache, distcc, icecc, sccache.", valueName: "command"))
    var compilerLauncher: String?

    @Flag(help: "Keep the work folder of this run, and say where it is.")
    var keepWork = false

    @Flag(help: "Replace what an earlier run wrote to OUT.")
    var force = false

    @Flag(help: "Go on, with warnings, when the source does not reproduce the running hypervisor.")
    var trustSource = false

    @Option(
        name: .customLong("allow-layout-change"),
        help: ArgumentHelp(
            "Let this struct, union or enum have another layout, with a warning: 'struct foo', or foo. May be given again.",
            valueName: "type"))
    var allowedLayouts: [String] = []

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say what the stages do.")
    var verbose = false

    func validate() throws {
        try checkJobs(jobs)
        if quiet, verbose || debug { throw ValidationError("-q says nothing but errors: it does not go with -v or --debug") }
        if patches.isEmpty, nops.isEmpty { throw ValidationError("no patch is given: -p PATCH") }
        if !applied.isEmpty || !appliedPatches.isEmpty || cumulative, xenSyms.isEmpty {
            throw ValidationError("payloads are applied to a hypervisor that runs: give its xen-syms with --xen-syms FILE")
        }
        if let name, name.isEmpty || PayloadName.name(for: [FilePath(name)]) != name {
            throw ValidationError("--name takes 1 to \(PayloadABI.maximumNameLength) letters, digits, _ and -, not '\(name)'")
        }
        for (index, name) in architectures.enumerated() {
            guard Architectures.named(name) != nil else {
                throw ValidationError("--arch \(name): this version makes payloads for \(Architectures.names)")
            }
            if architectures[..<index].contains(name) { throw ValidationError("--arch \(name) is given twice") }
        }
        if applied.isEmpty, !appliedPatches.isEmpty, !cumulative {
            throw ValidationError("--applied-patch goes with the payloads that came of it: --on PAYLOAD")
        }
        let names =
            [("-s", source), ("-o", output)] + patches.map { ("-p", $0) } + applied.map { ("--on", $0) }
            + appliedPatches.map { ("--applied-patch", $0) } + xenSyms.map { ("--xen-syms", TargetValue(argument: $0) { $0 }.value) }
            + config.map { ("-c", TargetValue(argument: $0) { $0 }.value) } + allowedLayouts.map { ("--allow-layout-change", $0) }
        for (option, value) in names
        where value.isEmpty {
            throw ValidationError("\(option) is given an empty name")
        }
        if format == .xsplice, xenDepends != nil {
            throw ValidationError("--xen-depends: the xsplice format has no such dependency")
        }
    }

    /// The options as the pipeline takes them.
    ///
    /// - Throws: `UsageError` when there is no place for the cache.
    func options(environment: [String: String], processors: Int) throws(UsageError) -> BuildOptions {
        BuildOptions(
            source: FilePath(source), patches: patches.map { FilePath($0) },
            appliedPatches: appliedPatches.map { FilePath($0) }, applied: applied.map { FilePath($0) }, cumulative: cumulative,
            name: name, output: FilePath(output),
            xenSyms: xenSyms.map { TargetValue(argument: $0) { FilePath($0) } },
            config: config.map { TargetValue(argument: $0) { FilePath($0) } },
            crossCompile: crossCompile.map { TargetValue(argument: $0) { $0 } }, jobs: jobs ?? max(1, processors),
            xenDebug: xenDebug, depends: depends?.bytes, xenDepends: xenDepends?.bytes, architectures: architectures, format: format,
            skip: skip, prelink: prelink, strip: strip, expect: expect, nops: nops.map(\.nops),
            cache: try CacheFolder.locate(option: cacheFolder.cacheDir, environment: environment), cacheLimit: cacheSize.limit,
            compilerLauncher: compilerLauncher?.split(separator: " ").map(String.init) ?? [], keepWork: keepWork,
            trustSource: trustSource, allowedLayouts: allowedLayouts, force: force,
            verbosity: quiet ? .quiet : debug ? .debug : verbose ? .verbose : .normal)
    }
}

/// A size as people write it: `500M`, `10G`; K, M, G and T are powers of 1024.
struct CacheSize: ExpressibleByArgument, Sendable, Equatable {
    var bytes: Int64

    /// Nil for none.
    var limit: Int64? { bytes == 0 ? nil : bytes }

    init(bytes: Int64) { self.bytes = bytes }

    init?(argument: String) {
        let shift = "KMGT".firstIndex { Character($0.lowercased()) == argument.last.map { Character($0.lowercased()) } }
            .map { 10 * ("KMGT".distance(from: "KMGT".startIndex, to: $0) + 1) }
        guard let number = Int64(shift == nil ? argument[...] : argument.dropLast()), number >= 0, number <= Int64.max >> (shift ?? 0) else { return nil }
        bytes = number << (shift ?? 0)
    }

    static var allValueStrings: [String] { [] }
    var defaultValueDescription: String { "10G" }
}

/// A build-id in hexadecimal digits, as `readelf -n` and `xl info` print it: 20 bytes as a rule, 8 to 32 by what linkers offer.
struct BuildIDArgument: ExpressibleByArgument, Sendable, Equatable {
    var bytes: [UInt8]

    init?(argument: String) {
        guard let bytes = BuildIDNote.parse(text: argument), (4...64).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    static var allValueStrings: [String] { [] }
}

/// `FUNCTION=BYTES`.
struct NOPArgument: ExpressibleByArgument, Sendable, Equatable {
    var nops: LinkOptions.NOPs

    init?(argument: String) {
        guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex,
            let count = Int(argument[argument.index(after: equals)...])
        else { return nil }
        nops = LinkOptions.NOPs(function: String(argument[..<equals]), count: count)
    }

    static var allValueStrings: [String] { [] }
}

extension BuildOptions.Format: ExpressibleByArgument {}
extension BuildOptions.SkippedPhase: ExpressibleByArgument {}
