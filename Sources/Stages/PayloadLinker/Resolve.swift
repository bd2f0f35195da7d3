import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// Gives each included item its place in the payload, and each reference its destination.
func resolve(_ selection: Selection, _ input: LinkInput) -> ResolvedPayload {
    let placement = place(selection, input)
    // From here on each included item has its place.

    var resolver = Resolver(input: input, selection: selection, placement: placement)
    for key in selection.included { resolver.resolve(key) }
    for key in selection.included { resolver.addEntries(of: key) }
    let overAligned = selection.included.filter { input.item($0).alignment > LoaderBehaviour.largestAlignment }.map { key in
        let item = input.item(key)
        return input.refusal(
            .alignmentNotKept, key, section: input.sectionName(key),
            message: (item.isNamed ? "'\(item.name)'" : "data of \(input.sectionName(key))")
                + " needs an alignment of \(item.alignment) bytes, and the hypervisor's loader keeps no more than \(LoaderBehaviour.largestAlignment)",
            help: "allocate the memory at run time, or align a pointer into a larger array")
    }
    let replaced = replacedFunctions(selection, input, placeOf: { placement.places[$0] })
    return ResolvedPayload(
        blocks: placement.blocks + resolver.veneers, entries: resolver.entries, fills: resolver.fills, functions: replaced.functions,
        companions: companions(selection, input, placeOf: { placement.places[$0] }), references: resolver.references,
        tableEntries: resolver.tableEntries, hasHooks: !selection.hooks(input).isEmpty,
        diagnostics: placement.diagnostics + overAligned + resolver.diagnostics + selection.diagnostics + replaced.diagnostics,
        unfilled: resolver.unfilled)
}

/// Where a reference from an included item leads.
private enum Destination {
    /// To an item in the payload.
    case included(PatchedKey)
    /// To the running hypervisor, or to a payload that is applied to it. `lacksLandingPad` is true when the function begins with a mark
    /// for indirect calls in the patched source, but the code at its address does not.
    case hypervisor(XenImage.Symbol, lacksLandingPad: Bool)
    case absolute(UInt64)
}

private struct Resolver {
    let input: LinkInput
    let selection: Selection
    let placement: Placement
    private(set) var fills: [ResolvedPayload.Fill] = []
    private(set) var entries: [ResolvedPayload.Block] = []
    private(set) var veneers: [ResolvedPayload.Block] = []
    private(set) var references: [String: UInt64] = [:]
    private(set) var tableEntries: [String: Int] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var unfilled: [String] = []
    /// By the address that each veneer leads to.
    private var knownVeneers: [UInt64: Place] = [:]
    private var textSize: Int
    private var tableSizes: [String: Int] = [:]
    /// The files whose bug frames do not name them.
    private var namelessFiles: Set<String> = []
    /// The tables of labels that are reported: once, however often a function refers to them.
    private var refusedTables: Set<PatchedKey> = []

    private var architecture: any TargetArchitecture { input.architecture }

    init(input: LinkInput, selection: Selection, placement: Placement) {
        self.input = input
        self.selection = selection
        self.placement = placement
        textSize = placement.textSize
    }

    mutating func resolve(_ key: PatchedKey) {
        guard let place = placement.places[key] else { return }
        for reference in input.item(key).references { fill(reference, of: key, base: place) }
    }

    // MARK: Special tables

    /// The entries of the special tables that belong to an item, each in the table's own section.
    mutating func addEntries(of key: PatchedKey) {
        let item = input.item(key)
        let harmful = Dictionary(item.entries.compactMap { entry in entry.table.harm.map { (entry.table.section, $0) } }) { first, _ in first }
        for (section, harm) in harmful.sorted(by: { $0.key < $1.key }) {
            refuse(
                .specialEntryHarmful, key, "'\(item.name)' has an entry in \(section), and in a payload the hypervisor \(harm)",
                help: "print a message instead of WARN(), and keep run_in_exception_handler() out of changed functions")
        }
        for entry in item.entries where entry.table.harm == nil {
            let section = entry.table.section
            let place = Place(section: .table(section), offset: (tableSizes[section] ?? 0).rounded(upTo: entry.table.alignment))
            tableSizes[section] = place.offset + entry.bytes.count
            tableEntries[section, default: 0] += 1
            entries.append(.init(place: place, bytes: entry.bytes, size: entry.bytes.count, alignment: entry.table.alignment))
            for reference in entry.references {
                let field = entry.table.fields.first { $0.offset == reference.offset }
                if let field, let text = TextUse(reference, in: entry, of: key).flatMap({ selection.texts[$0] }) {
                    if let file = text.namelessFile { noteNamelessFrames(file, key) }
                    relocate(place.advanced(by: reference.offset), reference.type, .address("", text.address), field.bias)
                } else {
                    fill(reference, of: key, base: place, bits: field?.bits ?? 32)
                }
            }
        }
    }

    private mutating func noteNamelessFrames(_ file: String, _ key: PatchedKey) {
        guard namelessFiles.insert(file).inserted else { return }
        diagnostics.append(
            Diagnostic(
                .bugFrameWithoutFile, .note, symbol: input.item(key).name, location: SourceLocation(file: file, line: input.objects[key].location?.line),
                message:
                    "WARN, BUG and ASSERT reports from the payload's functions of \(file) will not name that file: the hypervisor takes the name from its own image, which does not have it"
            ))
    }

    // MARK: Destinations

    /// nil when it leads nowhere. The selection has reported the reason then, or this function reports it.
    private mutating func destination(of reference: PatchedItem.Reference, from user: PatchedKey) -> Destination? {
        switch reference.target {
        case .absolute(let value): return .absolute(value)
        case .unclear: return nil
        case .external(let name): return destination(of: name, distance: reference.distance, from: user)
        case .item(let id):
            if let name = input.nameOfStrong(behind: id, in: user.object) { return destination(of: name, distance: reference.distance, from: user) }
            let target = PatchedKey(object: user.object, item: id)
            guard !reference.isBySection || isClear(target) else {
                refuse(
                    .referenceAmbiguous, user,
                    "'\(input.item(user).name)' refers to a place in section \(input.sectionName(target)), and the object does not say which of its variables is meant",
                    help: "put the variables that the patch adds, removes or resizes into a section of their own")
                return nil
            }
            return destination(of: target, distance: reference.distance, from: user)
        }
    }

    private mutating func destination(of name: String, distance: Int64, from user: PatchedKey) -> Destination? {
        if let definer = input.definer(of: name) { return destination(of: definer, distance: distance, from: user) }
        return input.hypervisor.global(name).map { .hypervisor($0, lacksLandingPad: false) }
    }

    /// Whether it does not matter which item of the target's section is meant: the hypervisor has all of them, at the same distances from
    /// each other as in the object.
    private func isClear(_ target: PatchedKey) -> Bool {
        let graph = input.objects[target.object].patched
        let neighbours = graph.items.filter { $0.section == graph[target.item].section && $0.isNamed }
        let starts = neighbours.map { item -> UInt64? in
            let key = PatchedKey(object: target.object, item: item.id)
            guard !selection.includes(key), let address = input.running(key)?.knownAddress else { return nil }
            return address &- UInt64(item.offset)
        }
        return !starts.isEmpty && starts.allSatisfy { $0 != nil && $0 == starts[0] }
    }

    private mutating func destination(of target: PatchedKey, distance: Int64, from user: PatchedKey) -> Destination? {
        let item = input.item(target), isIncluded = selection.includes(target)
        // The old cold part jumps back into the old function.
        if item.parent != nil, isIncluded { return .included(target) }
        if item.kind == .function, isIncluded, let symbol = input.running(target) {
            // A reference into its own code, or into the function that it belongs to, stays in the payload; all other users call the old
            // address.
            return target == user || distance != 0 || isPart(user, of: target) ? .included(target) : atOldAddress(target, symbol)
        }
        if isIncluded { return .included(target) }
        guard let symbol = input.running(target) else { return nil }
        if item.kind == .function, distance != 0 {
            refuse(
                .relocationNotUnderstood, user,
                "'\(input.item(user).name)' refers to the middle of '\(item.name)', which stays as it is in the hypervisor")
            return nil
        }
        if item.kind == .data, let function = input.functionEntered(by: target, where: selection.includes) {
            guard refusedTables.insert(target).inserted else { return nil }
            refuse(
                .labelTableKept, user,
                "'\(item.name)' holds addresses inside '\(function.name)', which the payload replaces: the running hypervisor's table leads into the old code",
                help: "make the table const, so that the payload can have its own; or replace the labels by a switch")
            return nil
        }
        return atOldAddress(target, symbol)
    }

    /// If the patch is the first to take the address of a function, the function gets its mark for indirect calls only with this patch.
    /// The trampoline at its old address does not begin with that mark, and a processor that requires it (CET-IBT) faults.
    private func atOldAddress(_ target: PatchedKey, _ symbol: XenImage.Symbol) -> Destination {
        let graph = input.objects[target.object].patched, item = graph[target.item]
        guard item.kind == .function, architecture.beginsWithLandingPad(graph.bytes(of: item)),
            let there = input.hypervisor.running.bytes(at: symbol.address, count: architecture.landingPadSize)
        else { return .hypervisor(symbol, lacksLandingPad: false) }
        return .hypervisor(symbol, lacksLandingPad: !architecture.beginsWithLandingPad(there))
    }

    private func isPart(_ user: PatchedKey, of function: PatchedKey) -> Bool {
        user.object == function.object && input.item(user).parent == function.item
    }

    // MARK: Fillings

    /// - Parameter bits: the reach of the relocation's field, in bits.
    private mutating func fill(_ reference: PatchedItem.Reference, of key: PatchedKey, base: Place, bits: Int = 64) {
        let place = base.advanced(by: reference.offset)
        guard let kind = architecture.relocationKind(reference.type) else {
            return refuse(key, "has a relocation of type \(reference.type), which this program does not know")
        }
        switch destination(of: reference, from: key) {
        case nil: leaveUnfilled(reference, of: key)
        case .included(let target):
            guard let target = placement.places[target] else { return leaveUnfilled(reference, of: key) }
            fill(place, kind, reference, of: key, with: target)
        case .absolute(let value):
            guard kind.isLoadable else { return refuse(key, kind) }
            relocate(place, reference.type, .address("", value), reference.addend)
        case .hypervisor(let symbol, let lacksLandingPad):
            // A veneer begins with a mark for indirect calls. Relocations of the type that the veneer itself uses are direct branches
            // and need no mark; any other may take the address for an indirect call.
            let wantsLandingPad = lacksLandingPad && reference.type != architecture.veneer?.relocation.type
            if bits < 32 || wantsLandingPad || (!kind.isLoadable && kind.value == .relative), let veneer = architecture.veneer {
                fill(place, kind, reference, of: key, with: self.veneer(to: symbol, veneer))
            } else {
                fill(place, kind, reference, of: key, with: symbol)
            }
        }
    }

    private mutating func leaveUnfilled(_ reference: PatchedItem.Reference, of key: PatchedKey) {
        unfilled.append("'\(input.item(key).name)' at byte \(reference.offset)")
    }

    private mutating func relocate(_ place: Place, _ type: UInt32, _ subject: ResolvedPayload.Subject, _ addend: Int64) {
        fills.append(.init(place: place, filling: .relocation(type: type, subject, addend: addend)))
    }

    /// Fills a field with a place in the payload: by a relocation, or right now when the loader would handle that relocation wrongly.
    private mutating func fill(_ place: Place, _ kind: RelocationKind, _ reference: PatchedItem.Reference, of key: PatchedKey, with target: Place) {
        let isNear = kind.value == .relative && place.section == target.section
        let distance = isNear ? UInt64(bitPattern: Int64(target.offset - place.offset) + reference.addend) : nil
        if let distance, !kind.holds(distance, addressSize: architecture.elfClass.addressSize) {
            return refuse(key, "has a relocation \(kind.name), which does not reach far enough in the payload")
        }
        switch kind.loading {
        case .performed: relocate(place, reference.type, .section(target.section), reference.addend + Int64(target.offset))
        case .withoutAddend: relocate(place, reference.type, .place(target.advanced(by: Int(clamping: reference.addend))), 0)
        case .refused, .wrong:
            guard let distance else { return refuse(key, kind) }
            fills.append(.init(place: place, filling: .value(distance, kind.field)))
        }
    }

    /// Fills a field with the address of a symbol of the hypervisor.
    private mutating func fill(
        _ place: Place, _ kind: RelocationKind, _ reference: PatchedItem.Reference, of key: PatchedKey, with symbol: XenImage.Symbol
    ) {
        guard kind.isLoadable else { return refuse(key, kind) }
        let subject = subject(symbol)
        guard kind.loading == .withoutAddend, reference.addend != 0 else { return relocate(place, reference.type, subject, reference.addend) }
        guard let address = symbol.knownAddress else {
            return refuse(
                key, "has a relocation \(kind.name) to byte \(reference.addend) of '\(symbol.name)', whose address is known only when its payload is loaded")
        }
        relocate(place, reference.type, .address("", address &+ UInt64(bitPattern: reference.addend)), 0)
    }

    /// The veneer that leads to a symbol. All users share one; veneers come after the functions.
    private mutating func veneer(to symbol: XenImage.Symbol, _ veneer: Veneer) -> Place {
        if let known = knownVeneers[symbol.address] { return known }
        let place = Place(section: .text, offset: textSize.rounded(upTo: architecture.functionAlignment))
        textSize = place.offset + veneer.code.count
        veneers.append(.init(place: place, bytes: veneer.code, size: veneer.code.count, alignment: architecture.functionAlignment))
        relocate(place.advanced(by: veneer.relocation.offset), veneer.relocation.type, subject(symbol), veneer.relocation.addend)
        knownVeneers[symbol.address] = place
        return place
    }

    /// By name when the hypervisor's loader finds exactly that symbol under the name, otherwise by address. A symbol that a payload
    /// brought has no address before that payload is loaded.
    private mutating func subject(_ symbol: XenImage.Symbol) -> ResolvedPayload.Subject {
        let name = symbol.qualifiedName
        references[name] = symbol.knownAddress ?? 0
        if symbol.payload != nil { return .named(name) }
        let isFound = input.hypervisor.image.count(ofQualifiedName: name) == 1 && name.utf8.count < Self.symbolNameLimit
        return isFound && !input.options.prelink ? .named(name) : .address(name, symbol.address)
    }

    /// KSYM_NAME_LEN of `xen/include/xen/symbols.h`.
    private static let symbolNameLimit = 127

    // MARK: Refusals

    private mutating func refuse(_ key: PatchedKey, _ kind: RelocationKind) {
        switch kind.loading {
        case .wrong(let reason): refuse(key, "has a relocation \(kind.name), which the hypervisor gets wrong: \(reason)")
        default: refuse(key, "has a relocation \(kind.name), which the hypervisor does not perform in a payload")
        }
    }

    private mutating func refuse(_ key: PatchedKey, _ reason: String) {
        refuse(.relocationNotLoadable, key, "'\(input.item(key).name)' \(reason)")
    }

    private mutating func refuse(_ id: DiagnosticID, _ key: PatchedKey, _ message: String, help: String? = nil) {
        diagnostics.append(input.refusal(id, key, message: message, help: help))
    }
}
