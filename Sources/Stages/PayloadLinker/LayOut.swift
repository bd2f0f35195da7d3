import ELFModel
import TargetArchitecture
import XenVersions

/// A section of the payload, complete except for the numbers of its symbols.
struct OutputSection: Sendable {
    struct Relocation: Sendable {
        var offset: Int
        var type: UInt32
        var subject: ResolvedPayload.Subject
        var addend: Int64
    }

    let kind: PayloadSection
    fileprivate(set) var alignment: UInt64 = 1
    fileprivate(set) var data: [UInt8] = []
    /// In bytes. Differs from `data.count` for zero-filled sections only.
    fileprivate(set) var size = 0
    fileprivate(set) var relocations: [Relocation] = []

    init(_ kind: PayloadSection) { self.kind = kind }

    /// Puts a block at its place, which is never before the section's current end.
    fileprivate mutating func put(_ block: ResolvedPayload.Block, filler: UInt8) {
        alignment = max(alignment, block.alignment)
        if kind.type != ELF.SectionType.nobits {
            data += Array(repeating: filler, count: max(0, block.place.offset - size))
            data += block.bytes
            data += Array(repeating: 0, count: max(0, block.size - block.bytes.count))
        }
        size = block.place.offset + block.size
    }

    /// Writes what a relocation would write.
    ///
    /// - Throws: `ELFWritingError` for a field outside the section's bytes.
    fileprivate mutating func store(
        _ value: UInt64, _ field: RelocationField, at offset: Int, _ order: ByteOrder, file: String
    ) throws(ELFWritingError) {
        let slot = offset..<offset + field.width
        guard slot.upperBound <= data.count else {
            throw ELFWritingError(file: file, reason: "cannot be written: byte \(offset) of a section with \(data.count) has to be filled")
        }
        data.replaceSubrange(slot, with: order.bytes(field.storing(value, in: order.number(data[slot])), count: field.width))
    }
}

/// Lays out the payload's sections with all their bytes, except for the payload's own build-id.
///
/// - Returns: the sections in file order.
/// - Throws: `ELFWritingError` when this program contradicts itself.
func layOut(_ payload: ResolvedPayload, _ input: LinkInput) throws(ELFWritingError) -> [OutputSection] {
    var sections = Sections(architecture: input.architecture, file: input.options.name)
    // The first executable section is put at the start of the executable pages: see `Placement`.
    if payload.blocks.contains(where: { $0.place.section == .text }) { sections.make(.text) }
    for block in payload.blocks { sections.put(block) }
    for entry in payload.entries { sections.put(entry) }
    for fill in payload.fills { try sections.fill(fill) }
    for function in payload.functions { try sections.addEntry(function, input.options.abi) }
    sections.append(BuildIDNote.serialise(input.depends), to: .note(input.options.abi.dependsSection), alignment: 4)
    if let name = input.options.abi.xenDependsSection {
        sections.append(BuildIDNote.serialise(input.xenDepends), to: .note(name), alignment: 4)
    }
    sections.append(BuildIDNote.serialise([]), to: .note(input.options.abi.buildIDSection), alignment: 4)
    if let name = input.options.abi.metadataSection, !input.options.metadata.isEmpty {
        sections.append(input.options.metadata.flatMap(\.bytes), to: .metadata(name), alignment: 1)
    }
    return sections.all
}

extension LinkInput {
    /// The build-id that must be on top when the payload is applied.
    var depends: [UInt8] { options.depends ?? hypervisor.running.topBuildID }
    /// The build-id of the hypervisor.
    var xenDepends: [UInt8] { options.xenDepends ?? hypervisor.image.buildID }
}

private struct Sections {
    let architecture: any TargetArchitecture
    /// The payload's name, for messages.
    let file: String
    private(set) var all: [OutputSection] = []
    private var positions: [PayloadSection: Int] = [:]

    init(architecture: any TargetArchitecture, file: String) {
        self.architecture = architecture
        self.file = file
    }

    @discardableResult
    mutating func make(_ kind: PayloadSection) -> Int {
        if let known = positions[kind] { return known }
        all.append(OutputSection(kind))
        positions[kind] = all.count - 1
        return all.count - 1
    }

    mutating func put(_ block: ResolvedPayload.Block) {
        let index = make(block.place.section)
        all[index].put(block, filler: block.place.section.isExecutable ? architecture.textFiller : 0)
    }

    @discardableResult
    mutating func append(_ bytes: [UInt8], to section: PayloadSection, alignment: UInt64) -> Place {
        let place = Place(section: section, offset: all[make(section)].size.rounded(upTo: alignment))
        put(.init(place: place, bytes: bytes, size: bytes.count, alignment: alignment))
        return place
    }

    mutating func fill(_ fill: ResolvedPayload.Fill) throws(ELFWritingError) {
        let index = make(fill.place.section)
        switch fill.filling {
        case .relocation(let type, let subject, let addend):
            all[index].relocations.append(.init(offset: fill.place.offset, type: type, subject: subject, addend: addend))
        case .value(let value, let field): try all[index].store(value, field, at: fill.place.offset, architecture.byteOrder, file: file)
        }
    }

    private mutating func point(_ place: Place, to target: Place) throws(ELFWritingError) {
        try fill(.init(place: place, filling: .relocation(type: architecture.pointerRelocation, .section(target.section), addend: Int64(target.offset))))
    }

    /// Adds an entry to the functions section, and the name that the entry points to. If the old address is zero, the loader looks the
    /// name up.
    mutating func addEntry(_ replaced: ReplacedFunction, _ abi: PayloadABI) throws(ELFWritingError) {
        let layout = FunctionEntry.Layout(abi, pointerSize: architecture.elfClass.addressSize), function = replaced.function
        let name = append(Array(function.name.utf8) + [0], to: .functionNames, alignment: 1)
        let entry = FunctionEntry(
            oldAddress: function.oldAddress ?? 0,
            // The size of NOPs counts from the function's start (`livepatch_insn_len`).
            newSize: UInt32(clamping: function.newSize + UInt64(replaced.spared)), oldSize: UInt32(clamping: function.oldSize), version: abi.version,
            expectation: replaced.expectation.field)
        let place = append(
            entry.bytes(layout: layout, byteOrder: architecture.byteOrder), to: .functions, alignment: UInt64(layout.pointerSize))
        try point(place.advanced(by: layout.name), to: name)
        if let code = replaced.place { try point(place.advanced(by: layout.newAddress), to: code) }
    }
}
