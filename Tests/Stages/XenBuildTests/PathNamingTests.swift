import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild

/// A tree whose makefile names the folder of headers in full, as Xen's do up to 4.16.
@Suite struct PathNamingTests {
    private static let header = "static inline const char *place(int a) { return a ? __FILE__ : 0; }\n"

    private func withTree<R>(_ body: (FakeTree) async throws -> R) async throws -> R {
        try await FakeTree.with { fake in
            let makefile = try WorkFiles.readText(fake.tree.appending("xen/Makefile"))
            try fake.put("xen/Makefile", makefile.replacing("-Iinclude", with: "-I$(CURDIR)/include"))
            try fake.put("xen/include/xen/place.h", Self.header)
            try fake.put("xen/common/one.c", Self.one(1))
            return try await body(fake)
        }
    }

    private static func one(_ n: Int) -> String {
        "#include <xen/place.h>\nconst char *one(int a) { return place(a + \(n)); }\nconst char *other(int a) { return place(a); }\nvoid start(void) {}\n"
    }

    /// The texts of both sides that end like the header's name, and both objects.
    private func names(_ fake: FakeTree, _ hypervisor: String?, compiler: String? = nil) async throws -> (texts: [String], objects: [[UInt8]]) {
        var request = try fake.request(["xen/common/one.c": Self.one(2)], compiler: compiler)
        request.hypervisorFolder = hypervisor
        let pair = try #require(try await buildObjectPairs(request) { _ in }.pairs.first)
        var texts: [String] = [], objects: [[UInt8]] = []
        for path in [pair.original, pair.patched] {
            let path = try #require(path)
            try await run("objcopy", ["--strip-debug", path.string, "stripped.o"], in: fake.folder)
            let bytes = try WorkFiles.read(fake.folder.appending("stripped.o"))
            objects.append(bytes)
            texts += bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix("/place.h") }
        }
        return (texts, objects)
    }

    @Test(arguments: [("/home/me/xen 4/xen" as String?, "/home/me/xen 4/xen"), (nil, "xen")])
    func headersHaveTheHypervisorsNamesOnBothSides(hypervisor: String?, folder: String) async throws {
        try await withTree { fake in
            let (texts, objects) = try await names(fake, hypervisor)
            #expect(texts == Array(repeating: "\(folder)/include/xen/place.h", count: 2))
            #expect(objects.allSatisfy { $0.firstRange(of: Array(fake.folder.string.utf8)) == nil })
        }
    }

    /// The objects of one hypervisor must not be taken for those of another.
    @Test func theStoreTellsHypervisorsApart() async throws {
        try await withTree { fake in
            for folder in ["/a/xen", "/b/xen", "/a/xen"] {
                let texts = try await names(fake, folder).texts
                #expect(texts == Array(repeating: "\(folder)/include/xen/place.h", count: 2))
            }
        }
    }

    @Test func aCompilerThatCannotReplacePathsGetsRelativeOnes() async throws {
        try await withTree { fake in
            let old = fake.folder.appending("old-gcc")
            try WorkFiles.write(
                Array(
                    """
                    #!/bin/sh
                    case $* in *-fmacro-prefix-map*) exit 1;; esac
                    test "$*" = --version && { echo 'gcc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)'; echo 'Free Software Foundation'; exit; }
                    exec gcc "$@"

                    """.utf8), to: old, executable: true)
            let (texts, objects) = try await names(fake, "/home/me/xen", compiler: old.string)
            #expect(texts == Array(repeating: "../xen/include/xen/place.h", count: 2))
            #expect(objects.allSatisfy { $0.firstRange(of: Array(fake.folder.string.utf8)) == nil })
        }
    }

    @Test func aHypervisorThatIsBuiltHereHasTheSameNames() async throws {
        try await withTree { fake in
            let image = try await buildHypervisor(try fake.request([:])) { _ in }
            let bytes = try WorkFiles.read(image)
            #expect(bytes.firstRange(of: Array("\0xen/include/xen/place.h\0".utf8)) != nil)
            #expect(bytes.firstRange(of: Array("/cache/".utf8)) == nil)
        }
    }
}
