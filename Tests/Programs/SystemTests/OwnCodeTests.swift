import PayloadLinker
import TestTools
import Testing
import XenRig

/// A stress for relocation: functions of the whole hypervisor, replaced by themselves.
@Suite(
    .timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"),
    .enabled(if: RealXen.isThorough, "takes minutes; 'make test-all' runs it"))
struct OwnCodeTests {
    static let targets = XenTarget.debian.filter { $0.version != "4.14" }

    @Test("every function is the one that runs, as its object has it", arguments: targets)
    func everyFunction(target: XenTarget) async throws {
        let own = try await OwnCode.of(target)
        var (equal, unequal) = (0, [String]())
        for object in try await own.objects() {
            guard let set = try own.comparison(of: object) else { continue }
            for index in own.functions(of: set) {
                let outcome = try own.link([index], of: set)
                equal += outcome.payload?.verifiedFunctions ?? 0
                unequal += outcome.unequal.map { "\(object): \($0.name): \($0.difference)" }
            }
        }
        // The library's general versions of what the processor has its own of are compiled, and not linked.
        #expect(unequal.filter { !$0.hasPrefix("lib/") } == [])
        #expect(equal > 1700)
    }

    @Test("100 functions, compiled anew, mean the same in a payload as in the hypervisor, and are loaded, applied and reverted", arguments: targets)
    func hundred(target: XenTarget) async throws {
        let own = try await OwnCode.of(target)
        let choices = try await own.choose(100, seed: 42)
        #expect(choices.count == 100)
        let sets = try await own.compiledAnew(Set(choices.map(\.object)))
        var payloads: [Payload] = []
        for (number, choice) in choices.enumerated() {
            let set = try #require(sets[choice.object], "\(choice.object) was not compiled")
            let outcome = try own.link(choice, of: set, name: "own-\(number)")
            let payload = try #require(outcome.payload, "\(choice): \(outcome.diagnostics.map(\.message))")
            #expect(payload.verifiedFunctions == 1, "\(choice)")
            // Relocated as the loader does it, the payload's code is held against the object in the hypervisor's stead.
            let again = try own.link(choice, of: set, onTopOf: payload)
            #expect(again.unequal == [], "\(choice)")
            #expect(again.payload?.verifiedFunctions == 1, "\(choice): \(again.diagnostics.map(\.message))")
            payloads.append(payload)
        }
        let machine = try await own.boot(payloads)
        try machine.requireFinished()
        for (payload, choice) in zip(payloads, choices) {
            let (load, revert) = (machine["\(payload.name).load"], machine["\(payload.name).revert"])
            #expect(load.succeeded, "\(choice): \(load.output) \(load.xenLog)")
            #expect(revert.succeeded, "\(choice): \(revert.output) \(revert.xenLog)")
        }
        #expect(machine["alive"].succeeded)
        #expect(BootedChange.complaints(in: machine, without: []) == [])
    }
}
