import Testing

@testable import XenRig

@Suite("random changes of headers")
struct HeaderChangeTests {
    private static let header = """
        #ifndef X_H
        #define X_H
        #define SIZE 16
        #define TWICE(x) ((x) * 2)
        #define LONG(x) \\
            (x)
        enum kind {
            FIRST,
        };
        struct thing
        {
            int a;
        };
        int known(int a);
        static inline int get(struct thing *p)
        {
            return p->a;
        }
        #endif
        """

    private func change(_ kind: HeaderChange.Kind, _ text: String = header) -> HeaderChange? {
        var random = TortureRandom(seed: 1)
        return HeaderChange(kind, of: "include/x.h", text: text, &random)
    }

    @Test("each kind finds its place", arguments: HeaderChange.Kind.allCases)
    func places(kind: HeaderChange.Kind) throws {
        let after = try #require(change(kind)).after
        let lines = after.split(separator: "\n", omittingEmptySubsequences: false), old = Self.header.split(separator: "\n", omittingEmptySubsequences: false)
        let new = lines.filter { !old.contains($0) }.joined(separator: "\n")
        let wanted =
            switch kind {
            case .inlineAdded: "static inline int one_more"
            case .inlineChanged: "    int __attribute__((unused)) one_more"
            case .macroAdded, .conditionAdded: "#define one_more"
            case .macroChanged: "#define TWICE(x) (((x) * 2))"
            case .constantChanged: "#define SIZE 17"
            case .prototypeAdded: "int one_more"
            case .attributeAdded: "int known(int a) __attribute__((cold));"
            case .enumeratorAdded: "    one_more"
            case .memberAdded: "    unsigned long one_more"
            case .includeAdded: "#include <xen/"
            case .variableDeclared: "extern unsigned long one_more"
            }
        #expect(new.contains(wanted), "\(new)")
        #expect(lines.last == "#endif" && lines.count - old.count <= 5)
    }

    @Test("there is no place in an empty header", arguments: HeaderChange.Kind.allCases)
    func noPlace(kind: HeaderChange.Kind) { #expect(change(kind, "\n") == nil) }

    @Test("the same seed makes the same change") func repeats() { #expect(change(.macroAdded)?.after == change(.macroAdded)?.after) }

    @Test("the text lists every fault") func table() {
        var table = HeaderRun.Table()
        (table.tried, table.useless, table.unseen, table.readers, table.spared, table.different) = (5, 1, 1, 300, 290, 4)
        table.faults = ["3: common/x.o differs and was left out"]
        #expect(
            table.text == """
                5 changes, 1 of which do not compile; 1 compile except for an object that was left out
                300 objects read a changed header: 290 were left out, 4 differ
                1 faults
                  3: common/x.o differs and was left out

                """)
    }
}
