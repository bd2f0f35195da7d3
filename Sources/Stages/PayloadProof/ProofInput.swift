import ELFModel
import LoaderModel
import TargetArchitecture
import XenSource
import XenVersions

/// Everything that a proof works from: what would be in the hypervisor's memory, and what the compiler and the hypervisor's own build say.
package struct ProofInput: Sendable {
    /// The payload in memory, after an upload that the loader accepted.
    package var loaded: LoadResult
    /// The hypervisor that the payload is for, with the payloads that are applied to it.
    package var running: RunningHypervisor
    package var objects: [ProofObject]
    package var claim: ProofClaim
    package var architecture: any TargetArchitecture
    package var abi: PayloadABI
    /// The hypervisor's version, which decides the layout of special tables.
    package var version: XenVersion

    package init(
        loaded: LoadResult, running: RunningHypervisor, objects: [ProofObject], claim: ProofClaim = ProofClaim(), architecture: any TargetArchitecture,
        abi: PayloadABI, version: XenVersion
    ) {
        self.loaded = loaded
        self.running = running
        self.objects = objects
        self.claim = claim
        self.architecture = architecture
        self.abi = abi
        self.version = version
    }
}

/// One object, compiled from the original and from the patched source.
package struct ProofObject: Sendable {
    /// Its name in the build: `common/kernel.o`.
    package var name: String
    /// The original's main source file, relative to `xen/`; nil when only the object's name is known.
    package var source: String?
    /// nil when that side does not build the object.
    package var original: ELFFile?
    package var patched: ELFFile?
    /// Whether the build turns all of the object into boot code after compiling it.
    package var isBootOnly: Bool
    /// What the hypervisor was linked with, if payloads below changed the object: then `original` is what runs. nil if `original` is both.
    package var built: Built?

    /// An object of the hypervisor's own build.
    package struct Built: Sendable {
        /// Its main source file, relative to `xen/`; nil when it is not known.
        package var source: String?
        /// nil when the payloads below brought the object.
        package var file: ELFFile?

        package init(source: String? = nil, file: ELFFile?) {
            self.source = source
            self.file = file
        }
    }

    package init(name: String, source: String? = nil, original: ELFFile?, patched: ELFFile?, isBootOnly: Bool = false, built: Built? = nil) {
        self.name = name
        self.source = source
        self.original = original
        self.patched = patched
        self.isBootOnly = isBootOnly
        self.built = built
    }

    /// The object that the hypervisor was linked with; nil when it has none.
    var linked: ELFFile? { built.map(\.file) ?? original }
}

extension ProofObject {
    /// Whether all sides put the same into memory, so that the object has nothing to do with any patch. Debug information doesn't count.
    package var isUnchanged: Bool {
        guard let original, let patched, Self.areSame(original, patched) else { return false }
        guard let built else { return true }
        return built.file.map { Self.areSame($0, patched) } ?? false
    }

    private static func areSame(_ first: ELFFile, _ second: ELFFile) -> Bool {
        guard first.symbols == second.symbols, first.sections.count == second.sections.count else { return false }
        return zip(first.sections, second.sections).allSatisfy { a, b in
            guard a.name == b.name, a.flags == b.flags, a.info == b.info, a.relocations == b.relocations else { return false }
            return !a.isAllocated || a == b
        }
    }
}

/// What the builder of a payload says about it. The proof believes only what nothing else can show, and lists that.
package struct ProofClaim: Sendable, Equatable {
    /// The symbol of the original object that a symbol of the patched object stands for.
    package struct Twin: Sendable, Equatable {
        /// The name in the original object.
        package var original: String
        /// The name in the hypervisor's own build, if payloads below changed the object; nil if only they have it.
        package var inHypervisor: String?
        /// Why the builder takes them for one: `both have this name`.
        package var evidence: String

        package init(original: String, inHypervisor: String? = nil, evidence: String) {
            self.original = original
            self.inHypervisor = inHypervisor
            self.evidence = evidence
        }
    }

    /// By object, and by the name in the patched object. A variable without a twin is a new one. nil if nobody says: then names decide.
    package var twins: [String: [String: Twin]]?
    /// The names that diagnostics have given to what changed, and to what was left out. nil if there are no diagnostics.
    package var named: Set<String>?
    /// The build-id that must be on top when the payload is applied; nil for the one that is on top now.
    package var depends: [UInt8]?

    package init(twins: [String: [String: Twin]]? = nil, named: Set<String>? = nil, depends: [UInt8]? = nil) {
        self.twins = twins
        self.named = named
        self.depends = depends
    }
}
