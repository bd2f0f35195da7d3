import SystemPackage
import Testing
import WorkFiles

@testable import SourcePatch

@Suite("Line numbers of unrelated code")
struct LineDirectiveTests {
    /// A line that begins with `+` is an added one, `-N` stands for N lines that went; the others are unchanged.
    func numbered(_ marked: String) -> (text: String, map: LineMap) {
        var content = ""
        var origins: [Int] = []
        var line = 0
        for bytes in splitLines(Array(marked.utf8)) {
            let text = String(decoding: bytes.dropLast(), as: UTF8.self)
            if text.hasPrefix("-"), let gone = Int(text.dropFirst()) {
                line += gone
            } else if text.hasPrefix("+") {
                origins.append(0)
                content += text.dropFirst() + "\n"
            } else {
                line += 1
                origins.append(line)
                content += text + "\n"
            }
        }
        let (bytes, map) = renumbered(Array(content.utf8), origins: origins)
        return (String(decoding: bytes, as: UTF8.self), map)
    }

    @Test(
        "Where the directive goes",
        arguments: [
            ("no change of the count", "a;\n-1\n+b;\nc;\n", "a;\nb;\nc;\n"),
            ("lines added", "a;\n+b;\n+c;\nd;\n", "a;\nb;\nc;\n#line 2\nd;\n"),
            ("lines removed", "a;\n-3\nd;\n", "a;\n#line 5\nd;\n"),
            ("first lines removed", "-2\nd;\n", "#line 3\nd;\n"),
            ("lines added at the end", "a;\n+b;\n", "a;\nb;\n"),
            ("two hunks", "a;\n+x;\nb;\n-1\nc;\n", "a;\nx;\n#line 2\nb;\n#line 4\nc;\n"),
            ("within a comment", "a; /*\n+ x (\n * y */\nb;\n", "a; /*\n x (\n * y */\n#line 3\nb;\n"),
            ("a comment sign in a string", "a(\"/*\");\n+x;\nb;\n", "a(\"/*\");\nx;\n#line 2\nb;\n"),
            ("a quotation mark in a comment", "// don't\n+x;\nb;\n/* \" */\n+x;\nc;\n", "// don't\nx;\n#line 2\nb;\n/* \" */\nx;\n#line 4\nc;\n"),
            ("a parenthesis as character", "a = '(';\n+x;\nb = '\\'';\n+(;\n", "a = '(';\nx;\n#line 2\nb = '\\'';\n(;\n"),
            ("within the arguments of a macro", "M(a,\n+x,\n  b,\n  c);\nd;\n", "M(a,\nx,\n  b,\n  c);\n#line 4\nd;\n"),
            ("before the arguments of a macro", "M\n+x M\n  (b);\nd;\n", "M\nx M\n  (b);\n#line 3\nd;\n"),
            ("within a macro's definition", "#define M(a) \\\n+  x(a \\\n  y\nd;\n", "#define M(a) \\\n  x(a \\\n  y\n#line 3\nd;\n"),
            ("a macro's body need not be balanced", "#define BEGIN f(\n+x;\nd;\n", "#define BEGIN f(\nx;\n#line 2\nd;\n"),
            ("a line that goes on", "int \\\n+x, \\\n  y;\nd;\n", "int \\\nx, \\\n  y;\n#line 3\nd;\n"),
            ("no safe place", "M(a,\n+x,\n  b);\n", "M(a,\nx,\n  b);\n"),
            (
                "branches that open different numbers", "#ifdef A\nf(x,\n#else\ng(h(x,\n#endif\n+ z\n y);\n}\n\nd;\n",
                "#ifdef A\nf(x,\n#else\ng(h(x,\n#endif\n z\n y);\n}\n#line 8\n\nd;\n"
            ),
            (
                "branches that open the same", "#ifdef A\nf(x,\n#else\ng(x,\n#endif\n+ z\n y);\nd;\n",
                "#ifdef A\nf(x,\n#else\ng(x,\n#endif\n z\n y);\n#line 7\nd;\n"
            ),
            ("within a conditional group", "#if A\n+x;\nb;\n#endif\nc;\n", "#if A\nx;\n#line 2\nb;\n#endif\n#line 4\nc;\n"),
            (
                "both branches and behind", "#if A\n+x;\nb;\n#else\nc;\n#endif\nd;\n",
                "#if A\nx;\n#line 2\nb;\n#else\n#line 4\nc;\n#endif\n#line 6\nd;\n"
            ),
            ("CRLF", "a;\r\n+b;\r\nc;\r\n", "a;\r\nb;\r\n#line 2\r\nc;\r\n"),
        ])
    func places(_ name: String, _ marked: String, _ expected: String) {
        #expect(numbered(marked).text == expected, "\(name)")
    }

    @Test("Reported lines lead back to real ones, all of them")
    func lineMap() {
        let map = numbered("a;\n+x;\n+y;\nb;\nc;\n-1\nd;\n").map
        // 1 a, 2 x (reported 2), 3 y (3), 4 b (2), 5 c (3), 6 d (5)
        #expect(map.realLines(forReported: 1) == [1])
        #expect(map.realLines(forReported: 2) == [2, 4])
        #expect(map.realLines(forReported: 3) == [3, 5])
        #expect(map.realLines(forReported: 4) == [])
        #expect(map.realLines(forReported: 5) == [6])
        #expect(map.realLines(forReported: Int.max) == [] && map.realLines(forReported: Int.min) == [])
        let same = numbered("a;\n-1\n+b;\n").map
        #expect(same.isIdentity && same.realLines(forReported: 7) == [7])
    }

    @Test("Only C files get directives; new, copied and removed ones need none")
    func kinds() throws {
        let patch = GitOracleTests.change
        for (path, has) in [("xen/a.c", true), ("xen/a.h", true), ("xen/a.S", true), ("xen/xen.lds.S", false), ("xen/Makefile", false), ("xen/x.lds", false)] {
            let result = try TestTree([path: numberedLines(9)]).apply(patch.replacing("xen/common/kernel.c", with: path))
            #expect(result.files.first?.text.contains("#line") == has, "\(path)")
            #expect(result.files.first?.plainText.contains("#line") == false)
        }
        let new = try TestTree().apply("--- /dev/null\n+++ b/xen/n.c\n@@ -0,0 +1,2 @@\n+a\n+b\n")
        #expect(new.files.first?.text == "a\nb\n")
    }

    static let function = "int %(int x) { if (x > 7) bug(__FILE__, __LINE__); return x + __LINE__; }\n"

    @Test("A function below a hunk compiles to the same bytes, in a source file and in a header")
    func sameCode() async throws {
        let header = "#define UP 1\nstatic inline int up(int x) { return x + __LINE__; }\nstatic const char *name(void) { return __FILE__; }\n"
        let source =
            "#include \"x.h\"\nvoid bug(const char *, int);\nint above(int x) { return x; }\n/* text */\n"
            + Self.function.replacing("%", with: "below")
            + "int user(int x) { bug(name(), up(x)); return __LINE__; }\n"
        let tree = try TestTree(["xen/x.c": source, "xen/x.h": header])
        let result = try tree.apply(
            "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,5 +1,7 @@\n #include \"x.h\"\n void bug(const char *, int);\n-int above(int x) { return x; }\n+int above(int x)\n+{\n+    return x + 1; }\n /* text */\n "
                + Self.function.replacing("%", with: "below")
                + "--- a/xen/x.h\n+++ b/xen/x.h\n@@ -1,2 +1,4 @@\n #define UP 1\n+\n+\n static inline int up(int x) { return x + __LINE__; }\n".replacing(
                    "@@ -1,2 +1,4 @@", with: "@@ -1,3 +1,5 @@")
                + " static const char *name(void) { return __FILE__; }\n")
        for file in result.files {
            guard case .write(let content, _) = file.change else { continue }
            try WorkFiles.makeFolder(tree.folder.appending("ready/xen"))
            try WorkFiles.makeFolder(tree.folder.appending("plain/xen"))
            try WorkFiles.write(content, to: tree.folder.appending("ready").appending(file.path))
            try WorkFiles.write(file.plainContent ?? [], to: tree.folder.appending("plain").appending(file.path))
        }
        for folder in ["tree", "ready", "plain"] {
            let compile =
                "gcc -Wall -Werror -Wno-unused-function -O2 -ffunction-sections -c xen/x.c -o x.o"
                + " && for f in above below user; do objcopy -O binary -j .text.$f x.o $f || exit 1; done"
                + " && objcopy -O binary -j .rodata.str1.1 x.o strings"
            #expect(try await sh(compile, in: tree.folder.appending(folder)), "\(folder)")
        }
        #expect(try await sh("test -s tree/below && cmp tree/below ready/below && cmp tree/user ready/user && cmp tree/strings ready/strings", in: tree.folder))
        #expect(try await sh("! cmp tree/above ready/above", in: tree.folder))
        // Without the directives the same functions differ: the comparison can fail.
        #expect(try await sh("! cmp tree/below plain/below && ! cmp tree/user plain/user", in: tree.folder))
    }

    @Test("The preprocessor numbers unchanged lines as before, in every configuration", arguments: 1...12)
    func preprocessed(_ seed: Int) async throws {
        var random = SplitMix(state: UInt64(seed))
        var source = RandomSource()
        source.write(depth: 0, &random)
        source.close()
        let (original, patched, origins) = source.patched(&random)
        let (ready, map) = renumbered(Array(patched.joined().utf8), origins: origins)
        let tree = try TestTree(["x.c": original.joined()])
        try tree.write(ready, to: "y.c")
        var compared = 0
        for flags in ["", "-DA", "-DB", "-DA -DB"] {
            let gcc = "gcc -E -P -Wall -Werror \(flags)"
            #expect(try await sh("\(gcc) x.c > x.i && \(gcc) y.c > y.i", in: tree.top))
            let before = try Self.marks(tree.top.appending("x.i"))
            let after = try Self.marks(tree.top.appending("y.i"))
            for (mark, line) in before {
                // A mark that the patch removed is not there any more.
                guard let now = after[mark] else { continue }
                #expect(now == line, "\(mark) with '\(flags)'")
                let real = try #require(patched.firstIndex { $0.contains("\(mark) ") })
                #expect(map.realLines(forReported: now).contains(real + 1), "\(mark)")
                compared += 1
            }
        }
        #expect(compared > 20)
    }

    /// `uN = LINE;` in preprocessed text.
    static func marks(_ path: FilePath) throws -> [String: Int] {
        var marks: [String: Int] = [:]
        for line in String(decoding: try readWhole(path, limit: 1 << 20) ?? [], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4, words[1].hasPrefix("u"), let number = Int(words[3].dropLast()) else { continue }
            marks[String(words[1])] = number
        }
        return marks
    }
}

/// C text with all that makes it hard to place a directive, and marks whose numbers the preprocessor tells.
struct RandomSource {
    private(set) var lines: [(text: String, isFixed: Bool)] = []
    private var marks = 0

    mutating func mark() {
        marks += 1
        lines.append(("int u\(marks) = __LINE__;\n", false))
    }

    private mutating func fixed(_ text: String...) { lines += text.map { ($0 + "\n", true) } }

    /// Ends with a mark outside all groups.
    mutating func close() { mark() }

    mutating func write(depth: Int, _ random: inout SplitMix) {
        for _ in 0..<(depth == 0 ? 14 : 3) {
            mark()
            switch Int.random(in: 0..<9, using: &random) {
            case 0: fixed("/* a \" comment", " * that (goes on", " */")
            case 1: fixed("#define M\(lines.count)(x) ( \\", "    x \\", "    '(')")
            case 2: fixed("char *s\(lines.count) = \"/* ( \";")
            case 3: fixed("// it's \" a ( comment")
            case 4: fixed("void f\(lines.count)(int a,", "       int b);")
            case 5...6 where depth < 3:
                fixed(["#ifdef A", "#ifndef B", "#if defined(A) && \\\n    defined(B)"].randomElement(using: &random) ?? "#if A")
                write(depth: depth + 1, &random)
                if Bool.random(using: &random) {
                    fixed(["#else", "#elif defined(B)", "# else /* no (\n A */", "#else // A"].randomElement(using: &random) ?? "#else")
                    write(depth: depth + 1, &random)
                }
                fixed("#endif")
            default: break
            }
        }
    }

    /// The lines before and after a random change, and where those after come from.
    func patched(_ random: inout SplitMix) -> (original: [String], patched: [String], origins: [Int]) {
        // Texts of several lines count as that many.
        let original = lines.flatMap { line in splitLines(Array(line.text.utf8)).map { (String(decoding: $0, as: UTF8.self), line.isFixed) } }
        var patched: [String] = []
        var origins: [Int] = []
        var added = 0
        for (index, (text, isFixed)) in original.enumerated() {
            if !isFixed {
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    for _ in 0...Int.random(in: 0..<3, using: &random) {
                        added += 1
                        patched.append("int n\(added) = __LINE__;\n")
                        origins.append(0)
                    }
                case 1 where index > 0: continue
                default: break
                }
            }
            patched.append(text)
            origins.append(index + 1)
        }
        return (original.map(\.0), patched, origins)
    }
}
