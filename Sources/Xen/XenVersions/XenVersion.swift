/// The version of a hypervisor, as `xen/Makefile` has it.
package struct XenVersion: Sendable, Equatable, Comparable, Codable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    /// XEN_EXTRAVERSION without references to make's variables: `.5`, `-unstable`, or empty.
    package var extra: String

    package init(major: Int, minor: Int, extra: String = "") {
        self.major = major
        self.minor = minor
        self.extra = extra
    }

    /// Reads `4.17`.
    ///
    /// - Returns: nil for anything but two numbers with a dot between them.
    package init?(text: String) {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1], major >= 0, minor >= 0 else { return nil }
        self.init(major: major, minor: minor)
    }

    /// The number of the point release: 5 of `.5`, 3 of `.3-pre`. Nil when the version has none.
    package var point: Int? { extra.hasPrefix(".") ? Int(extra.dropFirst().prefix { $0.isASCII && $0.isNumber }) : nil }

    package var description: String { "\(major).\(minor)\(extra)" }

    /// Point releases do not count.
    package static func < (a: XenVersion, b: XenVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    /// Whether this is Xen 4.`minor` or later.
    func isAtLeast4(_ minor: Int) -> Bool { self >= XenVersion(major: 4, minor: minor) }
}
