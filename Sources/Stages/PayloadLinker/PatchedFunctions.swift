import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// The entries of the functions section: which function of the hypervisor is replaced by which of the payload.
struct PatchedFunctions {
    struct Entry {
        var function: Payload.Function
        /// nil where NOPs replace the old code.
        var place: Assembler.Place?
        var expectation = Expectation()
        /// How many bytes stay before the NOPs.
        var spared = 0
    }

    private(set) var entries: [Entry] = []
    private(set) var diagnostics: [Diagnostic] = []
    private let abi: PayloadABI
    private let architecture: any TargetArchitecture

    init(assembler: Assembler, architecture: any TargetArchitecture) {
        self.abi = assembler.options.abi
        self.architecture = architecture
        let selection = assembler.selection
        let isImageOnly = architecture.loaderRules(of: assembler.options.xen).patchesImageOnly
        for node in selection.carried where selection.isReplacement(node) {
            guard let symbol = selection.running(node), let place = assembler.places[node] else { continue }
            let location = selection.sets[node.object].locations[node.item]
            let function = Payload.Function(
                name: symbol.qualifiedName, location: location, oldAddress: symbol.knownAddress,
                oldSize: symbol.size, newSize: UInt64(selection.item(node).size), payload: symbol.payload)
            let running = selection.hypervisor.running
            var entry = Entry(function: function, place: place)
            if assembler.options.expect {
                entry.expectation = Expectation(symbol, original: selection.original(node), running: running, architecture: architecture)
                if entry.expectation.bytes.isEmpty { diagnostics.append(notExpected(function, entry.expectation)) }
            }
            entries.append(entry)
            if let problem = tooShort(function, symbol, running) { diagnostics.append(problem) }
            if let payload = symbol.payload, isImageOnly { diagnostics.append(notPatchable(function, payload)) }
        }
        for request in assembler.options.nops { addNOPs(request, selection.hypervisor.running) }
    }

    /// The loader writes them behind a mark for indirect calls (`arch_livepatch_apply`, x86), and keeps the old bytes where 31 fit.
    private mutating func addNOPs(_ request: LinkOptions.NOPs, _ running: RunningHypervisor) {
        func refuse(_ reason: String, help: String? = nil) {
            diagnostics.append(
                Diagnostic(
                    .nopsNotPossible, .error, symbol: request.function,
                    message: "\(request.count) bytes of '\(request.function)' can't become NOPs: \(reason)", help: help))
        }
        guard abi.takesHooksAndNOPs else { return refuse("\(abi.displayName) has no such entries") }
        guard let symbol = running.image.symbol(ofQualifiedName: request.function), symbol.isFunction, !symbol.isFreedAfterBoot else {
            return refuse(
                "the hypervisor has no one function of that name", help: "a static function's name is FILE#NAME, as `nm xen-syms` groups them")
        }
        guard running.replacement(of: symbol) == nil, !entries.contains(where: { $0.function.oldAddress == symbol.address }) else {
            return refuse("a payload replaces it")
        }
        let code = running.bytes(at: symbol.address, count: Int(clamping: symbol.size)) ?? []
        let skipped = architecture.beginsWithLandingPad(code) ? architecture.landingPadSize : 0
        let most = PayloadABI.maximumNOPs - skipped
        guard (1...most).contains(request.count) else { return refuse("the hypervisor takes 1 to \(most)") }
        guard skipped + request.count <= code.count else { return refuse("it has only \(code.count - skipped)") }
        guard let instructions = architecture.instructions(code) else { return refuse("its code can't be decoded") }
        guard instructions.contains(where: { $0.range.upperBound == skipped + request.count }) else {
            let ends = instructions.map { $0.range.upperBound - skipped }.filter { $0 > 0 && $0 <= most }
            return refuse("they end within an instruction", help: "instructions end after \(ends.map(String.init).joined(separator: ", ")) bytes")
        }
        guard skipped + request.count < code.count else { return refuse("nothing would be left that returns") }
        entries.append(
            Entry(
                function: .init(
                    name: symbol.qualifiedName, location: nil, oldAddress: symbol.address, oldSize: symbol.size,
                    newSize: UInt64(request.count), payload: nil, isNOPs: true),
                place: nil, spared: skipped))
    }

    /// The names of the new versions. The loader exempts the new address of a patched function from its check for duplicates, so
    /// that backtraces show the name that everybody knows.
    var names: [PayloadFile.Name] {
        entries.compactMap { entry in
            entry.place.map { PayloadFile.Name(text: entry.function.name, place: $0, size: entry.function.newSize, isFunction: true) }
        }
    }

    private func notExpected(_ function: Payload.Function, _ expectation: Expectation) -> Diagnostic {
        Diagnostic(
            .expectationLeftOut, .note, symbol: function.name, location: function.location,
            message: "nothing is expected at '\(function.name)': \(expectation.whyNone)")
    }

    private func notPatchable(_ function: Payload.Function, _ payload: String) -> Diagnostic {
        Diagnostic(
            .payloadNotPatchable, .error, symbol: function.name, location: function.location,
            message: "'\(function.name)' came with the payload \(payload), and a hypervisor for \(architecture.name) can replace functions of its own image only",
            help: "--cumulative makes one payload of all patches, which takes the place of those that are applied")
    }

    private func tooShort(_ function: Payload.Function, _ symbol: XenImage.Symbol, _ running: RunningHypervisor) -> Diagnostic? {
        let start = running.bytes(at: symbol.address, count: min(16, Int(clamping: symbol.size))) ?? []
        let needed = architecture.minimumFunctionSize(firstBytes: start)
        guard symbol.size < UInt64(needed) else { return nil }
        return Diagnostic(
            .functionTooShort, .error, symbol: function.name, location: function.location,
            message: "'\(function.name)' is \(symbol.size) bytes long in the hypervisor, and the jump to its replacement needs \(needed)",
            help: "make the change in the functions that call it")
    }

    /// Writes the table and the names it points to. An old address of zero makes the loader look the name up.
    func write(into assembler: inout Assembler) {
        let layout = FunctionEntry.Layout(abi, pointerSize: architecture.elfClass.addressSize)
        for entry in entries {
            let function = entry.function
            let name = assembler.append(to: abi.stringsSection, Array(function.name.utf8) + [0])
            let written = FunctionEntry(
                oldAddress: function.oldAddress ?? 0,
                // The size of NOPs counts from the function's start (`livepatch_insn_len`).
                newSize: UInt32(clamping: function.newSize + UInt64(entry.spared)), oldSize: UInt32(clamping: function.oldSize), version: abi.version,
                expectation: entry.expectation.field)
            let place = assembler.append(
                to: abi.functionsSection, written.bytes(layout: layout, byteOrder: architecture.byteOrder), alignment: UInt64(layout.pointerSize))
            assembler.addRelocation(
                at: .init(section: place.section, offset: place.offset + layout.name), type: architecture.pointerRelocation,
                to: .section(name.section), addend: Int64(name.offset))
            guard let code = entry.place else { continue }
            assembler.addRelocation(
                at: .init(section: place.section, offset: place.offset + layout.newAddress), type: architecture.pointerRelocation,
                to: .section(code.section), addend: Int64(code.offset))
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
