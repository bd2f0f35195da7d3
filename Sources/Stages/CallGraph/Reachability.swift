import XenVersions

/// On which occasions each place of a hypervisor is reached, and by which way.
package struct Reachability: Sendable {
    /// A way to a place for one occasion, or for addresses that were handed out: the step before, by place; nil for a beginning.
    private struct Ways {
        /// The place before, or -1 at a beginning; -2 for places that are not reached.
        var before: [Int]
        /// How many steps it takes.
        var steps: [Int]

        init(count: Int) {
            before = Array(repeating: -2, count: count)
            steps = Array(repeating: 0, count: count)
        }

        func reaches(_ place: Int) -> Bool { before[place] != -2 }
    }

    let graph: CallGraph
    private var ways: [Occasion: Ways] = [:]
    private var handedOut: Ways
    /// For each place that was handed out, the code that did it.
    private var handedOutBy: [Int: Set<Int>] = [:]
    /// For each place that was handed to a registrar, the code that did it.
    private var registeredBy: [Int: (code: Int, with: String)] = [:]

    /// Whether the hypervisor has what runs all the time: an idle loop, and code that handles interrupts. If not, its code was not understood,
    /// or it is no whole hypervisor.
    package let isKnown: Bool

    package init(_ graph: CallGraph) {
        self.graph = graph
        let count = graph.places.count
        handedOut = Ways(count: count)

        // The places where each occasion begins. None of them belongs to another occasion as well.
        let entries = Dictionary(Occasion.allCases.flatMap { occasion in occasion.entries.map { ($0, occasion) } }, uniquingKeysWith: { first, _ in first })
        var beginnings: [Occasion: [Int]] = [:]
        var own = [Occasion?](repeating: nil, count: count)
        for index in graph.places.indices where graph.places[index].isCode {
            let place = graph.places[index]
            let occasion: Occasion? =
                if place.isBoot { .boot } else if let named = place.names.lazy.compactMap({ entries[$0] }).first { named } else if place.mayFallThrough {
                    .exit
                } else { nil }
            guard let occasion else { continue }
            own[index] = occasion
            beginnings[occasion, default: []].append(index)
        }
        isKnown = beginnings[.idle] != nil && beginnings[.interrupt] != nil && beginnings[.control] != nil
        // What is handed to registrars begins there, too, but may also be reached otherwise.
        for index in graph.places.indices {
            for edge in graph.edges[index] {
                guard case .registers(let occasion, let name) = edge.link, own[edge.to] == nil else { continue }
                beginnings[occasion, default: []].append(edge.to)
                if registeredBy[edge.to] == nil { registeredBy[edge.to] = (index, name) }
            }
        }

        var handed: [(code: Int, place: Int)] = []
        for occasion in Occasion.allCases {
            ways[occasion] = Self.spread(
                over: graph, from: beginnings[occasion] ?? [], own, enters: occasion.leadsTo, isBoot: occasion == .boot,
                handingOut: occasion.setsUpSomething ? { handed.append(($0, $1)) } : nil)
        }
        for (code, place) in handed { handedOutBy[place, default: []].insert(code) }
        handedOut = Self.spread(over: graph, from: handed.map(\.place).filter { own[$0] == nil }, own, enters: [], isHandedOut: true, handingOut: nil)
    }

    /// Follows the links from some places, nearest first.
    ///
    /// - Parameters:
    ///   - own: the occasion that a place is the beginning of. Such places are not entered from elsewhere, except those that are the
    ///     beginning of one of `enters`.
    ///   - isHandedOut: whether the beginnings are what boot code handed out, which may have been copied before it was freed.
    ///   - handingOut: receives each place whose address is only handed out, with the code that does it. If nil, such places are reached.
    private static func spread(
        over graph: CallGraph, from beginnings: [Int], _ own: [Occasion?], enters: Set<Occasion>, isBoot: Bool = false, isHandedOut: Bool = false,
        handingOut: ((Int, Int) -> Void)?
    ) -> Ways {
        // No other code gets to what is freed after boot.
        func isPossible(_ place: CallGraph.Place) -> Bool { isBoot || !place.isBoot || (!place.isCode && isHandedOut) }
        var ways = Ways(count: graph.places.count)
        var queue: [Int] = []
        for beginning in beginnings where !ways.reaches(beginning) && isPossible(graph.places[beginning]) {
            ways.before[beginning] = -1
            queue.append(beginning)
        }
        var next = 0
        while next < queue.count {
            let index = queue[next]
            next += 1
            for edge in graph.edges[index] {
                switch edge.link {
                case .registers: continue
                case .takes, .uses:
                    // Boot code runs then, and what the linker collected for it; any other structure may be copied somewhere.
                    let place = graph.places[edge.to]
                    let isForBoot = place.isBoot && (place.isCode || !place.names.isDisjoint(with: Occasion.collectedArrays))
                    if let handingOut, !isForBoot {
                        handingOut(index, edge.to)
                        continue
                    }
                case .calls, .through, .holds, .usesFilled: break
                }
                guard !ways.reaches(edge.to), isPossible(graph.places[edge.to]), own[edge.to].map(enters.contains) ?? true else { continue }
                ways.before[edge.to] = index
                ways.steps[edge.to] = ways.steps[index] + 1
                queue.append(edge.to)
            }
        }
        return ways
    }

    /// The occasions on which a place is reached.
    package func occasions(of place: Int) -> Set<Occasion> { Set(Occasion.allCases.filter { ways[$0]?.reaches(place) ?? false }) }

    package func isHandedOut(_ place: Int) -> Bool { handedOut.reaches(place) }

    /// The shortest way to a place, from its beginning on.
    package func way(to place: Int, on occasion: Occasion) -> [Int] { ways[occasion].map { Self.way(to: place, $0) } ?? [] }

    /// The shortest way to a place from an address that was handed out; the code that handed it out comes first.
    package func wayFromPointer(to place: Int) -> [Int] {
        let way = Self.way(to: place, handedOut)
        guard let first = way.first, let code = handedOutBy[first]?.min() else { return way }
        return [code] + way
    }

    /// The code that hands a place to a registrar, and the registrar.
    package func registration(of place: Int) -> (code: Int, with: String)? { registeredBy[place] }

    private static func way(to place: Int, _ ways: Ways) -> [Int] {
        guard ways.reaches(place) else { return [] }
        var way = [place]
        while let last = way.last, ways.before[last] >= 0 { way.append(ways.before[last]) }
        return way.reversed()
    }

    func steps(to place: Int, on occasion: Occasion) -> Int { ways[occasion]?.steps[place] ?? 0 }
}
