import Diagnostics

/// Refuses references that may have changed their meaning unseen: the object gives only a section and an offset for them, and the things in
/// that section lie differently after the patch.
///
/// If everything in the section lies as it did before, equal offsets mean the same thing, whatever that is.
func unclearReferences(_ facts: ComparedFacts) -> [Diagnostic] {
    var isSteady: [Int: Bool] = [:]
    var users: [Int: [PatchedItem]] = [:]
    for item in facts.b.items where item.role != .boot && item.role != .ignored {
        for reference in item.allReferences where reference.isBySection {
            guard case .item(let id) = reference.target else { continue }
            let section = facts.b[id].section
            let steady = isSteady[section] ?? facts.liesAsBefore(section)
            isSteady[section] = steady
            if !steady, users[section]?.last?.id != item.id { users[section, default: []].append(item) }
        }
    }
    return users.sorted { $0.key < $1.key }.map { section, items in
        let name = facts.b.file.sections[section].name
        let names = items.map { $0.isNamed ? "'\($0.name)'" : "data without a name" }
        return Diagnostic(
            .referenceAmbiguous, .error, symbol: items.first { $0.isNamed }?.name, section: name, location: items.first.map { facts.location($0.id) },
            message: "\(names.listed(atMost: 4)) \(items.count == 1 ? "refers" : "refer") to places in section \(name), in which variables have moved: "
                + "\(facts.pair.object) does not say which variable is meant",
            help: "put the variables that the patch adds, removes or resizes into a section of their own: leave out __read_mostly, for example")
    }
}

extension ComparedFacts {
    /// Whether all items of a patched section have twins that lie in one section of the original, at the same offsets, and are all of it.
    fileprivate func liesAsBefore(_ section: Int) -> Bool {
        let new = b.items.filter { $0.section == section }
        // Items without names have no twins. They count as the same when they lie between the same neighbours.
        let twins = new.map { $0.isNamed ? twin($0.id) : nil }
        guard let home = twins.compactMap({ $0?.section }).first, a.items.count(where: { $0.section == home }) == new.count else { return false }
        let old = Set(a.items.filter { $0.section == home && !$0.isNamed }.map { Extent(offset: $0.offset, size: $0.size) })
        return zip(new, twins).allSatisfy { item, twin in
            guard item.isNamed else { return old.contains(Extent(offset: item.offset, size: item.size)) }
            return twin.map { $0.section == home && $0.offset == item.offset && $0.size == item.size } ?? false
        }
    }
}

private struct Extent: Hashable {
    let offset: Int
    let size: Int
}
