import Diagnostics
import SourcePatch
import SystemPackage
import XenSource

/// All that the build stage needs to know. Nothing else is read: no environment, no settings file.
package struct BuildRequest: Sendable {
    /// Only read, never written.
    package var tree: XenTree
    package var patch: AppliedPatch
    /// As `make XEN_TARGET_ARCH=` names it: `x86_64`, `arm64`, `arm32`.
    package var architecture: String
    /// The Kconfig options that say which architecture a configuration is for, by such names: `["arm64": "ARM_64"]`.
    package var architectureOptions: [String: String]
    /// `e_machine` of what the compiler has to make; nil is not checked.
    package var machine: UInt16?
    /// What stands before the names of the tools: `aarch64-linux-gnu-`. Empty for the machine's own.
    package var crossPrefix: String
    /// The Debian package of the tools with that prefix, for who lacks them; nil where none is known.
    package var toolchainPackage: String?
    /// The user's choice; nil takes the tree's `xen/.config` if it is for this architecture, else the hypervisor's, else the tree's default
    /// with live patching on.
    package var configuration: FilePath?
    /// The text of the `.config` that the running hypervisor says it was built with.
    package var runningConfiguration: String?
    /// The xen-syms of the running hypervisor, where there is one. Beside it may lie what that build noted about itself.
    package var image: FilePath?
    /// Turns debugging on: CONFIG_DEBUG in the configuration, or `debug=y` where there is no such option.
    package var xenDebug: Bool
    /// The program, with its first arguments, that gets the command line of each compiler of an object: `ccache`, `distcc`. It must leave
    /// what the compiler alone would.
    package var launcher: [String]
    /// How many compilers run at the same time, at least 1.
    package var jobs: Int
    /// Private trees and compiled objects; kept between runs, safe to share between parallel runs.
    package var cache: FilePath
    /// Where the output of every command goes.
    package var logs: FilePath
    /// The caller's environment; only the variables that `CommandRunner` names are used, and `CC`: the whole compiler command, in place of
    /// the prefix and `gcc`.
    package var environment: [String: String]
    /// The program, with its first arguments, that makes `CompilerRecorder.run` of the rest.
    package var recorder: [String]
    /// More variables for make: `["XEN_VENDORVERSION=-1"]`.
    package var makeVariables: [String]
    /// Where to leave copies of both trees and of the objects that were compared; nil leaves none. See `KeptWork`.
    package var keepWork: FilePath?

    package init(
        tree: XenTree, patch: AppliedPatch, architecture: String, architectureOptions: [String: String] = [:], machine: UInt16? = nil, crossPrefix: String = "",
        toolchainPackage: String? = nil, configuration: FilePath? = nil, runningConfiguration: String? = nil, image: FilePath? = nil, xenDebug: Bool = false,
        launcher: [String] = [], jobs: Int = 1, cache: FilePath, logs: FilePath,
        environment: [String: String], recorder: [String], makeVariables: [String] = [], keepWork: FilePath? = nil
    ) {
        self.tree = tree
        self.patch = patch
        self.architecture = architecture
        self.architectureOptions = architectureOptions
        self.machine = machine
        self.crossPrefix = crossPrefix
        self.toolchainPackage = toolchainPackage
        self.configuration = configuration
        self.runningConfiguration = runningConfiguration
        self.image = image
        self.xenDebug = xenDebug
        self.launcher = launcher
        self.jobs = max(1, jobs)
        self.cache = cache
        self.logs = logs
        self.environment = environment
        self.recorder = recorder
        self.makeVariables = makeVariables
        self.keepWork = keepWork
    }
}

/// What the build stage is at, for the terminal.
package struct BuildProgress: Sendable, Equatable {
    package enum Step: String, Sendable, Equatable {
        /// Another run prepares the same tree.
        case waiting
        /// Reads and copies the tree.
        case copying
        case configuring
        /// The tree's own make says how each object is compiled.
        case recording
        case compiling
        /// Builds a whole hypervisor.
        case hypervisor
    }

    package var step: Step
    /// For `compiling`: compiler runs done and wanted. 0 of 0 elsewhere.
    package var done: Int
    package var total: Int

    package init(_ step: Step, done: Int = 0, total: Int = 0) {
        self.step = step
        self.done = done
        self.total = total
    }
}

/// A build that failed: what, the first thing the tool said, and where the whole output is.
package struct BuildError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus
    /// The whole output of the command that failed.
    package var log: FilePath?

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .buildFailed, log: FilePath? = nil) {
        self.message = message
        self.help = help ?? log.map { "the whole output is in \($0)" }
        self.exitCode = exitCode
        self.log = log
    }
}
