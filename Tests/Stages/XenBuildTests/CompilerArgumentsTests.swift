import CompilerRecorder
import Testing

@testable import XenBuild

private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

@Suite struct CompilerArgumentsTests {
    @Test(arguments: [
        // An object of the hypervisor, as Xen 4.17 compiles it with unique symbols and as 4.7 does.
        (
            "gcc -MMD -MP -MF common/.kernel.o.d -m64 -D__XEN__ -include ./include/xen/config.h -c common/kernel.c -o common/.kernel.o.tmp -MQ common/kernel.o",
            true
        ),
        ("ccache gcc -D__XEN__ -MMD -MF .domain.o.d -c domain.c -o domain.o", true),
        ("gcc -D __XEN__ -D__ASSEMBLY__ -Wp,-MD,.entry.o.d -c entry.S -o entry.o", true),
        // Boot code, a host tool, probes, generators, links.
        ("gcc -MMD -MF boot/.reloc.o.d -m32 -D__XEN__ -c boot/reloc.c -o boot/reloc.o", false),
        ("gcc -Wp,-MD,tools/.fixdep.d -o tools/fixdep tools/fixdep.c", false),
        ("gcc -D__XEN__ -c -x c -o /dev/null -", false),
        ("gcc -D__XEN__ -MMD -MF .check.o.d -c arch/x86/efi/check.c -o arch/x86/efi/check.o", false),
        ("gcc -D__XEN__ -c check.c -o check.o", false),
        ("gcc -D__XEN__ -MMD -MF .a.d -S -o asm-offsets.s arch/x86/asm-offsets.c", false),
        ("gcc -D__XEN__ -MMD -MF .a.d -E -o xen.lds arch/x86/xen.lds.S", false),
        ("gcc --version", false),
    ])
    func tellsObjectsFromAllElse(command: String, isObject: Bool) {
        #expect(CompilerArguments(words(command)).isHypervisorObject == isObject)
    }

    @Test func readsWhatMatters() {
        let arguments = CompilerArguments(words("gcc -I include -include a/config.h -D X=1 -MF d -MQ t -c s.c -o o.o -x c"))
        #expect(arguments.inputs == ["s.c"])
        #expect(arguments.output == "o.o")
        #expect(arguments.dependencyFile == "d")
        #expect(arguments.dependencyTarget == "t")
        #expect(arguments.forcedIncludes == ["a/config.h"])
        #expect(arguments.defines == ["X=1"])
        #expect(CompilerArguments(["gcc", "-o"]).output == nil)
        #expect(CompilerArguments([]).inputs.isEmpty)
    }

    @Test func recordsSurviveTheFile() throws {
        let record = RecordedCommand(folder: "/a b", words: ["gcc", "", "-DX=\"y z\"", "\n"])
        #expect(try #require(RecordedCommand(bytes: record.bytes)) == record)
        #expect(RecordedCommand(bytes: Array(record.bytes.dropLast())) == nil)
        #expect(RecordedCommand(bytes: []) == nil)
    }
}

@Suite struct ObjectCommandTests {
    private let top = "/cache/tree/top"
    private func command(_ text: String, in folder: String = "/cache/tree/top/xen") -> ObjectCommand? {
        ObjectCommand(RecordedCommand(folder: folder, words: words(text)), top: "/cache/tree/top")
    }

    @Test func namesObjectsByTheirFinalPlace() throws {
        let flags = "gcc -D__XEN__ -MMD -MF x.d"
        #expect(command("\(flags) -c common/kernel.c -o common/.kernel.o.tmp")?.name == "common/kernel.o")
        let nested = try #require(command("\(flags) -c ../domain.c -o domain.o", in: "/cache/tree/top/xen/arch/x86"))
        #expect(nested.name == "arch/x86/domain.o")
        #expect(nested.source == "arch/domain.c")
        // Belongs to the last link; lies outside.
        #expect(command("\(flags) -c .xen-syms.0.S -o ./.xen-syms.0.o") == nil)
        #expect(command("\(flags) -c /tmp/a.c -o /tmp/a.o") == nil)
        #expect(command("\(flags) -DINIT_SECTIONS_ONLY -c a.c -o a.o")?.isInitOnly == true)
    }

    @Test func replaysInAnotherTreeWithOtherOutputs() throws {
        let recorded = "gcc -MMD -MP -MF .a.d -g0 -D__XEN__ -I\(top)/xen/include -c a.c -o a.o -MQ a.o"
        let object = try #require(command(recorded))
        #expect(!object.command.words.joined().contains(top))
        let replay = object.command.replay(in: "/other", output: "/out/a.o", dependencies: "/out/a.d", extra: ["-g"])
        #expect(
            replay.joined(separator: " ")
                == "gcc -MP -D__XEN__ -I/other/xen/include -c a.c -MQ a.o -MD -MF /out/a.d -o /out/a.o -g")
        #expect(object.command.folder(in: "/other") == "/other/xen")
    }

    @Test func sameCommandInTwoTreesIsEqual() {
        let text = "gcc -MF d -D__XEN__ -include TOP/xen/config.h -c a.c -o a.o"
        func at(_ top: String) -> ObjectCommand? {
            let words = text.split(separator: " ").map { String($0).replacing("TOP", with: top) }
            return ObjectCommand(RecordedCommand(folder: top + "/xen", words: words), top: .init(top))
        }
        #expect(at("/one") != nil)
        #expect(at("/one") == at("/two/deeper"))
    }

    @Test func dependencyRules() {
        let rule = "a.o: a.c include/x.h \\\n with\\ space.h pound\\#.h dollar$$.h \\\n\ninclude/x.h:\n\nother: last.h"
        #expect(
            dependencies(inRule: Array(rule.utf8))
                == ["a.c", "include/x.h", "with space.h", "pound#.h", "dollar$.h", "last.h"])
        #expect(dependencies(inRule: []).isEmpty)
        #expect(dependencies(inRule: Array("\\".utf8)).isEmpty)
        #expect(dependencies(inRule: Array("a:".utf8)).isEmpty)
    }

    @Test func relativePaths() {
        #expect(relativePath("../x.h", from: "/t/xen/common", below: "/t/xen") == "x.h")
        #expect(relativePath("/t/xen/./a//b.h", from: "/", below: "/t/xen") == "a/b.h")
        #expect(relativePath("/t/xenon/a", from: "/", below: "/t/xen") == nil)
        #expect(relativePath("/t/xen", from: "/", below: "/t/xen") == nil)
        #expect(relativePath("../../../../etc/passwd", from: "/t/xen", below: "/t/xen") == nil)
    }
}
