import Testing

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

    @Test func theObjectOfAllOthersMayLieInTheArchitecturesFolder() {
        let folders = ["arm", "x86", "riscv"]
        #expect(BuildSystemQuirks.prelinkObjects(folders: folders, architecture: "x86_64") == ["prelink.o", "arch/x86/prelink.o"])
        #expect(BuildSystemQuirks.prelinkObjects(folders: folders, architecture: "arm32") == ["prelink.o", "arch/arm/prelink.o"])
        #expect(BuildSystemQuirks.prelinkObjects(folders: [], architecture: "arm64") == ["prelink.o"])
    }
}
