import ArchX86_64
import Diagnostics
import ELFModel
import ObjectDiff
import ObjectFixtures
import PayloadLinker
import SystemPackage
import TestTools
import Testing
import XenSource
import XenVersions

@Suite struct PayloadLinkerTests {
    /// Compiles originals and patched versions, links the originals into a hypervisor, and makes a payload for it.
    static func link(
        _ sources: [(name: String, original: String, patched: String)], for target: ObjectFixtures.Target = .x86_64,
        options: LinkOptions = LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures)
    ) async throws -> (outcome: LinkOutcome, image: XenImage) {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            var originals: [FilePath] = []
            var sets: [ChangeSet] = []
            for source in sources {
                let left = try await ObjectFixtures.compile(source.original, name: source.name, for: target, in: a)
                let right = try await ObjectFixtures.compile(source.patched, name: source.name, for: target, in: b)
                originals.append(left)
                sets.append(try ObjectFixtures.compare(left, right, name: source.name, for: target))
            }
            let image = try await ObjectFixtures.link(originals, for: target, in: folder)
            let outcome = try linkPayload(sets, onto: RunningHypervisor(image), architecture: target.architecture, options: options)
            try outcome.diagnostics.requireCatalogued()
            return (outcome, image)
        }
    }

    /// Links a change of `test.c` for a hypervisor that was made of other sources.
    static func link(
        _ original: String, _ patched: String, for hypervisor: [(name: String, source: String)], of target: ObjectFixtures.Target = .x86_64
    ) async throws -> LinkOutcome {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            let set = try ObjectFixtures.compare(
                try await ObjectFixtures.compile(original, for: target, in: a), try await ObjectFixtures.compile(patched, for: target, in: b),
                name: "test.c", for: target)
            var objects: [FilePath] = []
            for (name, source) in hypervisor { objects.append(try await ObjectFixtures.compile(source, name: name, for: target, in: folder)) }
            let image = try await ObjectFixtures.link(objects, for: target, in: folder)
            let outcome = try linkPayload(
                [set], onto: RunningHypervisor(image), architecture: target.architecture,
                options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            try outcome.diagnostics.requireCatalogued()
            return outcome
        }
    }

    static func link(_ original: String, _ patched: String) async throws -> LinkOutcome {
        try await link([("test.c", original, patched)]).outcome
    }

    static func file(_ outcome: LinkOutcome) throws -> ELFFile {
        try ELFFile(bytes: try #require(outcome.payload, "\(outcome.diagnostics)").bytes, name: "payload")
    }

    @Test func replacesExactlyTheChangedFunction() async throws {
        let (outcome, image) = try await Self.link([
            (
                "test.c", "u32 f(u32 x) { return x * 1000003 + 100; } u32 g(u32 x) { return x * 1000003 + 200; }",
                "u32 f(u32 x) { return x * 1000003 + 101; } u32 g(u32 x) { return x * 1000003 + 200; }"
            )
        ])
        let payload = try #require(outcome.payload)
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.functions[0].oldAddress == image.global("f")?.address)
        #expect(payload.companions.isEmpty)
        #expect(payload.depends == image.buildID)
        #expect(payload.verifiedFunctions == 1)
        #expect(payload.fileName == "test.livepatch")
    }

    @Test func hasWhatTheLoaderAsksFor() async throws {
        let outcome = try await Self.link(
            "u32 f(u32 x) { printk(\"a\"); return x * 1000003 + 100; }", "u32 f(u32 x) { printk(\"b\"); return x * 1000003 + 101; }")
        let file = try Self.file(outcome)
        let sections = Dictionary(uniqueKeysWithValues: file.sections.map { ($0.name, $0) })
        let functions = try #require(sections[".livepatch.funcs"])
        #expect(functions.size == 104)
        #expect(functions.data[32] == 2)
        for name in [".livepatch.depends", ".livepatch.xen_depends", ".note.gnu.build-id"] {
            #expect(BuildIDNote.parse(try #require(sections[name]).data)?.count == 20)
        }
        #expect(file.sections.dropFirst().allSatisfy { $0.alignment >= 1 && $0.alignment.nonzeroBitCount == 1 })
        #expect(!file.sections.contains { $0.name.hasPrefix(".debug") || ($0.isWritable && $0.isExecutable) })
        let architecture = ArchX86_64()
        for relocation in file.sections.flatMap(\.relocations) {
            #expect(architecture.relocationKind(relocation.type)?.isLoadable == true)
            #expect(relocation.symbol != 0)
        }
    }

    @Test func theSameInputsGiveTheSameBytes() async throws {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            let original = try await ObjectFixtures.compile("u32 f(u32 x) { return x * 1000003; }", in: a)
            let patched = try await ObjectFixtures.compile("static u32 n; u32 f(u32 x) { return x * 1000003 + ++n; }", in: b)
            let image = try await ObjectFixtures.link([original], in: folder)
            func payload() throws -> [UInt8]? {
                let set = try ObjectFixtures.compare(original, patched, name: "test.c")
                let options = LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures)
                return try linkPayload([set], onto: RunningHypervisor(image), architecture: ArchX86_64(), options: options).payload?.bytes
            }
            let first = try #require(try payload())
            #expect(try payload() == first)
        }
    }

    @Test func callsGoToTheOldAddressAlsoOfReplacedFunctions() async throws {
        let outcome = try await Self.link(
            "noinline u32 f(u32 x) { return x * 1000003 + 100; } u32 g(u32 x) { sink(0); return f(x) * 7 + 200; }",
            "noinline u32 f(u32 x) { return x * 1000003 + 101; } u32 g(u32 x) { sink(0); return f(x) * 7 + 201; }")
        #expect(outcome.payload?.functions.map(\.name) == ["f", "g"])
        #expect(outcome.payload?.references.map(\.name) == ["f", "sink"])
    }

    /// The trampoline at the old address begins without a mark for indirect calls where the old function had none.
    @Test(arguments: [true, false])
    func theAddressOfAFunctionThatGetsAMarkIsThatOfAJump(isNew: Bool) async throws {
        let mark = "asm volatile ( \"endbr64\" );"
        let f = { (mark: String, n: Int) in "noinline u32 f(u32 x) { \(mark) return x * 1000003 + \(n); }\n" }
        let outcome = try await Self.link(
            f(isNew ? "" : mark, 100) + "u32 g(u32 x) { return f(x) * 7; }",
            f(mark, 101) + "u32 g(u32 x) { sink((void *)f); return f(x) * 7; }\n"
                + "static void *p __attribute__((used, section(\".livepatch.hooks.load\"))) = f;")
        let file = try Self.file(outcome)
        let text = try #require(file.sections.firstIndex { $0.name == ".text" })
        let pointer = try #require(file.sections.first { $0.name == ".rela.livepatch.hooks.load" }?.relocations.first)
        let relocations = try #require(file.sections.first { $0.name == ".rela.text" }).relocations
        let taken = relocations.filter { file.symbols[$0.symbol].place == .section(text) }
        if isNew {
            #expect(file.symbols[pointer.symbol].place == .section(text))
            #expect(Array(file.sections[text].data.dropFirst(Int(pointer.addend)).prefix(5)) == [0xf3, 0x0f, 0x1e, 0xfa, 0xe9])
            #expect(taken.map(\.addend) == [pointer.addend - 4])
        } else {
            #expect(file.symbols[pointer.symbol].name == "f")
            #expect(taken.isEmpty)
        }
        // The call goes to the old address at once.
        #expect(relocations.contains { file.symbols[$0.symbol].name == "f" && $0.type == 4 })
    }

    @Test func newFunctionsAreFoundAcrossObjects() async throws {
        let (outcome, _) = try await Self.link([
            (
                "one.c", "u32 f(u32 x) { return x * 1000003 + 100; }",
                "static noinline u32 inner(u32 x) { sink(0); return x * 3; }\nu32 outer(u32 x) { return inner(x) + inner(x + 1); } u32 f(u32 x) { return x * 1000003 + 100; }"
            ),
            ("two.c", "u32 g(u32 x) { return x * 1000003 + 200; }", "u32 outer(u32 x); u32 g(u32 x) { return outer(x) + 200; }"),
        ])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["g"])
        #expect(payload.companions.map(\.name).sorted() == ["inner", "outer"])
        #expect(payload.references.map(\.name) == ["sink"])
    }

    /// Code that runs at boot and later may call what is there at boot only, behind a test; whether the object that has it was
    /// compiled as well makes no difference.
    @Test(arguments: [true, false])
    func aReferenceToBootCodeThatWasThereStays(isNew: Bool) async throws {
        let user = { (n: Int, call: Bool) in
            "extern u32 setup(u32); u32 f(u32 x) { \(call ? "if ( x == 7 ) setup(x);" : "sink(&x);") return x * 1000003 + \(n); }"
        }
        let boot = { (n: Int) in "u32 __init setup(u32 x) { return x * \(n); }" }
        for after in [boot(3), boot(5)] {
            let (outcome, _) = try await Self.link([
                ("one.c", user(1, !isNew), user(2, true)), ("two.c", boot(3), after),
            ])
            let errors = outcome.diagnostics.filter { $0.severity == .error }.map(\.id)
            #expect(errors == (isNew ? [.initCodeNeeded] : []), "\(outcome.diagnostics)")
        }
    }

    // MARK: Definitions that move to another file

    @Test func aFunctionThatMovesAndChangesIsReplaced() async throws {
        let f = { (n: Int) in "u32 f(u32 x) { printk(\"f\"); return x * 1000003 + \(n); }" }
        let rest = "u32 rest(u32 x) { return x * 1000003; }"
        let (outcome, image) = try await Self.link([
            ("one.c", "\(f(100)) \(rest)", rest), ("two.c", "u32 g(u32 x) { return x; }", "u32 g(u32 x) { return x; } \(f(101))"),
        ])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.functions[0].oldAddress == image.global("f")?.address)
        #expect(payload.verifiedFunctions == 1)
        #expect(payload.companions.isEmpty)
    }

    @Test func aFunctionThatOnlyMovesIsLeftAlone() async throws {
        let f = "u32 f(u32 x) { printk(\"f\"); return x * 1000003; }"
        let rest = "u32 rest(u32 x) { return x * 1000003; }"
        let (outcome, _) = try await Self.link([
            ("one.c", "\(f) \(rest)", rest), ("two.c", "u32 g(u32 x) { return x; }", "u32 g(u32 x) { return x; } \(f)"),
        ])
        #expect(outcome.payload == nil)
        #expect(!outcome.diagnostics.contains { $0.severity == .error })
    }

    @Test func aVariableThatMovesKeepsItsValue() async throws {
        let (outcome, image) = try await Self.link([
            ("one.c", "u32 v = 7;", "extern u32 v; u32 unused;"),
            ("two.c", "extern u32 v; u32 g(u32 x) { return x * 1000003 + v; }", "u32 v = 7; u32 g(u32 x) { return x * 1000003 + v + 1; }"),
        ])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.companions.isEmpty)
        #expect(payload.references.map(\.address) == [image.global("v")?.address])
    }

    @Test(arguments: [("u32 v = 8;", "data-initialiser-changed"), ("u32 v[2] = { 7 };", "data-size-changed")])
    func aVariableThatMovesAndChangesIsRefused(patched: String, id: String) async throws {
        let (outcome, _) = try await Self.link([("one.c", "u32 v = 7;", ""), ("two.c", "u32 g;", "u32 g; \(patched)")])
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id.rawValue) == [id])
    }

    @Test func aStaticVariableThatMovesIsRefused() async throws {
        let f = { (n: Int) in "u32 f(u32 x) { return v += x * \(n); }" }
        let (outcome, _) = try await Self.link([
            ("one.c", "static u32 v; u32 other; \(f(3))", "u32 other;"),
            ("two.c", "u32 g(u32 x) { return x * 1000003; }", "u32 g(u32 x) { return x * 1000003; } static u32 v; \(f(5))"),
        ])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.correlationAmbiguous])
    }

    @Test(arguments: [("static u32 v;", "u32 v;"), ("u32 v;", "static u32 v;"), ("static u32 v;", "static u32 v[2];")])
    func aVariableThatIsStaticInOneOfTwoFilesIsRefused(before: String, after: String) async throws {
        let f = { (n: Int) in "u32 f(u32 x) { return *(u32 *)&v += x * \(n); }" }
        let (outcome, _) = try await Self.link([
            ("one.c", "\(before) u32 other; \(f(3))", "u32 other;"),
            ("two.c", "u32 g(u32 x) { return x * 1000003; }", "u32 g(u32 x) { return x * 1000003; } \(after) \(f(5))"),
        ])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.correlationAmbiguous])
    }

    /// The hypervisor has one of them only, and other objects are bound to it.
    @Test(arguments: [
        (
            "noinline u32 n(u32 x) { printk(\"old\"); return x * 7; }", "static noinline u32 n(u32 x) { printk(\"old\"); return x * 7; }",
            "u32 n(u32 x) { printk(\"new\"); return x * 9; }", "n(x)"
        ),
        (
            "noinline u32 n(u32 x) { printk(\"old\"); return x * 7; }", "static noinline u32 n(u32 x) { printk(\"mine\"); return x * 5; }",
            "u32 n(u32 x) { printk(\"old\"); return x * 7; }", "n(x)"
        ),
        ("u32 n;", "static u32 n;", "u32 n;", "(n += x)"), ("u32 n = 4;", "static u32 n = 4;", "u32 n = 4;", "(n += x)"),
        ("u32 n[2];", "static u32 n[2];", "u32 n[4];", "(n[x & 1] += x)"),
    ])
    func aNewGlobalBesideOneThatBecomesStaticIsRefused(old: String, kept: String, new: String, use: String) async throws {
        let f = "u32 f(u32 x) { sink(0); return \(use) * 1000003; }", g = { (n: Int) in "u32 g(u32 x) { sink(0); return x * \(n); }" }
        let (outcome, _) = try await Self.link([
            ("one.c", "\(old) \(f)", "\(kept) \(f)"), ("two.c", g(1_000_003), "\(new) \(g(1_000_005)) u32 h(u32 x) { return \(use); }"),
        ])
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.id) == [.globalNameMoved] && outcome.payload == nil, "\(outcome.diagnostics)")
        #expect(errors.allSatisfy { $0.message.contains("one.c") && $0.message.contains("two.c") })
    }

    /// Names of static locals come and go; one moves only when its function does.
    @Test(arguments: [("f", [DiagnosticID.correlationAmbiguous]), ("h", [DiagnosticID]())])
    func aStaticLocalMovesWithItsFunction(name: String, errors: [DiagnosticID]) async throws {
        let function = { (name: String, n: Int) in "u32 \(name)(u32 x) { static u32 count; return count += x * \(n); }" }
        let g = "u32 g(u32 x) { return x * 1000003; }"
        let (outcome, _) = try await Self.link([
            ("one.c", "u32 other; \(function("f", 3))", "u32 other;"), ("two.c", g, "\(g) \(function(name, 5))"),
        ])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == errors, "\(outcome.diagnostics)")
    }

    private static let weakF = "u32 __attribute__((weak)) f(u32 x) { printk(\"weak\"); return x * 7; }"

    @Test func aWeakDefinitionDoesNotReplaceAStrongOne() async throws {
        let f = "u32 f(u32 x) { printk(\"f\"); return x * 1000003; }"
        let g = { (n: Int) in "u32 f(u32); u32 g(u32 x) { sink(0); return f(x) * 1000003 + \(n); }" }
        let (outcome, _) = try await Self.link([("one.c", f, f), ("two.c", g(1), "\(Self.weakF) \(g(2))")])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["g"])
        #expect(payload.companions.isEmpty)
        #expect(payload.references.map(\.name) == ["f", "sink"])
    }

    @Test func aWeakDefinitionTakesThePlaceOfAStrongOneThatIsGone() async throws {
        let f = "u32 f(u32 x) { printk(\"f\"); return x * 1000003; }", rest = "u32 rest(u32 x) { return x * 1000003; }"
        let g = "u32 g(u32 x) { return x * 1000003; }"
        let (outcome, _) = try await Self.link([("one.c", "\(f) \(rest)", rest), ("two.c", g, "\(g) \(Self.weakF)")])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.verifiedFunctions == 1)
    }

    /// The patch brings a weak default with its user, and in another file the strong one.
    @Test func aReferenceToAWeakDefinitionMeansTheStrongOneOfAnotherFile() async throws {
        let g = { (call: String) in "u32 g(u32 x) { sink(0); return \(call) + 1; }" }, h = "u32 h(u32 x) { return x * 1000003; }"
        let strong = "u32 f(u32 x) { printk(\"strong\"); return x * 1000003; }"
        let (outcome, _) = try await Self.link([("one.c", g("x"), "\(Self.weakF) \(g("f(x)"))"), ("two.c", h, "\(h) \(strong)")])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        let text = String(decoding: payload.bytes, as: UTF8.self)
        #expect(text.contains("strong\0") && !text.contains("weak\0"))
        #expect(payload.companions.map(\.name) == ["f"])
    }

    /// Whatever uses the static name would get the new function, too.
    @Test func aDefinitionOfAnAliasThatAnotherFileHasIsRefused() async throws {
        let g = "u32 g(u32 x) { return x * 1000003; }"
        let two =
            "static noinline u32 impl(u32 x) { sink(0); return x * 7; } u32 f(u32) __attribute__((weak, alias(\"impl\"))); u32 k(u32 x) { return impl(x) + 1; }"
        let outcome = try await Self.link(g, "\(g) u32 f(u32 x) { sink(0); return x; }", for: [("test.c", g), ("two.c", two)])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.globalNameMoved], "\(outcome.diagnostics)")
    }

    @Test func aWeakDefinitionMayChangeTogetherWithTheStrongOne() async throws {
        let weak = { (n: Int) in "u32 __attribute__((weak)) f(u32 x) { return x * \(n); }" },
            strong = { (n: Int) in "u32 f(u32 x) { sink(0); return x * \(n); }" }
        let (outcome, _) = try await Self.link([("one.c", strong(1_000_003), strong(1_000_005)), ("two.c", weak(1_000_033), weak(1_000_037))])
        #expect(outcome.payload?.functions.map(\.name) == ["f"], "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.contains { $0.id == .globalNameMoved && $0.severity == .warning })
    }

    /// Only the strong one is in the hypervisor, so a new weak body changes nothing there; and it must not take the strong one's place.
    @Test(arguments: [1_000_003, 7])
    func aChangedWeakDefinitionDoesNotReplaceAStrongOne(strong: Int) async throws {
        let weak = { (n: Int) in "u32 __attribute__((weak)) f(u32 x) { return x * \(n); }" }
        let hypervisor = [("test.c", weak(1_000_003)), ("two.c", "u32 f(u32 x) { return x * \(strong); }")]
        let outcome = try await Self.link(weak(1_000_003), weak(1_000_005), for: hypervisor)
        #expect(outcome.payload == nil && outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.globalNameMoved])
        #expect(try await Self.link(weak(1_000_003), weak(1_000_005), for: [hypervisor[0]]).payload?.functions.map(\.name) == ["f"])
    }

    /// A weak definition of a file that the patch does not touch takes the strong one's place in the source, for callers of other files.
    @Test(arguments: [("", "is gone"), ("static __attribute__((used)) ", "becomes static"), ("extern ", "")])
    func aStrongDefinitionThatGoesIsRefusedIfItHasCallers(mark: String, words: String) async throws {
        let g = { (n: Int) in "u32 g(u32 x) { return x * \(n); }" }
        let f = "u32 f(u32 x) { sink(0); return x * 1000003; }", weak = "__attribute__((weak)) u32 f(u32 x) { return x * 7; }"
        let caller = "u32 f(u32); u32 h(u32 x) { return f(x) + 1; }"
        let kept = mark == "" ? "" : mark == "extern " ? f : mark + f
        let outcome = try await Self.link(
            "\(f) \(g(1_000_003))", "\(kept) \(g(1_000_005))", for: [("test.c", "\(f) \(g(1_000_003))"), ("two.c", weak), ("three.c", caller)])
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.id) == (words == "" ? [] : [.globalNameMoved]), "\(outcome.diagnostics)")
        #expect(errors.allSatisfy { $0.message.contains("'f' \(words), and 'h' still uses it") })
        // Without callers it is no loss.
        let alone = try await Self.link(
            "\(f) \(g(1_000_003))", "\(kept) \(g(1_000_005))", for: [("test.c", "\(f) \(g(1_000_003))"), ("two.c", weak)])
        #expect(alone.payload != nil)
    }

    /// The changed function, one of another file or a table of another file uses it; or no one does.
    @Test(
        arguments: [
            ("x + v", "", "g"), ("x", "u32 h(void) { extern u32 v; return v; }", "h"), ("x", "void h(void) { extern u32 v; v = 8; }", "h"),
            ("x", "extern u32 v; u32 *const h[] = { 0, &v };", "h"), ("x", "", nil),
            ("x", "u32 w[64]; u32 h(u32 x) { return w[x] + w[9]; }", nil),
        ] as [(String, String, String?)], [.x86_64, .arm64, .arm32] as [ObjectFixtures.Target])
    func aStrongVariableThatGoesIsRefusedIfItHasUsers(change: (use: String, other: String, user: String?), target: ObjectFixtures.Target) async throws {
        let v = "extern u32 v;", g = { (n: Int) in "u32 g(u32 x) { return (\(change.use)) * \(n); }" }
        let (before, after) = ("\(v) u32 v = 5; \(g(1_000_003))", "\(v) \(g(1_000_005))")
        let outcome = try await Self.link(
            before, after, for: [("test.c", before), ("two.c", "__attribute__((weak)) u32 v = 3;"), ("three.c", change.other)], of: target)
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.id) == (change.user == nil ? [] : [.globalNameMoved]), "\(outcome.diagnostics)")
        #expect(errors.allSatisfy { $0.message.contains("variable 'v' is gone, and '\(change.user ?? "-")' still uses it") }, "\(errors)")
    }

    /// The weak definition is in the same patch, or the name that goes is one of several.
    @Test(arguments: [
        ("u32 f(u32 x) { sink(0); return x * 3; }", ""),
        ("u32 e(u32 x) { sink(0); return x * 3; } u32 f(u32) __attribute__((alias(\"e\")));", "u32 e(u32 x) { sink(0); return x * 3; }"),
    ])
    func aStrongNameThatGoesIsRefusedWhereverTheWeakOneIs(before: String, after: String) async throws {
        let weak = { (n: Int) in "__attribute__((weak)) u32 f(u32 x) { return x * 7; } u32 g(u32 x) { return x * \(n); }" }
        let call = "u32 f(u32); u32 h(u32 x) { return f(x) + 1; }"
        let (outcome, _) = try await Self.link([("one.c", before, after), ("two.c", weak(1_000_003), weak(1_000_005)), ("three.c", call, call)])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.globalNameMoved], "\(outcome.diagnostics)")
    }

    /// Each name of a place leads where the hypervisor's linker let it lead.
    @Test(arguments: [("w(x)", "w"), ("e(x)", "e"), ("v", "v")])
    func aWeakAliasLeadsToTheStrongDefinition(use: String, name: String) async throws {
        let start = {
            "u32 noinline e(u32 x) { sink(0); return x; } u32 w(u32) __attribute__((weak, alias(\"e\"))); u32 d = 3; "
                + "extern u32 v __attribute__((weak, alias(\"d\"))); u32 k(u32 x) { return w(x) + v; } "
        }()
        let g = { (use: String) in start + "u32 g(u32 x) { sink(0); return x + \(use); }" }
        let hypervisor = [("test.c", g("0")), ("two.c", "u32 w(u32 x) { return x + 4; } u32 v = 5;")]
        let outcome = try await Self.link(g("0"), g(use), for: hypervisor)
        let used = try Self.file(outcome).symbols.filter { ["w", "e", "v", "d"].contains($0.name) }.map(\.name)
        #expect(used == [name], "\(outcome.diagnostics)")
        // One name for the other is a change.
        let swapped = try await Self.link(g("0"), g("0").replacing("return w(x) + v", with: "return e(x) + d"), for: hypervisor)
        #expect(swapped.payload?.functions.map(\.name) == ["k"], "\(swapped.diagnostics)")
    }

    /// It stays where it is, and that place may not be good enough.
    @Test(arguments: [(64, true), (4096, false)])
    func aGlobalThatMovesKeepsItsAlignment(alignment: Int, isGood: Bool) async throws {
        let page = { (bytes: Int) in "char page[64] __attribute__((aligned(\(bytes))));" }
        let f = { (n: Int) in "u32 f(u32 x) { page[x & 63]++; return x * \(n); }" }
        let (outcome, _) = try await Self.link([
            ("one.c", "char first[64] = { 1 }; \(page(64)) \(f(3))", "char first[64] = { 1 }; extern char page[64]; \(f(5))"),
            ("two.c", "char other = 1;", "char other = 1; \(page(alignment))"),
        ])
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.id) == (isGood ? [] : [.placementChanged]), "\(outcome.diagnostics)")
        #expect(!outcome.diagnostics.contains { $0.id == .dataLeftBehind })
    }

    @Test func aSecondWeakDefinitionIsRefused() async throws {
        let g = "u32 g(u32 x) { return x * 1000003; }"
        let first = "u32 __attribute__((weak)) f(u32 x) { return x * 1000003; }"
        let (outcome, _) = try await Self.link([("one.c", first, first), ("two.c", g, "\(g) \(Self.weakF)")])
        #expect(outcome.diagnostics.filter { $0.severity == .error }.map(\.id) == [.globalNameMoved])
    }

    @Test(arguments: [
        ("u32 g(u32 x) { return x * 1000033; }", "u32 g(u32 x) { return x * 1000033; } u32 f(u32) __attribute__((alias(\"g\")));", "another name of 'g'"),
        (
            "static noinline u32 f(u32 x) { sink(0); return x * 7; } u32 g(u32 x) { return f(x) * 1000033; }",
            "noinline u32 f(u32 x) { sink(0); return x * 7; } u32 g(u32 x) { return f(x) * 1000033; }", "what was static"
        ),
    ])
    func aNameThatGoesToSomethingOlderIsRefused(original: String, patched: String, words: String) async throws {
        let rest = "u32 rest(u32 x) { return x * 1000003; }"
        let (outcome, _) = try await Self.link([
            ("one.c", "\(rest) u32 f(u32 x) { return x * 1000003 + 1; }", rest), ("two.c", original, patched),
        ])
        let errors = outcome.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.id) == [.globalNameMoved], "\(outcome.diagnostics)")
        #expect(errors.allSatisfy { $0.message.contains("defined in one.c, and becomes \(words) in two.c") }, "\(errors)")
    }

    /// The strong definition takes the weak one's place when a hypervisor is linked.
    @Test func aStrongDefinitionReplacesAWeakOne() async throws {
        let weak = "u32 __attribute__((weak)) f(u32 x) { return x * 1000003 + 100; }"
        let (outcome, image) = try await Self.link([
            ("one.c", weak, weak), ("two.c", "u32 g(u32 x) { return x; }", "u32 g(u32 x) { return x; } u32 f(u32 x) { return x * 1000003 + 101; }"),
        ])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.functions[0].oldAddress == image.global("f")?.address)
        #expect(outcome.diagnostics.map(\.id).contains(.originalNotCompared))
    }

    @Test func staticFunctionsAndVariablesAreTheRunningOnes() async throws {
        let source = { (n: Int) in
            "static u32 count; static noinline u32 h(u32 x) { sink(&count); return x + 1; } u32 f(u32 x) { return h(x) + count++ + \(n); }"
        }
        let outcome = try await Self.link(source(5), source(6))
        let payload = try #require(outcome.payload)
        #expect(payload.companions.isEmpty)
        #expect(Set(payload.references.map(\.name)) == ["test.c#count", "test.c#h"])
        let file = try Self.file(outcome)
        #expect(file.symbols.contains { $0.name == "test.c#h" && $0.isUndefined })
    }

    @Test func newVariablesTravelAlongUnderNamesOfTheirOwn() async throws {
        let outcome = try await Self.link(
            "u32 f(u32 x) { return x * 1000003 + 100; }", "static u32 zero; u32 set = 7; u32 f(u32 x) { return x * 1000003 + ++zero + ++set; }")
        let payload = try #require(outcome.payload)
        #expect(payload.companions.map(\.name).sorted() == ["set", "zero"])
        #expect(outcome.diagnostics.map(\.id) == [.writableDataInPayload])
        let file = try Self.file(outcome)
        let names = file.symbols.filter(\.isObject).map(\.name)
        #expect(names.count == 2)
        #expect(names.allSatisfy { $0.contains("~") })
    }

    @Test func tableEntriesComeWithTheirFunctionsOnly() async throws {
        let source = { (n: Int) in
            "void f(void) { TRY(\"nop\"); WARN(); ALTERNATIVE(\"nop; nop; nop\", \"xorl %%eax, %%eax\"); sink((void *)\(n)L); }\nvoid g(void) { TRY(\"cld\"); WARN(); WARN(); ALTERNATIVE(\"nop; nop\", \"cld\"); }"
        }
        let outcome = try await Self.link(source(5), source(6))
        #expect(outcome.payload?.functions.map(\.name) == ["f"])
        #expect(outcome.payload?.tableEntries == [".bug_frames.1": 1, ".ex_table": 1, ".altinstructions": 1])
        let file = try Self.file(outcome)
        #expect(file.sections.first { $0.name == ".bug_frames.1" }?.size == 8)
        #expect(file.sections.first { $0.name == ".altinstr_replacement" }.map { $0.isExecutable && $0.size == 2 } == true)
        #expect(file.sections.first { $0.name == ".fixup" }?.isExecutable == true)
    }

    @Test func aBugFrameReachesTheHypervisorOverAJump() async throws {
        let source = { (n: Int) in "void handler(u32 x) { sink(0); printk(0); } void f(void) { RUN(handler); sink((void *)\(n)L); }" }
        let outcome = try await Self.link(source(5), source(6))
        let file = try Self.file(outcome)
        let text = try #require(file.sections.firstIndex { $0.name == ".text" })
        let frame = try #require(file.sections.first { $0.name == ".rela.bug_frames.0" }).relocations
        // Both fields lead into the payload's text; the second to an ENDBR64 and a jump.
        #expect(frame.allSatisfy { file.symbols[$0.symbol].place == .section(text) })
        let jump = Int(frame[1].addend - 4)
        #expect(Array(file.sections[text].data[jump..<jump + 5]) == [0xf3, 0x0f, 0x1e, 0xfa, 0xe9])
        let slot = try #require(file.sections.first { $0.name == ".rela.text" }?.relocations.first { $0.offset == UInt64(jump + 5) })
        #expect(file.symbols[slot.symbol].name == "handler")
    }

    @Test(arguments: [("load", 2, true), ("apply", 1, true), ("apply", 2, false), ("never", 1, false)])
    func hooksComeAlongWhereTheFormatHasThem(hook: String, count: Int, isTaken: Bool) async throws {
        let hooks = (0..<count).map {
            "static void h\($0)(void) { sink((void *)\($0)L); } static void *p\($0) __attribute__((used, section(\".livepatch.hooks.\(hook)\"))) = h\($0);\n"
        }.joined()
        let outcome = try await Self.link("u32 f(u32 x) { return x * 1000003; }", "u32 f(u32 x) { return x * 1000003; }\n" + hooks)
        if isTaken {
            let file = try Self.file(outcome)
            #expect(file.sections.first { $0.name == ".livepatch.hooks.\(hook)" }?.size == UInt64(8 * count))
            #expect(outcome.payload?.functions.isEmpty == true)
        } else {
            #expect(outcome.payload == nil)
            #expect(Set(outcome.diagnostics.map(\.id)) == [.hookNotSupported])
        }
    }

    @Test func aFunctionTooShortForTheJumpIsRefused() async throws {
        let outcome = try await Self.link("void f(void) { }", "void f(void) { sink(0); }")
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [.functionTooShort])
    }

    @Test("assembly without a size is not blamed on another source") func aFunctionWithoutASize() async throws {
        let source = { (n: Int) in
            "asm ( \".pushsection .text.fast, \\\"ax\\\"\\n.globl fast\\nfast: lea \(n)(%rdi), %eax\\n ret\\n.popsection\" ); extern u32 fast(u32);"
                + "u32 f(u32 x) { return fast(x) + 100; }"
        }
        let outcome = try await Self.link(source(1), source(2))
        #expect(outcome.payload == nil && outcome.unequal.isEmpty)
        #expect(outcome.diagnostics.filter { $0.id == .functionTooShort }.first?.message.contains("has no size") == true, "\(outcome.diagnostics)")
    }

    @Test("a message about data without a symbol names its user and its section") func dataWithoutASymbol() async throws {
        let source = { (n: Int) in
            "u32 f(u32 step) { u32 r = step; asm volatile ( \"lock xaddl %0, 1f(%%rip)\\n.pushsection .data\\n.balign 4\\n1: .long 1\\n.popsection\" "
                + ": \"+r\" (r) : : \"memory\" ); return r * 1000003 + \(n); }"
        }
        let found = try #require(try await Self.link(source(1), source(7)).diagnostics.first { $0.id == .dataNotInHypervisor })
        #expect(found.message.hasPrefix("'f' uses data without a symbol in section .data, which can't be found") && found.symbol == nil)
    }

    @Test func anUnknownSymbolIsRefused() async throws {
        let outcome = try await Self.link("u32 f(u32 x) { return x * 1000003 + 100; }", "extern u32 nowhere(u32); u32 f(u32 x) { return nowhere(x) + 1; }")
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [.symbolNotInHypervisor])
        #expect(outcome.diagnostics.first?.message.contains("nowhere") == true)
    }

    @Test func newlyNeededBootCodeIsRefused() async throws {
        let boot = "static u32 __init noinline boot(u32 x) { sink(0); return x; } u32 __init start(u32 x) { return boot(x); }"
        let outcome = try await Self.link(boot + "u32 f(u32 x) { return x * 1000003 + 100; }", boot + "u32 f(u32 x) { return boot(x) * 5 + 1; }")
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [.initCodeNeeded])
    }

    @Test func anotherHypervisorIsRefused() async throws {
        let f = { (n: Int) in "u32 f(u32 x) { return x * 1000003 + \(n); }" }
        let outcome = try await Self.link(f(100), f(101), for: [("test.c", f(55))])
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [.originalDiffers])
    }

    /// A static function is looked for among the symbols of its file.
    @Test(arguments: [
        ("noinline", "test.c", "u32 other(u32 x) { return x; }", DiagnosticID.functionNotInHypervisor),
        ("static noinline", "other.c", "static noinline u32 f(u32 x) { sink(0); return x * 3; } u32 g(u32 x) { return f(x) * 5; }", .symbolAmbiguous),
    ])
    func aFunctionThatIsNotFoundIsRefused(kind: String, file: String, source: String, id: DiagnosticID) async throws {
        let change = { (n: Int) in "\(kind) u32 f(u32 x) { sink(0); return x * \(n); } u32 g(u32 x) { return f(x) * 5; }" }
        let outcome = try await Self.link(change(3), change(7), for: [(file, source)])
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [id], "\(outcome.diagnostics)")
    }

    @Test func aNewVariableWithANameOfAnUntouchedFileIsRefused() async throws {
        let f = { (n: Int) in "u32 f(u32 x) { return x * 1000003 + \(n); }" }
        let outcome = try await Self.link(f(1), "u32 limit = 5; \(f(2))", for: [("test.c", f(1)), ("other.c", "u32 limit = 7;")])
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id) == [.globalNameTaken], "\(outcome.diagnostics)")
    }

    @Test func aFunctionThatIsNoBootCodeAnyMoreIsNamed() async throws {
        let setup = { (mark: String) in "u32 \(mark) noinline setup(u32 x) { sink(&x); return x * 3; }" }
        let outcome = try await Self.link(
            "\(setup("__init")) u32 f(u32 x) { return x * 1000003; }", "\(setup("")) u32 f(u32 x) { return setup(x) * 1000003; }")
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"] && payload.companions.map(\.name) == ["setup"])
        #expect(outcome.diagnostics.map(\.id) == [.initMarkDropped] && outcome.diagnostics.map(\.severity) == [.warning])
    }

    @Test func whatTheHypervisorFreedIsNeverPatched() async throws {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            let original = try await ObjectFixtures.compile("u32 f(u32 x) { return x * 1000003 + 100; }", in: a)
            let patched = try await ObjectFixtures.compile("u32 f(u32 x) { return x * 1000003 + 101; }", in: b)
            let linked = folder.appending("linked.o")
            try await run("objcopy", ["--rename-section", ".text.f=.init.text", original.string, linked.string])
            let image = try await ObjectFixtures.link([linked], in: folder)
            #expect(image.global("f")?.isFreedAfterBoot == true)
            let outcome = try linkPayload(
                [try ObjectFixtures.compare(original, patched, name: "test.c")], onto: RunningHypervisor(image), architecture: ArchX86_64(),
                options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            #expect(outcome.payload == nil)
            #expect(outcome.diagnostics.map(\.id) == [.initOnlyChange])
        }
    }

    @Test func codeBehindAFunctionStaysWithIt() async throws {
        let source = { (n: Int) in
            "u32 f(u32 x) { asm volatile ( \"testl %0, %0\\n jz 1f\\n 2:\\n .subsection 1\\n 1: incl %0\\n jmp 2b\\n .subsection 0\" : \"+r\" (x) ); sink(0); return x * 3 + \(n); }"
        }
        let (outcome, image) = try await Self.link([("test.c", source(5), source(6))])
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.functions[0].newSize > image.global("f")?.size ?? .max)
        #expect(payload.verifiedFunctions == 1)
    }

    @Test func aFunctionAndItsColdPartLeadToEachOther() async throws {
        let source = { (n: Int) in
            """
            extern void __attribute__((cold)) complain(const char *, u32); u32 noinline other(u32 x) { sink(0); return x * 3; }
            void __attribute__((cold)) complain(const char *t, u32 x) { sink(t); sink(0); }
            u32 f(u32 *x, u32 n) { u32 r = other(n); if ( r == 9 ) { complain("text", n); x[1] += other(r) + \(n); } return r + other(x[2]); }
            """
        }
        let outcome = try await Self.link(source(5), source(6))
        let payload = try #require(outcome.payload, "\(outcome.diagnostics)")
        #expect(payload.functions.map(\.name) == ["f"])
        #expect(payload.companions.map(\.reason) == [.coldPart])
        #expect(!payload.references.contains { $0.name.contains("cold") })
    }

    @Test func codeThatJumpsToItsNeighbourIsRefused() async throws {
        let source = { (n: Int) in
            "static noinline u32 __attribute__((section(\".text.shared\"))) g(u32 x) { sink(0); return x * 7; } u32 __attribute__((section(\".text.shared\"))) f(u32 x) { return g(x) * 1000003 + \(n); }"
        }
        let outcome = try await Self.link(source(5), source(6))
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.map(\.id).contains(.relocationNotUnderstood))
    }

    @Test func nothingChangedIsNoPayload() async throws {
        let outcome = try await Self.link("u32 f(u32 x) { return x * 1000003 + 100; }", "u32 f(u32 x) { return 100 + x * 1000003; }")
        #expect(outcome.payload == nil)
        #expect(outcome.diagnostics.isEmpty)
    }

    @Test func prelinkedReferencesAreAddresses() async throws {
        let (outcome, image) = try await Self.link(
            [("test.c", "u32 f(u32 x) { sink(0); return x * 1000003 + 100; }", "u32 f(u32 x) { sink(0); return x * 1000003 + 101; }")],
            options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures, prelink: true))
        let file = try Self.file(outcome)
        #expect(!file.symbols.dropFirst().contains { $0.isUndefined })
        #expect(file.symbols.contains { $0.place == .absolute && $0.value == image.global("sink")?.address })
    }
}
