import XenVersions

/// Where a named thing lies, as far as the source or its attributes decide.
struct Placement: Equatable {
    /// The section's name without the symbol's own (`.text` of `.text.foo`, `.data.read_mostly`).
    var section: String
    /// In bytes; nil where the section holds more, so that the thing's own alignment can't be told.
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

    /// Whether a variable that was at `old` could as well be here: both are plain memory.
    func isAsGood(as old: Placement) -> Bool {
        SectionName.isPlainData(section) && SectionName.isPlainData(old.section)
    }

    /// Whether something needs more alignment now than it had.
    func needsMoreAlignment(than old: Placement) -> Bool {
        guard let alignment, let before = old.alignment else { return false }
        return alignment > before
    }
}
