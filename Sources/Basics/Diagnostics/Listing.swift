extension Collection where Element == String {
    /// The first of them, separated by commas, and how many there are beyond: `a, b and 3 more`.
    package func listed(atMost count: Int) -> String {
        let shown = prefix(count).joined(separator: ", ")
        return self.count > count ? "\(shown) and \(self.count - count) more" : shown
    }
}
