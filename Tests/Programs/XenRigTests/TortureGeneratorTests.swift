import Testing

@testable import XenRig

@Suite("random files and patches, and what is known of them")
struct TortureGeneratorTests {
    @Test("the random numbers are those of SplitMix64") func splitMix() {
        var random = TortureRandom(seed: 1_234_567)
        #expect([random.next(), random.next(), random.next()] == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
        #expect(random.below(0) == 0 && random.pick([Int]()) == nil)
    }

    @Test("a seed makes the same files and patches again, and another seed others")
    func repeatable() {
        func texts(_ seed: UInt64) -> [String] {
            let files = TortureCase.files(seed: seed, count: 3, features: .all)
            let cases = (0..<30).compactMap { TortureCase.random($0, seed: seed, files: files, features: .all) }
            return (files + cases.flatMap(\.patched)).flatMap { [TortureText.source($0).text, TortureText.header($0).text] }
        }
        #expect(texts(7) == texts(7))
        #expect(texts(7) != texts(8))
    }

    @Test("the text means what the model says, before and after each kind of change", arguments: TortureMutation.allCases)
    func valid(_ kind: TortureMutation) {
        var applied = 0
        for seed in UInt64(1)...20 {
            let files = TortureCase.files(seed: seed, count: 1, features: .all)
            for file in files { #expect(file.isValid) }
            var mutator = TortureMutator(random: TortureRandom(seed: seed))
            guard let file = files.first, let changed = mutator.apply(kind, to: file) else { continue }
            applied += 1
            #expect(changed.isValid && changed != file)
        }
        #expect(applied > 0)
    }

    @Test("labels change no line's place, and stand at static variables of functions only")
    func labels() throws {
        for file in TortureCase.files(seed: 3, count: 4, features: .all) {
            let plain = TortureText.source(file), named = TortureText.source(file, withLabels: true)
            #expect(plain.declarations == named.declarations)
            #expect(!plain.text.contains("asm(\"tv_"))
            let locals = Set(file.functions.flatMap(\.body.allVariables).map(\.id))
            let lines = named.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (id, line) in named.declarations {
                #expect(lines[line - 1].contains("asm(\"tv_\(id)\")") == locals.contains(id))
            }
        }
    }

    @Test("a model whose text would mean another variable is not valid")
    func shadowed() throws {
        var file = try #require(TortureCase.files(seed: 5, count: 1, features: .all).first)
        let outer = TortureVariable(id: file.newID(), name: "n", form: .scalar(nil)), inner = TortureVariable(id: file.newID(), name: "n", form: .scalar(nil))
        let use = TortureStatement(id: file.newID(), kind: .scalar(variable: outer.id, form: 0), constant: 2)
        let nested = TortureStatement(
            id: file.newID(), kind: .nested(TortureBlock(id: file.newID(), variables: [inner], statements: [use])), constant: 3)
        file.functions[0].body = TortureBlock(id: file.newID(), variables: [outer], statements: [nested])
        #expect(!file.isValid)
        file.functions[0].body.removeVariable(inner.id)
        #expect(file.isValid)
    }

    @Test("the lines that a patch keeps") func keptLines() {
        let patch = "--- a/x\n+++ b/x\n@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n@@ -6,0 +7 @@\n+new\n"
        #expect(TorturePatch.keptLines(patch, count: 8) == [1: 1, 2: 2, 4: 4, 5: 5, 6: 6, 7: 8, 8: 9])
        #expect(TorturePatch.keptLines("", count: 2) == [1: 1, 2: 2])
    }

    @Test("lines that stay keep their numbers") func numbers() {
        #expect(OracleCompiler.numbered("a\nnew\nb\nc\n", [1: 1, 3: 2, 4: 3]) == "a\nnew\n#line 2\nb\nc\n")
        #expect(OracleCompiler.numbered("a\nb\n", [1: 1, 2: 2]) == "a\nb\n")
    }

    @Test("a compiler's command without its names") func command() {
        let words = TortureTree.shellWords(#"gcc -MMD -MP -MF a/.b.d -O2 '-D__OBJECT_LABEL__=a/b c.o' -DX=\"y\"  -c a/b.c -o a/.b.tmp -MQ a/b.o"#)
        #expect(TortureTree.withoutNames(words) == ["gcc", "-O2", "-D__OBJECT_LABEL__=a/b c.o", "-DX=\"y\""])
    }
}
