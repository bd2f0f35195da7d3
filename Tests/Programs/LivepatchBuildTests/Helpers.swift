import Synchronization
import SystemPackage
import Testing

@testable import LivepatchBuild

/// Keeps all that a build reports.
final class EventRecorder: BuildObserver {
    private let storage = Mutex<[BuildEvent]>([])

    var events: [BuildEvent] { storage.withLock { $0 } }

    let wantsDecisions = true

    func observe(_ event: BuildEvent) { storage.withLock { $0.append(event) } }

    /// A word for each event: the order is what tests ask about.
    var story: [String] {
        events.map { event in
            switch event {
            case .began(let reports): "began \(reports.map(\.tree.architecture).joined(separator: " "))"
            case .beganTarget(let report): "target \(report.tree.architecture)"
            case .beganStage(let stage): "\(stage.rawValue)…"
            case .progress: "progress"
            case .endedStage(let outcome):
                switch outcome {
                case .patched: "patched"
                case .compiled: "compiled"
                case .builtHypervisor: "built"
                case .compared: "compared"
                case .accountedFor: "accounted for"
                case .linked(let report): report == nil ? "linked nothing" : "linked"
                case .foundOriginal: "original found"
                case .checked: "checked"
                case .proven: "proven"
                case .foundEffects: "effects found"
                }
            case .decided: "decided"
            case .failedStage(let stage, let wasInterrupted): "\(stage.rawValue) \(wasInterrupted ? "interrupted" : "failed")"
            }
        }
    }
}

/// Options of a build, from words as the command line has them: as many as tests of targets need.
func buildOptions(_ words: [String] = []) throws -> BuildOptions {
    var targets = BuildOptions.Targets(), stack = BuildOptions.Stack(), payload = BuildOptions.Payload(), fix = BuildOptions.Fix()
    var rest = words[...]
    while let option = rest.popFirst() {
        if option == "--cumulative" {
            stack.isReplaced = true
            continue
        }
        let next = rest.popFirst()
        let value = try #require(next)
        switch option {
        case "--arch": targets.architectures += Architectures.list(value)
        case "--xen-syms": targets.xenSyms.append(TargetValue(argument: value) { FilePath($0) })
        case "-c": targets.config.append(TargetValue(argument: value) { FilePath($0) })
        case "--cross-compile": targets.crossCompile.append(TargetValue(argument: value) { $0 })
        case "--make": targets.makeVariables.append(value)
        case "--on": stack.payloads.append(FilePath(value))
        case "--applied-patch": stack.patches.append(FilePath(value))
        case "--depends": payload.depends = [0xbb]
        case "--xen-depends": payload.xenDepends = [0xbb]
        case "--nop": fix.nops.append(.init(function: String(value.prefix { $0 != "=" }), count: 4))
        case "--name": payload.name = value
        case "--format": fix.format = try #require(BuildOptions.Format(rawValue: value))
        default: Issue.record("the helper does not know \(option)")
        }
    }
    return try BuildOptions(
        input: .init(source: "a", patches: ["b"]), targets: targets, stack: stack, payload: payload, fix: fix, work: .init(jobs: 1, cache: "/cache"))
}
