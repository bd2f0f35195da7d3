import ArchX86_64
import SourcePatch
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild
import XenSource

#if canImport(Glibc)
import Glibc
#endif

/// A tree with the shape of Xen's build and almost nothing in it, and the folders to build it in.
struct FakeTree: Sendable {
    let folder: FilePath
    var tree: FilePath { folder.appending("my tree") }
    var cache: FilePath { folder.appending("cache") }

    private static let files = [
        "Config.mk": "# nothing\n",
        "xen/Makefile": """
        export XEN_VERSION = 4
        export XEN_SUBVERSION = 17
        export XEN_EXTRAVERSION ?= .0
        ALL_OBJS := common/one.o common/two.o common/asm.o
        FLAGS = -O2 -D__XEN__ -nostdinc -Iinclude -MMD -MF $(@D)/.$(@F).d
        xen-syms: prelink.o
        \tld -e start -o $@ $<
        prelink.o: $(ALL_OBJS) | include/generated.h
        \tld -r -o $@ $^
        $(ALL_OBJS): include/generated.h
        common/%.o: common/%.c
        \t$(CC) $(FLAGS) -c $< -o $@
        common/%.o: common/%.S
        \t$(CC) $(FLAGS) -c $< -o $@
        include/generated.h: include/source.h
        \t$(CC) -E -P $< -o $@
        defconfig:
        \techo CONFIG_X86_64=y > .config
        olddefconfig:
        \ttrue
        distclean:
        \trm -f include/generated.h xen-syms
        .PHONY: defconfig olddefconfig distclean
        """,
        "xen/include/public/sysctl.h": "#define LIVEPATCH_PAYLOAD_VERSION 2\n",
        "xen/include/source.h": "enum { generated = 5 };\n",
        "xen/include/shared.h": "static inline int two_times(int a) { return a * 2; }\n",
        "xen/include/unused.h": "int unused;\n",
        "xen/common/one.c":
            "#include \"shared.h\"\nextern int two(int); int one(int a) { return two(two_times(a)); }\nvoid start(void) {}\n",
        "xen/common/two.c": "#include <generated.h>\nint two(int a) { return a + generated; }\n",
        "xen/common/asm.S": "\t.globl code\ncode:\tret\n",
        "xen/docs.md": "words\n",
        "xen/.config": "CONFIG_X86_64=y\nCONFIG_LIVEPATCH=y\n",
    ]

    static func with<R>(_ body: (FakeTree) async throws -> R) async throws -> R {
        try await withTemporaryFolder { folder in
            let fake = FakeTree(folder: folder)
            for (path, text) in files { try fake.put(path, text) }
            return try await body(fake)
        }
    }

    func put(_ path: String, _ text: String) throws {
        try WorkFiles.makeFolder(tree.appending(path).removingLastComponent())
        try WorkFiles.write(Array(text.utf8), to: tree.appending(path))
    }

    /// A request with these files of the tree rewritten; nil removes one.
    func request(_ changes: [String: String?], configuration: FilePath? = nil, compiler: String? = nil) throws -> BuildRequest {
        let files = try changes.sorted { $0.key < $1.key }.map { path, text in
            AppliedPatch.File(
                path: path, change: text.map { .write(content: Array($0.utf8), executable: false) } ?? .remove,
                isNew: try WorkFiles.kind(of: tree.appending(path)) == nil, added: 1, removed: 1)
        }
        let path = try #require(getenv("PATH").map { String(cString: $0) })
        return BuildRequest(
            tree: try recogniseTree(at: tree), patch: AppliedPatch(files: files), processor: ArchX86_64(),
            architectureOptions: ["x86_64": "X86_64", "arm64": "ARM_64", "arm32": "ARM_32"], configuration: configuration, jobs: 2,
            cache: cache, logs: folder.appending("logs"),
            environment: ["PATH": path, "CFLAGS": "-DBAD", "MAKEFLAGS": "--no-such-option"].merging(
                compiler.map { ["CC": $0] } ?? [:]
            ) { $1 },
            recorder: [try recorder().string, "record-compile"])
    }

    /// The recorder lies beside the program that runs the tests.
    private func recorder() throws -> FilePath {
        let own = try #require(WorkFiles.resolved("/proc/self/exe" as FilePath))
        let path = own.removingLastComponent().appending("xsplice-build")
        try #require(WorkFiles.isReadableFile(path), "\(path) is missing")
        return path
    }

    /// Everything about the user's tree that a build must leave alone.
    func state() throws -> [String] {
        var lines: [String] = []
        try WorkFiles.walk(tree) { path, kind in
            var status = stat()
            lstat("\(tree)/\(path)", &status)
            lines.append("\(path) \(kind) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_nsec)")
            return true
        }
        return lines
    }
}
