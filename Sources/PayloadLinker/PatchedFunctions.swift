import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource

/// The entries of the functions section: which function of the hypervisor is replaced by which of the payload.
struct PatchedFunctions {
    struct Entry {
        var function: Payload.Function
        var place: Assembler.Place
    }

    private(set) var entries: [Entry] = []
    private(set) var diagnostics: [Diagnostic] = []
    private let abi: PayloadABI
    private let architecture: any TargetArchitecture

    init(assembler: Assembler, image: XenImage, architecture: any TargetArchitecture) {
        self.abi = assembler.options.abi
        self.architecture = architecture
        let selection = assembler.selection
        for node in selection.carried where selection.isReplacement(node) {
            guard let symbol = selection.running(node), let place = assembler.places[node] else { continue }
            let location = selection.sets[node.object].locations[node.item]
            let function = Payload.Function(
                name: symbol.qualifiedName, location: location, oldAddress: symbol.address, oldSize: symbol.size,
                newSize: UInt64(selection.item(node).size))
            entries.append(Entry(function: function, place: place))
            if let problem = tooShort(function, symbol, image) { diagnostics.append(problem) }
        }
    }

    /// The names of the new versions. The loader exempts the new address of a patched function from its check for duplicates, so
    /// that backtraces show the name that everybody knows.
    var names: [PayloadFile.Name] {
        entries.map {
            PayloadFile.Name(text: $0.function.name, place: $0.place, size: $0.function.newSize, isFunction: true)
        }
    }

    private func tooShort(_ function: Payload.Function, _ symbol: XenImage.Symbol, _ image: XenImage) -> Diagnostic? {
        let start = image.bytes(at: symbol.address, count: min(16, Int(clamping: symbol.size))) ?? []
        let needed = architecture.minimumFunctionSize(firstBytes: start)
        guard symbol.size < UInt64(needed) else { return nil }
        return Diagnostic(
            .functionTooShort, .error, symbol: function.name, location: function.location,
            message: "'\(function.name)' is \(symbol.size) bytes long in the hypervisor, and the jump to its replacement needs \(needed)",
            help: "make the change in the functions that call it")
    }

    /// Writes the table and the names it points to.
    ///
    /// `struct livepatch_func` of `xen/include/public/sysctl.h`: name, new_addr, old_addr; new_size, old_size (32 bits
    /// each); version (8 bits); the rest is the hypervisor's own, and zero.
    func write(into assembler: inout Assembler) {
        let pointerSize = architecture.elfClass.addressSize
        let size = abi.functionEntrySize(pointerSize: pointerSize)
        for entry in entries {
            let name = assembler.append(to: abi.stringsSection, Array(entry.function.name.utf8) + [0])
            var writer = ByteWriter(order: architecture.byteOrder)
            writer.put(0, width: pointerSize)
            writer.put(0, width: pointerSize)
            writer.put(entry.function.oldAddress, width: pointerSize)
            writer.put(entry.function.newSize, width: 4)
            writer.put(entry.function.oldSize, width: 4)
            writer.put(UInt64(abi.version), width: 1)
            let place = assembler.append(
                to: abi.functionsSection, writer.bytes, size: size, alignment: UInt64(pointerSize))
            assembler.addRelocation(
                at: place, type: architecture.pointerRelocation, to: .section(name.section), addend: Int64(name.offset))
            assembler.addRelocation(
                at: .init(section: place.section, offset: place.offset + pointerSize), type: architecture.pointerRelocation,
                to: .section(entry.place.section), addend: Int64(entry.place.offset))
        }
    }
}

/// What travels along beside the replaced functions and has a name.
struct Companions {
    private(set) var list: [Payload.Companion] = []
    private(set) var names: [PayloadFile.Name] = []

    /// - Parameter tag: makes the names unique: the loader refuses a payload that brings a name which the hypervisor or another
    ///   payload has already, and two versions of one fix bring the same helpers.
    init(assembler: Assembler, tag: String) {
        let selection = assembler.selection
        for node in selection.carried where !selection.isReplacement(node) {
            let item = selection.item(node)
            guard item.isNamed, item.kind == .function || item.kind == .data, item.role != .hooks, let place = assembler.places[node] else { continue }
            let isFunction = item.kind == .function
            let set = selection.sets[node.object]
            // What only counts by its content and is no declaration of the source (`__func__.0`, `CSWTCH.7`) is like a string.
            let isDeclared = set.locations[node.item] != nil || !item.name.contains(".")
            if item.isJustContent, selection.status(node) == .same || !isDeclared { continue }
            // A constant with other content is a new one: the old one stays for those who still refer to it.
            let reason: Payload.Companion.Reason =
                item.parent != nil ? .coldPart
                : selection.status(node) == .new || (!isFunction && selection.status(node) == .changed) ? .new : .copied
            list.append(
                .init(
                    name: item.name, location: set.locations[node.item], size: UInt64(item.size), reason: reason,
                    isFunction: isFunction, isWritable: item.role == .writable))
            let base = item.isGlobal ? item.name : "\(set.source)#\(item.name)"
            names.append(.init(text: "\(base)~\(tag)", place: place, size: UInt64(item.size), isFunction: isFunction))
        }
    }
}
