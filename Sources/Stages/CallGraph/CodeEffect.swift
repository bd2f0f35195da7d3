import XenSource
import XenVersions

/// Whether, and when, the code of a function runs on a machine that is up.
package struct CodeEffect: Sendable, Equatable {
    package enum Verdict: String, Sendable, Codable, CaseIterable {
        /// Reached from what happens all the time, or whenever somebody asks for it.
        case runsOnItsOwn = "runs-on-its-own"
        /// Reached only when something is set up, such as a processor. What is set up already keeps what the old code did.
        case onlyOnEvent = "only-on-event"
        /// Its address was given away, and nothing shows who calls it.
        case onlyThroughPointer = "only-through-pointer"
        case onlyAtBoot = "only-at-boot"
        /// Nothing that runs leads to it.
        case never
    }

    /// One place on the way to the function.
    package struct Step: Sendable, Equatable {
        package var name: String
        package var file: String?
        /// How the place before leads here; nil for the first.
        package var link: CallGraph.Link?
    }

    package var verdict: Verdict
    /// When it is reached, the occasion with the shortest way first.
    package var occasions: [Occasion]
    /// The shortest way, from where the occasion begins; empty if there is none.
    package var way: [Step]
}

extension Reachability {
    /// All functions of the hypervisor and its payloads.
    package var functions: [(place: CallGraph.Place, effect: CodeEffect)] {
        graph.places.indices.filter { graph.places[$0].isCode }.map { (graph.places[$0], effect(of: $0)) }
    }

    /// - Parameter place: a function of the graph.
    package func effect(of place: Int) -> CodeEffect {
        let reached = occasions(of: place)
            .sorted { (steps(to: place, on: $0), $0.rawValue) < (steps(to: place, on: $1), $1.rawValue) }
        let always = reached.filter { !$0.setsUpSomething }
        if let first = always.first { return CodeEffect(verdict: .runsOnItsOwn, occasions: always, way: describe(way(to: place, on: first))) }
        if isHandedOut(place) { return CodeEffect(verdict: .onlyThroughPointer, occasions: reached, way: describe(wayFromPointer(to: place))) }
        let events = reached.filter { $0 != .boot }
        if let first = events.first { return CodeEffect(verdict: .onlyOnEvent, occasions: events, way: describe(way(to: place, on: first))) }
        if reached.contains(.boot) { return CodeEffect(verdict: .onlyAtBoot, occasions: [.boot], way: describe(way(to: place, on: .boot))) }
        return CodeEffect(verdict: .never, occasions: [], way: [])
    }

    private func describe(_ way: [Int]) -> [CodeEffect.Step] {
        var way = way
        // What was handed to a registrar begins with the code that did it.
        var isRegistered = false
        if let first = way.first, let registration = registration(of: first), registration.code != first {
            way.insert(registration.code, at: 0)
            isRegistered = true
        }
        return way.indices.map { index in
            let place = graph.places[way[index]]
            guard index > 0 else { return CodeEffect.Step(name: place.name, file: place.file, link: nil) }
            let links = graph.edges[way[index - 1]].filter { $0.to == way[index] }.map(\.link)
            let registering = links.first { if case .registers = $0 { true } else { false } }
            return CodeEffect.Step(name: place.name, file: place.file, link: isRegistered && index == 1 ? registering ?? links.first : links.first)
        }
    }
}
