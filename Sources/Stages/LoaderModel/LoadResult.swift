import Diagnostics

/// What the hypervisor would do with a payload at upload, and what it would have in memory then.
package struct LoadResult: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// The payload would be in state CHECKED, ready to be applied.
        case accepted
        case refused(Refusal)
        /// The loader trusts its input here: the hypervisor would run into a fault or corrupt memory. With the reason.
        case crashes(String)
        /// The payload goes beyond what this model knows. With the reason.
        case notModelled(String)
    }

    /// The parts of the upload, in the hypervisor's order. The first part that finds a fault ends the upload.
    package enum Step: String, Sendable, Equatable, Codable, CaseIterable {
        case upload, header, sections, sectionNames, symbols, layout, symbolResolution, relocation, requiredSections
        case patchingSections, functions, hooks, notes, tables, metadata, hypervisorDependency, symbolTable
        /// No part of the upload any more.
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
    }

    package struct Refusal: Sendable, Equatable {
        package var step: Step
        /// What `xen-livepatch upload` would report.
        package var error: ErrorNumber
        /// The reason in our words; names the section or the symbol.
        package var reason: String
        /// Whether the hypervisor's console would tell a reason too; if not, the error number is all that an operator sees.
        package var isLogged: Bool

        package init(step: Step, error: ErrorNumber, reason: String, isLogged: Bool = true) {
            self.step = step
            self.error = error
            self.reason = reason
            self.isLogged = isLogged
        }
    }

    /// Something that the upload lets pass and that still matters.
    package struct Finding: Sendable, Equatable {
        package enum Kind: String, Sendable, Equatable, Codable, CaseIterable {
            /// A loaded section with `sh_addralign` 0 is put at the start of its region, over what is there.
            case zeroAlignment = "zero-alignment"
            case noExecutableSection = "no-executable-section"
            /// Non-empty writable sections beside the functions: no second apply after a revert.
            case notReappliable = "not-reappliable"
            /// Of several sections of one name that the loader looks for only the first is seen.
            case sectionSeenOnce = "section-seen-once"
            /// A table that the loader knows nothing of.
            case tableIgnored = "table-ignored"
            /// The first bytes of a replaced function are not known here.
            case originalUnknown = "original-unknown"
            /// The payload applies on top of another payload, not on the bare hypervisor.
            case stacked
            /// The bytes that an entry demands are not there: apply would fail.
            case expectationFails = "expectation-fails"
            /// Longer than the hypervisor's own symbol table keeps.
            case longSymbol = "long-symbol"
            /// A hook that does what the hypervisor would do with functions.
            case actionHook = "action-hook"
            /// A replaced function that processors are in while payloads are applied.
            case runsWhilePatching = "runs-while-patching"
            /// A replaced function that processors are in for ever.
            case neverReturns = "never-returns"
            /// A replaced function that waits on stacks of virtual processors.
            case onWaitingStacks = "on-waiting-stacks"

            package var severity: Severity {
                switch self {
                case .zeroAlignment, .expectationFails: .error
                case .noExecutableSection, .sectionSeenOnce, .tableIgnored, .actionHook, .runsWhilePatching, .neverReturns, .onWaitingStacks:
                    .warning
                case .notReappliable, .originalUnknown, .stacked, .longSymbol: .note
                }
            }
        }

        package var kind: Kind
        /// One sentence, without full stop.
        package var text: String

        package init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }

        /// As a build reports it; nil for what a build does not make, or reports in another way.
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
        /// In bytes, without the rest of the last page.
        package var size: UInt64
    }

    package struct Section: Sendable, Equatable {
        /// The section header index in the file.
        package var index: Int
        package var name: String
        package var region: Region
        package var address: UInt64
        /// The section after relocation; before alternatives are applied and the exception table is sorted.
        package var bytes: [UInt8]
    }

    /// An entry of the functions section, as the hypervisor sees it after relocation.
    package struct Function: Sendable, Equatable {
        package var name: String
        package var oldAddress: UInt64
        package var oldSize: UInt32
        /// 0 where the function is filled with NOPs instead of replaced.
        package var newAddress: UInt64
        package var newSize: UInt32
        /// How many bytes of the old function the payload expects.
        package var expected = 0
    }

    /// A name that the payload adds to the hypervisor's symbols.
    package struct Symbol: Sendable, Equatable {
        package var name: String
        package var address: UInt64
        /// In bytes, as the payload says.
        package var size: UInt64
        package var isFunction: Bool
    }

    package var verdict: Verdict
    /// Of a payload that ruins the hypervisor: whether that comes when it is applied or runs, after an upload that ends well.
    package var ruinsLater = false
    package var findings: [Finding] = []
    /// All regions, or none when the upload ended before memory was laid out.
    package var regions: [RegionLayout] = []
    package var sections: [Section] = []
    package var functions: [Function] = []
    /// What it has the hypervisor call, without the sections' prefix: `load`, `preapply`.
    package var hooks: [String] = []
    /// What later payloads can refer to.
    package var newSymbols: [Symbol] = []
    package var buildID: [UInt8] = []
    /// The build-id that must be on top when the payload is applied.
    package var depends: [UInt8] = []
    /// Why it can't be applied to this hypervisor's code, by the first of its functions that expects other bytes.
    package var unmetExpectation: Refusal?
    /// Whether it can be applied again after a revert, without unloading it first.
    package var isSafeToReapply = false

    package var isAccepted: Bool { verdict == .accepted }
}
