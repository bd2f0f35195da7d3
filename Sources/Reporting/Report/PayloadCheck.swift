import Diagnostics
import LoaderModel
import PayloadProof
import XenSource
import XenVersions

/// How a hypervisor would respond to a payload: the value that `check --json` writes, and that `check` prints as text.
///
/// Sizes are in bytes. Build-ids, and the bytes of code, are lower-case hexadecimal.
package struct PayloadCheck: Sendable, Equatable, Codable {
    package enum Verdict: String, Sendable, Equatable, Codable {
        /// Everything works; there may be warnings.
        case good
        case refused
        case crashes
        /// The payload uses something of the loader that this program does not model.
        case unknown
        /// The loader takes it, but it does not mean what its objects say.
        case wrong
    }

    package struct Answer: Sendable, Equatable, Codable {
        package var action: PayloadActions.Action
        package var verdict: Verdict
        /// The error number of a refusal, such as `EINVAL`.
        package var error: String?
        package var reason: String?
        /// Whether the hypervisor also logs a reason on its console.
        package var isLogged: Bool?
        /// The hooks that can make the action fail; nil if there are none.
        package var hooks: [String]?
    }

    package struct Finding: Sendable, Equatable, Codable {
        package var severity: Severity
        /// A stable identifier, such as `not-reappliable`.
        package var kind: String
        package var text: String

        package init(severity: Severity, kind: String, text: String) {
            self.severity = severity
            self.kind = kind
            self.text = text
        }
    }

    package struct Write: Sendable, Equatable, Codable {
        package var function: String
        package var address: String
        package var before: String?
        /// nil for NOPs.
        package var after: String?
        package var size: Int
    }

    package struct Region: Sendable, Equatable, Codable {
        package var region: LoadResult.Region
        package var size: UInt64
    }

    package var payload: String
    package var xenSyms: String
    /// The paths of the payloads below, bottom first.
    package var below: [String]
    package var version: String
    package var architecture: String
    package var format: String
    package var hypervisorBuildID: String
    /// The payload's build-id; nil if the upload ends before the loader reads it.
    package var buildID: String?
    package var depends: String?
    package var verdict: Verdict
    package var answers: [Answer]
    package var findings: [Finding]
    package var regions: [Region]
    package var functions: Int
    package var newSymbols: Int
    /// The changes that applying the payload makes to the hypervisor's code. A revert puts the bytes `before` back.
    package var writes: [Write]
    /// nil unless it was asked for, and unless the loader accepts the payload.
    package var proof: BuildReport.Proof?

    /// - Parameters:
    ///   - result: the result of the upload.
    ///   - proof: of the payload, if it was asked for.
    ///   - more: findings from other checks.
    package init(
        payload: String, hypervisor: RunningHypervisor, loader: HypervisorLoader, architecture: String, result: LoadResult,
        actions: PayloadActions, proof: Proof? = nil, more: [Finding] = []
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
        findings = more + (result.findings + actions.findings).map { Finding(severity: $0.kind.severity, kind: $0.kind.rawValue, text: $0.text) }
        // An answer already gives the reason for a refusal: don't repeat it as a finding.
        let reasons = answers.compactMap(\.reason)
        findings.removeAll { finding in reasons.contains { $0.hasPrefix(finding.text) } }
        regions = result.regions.map { Region(region: $0.region, size: $0.size) }
        functions = result.functions.count
        newSymbols = result.newSymbols.count
        writes = actions.writes.map {
            Write(
                function: $0.function, address: "0x" + String($0.address, radix: 16), before: $0.before.map(BuildIDNote.text),
                after: $0.after.map(BuildIDNote.text), size: $0.size)
        }
        self.proof = proof.map { BuildReport.Proof($0) }
        let bad = answers.first { $0.verdict != .good && $0.action != .applyAgain }
        verdict = bad?.verdict ?? (findings.contains { $0.severity == .error } ? .refused : proof?.holds == false ? .wrong : .good)
    }
}

extension PayloadCheck.Answer {
    init(_ answer: PayloadActions.Answer) {
        self.init(action: answer.action, verdict: .good, hooks: answer.hooks.isEmpty ? nil : answer.hooks)
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
