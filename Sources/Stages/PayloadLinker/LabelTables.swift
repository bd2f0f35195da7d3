import Diagnostics
import ObjectDiff

extension LinkInput {
    /// The function that a data item leads into the middle of: directly, or through data that it points to. nil if there is none.
    ///
    /// A table of label addresses (`&&label`) is an example. It belongs to exactly one version of its function.
    ///
    /// - Parameter isIncluded: whether the payload includes a function of the item's object.
    func functionEntered(by key: PatchedKey, where isIncluded: (PatchedKey) -> Bool) -> PatchedItem? {
        let graph = objects[key.object].patched
        var seen: Set<PatchedItem.ID> = [key.item], queue = [key.item]
        while let next = queue.popLast() {
            for reference in graph[next].references {
                guard case .item(let id) = reference.target else { continue }
                let target = graph[id]
                switch target.kind {
                case .function:
                    // A label may be the first thing in the part that the compiler moved out of a function.
                    if reference.distance != 0 || target.parent != nil, isIncluded(PatchedKey(object: key.object, item: id)) { return target }
                case .data:
                    if seen.insert(id).inserted { queue.append(id) }
                case .string, .constant, .replacementCode: break
                }
            }
        }
        return nil
    }
}

/// An error for each table of the hypervisor that leads into the middle of a replaced function, and that other code than this function uses:
/// that code still gets into the old version. If only the function uses it, the new version has a table of its own.
func sharedLabelTables(_ selection: Selection, _ input: LinkInput) -> [Diagnostic] {
    // A table leads into functions of its own object only.
    let objects = Set(selection.included.map(\.object))
    return input.objects.sets.filter { objects.contains($0.object) }.flatMap { set -> [Diagnostic] in
        let tables = set.patched.items.filter { $0.kind == .data && $0.role != .boot }
        return tables.compactMap { table in
            let key = PatchedKey(object: set.object, item: table.id)
            guard !input.isNew(key), let function = input.functionEntered(by: key, where: selection.includes) else { return nil }
            guard let user = otherUser(of: table, than: function, in: set, selection) else { return nil }
            return input.refusal(
                .labelTableKept, key,
                message: "'\(table.name)' holds addresses inside '\(function.name)', which the payload replaces, and \(user) the running hypervisor's table, "
                    + "which leads into the old code",
                help: "leave the function as it is, or let the table hold the addresses of functions")
        }
    }
}

/// Words for code that uses a table and stays in the hypervisor, with the verb; nil if nothing does.
private func otherUser(of table: PatchedItem, than function: PatchedItem, in set: ChangeSet, _ selection: Selection) -> String? {
    let user = set.patched.items.first { item in
        item.kind == .function && ![item.id, item.parent].contains(function.id) && !selection.includes(PatchedKey(object: set.object, item: item.id))
            && item.references.contains { $0.target == .item(table.id) }
    }
    if let user { return "'\(user.name)' still uses" }
    return table.isGlobal ? "other files may still use" : nil
}
