import XenVersions

/// Where a named item lies, as far as the source or its attributes decide that.
struct Placement: Equatable {
    /// The section's name without the symbol's name (`.text` of `.text.foo`, `.data.read_mostly`).
    var section: String
    /// In bytes; nil when the section contains other items, which hide the item's own alignment.
    var alignment: UInt64?

    init<Side>(_ item: Item<Side>, in graph: ObjectGraph<Side>, isAlone: Bool) {
        var name = graph.sectionName(of: item)
        for own in item.names where name.hasSuffix(".\(own)") {
            name.removeLast(own.count + 1)
            break
        }
        section = name
        alignment = isAlone ? item.alignment : nil
    }

    /// Whether a variable that was at `old` could just as well be here: both are plain memory.
    func isAsGood(as old: Placement) -> Bool {
        SectionName.isPlainData(section) && SectionName.isPlainData(old.section)
    }

    /// Whether the item needs a larger alignment now than before.
    func needsMoreAlignment(than old: Placement) -> Bool {
        guard let alignment, let before = old.alignment else { return false }
        return alignment > before
    }
}
