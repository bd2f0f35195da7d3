import ObjectDiff
import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import XenBuild
import XenVersions

@testable import LivepatchBuild

@Suite struct ObjectComparerTests {
    private let comparer = ObjectComparer(
        architecture: ObjectFixtures.Target.x86_64.architecture, version: .ofFixtures, abi: .livepatchV2)

    private func objects(_ original: String, _ patched: String, in folder: FilePath) async throws -> (FilePath, FilePath) {
        let (a, b) = (folder.appending("a"), folder.appending("b"))
        try await run("mkdir", [a.string, b.string])
        return (try await ObjectFixtures.compile(original, in: a), try await ObjectFixtures.compile(patched, in: b))
    }

    @Test("one object's comparison has what machine code, constants and types tell") func wholeComparison() async throws {
        let source = "struct s { TYPE v; }; struct s state; long get(void) { return state.v; } int same(void) { return 1; }\n"
        try await withTemporaryFolder { folder in
            let (a, b) = try await objects(source.replacing("TYPE", with: "int"), source.replacing("TYPE", with: "unsigned long"), in: folder)
            let changes = try comparer.compare(ObjectFile(a), ObjectFile(b), name: "test.o", source: "test.c")
            #expect(changes.names(.changed).contains("get") && !changes.names(.changed).contains("same"))
            #expect(changes.errors.contains("data-size-changed"))
            let pair = ObjectPair(name: "test.o", source: "test.c", original: a, patched: b)
            let layouts = try comparer.compareTypes([changes], of: [pair])
            #expect(layouts.changes.map(\.type) == ["struct s"])
            #expect(layouts.diagnostics[ObjectID("test.o")]?.map(\.severity) == [.error])
            // The user takes responsibility for it.
            let allowed = try comparer.compareTypes([changes], of: [pair], allowed: ["s"])
            #expect(allowed.diagnostics[ObjectID("test.o")]?.map(\.severity) == [.warning])
        }
    }

    @Test func whatIsOnOneSideOnlyIsComparedWithNothing() async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile("int f(void) { return 1; }\n", in: folder)
            let new = try comparer.compare(ObjectPair(name: "test.o", source: "test.c", original: nil, patched: object))
            #expect(new.names(.new) == ["f"] && new.diagnostics.allSatisfy { $0.id != .objectVanished })
            let gone = try comparer.compare(ObjectPair(name: "test.o", source: "test.c", original: object, patched: nil))
            #expect(gone.diagnostics.contains { $0.id == .objectVanished && $0.severity == .note && $0.location?.file == "test.c" })
        }
    }

    @Test func aFileThatIsOnlyCalledLikeAnObjectIsNone() async throws {
        try await withTemporaryFolder { folder in
            let text = try write("words", to: "words.o", in: folder)
            let isObject = try ObjectFile(ofOneSource: text) != nil
            #expect(!isObject)
            let (a, b) = try await objects("int f(void) { return 1; }\n", "int g(void) { return 1; }\n", in: folder)
            try await run("ld", ["-r", "-o", "both.o", a.string, b.string], in: folder)
            let isOfOneSource = try ObjectFile(ofOneSource: folder.appending("both.o")) != nil
            #expect(!isOfOneSource)
            #expect(try ObjectFile(ofOneSource: a)?.path == a)
        }
    }
}
