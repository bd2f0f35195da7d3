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
