/// How the program did with a patch.
package struct TortureOutcome: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The payload means what the compiler meant.
        case right
        /// Nothing differs, and the program says so.
        case nothing
        /// A refusal for a reason that the change has.
        case refused
        /// A refusal of a change that the program may not be sure about.
        case unsure
        /// A refusal without a reason that the change has.
        case overcautious
        /// The compiler can't compile it, or names change the code: nothing is known.
        case unusable
        case lost = "LOST"
        case wrong = "WRONG"
        /// Any other end of the program.
        case failed = "FAILED"

        /// Whether the program is at fault.
        package var isFault: Bool { self == .lost || self == .wrong || self == .failed }
    }

    package var kind: Kind
    /// What is wrong, or the diagnostics of a refusal.
    package var words: [String]
    /// The program's own words.
    package var details: [String] = []
    /// Whether the judge was tried with a broken payload, and noticed.
    package var noticed: Bool?

    package init(_ kind: Kind, _ words: [String] = []) { (self.kind, self.words) = (kind, words) }
}

/// Counts by kind of change and outcome.
package struct TortureTable: Sendable {
    private var counts: [String: [TortureOutcome.Kind: Int]] = [:]
    private var refusals: [String: Int] = [:]
    package private(set) var total: [TortureOutcome.Kind: Int] = [:]
    package private(set) var noticed = 0
    package private(set) var broken = 0

    package init() {}

    package mutating func count(_ outcome: TortureOutcome, _ mutations: [TortureMutation]) {
        total[outcome.kind, default: 0] += 1
        for name in Set(mutations.map(\.rawValue)) { counts[name, default: [:]][outcome.kind, default: 0] += 1 }
        if outcome.kind == .overcautious || outcome.kind == .unsure {
            for id in Set(outcome.words) {
                refusals["\(outcome.kind.rawValue): \(id) (\(Set(mutations.map(\.rawValue)).sorted().joined(separator: " + ")))", default: 0] += 1
            }
        }
        if let seen = outcome.noticed {
            broken += 1
            noticed += seen ? 1 : 0
        }
    }

    package var faults: Int { total.filter { $0.key.isFault }.map(\.value).reduce(0, +) }

    /// A row for each kind of change, and below it what was refused and why. A patch of several kinds counts in each of their rows.
    package var text: String {
        let kinds = TortureOutcome.Kind.allCases
        func cell(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
        let width = (counts.keys.map(\.count).max() ?? 0) + 1
        func row(_ name: String, _ values: (TortureOutcome.Kind) -> String) -> String {
            name + String(repeating: " ", count: max(0, width - name.count)) + kinds.map { cell(values($0), $0.rawValue.count + 2) }.joined()
        }
        var lines = [row("") { $0.rawValue }]
        for (name, values) in counts.sorted(by: { $0.key < $1.key }) { lines.append(row(name) { values[$0].map(String.init) ?? "." }) }
        lines.append(row("all patches") { String(total[$0] ?? 0) })
        lines += refusals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\(cell("\($0.value)", 5)) \($0.key)" }
        lines.append("broken payloads that the judge noticed: \(noticed) of \(broken)")
        return lines.joined(separator: "\n") + "\n"
    }
}
