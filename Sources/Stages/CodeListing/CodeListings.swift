import DebugInfo
import Diagnostics
import ELFModel
import ObjectDiff
import SystemPackage
import XenBuild

/// The two files of a compared object.
package struct ListedObject: Sendable {
    package var changes: ChangeSet
    /// nil for a side that does not build the object.
    package var original: FilePath?
    package var patched: FilePath?

    package init(_ changes: ChangeSet, original: FilePath?, patched: FilePath?) {
        self.changes = changes
        self.original = original
        self.patched = patched
    }

    /// The functions that run after boot and differ, or are new, with their cold parts.
    private var functions: [ChangeSet.Record] {
        changes.records.filter { $0.item.kind == .function && $0.item.role == .code && $0.item.isNamed && $0.status != .same }
    }

    /// How many functions there are to list.
    package var functionCount: Int { functions.count }

    /// Lists the functions that differ, in the patched object's order.
    ///
    /// - Parameter limit: how many to list at most.
    /// - Throws: the errors of `Disassembler.lines`; `InputError` for debug information that can't be read.
    package func listings(by disassembler: Disassembler, limit: Int = .max) async throws -> [FunctionListing] {
        let listed = functions.prefix(limit)
        guard !listed.isEmpty else { return [] }
        let twins = listed.compactMap { changes.twin(of: $0.item.id) }
        async let earlier = ListedSide(changes.original, twins, in: original, by: disassembler) { changes.successor(of: $0)?.item.name }
        let after = try await ListedSide(changes.patched, listed.map(\.item), in: patched, by: disassembler) { _ in nil }
        let before = try await earlier
        return listed.map { record in
            let twin = changes.twin(of: record.item.id)
            let old = twin.map(before.instructions) ?? [], new = after.instructions(of: record.item)
            var listing = FunctionListing(
                name: record.item.name, object: changes.object.name, location: record.location ?? SourceLocation(file: changes.source), isNew: twin == nil,
                rows: FunctionListing.Row.sideBySide(old, new))
            if let twin {
                listing.remarks =
                    ListingRemarks(
                        rows: listing.rows, inlined: (before.inlined(into: twin), after.inlined(into: record.item)), difference: record.difference
                    ).sentences
            }
            return listing
        }
    }
}

/// One side of an object, with what its functions' listings need.
private struct ListedSide<Side: ComparisonSide>: Sendable {
    private let graph: ObjectGraph<Side>
    /// The lines of each section, by its index.
    private let lines: [Int: [Disassembler.Line]]
    private let sources: [SourceLines.Place: SourceLocation]
    private let inlined: [SourceLines.Place: Set<String>]
    private let nameOnOtherSide: @Sendable (Item<Side>.ID) -> String?

    /// - Parameter nameOnOtherSide: what the other side calls an item: the compiler numbers static variables anew each time.
    init(
        _ graph: ObjectGraph<Side>, _ functions: [Item<Side>], in path: FilePath?, by disassembler: Disassembler,
        nameOnOtherSide: @escaping @Sendable (Item<Side>.ID) -> String?
    ) async throws {
        self.graph = graph
        self.nameOnOtherSide = nameOnOtherSide
        guard let path, !functions.isEmpty else {
            (lines, sources, inlined) = ([:], [:], [:])
            return
        }
        let byName = try await disassembler.lines(of: path, sections: Set(functions.map { graph.sectionName(of: $0) }))
        // Sections of one name come in the file's order. Those without content are not listed.
        var lines: [Int: [Disassembler.Line]] = [:], seen: [String: Int] = [:]
        for (index, section) in graph.file.sections.enumerated() where section.size > 0 && section.isExecutable {
            guard let listed = byName[section.name] else { continue }
            let number = seen[section.name, default: 0]
            seen[section.name] = number + 1
            if listed.indices.contains(number) { lines[index] = listed[number] }
        }
        self.lines = lines
        let places = functions.flatMap { function in
            Self.lines(of: function, in: lines).map { SourceLines.Place(section: function.section, offset: $0.offset) }
        }
        sources = try SourceLines.read(path, for: Set(places))
        inlined = try InlinedFunctions.read(path, into: Set(functions.map(Self.entry)))
    }

    private static func entry(_ function: Item<Side>) -> SourceLines.Place { SourceLines.Place(section: function.section, offset: function.offset) }

    private static func lines(of function: Item<Side>, in lines: [Int: [Disassembler.Line]]) -> [Disassembler.Line] {
        (lines[function.section] ?? []).filter { (function.offset..<function.offset + function.size).contains($0.offset) }
    }

    func inlined(into function: Item<Side>) -> Set<String> { inlined[Self.entry(function)] ?? [] }

    func instructions(of function: Item<Side>) -> [ListedInstruction] {
        let own = Self.lines(of: function, in: lines)
        let wording = InstructionWording(function: function.offset..<function.offset + function.size)
        var references = function.references[...]
        return own.enumerated().map { index, line in
            let end = (index + 1 < own.count ? own[index + 1].offset : function.offset + function.size) - function.offset
            let used = references.prefix { $0.offset < end }
            references = references.dropFirst(used.count)
            var instruction = wording.instruction(at: line.offset, line.text, references: used.map(name))
            instruction.location = sources[SourceLines.Place(section: function.section, offset: line.offset)]
            return instruction
        }
    }

    /// Where a reference leads, in words that are the same on both sides if it leads to the same.
    private func name(_ reference: Item<Side>.Reference) -> String {
        guard case .item(let id) = reference.target else { return description(of: reference, in: graph) }
        let item = graph[id]
        if item.isNamed, let name = nameOnOtherSide(id), !name.isEmpty {
            let distance = reference.distance
            return distance == 0 ? name : "\(name)\(distance > 0 ? "+" : "-")\(distance.magnitude)"
        }
        // What has no name is its content: a text, a mask, a table.
        guard !item.isNamed, item.kind != .function, item.references.isEmpty else { return description(of: reference, in: graph) }
        let bytes = graph.bytes(of: item), distance = reference.distance
        if item.kind == .string, distance >= 0 { return ContentText.string(bytes.dropFirst(Int(clamping: distance))) }
        let content = item.kind == .string ? ContentText.string(bytes) : ContentText.data(bytes)
        return distance == 0 ? content : "\(content)\(distance > 0 ? "+" : "-")\(distance.magnitude)"
    }
}
