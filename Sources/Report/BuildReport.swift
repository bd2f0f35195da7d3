import Diagnostics
import ObjectDiff

/// What a run did and found: the value behind `report.json` and behind the text on the terminal.
///
/// Field names are stable. A field may be added; one that changes its meaning or goes away raises `schemaVersion`.
/// All sizes are in bytes, all build-ids lower-case hexadecimal, all times milliseconds.
public struct BuildReport: Sendable, Equatable, Codable {
    /// The value of `generator`, by which an output folder is known as ours.
    public static let generatorName = "xsplice-build"
    public static let currentSchema = 2

    public enum Outcome: String, Sendable, Equatable, Codable {
        case written
        case nothingToPatch = "nothing-to-patch"
        case refused
        case buildFailed = "build-failed"
        case originalDiffers = "original-differs"
        /// As asked for, the run ended when the objects were compiled.
        case compiledOnly = "compiled-only"
    }

    /// The tree that was recognised.
    public struct Tree: Sendable, Equatable, Codable {
        public var path: String
        /// `4.17.5`, `4.23-unstable`.
        public var version: String
        /// `x86_64`, `arm64`, `arm32`.
        public var architecture: String
        /// `livepatch v2`, as `PayloadABI.displayName` says it.
        public var format: String

        public init(path: String, version: String, architecture: String, format: String) {
            self.path = path
            self.version = version
            self.architecture = architecture
            self.format = format
        }
    }

    /// The hypervisor that the payload is for.
    public struct Hypervisor: Sendable, Equatable, Codable {
        public var xenSyms: String
        public var buildID: String
        /// True when no xen-syms was given and one was built from the tree.
        public var builtHere: Bool

        public init(xenSyms: String, buildID: String, builtHere: Bool) {
            self.xenSyms = xenSyms
            self.buildID = buildID
            self.builtHere = builtHere
        }
    }

    /// What the patch files do to the tree.
    public struct Patch: Sendable, Equatable, Codable {
        public struct File: Sendable, Equatable, Codable {
            public enum Change: String, Sendable, Equatable, Codable { case modified, added, removed }

            public var path: String
            public var change: Change
            public var linesAdded: Int
            public var linesRemoved: Int

            public init(path: String, change: Change, linesAdded: Int, linesRemoved: Int) {
                self.path = path
                self.change = change
                self.linesAdded = linesAdded
                self.linesRemoved = linesRemoved
            }
        }

        /// The patch files, in the order in which they were applied.
        public var sources: [String]
        public var files: [File]
        /// Paths outside the hypervisor, which were left out.
        public var leftOut: [String]
        /// Hunks that applied at another line than they say.
        public var movedHunks: Int

        public init(sources: [String], files: [File], leftOut: [String] = [], movedHunks: Int = 0) {
            self.sources = sources
            self.files = files
            self.leftOut = leftOut
            self.movedHunks = movedHunks
        }
    }

    /// What was compiled.
    public struct Compile: Sendable, Equatable, Codable {
        /// Objects in the whole hypervisor.
        public var objects: Int
        /// Those that the patch can affect.
        public var concerned: Int
        public var compiled: Int
        public var fromCache: Int
        public var compiler: String

        public init(objects: Int, concerned: Int, compiled: Int, fromCache: Int, compiler: String) {
            self.objects = objects
            self.concerned = concerned
            self.compiled = compiled
            self.fromCache = fromCache
            self.compiler = compiler
        }
    }

    /// How many functions came out how.
    public struct Comparison: Sendable, Equatable, Codable {
        public var same: Int
        public var changed: Int
        public var new: Int
        public var refused: Int

        public init(same: Int, changed: Int, new: Int, refused: Int) {
            self.same = same
            self.changed = changed
            self.new = new
            self.refused = refused
        }
    }

    /// The comparison of the replaced functions with the bytes in xen-syms.
    public struct Original: Sendable, Equatable, Codable {
        public var replaced: Int
        public var equal: Int
        /// Of the equal ones, those whose instructions are the same in other bytes.
        public var equalInInstructions: Int

        public init(replaced: Int, equal: Int, equalInInstructions: Int = 0) {
            self.replaced = replaced
            self.equal = equal
            self.equalInInstructions = equalInInstructions
        }
    }

    /// A payload that is applied already, below the new one.
    public struct StackedPayload: Sendable, Equatable, Codable {
        public var path: String
        public var buildID: String

        public init(path: String, buildID: String) {
            self.path = path
            self.buildID = buildID
        }
    }

    public enum Status: String, Sendable, Equatable, Codable {
        /// Replaces the hypervisor's.
        case changed
        /// Did not exist before.
        case new
        /// Exists unchanged in the hypervisor, and travels along.
        case copied
        /// The unlikely part of a replaced function, which the compiler put apart.
        case coldPart = "cold part"
        /// Its first bytes become NOPs.
        case nops = "NOPs"
    }

    /// A function in the payload.
    public struct Function: Sendable, Equatable, Codable {
        public var name: String
        public var file: String
        public var line: Int?
        /// nil for new and copied functions.
        public var oldSize: Int?
        public var newSize: Int
        public var status: Status

        public init(name: String, file: String, line: Int? = nil, oldSize: Int?, newSize: Int, status: Status) {
            self.name = name
            self.file = file
            self.line = line
            self.oldSize = oldSize
            self.newSize = newSize
            self.status = status
        }
    }

    /// A data object in the payload.
    public struct DataObject: Sendable, Equatable, Codable {
        public var name: String
        public var file: String
        public var size: Int
        public var writable: Bool
        public var status: Status

        public init(name: String, file: String, size: Int, writable: Bool, status: Status) {
            self.name = name
            self.file = file
            self.size = size
            self.writable = writable
            self.status = status
        }
    }

    /// Entries of one special section that go with the payload's functions.
    public struct SpecialEntries: Sendable, Equatable, Codable {
        /// What one entry is called, in the singular: `bug frame`.
        public var kind: String
        public var section: String
        public var count: Int

        public init(kind: String, section: String, count: Int) {
            self.kind = kind
            self.section = section
            self.count = count
        }
    }

    /// The file that was written.
    public struct Payload: Sendable, Equatable, Codable {
        public var path: String
        public var size: Int
        public var buildID: String
        /// The build-id below it on the stack of applied payloads.
        public var depends: String
        /// nil where the format has no such dependency.
        public var xenDepends: String?
        /// The program that loads it on the host.
        public var hostTool: String
        /// Whether it takes the place of all payloads that are applied.
        public var isCumulative: Bool

        public init(
            path: String, size: Int, buildID: String, depends: String, xenDepends: String?, hostTool: String, isCumulative: Bool = false
        ) {
            self.isCumulative = isCumulative
            self.path = path
            self.size = size
            self.buildID = buildID
            self.depends = depends
            self.xenDepends = xenDepends
            self.hostTool = hostTool
        }
    }

    public struct Timing: Sendable, Equatable, Codable {
        public var stage: String
        public var milliseconds: Int

        public init(stage: String, milliseconds: Int) {
            self.stage = stage
            self.milliseconds = milliseconds
        }
    }

    public var generator: String
    public var schemaVersion: Int
    public var outcome: Outcome
    /// The error that ended the run, when it was not a diagnostic about the change.
    public var failure: String?
    public var tree: Tree
    public var hypervisor: Hypervisor?
    /// The payloads below the new one, bottom first.
    public var stack: [StackedPayload]
    public var patch: Patch?
    public var compile: Compile?
    public var comparison: Comparison?
    public var original: Original?
    /// Types that the patch lays out otherwise.
    public var layouts: [LayoutChange]
    public var functions: [Function]
    public var data: [DataObject]
    /// Symbols of the hypervisor that the payload refers to, sorted.
    public var references: [String]
    public var specialEntries: [SpecialEntries]
    public var payload: Payload?
    public var diagnostics: [Diagnostic]
    public var timings: [Timing]

    /// A report that knows the tree only; the stages add what they find.
    public init(tree: Tree, outcome: Outcome = .refused) {
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
        diagnostics = []
        timings = []
    }
}
