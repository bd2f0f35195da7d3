import Diagnostics
import ObjectDiff

/// What a run did and found: the value that `report.json` has, and that the terminal shows as text.
///
/// Field names are stable. New fields may be added. When a field's meaning changes or a field goes away, `schemaVersion` rises.
/// All sizes are in bytes, all build-ids lower-case hexadecimal, all times milliseconds.
package struct BuildReport: Sendable, Equatable, Codable {
    /// The value of `generator`, which identifies an output folder as ours.
    package static let generatorName = "xsplice-build"
    package static let currentSchema = 4

    package enum Outcome: String, Sendable, Equatable, Codable {
        case written
        case nothingToPatch = "nothing-to-patch"
        case refused
        case buildFailed = "build-failed"
        case originalDiffers = "original-differs"
        /// The user wanted it so: the run ended after the objects were compiled.
        case compiledOnly = "compiled-only"
        /// The proof found the payload wrong: a fault of this program.
        case notProven = "not-proven"
    }

    /// The tree that was recognised.
    package struct Tree: Sendable, Equatable, Codable {
        package var path: String
        /// `4.17.5`, `4.23-unstable`.
        package var version: String
        /// `x86_64`, `arm64`, `arm32`.
        package var architecture: String
        /// The format as `PayloadABI.displayName` has it, such as `livepatch v2`.
        package var format: String

        package init(path: String, version: String, architecture: String, format: String) {
            self.path = path
            self.version = version
            self.architecture = architecture
            self.format = format
        }
    }

    /// The hypervisor that the payload is for.
    package struct Hypervisor: Sendable, Equatable, Codable {
        package var xenSyms: String
        package var buildID: String
        /// True when the user gave no xen-syms and the run built the hypervisor from the tree.
        package var builtHere: Bool

        package init(xenSyms: String, buildID: String, builtHere: Bool) {
            self.xenSyms = xenSyms
            self.buildID = buildID
            self.builtHere = builtHere
        }
    }

    /// What the patch files do to the tree.
    package struct Patch: Sendable, Equatable, Codable {
        package struct File: Sendable, Equatable, Codable {
            package enum Change: String, Sendable, Equatable, Codable { case modified, added, removed }

            package var path: String
            package var change: Change
            package var linesAdded: Int
            package var linesRemoved: Int

            package init(path: String, change: Change, linesAdded: Int, linesRemoved: Int) {
                self.path = path
                self.change = change
                self.linesAdded = linesAdded
                self.linesRemoved = linesRemoved
            }
        }

        /// The patch files, in the order in which they were applied.
        package var sources: [String]
        package var files: [File]
        /// Paths outside the hypervisor. The run left their changes out.
        package var leftOut: [String]
        /// The number of hunks that applied at another line than the patch says.
        package var movedHunks: Int
        /// Every hunk of every patch, in order, and what became of it.
        package var hunks: [Hunk]

        package init(sources: [String], files: [File], leftOut: [String] = [], movedHunks: Int = 0, hunks: [Hunk] = []) {
            self.hunks = hunks
            self.sources = sources
            self.files = files
            self.leftOut = leftOut
            self.movedHunks = movedHunks
        }
    }

    /// What was compiled.
    package struct Compile: Sendable, Equatable, Codable {
        /// The number of objects in the whole hypervisor.
        package var objects: Int
        /// The number of objects that the patch can affect.
        package var concerned: Int
        /// The number of further objects that read what the patch changes and emit nothing of it; nil in older reports.
        package var unaffected: Int?
        package var compiled: Int
        package var fromCache: Int
        package var compiler: String
        /// The file that the configuration comes from, or where else it comes from; nil in older reports.
        package var configuration: String?
        /// Whether make prepared the whole tree before the objects were compiled, and not only the headers.
        package var preparedWhole: Bool
        /// Why preparing only the headers was not enough.
        package var preparedBecause: String?
        /// The header that the objects' date, person and machine come from; nil for fixed ones, and in older reports.
        package var buildFacts: String?
        /// The decision for each object that the patch might affect, sorted by name.
        package var decisions: [Decision]

        /// Whether an object was compiled, and why.
        package struct Decision: Sendable, Equatable, Codable {
            /// `common/kernel.o`.
            package var object: String
            package var spared: Bool
            package var why: String

            package init(object: String, spared: Bool, why: String) {
                self.object = object
                self.spared = spared
                self.why = why
            }
        }

        package init(
            objects: Int, concerned: Int, unaffected: Int? = nil, compiled: Int, fromCache: Int, compiler: String, configuration: String? = nil,
            preparedWhole: Bool = false,
            preparedBecause: String? = nil, buildFacts: String? = nil,
            decisions: [Decision] = []
        ) {
            self.preparedWhole = preparedWhole
            self.preparedBecause = preparedBecause
            self.buildFacts = buildFacts
            self.decisions = decisions
            self.objects = objects
            self.concerned = concerned
            self.unaffected = unaffected
            self.compiled = compiled
            self.fromCache = fromCache
            self.compiler = compiler
            self.configuration = configuration
        }
    }

    /// The number of functions with each status. `refused` counts the errors about the change, whatever they are about.
    package struct Comparison: Sendable, Equatable, Codable {
        package var same: Int
        package var changed: Int
        package var new: Int
        package var refused: Int

        package init(same: Int, changed: Int, new: Int, refused: Int) {
            self.same = same
            self.changed = changed
            self.new = new
            self.refused = refused
        }
    }

    /// The comparison of the replaced functions with the bytes in xen-syms.
    package struct Original: Sendable, Equatable, Codable {
        package var replaced: Int
        package var equal: Int
        /// How many of the equal functions have the same instructions in different bytes.
        package var equalInInstructions: Int

        package init(replaced: Int, equal: Int, equalInInstructions: Int = 0) {
            self.replaced = replaced
            self.equal = equal
            self.equalInInstructions = equalInInstructions
        }
    }

    /// A payload that is already applied, below the new one.
    package struct StackedPayload: Sendable, Equatable, Codable {
        package var path: String
        package var buildID: String

        package init(path: String, buildID: String) {
            self.path = path
            self.buildID = buildID
        }
    }

    package enum Status: String, Sendable, Equatable, Codable {
        /// It replaces the hypervisor's function.
        case changed
        /// It did not exist before.
        case new
        /// It exists unchanged in the hypervisor, and is included in the payload.
        case copied
        /// The unlikely part of a replaced function, which the compiler put apart.
        case coldPart = "cold part"
        /// Its first bytes become NOPs.
        case nops = "NOPs"
    }

    /// One step of the chain from an item in the payload to the change that is the reason for it. The first step is the item itself.
    package struct WhyStep: Sendable, Equatable, Codable {
        package var name: String
        package var file: String?
        package var line: Int?
        /// `changed`, `new`, `copied`...
        package var reason: String

        package init(name: String, file: String? = nil, line: Int? = nil, reason: String) {
            self.name = name
            self.file = file
            self.line = line
            self.reason = reason
        }
    }

    /// The first difference between the original and the patched version of an item.
    package struct FirstDifference: Sendable, Equatable, Codable {
        /// In bytes from the item's start; nil when no byte differs.
        package var offset: Int?
        /// The instruction there, or what it refers to, in the original. `after` is the same in the patched version.
        package var before: String?
        package var after: String?
        /// The file and line in the patched source.
        package var file: String?
        package var line: Int?
        /// The difference in a few words.
        package var summary: String

        package init(offset: Int? = nil, before: String? = nil, after: String? = nil, file: String? = nil, line: Int? = nil, summary: String) {
            self.offset = offset
            self.before = before
            self.after = after
            self.file = file
            self.line = line
            self.summary = summary
        }
    }

    /// A function in the payload.
    package struct Function: Sendable, Equatable, Codable {
        package var name: String
        package var file: String
        package var line: Int?
        /// nil for new and copied functions.
        package var oldSize: Int?
        package var newSize: Int
        package var status: Status
        /// The chain of reasons why it is in the payload; empty for NOPs.
        package var why: [WhyStep]
        /// nil if the function has no counterpart in the hypervisor.
        package var firstDifference: FirstDifference?
        /// When the new code of a replaced function runs; nil for other functions, and if the hypervisor does not show it.
        package var effect: Effect?

        package init(
            name: String, file: String, line: Int? = nil, oldSize: Int?, newSize: Int, status: Status, why: [WhyStep] = [],
            firstDifference: FirstDifference? = nil, effect: Effect? = nil
        ) {
            self.effect = effect
            self.why = why
            self.firstDifference = firstDifference
            self.name = name
            self.file = file
            self.line = line
            self.oldSize = oldSize
            self.newSize = newSize
            self.status = status
        }
    }

    /// A data object in the payload.
    package struct DataObject: Sendable, Equatable, Codable {
        package var name: String
        package var file: String
        package var size: Int
        package var writable: Bool
        package var status: Status
        package var why: [WhyStep]
        package var firstDifference: FirstDifference?

        package init(
            name: String, file: String, size: Int, writable: Bool, status: Status, why: [WhyStep] = [], firstDifference: FirstDifference? = nil
        ) {
            self.why = why
            self.firstDifference = firstDifference
            self.name = name
            self.file = file
            self.size = size
            self.writable = writable
            self.status = status
        }
    }

    /// The entries of one special section that belong to the payload's functions.
    package struct SpecialEntries: Sendable, Equatable, Codable {
        /// The name of one entry, in the singular: `bug frame`.
        package var kind: String
        package var section: String
        package var count: Int

        package init(kind: String, section: String, count: Int) {
            self.kind = kind
            self.section = section
            self.count = count
        }
    }

    /// Functions that the hypervisor calls when it applies or reverts the payload.
    package struct Hook: Sendable, Equatable, Codable {
        /// `load`, `preapply`.
        package var name: String
        package var functions: [String]
        /// When they run, in a few words.
        package var moment: String

        package init(name: String, functions: [String], moment: String) {
            self.name = name
            self.functions = functions
            self.moment = moment
        }
    }

    /// The file that was written.
    package struct Payload: Sendable, Equatable, Codable {
        package var path: String
        package var size: Int
        /// SHA-256 of the file, lower-case hexadecimal; nil in reports of earlier versions.
        package var digest: String?
        package var buildID: String
        /// The build-id that the payload needs on top of the stack before it is applied.
        package var depends: String
        /// nil when the format has no such dependency.
        package var xenDepends: String?
        /// The program that loads the payload on the host.
        package var hostTool: String
        /// Whether it replaces all applied payloads.
        package var isCumulative: Bool

        package init(
            path: String, size: Int, digest: String? = nil, buildID: String, depends: String, xenDepends: String?, hostTool: String,
            isCumulative: Bool = false
        ) {
            self.digest = digest
            self.isCumulative = isCumulative
            self.path = path
            self.size = size
            self.buildID = buildID
            self.depends = depends
            self.xenDepends = xenDepends
            self.hostTool = hostTool
        }
    }

    package struct Timing: Sendable, Equatable, Codable {
        package var stage: String
        package var milliseconds: Int

        package init(stage: String, milliseconds: Int) {
            self.stage = stage
            self.milliseconds = milliseconds
        }
    }

    package var generator: String
    package var schemaVersion: Int
    package var outcome: Outcome
    /// The message of the error in a run that ended with `buildFailed`; nil in every other run.
    package var failure: String?
    package var tree: Tree
    package var hypervisor: Hypervisor?
    /// The payloads below the new one, bottom first.
    package var stack: [StackedPayload]
    package var patch: Patch?
    package var compile: Compile?
    package var comparison: Comparison?
    package var original: Original?
    /// nil when no payload was accepted by the check.
    package var proof: Proof?
    /// Types whose layout the patch changes.
    package var layouts: [LayoutChange]
    package var functions: [Function]
    package var data: [DataObject]
    /// Symbols of the hypervisor that the payload refers to, sorted.
    package var references: [String]
    package var specialEntries: [SpecialEntries]
    /// nil in older reports.
    package var hooks: [Hook]?
    package var payload: Payload?
    package var diagnostics: [Diagnostic]
    package var timings: [Timing]

    /// Makes a report with the tree only. The stages add their results.
    package init(tree: Tree, outcome: Outcome = .refused) {
        generator = Self.generatorName
        schemaVersion = Self.currentSchema
        self.outcome = outcome
        self.tree = tree
        stack = []
        layouts = []
        functions = []
        data = []
        references = []
        specialEntries = []
        hooks = []
        diagnostics = []
        timings = []
    }
}
