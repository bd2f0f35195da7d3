import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// Static locals under a patch: which declaration is which, the patch itself says.
@Suite struct PatchedLocalTests {
    /// What became of the static variables of a patched object: for each initial value that of its twin, 0 for a new one.
    private struct Outcome {
        var set: ChangeSet
        var twins: [UInt8: UInt8] = [:]
        var evidence: [UInt8: TwinEvidence] = [:]
        var ids: [String] { self.set.diagnostics.map { "\($0.severity.rawValue) \($0.id.rawValue)" }.sorted() }
    }

    private func outcome(_ marked: [String: String], below: [String: String] = [:], flags: [String] = []) async throws -> Outcome {
        let set = try await ObjectFixtures.compare(marked: marked, below: below, flags: flags)
        var outcome = Outcome(set: set)
        for record in set.records where record.item.kind == .data && record.item.role == .writable {
            guard let value = set.patched.bytes(of: record.item).first else { continue }
            let old = set.twin(of: record.item.id)
            outcome.twins[value] = old.flatMap { set.original.bytes(of: $0).first } ?? 0
            outcome.evidence[value] = record.twin?.evidence
        }
        return outcome
    }

    private func outcome(_ test: String) async throws -> Outcome { try await outcome(["test.c": test]) }

    // MARK: Lines that stay

    private static let tick = """
         #define TICK(x) do { \\
        -    { static u32 c = 1; if ( x & 1 ) sink(&c); c++; } \\
             { static u32 c = 2; if ( x & 2 ) sink(&c); c++; } \\
        +    { static u32 c = N; if ( x & M ) sink(&c); c++; } \\
         } while ( 0 )
         u32 f(u32 x) {
           TICK(x);
           return x;
         }
        """

    /// All declarations of the macro are reported in the line that uses it.
    @Test(arguments: ["1", "4"])
    func aMacroThatChangesDoesNotSayWhichOfItsVariablesIsWhich(number: String) async throws {
        let found = try await outcome(Self.tick.replacing("N", with: number).replacing("M", with: number))
        #expect(found.ids.contains("error correlation-ambiguous"), "\(found)")
        #expect(!found.twins.contains { $0.key != $0.value && $0.value != 0 }, "\(found.twins)")
    }

    @Test func aMacroThatStaysDeclaresTheSame() async throws {
        let found = try await outcome(
            """
             #define TICK(x) do { { static u32 c = 1; if ( x & 1 ) sink(&c); c++; } { static u32 c = 2; if ( x & 2 ) sink(&c); c++; } } while ( 0 )
             u32 f(u32 x) {
               TICK(x);
            -  return x;
            +  return x * 3;
             }
            """)
        #expect(found.twins == [1: 1, 2: 2] && found.ids == [], "\(found)")
    }

    /// Both lines have the same number for the compiler.
    @Test func theLineThatStaysIsTheTwin() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            +  if ( x == 3 ) { static u32 once = 3; x += once++; }
               if ( x == 1 ) { static u32 once = 1; x += once++; }
               return x;
             }
            """)
        #expect(found.twins == [1: 1, 3: 0] && found.ids == [])
    }

    /// The only one of its name before and after, but not the same one.
    @Test func anAddedLineIsEvidenceForNothing() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  if ( x == 1 ) { static u32 once = 1; x += once++; }
               x *= 3;
            +  if ( x == 2 ) { static u32 once = 2; x += once--; }
               return x;
             }
            """)
        #expect(found.twins == [2: 0])
        #expect(found.ids == ["note data-left-behind", "warning variable-starts-anew"])
    }

    /// The old declaration may have got the other type, or may be the one that stands deeper now. The second has no storage of its own.
    @Test(arguments: ["x += once++;", "x += once;"])
    func theSameWordsAreNoEvidenceBesideAnotherThatTheHunkAdds(use: String) async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  if ( x & 1 ) {
            -    static u32 once = 1;
            -    x += once++;
            -  }
            +  if ( x & 2 ) {
            +    static int once = 2;
            +    \(use)
            +    if ( x & 4 ) {
            +      static u32 once = 1;
            +      x ^= once++;
            +    }
            +  }
               return x;
             }
            """)
        #expect(found.twins.allSatisfy { $0.value == 0 } && found.ids.contains("error correlation-ambiguous"), "\(found.twins) \(found.ids)")
    }

    /// The block around a declaration appears: its line is new, but the hunk holds no other.
    @Test func whatTheHunkReplacesIsTheTwinWithANote() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
               if ( x == 1 ) {
            -    static u32 once = 1;
            -    x += once++;
            +    if ( sink(0), x ) {
            +      static u32 once = 1;
            +      x += once++;
            +    }
               }
               if ( x == 2 ) {
            -    static u32 once = 2;
            -    x += once++;
            +    if ( sink(0), x ) {
            +      static u32 once = 2;
            +      x += once++;
            +    }
               }
               return x;
             }
            """)
        #expect(found.twins == [1: 1, 2: 2])
        #expect(found.ids == ["note correlation-ambiguous", "note correlation-ambiguous"])
    }

    /// Only the order of the two blocks says which of them the patch means.
    @Test func whatTheHunkReplacesIsAWarningIfTheFunctionHasItTwice() async throws {
        let block = "   if ( x & 1 ) {\n     static u32 once;\n     sink(&once);\n   }\n"
        let found = try await outcome(
            """
             u32 f(u32 x) {
            +  if ( x > 1 )
               if ( x & 1 ) {
            -    static u32 once;
            -    sink(&once);
            +      static u32 once;
            +      sink(&once);
               }

            """ + block + "   return x;\n }\n")
        #expect(found.ids == ["warning correlation-ambiguous"])
    }

    @Test func swappedBlocksAreRefusedOrKeptApart() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            +  if ( x == 2 ) { static u32 once = 2; x += once++; }
               if ( x == 1 ) { static u32 once = 1; x += once++; }
            -  if ( x == 2 ) { static u32 once = 2; x += once++; }
               return x;
             }
            """)
        // The texts of the two lines are the same: it moved.
        #expect(found.twins == [1: 1, 2: 2])
        #expect(found.ids == ["warning correlation-ambiguous"])
    }

    @Test func threeThatChangePlacesWithEqualTextsAreRefused() async throws {
        let block = { (sign: String, number: Int) in
            "\(sign)  if ( x == \(number) ) {\n\(sign)    static u32 once;\n\(sign)    x += once += \(number);\n\(sign)  }\n"
        }
        let text =
            " u32 f(u32 x) {\n" + block("-", 1) + block("-", 2) + "   x ^= 5;\n" + block("+", 2) + block("-", 3) + "   x ^= 9;\n" + block("+", 1)
            + block("+", 3)
            + "   return x;\n }\n"
        let found = try await outcome(text)
        #expect(found.set.errors.contains("correlation-ambiguous"))
        #expect(!found.set.records.contains { $0.item.role == .writable && $0.twin != nil })
    }

    /// Each hunk removes one and adds one, but not the same one.
    @Test func theHunkIsNoEvidenceIfOthersAreAlike() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  if ( x == 1 ) { static u32 once; x += once; once = 1; }
            -  if ( x == 2 )
            -  { static u32 once; x += once; once = 2; }
               x ^= 5;
            +  if ( x == 4 )
            +  { static u32 once; x += once; once = 2; }
            -  if ( x == 3 )
            -  { static u32 once; x += once; once = 2; }
               return x;
             }
            """)
        #expect(found.set.errors.contains("correlation-ambiguous"))
    }

    @Test func twoOfTheSameWordsThatAreIndentedTogether() async throws {
        let block = { (sign: String, indentation: String, number: Int) in
            "\(sign)\(indentation)if ( x == \(number) ) {\n\(sign)\(indentation)  static u32 once;\n\(sign)\(indentation)  x += once += \(number);\n\(sign)\(indentation)}\n"
        }
        let found = try await outcome(
            " u32 f(u32 x) {\n" + block("-", "  ", 1) + block("-", "  ", 2) + "+  if ( sink(0), x ) {\n" + block("+", "    ", 1) + block("+", "    ", 2)
                + "+  }\n   return x;\n }\n")
        #expect(found.ids == ["note correlation-ambiguous", "note correlation-ambiguous"])
        let set = found.set
        #expect(set.records.filter { $0.item.role == .writable }.allSatisfy { set.twin(of: $0.item.id)?.name == $0.item.name })
    }

    @Test func whatGoesTakesNoOtherAlong() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  if ( x == 1 ) { static u32 once = 1; x += once++; }
               if ( x == 2 ) { static u32 once = 2; x += once++; }
               return x;
             }
            """)
        #expect(found.twins == [2: 2] && found.ids == ["note data-left-behind"])
    }

    @Test func aBlockLikeItsNeighbourIsNewBeforeBehindAndBetween() async throws {
        for place in 0...2 {
            let old = [" ", " "].enumerated().map { "   if ( x == \($0.offset + 1) ) {\n     static u32 once = \($0.offset + 1);\n     x += once++;\n   }\n" }
            let added = "+  if ( x == 9 ) {\n+    static u32 once = 9;\n+    x += once++;\n+  }\n"
            var blocks = old
            blocks.insert(added, at: place)
            let found = try await outcome(" u32 f(u32 x) {\n" + blocks.joined() + "   return x;\n }\n")
            #expect(found.twins == [1: 1, 2: 2, 9: 0] && found.ids == [], "\(place)")
        }
    }

    /// The new one stands in the outermost block, before an inner block that has the same number for the compiler.
    @Test func aNewOneInTheOutermostBlockIsNotTheInnerOne() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            +  static u32 once = 9;
            +  x += once++;
               if ( x == 1 ) {
                 static u32 once = 1;
                 x += once++;
               }
               return x;
             }
            """)
        #expect(found.twins == [1: 1, 9: 0] && found.ids == [])
    }

    @Test func aMacroThatDeclaresOneInEachUse() async throws {
        let found = try await outcome(
            """
             #define ONCE(n) ({ static u32 once = n; once++; })
             u32 f(u32 x) {
            +  if ( x == 3 ) x += ONCE(3);
               if ( x == 1 ) x += ONCE(1);
               if ( x == 2 ) x += ONCE(2) + ONCE(4);
               return x;
             }
            """)
        #expect(found.twins == [1: 1, 2: 2, 3: 0, 4: 4] && found.ids == [])
    }

    /// Xen's printk_once() and others declare a variable in each use. The user can't name it.
    @Test func aMacroOverSeveralLines() async throws {
        let found = try await outcome(
            """
             #define once(text, n) do { \\
                 static u32 once_ = n; \\
                 if ( once_++ < 9 ) printk(text); \\
             } while ( 0 )
             u32 f(u32 x) {
            -  if ( x == 1 ) once("first",
            -                     1);
            +  if ( x == 1 )
            +    once("first and more",
            +         1);
               if ( x == 2 ) once("second", 2); else once("third", 3);
            -  once("fourth",
            +  once("fourth, too",
                    4);
               return x;
             }
            """)
        #expect(found.twins == [1: 1, 2: 2, 3: 3, 4: 4] && found.set.errors == [])
        #expect(found.ids.count { $0 == "warning correlation-ambiguous" } == 2)
    }

    @Test func theSameNameInBlocksInsideEachOther() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
               static u32 n = 1;
            +  x ^= 5;
               if ( x & 1 ) {
                 static u32 n = 2;
            +    if ( x & 2 ) { static u32 n = 9; x += n++; }
                 if ( x & 4 ) { static u32 n = 3; x += n++; }
                 x += n++;
               }
               return x += n++;
             }
            """)
        #expect(found.twins == [1: 1, 2: 2, 3: 3, 9: 0] && found.ids == [])
    }

    @Test func betweenFunctionsNothingIsInherited() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  static u32 n = 1;
            -  return n += x;
            +  return x;
             }
             u32 g(u32 x) {
            -  return x;
            +  static u32 n = 1;
            +  return n += x;
             }
            """)
        #expect(found.twins == [1: 0] && found.ids == ["note data-left-behind", "warning variable-starts-anew"])
    }

    @Test func aHeadersInlineFunctionUsedTwice() async throws {
        let header =
            """
             static inline u32 count(u32 x) {
            +  { static u32 n = 9; x += n++; }
               { static u32 n = 1; x += n++; }
               return x;
             }
            """
        let found = try await outcome(["test.c": " #include \"count.h\"\n u32 f(u32 x) { return count(x) ^ count(x + 1); }", "count.h": header])
        #expect(found.twins == [1: 1, 9: 0] && found.ids == [], "\(found.twins) \(found.ids)")
    }

    @Test func aCloneHasItsFunctionsVariable() async throws {
        let found = try await outcome(
            """
             static __attribute__((__noinline__)) u32 g(u32 x, u32 y) {
            +  { static u32 n = 9; x += n++; }
               { static u32 n = 1; x += n++; }
               return x * y;
             }
             u32 f(u32 x) { return g(x, 7) + g(x + 1, 7); }
            """)
        #expect(found.twins == [1: 1, 9: 0] && found.ids == [])
    }

    /// The line of the declaration stays, whatever its function is called now.
    @Test func aRenamedFunctionKeepsItsVariables() async throws {
        let found = try await outcome(
            """
            -u32 f(u32 x)
            +u32 g(u32 x)
             {
               static u32 n = 1;
               return n += x;
             }
            """)
        #expect(found.twins == [1: 1] && !found.ids.contains("warning variable-starts-anew"))
    }

    @Test func aFunctionThatMovesWithTwoOfOneName() async throws {
        let function = { (sign: String) in
            [
                "u32 f(u32 x) {", "  if ( x == 1 ) { static u32 once; x += once++; }", "  if ( x == 2 ) { static u32 once; x += once--; }", "  return x;", "}",
            ].map { sign + $0 + "\n" }.joined()
        }
        let found = try await outcome(function("-") + " u32 g(u32 x) {\n   return x * 5;\n }\n" + function("+"))
        #expect(found.set.errors == [] && found.set.names(.new) == [] && found.set.names(.changed) == [])
    }

    @Test func aBlockThatMovesAndComesTwiceIsRefused() async throws {
        let block = { (sign: String) in "\(sign)  if ( x & 1 ) {\n\(sign)    static u32 once;\n\(sign)    x += once++;\n\(sign)  }\n" }
        let found = try await outcome(
            " u32 f(u32 x) {\n   x ^= 1;\n" + block("-") + "   x ^= 2;\n" + block("+") + "   x ^= 3;\n" + block("+") + "   return x;\n }\n")
        #expect(found.set.errors.contains("correlation-ambiguous") && !found.set.records.contains { $0.item.role == .writable && $0.twin != nil })
    }

    // MARK: Lines that change

    @Test func theOnlyOneInTheOutermostBlockNeedsNoWarning() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
            -  static u32 n = 1;
            +  static u32 m = 2, n = 1;
            +  m++;
               return n += x;
             }
            """)
        #expect(found.twins[1] == 1 && found.evidence[1] == .onlyOneOfFunction && found.ids.allSatisfy { !$0.contains("correlation") })
    }

    @Test func anotherTypeUnderANamesakeIsRefused() async throws {
        let set = try await ObjectFixtures.compare(
            marked: """
                 u32 f(u32 x) {
                -  static u32 found;
                +  static unsigned short found[2];
                   if ( x == 7 ) {
                     sink("x");
                +    {
                +      static u32 found;
                +      x += found++;
                +    }
                   }
                -  return found += x;
                +  return found[1] += x;
                 }
                """)
        #expect(set.errors == ["data-type-changed"])
        #expect(set.diagnostics.first { $0.severity == .error }?.location?.line == 2)
    }

    @Test func anotherTypeUnderAnAliasIsRefused() async throws {
        let set = try await ObjectFixtures.compare(
            marked: """
                -static u32 caps[4];
                +static unsigned short caps[8];
                +extern typeof(caps) caps16 __attribute__((alias("caps")));
                 u32 f(u32 x) { return caps[x]++; }
                """)
        #expect(set.errors == ["data-type-changed"])
    }

    @Test func aRewrittenLineInABlockIsAWarning() async throws {
        let found = try await outcome(
            """
             u32 f(u32 x) {
               if ( x == 1 ) {
            -    static u32 once = 1;
            +    static volatile u32 once = 1;
            +    sink(0);
                 x += once++;
               }
               return x;
             }
            """)
        #expect(found.twins == [1: 1] && found.ids.contains("warning correlation-ambiguous"))
    }

    // MARK: Names

    @Test func aliasesThatChangeTheirVariableAreRefused() async throws {
        let set = try await ObjectFixtures.compare(
            marked: """
                 static u32 one = 1;
                -static u32 two = 2;
                +extern u32 two __attribute__((alias("one")));
                 u32 f(u32 x) { return (one += x) ^ (two += x); }
                """)
        #expect(set.errors.contains("correlation-ambiguous"))
    }

    @Test func swappedAssemblerLabelsAreRefused() async throws {
        let set = try await ObjectFixtures.compare(
            marked: """
                -static u32 one asm("x") = 1;
                -static u32 two asm("y") = 1;
                +static u32 one asm("y") = 1;
                +static u32 two asm("x") = 1;
                 u32 f(u32 x) { return (one += x) ^ (two -= x); }
                """)
        #expect(set.errors.contains("correlation-ambiguous"))
    }

    @Test func anAssemblerLabelThatGoesLeavesTheVariable() async throws {
        let found = try await outcome(
            """
            -static u32 one asm("x") = 1;
            +static u32 one = 1;
             u32 f(u32 x) { return one += x; }
            """)
        #expect(found.twins == [1: 1] && found.ids == [])
    }

    // MARK: Stacks

    @Test func aLineOfARunningPatchIsTheOriginals() async throws {
        let below =
            """
             u32 f(u32 x) {
            +  if ( x == 5 ) { static u32 once = 5; x += once++; }
               if ( x == 1 ) { static u32 once = 1; x += once++; }
               return x;
             }
            """
        let marked =
            """
             u32 f(u32 x) {
            +  if ( x == 9 ) { static u32 once = 9; x += once++; }
               if ( x == 5 ) { static u32 once = 5; x += once++; }
               if ( x == 1 ) { static u32 once = 1; x += once++; }
               return x;
             }
            """
        let found = try await outcome(["test.c": marked], below: ["test.c": below])
        #expect(found.twins == [1: 1, 5: 5, 9: 0] && found.ids == [])
    }
}
