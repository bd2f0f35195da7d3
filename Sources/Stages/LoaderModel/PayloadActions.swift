import ELFModel
import XenSource
import XenVersions

/// What a hypervisor would answer to each action that the host tool can request for one payload, in their usual order.
package struct PayloadActions: Sendable, Equatable {
    package enum Action: String, Sendable, Equatable, Codable {
        case upload, apply, replace
        /// The new code runs.
        case call
        case revert
        case applyAgain = "apply again"
        case unload
        /// The payloads that this one replaced are unloaded.
        case unloadReplaced = "unload the replaced"
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
        /// The hooks that can make the action fail, which this program does not follow.
        package var hooks: [String] = []
    }

    /// A place in the hypervisor's own code. Applying the payload changes it, and reverting restores it.
    package struct Write: Sendable, Equatable {
        /// The name that the payload uses.
        package var function: String
        package var address: UInt64
        /// nil when the bytes are not known.
        package var before: [UInt8]?
        /// nil for NOPs: the machine decides which of the equivalent NOPs the hypervisor writes.
        package var after: [UInt8]?
        /// In bytes.
        package var size: Int
    }

    /// The answers up to the first action that fails. A payload that can't be applied again after a revert can still be unloaded.
    package var answers: [Answer]
    package var writes: [Write]

    /// What an operator needs to know of actions whose outcome this program does not know.
    package var findings: [LoadResult.Finding] {
        var seen: Set<String> = []
        return answers.filter { $0.outcome == .done }.flatMap(\.hooks).filter { seen.insert($0).inserted }.map { hook in
            let actions = answers.filter { $0.outcome == .done && $0.hooks.contains(hook) }.map(\.action.rawValue)
            return .init(
                .dependsOnHook,
                "whether the hypervisor will \(Set(actions).sorted().joined(separator: " and ")) it depends on the hook \(hook), which this program does not follow"
            )
        }
    }

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
    package init(after result: LoadResult, into hypervisor: RunningHypervisor, loader: HypervisorLoader) {
        answers = [Answer(action: .upload, outcome: Self.upload(result))]
        writes = []
        guard result.isAccepted || result.ruinsLater else { return }
        let replaces = !hypervisor.payloads.isEmpty && result.depends == hypervisor.image.buildID
        if let refusal = Self.refusal(of: result, into: hypervisor, replaces: replaces) {
            answers += [Answer(action: replaces ? .replace : .apply, outcome: .refused(refusal)), Answer(action: .unload, outcome: .done)]
            return
        }
        for step in Self.steps(of: result, into: hypervisor, replaces: replaces, loader.abi) {
            if case .crashes(let reason) = result.verdict, result.ruin <= step.moment {
                answers.append(Answer(action: step.answer.action, outcome: .crashes(reason)))
                return
            }
            // What does not happen unless the payload ruins the hypervisor there is not shown.
            if step.answer.action == .call || step.answer.action == .unloadReplaced { continue }
            answers.append(step.answer)
            if case .notModelled = step.answer.outcome { return }
        }
        writes = Self.writes(of: result, into: hypervisor, replaces: replaces)
    }

    private static func upload(_ result: LoadResult) -> Outcome {
        switch result.verdict {
        case .accepted: .done
        case .refused(let refusal): .refused(refusal)
        case .crashes(let reason): result.ruinsLater ? .done : .crashes(reason)
        case .notModelled(let reason): .notModelled(reason)
        }
    }

    /// What the host tool can ask for after the upload, and what would be answered if nothing went wrong.
    private static func steps(of result: LoadResult, into hypervisor: RunningHypervisor, replaces: Bool, _ abi: PayloadABI)
        -> [(moment: LoadResult.Moment, answer: Answer)]
    {
        func answer(_ action: Action, _ outcome: Outcome = .done) -> Answer {
            let isRevert = action == .revert
            // Action hooks with functions to mark are another matter.
            let own = result.hooks.filter {
                (PayloadABI.isRefusing(hook: $0) || PayloadABI.isAction(hook: $0)) && PayloadABI.isForReverting(hook: $0) == isRevert
            }
            guard let marking = own.first(where: PayloadABI.isAction(hook:)), !result.functions.isEmpty else {
                let below = action == .replace ? hypervisor.payloads.filter { $0.hooks.contains("revert") }.map { "revert of \($0.name)" } : []
                return Answer(action: action, outcome: outcome, hooks: below + own)
            }
            return Answer(
                action: action,
                outcome: .notModelled(
                    "the hook \(marking) does the work: it is not known whether it marks every function as done, and if it does not, the hypervisor stops itself"
                ), hooks: own)
        }
        let apply = answer(replaces ? .replace : .apply)
        var steps: [(LoadResult.Moment, Answer)] = [(.apply, apply), (.call, Answer(action: .call, outcome: .done)), (.revert, answer(.revert))]
        if abi.refusesSecondApply, !result.isSafeToReapply {
            let reason = "it has variables, which no longer have the values that they had at upload: unload it first"
            steps.append((.revert, Answer(action: .applyAgain, outcome: .refused(.init(step: .apply, error: .invalid, reason: reason)))))
        } else {
            steps += [(.revert, Answer(action: .applyAgain, outcome: .done, hooks: apply.hooks)), (.revert, answer(.revert))]
        }
        return steps + [(.revert, Answer(action: .unload, outcome: .done)), (.unloadReplaced, Answer(action: .unloadReplaced, outcome: .done))]
    }

    /// What is overwritten, and what was there.
    private static func writes(of result: LoadResult, into hypervisor: RunningHypervisor, replaces: Bool) -> [Write] {
        let below = replaces ? [] : hypervisor.patches
        return result.patches.map { patch in
            let size = Int(patch.size)
            // The jump of a payload below may be anywhere else: its address is not known exactly.
            let isPatched = below.contains { $0.overlaps(patch) }
            return Write(
                function: patch.function, address: patch.address,
                before: isPatched ? nil : hypervisor.bytes(at: patch.address, count: size).map(Array.init), after: patch.bytes, size: size)
        }
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
        }
        // A replacement reverts everything first, and only then looks at what the payload expects.
        guard replaces, var refusal = result.unmetExpectation else { return result.unmetExpectation }
        let below = hypervisor.payloads.map(\.name)
        refusal.reason +=
            ". By then " + (below.count == 1 ? "the payload \(below[0]) is" : "all payloads below (\(below.joined(separator: ", "))) are")
            + " reverted: the hypervisor stays unpatched"
        return refusal
    }
}
