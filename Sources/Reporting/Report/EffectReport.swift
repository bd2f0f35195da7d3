import CallGraph
import XenVersions

extension BuildReport {
    /// When the new code of a function runs, and by which way it is reached.
    package struct Effect: Sendable, Equatable, Codable {
        /// One place on the way.
        package struct Step: Sendable, Equatable, Codable {
            package var name: String
            /// How the place before leads here: `calls`, `through hvm_funcs`; nil for the first.
            package var how: String?

            package init(name: String, how: String? = nil) {
                self.name = name
                self.how = how
            }
        }

        package var verdict: CodeEffect.Verdict
        /// When it is reached, the occasion with the shortest way first.
        package var occasions: [Occasion]
        /// The shortest way; empty if there is none.
        package var way: [Step]

        package init(verdict: CodeEffect.Verdict, occasions: [Occasion], way: [Step]) {
            self.verdict = verdict
            self.occasions = occasions
            self.way = way
        }
    }

    /// Adds when the new code of each replaced function runs.
    package mutating func add(_ effects: [(name: String, effect: CodeEffect)]) {
        for (name, effect) in effects {
            // A payload has one entry for each name.
            guard let index = functions.firstIndex(where: { $0.oldSize != nil && $0.name == name }) else { continue }
            functions[index].effect = Effect(effect)
        }
    }
}

extension BuildReport.Effect {
    init(_ effect: CodeEffect) {
        self.init(verdict: effect.verdict, occasions: effect.occasions, way: effect.way.map { Step(name: $0.name, how: $0.link?.words) })
    }

    /// The verdict in a few words: `runs in hypercalls`.
    package var words: String {
        let when = occasions.map(\.words)
        return switch verdict {
        case .runsOnItsOwn: "runs " + (when.first ?? "") + (when.count > 1 ? ", and otherwise" : "")
        case .onlyOnEvent: "runs only " + when.joined(separator: ", or ")
        case .onlyThroughPointer: "is called through a pointer only"
        case .onlyAtBoot: "runs only at boot"
        case .never: "is never reached"
        }
    }

    /// `start_secondary → identify_cpu → init_amd`.
    package func wayText(arrow: String) -> String { way.map(\.name).joined(separator: " \(arrow) ") }
}

extension CallGraph.Link {
    /// How a place leads to the next.
    fileprivate var words: String {
        switch self {
        case .calls: "calls"
        case .through(let variable): "through \(variable)"
        case .takes: "takes its address"
        case .uses, .usesFilled: "uses"
        case .holds(nil): "has its address"
        case .holds(let structure?): "is a copy of \(structure), which has its address"
        case .registers(_, let registrar): "gives it to \(registrar)"
        }
    }
}
