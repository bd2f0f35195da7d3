import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// A function of the hypervisor that the payload replaces, or whose first bytes it turns into NOPs.
struct ReplacedFunction: Sendable {
    var function: Payload.Function
    /// nil when NOPs replace the old code.
    var place: Place?
    var expectation = Expectation()
    /// How many bytes at the start stay before the NOPs.
    var spared = 0
}

/// The entries of the functions section: which function of the payload replaces which function of the hypervisor.
func replacedFunctions(
    _ selection: Selection, _ input: LinkInput, placeOf: (PatchedKey) -> Place?
) -> (functions: [ReplacedFunction], diagnostics: [Diagnostic]) {
    var functions: [ReplacedFunction] = [], diagnostics: [Diagnostic] = []
    let running = input.hypervisor.running, architecture = input.architecture
    let patchesImageOnly = architecture.loaderRules(of: input.options.xen).patchesImageOnly
    for key in selection.included where input.isReplacement(key) {
        guard let symbol = input.running(key), let place = placeOf(key) else { continue }
        let record = input.objects[key]
        let function = Payload.Function(
            name: symbol.qualifiedName, location: record.location, oldAddress: symbol.knownAddress, oldSize: symbol.size,
            newSize: UInt64(record.item.size), payload: symbol.payload, why: input.explanation(of: key, in: selection), difference: record.difference)
        var replaced = ReplacedFunction(function: function, place: place)
        if input.options.expect {
            replaced.expectation = Expectation(
                symbol, original: input.original(key).map(input.objects.item), running: running, architecture: architecture)
            if replaced.expectation.bytes.isEmpty { diagnostics.append(notExpected(function, replaced.expectation)) }
        }
        functions.append(replaced)
        if let problem = tooShort(function, symbol, running, architecture) { diagnostics.append(problem) }
        if let payload = symbol.payload, patchesImageOnly { diagnostics.append(notPatchable(function, payload, architecture)) }
    }
    for request in input.options.nops {
        do {
            functions.append(try nops(request, input, replaced: functions))
        } catch {
            diagnostics.append(
                Diagnostic(
                    .nopsNotPossible, .error, symbol: request.function,
                    message: "\(request.count) bytes of '\(request.function)' can't become NOPs: \(error.reason)", help: error.help))
        }
    }
    return (functions, diagnostics)
}

// MARK: NOPs

private struct NotPossible: Error {
    var reason: String
    var help: String?

    init(_ reason: String, help: String? = nil) { (self.reason, self.help) = (reason, help) }
}

/// The loader writes NOPs after the mark for indirect calls (`arch_livepatch_apply`, x86). It keeps the old bytes in a field that holds
/// 31 bytes.
private func nops(_ request: LinkOptions.NOPs, _ input: LinkInput, replaced: [ReplacedFunction]) throws(NotPossible) -> ReplacedFunction {
    let running = input.hypervisor.running, architecture = input.architecture, abi = input.options.abi
    guard abi.takesHooksAndNOPs else { throw NotPossible("payloads of format \(abi.displayName) can't do that") }
    guard let symbol = running.image.symbol(ofQualifiedName: request.function), symbol.isFunction, !symbol.isFreedAfterBoot else {
        throw NotPossible(
            "the hypervisor has no function, or more than one, of that name",
            help: "a static function is FILE#NAME, such as common/kernel.c#helper; `nm -ap xen-syms` lists each file before its symbols")
    }
    guard running.replacement(of: symbol) == nil, !replaced.contains(where: { $0.function.oldAddress == symbol.address }) else {
        throw NotPossible("a payload replaces it")
    }
    let code = running.bytes(at: symbol.address, count: Int(clamping: symbol.size)) ?? []
    let skipped = architecture.beginsWithLandingPad(code) ? architecture.landingPadSize : 0
    let most = PayloadABI.maximumNOPs - skipped
    guard (1...most).contains(request.count) else { throw NotPossible("the hypervisor takes 1 to \(most) bytes") }
    guard skipped + request.count <= code.count else { throw NotPossible("it has only \(code.count - skipped) bytes") }
    guard let instructions = architecture.instructions(code) else { throw NotPossible("its code can't be decoded") }
    guard instructions.contains(where: { $0.range.upperBound == skipped + request.count }) else {
        let ends = instructions.map { $0.range.upperBound - skipped }.filter { $0 > 0 && $0 <= most }
        throw NotPossible("they end in the middle of an instruction", help: "instructions end after \(ends.map(String.init).joined(separator: ", ")) bytes")
    }
    guard skipped + request.count < code.count else { throw NotPossible("nothing would be left to return from it") }
    return ReplacedFunction(
        function: .init(
            name: symbol.qualifiedName, location: nil, oldAddress: symbol.address, oldSize: symbol.size, newSize: UInt64(request.count),
            payload: nil, isNOPs: true),
        place: nil, spared: skipped)
}

// MARK: What is wrong with a function

private func notExpected(_ function: Payload.Function, _ expectation: Expectation) -> Diagnostic {
    Diagnostic(
        .expectationLeftOut, .note, symbol: function.name, location: function.location,
        message: "the payload expects no bytes at '\(function.name)': \(expectation.whyNone)")
}

private func notPatchable(_ function: Payload.Function, _ payload: String, _ architecture: any TargetArchitecture) -> Diagnostic {
    Diagnostic(
        .payloadNotPatchable, .error, symbol: function.name, location: function.location,
        message: "'\(function.name)' came with the payload \(payload), and a hypervisor for \(architecture.name) can replace functions of its own image only",
        help: "--cumulative makes one payload of all patches, which replaces those that are applied")
}

private func tooShort(
    _ function: Payload.Function, _ symbol: XenImage.Symbol, _ running: RunningHypervisor, _ architecture: any TargetArchitecture
) -> Diagnostic? {
    let start = running.bytes(at: symbol.address, count: min(16, Int(clamping: symbol.size))) ?? []
    let needed = architecture.minimumFunctionSize(firstBytes: start)
    guard symbol.size < UInt64(needed) else { return nil }
    if symbol.size == 0 {
        return Diagnostic(
            .functionTooShort, .error, symbol: function.name, location: function.location,
            message: "'\(function.name)' has no size in the hypervisor's symbol table, so nothing shows whether the jump to its replacement fits there "
                + "(\(needed) bytes)",
            help: "make the change in the functions that call it, with a new function of another name; assembly needs .type and .size")
    }
    return Diagnostic(
        .functionTooShort, .error, symbol: function.name, location: function.location,
        message: "'\(function.name)' is \(symbol.size) bytes long in the hypervisor, and the jump to its replacement needs \(needed)",
        help: "make the change in the functions that call it, with a new function of another name")
}

extension LinkInput {
    /// Why an item is in the payload, in words for the report.
    func explanation(of key: PatchedKey, in selection: Selection) -> [Payload.Inclusion] {
        selection.way(from: key).map { step in
            let record = objects[step.key]
            return Payload.Inclusion(name: shownName(step.key), location: record.location, reason: step.reason)
        }
    }

    /// The item's name, or a description of it when it has no name.
    private func shownName(_ key: PatchedKey) -> String {
        let item = item(key)
        if item.isNamed { return item.name }
        switch item.kind {
        case .string: return "a string"
        case .constant: return "a constant"
        default: return "unnamed data of \(sectionName(key))"
        }
    }
}
