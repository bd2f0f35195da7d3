import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

/// Nothing of the machine reaches a payload, and the paths in it are the hypervisor's own.
@Suite struct PlacesTests {
    @Test("no payload of the small tree names the cache, the source or the home folder", arguments: SmallTree.trials)
    func payloadsNameNoPlace(_ trial: Trial) async throws {
        let bench = try await Bench.shared(for: trial.target.machine)
        let outcome = try await SmallTree.outcome(of: trial)
        #expect(outcome.texts(naming: [bench.folder, bench.cache, bench.tree, bench.folder.appending("home")]) == [])
    }

    /// Makes the small tree one whose commands name the folders of headers in full, and whose functions share a section, as Xen's do up to
    /// 4.16.
    private func olderTree(_ bench: Bench, in folder: FilePath) async throws -> FilePath {
        let tree = try await bench.copyOfTree(to: folder.appending("tree")), rules = tree.appending("xen/Rules.mk")
        let text = try WorkFiles.readText(rules)
        let older = text.replacing("-I./include -I./$(ARCH)/include", with: "-I$(CURDIR)/include -I$(CURDIR)/$(ARCH)/include")
            .replacing("XEN_CFLAGS += -ffunction-sections -fdata-sections\n", with: "XEN_CFLAGS +=\n")
        try #require(older.count > text.count - 40 && older.contains("-I$(CURDIR)/include") && !older.contains("-ffunction-sections"))
        try WorkFiles.write(Array(older.utf8), to: rules)
        try WorkFiles.write(
            Array("#include <xen/lib.h>\nstatic inline unsigned int checked(unsigned int x)\n{\n    BUG_ON(x == 77);\n    return x * 3;\n}\n".utf8),
            to: tree.appending("xen/include/xen/checked.h"))
        try WorkFiles.write(
            Array(try WorkFiles.readText(tree.appending("xen/common/version.c")).utf8) + Array(Self.source.utf8), to: tree.appending("xen/common/version.c"))
        return tree
    }

    private static let source = """

        #include <xen/checked.h>

        unsigned int first_checked(unsigned int x);
        unsigned int first_checked(unsigned int x)
        {
            return checked(x) + 1;
        }

        unsigned int second_checked(unsigned int x);
        unsigned int second_checked(unsigned int x)
        {
            return checked(x + 4);
        }

        """

    @Test func headersAreNamedAsInTheHypervisor() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let tree = try await olderTree(bench, in: folder), built = folder.appending("built")
            let hypervisor = try await MiniXen.build(tree: tree, for: .own, in: built)
            let (a, b) = (folder.appending("a/xen/common"), folder.appending("b/xen/common"))
            for path in [a, b] {
                try WorkFiles.makeFolder(path)
                try WorkFiles.write(WorkFiles.read(tree.appending("xen/common/version.c")), to: path.appending("version.c"))
            }
            let text = try WorkFiles.readText(b.appending("version.c"))
            try WorkFiles.write(Array(text.replacing("checked(x + 4)", with: "checked(x + 5)").utf8), to: b.appending("version.c"))
            let patch = try await run("sh", ["-c", "diff -u a/xen/common/version.c b/xen/common/version.c || [ $? -eq 1 ]"], in: folder)
            try WorkFiles.write(Array(patch.utf8), to: folder.appending("change.patch"))

            var payloads: [[UInt8]] = []
            for cache in ["cache", "another/cache"] {
                let output = folder.appending("out-\(payloads.count)")
                try WorkFiles.makeFolder(folder.appending("another"))
                let ending = try await Program.run(
                    bench.arguments(
                        tree: tree, patches: [folder.appending("change.patch")], output: output, xenSyms: hypervisor.symbols,
                        cache: folder.appending(cache)))
                let outcome = try ChangeOutcome(code: ending.code, output: output, error: ending.error)
                try #require(outcome.code == 0, "\(outcome.error)")
                #expect(outcome.changed == ["second_checked"])
                #expect(outcome.texts(naming: [bench.folder], except: built.appending("xen")) == [])
                payloads.append(try #require(outcome.payload))
            }
            #expect(payloads[0] == payloads[1])
        }
    }
}
