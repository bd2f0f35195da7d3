import ELFModel
import XenSource

/// Finds the functions and variables of objects in the running hypervisor and in the payloads that are applied to it.
struct HypervisorIndex: Sendable {
    let running: RunningHypervisor
    private let claim: ProofClaim
    /// The local symbols that each object brought into the hypervisor, by object and name.
    private let locals: [String: [String: [XenImage.Symbol]]]
    /// The global names that each original object defines.
    private let globalsBefore: [String: Set<String>]
    /// Global names whose function or variable of the hypervisor stays in its object under a name that other objects don't see. What
    /// another patched object defines under such a name is something else.
    private let keptElsewhere: [String: String]
    /// The names that each object's source may have in front of its local symbols.
    private let files: [String: Set<String>]

    init(_ input: ProofInput) {
        running = input.running
        claim = input.claim
        var locals: [String: [String: [XenImage.Symbol]]] = [:]
        var files: [String: Set<String>] = [:], globalsBefore: [String: Set<String>] = [:], keptElsewhere: [String: String] = [:]
        for object in input.objects {
            guard let file = object.original ?? object.patched else { continue }
            let names = Self.fileNames(of: object, file)
            files[object.name] = names
            globalsBefore[object.name] = Set(
                file.withLocalsRestored().symbols.filter { !$0.isLocal && $0.sectionIndex != nil && !$0.name.isEmpty }.map(\.name))
            for name in Self.keptNames(of: object, input.claim) { keptElsewhere[name] = object.name }
            let own = file.withLocalsRestored().symbols.filter { $0.isLocal && $0.sectionIndex != nil && !$0.isSection && !$0.name.isEmpty }
            let sizes = Dictionary(own.map { ($0.name, $0.size) }, uniquingKeysWith: { first, _ in first })
            guard let group = running.image.fileGroup(named: names, locals: sizes) else { continue }
            locals[object.name] = Dictionary(grouping: group.symbols, by: \.name)
        }
        self.locals = locals
        self.files = files
        self.globalsBefore = globalsBefore
        self.keptElsewhere = keptElsewhere
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
        guard let keeper = keptElsewhere[name], keeper != object, !wasGlobal(name, in: object) else { return nil }
        return keeper
    }

    /// The names that an object's STT_FILE symbol may have in the hypervisor.
    private static func fileNames(of object: ProofObject, _ file: ELFFile) -> Set<String> {
        let ownName = object.name.hasSuffix(".o") ? String(object.name.dropLast()) + "c" : ""
        let paths = file.symbols.filter(\.isFile).map(\.name) + [object.source ?? "", ownName]
        return Set(paths + paths.map { String($0.split(separator: "/").last ?? "") }).filter { !$0.isEmpty }
    }

    /// The hypervisor's symbols that a piece of a patched object stands for: none for a new one, several if the name is not unique.
    func symbols(of piece: Piece, in object: ObjectIndex) -> [XenImage.Symbol] {
        let globals = piece.globalNames.sorted().filter { keeper(of: $0, besides: object.name) == nil }.flatMap(global)
        guard globals.isEmpty else { return globals }
        for name in piece.names {
            guard let name = original(of: name, in: object.name) else { continue }
            // What is static now may have been global, and the other way round.
            let built = wasGlobal(name, in: object.name) ? global(name) : locals[object.name]?[name] ?? []
            // A payload brings its own version of a constant or of a function that it needs; of a variable there is one only.
            if !built.isEmpty, piece.kind == .variable { return built }
            let found = built + (files[object.name] ?? []).sorted().flatMap { running.brought(named: "\($0)#\(name)") }
            if !found.isEmpty { return found }
        }
        return []
    }

    /// The symbols that a global name means in the hypervisor and in the payloads.
    func global(_ name: String) -> [XenImage.Symbol] {
        let built = running.image.global(name).map { [$0] } ?? []
        return built + running.brought(named: name).filter { symbol in !built.contains { $0.address == symbol.address } }
    }

    /// The name in the hypervisor of a local symbol of a patched object; nil for a new one.
    func original(of name: String, in object: String) -> String? {
        guard let twins = claim.twins else { return name }
        return twins[object]?[name].map { $0.inHypervisor ?? $0.original }
    }

    /// Whether the original object defines a global of that name.
    func wasGlobal(_ name: String, in object: String) -> Bool { globalsBefore[object]?.contains(name) ?? false }

    /// Why a variable of the hypervisor is taken for that of an object.
    func evidence(for piece: Piece, in object: String) -> String {
        if !piece.globalNames.isEmpty { return "it has the same global name" }
        let claimed = piece.names.lazy.compactMap { claim.twins?[object]?[$0]?.evidence }.first
        return claimed ?? "it has the same name, in the same file"
    }

    /// The patched names of symbols that stand for a symbol at an address of the hypervisor.
    ///
    /// - Parameter name: as the functions section has it: `name` or `FILE#name`.
    func patchedNames(of name: String, at address: UInt64, in object: String) -> [String] {
        guard let hash = name.firstIndex(of: "#") else {
            guard wasGlobal(name, in: object) else { return [] }
            return patchedNames(of: name, in: object)
        }
        let (file, local) = (String(name[..<hash]), String(name[name.index(after: hash)...].prefix { $0 != "~" }))
        let isBuilt = locals[object]?[local]?.contains { $0.address == address } ?? false
        let isBrought = files[object]?.contains(file) ?? false && running.brought(named: "\(file)#\(local)").contains { $0.address == address }
        return isBuilt || isBrought ? patchedNames(of: local, in: object) : []
    }

    private func patchedNames(of name: String, in object: String) -> [String] {
        guard let twins = claim.twins else { return [name] }
        return (twins[object] ?? [:]).filter { ($0.value.inHypervisor ?? $0.value.original) == name }.map(\.key).sorted()
    }
}
