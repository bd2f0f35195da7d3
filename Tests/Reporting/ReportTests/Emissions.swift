import Diagnostics

/// Where Swift source makes diagnostics, found in its text: calls of `Diagnostic(…)` and of the functions that forward to it, and errors
/// that are given a diagnostic's identifier.
struct Emissions: Equatable {
    struct Pair: Hashable, CustomStringConvertible {
        var id: DiagnosticID
        var severity: Severity

        var description: String { "\(severity.rawValue)[\(id.rawValue)]" }
    }

    /// With an identifier and severities that are written there.
    private(set) var written: Set<Pair> = []
    /// With an identifier that is written there, and a severity that is not.
    private(set) var withoutSeverity: Set<DiagnosticID> = []
    /// How many calls of `Diagnostic(…)` have an identifier that is not written there.
    private(set) var withoutIdentifier = 0

    /// Functions that take an identifier first, and a severity or the rest of an error behind it.
    private static let calls = ["Diagnostic(", "report(", "refuse(", "refusal("]
    private static let identifiers = Dictionary(uniqueKeysWithValues: DiagnosticID.allCases.map { (".\($0)", $0) })
    private static let severities: [(text: String, severity: Severity)] = [(".error", .error), (".warning", .warning), (".note", .note)]

    init(in source: String) {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.drop { $0 == " " }.hasPrefix("//") }
        let text = lines.joined(separator: "\n")
        for call in Self.calls {
            let pieces = text.split(separator: call, omittingEmptySubsequences: false)
            for (before, arguments) in zip(pieces, pieces.dropFirst()) where !before.hasSuffix("func ") {
                if let last = before.last, last.isLetter || last == "_" { continue }
                add(Self.firstTwo(of: arguments), isForwarded: call != "Diagnostic(")
            }
        }
        for given in text.split(separator: "diagnosticID: ", omittingEmptySubsequences: false).dropFirst() {
            if let id = Self.identifiers[String(given.prefix { $0 == "." || $0.isLetter })] { written.insert(Pair(id: id, severity: .error)) }
        }
    }

    private mutating func add(_ arguments: [String], isForwarded: Bool) {
        guard let first = arguments.first else { return }
        guard let id = Self.identifiers[first] else {
            if !isForwarded { withoutIdentifier += 1 }
            return
        }
        let second = arguments.count > 1 ? arguments[1] : ""
        let named = Self.severities.filter { second.contains($0.text) }
        if !named.isEmpty {
            for (_, severity) in named { written.insert(Pair(id: id, severity: severity)) }
        } else if second.lowercased().contains("severity") {
            withoutSeverity.insert(id)
        } else {
            // What `Diagnostic` and all of the others make where no severity is given.
            written.insert(Pair(id: id, severity: .error))
        }
    }

    /// The first two arguments of a call, from the text behind its parenthesis.
    private static func firstTwo(of text: Substring) -> [String] {
        var arguments = [""]
        var depth = 0, isQuoted = false, previous: Character = " "
        for character in text {
            defer { previous = character }
            if isQuoted {
                if character == "\"", previous != "\\" { isQuoted = false }
                continue
            }
            switch character {
            case "\"": isQuoted = true
            case "(", "[", "{": depth += 1
            case ")", "]", "}":
                if depth == 0 { return arguments }
                depth -= 1
            case "," where depth == 0:
                if arguments.count == 2 { return arguments }
                arguments.append("")
                continue
            default: break
            }
            if !character.isWhitespace { arguments[arguments.count - 1].append(character) }
        }
        return arguments
    }
}
