import Testing

@testable import XenVersions

/// What the names of sections say.
@Suite struct SectionNameTests {
    @Test func aStemIsFollowedByADot() {
        #expect(SectionName.isOrBegins(".data", ".data") && SectionName.isOrBegins(".data.count", ".data"))
        #expect(!SectionName.isOrBegins(".data1", ".data"))
    }

    @Test(arguments: [".data.schedulers", ".rodata.vpci", ".dev.info"]) func collectedArrays(name: String) {
        #expect(SectionName.isCollectedArray(name) && !SectionName.isBoot(name))
    }

    @Test(arguments: [".init.text", ".exit.text", ".text.startup.main", ".initcall1.init", ".altinstr_aux"]) func bootSections(name: String) {
        #expect(SectionName.isBoot(name) && !SectionName.isCollectedArray(name))
    }

    @Test func tablesOfBugFrames() {
        #expect(SectionName.bugFrames(3) == ".bug_frames.3" && SectionName.isBugFrames(".bug_frames.0") && !SectionName.isBugFrames(".ex_table"))
    }
}
