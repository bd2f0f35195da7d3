import ELFModel
import LoaderModel
import XenSource
import XenVersions

// Where the proof begins: at the functions that the payload replaces, and at its hooks.
extension Prover {
    /// Reads the functions section. Each entry must name a function of the hypervisor, and lead to that function of a patched object.
    mutating func readFunctions() {
        let layout = FunctionEntry.Layout(input.abi, pointerSize: addressSize)
        guard let section = payload.sections.first(where: { $0.name == input.abi.functionsSection }) else { return }
        for start in stride(from: 0, to: section.bytes.count - section.bytes.count % layout.size, by: layout.size) {
            let bytes = section.bytes[start..<start + layout.size]
            // What the format does not know is zero.
            guard let entry = FunctionEntry(bytes, layout: layout, byteOrder: architecture.byteOrder),
                entry.bytes(layout: layout, byteOrder: architecture.byteOrder).elementsEqual(bytes), !hidesBytes(entry),
                let text = payload.string(at: entry.name)
            else {
                fail(.function, section.name, at: start, "the entry there has bytes that mean nothing")
                continue
            }
            payload.explain(section.address &+ UInt64(start), count: layout.size, alignment: UInt64(addressSize))
            payload.explain(entry.name, count: text.count)
            read(entry, name: String(decoding: text.dropLast(), as: UTF8.self))
        }
    }

    /// Whether the field for expected bytes holds anything but the bytes that it says to expect. The loader compares those.
    private func hidesBytes(_ entry: FunctionEntry) -> Bool {
        guard let expectation = entry.expectation else { return false }
        let isUsed = expectation.isEnabled && expectation.count > 0
        return expectation.data.dropFirst(isUsed ? expectation.count : 0).contains { $0 != 0 } || isUsed != (expectation.isEnabled || expectation.count > 0)
    }

    private mutating func read(_ entry: FunctionEntry, name: String) {
        guard let old = input.loaded.functions.first(where: { $0.name == name && $0.newAddress == entry.newAddress })?.oldAddress else {
            return fail(.function, name, "the loader does not find the function that its entry names")
        }
        let symbols = self.symbols(named: name, at: old)
        guard let symbol = symbols.first else { return fail(.function, name, "no function of that name is at \(hexadecimal(old))") }
        guard symbol.size == UInt64(entry.oldSize) else {
            return fail(.function, name, "its entry says that the old function has \(entry.oldSize) bytes, and it has \(symbol.size)")
        }
        guard entry.newAddress != 0 else { return trust(.nops, name, evidence: "\(entry.newSize) bytes of it become NOPs") }
        let candidates = functions(named: name, at: old)
        guard candidates.count == 1, let key = candidates.first else {
            return fail(.function, name, candidates.isEmpty ? "no patched object has that function" : "several patched objects have that function")
        }
        if let keeper = hypervisor.keeper(of: AppliedPayload.withoutTag(name), besides: objects[key.object].name) {
            return fail(.function, name, "the hypervisor's function of that name is now one of \(keeper) only, and \(objects[key.object].name) has another")
        }
        guard [piece(key).range.count, piece(key).symbolSize].contains(Int(entry.newSize)) else {
            return fail(.function, name, "its entry says that the new function has \(entry.newSize) bytes, and it has \(piece(key).symbolSize)")
        }
        guard payload.contains(entry.newAddress) else { return fail(.function, name, "its new code is not in the payload") }
        if !replaced.insert(key).inserted { fail(.function, name, "it is replaced twice") }
        locate(key, at: entry.newAddress, for: input.abi.functionsSection)
    }

    /// The hypervisor's functions of a name, at an address.
    private func symbols(named name: String, at address: UInt64) -> [XenImage.Symbol] {
        let image = input.running.image
        let built = name.contains("#") ? locals(name, at: address) : image.global(name).map { [$0] } ?? []
        return (built + input.running.brought(named: AppliedPayload.withoutTag(name))).filter { $0.address == address && $0.isFunction }
    }

    private func locals(_ name: String, at address: UInt64) -> [XenImage.Symbol] {
        input.running.image.fileGroups.flatMap { group in
            name.hasPrefix("\(group.file)#") ? group.symbols.filter { $0.address == address && $0.qualifiedName == name } : []
        }
    }

    /// The functions of patched objects that may take the place of a function of the hypervisor.
    private func functions(named name: String, at address: UInt64) -> [Key] {
        let plain = AppliedPayload.withoutTag(name)
        if let key = definers[plain], piece(key).kind == .function, symbols(key).contains(where: { $0.address == address }) { return [key] }
        let keys = objects.enumerated().flatMap { number, object in
            hypervisor.patchedNames(of: plain, at: address, in: object.name, among: Set(object.pieces.flatMap(\.names))).flatMap { patched in
                object.pieces(named: patched).map { Key(object: number, piece: $0) }
            }
        }
        return Set(keys).filter { piece($0).kind == .function }.sorted { ($0.object, $0.piece) < ($1.object, $1.piece) }
    }

    /// Reads the hooks. The payload must have those of the patched objects, in their order, except for those that were there before.
    mutating func readHooks() {
        for section in payload.sections where section.name.hasPrefix(input.abi.hooksPrefix) {
            var address = section.address
            for key in hooks(in: section.name) {
                let size = UInt64(piece(key).range.count)
                guard payload.contains(address) else {
                    fail(.function, title(key), "the payload lacks this hook")
                    break
                }
                locate(key, at: address, for: section.name)
                address = address &+ max(size, UInt64(addressSize))
            }
        }
        let present = Set(payload.sections.map(\.name))
        for (number, object) in objects.enumerated() {
            for (index, piece) in object.pieces.enumerated() where piece.kind == .hook && !present.contains(object.sectionName(of: piece)) {
                let key = Key(object: number, piece: index)
                if !isOldHook(key) { fail(.function, title(key), "the payload lacks this hook") }
            }
        }
    }

    private func hooks(in section: String) -> [Key] {
        let sorted = objects.indices.sorted { objects[$0].name < objects[$1].name }
        return sorted.flatMap { number in
            objects[number].pieces.enumerated().filter { $1.kind == .hook && objects[number].sectionName(of: $1) == section }
                .map { Key(object: number, piece: $0.offset) }
        }.filter { !isOldHook($0) }
    }

    /// Whether the original has a hook of the same name in the same section: then a payload below called it.
    private func isOldHook(_ key: Key) -> Bool {
        let object = objects[key.object], section = object.sectionName(of: piece(key)), names = Set(piece(key).names)
        guard let original = input.objects.first(where: { $0.name == object.name })?.original else { return false }
        return original.symbols.contains { symbol in
            names.contains(symbol.name) && symbol.sectionIndex.map { original.sections.indices.contains($0) && original.sections[$0].name == section } ?? false
        }
    }
}
