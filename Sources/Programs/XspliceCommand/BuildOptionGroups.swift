import ArgumentParser
import LivepatchBuild
import SystemPackage
import XenBuild
import XenVersions

// The options of `build`, in the groups of its help page. Each group becomes one value of `BuildOptions`.

struct InputOptions: ParsableArguments {
    @Option(
        name: [.customShort("s"), .customLong("srcdir")],
        help: ArgumentHelp("The Xen source tree: the folder that holds xen/, or xen/ itself.", valueName: "src"))
    var source: String?

    @Option(
        name: [.customShort("p"), .customLong("patch")],
        help: ArgumentHelp(
            "A patch in the format of diff -u or git, - for standard input, or a quilt 'series'. Give it again for each further patch.", valueName: "patch"))
    var patches: [String] = []

    var values: BuildOptions.Input { BuildOptions.Input(source: FilePath(source ?? ""), patches: patches.map { FilePath($0) }) }
}

struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The folder for the payload, the report and the logs.", valueName: "out"))
    var output: String?

    @Flag(help: "Replace what an earlier run wrote to OUT.")
    var force = false

    @Flag(help: "Leave out the page to sign by, OUT/report.html.")
    var noHTML = false

    var path: FilePath { FilePath(output ?? "") }

    func validate() throws {
        if output?.isEmpty == true { throw ValidationError("-o is given an empty name") }
    }
}

struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The xen-syms of the running hypervisor. Without it a hypervisor is built, which takes some minutes the first time. Give it again for each target, as FILE or ARCH=FILE.",
            valueName: "file"))
    var xenSyms: [String] = []

    @Option(
        help: ArgumentHelp(
            "The processor that the hypervisor runs on: \(Architectures.names). For several targets, put commas between them or give the option again. Default: that of xen-syms, else this machine's.",
            valueName: "arch"))
    var arch: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Xen's configuration. Without it: xen/.config of the tree if it is for that architecture, else the copy in xen-syms, else the default one. With several targets: ARCH=FILE.",
            valueName: "config"))
    var config: [String] = []

    @Option(
        help: ArgumentHelp(
            "The prefix of the names of compiler and binutils: PREFIX, or ARCH=PREFIX. Default: $CROSS_COMPILE; if that is not set and the target is not this machine's processor, the usual prefix of the target.",
            valueName: "prefix"))
    var crossCompile: [String] = []

    @Option(
        name: .customLong("make"),
        help: ArgumentHelp(
            "A variable that the hypervisor's build gave to Xen's make: EXTRA_CFLAGS_XEN_CORE=-fno-plt. Give it again for each.", valueName: "name=value"))
    var makeVariables: [String] = []

    var values: BuildOptions.Targets {
        var values = BuildOptions.Targets()
        values.architectures = arch.flatMap(Architectures.list)
        values.xenSyms = xenSyms.map { TargetValue(argument: $0) { FilePath($0) } }
        values.config = config.map { TargetValue(argument: $0) { FilePath($0) } }
        values.crossCompile = crossCompile.map { TargetValue(argument: $0) { $0 } }
        values.makeVariables = makeVariables
        return values
    }
}

struct StackOptions: ParsableArguments {
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
        help:
            "Make a payload that replaces all applied ones, from the patches of --applied-patch and -p together, for '\(PayloadABI.livepatchV2.hostTool) replace'."
    )
    var cumulative = false

    var values: BuildOptions.Stack {
        var values = BuildOptions.Stack()
        values.payloads = applied.map { FilePath($0) }
        values.patches = appliedPatches.map { FilePath($0) }
        values.isReplaced = cumulative
        return values
    }
}

struct PayloadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The payload's name, by which the host tool knows it: letters, digits, _ and -. Default: that of the first patch.",
            valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "The build-id that must be on top of the stack when the payload is applied. Default: that of the last --on, else that of xen-syms.",
            valueName: "build-id"), transform: BuildIDArgument.parse)
    var depends: BuildIDArgument?

    @Option(
        help: ArgumentHelp(
            "The build-id of the hypervisor itself. Default: that of xen-syms.", valueName: "build-id"), transform: BuildIDArgument.parse)
    var xenDepends: BuildIDArgument?

    var values: BuildOptions.Payload {
        var values = BuildOptions.Payload()
        values.name = name
        values.depends = depends?.bytes
        values.xenDepends = xenDepends?.bytes
        return values
    }
}

/// The options that a batch may give to one fix alone: they affect the payload, and name no file.
struct FixOptions: ParsableArguments {
    /// The names as the author of a manifest has to write them.
    static let names = ["--allow-layout-change", "--expect", "--format", "--nop", "--prelink", "--strip", "--trust-source", "--xen-debug"]

    @Option(help: ArgumentHelp("The payload format; auto takes the one that the tree's hypervisor loads.", valueName: "format"))
    var format = BuildOptions.Format.auto

    @Flag(help: "Write addresses of the hypervisor into the payload instead of symbols to look up.")
    var prelink = false

    @Flag(help: "Leave out symbols that the loader does not need.")
    var strip = false

    @Flag(help: "Let the hypervisor check the first bytes of each function before it replaces it (livepatch v2).")
    var expect = false

    @Option(
        name: .customLong("nop"),
        help: ArgumentHelp(
            "Turn the first bytes of a function into NOPs, instead of replacing it. For experts: nothing checks what the rest of the function does then.",
            valueName: "function=bytes"), transform: NOPArgument.parse)
    var nops: [NOPArgument] = []

    @Option(
        name: .customLong("allow-layout-change"),
        help: ArgumentHelp(
            "Let this struct, union or enum have another layout, with a warning: 'struct foo', or foo. Give it again for each type.",
            valueName: "type"))
    var allowedLayouts: [String] = []

    @Flag(help: "Go on, with warnings, when the source does not reproduce the running hypervisor. A source of another version is refused all the same.")
    var trustSource = false

    @Flag(help: "Build Xen with CONFIG_DEBUG=y (debug=y before that option existed).")
    var xenDebug = false

    func validate() throws {
        if allowedLayouts.contains("") { throw ValidationError("--allow-layout-change is given an empty name") }
    }

    var values: BuildOptions.Fix {
        var values = BuildOptions.Fix()
        values.format = format
        values.prelink = prelink
        values.strip = strip
        values.expect = expect
        values.nops = nops.map(\.nops)
        values.xenDebug = xenDebug
        values.trustSource = trustSource
        values.allowedLayouts = allowedLayouts
        return values
    }
}

struct WorkOptions: ParsableArguments {
    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("cpus")],
        help: ArgumentHelp("How many compilers run at a time. Default: the number of processors.", valueName: "n"))
    var jobs: Int?

    @Option(
        name: [.customShort("k"), .customLong("skip")],
        help: ArgumentHelp(
            "diff: stop when the objects are compiled. build: has no effect, because what was compiled before is in the cache.",
            valueName: "phase"))
    var skip: BuildOptions.SkippedPhase?

    @OptionGroup var cacheFolder: CacheFolderOption

    @Option(
        help: ArgumentHelp(
            "How much the cache may hold: a number of bytes, or one with K, M, G or T after it; 0 for no limit. What was not used for the longest time is removed first.",
            valueName: "size"), transform: CacheSize.parse)
    var cacheSize = CacheSize.standard

    @Option(
        help: ArgumentHelp(
            "A program to put before the compiler, with its arguments: ccache, distcc, icecc, sccache.", valueName: "command"))
    var compilerLauncher: String?

    @Flag(help: "Compile every object that reads what the patch changes, even one whose preprocessed source is the same.")
    var compileAll = false

    /// For `xen-rig headers`, which finds out whether it may be used.
    @Flag(help: ArgumentHelp("Leave out objects that emit nothing of what differs in their preprocessed source.", visibility: .private))
    var spareByDeclarations = false

    @Flag(help: "Keep what this run worked with in OUT/work: both trees, and the objects that were compared.")
    var keepWork = false

    func validate() throws { try checkJobs(jobs) }

    /// - Throws: `UsageError` when there is no place for the cache.
    func values(environment: [String: String], processors: Int) throws(UsageError) -> BuildOptions.Work {
        var values = try BuildOptions.Work(
            jobs: jobs, cache: cacheFolder, size: cacheSize, launcher: compilerLauncher, environment: environment, processors: processors)
        values.sparing = compileAll ? .none : spareByDeclarations ? .withoutEffect : .sameText
        values.keepWork = keepWork
        values.skip = skip
        return values
    }
}

extension BuildOptions.Work {
    /// From the options that `build` and `batch` have in common.
    ///
    /// - Throws: `UsageError` when there is no place for the cache.
    init(
        jobs: Int?, cache: CacheFolderOption, size: CacheSize, launcher: String?, environment: [String: String], processors: Int
    ) throws(UsageError) {
        self.init(
            jobs: jobs ?? max(1, processors), cache: try CacheFolder.locate(option: cache.cacheDir, environment: environment), cacheLimit: size.limit)
        compilerLauncher = launcherWords(launcher)
    }
}

struct SaidOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Print errors only.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say what the stages do.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Log everything that the stages do, and why.")
    var debug = false

    func validate() throws {
        if quiet, verbose || debug { throw ValidationError("-q can't be used with -v or --debug: it leaves out everything but errors") }
    }

    var verbosity: Verbosity { quiet ? .quiet : debug ? .debug : verbose ? .verbose : .normal }
}
