import Diagnostics
import LoaderModel
import XenSource

/// What a hypervisor would say to a payload: the value behind `check --json` and behind its text.
///
/// Sizes are in bytes, build-ids and bytes lower-case hexadecimal.
public struct PayloadCheck: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, Equatable, Codable {
        /// Everything works; there may be warnings.
        case good
        case refused
        case crashes
        /// The payload goes beyond what this program knows of the loader.
        case unknown
    }

    public struct Answer: Sendable, Equatable, Codable {
        public var action: PayloadActions.Action
        public var verdict: Verdict
        /// `EINVAL`, for what is refused.
        public var error: String?
        public var reason: String?
        /// Whether the hypervisor's console tells a reason too.
        public var isLogged: Bool?
    }

    public struct Finding: Sendable, Equatable, Codable {
        public var severity: Severity
        /// Stable: `not-reappliable`.
        public var kind: String
        public var text: String

        public init(severity: Severity, kind: String, text: String) {
            self.severity = severity
            self.kind = kind
            self.text = text
        }
    }

    public struct Write: Sendable, Equatable, Codable {
        public var function: String
        public var address: String
        public var before: String?
        /// Nil for NOPs.
        public var after: String?
        public var size: Int
    }

    public struct Region: Sendable, Equatable, Codable {
        public var region: LoadResult.Region
        public var size: UInt64
    }

    public var payload: String
    public var xenSyms: String
    /// Of the payloads below, bottom first.
    public var below: [String]
    public var version: String
    public var architecture: String
    public var format: String
    public var hypervisorBuildID: String
    /// Of the payload, as far as the upload comes to read it.
    public var buildID: String?
    public var depends: String?
    public var verdict: Verdict
    public var answers: [Answer]
    public var findings: [Finding]
    public var regions: [Region]
    public var functions: Int
    public var newSymbols: Int
    /// What applying changes in the hypervisor's code; after a revert, `before` stands there again.
    public var writes: [Write]

    /// - Parameters:
    ///   - result: of the upload.
    ///   - more: what was found beside it.
    public init(
        payload: String, hypervisor: RunningHypervisor, loader: HypervisorLoader, architecture: String, result: LoadResult,
        actions: PayloadActions, more: [Finding] = []
    ) {
        self.payload = payload
        self.architecture = architecture
        xenSyms = hypervisor.image.path.string
        below = hypervisor.payloads.map(\.path.string)
        version = loader.version.description
        format = loader.abi.displayName
        hypervisorBuildID = BuildIDNote.text(hypervisor.image.buildID)
        buildID = result.buildID.isEmpty ? nil : BuildIDNote.text(result.buildID)
        depends = result.depends.isEmpty ? nil : BuildIDNote.text(result.depends)
        answers = actions.answers.map(Answer.init)
        findings = more + result.findings.map { Finding(severity: $0.kind.severity, kind: $0.kind.rawValue, text: $0.text) }
        // What is a reason to refuse it is said there.
        let reasons = Set(answers.compactMap(\.reason))
        findings.removeAll { reasons.contains($0.text) }
        regions = result.regions.map { Region(region: $0.region, size: $0.size) }
        functions = result.functions.count
        newSymbols = result.newSymbols.count
        writes = actions.writes.map {
            Write(
                function: $0.function, address: "0x" + String($0.address, radix: 16), before: $0.before.map(BuildIDNote.text),
                after: $0.after.map(BuildIDNote.text), size: $0.size)
        }
        let bad = answers.first { $0.verdict != .good && $0.action != .applyAgain }
        verdict = bad?.verdict ?? (findings.contains { $0.severity == .error } ? .refused : .good)
    }
}

extension PayloadCheck.Answer {
    init(_ answer: PayloadActions.Answer) {
        self.init(action: answer.action, verdict: .good)
        switch answer.outcome {
        case .done: break
        case .refused(let refusal):
            verdict = .refused
            error = refusal.error.rawValue
            reason = refusal.reason
            isLogged = refusal.isLogged
        case .crashes(let text):
            verdict = .crashes
            reason = text
        case .notModelled(let text):
            verdict = .unknown
            reason = text
        }
    }
}
