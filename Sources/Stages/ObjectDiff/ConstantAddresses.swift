import DebugInfo
import Diagnostics
import ELFModel
import TargetArchitecture

/// Refuses a changed constant if its address may have been stored, and warns if another constant points to it.
///
/// The payload contains a new copy of the constant, and every function of the object that refers to it. But code that ran earlier may
/// have stored the address of the old constant. Code that uses the stored pointer still reads the old constant, and the change would
/// silently have no effect there.
///
/// - Throws: `InputError` when prototypes can't be read; they are read only when a constant changed.
func addressesOfChangedConstants(_ facts: ComparedFacts, architecture: any TargetArchitecture) throws -> [Diagnostic] {
    // A variable that became a constant is another matter: what is kept of it leads to the hypervisor's variable.
    let changed = facts.records.filter {
        $0.status == .changed && $0.item.isNamedConstant && facts.twin($0.item.id)?.role != .writable
    }
    let replaced = replacedConstants(facts)
    guard !changed.isEmpty || !replaced.isEmpty else { return [] }
    let before = FunctionUses(graph: facts.a, prototypes: try facts.pair.original.prototypes().byName, architecture: architecture)
    let after = FunctionUses(graph: facts.b, prototypes: try facts.pair.patched.prototypes().byName, architecture: architecture)
    /// Boot data may point to the constant: for example a table with a pointer for each processor (`intel_idle_ids` of
    /// `xen/arch/x86/cpu/mwait-idle.c`). The table does not show where boot code stored the pointers.
    func escapeBefore(_ constant: OriginalItem.ID) -> String? {
        data(.boot, pointingTo: constant, in: facts.a).map { "'\($0)' gave its address to code that ran at boot" } ?? before.escape(of: constant)
    }
    var diagnostics: [Diagnostic] = []
    for record in changed {
        guard let twin = record.twin?.original else { continue }
        let item = record.item
        func report(_ severity: Severity, _ what: String, help: String) {
            diagnostics.append(
                Diagnostic(
                    .constantTableChanged, severity, symbol: item.name, location: facts.location(item.id),
                    message: "constant '\(item.name)' changed, and \(what) still reads the old one", help: help))
        }
        if let escape = escapeBefore(twin) ?? after.escape(of: item.id) {
            report(
                .error, "\(escape): whatever kept that address",
                help: "change the functions that read it instead, or put what must change into a variable that a load hook fills")
        } else if let table = data(.readOnly, pointingTo: twin, in: facts.a) ?? data(.readOnly, pointingTo: item.id, in: facts.b) {
            // What functions do with a pointer that they load from that table is not analysed.
            report(
                .warning, "'\(table)' points to it: whatever took that pointer and kept it",
                help: "check what the functions that read '\(table)' do with its pointers")
        }
    }
    for (old, names, place) in replaced {
        guard let escape = escapeBefore(old) else { continue }
        let was = facts.a[old].name, isMove = names == [was]
        let what =
            isMove
            ? "another file has constant '\(was)' now"
            : names.count == 1
                ? "constant '\(names[0])' takes the place of '\(was)'"
                : "\(names.map { "'\($0)'" }.listed(atMost: 4)) are new where constant '\(was)' was"
        diagnostics.append(
            Diagnostic(
                .constantTableChanged, .warning, symbol: isMove ? was : names[0], location: place ?? SourceLocation(file: facts.pair.source),
                message: "\(what), and \(escape): whatever kept that address still has the old one",
                help: "check that nothing keeps it, and that nothing compares it with the new one; if the constant is the same, keep its name and its file"))
    }
    return diagnostics
}

/// Constants that are gone, each with the names of what the functions that referred to it newly refer to: new constants of the object, or the
/// same name in another object.
private func replacedConstants(_ facts: ComparedFacts) -> [(old: OriginalItem.ID, names: [String], place: SourceLocation?)] {
    let kept = Set(facts.records.compactMap { $0.twin?.original })
    let gone = facts.a.items.filter { $0.isNamedConstant && $0.role == .readOnly && !kept.contains($0.id) }
    guard !gone.isEmpty else { return [] }
    let added = Set(facts.records.filter { $0.status == .new && $0.item.isNamedConstant && $0.item.role == .readOnly }.map(\.item.id))
    return gone.compactMap { constant in
        var new: [PatchedItem.ID] = [], isElsewhere = false
        for record in facts.records where record.item.kind == .function && record.status == .changed {
            guard let twin = record.twin?.original, facts.a[twin].references.contains(where: { $0.target == .item(constant.id) }) else { continue }
            for reference in record.item.references {
                switch reference.target {
                case .item(let id) where added.contains(id) && !new.contains(id): new.append(id)
                case .external(let name) where constant.names.contains(name): isElsewhere = true
                default: break
                }
            }
        }
        if isElsewhere { return (constant.id, [constant.name], nil) }
        return new.isEmpty ? nil : (constant.id, new.map { facts.b[$0].name }, facts.location(new[0]))
    }
}

extension Item {
    fileprivate var isNamedConstant: Bool { kind == .data && isNamed && isJustContent }
}

/// Other data with the given role that points to a constant: its name, or the name of its section if it has none; nil if there is none.
private func data<Side>(_ role: SectionRole, pointingTo constant: Item<Side>.ID, in graph: ObjectGraph<Side>) -> String? {
    graph.items.first { item in
        item.id != constant && item.kind == .data && item.role == role && item.references.contains { $0.target == .item(constant) }
    }.map { $0.isNamed ? $0.name : graph.sectionName(of: $0) }
}

/// How the functions of an object use its constants.
private struct FunctionUses<Side: ComparisonSide> {
    typealias Item = ObjectDiff.Item<Side>

    let graph: ObjectGraph<Side>
    let prototypes: [String: Prototypes.Prototype]
    let architecture: any TargetArchitecture

    /// How the constant's address escapes from the first function that does more with it than read through it; nil if it does not escape.
    func escape(of constant: Item.ID) -> String? {
        // Data that points to the constant differs too and is judged on its own. Boot data is not; it is checked separately.
        for item in graph.items where item.kind == .function && item.parent == nil {
            let function = whole(item)
            let slots = function.references.filter { $0.target == .item(constant) }
            guard !slots.isEmpty else { continue }
            let use = architecture.addressUse(takenAt: slots.map { slot($0, of: function) }, in: functionCode(function), readers: Reader.ofXen)
            if case .escapes(_, let how) = use { return "'\(item.name)' \(how)" }
        }
        return nil
    }

    private func whole(_ item: Item) -> WholeFunction<Side> {
        WholeFunction(item, parts: graph.items.filter { $0.parent == item.id }, in: graph, architecture: architecture)
    }

    private func slot(_ reference: Item.Reference, of function: WholeFunction<Side>) -> Range<Int> {
        reference.offset..<min(reference.offset + (architecture.relocationKind(reference.type)?.width ?? 4), function.bytes.count)
    }

    private func functionCode(_ function: WholeFunction<Side>) -> FunctionCode {
        FunctionCode(
            bytes: function.bytes[...], relocated: function.references.map { slot($0, of: function) }, landings: landings(in: function),
            signature: signature(of: function.main.name), callee: { callee(at: $0, of: function) }
        ) { place in
            guard let reference = function.references.first(where: { $0.offset == place }), reference.distance == 0,
                case .item(let target) = reference.target, graph[target].kind == .function, graph[target].parent == nil
            else { return nil }
            return functionCode(whole(graph[target]))
        }
    }

    private func callee(at place: Int, of function: WholeFunction<Side>) -> Callee? {
        guard let reference = function.references.first(where: { $0.offset == place }) else { return nil }
        switch reference.target {
        case .external(let name): return Callee(name: name, signature: signature(of: name), isInSameObject: false)
        case .item(let target):
            let callee = graph[target]
            guard callee.kind == .function else { return nil }
            return Callee(
                name: callee.name, signature: signature(of: callee.name), isInSameObject: true,
                isPart: function.base(of: target) != nil && target != function.main.id || callee.parent != nil || reference.distance != 0)
        default: return nil
        }
    }

    /// The places in a function that exception tables, fixups, replaced instructions, jump tables and other functions lead to.
    private func landings(in function: WholeFunction<Side>) -> [Landing] {
        var found: [Landing] = []
        var sites: [Item.ID: Int] = [:]
        for part in function.parts {
            for entry in part.item.entries {
                guard let site = entry.references.first, let place = function.place(of: site) else { continue }
                for reference in entry.references.dropFirst() {
                    if let landing = function.place(of: reference) { found.append(Landing(from: place, to: landing)) }
                    guard case .item(let code) = reference.target, graph[code].kind == .replacementCode else { continue }
                    sites[code] = place
                    // Code continues after the instructions that are replaced. The byte with their length comes just before the length of the
                    // replacement code (struct alt_instr of xen/arch/x86/include/asm/alternative.h).
                    if let length = entry.table.replacement?.lengthOffset, entry.bytes.indices.contains(length - 1) {
                        found.append(Landing(from: place, to: place + Int(entry.bytes[length - 1])))
                    }
                }
            }
        }
        for item in graph.items where function.base(of: item.id) == nil {
            for reference in item.references {
                guard let landing = function.place(of: reference), landing > 0 else { continue }
                found.append(Landing(from: sites[item.id], to: landing))
            }
        }
        return found
    }

    /// The compiler's variants `foo.part.0` and `foo.constprop.0` take some of the arguments that the source declares, in order, and no
    /// others. `foo.isra.0` may take other arguments.
    private func signature(of name: String) -> CallSignature {
        let variant = CompilerName(name)
        guard variant.clone.split(separator: ".").allSatisfy({ ["part", "constprop"].contains($0) }),
            let prototype = prototypes[String(variant.base)]
        else { return .unknown }
        let arguments = prototype.parameters.flatMap { sizes -> Int? in
            var count = 0
            for size in sizes {
                guard let registers = Self.registers(size) else { return nil }
                count += registers
            }
            return count
        }
        return CallSignature(arguments: arguments, results: prototype.result.flatMap { $0 == 0 ? 0 : Self.registers($0) })
    }

    /// System V x86-64 psABI 3.2.3 and AAPCS64 6.8: up to 8 bytes use one register, up to 16 bytes two. Larger values go through memory.
    private static func registers(_ size: UInt64) -> Int? { size == 0 ? 0 : size <= 8 ? 1 : size <= 16 ? 2 : nil }
}
