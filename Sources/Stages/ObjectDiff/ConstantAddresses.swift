import DebugInfo
import Diagnostics
import ELFModel
import TargetArchitecture

/// Refuses a changed constant whose address somebody may have kept, and warns of one that another constant leads to.
///
/// The payload carries a new copy, and every function of the object that refers to it. But what stored the old one's address in memory
/// has long done so, and whoever goes by that pointer keeps to the old copy: the change would be left out there without a word.
///
/// - Parameter prototypes: of one side's object; asked for only when a constant changed.
/// - Throws: what `prototypes` throws.
package func checkAddressesOfConstants(
    _ set: inout ChangeSet, architecture: any TargetArchitecture, prototypes: (ObjectSide) throws -> Prototypes
) rethrows {
    let changed = set.patched.items.indices.filter {
        let item = set.patched.items[$0]
        return set.status[$0] == .changed && item.kind == .data && item.isNamed && item.isJustContent && set.twins.original[$0] != nil
    }
    guard !changed.isEmpty else { return }
    let known = (original: try prototypes(.original), patched: try prototypes(.patched))
    for index in changed {
        guard let twin = set.twins.original[index] else { continue }
        // A table of what each processor gets, for example (`intel_idle_ids` of `xen/arch/x86/cpu/mwait-idle.c`): where boot code put the
        // pointers can't be told from the table.
        var escape = data(.boot, pointingTo: twin, in: set.original).map { "'\($0)' gave its address to code that ran at boot" }
        for (graph, constant, prototypes) in [(set.original, twin, known.original), (set.patched, index, known.patched)] where escape == nil {
            let users = FunctionUses(graph: graph, prototypes: prototypes.byName, architecture: architecture)
            escape = users.escape(of: constant).map { "'\($0.function)' \($0.how)" }
        }
        let item = set.patched.items[index]
        func report(_ severity: Severity, _ what: String, help: String) {
            set.diagnostics.append(
                Diagnostic(
                    .constantTableChanged, severity, symbol: item.name, location: set.locations[index] ?? SourceLocation(file: set.source),
                    message: "constant '\(item.name)' changed, and \(what) goes on with the old one", help: help))
        }
        if let escape {
            report(
                .error, "\(escape): whoever kept it",
                help: "change the functions that read it; or, when nobody keeps its address, give the new table a new name")
        } else if let table = data(.readOnly, pointingTo: twin, in: set.original) ?? data(.readOnly, pointingTo: index, in: set.patched) {
            // What functions do with a pointer that they load from there is not followed.
            report(
                .warning, "'\(table)' leads to it: whoever took the pointer from there and kept it",
                help: "look at what the functions that read '\(table)' do with its pointers")
        }
    }
}

/// Other data, of a role, that leads to a constant: by its name, or that of its section.
private func data(_ role: SectionRole, pointingTo constant: Int, in graph: ObjectGraph) -> String? {
    graph.items.enumerated().first { index, item in
        index != constant && item.kind == .data && item.role == role && item.references.contains { $0.target == .item(constant) }
    }.map { $1.isNamed ? $1.name : graph.file.sections[$1.section].name }
}

/// How the functions of an object use its constants.
private struct FunctionUses {
    let graph: ObjectGraph
    let prototypes: [String: Prototypes.Prototype]
    let architecture: any TargetArchitecture

    /// The first function that does more with the constant's address than to read through it.
    func escape(of constant: Int) -> (function: String, how: AddressEscape)? {
        for (index, item) in graph.items.enumerated() {
            let slots = item.references.filter { $0.target == .item(constant) }
            // Data that points to it differs itself, and is judged itself; that of boot code is not, and is looked at apart.
            guard !slots.isEmpty, item.kind == .function else { continue }
            let code = functionCode(index, item)
            let use = architecture.addressUse(takenAt: slots.map { slot($0, of: item) }, in: code, readers: Reader.ofXen)
            if case .escapes(_, let how) = use { return (item.name, how) }
        }
        return nil
    }

    private func slot(_ reference: Reference, of item: Item) -> Range<Int> {
        reference.offset..<min(reference.offset + (architecture.relocationKind(reference.type)?.width ?? 4), item.size)
    }

    private func functionCode(_ index: Int, _ item: Item) -> FunctionCode {
        FunctionCode(
            bytes: graph.bytes(of: item), relocated: item.references.map { slot($0, of: item) }, landings: landings(in: index),
            signature: signature(of: item.name), callee: { callee(at: $0, of: item, index) }
        ) { place in
            guard let reference = item.references.first(where: { $0.offset == place }), reference.distance == 0,
                case .item(let target) = reference.target, graph.items[target].kind == .function, graph.items[target].parent == nil
            else { return nil }
            return functionCode(target, graph.items[target])
        }
    }

    private func callee(at place: Int, of item: Item, _ index: Int) -> Callee? {
        guard let reference = item.references.first(where: { $0.offset == place }) else { return nil }
        switch reference.target {
        case .external(let name): return Callee(name: name, signature: signature(of: name), isInSameObject: false)
        case .item(let target):
            let callee = graph.items[target]
            guard callee.kind == .function else { return nil }
            return Callee(
                name: callee.name, signature: signature(of: callee.name), isInSameObject: true,
                isPart: callee.parent == index || item.parent == target || reference.distance != 0)
        default: return nil
        }
    }

    /// Where exception tables, fix-ups, replaced instructions, jump tables and other functions lead into a function.
    private func landings(in function: Int) -> [Landing] {
        var found: [Landing] = []
        var sites: [Int: Int] = [:]
        for entry in graph.items[function].entries {
            guard let site = entry.references.first, site.target == .item(function) else { continue }
            let place = Int(clamping: site.distance)
            for reference in entry.references.dropFirst() {
                if reference.target == .item(function) { found.append(Landing(from: place, to: Int(clamping: reference.distance))) }
                guard case .item(let piece) = reference.target, graph.items[piece].kind == .piece else { continue }
                sites[piece] = place
                // The code goes on behind the instructions that are replaced. Their length stands before that of the replacement
                // (struct alt_instr of xen/arch/x86/include/asm/alternative.h).
                if let length = entry.table.piece?.lengthOffset, entry.bytes.indices.contains(length - 1) {
                    found.append(Landing(from: place, to: place + Int(entry.bytes[length - 1])))
                }
            }
        }
        for (index, item) in graph.items.enumerated() where index != function {
            for reference in item.references where reference.target == .item(function) && reference.distance > 0 {
                found.append(Landing(from: sites[index], to: Int(clamping: reference.distance)))
            }
        }
        return found
    }

    /// Of the compiler's variants of a function, `foo.part.0` and `foo.constprop.0` take some of what the source says, in order, never
    /// more; `foo.isra.0` may take something else.
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

    /// System V x86-64 psABI 3.2.3 and AAPCS64 6.8: up to 8 bytes take one register, up to 16 two; more go through memory.
    private static func registers(_ size: UInt64) -> Int? { size == 0 ? 0 : size <= 8 ? 1 : size <= 16 ? 2 : nil }
}
