import Testing

@testable import XenVersions

/// What versions are called, and in what they differ.
@Suite struct VersionTests {
    @Test(arguments: [("4.17", XenVersion(major: 4, minor: 17)), ("5.0", XenVersion(major: 5, minor: 0))])
    func readsTwoNumbers(text: String, version: XenVersion) { #expect(XenVersion(text: text) == version) }

    @Test(arguments: ["", "4", "4.", ".17", "4.17.5", "4.x", "-4.17", "4.-1", "4 .17"])
    func refusesAnythingElse(text: String) { #expect(XenVersion(text: text) == nil) }

    @Test func pointReleasesDoNotOrder() {
        let (older, newer) = (XenVersion(major: 4, minor: 17, extra: ".1"), XenVersion(major: 4, minor: 17, extra: ".5"))
        #expect(!(older < newer) && !(newer < older) && newer < XenVersion(major: 4, minor: 18))
        #expect(newer.point == 5 && XenVersion(major: 4, minor: 23, extra: "-unstable").point == nil)
    }

    @Test(arguments: [
        (7, PayloadABI.livepatchV1Of47), (8, .livepatchV1), (13, .livepatchV1), (14, .livepatchV2), (22, .livepatchV2),
    ])
    func formatOfEachVersion(minor: Int, abi: PayloadABI) { #expect(XenVersion(major: 4, minor: minor).livepatchFormat == abi) }

    @Test func factsHoldFromTheirVersionOn() {
        func version(_ minor: Int) -> XenVersion { XenVersion(major: 4, minor: minor) }
        #expect(!version(10).countsAlternativePadding && version(11).countsAlternativePadding)
        #expect(!version(15).sparesLandingPads && version(16).sparesLandingPads)
        #expect(!version(17).hasLargeImageWindowOnARM && version(18).hasLargeImageWindowOnARM)
        #expect(!version(19).recognisesBugFramesOfPayloadsOnARM32 && version(20).recognisesBugFramesOfPayloadsOnARM32)
        #expect(!version(20).listsAlternativeCalls && version(21).listsAlternativeCalls)
        #expect(XenVersion(major: 5, minor: 0).listsAlternativeCalls)
    }

    @Test func functionsOfPatchingHaveBothNames() {
        let names = PatchingFunctions.names(in: XenVersion(major: 4, minor: 7))
        #expect(names.contains("check_for_livepatch_work") && names.contains("check_for_xsplice_work"))
        #expect(!names.contains("was_action_consistent") && !names.contains { $0.contains("%") })
        #expect(PatchingFunctions.names(in: XenVersion(major: 4, minor: 14)).contains("was_action_consistent"))
    }

    /// A fix that came to a branch with a point release holds from that one on; where the point release is not known, for the last one.
    @Test func behaviourFollowsPointReleases() {
        func behaviour(_ minor: Int, _ extra: String = "") -> LoaderBehaviour { LoaderBehaviour(XenVersion(major: 4, minor: minor, extra: extra)) }
        #expect(!behaviour(17, ".3").holdsAlternativesToPayload && behaviour(17, ".4").holdsAlternativesToPayload)
        #expect(behaviour(17).holdsAlternativesToPayload && behaviour(18, ".0").holdsAlternativesToPayload)
        #expect(!behaviour(16).holdsAlternativesToPayload)
    }
}
