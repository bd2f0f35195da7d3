import Testing

@testable import CodeListing

@Suite struct AlignmentTests {
    private func text(_ before: String, _ after: String) -> String {
        let pairs = Alignment(Array(before), Array(after)).pairs
        return pairs.map { "\(Array(before)[$0.before])" }.joined()
    }

    @Test func whatIsEqualBelongsTogether() {
        #expect(text("", "") == "")
        #expect(text("abc", "abc") == "abc")
        #expect(text("abc", "") == "")
        #expect(text("abcdef", "abxdef") == "abdef")
        #expect(text("abcdef", "abdef") == "abdef")
        // The larger part that kept its order.
        #expect(text("xabcd", "abcdx") == "abcd")
        // Nothing stands once.
        #expect(text("ababab", "babab") == "babab")
    }

    /// Any alignment must have equal elements and ascend on both sides; one that misses equal ends would show false differences.
    @Test func isSoundForRandomTexts() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let letters = Int.random(in: 1...12, using: &random)
            func some() -> [Int] { (0..<Int.random(in: 0...40, using: &random)).map { _ in Int.random(in: 0..<letters, using: &random) } }
            let (before, after) = (some(), some())
            let pairs = Alignment(before, after).pairs
            #expect(pairs.allSatisfy { before[$0.before] == after[$0.after] }, "\(before) \(after)")
            #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0.before < $1.before && $0.after < $1.after }, "\(before) \(after)")
            let start = zip(before, after).prefix { $0 == $1 }.count
            #expect(pairs.prefix(start).map(\.before) == Array(0..<start), "\(before) \(after)")
        }
    }

    /// Without anchors in the middle, the full comparison finds the longest.
    @Test func smallOnesAreComparedInFull() {
        #expect(Alignment(Array("aabbaabb"), Array("abab")).pairs.count == 4)
        #expect(Alignment(Array("abcabba"), Array("cbabac")).pairs.count >= 3)
    }

    @Test func largeOnesThatShareNothingEndSoon() {
        let before = Array(repeating: 0, count: 200_000), after = Array(repeating: 1, count: 200_000)
        #expect(Alignment(before, after).pairs.isEmpty)
    }
}
