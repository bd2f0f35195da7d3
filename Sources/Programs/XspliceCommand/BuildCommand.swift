import ArgumentParser
import Diagnostics
import LivepatchBuild

/// `build`, the default command: makes a payload from a patch. The options have the names that the older tools of this kind use.
struct BuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Turn a source patch into a payload. The default: the word 'build' may be left out.",
        usage: """
            xsplice-build -s SRC -p PATCH [-p PATCH...] -o OUT [--xen-syms FILE] [options]
            xsplice-build -s SRC -p PATCH -o OUT --arch ARCH,ARCH... [--xen-syms ARCH=FILE]... [options]
            xsplice-build batch MANIFEST -o OUT [options]
            xsplice-build diff ORIGINAL.o PATCHED.o [--json]
            xsplice-build inspect PAYLOAD [--json]
            xsplice-build check PAYLOAD --xen-syms FILE [--on PAYLOAD]... [--json]
            xsplice-build test-drive PAYLOAD... --xen xen.gz --xen-syms FILE [options]
            xsplice-build why OUT [SYMBOL]
            xsplice-build explain [IDENTIFIER] [--json]
            xsplice-build cache status|clear
            """,
        discussion: """
            Turns a Xen source tree and a source patch into a live-patch payload for a running hypervisor. The tree is only \
            read. The payload is OUT/NAME.livepatch (or .xsplice), named after the first patch; OUT/report.json says the same as the \
            terminal, and OUT/logs/ has what the compilers said.

            One run can make payloads for several architectures: OUT/ARCH/NAME.livepatch each. A change that is refused for one is \
            still built for the others; the exit code is then that of the worst ending: 1, else 5, else 6, else 4, else 3.

            \(ExitCodeHelp.text)
            """)

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Target") var targets: TargetOptions
    @OptionGroup(title: "Applied payloads") var stack: StackOptions
    @OptionGroup(title: "Payload") var payload: PayloadOptions
    @OptionGroup(title: "Payload") var fix: FixOptions
    @OptionGroup(title: "Work") var work: WorkOptions
    @OptionGroup(title: "What is said") var said: SaidOptions

    /// Names all options that are missing at once.
    func validate() throws {
        var missing: [String] = []
        if input.source == nil { missing.append("-s SRC") }
        if input.patches.isEmpty, fix.nops.isEmpty { missing.append("-p PATCH") }
        if output.output == nil { missing.append("-o OUT") }
        if !missing.isEmpty { throw ValidationError("missing: \(missing.joined(separator: ", "))") }
    }

    /// The options as values for the build.
    ///
    /// - Throws: `UsageError` for options that don't go together, and when there is no place for the cache.
    func options(environment: [String: String], processors: Int) throws(UsageError) -> BuildOptions {
        var work = try work.values(environment: environment, processors: processors)
        work.makesPage = !output.noHTML
        return try BuildOptions(
            input: input.values, targets: targets.values, stack: stack.values, payload: payload.values, fix: fix.values, work: work)
    }
}

extension BuildCommand: ConsoleCommand {
    var interruption: String { BuildSession.interruption }

    var isResultText: Bool { false }

    func run(on console: Console) async throws -> ProcessExit {
        let session = BuildSession(
            options: try options(environment: console.environment, processors: ProcessFacts.processors), output: output.path, force: output.force)
        return ProcessExit(try await session.run(on: Terminal(console, verbosity: said.verbosity)).exitStatus)
    }
}
