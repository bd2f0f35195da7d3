import SourcePatch
import SystemPackage
import XenBuild
import XenVersions

/// What the user asked for, checked as far as possible without reading a file.
package struct BuildOptions: Sendable, Equatable {
    package let input: Input
    package let targets: Targets
    package let stack: Stack
    package let payload: Payload
    package let fix: Fix
    package let work: Work

    /// - Throws: `UsageError` for impossible options, and for options that don't go together; messages name the options of `build`.
    package init(
        input: Input, targets: Targets = Targets(), stack: Stack = Stack(), payload: Payload = Payload(), fix: Fix = Fix(), work: Work
    ) throws(UsageError) {
        (self.input, self.targets, self.stack, self.payload, self.fix, self.work) = (input, targets, stack, payload, fix, work)
        try check()
    }

    /// The source, and the patches for it.
    package struct Input: Sendable, Equatable {
        package var source: FilePath
        /// In the order in which they are applied.
        package var patches: [FilePath]

        package init(source: FilePath, patches: [FilePath] = []) { (self.source, self.patches) = (source, patches) }
    }

    /// The hypervisors that payloads are made for.
    package struct Targets: Sendable, Equatable {
        /// Names of known architectures, each only once; empty when the files decide.
        package var architectures: [String] = []
        /// Each file shows which architecture it is for. When the option names one as well, the two must agree.
        package var xenSyms: [TargetValue<FilePath>] = []
        package var config: [TargetValue<FilePath>] = []
        /// The prefix of the names of compiler and binutils.
        package var crossCompile: [TargetValue<String>] = []
        /// Variables for Xen's make, as the build of the hypervisor had them: `EXTRA_CFLAGS_XEN_CORE=-fno-plt`.
        package var makeVariables: [String] = []

        package init() {}
    }

    /// The payloads that are already applied to the hypervisors.
    package struct Stack: Sendable, Equatable {
        /// In order, bottom first. Each belongs to the target for the payload's own machine.
        package var payloads: [FilePath] = []
        /// The patches that made those payloads, in order; the new ones come on top of them.
        package var patches: [FilePath] = []
        /// Whether the new payload replaces all applied ones.
        package var isReplaced = false

        package init() {}
    }

    /// The payload's name, and the build-ids that it depends on.
    package struct Payload: Sendable, Equatable {
        /// nil means the name of the first patch.
        package var name: String?
        /// Build-ids; nil means those of the running hypervisor and its stack.
        package var depends: [UInt8]?
        package var xenDepends: [UInt8]?

        package init() {}
    }

    /// How to make the payload from a change. A batch may set these options for each fix.
    package struct Fix: Sendable, Equatable {
        package var format = Format.auto
        package var prelink = false
        package var strip = false
        package var expect = false
        package var nops: [NOPs] = []
        package var xenDebug = false
        package var trustSource = false
        /// Types whose new layout the user accepts: `struct domain`, or `domain`.
        package var allowedLayouts: [String] = []

        package init() {}
    }

    /// How to do the work. These options never change a payload.
    package struct Work: Sendable, Equatable {
        /// How many compilers may run at a time.
        package var jobs: Int
        package var cache: FilePath
        /// In bytes; nil for no limit.
        package var cacheLimit: Int64?
        /// The program, with its first arguments, that runs each compiler command: `ccache`, `distcc`.
        package var compilerLauncher: [String] = []
        /// Which objects need not be compiled.
        package var sparing = ObjectSparing.sameText
        package var keepWork = false
        /// Whether to make the page to sign by.
        package var makesPage = true
        package var skip: SkippedPhase?

        package init(jobs: Int, cache: FilePath, cacheLimit: Int64? = nil) {
            (self.jobs, self.cache, self.cacheLimit) = (jobs, cache, cacheLimit)
        }
    }

    package enum Format: String, Sendable, CaseIterable {
        /// The format that the tree's hypervisor loads.
        case auto
        case xsplice, livepatch
    }

    /// A part of the work to leave out (`-k`).
    package enum SkippedPhase: String, Sendable, CaseIterable {
        /// Accepted for scripts written for older tools; the cache has the objects of earlier runs anyway.
        case build
        /// Stops after the objects are compiled.
        case diff
    }

    /// A function whose first bytes become NOPs.
    package struct NOPs: Sendable, Equatable {
        /// The name as in the hypervisor's symbol table.
        package var function: String
        /// In bytes.
        package var count: Int

        package init(function: String, count: Int) { (self.function, self.count) = (function, count) }
    }
}

extension BuildOptions {
    /// The options with the patches of each quilt `series` in its place.
    ///
    /// - Throws: `PatchError` for a series that can't be used.
    func expandingSeries() throws -> BuildOptions {
        var (input, stack) = (input, stack)
        input.patches = try expandSeries(input.patches)
        stack.patches = try expandSeries(stack.patches)
        return try BuildOptions(input: input, targets: targets, stack: stack, payload: payload, fix: fix, work: work)
    }

    /// What this program itself gives to make, or what another option is for.
    private static let reserved = [
        "CC": "$CC", "CROSS_COMPILE": "--cross-compile", "XEN_TARGET_ARCH": "--arch", "KCONFIG_CONFIG": "-c",
        "CXX": nil, "MAKEFLAGS": nil, "O": nil, "PUBLIC_ANSI_HEADERS": nil, "SHELL": nil, "V": nil,
    ]

    private func check(makeVariable text: String) throws(UsageError) {
        let name = String(text.prefix { $0 != "=" })
        guard name.count < text.count, !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
            throw UsageError("--make takes NAME=VALUE, not '\(text)'")
        }
        if let other = Self.reserved[name] {
            throw UsageError("--make \(name): this program gives that variable to make itself", help: other.map { "use \($0)" })
        }
    }

    private func check() throws(UsageError) {
        func refuse(_ message: String) -> UsageError { UsageError(message, help: "xsplice-build --help lists the options") }
        if input.patches.isEmpty, fix.nops.isEmpty { throw refuse("no patch is given: -p PATCH") }
        if stack != Stack(), targets.xenSyms.isEmpty {
            throw refuse("payloads are applied to a running hypervisor: give its xen-syms with --xen-syms FILE")
        }
        if let name = payload.name, name.isEmpty || PayloadName.name(for: [FilePath(name)]) != name {
            throw refuse("--name takes 1 to \(PayloadABI.maximumNameLength) letters, digits, _ and -, not '\(name)'")
        }
        for (index, name) in targets.architectures.enumerated() {
            guard Architectures.named(name) != nil else {
                throw refuse("--arch \(name): this version makes payloads for \(Architectures.names)")
            }
            if targets.architectures[..<index].contains(name) { throw refuse("--arch \(name) is given twice") }
        }
        for variable in targets.makeVariables { try check(makeVariable: variable) }
        if stack.payloads.isEmpty, !stack.patches.isEmpty, !stack.isReplaced {
            throw refuse("--applied-patch needs the payloads that were made from it: --on PAYLOAD")
        }
        let names =
            [("-s", input.source)] + input.patches.map { ("-p", $0) } + stack.payloads.map { ("--on", $0) }
            + stack.patches.map { ("--applied-patch", $0) } + targets.xenSyms.map { ("--xen-syms", $0.value) } + targets.config.map { ("-c", $0.value) }
        if (input.patches + stack.patches).count(where: { $0 == PatchFile.standardInput }) > 1 {
            throw refuse("'-' is standard input, which can be read only once")
        }
        for (option, value) in names where value.isEmpty { throw refuse("\(option) is given an empty name") }
        if fix.format == .xsplice, payload.xenDepends != nil { throw refuse("--xen-depends: the xsplice format has no such dependency") }
    }
}
