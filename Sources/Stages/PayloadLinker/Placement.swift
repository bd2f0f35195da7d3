import Diagnostics
import ObjectDiff
import TargetArchitecture

/// Where each included item is in the payload.
struct Placement: Sendable {
    fileprivate(set) var places: [PatchedKey: Place] = [:]
    /// The items' bytes. Equal strings share their bytes.
    fileprivate(set) var blocks: [ResolvedPayload.Block] = []
    fileprivate(set) var diagnostics: [Diagnostic] = []
    fileprivate var sizes: [PayloadSection: Int] = [:]

    /// In bytes.
    var textSize: Int { sizes[.text] ?? 0 }
}

/// Gives each included item its place, one after the other.
func place(_ selection: Selection, _ input: LinkInput) -> Placement {
    var placer = Placer(input: input)
    for key in selection.included { placer.place(key) }
    return placer.placement
}

private struct Placer {
    let input: LinkInput
    private(set) var placement = Placement()
    private var knownStrings: [[UInt8]: Place] = [:]

    init(input: LinkInput) { self.input = input }

    mutating func place(_ key: PatchedKey) {
        let graph = input.objects[key.object].patched, item = graph[key.item], bytes = Array(graph.bytes(of: item))
        switch item.kind {
        case .function: placement.places[key] = placeFunction(key, item, bytes)
        case .replacementCode: placement.places[key] = append(to: .replacementCode(input.sectionName(key)), bytes, alignment: item.alignment)
        case .string:
            let known = knownStrings[bytes] ?? append(to: .readOnly, bytes, alignment: item.alignment)
            knownStrings[bytes] = known
            placement.places[key] = known
        case .constant: placement.places[key] = append(to: .readOnly, bytes, alignment: item.alignment)
        case .data where item.role == .hooks: placement.places[key] = placeHook(key, item, bytes)
        case .data:
            let section: PayloadSection = item.role == .readOnly ? .readOnly : item.isZeroFilled ? .zero : .writable
            placement.places[key] = append(to: section, bytes, size: item.size, alignment: item.alignment)
        }
    }

    private mutating func append(
        to section: PayloadSection, _ bytes: [UInt8], size: Int? = nil, alignment: UInt64, from start: Int? = nil
    ) -> Place {
        let offset = (start ?? placement.sizes[section] ?? 0).rounded(upTo: alignment), size = max(size ?? bytes.count, bytes.count)
        let place = Place(section: section, offset: offset)
        placement.sizes[section] = offset + size
        placement.blocks.append(.init(place: place, bytes: bytes, size: size, alignment: alignment))
        return place
    }

    /// Where code must not lie is counted from the start of the executable pages. The file's first executable section begins there.
    private mutating func placeFunction(_ key: PatchedKey, _ item: PatchedItem, _ bytes: [UInt8]) -> Place {
        let alignment = max(item.alignment, input.architecture.functionAlignment), step = Int(clamping: alignment)
        let first = placement.textSize.rounded(upTo: alignment)
        // Candidate places within one page: after that the same offsets repeat.
        let places = stride(from: first, to: first + max(Self.pageSize, step), by: step)
        let offset = places.first { input.architecture.mayStand(bytes[...], at: $0) }
        if offset == nil {
            placement.diagnostics.append(
                input.refusal(
                    .functionNotPlaceable, key,
                    message: "wherever '\(item.name)' is put, some of its instructions lie at a place of a page where they must not be"))
        }
        return append(to: .text, bytes, size: item.size, alignment: alignment, from: offset ?? first)
    }

    private static let pageSize = 4096

    private mutating func placeHook(_ key: PatchedKey, _ item: PatchedItem, _ bytes: [UInt8]) -> Place {
        let name = input.sectionName(key), abi = input.options.abi, pointerSize = input.architecture.elfClass.addressSize
        let place = append(to: .hooks(name), bytes, alignment: UInt64(pointerSize))
        let count = (placement.sizes[place.section] ?? 0) / pointerSize, limit = abi.hookLimit(section: name)
        if let limit, count <= limit { return place }
        let reason = limit.map { "has \(count) pointers, and the hypervisor takes \($0)" } ?? "is not a hook of \(abi.displayName)"
        placement.diagnostics.append(
            input.refusal(.hookNotSupported, key, message: "\(name) \(reason): '\(item.name)' would not be called as intended"))
        return place
    }
}

extension Int {
    /// The next multiple of an alignment. An alignment of 0 means none.
    func rounded(upTo alignment: UInt64) -> Int {
        let step = Int(clamping: Swift.max(alignment, 1))
        return (self + step - 1) / step * step
    }
}
