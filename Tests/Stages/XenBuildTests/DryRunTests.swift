import CompilerRecorder
import Testing

@testable import XenBuild

@Suite struct DryRunTests {
    private func dryRun(_ output: String, errors: String = "") throws -> DryRun {
        try DryRun(output: Array(output.utf8), errors: errors, compiler: "/bin/the cc", folder: "/top")
    }

    private let object = "-D__XEN__ -MMD -MF .a.o.d -c a.c -o a.o"

    @Test func commandsStandInTheFolderThatMakeIsIn() throws {
        let run = try dryRun(
            """
            make: Entering directory '/top/xen'
            echo CC; '/bin/the cc' \(object); fixdep '/bin/the cc \(object)' > .a.o.cmd
            make -C common
            make[1]: Entering directory '/top/xen/common'
            '/bin/the cc' -D__XEN__ -MMD \\
                -MF .b.o.d -c b.c -o b.o
            make[1]: Leaving directory '/top/xen/common'
            '/bin/the cc' -o tool tool.c
            make: Leaving directory '/top/xen'
            """)
        #expect(
            run.objects == [
                RecordedCommand(folder: "/top/xen", words: object.split(separator: " ").map(String.init)),
                RecordedCommand(folder: "/top/xen/common", words: ["-D__XEN__", "-MMD", "-MF", ".b.o.d", "-c", "b.c", "-o", "b.o"]),
            ])
        #expect(run.others == [RecordedCommand(folder: "/top/xen", words: ["-o", "tool", "tool.c"])])
    }

    @Test(arguments: [
        "'/bin/the cc' -D__XEN__ -MMD -MF .a.o.d -c $x -o a.o", "'/bin/the cc' -D__XEN__ -MMD -MF .a.o.d -c a.c -o a.o 2> log",
        "if '/bin/the cc' -D__XEN__ -MMD -MF .a.o.d -c a.c -o a.o; then true; fi", "A=b '/bin/the cc' -D__XEN__ -MMD -MF .a.o.d -c a.c -o a.o",
        "'/bin/the cc' -D__XEN__ `flags` -c a.c",
    ])
    func whatMayBeAnObjectMustBePlain(line: String) {
        #expect(throws: DryRun.NotUnderstood.self) { try dryRun(line) }
    }

    @Test(arguments: [
        "make[2]: *** No rule to make target 'prelink.o', needed by 'xen-syms'.\nmake[1]: *** [build.mk:90: xen] Error 2\nmake: *** [Makefile:592: xen] Error 2",
        "make[3]: *** No rule to make target '/a b/.xen.efi.0r.o'.  Stop.", "make[3]: *** No rule to make target `prelink-efi.o'.", "warning: make: nothing",
    ])
    func withoutObjectsNothingIsLinked(errors: String) throws {
        #expect(try dryRun("", errors: errors).objects.isEmpty)
    }

    @Test(arguments: [
        "make[2]: *** No rule to make target 'common/one.o', needed by 'common/built_in.o'.", "common/Makefile:7: *** missing separator.  Stop.",
        "make[2]: *** common: No such file or directory.  Stop.", "make[1]: *** No rule to make target 'include/generated.h'.",
    ])
    func otherErrorsMayHideObjects(errors: String) {
        #expect(throws: DryRun.NotUnderstood.self) { try dryRun("", errors: errors) }
    }

    @Test func movesToAnotherTree() throws {
        let run = try dryRun("make: Entering directory '/top/xen'\n'/bin/the cc' -D__XEN__ -MMD -MF /top/.d -I/top/include -c a.c -o a.o\n")
            .moved(from: "/top", to: "/other/place")
        #expect(run.objects.map(\.folder) == ["/other/place/xen"])
        #expect(run.objects.first?.words.filter { $0.contains("place") } == ["/other/place/.d", "-I/other/place/include"])
    }

    @Test(arguments: ["'/bin/the cc' $x -o tool tool.c > log", "'/bin/the cc' -D__XEN__ -m32 -c boot.c -o boot.32.o > log", "echo -c /bin/the"])
    func theRestNeedNotBe(line: String) throws {
        #expect(try dryRun(line).objects.isEmpty)
    }
}
