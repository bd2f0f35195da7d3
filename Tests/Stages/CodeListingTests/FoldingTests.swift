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
}
