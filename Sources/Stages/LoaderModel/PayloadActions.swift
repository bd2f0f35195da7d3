import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

/// What a hypervisor would answer to each action that the host tool can request for one payload, in their usual order.
package struct PayloadActions: Sendable, Equatable {
    package enum Action: String, Sendable, Equatable, Codable {
        case upload, apply, replace, revert
        case applyAgain = "apply again"
        case unload
    }

    /// The result of one action.
    package enum Outcome: Sendable, Equatable {
        case done
        /// The error number, and the reason.
        case refused(LoadResult.Refusal)
        case crashes(String)
        case notModelled(String)
    }

    package struct Answer: Sendable, Equatable {
        package var action: Action
        package var outcome: Outcome
    }

    /// A place in the hypervisor's own code. Applying the payload changes it, and reverting restores it.
    package struct Write: Sendable, Equatable {
        /// The name that the payload uses.
        package var function: String
        package var address: UInt64
        /// nil when the hypervisor's bytes are not known.
        package var before: [UInt8]?
        /// nil for NOPs: the machine decides which of the equivalent NOPs the hypervisor writes.
        package var after: [UInt8]?
        /// In bytes.
        package var size: Int
    }

    /// The answers up to the first action that fails. A payload that can't be applied again after a revert can still be unloaded.
    package var answers: [Answer]
    package var writes: [Write]

    /// Whether all actions that must succeed do. A second apply may fail.
    package var isGood: Bool { answers.allSatisfy { $0.outcome == .done || $0.action == .applyAgain } }
}

extension PayloadActions {
    /// Follows a payload after its upload.
    ///
    /// - Parameters:
    ///   - result: the result of the upload into `hypervisor`.
    ///   - hypervisor: the hypervisor with its applied payloads. A payload that depends on the hypervisor itself replaces those.
    ///   - loader: the hypervisor's loader.
    package init(
        after result: LoadResult, into hypervisor: RunningHypervisor, architecture: any TargetArchitecture, loader: HypervisorLoader
    ) {
        answers = []
        writes = []
        switch result.verdict {
        case .accepted: answers.append(Answer(action: .upload, outcome: .done))
        case .refused(let refusal): answers.append(Answer(action: .upload, outcome: .refused(refusal)))
        case .crashes(let reason) where result.ruinsLater:
            answers = [Answer(action: .upload, outcome: .done), Answer(action: .apply, outcome: .crashes(reason))]
        case .crashes(let reason): answers.append(Answer(action: .upload, outcome: .crashes(reason)))
        case .notModelled(let reason): answers.append(Answer(action: .upload, outcome: .notModelled(reason)))
        }
        guard result.isAccepted else { return }

        let rules = architecture.loaderRules(of: loader.version)
        let replaces = !hypervisor.payloads.isEmpty && result.depends == hypervisor.image.buildID
        if let refusal = Self.refusal(of: result, into: hypervisor, replaces: replaces) {
            answers += [Answer(action: replaces ? .replace : .apply, outcome: .refused(refusal)), Answer(action: .unload, outcome: .done)]
            return
        }
        if !result.functions.isEmpty, let hook = result.hooks.first(where: PayloadABI.isAction(hook:)) {
            answers.append(
                Answer(
                    action: replaces ? .replace : .apply,
                    outcome: .notModelled(
                        "the hook \(hook) does the work: it is not known whether it marks every function as done, and if it does not, the hypervisor stops itself"
                    )))
            return
        }
        writes = result.functions.map { Self.write($0, into: hypervisor, architecture, rules) }
        answers += [Answer(action: replaces ? .replace : .apply, outcome: .done), Answer(action: .revert, outcome: .done)]
        if loader.abi.refusesSecondApply, !result.isSafeToReapply {
            answers.append(
                Answer(
                    action: .applyAgain,
                    outcome: .refused(
                        .init(
                            step: .apply, error: .invalid,
                            reason: "it has variables, which no longer have the values that they had at upload: unload it first"))))
        } else {
            answers += [Answer(action: .applyAgain, outcome: .done), Answer(action: .revert, outcome: .done)]
        }
        answers.append(Answer(action: .unload, outcome: .done))
    }

    /// The checks before anything is written (`livepatch_action`, Xen 4.7 to 4.22).
    private static func refusal(of result: LoadResult, into hypervisor: RunningHypervisor, replaces: Bool) -> LoadResult.Refusal? {
        guard replaces || result.depends == hypervisor.topBuildID else {
            let top = hypervisor.payloads.last.map { "the payload \($0.name) on top" } ?? "the hypervisor"
            return .init(
                step: .apply, error: .invalid,
                reason: "it depends on build-id \(BuildIDNote.text(result.depends)), and \(top) has \(BuildIDNote.text(hypervisor.topBuildID))")
        }
        if replaces {
            if let hook = result.hooks.first(where: PayloadABI.isVetoing(hook:)) {
                return .init(
                    step: .apply, error: .notSupported, reason: "a payload with the hook \(hook) can't replace others")
            }
            if let other = hypervisor.payloads.first(where: { $0.hooks.contains(where: PayloadABI.isVetoing(hook:)) }) {
                return .init(step: .apply, error: .notSupported, reason: "the payload \(other.name) has hooks that forbid another payload to replace it")
            }
        } else if let function = result.functions.first(where: { $0.expected > 0 && hypervisor.isReplaced($0.oldAddress) }) {
            return .init(
                step: .apply, error: .invalid,
                reason: "\(function.name) starts with the jump of a payload below, not with the bytes that the payload expects")
        }
        return result.unmetExpectation
    }

    private static func write(
        _ function: LoadResult.Function, into hypervisor: RunningHypervisor, _ architecture: any TargetArchitecture, _ rules: LoaderRules
    ) -> Write {
        let skipped = hypervisor.spared(at: function.oldAddress, architecture, rules)
        let address = function.oldAddress &+ UInt64(skipped)
        let after = function.newAddress == 0 ? nil : architecture.trampoline(at: address, to: function.newAddress)
        // The size of NOPs is counted from the function's start.
        let size = after?.count ?? max(0, Int(function.newSize) - skipped)
        return Write(
            function: function.name, address: address, before: hypervisor.bytes(at: address, count: size).map(Array.init), after: after, size: size)
    }
}
