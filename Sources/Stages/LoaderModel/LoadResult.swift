import Diagnostics
import ELFModel
import XenSource

/// What the hypervisor would do with a payload at upload, and what would be in its memory afterwards.
package struct LoadResult: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// The payload would be in state CHECKED, ready to be applied.
        case accepted
        case refused(Refusal)
        /// The loader trusts its input here: the hypervisor would fault or corrupt memory. The value is the reason.
        case crashes(String)
        /// The payload uses something that this model does not know. The value is the reason.
        case notModelled(String)
    }

    /// The steps of the upload, in the hypervisor's order. The first step that finds a fault ends the upload.
    package enum Step: String, Sendable, Equatable, Codable, CaseIterable {
        case upload, header, sections, sectionNames, symbols, layout, symbolResolution, relocation, requiredSections
        case patchingSections, functions, hooks, notes, tables, metadata, hypervisorDependency, symbolTable
        /// After the upload.
        case apply
    }

    /// The error numbers that an upload can end with, by their names in Xen's public `errno.h`.
    package enum ErrorNumber: String, Sendable, Equatable, Codable {
        case invalid = "EINVAL"
        case notSupported = "EOPNOTSUPP"
        case notImplemented = "ENOSYS"
        case noData = "ENODATA"
        case notFound = "ENOENT"
        case outOfMemory = "ENOMEM"
        case overflow = "EOVERFLOW"
        case exists = "EEXIST"
        case outOfRange = "ERANGE"
        case noSpace = "ENOSPC"
    }

    /// When a payload ruins the hypervisor, in the order in which things happen.
    package enum Moment: Int, Sendable, Equatable, Comparable {
        case upload, apply
        /// When the new code is called.
        case call
        case revert
        /// When a payload that this one replaced is unloaded.
        case unloadReplaced

        package static func < (a: Moment, b: Moment) -> Bool { a.rawValue < b.rawValue }
    }

    package struct Refusal: Sendable, Equatable {
        package var step: Step
        /// What `xen-livepatch upload` would report.
        package var error: ErrorNumber
        /// The reason in this program's words. It names the section or the symbol.
        package var reason: String
        /// Whether the hypervisor's console also shows a reason. If not, an operator sees only the error number.
        package var isLogged: Bool

        package init(step: Step, error: ErrorNumber, reason: String, isLogged: Bool = true) {
            self.step = step
            self.error = error
            self.reason = reason
            self.isLogged = isLogged
        }
    }

    /// Something that does not stop the upload but still matters.
    package struct Finding: Sendable, Equatable {
        package enum Kind: String, Sendable, Equatable, Codable, CaseIterable {
            /// A loaded section with `sh_addralign` 0 is put at the start of its region, where another section is.
            case zeroAlignment = "zero-alignment"
            case noExecutableSection = "no-executable-section"
            /// Writable sections with content, other than the functions: the payload can't be applied again after a revert.
            case notReappliable = "not-reappliable"
            /// The loader looks for a section by name, finds several, and sees only the first.
            case sectionSeenOnce = "section-seen-once"
            /// A table that the loader does not know.
            case tableIgnored = "table-ignored"
            /// The first bytes of a replaced function are not known here.
            case originalUnknown = "original-unknown"
            /// The payload applies on top of another payload, not on the bare hypervisor.
            case stacked
            /// The bytes that an entry expects are not there: apply would fail.
            case expectationFails = "expectation-fails"
            /// A name longer than the hypervisor's own symbol table keeps.
            case longSymbol = "long-symbol"
            /// A hook that takes over what the hypervisor does with the functions.
            case actionHook = "action-hook"
            /// Whether an action succeeds is decided by a hook.
            case dependsOnHook = "depends-on-hook"
            /// Whether the payload is applied is decided by what the hypervisor made of its code when it booted on its processor.
            case dependsOnProcessor = "depends-on-processor"
            /// The payload uses code or data that the hypervisor frees after boot.
            case usesFreed = "uses-freed"
            /// The payload needs much memory, which the hypervisor may not have.
            case largeMemory = "large-memory"
            /// A replaced function that processors execute while payloads are applied.
            case runsWhilePatching = "runs-while-patching"
            /// A replaced function that never returns on the processors that execute it.
            case neverReturns = "never-returns"
            /// A replaced function on the stacks of waiting virtual processors.
            case onWaitingStacks = "on-waiting-stacks"

            package var severity: Severity {
                switch self {
                case .zeroAlignment, .expectationFails: .error
                case .noExecutableSection, .sectionSeenOnce, .tableIgnored, .actionHook, .dependsOnHook, .dependsOnProcessor, .usesFreed, .largeMemory,
                    .runsWhilePatching, .neverReturns, .onWaitingStacks:
                    .warning
                case .notReappliable, .originalUnknown, .stacked, .longSymbol: .note
                }
            }
        }

        package var kind: Kind
        /// One sentence, without a full stop.
        package var text: String

        package init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }

        /// The finding as a build's diagnostic; nil for a finding that can't come from a build, or that a build reports in another way.
        package var diagnostic: Diagnostic? {
            let id: DiagnosticID? =
                switch kind {
                case .runsWhilePatching: .runsWhilePatching
                case .neverReturns: .neverReturns
                case .onWaitingStacks: .onWaitingStacks
                case .actionHook: .actionHook
                default: nil
                }
            return id.map { Diagnostic($0, kind.severity, message: text) }
        }
    }

    /// The three parts of a payload's memory; each starts on a page of its own.
    package enum Region: String, Sendable, Equatable, Codable, CaseIterable { case text, writable, readOnly }

    package struct RegionLayout: Sendable, Equatable {
        package var region: Region
        package var address: UInt64
        /// In bytes, not rounded up to whole pages.
        package var size: UInt64
    }

    package struct Section: Sendable, Equatable {
        /// The section header index in the file.
        package var index: Int
        package var name: String
        package var region: Region
        package var address: UInt64
        /// The section's content after relocation, before alternatives are applied and the exception table is sorted.
        package var bytes: [UInt8]
    }

    /// An entry of the functions section, as the hypervisor sees it after relocation.
    package struct Function: Sendable, Equatable {
        package var name: String
        package var oldAddress: UInt64
        package var oldSize: UInt32
        /// 0 when the function is filled with NOPs instead of replaced.
        package var newAddress: UInt64
        package var newSize: UInt32
    }

    /// A symbol that the payload adds to the hypervisor's symbols.
    package struct Symbol: Sendable, Equatable {
        package var name: SymbolName
        package var address: UInt64
        /// In bytes, as the payload says.
        package var size: UInt64
        package var isFunction: Bool
    }

    package var verdict: Verdict
    /// For a payload that crashes the hypervisor: when.
    package var ruin = Moment.upload
    package var findings: [Finding] = []
    /// All regions; empty when the upload ended before memory was laid out.
    package var regions: [RegionLayout] = []
    package var sections: [Section] = []
    package var functions: [Function] = []
    /// What applying the payload overwrites, in the order of the functions.
    package var patches: [CodePatch] = []
    /// The payload's hooks, by their section names without the prefix: `load`, `preapply`.
    package var hooks: [String] = []
    /// The new symbols, which later payloads can refer to.
    package var newSymbols: [Symbol] = []
    package var buildID: [UInt8] = []
    /// The build-id that must be on top when the payload is applied.
    package var depends: [UInt8] = []
    /// Why the payload can't be applied to this hypervisor's code: the first function that expects other bytes.
    package var unmetExpectation: Refusal?
    /// Whether the payload can be applied again after a revert without being unloaded first.
    package var isSafeToReapply = false

    package var isAccepted: Bool { verdict == .accepted }

    /// For a payload that crashes the hypervisor: whether the upload succeeds, and the crash comes later.
    package var ruinsLater: Bool { ruin > .upload }
}
