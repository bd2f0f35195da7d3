import ObjectFixtures
import PayloadProof
import Testing

@testable import LivepatchBuild

@Suite struct ProofInputTests {
    /// The differ has one item where assembly gives no sizes; the proof has one for each label.
    @Test(arguments: [("b: .long 0", "test.o b"), ("c: .long 0", nil), (".long 0\\n b: .long 0", nil)])
    func aLabelInsideAnItemIsItsOwnTwin(after: String, twin: String?) async throws {
        let source = { (label: String, n: Int) in
            "asm(\".pushsection .data,\\\"aw\\\"\\n.balign 4\\n a: .long 0\\n \(label)\\n.popsection\"); u32 f(u32 x) { sink(0); return x * \(n); }"
        }
        let set = try await ObjectFixtures.compare(source("b: .long 0", 7), source(after, 9))
        let claim = ProofClaim([set], below: [], reported: [], depends: nil)
        let found = claim.twins?.flatMap { object, twins in twins["b"].map { "\(object) \($0.original)" }.map { [$0] } ?? [] }
        #expect(found?.first == twin, "\(String(describing: claim.twins))")
    }
}
