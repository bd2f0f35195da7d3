/// Pseudo-random numbers (xorshift) that are the same in every run of the tests.
package struct Repeatable: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter state: any number but 0.
    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
