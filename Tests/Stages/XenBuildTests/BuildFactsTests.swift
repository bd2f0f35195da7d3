import Diagnostics
import SystemPackage
import Testing
import WorkFiles
import XenSource

@testable import XenBuild

#if canImport(Glibc)
import Glibc
#endif

/// A change of the version: what make would write, over what the running hypervisor has.
@Suite struct BuildFactsTests {
    private static let running =
        "#define XEN_COMPILE_DATE\t\"Mon May  1 2026\"\n#define XEN_SUBVERSION\t17\n#define XEN_EXTRAVERSION\t\".5\"\n\n#define XEN_CHANGESET\t\"\"\n"
    private static let before = running.replacing("Mon May  1 2026", with: "1970")

    private func patched(_ running: String, _ before: String, _ after: String) -> (String, [VersionChange]) {
        let result = BuildFacts.patched(BuildFacts(Array(running.utf8)), before: BuildFacts(Array(before.utf8)), after: BuildFacts(Array(after.utf8)))
        return (String(decoding: result.facts.bytes, as: UTF8.self), result.changes)
    }

    @Test func onlyWhatThePatchChangesIsChanged() {
        let (text, changes) = patched(Self.running, Self.before, Self.before.replacing("\".5\"", with: "\".6\""))
        #expect(text == Self.running.replacing("\".5\"", with: "\".6\""))
        #expect(changes == [VersionChange(name: "XEN_EXTRAVERSION", before: "\".5\"", after: "\".6\"", isFollowed: true)])
        #expect(patched(Self.running, Self.before, Self.before) == (Self.running, []))
    }

    @Test func aTextThatThisTreeDoesNotMakeStays() {
        let vendor = Self.running.replacing("\".5\"", with: "\".5-7.el9\"")
        let (text, changes) = patched(vendor, Self.before, Self.before.replacing("\".5\"", with: "\".6\"").replacing("17", with: "18"))
        #expect(text == vendor.replacing("17", with: "18"))
        #expect(changes.map(\.isFollowed) == [true, false])
        #expect(changes.last?.words == "XEN_EXTRAVERSION \".5-7.el9\" → \".6\"")
    }

    @Test func macrosComeAndGoAndBannersHaveManyLines() {
        let banner = "#define XEN_BANNER \\\n\" a \\n\" \\\n\" b \\n\"\n", other = banner.replacing(" b ", with: " c ")
        let (text, changes) = patched(
            Self.running + banner, Self.before + banner, Self.before.replacing("#define XEN_CHANGESET\t\"\"\n", with: "#define XEN_NEW 1\n") + other)
        #expect(text == Self.running.replacing("#define XEN_CHANGESET\t\"\"\n", with: "#define XEN_NEW 1\n") + other)
        #expect(changes.map(\.name) == ["XEN_NEW", "XEN_BANNER", "XEN_CHANGESET"] && changes.allSatisfy(\.isFollowed))
        #expect(changes.map(\.words) == ["XEN_NEW (none) → 1", "XEN_BANNER", "XEN_CHANGESET \"\" → (none)"])
    }

    /// A tree as Xen's: a generated header with the version, and one with the configuration, whose comment has the version too.
    private func addHeaders(to fake: FakeTree) throws -> String {
        let makefile =
            try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            .replacing("| include/generated.h", with: "| include/generated.h include/xen/compile.h include/generated/autoconf.h") + """

                include/xen/compile.h: include/xen/compile.h.in
                \tsed -e 's/@@extra@@/$(XEN_EXTRAVERSION)/' -e 's/@@date@@/$(XEN_BUILD_DATE)/' $< > $@
                include/generated/autoconf.h: .config
                \tmkdir -p $(@D); (echo '/* Xen $(XEN_EXTRAVERSION) */'; echo '#define CONFIG_A 1') > $@

                """
        try fake.put("xen/Makefile", makefile)
        try fake.put("xen/include/xen/compile.h.in", "#define XEN_EXTRAVERSION \"@@extra@@\"\n#define XEN_COMPILE_DATE \"@@date@@\"\n")
        try fake.put(
            "xen/common/one.c",
            "#include \"generated/autoconf.h\"\n#include \"shared.h\"\nint one(int a) { return two_times(a) + CONFIG_A; }\nvoid start(void) {}\n")
        try fake.put(
            "xen/common/two.c",
            "#include <xen/compile.h>\nconst char *two(void) { return XEN_EXTRAVERSION; }\nconst char *date(void) { return XEN_COMPILE_DATE; }\n")
        return makefile
    }

    @Test("a new version is in the objects that hold it, is named, and concerns no other object", arguments: [true, false])
    func versionBump(hasRunning: Bool) async throws {
        try await FakeTree.with { fake in
            let makefile = try addHeaders(to: fake)
            var request = try fake.request(["xen/Makefile": makefile.replacing("?= .0", with: "?= .1-pre")])
            if hasRunning {
                let running = fake.folder.appending("running")
                try WorkFiles.makeFolder(running.appending("include/xen"))
                try WorkFiles.write(
                    Array("#define XEN_EXTRAVERSION \".0\"\n#define XEN_COMPILE_DATE \"May 2026\"\n".utf8), to: running.appending("include/xen/compile.h"))
                request.image = running.appending("xen-syms")
            }
            let outcome = try await buildObjectPairs(request) { _ in }
            #expect(outcome.pairs.map(\.name) == ["common/two.o"] && outcome.compiled == 2)
            let pair = try #require(outcome.pairs.first)
            let texts = try [pair.original, pair.patched].map { String(decoding: try WorkFiles.read(#require($0)), as: UTF8.self) }
            #expect(texts[0].contains(".0\0") && texts[1].contains(".1-pre\0"))
            #expect(texts.allSatisfy { $0.contains("May 2026") } == hasRunning)
            #expect(outcome.diagnostics.map(\.id) == [.versionChanged] && outcome.diagnostics.map(\.severity) == [.note])
            #expect(outcome.diagnostics.first?.message.contains("XEN_EXTRAVERSION \".0\" → \".1-pre\"") == true)
            #expect(outcome.uses == [PatchedFileUse("xen/Makefile", .generated(["common/two.o"]))])
        }
    }

    @Test func aVendorsVersionStaysWithAWarning() async throws {
        try await FakeTree.with { fake in
            let makefile = try addHeaders(to: fake)
            try fake.put("xen/include/xen/compile.h", "#define XEN_EXTRAVERSION \".0-vendor\"\n#define XEN_COMPILE_DATE \"May 2026\"\n")
            let running = fake.folder.appending("running")
            try WorkFiles.makeFolder(running.appending("include/xen"))
            try WorkFiles.write(try WorkFiles.read(fake.tree.appending("xen/include/xen/compile.h")), to: running.appending("include/xen/compile.h"))
            try WorkFiles.remove(fake.tree.appending("xen/include/xen/compile.h"))
            var request = try fake.request(["xen/Makefile": makefile.replacing("?= .0", with: "?= .1")])
            request.image = running.appending("xen-syms")
            let outcome = try await buildObjectPairs(request) { _ in }
            #expect(outcome.pairs.isEmpty && outcome.compiled == 0)
            #expect(outcome.diagnostics.map(\.id).contains(.versionChanged))
            #expect(outcome.diagnostics.first { $0.id == .versionChanged }?.severity == .warning)
        }
    }

    @Test("the account of files: objects, commands, generated files, the reason for none") func uses() async throws {
        try await FakeTree.with { fake in
            let header = "static inline int two_times(int a) { return a * 3; }\n"
            let outcome = try await buildObjectPairs(
                fake.request(["xen/include/shared.h": header, "xen/docs.md": "x\n", "xen/include/unused.h": "int other;\n"])
            ) { _ in }
            #expect(
                outcome.uses == [
                    PatchedFileUse("xen/docs.md", .nothing("it is documentation")), PatchedFileUse("xen/include/shared.h", .objects(["common/one.o"])),
                    PatchedFileUse("xen/include/unused.h", .nothing("none of the 3 objects of this configuration depends on it")),
                ])
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile")).replacing("-O2", with: "-O1")
            let flags = try await buildObjectPairs(fake.request(["xen/Makefile": makefile])) { _ in }
            #expect(flags.uses == [PatchedFileUse("xen/Makefile", .commands(["common/asm.o", "common/one.o", "common/two.o"]))])
            let made = try await buildObjectPairs(fake.request(["xen/include/source.h": "enum { generated = 6 };\n"])) { _ in }
            #expect(made.uses == [PatchedFileUse("xen/include/source.h", .generated(["common/two.o"]))])
            let comment = try await buildObjectPairs(fake.request(["xen/include/shared.h": "// twice\nstatic inline int two_times(int a) { return a * 2; }\n"]))
            {
                _ in
            }
            #expect(comment.pairs.isEmpty && comment.uses == [PatchedFileUse("xen/include/shared.h", .objects(["common/one.o"]))])
        }
    }

    private func check(_ text: String, generated: String? = nil) throws(BuildError) {
        try BuildFacts.check(Array(text.utf8), of: "compile.h", alsoKnown: generated.map { Array($0.utf8) })
    }

    @Test func factsAreTextsAndNumbers() throws {
        try check(Self.running)
        try check("#define XEN_BANNER \\\n\" a \\\\ \\n\" \\\n\" b \\\"\\n\"\n\n")
        try check("#define XEN_VENDOR \"x\"\n", generated: "#define XEN_VENDOR \"\"\n")
        try check("#define XEN_COMPILER\t\t\"gcc (Debian 12) é\"\n")
    }

    @Test(
        "what else a header beside xen-syms holds is refused, with its line",
        arguments: [
            "#define allowed(x) ((allowed)(x) | 1)", "#define XEN_VENDOR \"x\"", "#define XEN_VERSION 4 + evil()", "#define XEN_VERSION", "int x;",
            "#include \"evil.h\"", "#define XEN_CHANGESET \"a\" evil", "#define XEN_CHANGESET \"a", "#define XEN_CHANGESET \"a\\", "#pragma once",
            "#define XEN_CHANGESET(x) \"a\"", "#define XEN_CHANGESET \"a\\\nb\"", "#undef XEN_VERSION", "/* words */", "#define XEN_CHANGESET L\"a\"",
        ])
    func otherThings(line: String) {
        let error = #expect(throws: BuildError.self) { try check("#define XEN_VERSION 4\n\n" + line + "\n") }
        #expect(error?.message.hasPrefix("compile.h:3: ") == true && error?.exitCode == .usage, "\(error?.message ?? "")")
    }

    @Test("a header beside xen-syms that others can write to is refused") func foreignHeaders() async throws {
        try await FakeTree.with { fake in
            _ = try addHeaders(to: fake)
            var request = try fake.request(["xen/common/one.c": "int one(int a) { return a; }\nvoid start(void) {}\n"])
            let running = fake.folder.appending("running"), header = running.appending("include/xen/compile.h")
            try WorkFiles.makeFolder(header.removingLastComponent())
            request.image = running.appending("xen-syms")
            try WorkFiles.write(Array("#define XEN_EXTRAVERSION \".0\"\n".utf8), to: header)
            for path in [header, running.appending("include"), running] {
                try #require(chmod(path.string, 0o777) == 0)
                let error = await #expect(throws: BuildError.self) { try await buildObjectPairs(request) { _ in } }
                #expect(error?.exitCode == .usage && error?.message.hasPrefix("\(path) can be written to by every user") == true, "\(error?.message ?? "")")
                try #require(chmod(path.string, 0o755) == 0)
            }
            #expect(try await buildObjectPairs(request) { _ in }.preparation?.facts == header)
            try WorkFiles.write([UInt8](repeating: 0x0a, count: 100_000), to: header)
            await #expect(throws: WorkFileError.self) { try await buildObjectPairs(request) { _ in } }
        }
    }
}
