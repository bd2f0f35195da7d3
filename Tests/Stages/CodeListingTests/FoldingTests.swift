import Diagnostics
import Testing

@testable import CodeListing

@Suite struct FoldingTests {
    private func listing(_ kinds: String) -> FunctionListing {
        FunctionListing(
            name: "f", object: "a.o",
            rows: kinds.enumerated().map { offset, kind in
                let instruction = ListedInstruction(offset: offset, text: "nop")
                return kind == "~" ? .init(.changed, before: instruction, after: instruction) : .init(.same, before: instruction, after: instruction)
            })
    }

    private func shape(_ kinds: String) -> String {
        listing(kinds).parts().map { part in
            switch part {
            case .shown(let rows): rows.map { $0.kind == .same ? "=" : "~" }.joined()
            case .folded(let rows): "(\(rows.count))"
            }
        }.joined()
    }

    @Test func longRunsAreFolded() {
        #expect(shape("==========~==========") == "(7)===~===(7)")
        #expect(shape("~") == "~")
        #expect(shape("========") == "(8)")
        #expect(shape("") == "")
        #expect(shape("~======~") == "~======~")
        #expect(shape("~========~") == "~===(2)===~")
        // A fold of one row would save nothing.
        #expect(shape("~=======~") == "~=======~")
    }

    @Test func aJumpThatLeadsElsewhereDiffers() {
        func instructions(_ target: Int) -> [ListedInstruction] {
            [ListedInstruction(offset: 0, text: "jmp +\(target)", shape: "jmp ·", target: target)]
                + (1...4).map { ListedInstruction(offset: $0, text: "op\($0)") }
        }
        #expect(FunctionListing.Row.sideBySide(instructions(2), instructions(2)).allSatisfy { $0.kind == .same })
        #expect(FunctionListing.Row.sideBySide(instructions(2), instructions(3)).map(\.kind) == [.changed, .same, .same, .same, .same])
    }

    /// Two jumps that look the same, with the offsets that they lead to on both sides, among the rows `=`, `~`, `+` and `-`.
    private func jumpIsTheSame(_ before: Int, _ after: Int, over kinds: String) -> Bool {
        var (a, b) = (
            [ListedInstruction(offset: 0, text: "jmp", shape: "jmp", target: before)], [ListedInstruction(offset: 0, text: "jmp", shape: "jmp", target: after)]
        )
        for (index, kind) in kinds.enumerated() {
            if kind != "+" { a.append(ListedInstruction(offset: a.count * 2, text: kind == "=" ? "same \(index)" : "before \(index)")) }
            if kind != "-" { b.append(ListedInstruction(offset: b.count * 2, text: kind == "=" ? "same \(index)" : "after \(index)")) }
        }
        return FunctionListing.Row.sideBySide(a, b)[0].kind == .same
    }

    @Test func jumpsIntoWhatDiffersAreTheSameOnlyAtItsBeginning() {
        #expect(jumpIsTheSame(4, 4, over: "=~~="))
        #expect(!jumpIsTheSame(6, 6, over: "=~~="))
        #expect(!jumpIsTheSame(4, 6, over: "=~~="))
        #expect(jumpIsTheSame(4, 6, over: "=+="))
        // Over the new instruction on one side only.
        #expect(!jumpIsTheSame(4, 4, over: "=+="))
        // Into the middle of an instruction.
        #expect(!jumpIsTheSame(3, 3, over: "====") && !jumpIsTheSame(3, 5, over: "===="))
    }

    /// The patched line 1 and the original line 1 are two lines.
    @Test func linesOfTheOriginalHaveAHeadingOfTheirOwn() {
        let here = SourceLocation(file: "a.c", line: 1)
        let x = ListedInstruction(offset: 0, text: "x", location: here), y = ListedInstruction(offset: 2, text: "y", location: here)
        var listing = FunctionListing(name: "f", object: "a.o", rows: [.init(.removed, before: x), .init(.same, before: y, after: y)])
        listing.addSources(original: { _ in "old" }, patched: { _ in "new" })
        let headings = listing.lines.compactMap { line in if case .source(let heading, let text) = line { "\(heading.words): \(text ?? "")" } else { nil } }
        #expect(headings == ["a.c:1 before the patch: old", "a.c:1: new"])
    }
}
