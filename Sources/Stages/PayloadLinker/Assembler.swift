import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// Lays the selected items and their table entries out in the payload's sections.
struct Assembler {
    private(set) var selection: Selection
    let architecture: any TargetArchitecture
    let options: LinkOptions
    /// In the order in which they will stand in the file.
    private(set) var sections: [OutputSection] = []
    private(set) var places: [Node: Place] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    /// What the payload refers to in the hypervisor: address by name.
    private(set) var references: [String: UInt64] = [:]
    /// Entries by table.
    private(set) var tableEntries: [String: Int] = [:]
    private var knownStrings: [[UInt8]: Place] = [:]
    private var jumps: [UInt64: Place] = [:]

    struct Place: Hashable {
        var section: String
        var offset: Int
    }

    static let text = SectionName.text
    private static let readOnly = SectionName.readOnly
    private static let data = SectionName.writable
    private static let zero = SectionName.zero

    init(selection: Selection, architecture: any TargetArchitecture, options: LinkOptions) {
        self.selection = selection
        self.architecture = architecture
        self.options = options
    }

    mutating func layOut() {
        // Where code must not lie counts from the start of the executable pages, which the first of the file's sections gets.
        if selection.carried.contains(where: { selection.item($0).kind == .function }) { _ = index(of: Self.text) }
        for node in selection.carried { place(node) }
        for node in selection.carried { relocate(node) }
        for node in selection.carried { addEntries(of: node) }
        diagnostics += selection.diagnostics
    }

    // MARK: Sections

    /// Appends to a section, which is made when it is first needed.
    @discardableResult
    mutating func append(
        to name: String, _ bytes: some Collection<UInt8>, size: Int? = nil, alignment: UInt64 = 1, entrySize: UInt64 = 0
    ) -> Place {
        let index = index(of: name)
        sections[index].entrySize = entrySize
        let filler = sections[index].flags & ELF.SectionFlag.execinstr != 0 ? architecture.textFiller : 0
        let offset = sections[index].append(bytes, size: size ?? bytes.count, alignment: alignment, filler: filler)
        return Place(section: name, offset: offset)
    }

    mutating func addRelocation(at place: Place, type: UInt32, to subject: OutputSection.Subject, addend: Int64) {
        let index = index(of: place.section)
        sections[index].relocations.append(
            OutputSection.Relocation(offset: place.offset, type: type, subject: subject, addend: addend))
    }

    private mutating func index(of name: String) -> Int {
        if let known = sections.firstIndex(where: { $0.name == name }) { return known }
        sections.append(OutputSection(name: name, type: type(ofSection: name), flags: flags(ofSection: name), alignment: 1))
        return sections.count - 1
    }

    private func type(ofSection name: String) -> UInt32 {
        let abi = options.abi
        if name == Self.zero { return ELF.SectionType.nobits }
        let notes = [abi.dependsSection, abi.xenDependsSection, abi.buildIDSection]
        return notes.contains(name) ? ELF.SectionType.note : ELF.SectionType.progbits
    }

    private func flags(ofSection name: String) -> UInt64 {
        let alloc = ELF.SectionFlag.alloc
        switch name {
        // The loader lays writable sections apart; what it writes into the functions' entries is no reason against applying again.
        case Self.data, Self.zero, options.abi.functionsSection: return alloc | ELF.SectionFlag.write
        case Self.text: return alloc | ELF.SectionFlag.execinstr
        default:
            let isPieces = selection.carried.contains {
                selection.item($0).kind == .piece && selection.sectionName($0) == name
            }
            return isPieces ? alloc | ELF.SectionFlag.execinstr : alloc
        }
    }

    // MARK: Items

    private mutating func place(_ node: Node) {
        let item = selection.item(node)
        let bytes = selection.sets[node.object].patched.bytes(of: item)
        switch item.kind {
        case .function:
            placeFunction(node, item, bytes)
        case .piece:
            places[node] = append(to: selection.sectionName(node), bytes, alignment: item.alignment)
        case .string:
            let known = knownStrings[Array(bytes)] ?? append(to: Self.readOnly, bytes, alignment: item.alignment)
            knownStrings[Array(bytes)] = known
            places[node] = known
        case .constant:
            places[node] = append(to: Self.readOnly, bytes, alignment: item.alignment)
        case .data where item.role == .hooks:
            placeHook(node, item, bytes)
        case .data:
            let section = item.role == .readOnly ? Self.readOnly : item.isZeroFilled ? Self.zero : Self.data
            places[node] = append(to: section, bytes, size: item.size, alignment: item.alignment)
        }
    }

    private mutating func placeFunction(_ node: Node, _ item: Item, _ bytes: ArraySlice<UInt8>) {
        let alignment = max(item.alignment, architecture.functionAlignment)
        let text = index(of: Self.text)
        let step = Int(clamping: alignment)
        var offset = (sections[text].size + step - 1) / step * step
        // A page's worth of places: beyond, they come again.
        for _ in 0..<max(1, Self.pageSize / step) where !architecture.mayStand(bytes, at: offset) { offset += step }
        if !architecture.mayStand(bytes, at: offset) {
            refuse(.functionNotPlaceable, node, message: "'\(item.name)' has code that must not lie at certain places of a page, and at every place some of it would")
        }
        let filler = offset - sections[text].size
        if filler > 0 { append(to: Self.text, Array(repeating: architecture.textFiller, count: filler)) }
        places[node] = append(to: Self.text, bytes, size: item.size, alignment: alignment)
    }

    private static let pageSize = 4096

    private mutating func placeHook(_ node: Node, _ item: Item, _ bytes: ArraySlice<UInt8>) {
        let section = selection.sectionName(node)
        let pointerSize = architecture.elfClass.addressSize
        places[node] = append(to: section, bytes, alignment: UInt64(pointerSize))
        let count = sections[index(of: section)].size / pointerSize
        if let limit = options.abi.hookLimit(section: section), count <= limit { return }
        let reason = options.abi.hookLimit(section: section).map { "has \(count) pointers, and the hypervisor takes \($0)" }
        refuse(
            .hookNotSupported, node,
            message: "\(section) \(reason ?? "is no hook of \(options.abi.displayName)"): '\(item.name)' would never be called as meant")
    }

    private mutating func relocate(_ node: Node) {
        guard let place = places[node] else { return }
        for reference in selection.item(node).references { relocate(reference, of: node, base: place) }
    }

    /// The entries of the special tables that belong to an item, each in the table's own section.
    private mutating func addEntries(of node: Node) {
        for (section, harm) in Set(selection.item(node).entries.map(\.table.section)).sorted().compactMap({ section in
            selection.item(node).entries.first { $0.table.section == section }?.table.harm.map { (section, $0) }
        }) {
            refuse(
                .specialEntryHarmful, node, message: "'\(selection.item(node).name)' has an entry in \(section), and in a payload the hypervisor \(harm)",
                help: "print a message instead of WARN(), and leave run_in_exception_handler() to functions that are not changed")
        }
        for entry in selection.item(node).entries where entry.table.harm == nil {
            let place = append(
                to: entry.table.section, entry.bytes, alignment: entry.table.alignment)
            tableEntries[entry.table.section, default: 0] += 1
            for reference in entry.references {
                let field = entry.table.fields.first { $0.offset == reference.offset }
                if let field, field.text != .anywhere, let address = addressInHypervisor(of: reference, of: node, as: field.text) {
                    let slot = Place(section: place.section, offset: place.offset + reference.offset)
                    addRelocation(at: slot, type: reference.type, to: .address("", address), addend: field.bias)
                } else {
                    relocate(reference, of: node, base: place, bits: field?.bits ?? 32)
                }
            }
        }
    }

    /// Where the hypervisor itself has the text that an entry leads to: all of it, or its end where that will do.
    private mutating func addressInHypervisor(of reference: Reference, of node: Node, as place: SpecialTable.TextPlace) -> UInt64? {
        guard case .item(let index) = reference.target else { return nil }
        let graph = selection.sets[node.object].patched
        let text = graph.bytes(of: graph.items[index]).dropFirst(Int(clamping: reference.distance))
        let image = selection.hypervisor.image
        if let address = image.address(ofConstant: text) { return address }
        guard place == .inHypervisor else { return nil }
        let name = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        // From one folder to the next; at last nothing but the zero byte.
        let ends = name.indices.filter { name[$0] == "/" }.map { name.index(after: $0) } + [name.endIndex]
        for start in ends {
            guard let address = image.address(ofConstant: Array(name[start...].utf8) + [0]) else { continue }
            if start == name.endIndex { warnOfNamelessFrames(name, node) }
            return address
        }
        return nil
    }

    private mutating func warnOfNamelessFrames(_ file: String, _ node: Node) {
        let set = selection.sets[node.object]
        let known = diagnostics.contains { $0.id == .bugFrameWithoutFile && $0.location?.file == file }
        if known { return }
        diagnostics.append(
            Diagnostic(
                .bugFrameWithoutFile, .note, symbol: selection.item(node).name, location: SourceLocation(file: file, line: set.locations[node.item]?.line),
                message: "reports (WARN, BUG, ASSERT) from the functions of \(file) in the payload will not name the file: the hypervisor must have the name itself, and does not"))
    }

    /// - Parameter bits: how far the place that the relocation fills can reach.
    private mutating func relocate(_ reference: Reference, of node: Node, base: Place, bits: Int = 64) {
        let place = Place(section: base.section, offset: base.offset + reference.offset)
        guard let kind = architecture.relocationKind(reference.type) else {
            return refuse(node, "has a relocation of type \(reference.type), which is not known here")
        }
        switch selection.destination(of: reference, from: node) {
        case nil:
            // Told by the selection, with its reason.
            break
        case .carried(let target):
            guard let target = places[target] else { return }
            fill(place, kind, reference, of: node, with: target)
        case .absolute(let value):
            guard kind.isLoadable else { return refuse(node, kind) }
            addRelocation(at: place, type: reference.type, to: .address("", value), addend: reference.addend)
        case .hypervisor(let symbol, let lacksLandingPad):
            // A veneer begins with a mark for indirect calls. What is no direct branch, like the veneer's own, may take the address for such.
            let wantsLandingPad = lacksLandingPad && reference.type != architecture.veneer?.relocation.type
            if bits < 32 || wantsLandingPad || (!kind.isLoadable && kind.value == .relative), let veneer = architecture.veneer {
                fill(place, kind, reference, of: node, with: jump(to: symbol, by: veneer))
            } else {
                fill(place, kind, reference, of: node, with: symbol)
            }
        }
    }

    /// Fills a place with one of the payload: by a relocation, or at once where the loader can't be trusted with it.
    private mutating func fill(_ place: Place, _ kind: RelocationKind, _ reference: Reference, of node: Node, with target: Place) {
        let sameSection = place.section == target.section
        let distance = kind.value == .relative && sameSection ? UInt64(bitPattern: Int64(target.offset - place.offset) + reference.addend) : nil
        if let distance, !kind.holds(distance, addressSize: architecture.elfClass.addressSize) {
            return refuse(node, "has a relocation \(kind.name), which does not reach as far as the payload makes it")
        }
        switch kind.loading {
        case .performed:
            addRelocation(
                at: place, type: reference.type, to: .section(target.section), addend: reference.addend + Int64(target.offset))
        case .withoutAddend:
            let there = Place(section: target.section, offset: target.offset + Int(clamping: reference.addend))
            addRelocation(at: place, type: reference.type, to: .place(there), addend: 0)
        case .refused, .wrong:
            guard let distance else { return refuse(node, kind) }
            sections[index(of: place.section)].store(distance, kind.field, at: place.offset, architecture.byteOrder)
        }
    }

    /// Fills a place with one of the hypervisor.
    private mutating func fill(_ place: Place, _ kind: RelocationKind, _ reference: Reference, of node: Node, with symbol: XenImage.Symbol) {
        guard kind.isLoadable else { return refuse(node, kind) }
        let subject = subject(symbol)
        guard kind.loading == .withoutAddend, reference.addend != 0 else {
            return addRelocation(at: place, type: reference.type, to: subject, addend: reference.addend)
        }
        guard let address = symbol.knownAddress else {
            return refuse(node, "has a relocation \(kind.name) to byte \(reference.addend) of '\(symbol.name)', whose address is settled when its payload is loaded")
        }
        addRelocation(at: place, type: reference.type, to: .address("", address &+ UInt64(bitPattern: reference.addend)), addend: 0)
    }

    private mutating func refuse(_ node: Node, _ kind: RelocationKind) {
        switch kind.loading {
        case .wrong(let reason): refuse(node, "has a relocation \(kind.name), which the hypervisor gets wrong: \(reason)")
        default: refuse(node, "has a relocation \(kind.name), which the hypervisor does not perform in a payload")
        }
    }

    private mutating func refuse(_ node: Node, _ reason: String) {
        refuse(.relocationNotLoadable, node, message: "'\(selection.item(node).name)' \(reason)")
    }

    private mutating func jump(to symbol: XenImage.Symbol, by veneer: Veneer) -> Place {
        if let known = jumps[symbol.address] { return known }
        let place = append(to: Self.text, veneer.code, alignment: architecture.functionAlignment)
        let slot = Place(section: place.section, offset: place.offset + veneer.relocation.offset)
        addRelocation(at: slot, type: veneer.relocation.type, to: subject(symbol), addend: veneer.relocation.addend)
        jumps[symbol.address] = place
        return place
    }

    /// By name where the hypervisor's loader finds exactly that symbol under it, by address elsewhere. What a payload brought
    /// has no address before that payload is loaded.
    private mutating func subject(_ symbol: XenImage.Symbol) -> OutputSection.Subject {
        let name = symbol.qualifiedName
        references[name] = symbol.knownAddress ?? 0
        if symbol.payload != nil { return .named(name) }
        let isFound = selection.hypervisor.image.count(ofQualifiedName: name) == 1 && name.utf8.count < Self.symbolNameLimit
        return isFound && !options.prelink ? .named(name) : .address(name, symbol.address)
    }

    /// KSYM_NAME_LEN of `xen/include/xen/symbols.h`.
    private static let symbolNameLimit = 127

    private mutating func refuse(_ id: DiagnosticID, _ node: Node, message: String, help: String? = nil) {
        let set = selection.sets[node.object]
        diagnostics.append(
            Diagnostic(
                id, .error, symbol: selection.item(node).name,
                location: set.locations[node.item] ?? SourceLocation(file: set.source), message: message, help: help))
    }
}
