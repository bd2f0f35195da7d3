import FoundationEssentials

/// Which change works in which Xen: the table of `Docs/Compatibility.md`.
struct CompatibilityTable: Equatable {
    var versions: [String]
    /// In the order of the table.
    var rows: [Row]

    struct Row: Equatable {
        var name: String
        /// One for each version.
        var cells: [Cell]
    }

    enum Cell: String {
        case yes, no
        /// There is a payload for others, and a reason why there is none for this one.
        case refused
        /// There is no such change for that version.
        case none = "–"
    }

    /// The lines of the table, and nothing else.
    var lines: [String] {
        let head = ["| change | \(versions.joined(separator: " | ")) |", "|---|\(versions.map { _ in "---|" }.joined())"]
        return head + rows.map { row in "| \(row.name) | \(row.cells.map(\.rawValue).joined(separator: " | ")) |" }
    }

    /// The whole page.
    ///
    /// - Parameters:
    ///   - hypervisors: one line each on what was booted, with its point release.
    ///   - reasons: one line for each change that is refused somewhere.
    func page(hypervisors: [String], reasons: [String]) -> String {
        """
        # Which change works in which Xen

        Made by `make test-all`, which builds each change with the hypervisor's own compiler, boots the hypervisor with the dom0 and the
        host tool of the same release of Debian, loads the payload, looks for the effect, reverts it, looks again, and unloads it.
        "yes" means that all of this went as it should, "refused" that the program refuses the change there, as it should. The changes are in `Fixtures/changes` and `Fixtures/patches`.

        \(lines.joined(separator: "\n"))

        The last row is three payloads that replace the same function: the second depends on the first and is refused without it, is
        applied on top of it, reverted, and applied again; the third takes the place of both with `xen-livepatch replace`.

        Refused:

        \(reasons.map { "- \($0)" }.joined(separator: "\n"))

        Tried with:

        \(hypervisors.map { "- \($0)" }.joined(separator: "\n"))

        """
    }

    /// The table's lines in a page.
    static func lines(ofPage page: String) -> [String] { page.split(separator: "\n").filter { $0.hasPrefix("|") }.map(String.init) }
}
