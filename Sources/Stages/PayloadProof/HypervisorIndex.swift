import ELFModel
import XenSource

/// Finds the functions and variables of objects in the running hypervisor and in the payloads that are applied to it.
///
/// The hypervisor's own symbols are looked for by what its own objects say: their names, sizes and linkage. Payloads below may have changed all
/// of that since. What those brought is looked for by what the original objects say, which are the ones that run.
struct HypervisorIndex: Sendable {
    let running: RunningHypervisor
    private let claim: ProofClaim
    private let facts: [String: Facts]
    /// Global names whose function or variable of the hypervisor stays in its object under a name that other objects don't see. What
    /// another patched object defines under such a name is something else.
    private let keptElsewhere: [String: String]
    /// The strong global names that the hypervisor's own objects define, and those of them that no original object defines as strong.
    private let linkedStrong: Set<String>
    private let lost: Set<String>
    /// The strong global names that an object of the hypervisor's own defines, and that only others define in the original source.
    private let left: Set<String>

    /// What is known about an object.
    private struct Facts {
        /// The names that its source may have in front of its local symbols.
        var files: Set<String> = []
        /// The local symbols that it brought into the hypervisor, by name.
        var locals: [String: [XenImage.Symbol]] = [:]
        /// The global names that it defines in the hypervisor's own build, and those of them that are strong.
        var linkedGlobals: Set<String> = []
        var linkedStrong: Set<String> = []
        /// The global names that the original defines.
        var globalsBefore: Set<String> = []
        /// Whether payloads below changed it.
        var isChangedBelow = false
    }

    init(_ input: ProofInput) {
        running = input.running
        claim = input.claim
        var facts: [String: Facts] = [:], keptElsewhere: [String: String] = [:], linkedStrong: Set<String> = [], strongBefore: Set<String> = [],
            left: Set<String> = []
        for object in input.objects {
            let linked = object.linked?.withLocalsRestored(), original = object.original?.withLocalsRestored()
            guard let file = linked ?? original ?? object.patched else { continue }
            let (linkedNames, names) = (Self.globalNames(of: linked), Self.globalNames(of: original))
            linkedStrong.formUnion(linkedNames.strong)
            left.formUnion(linkedNames.strong.subtracting(names.strong).subtracting(names.weak))
            strongBefore.formUnion(names.strong)
            var known = Facts(
                files: Self.fileNames(of: object, file), linkedGlobals: linkedNames.strong.union(linkedNames.weak),
                linkedStrong: linkedNames.strong, globalsBefore: names.strong.union(names.weak), isChangedBelow: object.built != nil)
            for name in Self.keptNames(of: object, input.claim) { keptElsewhere[name] = object.name }
            let own = (linked?.symbols ?? []).filter { $0.isLocal && $0.sectionIndex != nil && !$0.isSection && !$0.name.isEmpty }
            let sizes = Dictionary(own.map { ($0.name, $0.size) }, uniquingKeysWith: { first, _ in first })
            if let group = running.image.fileGroup(named: known.files, locals: sizes) { known.locals = Dictionary(grouping: group.symbols, by: \.name) }
            if let original, object.built != nil { known.files.formUnion(Self.fileNames(of: object, original)) }
            facts[object.name] = known
        }
        self.facts = facts
        self.keptElsewhere = keptElsewhere
        self.linkedStrong = linkedStrong
        self.left = left
        lost = linkedStrong.subtracting(strongBefore)
    }

    private static func globalNames(of file: ELFFile?) -> (strong: Set<String>, weak: Set<String>) {
        let globals = (file?.symbols ?? []).filter { !$0.isLocal && $0.sectionIndex != nil && !$0.name.isEmpty }
        let weak = globals.filter { $0.binding == ELF.Binding.weak }.map(\.name)
        return (Set(globals.map(\.name)).subtracting(weak), Set(weak))
    }

    /// The global names that only the original object has, although the patched object still has what bore the name.
    private static func keptNames(of object: ProofObject, _ claim: ProofClaim) -> Set<String> {
        guard let original = object.original?.withLocalsRestored(), let patched = object.patched?.withLocalsRestored() else { return [] }
        func defined(_ file: ELFFile) -> [ELFSymbol] {
            file.symbols.filter { $0.sectionIndex != nil && !$0.isSection && !$0.isFile && !$0.name.isEmpty && $0.size > 0 }
        }
        let after = defined(patched), stillGlobal = Set(after.filter { !$0.isLocal }.map(\.name))
        let kept = Set(
            after.compactMap { symbol in
                guard let twins = claim.twins else { return symbol.name }
                return twins[object.name]?[symbol.name]?.original
            })
        let before = defined(original)
        let places = Set(before.filter { kept.contains($0.name) }.map { [UInt64($0.sectionIndex ?? 0), $0.value, $0.size] })
        return Set(
            before.filter { !$0.isLocal && !stillGlobal.contains($0.name) && places.contains([UInt64($0.sectionIndex ?? 0), $0.value, $0.size]) }.map(\.name))
    }

    /// The object that keeps the hypervisor's function or variable of a global name for itself, while another object defines the name; nil
    /// if there is none.
    func keeper(of name: String, besides object: String) -> String? {
        guard let keeper = keptElsewhere[name], keeper != object, facts[object]?.globalsBefore.contains(name) != true else { return nil }
        return keeper
    }

    /// The names that an object's STT_FILE symbol may have in the hypervisor.
    private static func fileNames(of object: ProofObject, _ file: ELFFile) -> Set<String> {
        let ownName = object.name.hasSuffix(".o") ? String(object.name.dropLast()) + "c" : ""
        let paths = file.symbols.filter(\.isFile).map(\.name) + [object.built?.source ?? "", object.source ?? "", ownName]
        return Set(paths + paths.map { String($0.split(separator: "/").last ?? "") }).filter { !$0.isEmpty }
    }

    /// The hypervisor's symbols that a piece of a patched object stands for: none for a new one, several if the name is not unique.
    func symbols(of piece: Piece, in object: ObjectIndex) -> [XenImage.Symbol] {
        // The strong symbol of a weak name is that of another object, unless it was strong in this one.
        func isOwn(_ symbol: XenImage.Symbol) -> Bool {
            guard piece.weakNames.contains(symbol.name), !symbol.isWeak, symbol.payload == nil else { return true }
            return facts[object.name]?.linkedStrong.contains(symbol.name) ?? false
        }
        let globals = piece.globalNames.sorted().filter { keeper(of: $0, besides: object.name) == nil }.flatMap(global).filter(isOwn)
        guard globals.isEmpty else { return globals }
        for name in piece.names {
            let built = linked(name, in: object.name).map { linkedSymbols(of: $0, in: object.name) } ?? []
            // A payload brings its own version of a constant or of a function that it needs; of a variable there is one only.
            if !built.isEmpty, piece.kind == .variable { return built.filter(isOwn) }
            let found = built + (original(of: name, in: object.name).map { brought($0, in: object.name) } ?? [])
            if !found.isEmpty { return found.filter(isOwn) }
        }
        return []
    }

    /// The symbols that the hypervisor's own build has for a name of its own object. What is static now may have been global there, and the
    /// other way round.
    private func linkedSymbols(of name: String, in object: String) -> [XenImage.Symbol] {
        guard let known = facts[object] else { return [] }
        return known.linkedGlobals.contains(name) ? running.image.global(name).map { [$0] } ?? [] : known.locals[name] ?? []
    }

    /// The symbols that payloads brought for a name of the original object.
    private func brought(_ name: String, in object: String) -> [XenImage.Symbol] {
        guard let known = facts[object] else { return [] }
        let globals = known.globalsBefore.contains(name) ? running.brought(named: name) : []
        return globals + known.files.sorted().flatMap { running.brought(named: "\($0)#\(name)") }
    }

    /// The symbols that a global name means in the hypervisor and in the payloads.
    func global(_ name: String) -> [XenImage.Symbol] {
        let brought = running.brought(named: name)
        // A payload does not bring what moved to another file, but it brings what is new there.
        if lost.contains(name) || left.contains(name) && !brought.isEmpty { return brought }
        let built = running.image.global(name).map { [$0] } ?? []
        return built + brought.filter { symbol in !built.contains { $0.address == symbol.address } }
    }

    /// Whether the hypervisor was linked with a strong definition of a name that none of the objects here has.
    func hasStrongElsewhere(_ name: String) -> Bool { running.image.hasStrong(name) && !linkedStrong.contains(name) }

    /// The name in the original object of a symbol of a patched object; nil for a new one.
    private func original(of name: String, in object: String) -> String? {
        guard let twins = claim.twins else { return name }
        return twins[object]?[name]?.original
    }

    /// The name in the hypervisor's own object of a symbol of a patched object; nil for one that only payloads have.
    private func linked(_ name: String, in object: String) -> String? {
        guard let twins = claim.twins, let twin = twins[object]?[name] else { return claim.twins == nil ? name : nil }
        return twin.inHypervisor ?? (facts[object]?.isChangedBelow == true ? nil : twin.original)
    }

    /// Why a variable of the hypervisor is taken for that of an object.
    func evidence(for piece: Piece, in object: String) -> String {
        if !piece.globalNames.isEmpty { return "it has the same global name" }
        let claimed = piece.names.lazy.compactMap { claim.twins?[object]?[$0]?.evidence }.first
        return claimed ?? "it has the same name, in the same file"
    }

    /// Those patched names of an object that stand for a symbol at an address of the hypervisor.
    ///
    /// - Parameters:
    ///   - name: as the functions section has it: `name` or `FILE#name`.
    ///   - names: the names of the patched object.
    func patchedNames(of name: String, at address: UInt64, in object: String, among names: some Sequence<String>) -> [String] {
        guard let known = facts[object] else { return [] }
        let hash = name.firstIndex(of: "#"), file = hash.map { String(name[..<$0]) }
        let plain = hash.map { String(name[name.index(after: $0)...]) } ?? name
        if let file, !known.files.contains(file) { return [] }
        let isBuilt = linkedSymbols(of: plain, in: object).contains { $0.address == address && ($0.file == nil) == (file == nil) }
        let isBrought = brought(plain, in: object).contains { $0.address == address }
        return names.filter { patched in
            isBuilt && linked(patched, in: object) == plain || isBrought && original(of: patched, in: object) == plain
        }
    }
}
