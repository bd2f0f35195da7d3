import ELFModel
import TargetArchitecture

// Where references lead: what each refers to, and whether its field may hold what it holds.
extension Prover {
    /// Checks the references of one piece, those with the same target together.
    mutating func follow(_ references: [Reference], of user: Key) {
        /// References by section can mean different things unless their addends are the same.
        struct Kin: Hashable {
            var target: Target
            var addend: Int64?
        }
        var groups: [Kin: ReferenceGroup] = [:], order: [Kin] = []
        for reference in references {
            guard let target = target(of: reference.relocation, in: user.object, user: piece(user), field: reference.tableField) else {
                fail(.unknown, reference.subject, at: reference.offset, "it refers to something in a section that has nothing there")
                continue
            }
            let isBySection = if case .section = target { true } else { false }
            let kin = Kin(target: target, addend: isBySection ? reference.relocation.addend : nil)
            if groups[kin] == nil { order.append(kin) }
            groups[kin, default: ReferenceGroup(references: [])].references.append(reference)
        }
        for kin in order { if let group = groups[kin] { settle(group, kin.target) } }
    }

    /// What a relocation refers to, among all objects; nil if it refers to nothing, or if the instruction can't be decoded.
    func target(of relocation: ELFRelocation, in object: Int, user: Piece?, field: SpecialTable.Field? = nil) -> Target? {
        switch objects[object].target(of: relocation, in: user, field: field) {
        case nil: nil
        case .piece(let piece, let anchor): .piece(Key(object: object, piece: piece), anchor: anchor)
        case .section(let section): .section(object: object, section)
        case .absolute(let value): .absolute(value)
        case .external(let name): external(name)
        }
    }

    private func external(_ name: String) -> Target {
        guard let key = definers[name] else { return .external(name) }
        let file = objects[key.object].file, section = piece(key).section
        let value = file.symbols.first { $0.name == name && $0.sectionIndex == section && !$0.isLocal }?.value
        return .piece(key, anchor: value.map { Int(clamping: $0) } ?? piece(key).range.lowerBound)
    }

    /// Decides whether fields may hold what they hold.
    mutating func settle(_ group: ReferenceGroup, _ target: Target) {
        guard let anchor = group.anchor(addressSize: addressSize) else {
            pending.append((group, target))
            return
        }
        accept(group, target, anchor)
    }

    private mutating func accept(_ group: ReferenceGroup, _ target: Target, _ anchor: UInt64) {
        for reference in group.references where !reference.holds(symbolAt: anchor, addressSize: addressSize) {
            return fail(
                .reference, reference.subject, at: reference.offset,
                "its fields for \(describe(target)) contradict each other, or do not reach it")
        }
        let failure: ProofFailure? =
            switch target {
            case .absolute(let value): anchor == value & addressMask ? nil : failure(.reference, group, "it holds \(hexadecimal(anchor)) instead of \(value)")
            case .external(let name): judge(external: name, at: anchor, group)
            case .section(let object, let section): judge(section: section, of: object, at: anchor, group)
            case .piece(let key, let offset): judge(key, anchor: offset, at: anchor, group)
            }
        if let failure {
            if !proof.failures.contains(failure) { proof.failures.append(failure) }
        } else {
            proof.references += group.references.count
        }
    }

    /// - Parameter kind: of what is wrong with a group of references.
    func failure(_ kind: ProofFailure.Kind, _ group: ReferenceGroup, _ reason: String) -> ProofFailure {
        ProofFailure(kind, group.references.first?.subject ?? "", at: group.references.first?.offset, reason)
    }

    /// Tries the addresses that are known for what incomplete fields refer to.
    mutating func settlePending() {
        let waiting = pending
        pending = []
        for (group, target) in waiting {
            let found = knownAnchors(target).first { anchor in group.references.allSatisfy { $0.holds(symbolAt: anchor, addressSize: addressSize) } }
            if let found { accept(group, target, found) } else { pending.append((group, target)) }
        }
    }

    private func knownAnchors(_ target: Target) -> [UInt64] {
        switch target {
        case .absolute(let value): return [value]
        case .external(let name): return hypervisor.global(name).map(\.address)
        case .section: return []
        case .piece(let key, let anchor):
            let distance = UInt64(bitPattern: Int64(anchor - piece(key).range.lowerBound))
            return ((places[key].map { [$0] } ?? []) + symbols(key).map(\.address)).map { ($0 &+ distance) & addressMask }
        }
    }
}
