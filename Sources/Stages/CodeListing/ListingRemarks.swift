import ObjectDiff

/// Why a function differs, as far as its instructions and the debug information show it. Nothing here is a guess.
struct ListingRemarks {
    var rows: [FunctionListing.Row]
    /// The functions that are inlined into it, before and after.
    var inlined: (before: Set<String>, after: Set<String>)
    var difference: Difference?

    var sentences: [String] {
        // A thunk stands for a jump through a register, which the compiler chose.
        func callees(_ instructions: [ListedInstruction]) -> Set<String> {
            Set(instructions.compactMap(\.callee).filter { !$0.hasPrefix("__x86_indirect_thunk_") })
        }
        let called = (before: callees(rows.compactMap(\.before)), after: callees(rows.compactMap(\.after)))
        let outlined = inlined.before.subtracting(inlined.after), taken = inlined.after.subtracting(inlined.before)
        var result: [String] = []
        for name in outlined.sorted() {
            result.append("\(name) is no longer inlined" + (called.after.contains(name) && !called.before.contains(name) ? ": it is called" : ""))
        }
        for name in taken.sorted() { result.append("\(name) is inlined now" + (called.before.contains(name) ? ": it was called" : "")) }
        result += called.after.subtracting(called.before).subtracting(outlined).sorted().map { "it calls \($0) now" }
        result += called.before.subtracting(called.after).subtracting(taken).sorted().map { "it no longer calls \($0)" }
        let lines = rows.count(where: \.differsInLineNumber)
        if lines > 0 {
            result.append(lines == 1 ? "one number that differs is that of its source line" : "\(lines) numbers that differ are those of their source lines")
        }
        if !rows.contains(where: { $0.kind != .same }), let difference { result.append("the instructions are the same: \(difference.words)") }
        return result
    }
}

extension FunctionListing.Row {
    /// Whether both sides differ in a number alone that is the number of their source line. Most such numbers come from `__LINE__`.
    fileprivate var differsInLineNumber: Bool {
        guard kind == .changed, let before, let after, let old = before.location?.line, let new = after.location?.line, old != new else { return false }
        func split(_ text: String, at line: Int) -> [Substring] { text.split(separator: "0x" + String(line, radix: 16), omittingEmptySubsequences: false) }
        let x = split(before.text, at: old), y = split(after.text, at: new)
        return x.count == 2 && x == y
    }
}
