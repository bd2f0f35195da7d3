import Diagnostics
import SystemPackage
import Testing
import WorkFiles
import XenBuild
import XenSource

@Suite struct BuildObjectPairsTests {
    private let one = "#include \"shared.h\"\nextern int two(int); int one(int a) { return two(two_times(a)) + 1; }\nvoid start(void) {}\n"

    private let two = "#include <generated.h>\nint two(int a) { return a + generated + 1; }\n"

    private func build(_ request: BuildRequest) async throws -> BuildOutcome { try await buildObjectPairs(request) { _ in } }

    @Test func aChangedSourceGivesOnePairAndLeavesTheTreeAlone() async throws {
        try await FakeTree.with { fake in
            let before = try fake.state()
            let outcome = try await build(fake.request(["xen/common/one.c": one]))
            #expect(outcome.pairs.map(\.name) == ["common/one.o"])
            #expect(outcome.objectCount == 3)
            #expect(outcome.compiled == 2)
            #expect(outcome.diagnostics.isEmpty)
            let pair = try #require(outcome.pairs.first)
            #expect(pair.source == "common/one.c")
            let original = try WorkFiles.read(#require(pair.original)), patched = try WorkFiles.read(#require(pair.patched))
            #expect(original != patched)
            #expect(try fake.state() == before)
            #expect(try WorkFiles.names(in: fake.cache.appending("work")).isEmpty)

            let again = try await build(fake.request(["xen/common/one.c": one]))
            #expect(again.compiled == 0 && again.fromCache == 2)
            #expect(again.pairs == outcome.pairs)

            // A damaged object is noticed and compiled again.
            try WorkFiles.write(Array("junk".utf8), to: #require(pair.original))
            let repaired = try await build(fake.request(["xen/common/one.c": one]))
            #expect(repaired.compiled == 1)
            #expect(try WorkFiles.read(#require(pair.original)) == original)
        }
    }

    /// Each of them would be a fix left out, or an object of something else than the user's source.
    @Test(
        "a prepared tree that lost something is noticed and made again",
        arguments: ["recording", "generated header", "source", "link", "end of the list of files", "marker"])
    func damagedTrees(_ what: String) async throws {
        try await FakeTree.with { fake in
            try WorkFiles.makeLink(at: fake.tree.appending("xen/include/asm"), to: "../common")
            let request = try fake.request(["xen/common/two.c": two])
            let outcome = try await build(request)
            let bytes = try WorkFiles.read(#require(outcome.pairs.first?.patched))
            let place = try #require(WorkFiles.names(in: fake.cache.appending("trees")).map { fake.cache.appending("trees/\($0)") }.first)
            func attempt() throws -> FilePath {
                try #require(WorkFiles.names(in: place).map { place.appending($0) }.first { WorkFiles.isFolder($0) })
            }
            let first = try attempt()
            // What commands have there for a moment is no damage.
            try WorkFiles.write(Array("junk".utf8), to: first.appending("tree/xen/include/other.tmp"))
            _ = try await build(request)
            #expect(try attempt() == first)

            switch what {
            case "recording":
                let objects = first.appending("recording/objects")
                try WorkFiles.remove(objects.appending(#require(WorkFiles.names(in: objects).first)))
            case "generated header": try WorkFiles.write([], to: first.appending("tree/xen/include/generated.h"))
            case "source":
                // As many bytes as there were.
                let path = first.appending("tree/xen/common/two.c")
                let source = try WorkFiles.readText(path)
                try WorkFiles.write(Array(source.replacing("+", with: "-").utf8), to: path)
            case "link":
                try WorkFiles.remove(first.appending("tree/xen/include/asm"))
                try WorkFiles.makeLink(at: first.appending("tree/xen/include/asm"), to: "../include")
            case "end of the list of files":
                let list = try WorkFiles.read(place.appending("files"))
                let end = try #require(list.dropLast().lastIndex(of: 0))
                try WorkFiles.write(Array(list[...end]), to: place.appending("files"))
            default: try WorkFiles.write(Array("junk".utf8), to: place.appending("complete"))
            }
            #expect(try cacheUsage(of: fake.cache).trees.count == 1)
            try WorkFiles.remove(fake.cache.appending("objects"))
            let again = try await build(request)
            #expect(try attempt() != first)
            #expect(again.pairs.map(\.name) == ["common/two.o"] && again.objectCount == outcome.objectCount)
            #expect(try WorkFiles.read(#require(again.pairs.first?.patched)) == bytes)
        }
    }

    /// With a directive, `read` keeps the number of its line, which is that of the line above it then.
    @Test("names that macros make from line numbers collide with no directive") func lineNumbersInNames() async throws {
        let source = { (more: String) in
            "#define CAT_(a, b) a##b\n#define CAT(a, b) CAT_(a, b)\n#define EVENT(f) int CAT(v_, __LINE__) = 1; int f(void) { return CAT(v_, __LINE__); }\n"
                + "int two(int a) { return a; }\n\(more)EVENT(read)\n"
        }
        try await FakeTree.with { fake in
            try fake.put("xen/common/two.c", source(""))
            let plain = source("EVENT(open)\n")
            var request = try fake.request(["xen/common/two.c": plain])
            let directives = plain.replacing("EVENT(read)", with: "#line 5\nEVENT(read)")
            request.patch.files[0].change = .write(content: Array(directives.utf8), executable: false)
            request.patch.files[0].plainContent = Array(plain.utf8)
            let outcome = try await build(request)
            #expect(outcome.pairs.map(\.name) == ["common/two.o"] && outcome.shiftsLines)
            #expect(outcome.diagnostics.map(\.id) == [.lineNumbersShifted] && outcome.diagnostics.map(\.severity) == [.note])
        }
    }

    @Test("a source that does not compile either way is still an error") func noCompileEitherWay() async throws {
        try await FakeTree.with { fake in
            var request = try fake.request(["xen/common/two.c": "int two(int a) { return b; }\n"])
            request.patch.files[0].change = .write(content: Array("#line 3\nint two(int a) { return b; }\n".utf8), executable: false)
            await #expect(throws: BuildError.self) { try await build(request) }
        }
    }

    @Test func headersReachTheObjectsThatReadThem() async throws {
        try await FakeTree.with { fake in
            let header = "static inline int two_times(int a) { return a * 3; }\n"
            let outcome = try await build(fake.request(["xen/include/shared.h": header]))
            #expect(outcome.pairs.map(\.name) == ["common/one.o"])
            #expect(try depths(fake) == ["headers"])
        }
    }

    /// A tree in which two objects read `shared.h`, and a request with a new inline function in it.
    private func withTwoReaders(adding text: String, _ body: (FakeTree, BuildRequest) async throws -> Void) async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/common/two.c", "#include \"shared.h\"\n" + two)
            var request = try fake.request(["xen/include/shared.h": text + "static inline int two_times(int a) { return a * 2; }\n"])
            request.sparing = .withoutEffect
            try await body(fake, request)
        }
    }

    @Test("an object that emits nothing of what a header changes is not compiled, but one of them stands for the rest")
    func nothingThatIsEmitted() async throws {
        try await withTwoReaders(adding: "static inline int not_used(int a) { return a * 3; }\n") { _, request in
            let outcome = try await build(request)
            #expect(outcome.pairs.map(\.name) == ["common/one.o"] && outcome.compiled == 2)
            #expect(outcome.decisions.map(\.object) == ["common/one.o", "common/two.o"])
            #expect(outcome.decisions.map(\.reason) == [.standsForReaders(of: "include/shared.h"), .withoutEffect])
            // What was found out about the sources is kept.
            let again = try await build(request)
            #expect(again.pairs == outcome.pairs && again.decisions == outcome.decisions && again.compiled == 0 && again.fromCache == 2)

            var all = request
            all.sparing = .none
            let everything = try await build(all)
            #expect(everything.pairs.map(\.name) == ["common/one.o", "common/two.o"] && everything.compiled == 2)
            #expect(everything.decisions.allSatisfy { $0.reason == .reads(["include/shared.h"]) })
        }
    }

    @Test("an object that emits what a header changes is compiled, and stands for those that do not")
    func somethingThatIsEmitted() async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/common/two.c", "#include \"shared.h\"\n" + two)
            var request = try fake.request(["xen/include/shared.h": "static inline int two_times(int a) { return a * 3; }\n"])
            request.sparing = .withoutEffect
            let outcome = try await build(request)
            #expect(outcome.pairs.map(\.name) == ["common/one.o"])
            #expect(outcome.decisions.map(\.reason) == [.reads(["include/shared.h"]), .withoutEffect])
        }
    }

    @Test("a header that does not compile is seen though nothing uses it") func brokenHeader() async throws {
        try await withTwoReaders(adding: "static inline int not_used(int a) { return b; }\n") { _, request in
            await #expect { try await build(request) } throws: { ($0 as? BuildError)?.message.contains("common/one.c (patched) does not compile") == true }
        }
    }

    @Test func objectsWhoseSourcesSayTheSameAreNotCompiled() async throws {
        try await FakeTree.with { fake in
            let comment = "// twice as much\n\nstatic inline int two_times(int a)\t{ return a * 2; }\n"
            let outcome = try await build(fake.request(["xen/include/shared.h": comment.replacing("\t", with: " ")]))
            #expect(outcome.pairs.isEmpty && outcome.compiled == 0 && outcome.fromCache == 0)
            // The file is in an object; that it changes nothing there is for the differ to say.
            #expect(outcome.diagnostics.isEmpty)
            #expect(try depths(fake) == ["headers"])
        }
    }

    @Test func generatedHeadersAreMadeAgain() async throws {
        try await FakeTree.with { fake in
            let outcome = try await build(fake.request(["xen/include/source.h": "enum { generated = 6 };\n"]))
            #expect(outcome.pairs.map(\.name) == ["common/two.o"])
            // Its effect is in an object, by way of what was made from it.
            #expect(outcome.diagnostics.isEmpty)
            #expect(try depths(fake) == ["everything", "everything", "headers"])
        }
    }

    @Test func nothingIsMadeAgainWhenTheSameWouldComeOfIt() async throws {
        try await FakeTree.with { fake in
            // The makefile does not say that it is read.
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put("xen/Makefile", makefile.replacing("include/source.h", with: "common/offsets.c"))
            try fake.put("xen/common/offsets.c", "#include \"../include/source.h\"\n")
            let same = try await build(fake.request(["xen/include/source.h": "enum { generated = 5 }; // still\n"]))
            #expect(same.pairs.isEmpty)
            #expect(same.diagnostics.map(\.id) == [.fileNotBuilt] && same.diagnostics.map(\.severity) == [.note])
            #expect(try depths(fake) == ["headers"])
            let other = try await build(fake.request(["xen/include/source.h": "enum { generated = 6 };\n"]))
            #expect(other.pairs.map(\.name) == ["common/two.o"] && other.diagnostics.isEmpty)
            #expect(try depths(fake) == ["everything", "everything", "headers"])
        }
    }

    @Test func assemblyIsCompiledToo() async throws {
        try await FakeTree.with { fake in
            let outcome = try await build(fake.request(["xen/common/asm.S": "\t.globl code\ncode:\tnop\n\tret\n"]))
            #expect(outcome.pairs.map(\.name) == ["common/asm.o"])
        }
    }

    @Test func addedAndRemovedObjectsHaveOneSide() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
                .replacing("common/asm.o", with: "common/three.o")
            let outcome = try await build(
                fake.request([
                    "xen/Makefile": makefile, "xen/common/three.c": "int three(void) { return 3; }\n", "xen/common/asm.S": nil,
                ]))
            #expect(outcome.pairs.map(\.name) == ["common/asm.o", "common/three.o"])
            #expect(outcome.pairs.map { $0.original == nil } == [false, true])
            #expect(outcome.pairs.map { $0.patched == nil } == [true, false])
            // The makefile had its effect, though no object was made from it.
            #expect(!outcome.diagnostics.contains { $0.location?.file == "Makefile" })
        }
    }

    @Test func aFlagInTheMakefileConcernsEveryObject() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
                .replacing("-O2", with: "-O1")
            #expect(try await build(fake.request(["xen/Makefile": makefile])).pairs.count == 3)
        }
    }

    @Test func filesInNoObjectAreNamed() async throws {
        try await FakeTree.with { fake in
            let outcome = try await build(fake.request(["xen/docs.md": "other\n", "xen/include/unused.h": "int other;\n"]))
            #expect(outcome.pairs.isEmpty)
            #expect(outcome.diagnostics.map(\.id) == [.fileNotBuilt, .fileNotBuilt])
            #expect(outcome.diagnostics.map { $0.location?.file } == ["docs.md", "include/unused.h"])
            #expect(outcome.diagnostics.map(\.severity) == [.note, .warning])
        }
    }

    @Test func compilerErrorsAreTold() async throws {
        try await FakeTree.with { fake in
            let error = try await #require(throws: BuildError.self) {
                try await build(fake.request(["xen/common/one.c": "int broken( {\n"]))
            }
            #expect(error.exitCode == .buildFailed)
            #expect(error.message.hasPrefix("common/one.c (patched) does not compile: common/one.c:1:13: error: "))
            #expect(WorkFiles.isReadableFile(try #require(error.log)))
            #expect(try WorkFiles.names(in: fake.cache.appending("work")).isEmpty)
        }
    }

    @Test func anOriginalThatDoesNotBuildIsNoExpectedLinkFailure() async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/include/source.h", "#error no\n")
            let error = try await #require(throws: BuildError.self) {
                try await build(fake.request(["xen/common/two.c": "#include <generated.h>\nint two(int a) { return generated; }\n"]))
            }
            #expect(error.message.contains("the original tree does not build: include/source.h:1:2: error: #error no"))
        }
    }

    /// The names of the prepared trees in the cache, without their keys.
    private func depths(_ fake: FakeTree) throws -> [String] {
        try WorkFiles.names(in: fake.cache.appending("trees")).map { $0.hasSuffix("-headers") ? "headers" : "everything" }.sorted()
    }

    @Test func singleSourcesNeedNoMoreThanHeaders() async throws {
        try await FakeTree.with { fake in
            let first = try await build(fake.request(["xen/common/two.c": two]))
            #expect(first.pairs.map(\.name) == ["common/two.o"] && first.objectCount == 3)
            #expect(try depths(fake) == ["headers"])
            // A tree with everything serves as well, and what was compiled in one counts in the other.
            _ = try await build(fake.request(["xen/docs.md": "other words\n"]))
            #expect(try depths(fake) == ["everything", "everything", "headers"])
            let again = try await build(fake.request(["xen/common/two.c": two]))
            #expect(again.pairs == first.pairs && again.compiled == 0)
        }
    }

    @Test(arguments: [
        (
            "what a folder makes for its own objects", "common/%.o: common/%.c\n",
            "common/two.o: common/made.h\ncommon/made.h:\n\techo 'enum { made = 3 };' > $@\ncommon/%.o: common/%.c\n"
        ),
        ("a command that only a shell understands", "\t$(CC) $(FLAGS) -c $< -o $@", "\t$(CC) $(FLAGS) $$MORE -c $< -o $@"),
        ("objects that other names stand for", "ALL_OBJS", "OBJS"),
    ])
    func everythingIsMadeFor(what: String, old: String, new: String) async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put("xen/Makefile", makefile.replacing(old, with: new))
            let include = new.contains("made.h") ? "#include \"made.h\"\n" : ""
            try fake.put("xen/common/two.c", include + two.replacing("+ 1", with: ""))
            let outcome = try await build(fake.request(["xen/common/two.c": include + two]))
            #expect(outcome.pairs.map(\.name) == ["common/two.o"] && outcome.objectCount == 3)
            #expect(try depths(fake).contains("everything"), "\(what)")
        }
    }

    /// As Xen's are for EFI: without its object, there is no telling what such a source includes.
    @Test("a source that is linked to by the rule that compiles it is found by the headers it includes", arguments: ["other/linked.c", "other/named.c"])
    func linkedSources(place: String) async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put(
                "xen/Makefile",
                makefile.replacing("ALL_OBJS := ", with: "ALL_OBJS := common/linked.o ")
                    + "\ncommon/linked.o: common/linked.c\ncommon/linked.c: \(place)\n\tln -nsf ../$< $@\n")
            try fake.put("xen/\(place)", "#include \"shared.h\"\nint linked(int a) { return two_times(a) + 1; }\n")
            let outcome = try await build(fake.request(["xen/include/shared.h": "static inline int two_times(int a) { return a + a + 1; }\n"]))
            #expect(outcome.pairs.map(\.name) == ["common/linked.o", "common/one.o"])
            // A source that names no header of the patch needs none of that.
            _ = try await build(fake.request(["xen/common/two.c": two]))
        }
    }

    @Test func whatMakeWouldDoIsAskedInACopyWhileHeadersAreMade() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put("xen/Makefile", makefile + "\nsyncconfig:\n\ttrue\n")
            try fake.put("xen/tools/kconfig/Makefile", "# has the target syncconfig\n")
            let outcome = try await build(fake.request(["xen/common/two.c": two]))
            #expect(outcome.pairs.map(\.name) == ["common/two.o"] && outcome.objectCount == 3)
            #expect(try depths(fake) == ["headers"])
            let logs = try WorkFiles.names(in: fake.folder.appending("logs"))
            #expect(logs.contains("early-dry-run-original.log") && !logs.contains("dry-run-original.log"))
            var copies: [String] = []
            try WorkFiles.walk(fake.cache) { path, _ in
                if path.hasSuffix("/dry-run") { copies.append(path) }
                return true
            }
            #expect(copies == [])
        }
    }

    @Test func aLinkOutOfTheTreeCountsByWhatItLeadsTo() async throws {
        try await FakeTree.with { fake in
            let outside = fake.folder.appending("outside.h"), link = fake.tree.appending("xen/include/shared.h")
            try WorkFiles.remove(link)
            try WorkFiles.makeLink(at: link, to: outside.string)
            let patch = ["xen/common/one.c": "#include \"shared.h\"\nextern int two(int); int one(int a) { return two_times(a); }\nvoid start(void) {}\n"]
            var objects: [[UInt8]] = []
            for factor in 2...3 {
                try WorkFiles.write(Array("static inline int two_times(int a) { return a * \(factor); }\n".utf8), to: outside)
                let outcome = try await build(fake.request(patch))
                #expect(outcome.fromCache == 0)
                objects.append(try WorkFiles.read(try #require(outcome.pairs.first?.original)))
            }
            #expect(objects[0] != objects[1])
        }
    }

    @Test func anotherCompilerOfTheSameNameAndVersionIsAnother() async throws {
        try await FakeTree.with { fake in
            let wrapper = fake.folder.appending("mycc")
            var compiled: [Int] = []
            for flag in ["-DONE", "-DOTHER", "-DOTHER"] {
                let script = Array("#!/bin/sh\nexec gcc \(flag) \"$@\"\n".utf8)
                if (try? WorkFiles.read(wrapper)) != script { try WorkFiles.write(script, to: wrapper, executable: true) }
                compiled.append(try await build(fake.request(["xen/common/two.c": two], compiler: wrapper.string)).compiled)
            }
            #expect(compiled == [2, 2, 0])
        }
    }

    @Test func aSourceThatOthersReadNeedsEverything() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put("xen/Makefile", makefile.replacing("include/source.h", with: "common/source.c"))
            try fake.put("xen/common/source.c", "enum { generated = 6 };\n")
            let outcome = try await build(fake.request(["xen/common/source.c": "enum { generated = 7 };\n"]))
            #expect(outcome.pairs.map(\.name) == ["common/two.o"])
            #expect(try depths(fake) == ["everything", "everything", "headers"])
        }
    }

    @Test func missingCompilerIsNamed() async throws {
        try await FakeTree.with { fake in
            let error = try await #require(throws: BuildError.self) {
                try await build(fake.request(["xen/common/one.c": one], compiler: "no-such-gcc"))
            }
            #expect(error.message == "no compiler for x86_64: 'no-such-gcc' is not in PATH")
            #expect(error.exitCode == .buildFailed)
        }
    }

    @Test func missingCrossCompilerIsNamedWithItsPackage() async throws {
        try await FakeTree.with { fake in
            var request = try fake.request(["xen/common/one.c": one])
            request.crossPrefix = "no-such-cpu-"
            request.toolchainPackage = "gcc-no-such-cpu"
            let error = try await #require(throws: BuildError.self) { try await build(request) }
            #expect(error.message == "no compiler for x86_64: 'no-such-cpu-gcc' is not in PATH")
            #expect(error.help?.contains("(Debian: gcc-no-such-cpu)") == true && error.help?.contains("--cross-compile") == true)
            // With a compiler of the user's own the prefix still counts for the other tools.
            request.environment["CC"] = "gcc"
            let other = try await #require(throws: BuildError.self) { try await build(request) }
            #expect(other.message == "no binutils for x86_64: 'no-such-cpu-as' is not in PATH")
        }
    }

    @Test func aCompilerForAnotherMachineIsRefused() async throws {
        try await FakeTree.with { fake in
            var request = try fake.request(["xen/common/one.c": one], compiler: "gcc")
            request.machine = 0xfeed
            let error = try await #require(throws: BuildError.self) { try await build(request) }
            #expect(error.message.hasPrefix("'gcc' is not a compiler for x86_64: it makes objects of ELF machine "))
            #expect(error.message.hasSuffix(", not 65261") && error.help?.contains("CC") == true && error.exitCode == .buildFailed)
        }
    }

    @Test func theTreesConfigurationForAnotherArchitectureIsNotTaken() async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/.config", "CONFIG_ARM_64=y\n")
            #expect(try await build(fake.request(["xen/common/one.c": one])).pairs.count == 1)
            // Given by the user, it is a mistake.
            let given = try fake.request(["xen/common/one.c": one], configuration: fake.tree.appending("xen/.config"))
            let error = try await #require(throws: XenSourceError.self) { try await build(given) }
            #expect(error.exitCode == .usage && error.message.hasSuffix("configures a hypervisor for arm64, not for x86_64"))
        }
    }

    @Test func aConfigurationWithoutLivePatchingIsRefusedFirst() async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/.config", "CONFIG_X86_64=y\n")
            let error = try await #require(throws: XenSourceError.self) {
                try await build(fake.request(["xen/common/one.c": one]))
            }
            #expect(error.exitCode == .usage && error.message.contains("live patching is off"))
            // Without a configuration, the default one gets live patching.
            try WorkFiles.remove(fake.tree.appending("xen/.config"))
            #expect(try await build(fake.request(["xen/common/one.c": one])).pairs.count == 1)
        }
    }

    @Test func makefilesMayHandTheCompilerOnWithoutQuotes() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put(
                "xen/Makefile",
                makefile.replacing(
                    "olddefconfig:\n\ttrue",
                    with: "host:\n\t$(HOSTCC) -E include/source.h -o /dev/null\nolddefconfig:\n\t$(MAKE) HOSTCC=$(CC) host"))
            #expect(try await build(fake.request(["xen/common/one.c": one])).pairs.count == 1)
        }
    }

    @Test func debuggingIsAVariableWhereTheConfigurationHasNoSuchOption() async throws {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put(
                "xen/Makefile",
                makefile.replacing("-D__XEN__", with: "-D__XEN__ $(if $(filter y,$(debug)),,-DNDEBUG)")
                    .replacing("olddefconfig:\n\ttrue", with: "olddefconfig:\n\tsed -i /CONFIG_DEBUG/d .config"))
            var request = try fake.request(["xen/common/one.c": "#ifdef NDEBUG\n#error no debugging\n#endif\n" + one])
            await #expect(throws: BuildError.self) { try await build(request) }
            request.xenDebug = true
            #expect(try await build(request).pairs.count == 1)
        }
    }

    @Test("a link to a folder outside the tree is refused; one inside it is followed") func linksToFolders() async throws {
        try await FakeTree.with { fake in
            let outside = fake.folder.appending("outside"), link = fake.tree.appending("xen/include/more")
            try WorkFiles.makeFolder(outside)
            try WorkFiles.makeFolder(fake.tree.appending("xen/include/real"))
            try WorkFiles.makeLink(at: link, to: outside.string)
            let error = try await #require(throws: BuildError.self) { try await build(fake.request(["xen/common/one.c": one])) }
            #expect(error.exitCode == .usage && error.message.contains("xen/include/more is a link to a folder outside the source tree: \(outside)"))
            try WorkFiles.remove(link)
            try WorkFiles.makeLink(at: link, to: "real")
            #expect(try await build(fake.request(["xen/common/one.c": one])).pairs.count == 1)
        }
    }

    @Test func whatTheRunningHypervisorSaysAboutItsBuildIsTaken() async throws {
        try await FakeTree.with { fake in
            var request = try fake.request([
                "xen/common/one.c": "#include <xen/compile.h>\n#if YEAR != 2026\n#error another build\n#endif\n" + one
            ])
            try fake.put("xen/include/xen/compile.h", "#define YEAR 1970\n")
            await #expect(throws: BuildError.self) { try await build(request) }
            let running = fake.folder.appending("running")
            try WorkFiles.makeFolder(running.appending("include/xen"))
            try WorkFiles.write(Array("#define YEAR 2026\n".utf8), to: running.appending("include/xen/compile.h"))
            request.image = running.appending("xen-syms")
            #expect(try await build(request).pairs.count == 1)
        }
    }

    @Test func aTreeBuiltInPlaceIsCleanedInTheCopyOnly() async throws {
        try await FakeTree.with { fake in
            try fake.put("xen/common/one.o", "stale")
            try fake.put("xen/include/generated.h", "#error stale\n")
            let before = try fake.state()
            #expect(try await build(fake.request(["xen/common/one.c": one])).pairs.map(\.name) == ["common/one.o"])
            #expect(try fake.state() == before)
        }
    }

    @Test func whatAKilledRunLeftIsRemoved() async throws {
        try await FakeTree.with { fake in
            let stale = fake.cache.appending("work/stale")
            try WorkFiles.makeFolder(stale)
            try WorkFiles.write([], to: stale.appending("lock"))
            _ = try await build(fake.request(["xen/common/one.c": one]))
            #expect(try WorkFiles.names(in: fake.cache.appending("work")).isEmpty)
        }
    }

    @Test func aCachePathThatMakeCannotUseIsRefused() async throws {
        try await FakeTree.with { fake in
            var request = try fake.request(["xen/common/one.c": one])
            request.cache = fake.folder.appending("with space")
            let error = try await #require(throws: BuildError.self) { try await build(request) }
            #expect(error.exitCode == .usage && error.help?.contains("--cache-dir") == true)
        }
    }

    @Test func cancellingEndsTheRunAndCleansUp() async throws {
        try await FakeTree.with { fake in
            let request = try fake.request(["xen/common/one.c": one])
            let task = Task { try await build(request) }
            try await Task.sleep(for: .milliseconds(150))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try WorkFiles.names(in: fake.cache.appending("work")).isEmpty)
            #expect(try WorkFiles.names(in: fake.cache.appending("trees")).isEmpty)
        }
    }

    @Test func buildsTheWholeHypervisor() async throws {
        try await FakeTree.with { fake in
            let request = try fake.request([:])
            let image = try await buildHypervisor(request) { _ in }
            #expect(try WorkFiles.read(image).starts(with: [0x7f, 0x45, 0x4c, 0x46]))
            #expect(try await buildHypervisor(request) { _ in } == image)
        }
    }
}
