import Testing

@testable import XenSource

@Suite struct BuildTraitsTests {
    /// `printf 'CONFIG_A=y\n' | gzip -n`.
    private static let packed: [UInt8] = [
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0x73, 0xf6, 0xf7, 0x73, 0xf3, 0x74, 0x8f, 0x77, 0xb4, 0xad, 0xe4, 0x02, 0x00,
        0x8e, 0xb1, 0x80, 0xda, 0x0b, 0, 0, 0,
    ]

    @Test func unpacks() {
        #expect(gunzip(Self.packed, limit: 100).map { String(decoding: $0, as: UTF8.self) } == "CONFIG_A=y\n")
    }

    @Test func refusesWhatIsDamagedOrTooLarge() {
        #expect(gunzip(Self.packed, limit: 5) == nil)
        #expect(gunzip(Array(Self.packed.dropLast(9)), limit: 100) == nil)
        #expect(gunzip([1, 2, 3], limit: 100) == nil)
        #expect(gunzip([], limit: 100) == nil)
    }

    @Test func readsWhatCompilersSayOfThemselves() {
        #expect(BuildTraits.compilers(inComment: Array("GCC: 12\0GCC: 12\0clang\0".utf8)) == ["GCC: 12", "clang"])
        #expect(BuildTraits.flags(inProducer: "GNU C99 12.2.0 -m64 -O2") == ["-m64", "-O2"])
    }

    @Test func differencesLeaveOutWhatIsAboutTools() {
        let there = KernelConfiguration(text: "CONFIG_A=y\nCONFIG_N=64\nCONFIG_GCC_VERSION=110000\nCONFIG_CC_HAS_X=y")
        let here = KernelConfiguration(text: "CONFIG_B=y\nCONFIG_N=32\nCONFIG_GCC_VERSION=120000")
        #expect(
            there.describedDifferences(from: here)
                == ["CONFIG_A is y there, not set here", "CONFIG_B is not set there, y here", "CONFIG_N is 64 there, 32 here"])
    }
}
