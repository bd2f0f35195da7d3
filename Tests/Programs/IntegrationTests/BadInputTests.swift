import SystemPackage
import TestTools
import Testing
import WorkFiles

/// Input that is not what it should be: one line that names the file and the reason, the right exit code, and nothing changes.
@Suite struct BadInputTests {
    /// One bad input. The test's folder is `.`, where `out` does not exist; `tree`, `xen-syms` and `good.patch` are fine.
    struct Input: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var code: Int
        /// What the error line must say.
        var says: [String]
        /// Instead of those of a good run.
        var options: [String: String] = [:]
        var environment: [String: String] = [:]
        /// Makes the bad thing.
        var prepare: @Sendable (FilePath) async throws -> Void = { _ in }
    }

    private func check(_ input: Input) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            _ = try await bench.copyOfTree(to: folder.appending("tree"))
            try await run("cp", [bench.xenSyms.string, folder.appending("xen-syms").string])
            try await run("cp", [Bench.change.string, folder.appending("good.patch").string])
            try await input.prepare(folder)
            let before = try state(of: folder)

            let options = ["-s": "tree", "-p": "good.patch", "-o": "out", "--xen-syms": "xen-syms", "--cache-dir": bench.cache.string]
                .merging(input.options) { $1 }
            let ending = try await Program.run(
                options.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }, environment: input.environment, in: folder)
            #expect(ending.code == input.code)
            #expect(ending.errorLines.count == 1, "\(ending.error)")
            for words in input.says { #expect(ending.errorLines.first?.contains(words) == true, "\(words): \(ending.error)") }
            #expect(!ending.error.contains("fault of xsplice-build"), "\(ending.error)")

            if input.code == 5 {
                // A build that fails leaves its report and its logs.
                #expect(try leftovers(in: folder.appending("out")).isEmpty)
                try WorkFiles.remove(folder.appending("out"))
                #expect(try state(of: folder, times: false) == untimed(before))
            } else {
                #expect(try state(of: folder, times: false) == untimed(before))
            }
            #expect(try state(of: folder.appending("tree")) == before.below("tree"))
        }
    }

    // MARK: The tree

    static let trees: [Input] = [
        Input(testDescription: "missing", code: 64, says: ["nowhere"], options: ["-s": "nowhere"]),
        Input(testDescription: "empty folder", code: 64, says: ["empty", "not a Xen"], options: ["-s": "empty"]) {
            try WorkFiles.makeFolder($0.appending("empty"))
        },
        Input(testDescription: "a file", code: 64, says: ["good.patch"], options: ["-s": "good.patch"]),
        Input(testDescription: "live patching off", code: 64, says: ["tree/xen/.config", "CONFIG_LIVEPATCH"]) {
            _ = try write("CONFIG_X86_64=y\n# CONFIG_LIVEPATCH is not set\n", to: "xen/.config", in: $0.appending("tree"))
        },
        Input(testDescription: "no version", code: 64, says: ["tree"]) {
            _ = try write("all:\n\ttrue\n", to: "xen/Makefile", in: $0.appending("tree"))
        },
        Input(testDescription: "another version", code: 6, says: ["xen-syms is Xen 4.17", "the source is Xen 4.18.5"]) {
            let makefile = $0.appending("tree/xen/Makefile")
            try WorkFiles.writeAtomically(Array(WorkFiles.readText(makefile).replacing("SUBVERSION    = 17", with: "SUBVERSION    = 18").utf8), to: makefile)
        },
        Input(testDescription: "older than live patching", code: 64, says: ["tree", "no live patching"]) {
            _ = try write("#define XEN_SYSCTL 1\n", to: "xen/include/public/sysctl.h", in: $0.appending("tree"))
        },
        Input(testDescription: "configuration missing", code: 64, says: ["no.config"], options: ["-c": "no.config"]),
        Input(testDescription: "configuration is none", code: 64, says: ["good.patch"], options: ["-c": "good.patch"]),
    ]

    @Test(arguments: trees) func badTree(_ input: Input) async throws { try await check(input) }

    // MARK: The patch

    private static func patch(_ description: String, _ text: String, says: [String], code: Int = 7) -> Input {
        Input(testDescription: description, code: code, says: ["bad.patch"] + says, options: ["-p": "bad.patch"]) {
            _ = try write(text, to: "bad.patch", in: $0)
        }
    }

    private static func hunk(of name: String) -> String {
        "--- \(name)\n+++ \(name)\n@@ -1 +1,2 @@\n #include <xen/cache.h>\n+int i;\n"
    }

    static let patches: [Input] = [
        Input(testDescription: "missing", code: 64, says: ["nowhere.patch"], options: ["-p": "nowhere.patch"]),
        Input(testDescription: "a folder", code: 64, says: ["tree"], options: ["-p": "tree"]),
        patch("empty", "", says: []),
        patch("words", "Only words.\n", says: []),
        patch("binary", "diff --git a/xen/logo b/xen/logo\nindex 0123456..789abcd 100644\nBinary files a/xen/logo and b/xen/logo differ\n", says: ["xen/logo"]),
        patch("parent folder", hunk(of: "a/../../../etc/passwd"), says: ["passwd"]),
        patch("absolute path", hunk(of: "/etc/passwd"), says: ["passwd"]),
        patch("absolute path behind a/", hunk(of: "a//etc/passwd"), says: ["passwd"]),
        patch("no such file", hunk(of: "a/xen/common/nothing.c"), says: ["xen/common/nothing.c"]),
        patch("other content", "--- a/xen/common/sched.c\n+++ b/xen/common/sched.c\n@@ -1,2 +1,2 @@\n nothing\n-of\n+this\n", says: ["xen/common/sched.c"]),
        patch("cut short", "--- a/xen/common/sched.c\n+++ b/xen/common/sched.c\n@@ -1,20 +1,21 @@\n #include <xen/cache.h>\n+int i;\n", says: []),
        patch("made in xen/", hunk(of: "a/common/sched.c"), says: ["xen/common/sched.c"]),
        patch("without a leading folder", hunk(of: "xen/common/sched.c"), says: ["xen/common/sched.c"]),
        patch("one folder too many", hunk(of: "a/xen/xen/common/sched.c"), says: ["xen/common/sched.c"]),
        patch("a new file made in xen/", "--- /dev/null\n+++ b/common/new.c\n@@ -0,0 +1 @@\n+int i;\n", says: ["common/new.c", "xen/common/"]),
        patch("for a folder that is not there", hunk(of: "a/nowhere/x.c"), says: ["nowhere/x.c"]),
        patch(
            "a file and a folder of one name", ["out", "out/x.c"].map { "--- /dev/null\n+++ b/xen/\($0)\n@@ -0,0 +1 @@\n+int i;\n" }.joined(),
            says: ["xen/out"]),
        patch(
            "quoted-printable without a header", "--- a/xen/common/sched.c\n+++ b/xen/common/sched.c\n@@ -1 +1,2 @@\n #include <xen/cache.h>\n+int i =3D 1;\n",
            says: ["quoted-printable"]),
        patch("an unknown encoding", "Content-Transfer-Encoding: x-uuencode\n\n" + hunk(of: "a/xen/common/sched.c"), says: ["x-uuencode"]),
        Input(testDescription: "random bytes", code: 7, says: ["bad.patch"], options: ["-p": "bad.patch"]) {
            try WorkFiles.write((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }, to: $0.appending("bad.patch"))
        },
    ]

    @Test(arguments: patches) func badPatch(_ input: Input) async throws { try await check(input) }

    // MARK: xen-syms

    private static func xenSyms(
        _ description: String, says: [String] = [], options: [String: String] = [:],
        _ change: @escaping @Sendable (FilePath) async throws -> Void
    ) -> Input {
        Input(testDescription: description, code: 64, says: ["xen-syms"] + says, options: options) {
            try await change($0.appending("xen-syms"))
        }
    }

    static let images: [Input] = [
        xenSyms("missing") { try WorkFiles.remove($0) },
        xenSyms("empty") { try WorkFiles.write([], to: $0) },
        xenSyms("text", says: ["ELF"]) { try WorkFiles.write(Array("#!/bin/sh\n".utf8), to: $0) },
        xenSyms("cut short") { try WorkFiles.write(Array(WorkFiles.read($0).prefix(20000)), to: $0) },
        xenSyms("cut short in the header") { try WorkFiles.write(Array(WorkFiles.read($0).prefix(40)), to: $0) },
        xenSyms("of another machine", says: ["is for arm64", "--arch says x86_64"], options: ["--arch": "x86_64"]) { path in
            var image = try WorkFiles.read(path)
            // e_machine: EM_AARCH64
            image.replaceSubrange(18..<20, with: [183, 0])
            try WorkFiles.write(image, to: path)
        },
        xenSyms("of an unknown machine", says: ["processor", "ELF machine 243"]) { path in
            var image = try WorkFiles.read(path)
            // EM_RISCV
            image.replaceSubrange(18..<20, with: [243, 0])
            try WorkFiles.write(image, to: path)
        },
        xenSyms("without build-id", says: ["build-id"]) {
            try await run("objcopy", ["--remove-section", ".note.gnu.build-id", $0.string])
        },
        xenSyms("for one of two targets", says: ["none is given for arm64"], options: ["--arch": "x86_64,arm64"]) { _ in },
        xenSyms("called another's", says: ["--xen-syms arm64=xen-syms", "is for x86_64"], options: ["--xen-syms": "arm64=xen-syms"]) { _ in },
        xenSyms("with debug information only", says: ["has no code"]) { try await run("objcopy", ["--only-keep-debug", $0.string]) },
        xenSyms("without FILE symbols", says: ["FILE symbols"]) { try await run("strip", ["-g", $0.string]) },
        xenSyms("without local symbols", says: ["local symbols"]) { try await run("strip", ["-x", $0.string]) },
        xenSyms("without symbols", says: ["symbols"]) { try await run("strip", [$0.string]) },
        xenSyms("an object", says: ["not a linked hypervisor"]) {
            try await run("gcc", ["-x", "c", "-c", "/dev/null", "-o", $0.string])
        },
        xenSyms("a folder") {
            try WorkFiles.remove($0)
            try WorkFiles.makeFolder($0)
        },
    ]

    @Test(arguments: images) func badXenSyms(_ input: Input) async throws { try await check(input) }

    // MARK: The machine

    static let machines: [Input] = [
        Input(testDescription: "CC is no program", code: 5, says: ["/nonexistent"], environment: ["CC": "/nonexistent"]),
        Input(testDescription: "CC fails", code: 5, says: ["false"], environment: ["CC": "false"]),
        Input(testDescription: "no such prefix", code: 5, says: ["no-such-gcc", "PATH"], options: ["--cross-compile": "no-such-"]),
        Input(testDescription: "CROSS_COMPILE", code: 5, says: ["no-such-gcc", "PATH"], environment: ["CROSS_COMPILE": "no-such-"]),
        Input(testDescription: "an empty PATH", code: 5, says: ["gcc", "PATH"], environment: ["PATH": "/nonexistent"]),
    ]

    @Test(arguments: machines) func noCompiler(_ input: Input) async throws { try await check(input) }

    static let outputs: [Input] = [
        Input(testDescription: "a file", code: 64, says: ["output folder", "good.patch"], options: ["-o": "good.patch"]),
        Input(testDescription: "below a file", code: 64, says: ["good.patch"], options: ["-o": "good.patch/out"]),
        Input(testDescription: "somebody's folder", code: 64, says: ["output folder", "mine", "not empty"], options: ["-o": "mine"]) {
            try WorkFiles.makeFolder($0.appending("mine"))
            _ = try write("my thesis\n", to: "thesis.txt", in: $0.appending("mine"))
        },
        Input(testDescription: "somebody's report", code: 64, says: ["output folder", "mine", "not empty"], options: ["-o": "mine"]) {
            try WorkFiles.makeFolder($0.appending("mine"))
            _ = try write("{\"generator\": \"another\"}\n", to: "report.json", in: $0.appending("mine"))
        },
        Input(testDescription: "no such device", code: 1, says: ["/proc/out"], options: ["-o": "/proc/out"]),
        Input(testDescription: "cache in a file", code: 1, says: ["good.patch"], options: ["--cache-dir": "good.patch"]),
        Input(testDescription: "cache with a space", code: 64, says: ["my cache"], options: ["--cache-dir": "my cache"]),
        Input(testDescription: "cache in somebody's folder", code: 64, says: ["cache folder ", "not empty"], options: ["--cache-dir": "."]),
    ]

    @Test(arguments: outputs) func badOutput(_ input: Input) async throws { try await check(input) }

    @Test func outputOnAReadOnlyDevice() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let device = folder.appending("device")
            try WorkFiles.makeFolder(device)
            for output in [device, device.appending("out")] {
                let ending = try await Program.run(
                    inOwnNamespace: "mount -t tmpfs -o ro,mode=755 tmpfs '\(device)' && exec \"$@\"", bench.arguments(output: output))
                #expect(ending.code == 64)
                #expect(ending.errorLines.count == 1 && ending.error.contains("\(output): Read-only file system"), "\(ending.error)")
            }
        }
    }
}

extension [String: String] {
    /// The part of a folder's state that is below one path.
    fileprivate func below(_ folder: String) -> [String: String] {
        var result: [String: String] = [:]
        for (path, value) in self {
            if path == folder { result[""] = value }
            if path.hasPrefix(folder + "/") { result[String(path.dropFirst(folder.count + 1))] = value }
        }
        return result
    }
}

/// A state as `state(of:times: false)` gives it.
private func untimed(_ state: [String: String]) -> [String: String] {
    state.mapValues { value in
        let words = value.split(separator: " ", omittingEmptySubsequences: false)
        return (words.prefix(2) + words.dropFirst(4)).joined(separator: " ")
    }
}
