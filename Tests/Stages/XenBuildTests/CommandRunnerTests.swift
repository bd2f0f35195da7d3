import Testing

@testable import XenBuild

@Suite("what commands get of the caller's environment")
struct CommandRunnerTests {
    @Test("what tools need to work, and nothing that changes objects")
    func environment() {
        let caller = [
            "PATH": "/bin", "HOSTCC": "gcc-12", "CCACHE_DIR": "/cache", "CCACHE_COMPILER": "other", "CFLAGS": "-O3", "MAKEFLAGS": "-j9", "CC": "other",
        ]
        let passed = CommandRunner(caller: caller).environment
        #expect(passed["PATH"] == "/bin" && passed["HOSTCC"] == "gcc-12" && passed["CCACHE_DIR"] == "/cache")
        for name in ["CCACHE_COMPILER", "CFLAGS", "MAKEFLAGS", "CC"] { #expect(passed[name] == nil) }
        #expect(CommandRunner(caller: [:]).environment["HOSTCC"] == nil)
    }
}
