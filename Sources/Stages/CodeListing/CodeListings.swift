import DebugInfo
import Diagnostics
import ELFModel
import ObjectDiff
import SystemPackage
import TargetArchitecture
import XenBuild

/// The two files of a compared object.
package struct ListedObject: Sendable {
    package var changes: ChangeSet
    /// nil for a side that does not build the object.
    package var original: FilePath?
    package var patched: FilePath?
    package var architecture: any TargetArchitecture

    package init(_ changes: ChangeSet, original: FilePath?, patched: FilePath?, architecture: any TargetArchitecture) {
        self.changes = changes
        self.original = original
        self.patched = patched
        self.architecture = architecture
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
        let names = ItemNames(changes)
        async let earlier = ListedSide(changes.original, twins, in: original, by: disassembler, architecture, name: names.original)
        let after = try await ListedSide(changes.patched, listed.map(\.item), in: patched, by: disassembler, architecture, name: names.patched)
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
    private let architecture: any TargetArchitecture
    private let itemName: @Sendable (Item<Side>) -> String

    /// - Parameter name: the name of an item in a listing, if it has one.
    /// - Throws: `BuildError` when the disassembler does not show the code of these functions.
    init(
        _ graph: ObjectGraph<Side>, _ functions: [Item<Side>], in path: FilePath?, by disassembler: Disassembler, _ architecture: any TargetArchitecture,
        name: @escaping @Sendable (Item<Side>) -> String
    ) async throws {
        self.graph = graph
        self.architecture = architecture
        itemName = name
        guard let path, !functions.isEmpty else {
            (lines, sources, inlined) = ([:], [:], [:])
            return
        }
        let wanted = Set(functions.map(\.section))
        let byName = try await disassembler.lines(of: path, sections: Set(functions.map { graph.sectionName(of: $0) }))
        // In the graph, fields that relocations fill have no number in them.
        let content = try ELFFile.read(path, debugSections: false).sections
        // Sections of one name come in the file's order. Those without content are not listed.
        var lines: [Int: [Disassembler.Line]] = [:], seen: [String: Int] = [:]
        for (index, section) in content.enumerated() where section.size > 0 && section.isExecutable {
            let number = seen[section.name, default: 0], listed = byName[section.name] ?? []
            seen[section.name] = number + 1
            guard wanted.contains(index) else { continue }
            guard listed.indices.contains(number), Disassembler.Line.are(listed[number], of: section.data) else {
                throw BuildError("what \(disassembler.program) shows of \(section.name) in \(path) is not the code there")
            }
            lines[index] = listed[number]
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
            let named = used.map { NamedReference(name: name($0), isLast: fieldEnd($0) == end) }
            var instruction = wording.instruction(at: line.offset, line.text, references: named)
            instruction.location = sources[SourceLines.Place(section: function.section, offset: line.offset)]
            return instruction
        }
    }

    /// Where the field of a reference ends, as an offset in the function; nil for a relocation of an unknown type.
    private func fieldEnd(_ reference: Item<Side>.Reference) -> Int? { architecture.relocationKind(reference.type).map { reference.offset + $0.width } }

    /// Where a reference leads, in words that are the same on both sides if it leads to the same.
    private func name(_ reference: Item<Side>.Reference) -> String {
        func with(_ name: String) -> String { withDistance(name, reference.distance) }
        guard case .item(let id) = reference.target else { return description(of: reference, in: graph) }
        let item = graph[id]
        if item.isNamed { return with(itemName(item)) }
        // What has no name is its content: a text, a mask, a table.
        guard item.kind != .function, item.references.isEmpty else { return description(of: reference, in: graph) }
        let bytes = graph.bytes(of: item), distance = reference.distance
        if item.kind == .string, distance >= 0 { return ContentText.string(bytes.dropFirst(Int(clamping: distance))) }
        return with(item.kind == .string ? ContentText.string(bytes) : ContentText.data(bytes))
    }
}
