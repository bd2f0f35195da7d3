import XenVersions

// What the patch changes, but the payload does not bring.
extension Prover {
    /// Compares the originals with the patched objects. What differs must be in the payload, or a diagnostic must have named it.
    mutating func checkLeftOut() {
        for (number, patched) in objects.enumerated() {
            guard let object = input.objects.first(where: { $0.name == patched.name }), !object.isBootOnly, let original = object.original,
                original.header.machine == architecture.machine, original != object.patched
            else { continue }
            let index = ObjectIndex(object.name, original, tables: tables, hooksPrefix: input.abi.hooksPrefix, architecture: architecture)
            let claim = input.claim
            var comparison = SideComparison(original: index, patched: patched, tables: tables) { name in
                guard let twins = claim.twins else { return name }
                return twins[object.name]?[name]?.original
            }
            for use in bootUses where use.user.object == number {
                let wasThere = comparison.twin(of: self.piece(use.user)).map { comparison.originalRefers($0, to: use.name) } ?? false
                if !wasThere, !proof.failures.contains(use.failure) { proof.failures.append(use.failure) }
            }
            for (position, piece) in patched.pieces.enumerated() where counts(piece, of: patched) {
                let key = Key(object: number, piece: position)
                if let twin = comparison.twin(of: piece), comparison.areEqual(twin, position) { continue }
                if comparison.twin(of: piece) == nil, !SectionName.isCollectedArray(patched.sectionName(of: piece)) { continue }
                if !isBrought(key) { noteLeftOut(key) }
            }
        }
    }

    /// Whether a difference in a piece matters by itself. Those in constants that only this object sees show in what refers to them.
    private func counts(_ piece: Piece, of object: ObjectIndex) -> Bool {
        guard !piece.names.isEmpty, !piece.isBoot else { return false }
        switch piece.kind {
        case .function, .variable: return true
        case .constant: return !piece.globalNames.isEmpty || SectionName.isCollectedArray(object.sectionName(of: piece))
        case .code, .hook: return false
        }
    }

    /// Whether the new version runs: the payload replaces the function, or the function that this is the cold part of.
    private func isBrought(_ key: Key) -> Bool {
        if replaced.contains(key) { return true }
        let piece = piece(key)
        if let whole = piece.coldPartOf {
            return objects[key.object].pieces(named: whole).contains { replaced.contains(Key(object: key.object, piece: $0)) }
        }
        // Without a symbol in the hypervisor, or in memory that is freed, no old version runs.
        let symbols = symbols(key)
        return piece.kind == .function && symbols.allSatisfy(\.isFreedAfterBoot)
    }

    private mutating func noteLeftOut(_ key: Key) {
        let name = title(key), object = objects[key.object].name
        guard let named = input.claim.named else {
            return trust(.leftOut, "\(object)#\(name)", evidence: "it differs from the original, and there is no report to say why it is left out")
        }
        guard piece(key).names.allSatisfy({ !named.contains($0) }) else { return }
        fail(.leftOut, name, "it differs from the original in \(object), is not in the payload, and no diagnostic names it")
    }
}
