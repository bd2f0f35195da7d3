import TestTools
import Testing

@testable import XenSource

@Suite struct SourceFolderTests {
    @Test(arguments: [
        ("/home/me/xen/xen/include/xen/sched.h", "/home/me/xen/xen" as String?), ("/usr/include/xen/include/xen/mm.h", "/usr/include/xen"),
        ("/b/xen/include/asm/hvm/svm.h", "/b/xen"), ("/b/xen/include/asm-x86/mm.h", "/b/xen"), ("./arch/x86/include/asm/mm.h", "."),
        ("/b/xen/arch/arm/include/asm/mm.h", "/b/xen"), ("./include/xen/mm.h", "."), ("/usr/include/stdio.h", nil), ("common/kernel.c", nil),
        ("/b/include/xen/mm.c", nil), ("/include/.h", nil), ("", nil),
    ])
    func theFolderOfAHeader(path: String, folder: String?) {
        #expect(SourceFolder.folder(ofHeader: path) == folder)
    }

    @Test(arguments: [
        (["/b/xen/include/xen/a.h", "/b/xen/include/asm/b.h", "/c/xen/include/xen/a.h"], "/b/xen" as String?), (["no such text"], nil),
    ])
    func whatMostTextsOfAHypervisorName(texts: [String], folder: String?) async throws {
        try await withTemporaryFolder { place in
            let list = texts.map { "\"\($0)\"" }.joined(separator: ", ")
            _ = try write(
                "const char *const names[] = { \(list) }; static int local __attribute__((used)); int start(void) { return 0; }\n", to: "f.c", in: place)
            try await run("gcc", ["-O2", "-fno-pie", "-c", "f.c", "-o", "f.o"], in: place)
            try await run("ld", ["--build-id=sha1", "-e", "start", "-o", "xen-syms", "f.o"], in: place)
            #expect(try XenImage.read(place.appending("xen-syms")).sourceFolder == folder)
        }
    }
}
