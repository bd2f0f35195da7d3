import ObjectDiff

/// A named item that is included beside the replaced functions.
struct Companion: Sendable {
    var listed: Payload.Companion
    /// The name without the tag that makes it unique.
    var symbolName: String
    var place: Place
}

func companions(_ selection: Selection, _ input: LinkInput, placeOf: (PatchedKey) -> Place?) -> [Companion] {
    selection.included.compactMap { key in
        let record = input.objects[key], item = record.item
        guard !input.isReplacement(key), item.isNamed, item.kind == .function || item.kind == .data, item.role != .hooks, let place = placeOf(key)
        else { return nil }
        let isFunction = item.kind == .function
        // An item that counts by its content alone and that the source does not declare (`__func__.0`, `CSWTCH.7`) is like a string.
        let isDeclared = record.location != nil || !item.name.contains(".")
        // An unchanged constant that the hypervisor has is included only as a table of labels.
        let isLabelTable = record.status == .same && input.running(key) != nil
        if item.isJustContent, !isDeclared || (record.status == .same && !isLabelTable) { return nil }
        // A constant with other content is a new one: the old constant stays for the code that still refers to it.
        let reason: Payload.Companion.Reason =
            item.parent != nil ? .coldPart : record.status == .new || (!isFunction && record.status == .changed) ? .new : .copied
        return Companion(
            listed: .init(
                name: item.name, location: record.location, size: UInt64(item.size), reason: reason, isFunction: isFunction,
                isWritable: item.role == .writable, why: input.explanation(of: key, in: selection), difference: record.difference),
            symbolName: item.isGlobal ? item.name : "\(input.objects[key.object].source)#\(item.name)", place: place)
    }
}
