import Diagnostics
import TargetArchitecture

/// What differs first between an item and its twin.
package struct Difference: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Bytes that no relocation fills. If one of the two ends here, the item is longer or shorter than its twin.
        case bytes
        /// The target of a relocation, described for both sides.
        case reference(before: String, after: String)
        /// The entries that belong to it in a special table.
        case tableEntries(section: String)
        /// Its bytes are the same, but its place differs.
        case placement(before: String, after: String)
        /// Nothing in the item itself: another part of the same function differs.
        case otherPart(name: String)
        /// Nothing in the item itself: it leads into the middle of a function that differs.
        case innerTarget(name: String)
        /// Its role: a constant became a variable, for example.
        case role
    }

    /// From the start of the item, in bytes, for a function that of the instruction; nil when no place in the item differs.
    package fileprivate(set) var offset: Int?
    package let kind: Kind
    /// The instruction at that place on each side, as text; nil when there is none or it can't be decoded.
    package fileprivate(set) var before: String?
    package fileprivate(set) var after: String?
    /// The line of the patched source that the instruction came from.
    package fileprivate(set) var location: SourceLocation?

    init(at offset: Int? = nil, _ kind: Kind) {
        self.offset = offset
        self.kind = kind
    }
}

extension Difference {
    /// The same difference, with the instructions of both sides.
    func showing(
        _ a: OriginalItem, in original: ObjectGraph<OriginalSide>, _ b: PatchedItem, in patched: ObjectGraph<PatchedSide>,
        architecture: any TargetArchitecture
    ) -> Difference {
        guard let offset, a.kind == .function, b.kind == .function else { return self }
        var result = self
        let old = architecture.instructionText(at: offset, in: original.bytes(of: a))
        let new = architecture.instructionText(at: offset, in: patched.bytes(of: b))
        // Up to the first byte that differs both have the same instructions.
        result.offset = new?.range.lowerBound ?? old?.range.lowerBound ?? offset
        if case .reference(let before, let after) = kind {
            result.before = Self.text(old, leadingTo: before)
            result.after = Self.text(new, leadingTo: after)
        } else {
            result.before = Self.text(old, of: a, in: original)
            result.after = Self.text(new, of: b, in: patched)
        }
        return result
    }

    /// An instruction, with what its relocation refers to: in the bytes alone that address is not filled in.
    private static func text<Side>(_ instruction: InstructionText?, of item: Item<Side>, in graph: ObjectGraph<Side>) -> String? {
        instruction.map { instruction in
            guard let reference = item.references.first(where: { instruction.range.contains($0.offset) }) else { return instruction.text }
            return "\(instruction.text) [\(description(of: reference, in: graph))]"
        }
    }

    /// Replaces the address in an instruction by its target, because a relocation has not filled that address in yet.
    private static func text(_ instruction: InstructionText?, leadingTo target: String) -> String? {
        instruction.map { $0.mnemonic.map { "\($0) \(target)" } ?? "\($0.text) \(target)" }
    }

    func located(at location: SourceLocation?) -> Difference {
        var result = self
        result.location = location
        return result
    }

    /// A short form: ``call vnuma_destroy` became `call vnuma_replace``.
    package var words: String {
        switch kind {
        case .bytes, .reference:
            if let before, let after { return "`\(before)` became `\(after)`" }
            if case .reference(let before, let after) = kind { return "`\(before)` became `\(after)`" }
            return before.map { "`\($0)` became its end" } ?? after.map { "its end became `\($0)`" } ?? "other bytes"
        case .tableEntries(let section): return "other entries in \(section)"
        case .placement(let before, let after): return "goes from \(before) to \(after)"
        case .otherPart(let name): return "changes with '\(name)'"
        case .innerTarget(let name): return "leads into the middle of '\(name)', which changed"
        case .role: return "lies in another kind of section"
        }
    }
}
