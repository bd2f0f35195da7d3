import ObjectDiff
import ObjectFixtures
import Testing

/// What a change set says of why: which twin by what evidence, and what differs first.
@Suite struct EvidenceTests {
    private func record(_ name: String, _ set: ChangeSet) throws -> ChangeSet.Record {
        try #require(set.records.first { $0.item.name.split(separator: ".").first == Substring(name) }, "no item is called \(name)")
    }

    @Test func aNameThatTheSourceGivesOnce() async throws {
        let set = try await ObjectFixtures.compare("u32 f(u32 x) { return x + 1; }", "u32 f(u32 x) { return x + 2; }")
        #expect(try record("f", set).twin?.evidence == .name)
    }

    @Test func theLineOfADeclarationThatStayed() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) {\n  static u32 n = 1;\n  return n += x;\n}", "u32 f(u32 x) {\n  static u32 n = 1;\n  return n += x + 1;\n}")
        let evidence = try record("n", set).twin?.evidence
        guard case .declaration(let place) = evidence else {
            Issue.record("\(String(describing: evidence))")
            return
        }
        #expect(place.line == 2)
    }

    /// Without a patch nobody knows which line became which. The language allows a name once in the outermost block.
    @Test func theOnlyOneOfItsNameWhoseLineChanged() async throws {
        let set = try await ObjectFixtures.compare(
            "u32 f(u32 x) {\n  static u32 n = 1;\n  return n += x;\n}", "u32 f(u32 x) {\n\n\n  static u32 n = 1;\n  return n += x;\n}")
        #expect(try record("n", set).twin?.evidence == .onlyOneOfFunction)
        let inner = try await ObjectFixtures.compare(
            "u32 f(u32 x) {\n  if ( x ) { static u32 n = 1; x += n++; }\n  return x;\n}", "u32 f(u32 x) {\n\n\n  if ( x ) { static u32 n = 1; x += n--; }\n  return x;\n}")
        #expect(try record("n", inner).twin?.evidence == .onlyOneOfItsName)
        #expect(inner.diagnostics.map { [$0.severity.rawValue, $0.id.rawValue] } == [["warning", "correlation-ambiguous"]])
    }

    @Test func whatIsNewHasNoTwin() async throws {
        let set = try await ObjectFixtures.compare("u32 f(u32 x) { return x; }", "u32 f(u32 x) { return x; } u32 g(u32 x) { return x * 3; }")
        let record = try record("g", set)
        #expect(record.twin == nil && record.status == .new && record.difference == nil)
    }

    // MARK: What differs first

    private func difference(_ original: String, _ patched: String, of name: String = "f") async throws -> Difference? {
        try record(name, try await ObjectFixtures.compare(original, patched)).difference
    }

    @Test func nothingInAFunctionThatIsTheSame() async throws {
        #expect(try await difference("u32 f(u32 x) { return x + 1; }", "\nu32 f(u32 x) { return x + 1; }") == nil)
    }

    @Test func aByteOfAnInstruction() async throws {
        // lea 1(%rdi),%eax: the last byte is the number, and the instruction begins the function.
        let difference = try #require(try await difference("u32 f(u32 x) { return x + 1; }", "u32 f(u32 x) { return x + 2; }"))
        #expect(difference.kind == .bytes && difference.offset == 0)
    }

    @Test func aCallOfAnotherFunction() async throws {
        let difference = try #require(
            try await difference(
                "void one(void); void two(void); u32 f(u32 x) { one(); return x; }", "void one(void); void two(void); u32 f(u32 x) { two(); return x; }"))
        #expect(difference.kind == .reference(before: "one", after: "two"))
    }

    /// No byte of the function differs.
    @Test func theTextOfAString() async throws {
        let difference = try #require(
            try await difference("void f(void) { printk(\"one apple\"); }", "void f(void) { printk(\"two pears\"); }"))
        guard case .reference(let before, let after) = difference.kind else {
            Issue.record("\(difference)")
            return
        }
        #expect(before == "\"one apple\"" && after == "\"two pears\"")
    }

    @Test func anEntryOfATable() async throws {
        let difference = try #require(try await difference("void f(void) { WARN(); }", "\n\nvoid f(void) { WARN(); }"))
        #expect(difference.kind == .tableEntries(section: ".bug_frames.1") && difference.offset == nil)
    }

    @Test func anotherPlace() async throws {
        let difference = try #require(
            try await difference("noinline u32 f(u32 x) { return x; }", "noinline __attribute__((__aligned__(64))) u32 f(u32 x) { return x; }"))
        guard case .placement = difference.kind else {
            Issue.record("\(difference)")
            return
        }
    }

    @Test func anotherPartOfTheFunction() async throws {
        let source = { (n: Int) in
            "__attribute__((__cold__)) void bad(u32); u32 f(u32 x) { if ( __builtin_expect(x > 100, 0) ) { bad(\(n)); bad(x * \(n)); } return x + 1; }"
        }
        let set = try await ObjectFixtures.compare(source(1), source(7))
        let whole = try #require(set.records.first { $0.item.name == "f" }), part = try #require(set.records.first { $0.item.name == "f.cold" })
        #expect(part.difference?.offset != nil)
        if case .otherPart(let name) = whole.difference?.kind { #expect(name == "f.cold") }
        #expect(whole.status == .changed && part.status == .changed)
    }
}
