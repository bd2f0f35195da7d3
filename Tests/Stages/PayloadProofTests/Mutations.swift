import ELFModel
import LoaderModel
import ObjectFixtures
import PayloadProof
import TargetArchitecture
import XenVersions

/// One change to a payload, or to what its builder claims.
struct Mutation: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case symbol, type, addend, offset, byte
        case entryMissing = "entry missing", entryTwice = "entry twice", entriesSwapped = "entries swapped"
        case twin
    }

    var kind: Kind
    /// Where it is, for the message of a test that fails.
    var place: String
    var change: @Sendable (inout ELFFile, inout ProofClaim) -> Void
}

/// What a mutation led to.
enum MutationOutcome: Equatable {
    /// The proof found it.
    case found
    /// The model of the loader refused the payload already.
    case refused
    /// Memory is the same, byte for byte, and so is what the loader reads from it.
    case changesNothing
    case missed
}

extension ProofCase {
    /// Every relocation with another symbol, type, addend and offset; every byte; every entry; every twin.
    ///
    /// - Parameter step: only each `step`th byte is changed.
    func mutations(step: Int = 1) throws -> [Mutation] {
        let file = try ELFFile(bytes: payload, name: "payload").withSeparateAddends(target.architecture)
        var result: [Mutation] = []
        for (number, section) in file.sections.enumerated() {
            if section.isRelocations { result += relocations(number, section, file) }
            // The payload's own build-id is a name for it, and any will do.
            if section.isAllocated, section.name != input.abi.buildIDSection { result += bytes(number, section, step) + entries(number, section, file) }
        }
        return result + twins()
    }

    private func relocations(_ number: Int, _ section: ELFSection, _ file: ELFFile) -> [Mutation] {
        section.relocations.indices.flatMap { index -> [Mutation] in
            let place = "relocation \(index) of \(section.name)"
            func with(_ kind: Mutation.Kind, _ text: String, _ change: @escaping @Sendable (inout ELFRelocation) -> Void) -> Mutation {
                Mutation(kind: kind, place: "\(place): \(text)") { file, _ in change(&file.sections[number].relocations[index]) }
            }
            let count = file.symbols.count
            var all = [
                with(.symbol, "the next symbol") { $0.symbol = max(1, ($0.symbol + 1) % count) },
                with(.symbol, "another symbol") { $0.symbol = max(1, ($0.symbol + count / 2) % count) },
                with(.offset, "four bytes on") { $0.offset += 4 },
            ]
            all += [1, -4, 8, 64].map { distance in with(.addend, "\(distance) more") { $0.addend += distance } }
            all += loadableTypes.filter { $0 != section.relocations[index].type }.map { type in with(.type, "type \(type)") { $0.type = type } }
            return all
        }
    }

    private var loadableTypes: [UInt32] {
        switch target.architecture.machine {
        case ELF.Machine.x86_64: [1, 2, 4]
        case ELF.Machine.aarch64: [257, 261, 275, 277]
        default: [2, 3]
        }
    }

    private func bytes(_ number: Int, _ section: ELFSection, _ step: Int) -> [Mutation] {
        stride(from: 0, to: section.data.count, by: step).map { offset in
            Mutation(kind: .byte, place: "byte \(offset) of \(section.name)") { file, _ in
                file.sections[number].data[offset] ^= offset % 2 == 0 ? 0x01 : 0x40
            }
        }
    }

    private func entries(_ number: Int, _ section: ELFSection, _ file: ELFFile) -> [Mutation] {
        guard let table = target.architecture.specialTables(of: .ofFixtures).first(where: { $0.section == section.name }) else { return [] }
        let size = table.entrySize, relocations = file.sections.firstIndex { $0.isRelocations && Int($0.info) == number }
        var all = (0..<section.data.count / size).map { index in
            Mutation(kind: .entryMissing, place: "entry \(index) of \(section.name)") { file, _ in
                let range = index * size..<(index + 1) * size
                file.sections[number].data.removeSubrange(range)
                file.sections[number].size -= UInt64(size)
                guard let relocations else { return }
                file.sections[relocations].relocations.removeAll { range.contains(Int($0.offset)) }
                for position in file.sections[relocations].relocations.indices
                where file.sections[relocations].relocations[position].offset >= UInt64(range.upperBound) {
                    file.sections[relocations].relocations[position].offset -= UInt64(size)
                }
            }
        }
        all.append(
            Mutation(kind: .entryTwice, place: "entry 0 of \(section.name)") { file, _ in
                let end = UInt64(file.sections[number].data.count)
                file.sections[number].data += file.sections[number].data.prefix(size)
                file.sections[number].size += UInt64(size)
                guard let relocations else { return }
                file.sections[relocations].relocations += file.sections[relocations].relocations.filter { $0.offset < UInt64(size) }.map {
                    // A field counts from its own place.
                    ELFRelocation(offset: $0.offset + end, type: $0.type, symbol: $0.symbol, addend: $0.addend)
                }
            })
        guard section.data.count >= 2 * size else { return all }
        all.append(
            Mutation(kind: .entriesSwapped, place: "second fields of entries 0 and 1 of \(section.name)") { file, _ in
                guard let relocations, table.fields.count > 1 else { return }
                let field = UInt64(table.fields[1].offset)
                let list = file.sections[relocations].relocations
                guard let one = list.firstIndex(where: { $0.offset == field }), let two = list.firstIndex(where: { $0.offset == field + UInt64(size) }) else {
                    return
                }
                file.sections[relocations].relocations[one].symbol = list[two].symbol
                file.sections[relocations].relocations[one].addend = list[two].addend
                file.sections[relocations].relocations[two].symbol = list[one].symbol
                file.sections[relocations].relocations[two].addend = list[one].addend
            })
        return all
    }

    /// Each variable's twin becomes another variable, or none.
    private func twins() -> [Mutation] {
        let used = Set(proof().trusted.filter { $0.kind == .variable }.map { String($0.name.split(separator: "#").last ?? "") })
        return (input.claim.twins ?? [:]).sorted { $0.key < $1.key }.flatMap { object, twins in
            twins.sorted { $0.key < $1.key }.filter { used.contains($0.value.original) && isLocal($0.key, in: object) }.flatMap { name, twin in
                let others = twins.values.map(\.original).filter { $0 != twin.original }.sorted()
                return [Mutation(kind: .twin, place: "\(name) becomes new") { _, claim in claim.twins?[object]?[name] = nil }]
                    + others.map { other in
                        Mutation(kind: .twin, place: "\(name) becomes \(other)") { _, claim in claim.twins?[object]?[name]?.original = other }
                    }
            }
        }
    }

    private func isLocal(_ name: String, in object: String) -> Bool {
        input.objects.first { $0.name == object }?.patched?.symbols.contains { $0.name == name && $0.isLocal } ?? false
    }

    /// Makes the mutated payload, loads it, and tries to prove it.
    func outcome(of mutation: Mutation) throws -> MutationOutcome {
        let architecture = target.architecture
        var file = try ELFFile(bytes: payload, name: "payload").withSeparateAddends(architecture)
        var claim = input.claim
        mutation.change(&file, &claim)
        guard let file = architecture.hasAddendsInPlace ? file.withAddendsInPlace(architecture) : file else { return .changesNothing }
        let loaded = loadPayload(
            try file.serialised(name: "payload"), into: input.running, architecture: architecture, abi: input.abi, version: input.version)
        guard loaded.verdict == .accepted else { return .refused }
        let isSame = loaded.sections.map(\.bytes) == input.loaded.sections.map(\.bytes) && loaded.functions == input.loaded.functions && claim == input.claim
        if isSame { return .changesNothing }
        let proof = proof {
            $0.loaded = loaded
            $0.claim = claim
        }
        return proof.holds ? .missed : .found
    }
}
