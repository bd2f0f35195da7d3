import Diagnostics
import SourcePatch
import SystemPackage
import TargetArchitecture
import XenSource

/// Everything that the build stage needs to know. It reads no environment variables and no settings file.
package struct BuildRequest: Sendable {
    /// It is only read, never written.
    package var tree: XenTree
    package var patch: AppliedPatch
    /// The processor that the hypervisor runs on.
    package var processor: any TargetArchitecture
    /// The Kconfig option that marks a configuration for an architecture, by the architecture's name: `["arm64": "ARM_64"]`.
    package var architectureOptions: [String: String]
    /// The `e_machine` that the compiler's objects must have; nil skips the check.
    package var machine: UInt16?
    /// The prefix of the tools' names: `aarch64-linux-gnu-`. Empty for the machine's own tools.
    package var crossPrefix: String
    /// The Debian package with the tools of that prefix, to suggest when they are missing; nil when none is known.
    package var toolchainPackage: String?
    /// The user's choice. nil takes the tree's `xen/.config` if it is for this architecture, otherwise the hypervisor's configuration,
    /// otherwise the tree's default with live patching on.
    package var configuration: FilePath?
    /// The text of the `.config` that the running hypervisor was built with, according to the hypervisor; nil when it is not known.
    package var runningConfiguration: String?
    /// The xen-syms of the running hypervisor, if there is one. Files in the same folder may hold facts about that build.
    package var image: FilePath?
    /// The folder `xen/` of the tree that the running hypervisor was built in, as the hypervisor's texts name it; nil when it has no such
    /// text. Objects name it instead of the private tree.
    package var hypervisorFolder: String?
    /// Turns debugging on: CONFIG_DEBUG in the configuration, or `debug=y` where there is no such option.
    package var xenDebug: Bool
    /// A program, with its first arguments, to which each object's compiler command line is passed: `ccache`, `distcc`. The result must
    /// be the same as from the compiler alone.
    package var launcher: [String]
    /// Which objects need not be compiled though the compiler reads changed files for them.
    package var sparing: ObjectSparing
    /// How many compilers may run at the same time, at least 1.
    package var jobs: Int
    /// The folder of private trees and compiled objects. It is kept between runs, and parallel runs can share it safely.
    package var cache: FilePath
    /// The folder for the output of every command.
    package var logs: FilePath
    /// The caller's environment. Only the variables that `CommandRunner` names are used, and `CC`: the whole compiler command, which
    /// replaces the prefix and `gcc`.
    package var environment: [String: String]
    /// The program, with its first arguments, that calls `CompilerRecorder.run` with the remaining arguments.
    package var recorder: [String]
    /// Additional variables for make: `["XEN_VENDORVERSION=-1"]`.
    package var makeVariables: [String]
    /// The folder for copies of both trees and of the compared objects; nil makes no copies. See `KeptWork`.
    package var keepWork: FilePath?

    /// The name for `make XEN_TARGET_ARCH=`: `x86_64`, `arm64`, `arm32`.
    var architecture: String { processor.name }

    package init(
        tree: XenTree, patch: AppliedPatch, processor: any TargetArchitecture, architectureOptions: [String: String] = [:], machine: UInt16? = nil,
        crossPrefix: String = "",
        toolchainPackage: String? = nil, configuration: FilePath? = nil, runningConfiguration: String? = nil, image: FilePath? = nil,
        hypervisorFolder: String? = nil, xenDebug: Bool = false,
        launcher: [String] = [], sparing: ObjectSparing = .sameText, jobs: Int = 1, cache: FilePath, logs: FilePath,
        environment: [String: String], recorder: [String], makeVariables: [String] = [], keepWork: FilePath? = nil
    ) {
        self.tree = tree
        self.patch = patch
        self.processor = processor
        self.architectureOptions = architectureOptions
        self.machine = machine
        self.crossPrefix = crossPrefix
        self.toolchainPackage = toolchainPackage
        self.configuration = configuration
        self.runningConfiguration = runningConfiguration
        self.image = image
        self.hypervisorFolder = hypervisorFolder
        self.xenDebug = xenDebug
        self.launcher = launcher
        self.sparing = sparing
        self.jobs = max(1, jobs)
        self.cache = cache
        self.logs = logs
        self.environment = environment
        self.recorder = recorder
        self.makeVariables = makeVariables
        self.keepWork = keepWork
    }
}

/// Which objects need not be compiled though the compiler reads changed files for them.
package enum ObjectSparing: Sendable, Equatable {
    case none
    /// Those with the same preprocessed source.
    case sameText
    /// Those, too, for which nothing that the compiler emits uses what differs in it: see `SourceDifference`.
    case withoutEffect
}

/// What the build stage is doing, for the terminal.
package struct BuildProgress: Sendable, Equatable {
    package enum Step: String, Sendable, Equatable {
        /// Another run is preparing the same tree.
        case waiting
        /// Reading and copying the tree.
        case copying
        case configuring
        /// Asking the tree's own make how it compiles each object.
        case recording
        case compiling
        /// Building a whole hypervisor.
        case hypervisor
    }

    package var step: Step
    /// For `compiling`: how many compiler runs are done, and how many there are in total. Both are 0 in other steps.
    package var done: Int
    package var total: Int

    package init(_ step: Step, done: Int = 0, total: Int = 0) {
        self.step = step
        self.done = done
        self.total = total
    }
}

/// A build that failed: what failed, the tool's first error, and where the whole output is.
package struct BuildError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus
    /// The log with the whole output of the command that failed.
    package var log: FilePath?

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .buildFailed, log: FilePath? = nil) {
        self.message = message
        self.help = help ?? log.map { "the whole output is in \($0)" }
        self.exitCode = exitCode
        self.log = log
    }
}
