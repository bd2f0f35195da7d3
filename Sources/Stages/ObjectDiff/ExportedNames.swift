import ELFModel

/// The names that an object gives to others, and the place that each stands for.
///
/// Other objects of the running hypervisor are bound to these places. A patch that makes a name mean another place (an alias,
/// a label inside a function, a folded function that gets a body of its own) changes what they reach without changing any function.
struct ExportedNames<Side: ComparisonSide> {
    struct Meaning: Equatable {
        enum Place: Equatable {
            /// So many bytes into an item.
            case item(Item<Side>.ID, distance: Int)
            case absolute(UInt64)
        }
        var place: Place
        var isWeak: Bool
    }

    private(set) var meanings: [String: Meaning] = [:]

    init(_ graph: ObjectGraph<Side>) {
        for symbol in graph.file.symbols where !symbol.isLocal && !symbol.name.isEmpty {
            let isWeak = symbol.binding == ELF.Binding.weak
            if symbol.place == .absolute {
                meanings[symbol.name] = Meaning(place: .absolute(symbol.value), isWeak: isWeak)
            } else if let section = symbol.sectionIndex {
                guard let place = graph.place(Int(clamping: symbol.value), in: section) else { continue }
                meanings[symbol.name] = Meaning(place: .item(place.item.id, distance: place.distance), isWeak: isWeak)
            }
        }
    }
}
