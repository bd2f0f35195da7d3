import TestTools
import Testing
import WorkFiles

@testable import XenBuild

@Suite struct BuildSystemQuirksTests {
    /// Files that no object depends on, by the architecture of the build.
    @Test(arguments: [
        ("arch/arm/domain.c", "x86_64", true), ("arch/x86/domain.c", "arm64", true), ("arch/arm/domain.c", "arm64", false),
        ("arch/arm/arm32/domctl.c", "arm64", true), ("arch/arm/arm32/domctl.c", "arm32", false),
        ("arch/arm/include/asm/arm64/io.h", "arm32", true), ("include/asm-arm/arm64/io.h", "arm32", true),
        ("arch/x86/x86_emulate/blk.c", "x86_64", false), ("arch/x86/x86_64/traps.c", "x86_64", false),
        ("include/asm-arm/io.h", "arm32", false), ("include/asm-x86/io.h", "arm32", true), ("common/arm64/x.c", "x86_64", false),
    ])
    func filesOfOtherArchitectures(path: String, architecture: String, isForeign: Bool) {
        let reason = BuildSystemQuirks.reasonNotBuilt(path, architecture: architecture)
        #expect((reason == "it is for another architecture") == isForeign, "\(reason ?? "none")")
    }

    @Test("the functions that stand for programs say what those say", arguments: ["sh", "bash"])
    func sparedProcesses(shell: String) async throws {
        let lines = #"""
            a.b.c
            .
            struct { union { int a; } u; } { x }
            _pad12
            _pad7x9
            _padding_pad1
             _pad1 with blanks  and 'quotes' "$x" * }{

            """#
        let commands = #"""
            for script in 's,\.,_,g' 's,[^{}],,g' 's,^_pad[[:digit:]]*,,' 's,a,b,g'; do sed "$script" <lines; echo "$?"; sed "$script" </dev/null; done
            for sum in '1 + 2' '3 - 3' '0 + 0' '5 - 9' '2 * 3'; do set -f; expr $sum; echo "$?"; done
            printf 'a.b' | sed 's,^a,b,'
            echo 'x.y' | sed -e 's,\.,_,g'
            """#
        try await withTemporaryFolder { folder in
            try WorkFiles.write(Array(lines.utf8), to: folder.appending("lines"))
            func answer(_ functions: String) async throws -> String {
                try await run(shell, ["-c", functions + commands], in: folder)
            }
            let programs = try await answer("")
            #expect(try await answer(BuildSystemQuirks.shellFunctions) == programs)
            #expect(programs.contains("a_b_c\n") && programs.contains("{{}}{}\n"))
        }
    }

    @Test func theObjectOfAllOthersMayLieInTheArchitecturesFolder() {
        let folders = ["arm", "x86", "riscv"]
        #expect(BuildSystemQuirks.prelinkObjects(folders: folders, architecture: "x86_64") == ["prelink.o", "arch/x86/prelink.o"])
        #expect(BuildSystemQuirks.prelinkObjects(folders: folders, architecture: "arm32") == ["prelink.o", "arch/arm/prelink.o"])
        #expect(BuildSystemQuirks.prelinkObjects(folders: [], architecture: "arm64") == ["prelink.o"])
    }
}
