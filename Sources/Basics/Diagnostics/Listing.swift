extension Collection where Element == String {
    /// The first elements, separated by commas, and the number of the others: `a, b and 3 more`.
    package func listed(atMost count: Int) -> String {
        let shown = prefix(count).joined(separator: ", ")
        return self.count > count ? "\(shown) and \(self.count - count) more" : shown
    }
}
