import ELFModel

/// The names that an object exports, and the place that each stands for.
///
/// Other objects of the running hypervisor are bound to these places. A patch may make a name mean another place (an alias, a label
/// inside a function, a folded function that gets its own body). That changes what other objects reach without changing any function.
struct ExportedNames<Side: ComparisonSide> {
    struct Meaning: Equatable {
        enum Place: Equatable {
            /// A place in an item, `distance` bytes from its start.
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
