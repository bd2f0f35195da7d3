import LivepatchBuild
import Report
import Testing
import XenBuild

@testable import XspliceCommand

/// The words for what a build reports.
@Suite struct TerminalObserverTests {
    private let output = MemorySink()

    private func observer(isTerminal: Bool = false) -> TerminalObserver {
        TerminalObserver(Terminal(Console(output: output, error: output, outputStyle: TextStyle(width: 70, isTerminal: isTerminal)), clock: { .zero }))
    }

    private func report(_ architecture: String, isRunning: Bool = true) -> BuildReport {
        var report = BuildReport(tree: .init(path: "/xen", version: "4.17.5", architecture: architecture, format: "livepatch v2"))
        if isRunning { report.hypervisor = .init(xenSyms: "xen-syms", buildID: "bb359fb422930011", builtHere: false) }
        return report
    }

    @Test func oneTargetHasOneHeading() {
        observer().observe(.began([report("x86_64")]))
        #expect(output.text == "Xen 4.17.5 x86_64, livepatch v2, build-id bb359fb42293…  (xen-syms: xen-syms)\n")
    }

    @Test func severalTargetsHaveOneEachAndOneForAll() {
        let reports = [report("x86_64"), report("arm64", isRunning: false)]
        observer().observe(.began(reports))
        for report in reports { observer().observe(.beganTarget(report)) }
        #expect(
            output.text == """
                Xen 4.17.5, livepatch v2, for x86_64, arm64

                Xen 4.17.5 x86_64, livepatch v2, build-id bb359fb42293…  (xen-syms: xen-syms)

                Xen 4.17.5 arm64, livepatch v2
                No --xen-syms is given: a hypervisor is built first, which takes some minutes the first time.

                """)
    }

    @Test func eachStageIsOneLine() {
        let observer = observer()
        let stages: [(BuildStage, StageOutcome)] = [
            (.patch, .patched(.init(sources: ["a/fix.patch"], files: []))),
            (.compile, .compiled(.init(objects: 9, concerned: 2, compiled: 3, fromCache: 1, compiler: "gcc"))),
            (.hypervisor, .builtHypervisor(buildID: "bb")), (.compare, .compared(.init(same: 1, changed: 1, new: 0, refused: 0))),
            (.hunks, .accountedFor([.init(patch: "a", line: 1, file: "xen/a.c", hunk: 1, ending: .compared, objects: ["a.o"])])), (.link, .linked(nil)),
            (.original, .foundOriginal(.init(replaced: 1, equal: 1))), (.check, .checked(isAccepted: true, version: "4.17.5")),
            (.check, .checked(isAccepted: false, version: "4.17.5")),
            (.proof, .proven(.init(functions: 3, references: 41, tableEntries: 6, hypervisorVariables: 2))),
            (.proof, .proven(.init(functions: 1, references: 1, tableEntries: 0, hypervisorVariables: 1))),
        ]
        for (stage, outcome) in stages {
            observer.observe(.beganStage(stage))
            observer.observe(.endedStage(outcome))
        }
        for wasInterrupted in [false, true] {
            observer.observe(.beganStage(.compile))
            observer.observe(.failedStage(.compile, wasInterrupted: wasInterrupted))
        }
        #expect(
            output.text == """
                 ✓ patch      fix.patch: 0 files, +0 −0
                 ✓ compile    2 of 9 objects concerned, 3 compiled, 1 from cache
                 ✓ hypervisor xen-syms built, build-id bb
                 ✓ compare    1 function the same, 1 changed, 0 new, 0 refused
                 ✓ hunks      1 hunk: 1 in an object that differs
                 ✓ link       no payload
                 ✓ original   1 of 1 replaced function equals the running hypervisor byte for byte
                 ✓ check      the loader of Xen 4.17.5 would accept it
                 ✗ check      the loader of Xen 4.17.5 would refuse it
                 ✓ proof      3 functions, 41 references, 6 table entries; 2 variables are the hypervisor's own
                 ✓ proof      1 function, 1 reference, 0 table entries; 1 variable is the hypervisor's own
                 ✗ compile    failed
                 ✗ compile    interrupted

                """)
    }

    @Test(
        arguments: [
            (.building(BuildProgress(.copying)), "copying"), (.building(BuildProgress(.compiling, done: 1_000, total: 2_000)), "1,000 of 2,000 compiled"),
            (.compared(3, of: 4), "3 of 4 compared"), (.comparingTypes, "types"),
        ] as [(StageProgress, String)])
    func progressIsShownInTheLiveLine(progress: StageProgress, words: String) {
        let observer = observer(isTerminal: true)
        observer.observe(.beganStage(.compile))
        observer.observe(.progress(progress))
        #expect(output.text.hasSuffix(" compile    \(words)"), "\(output.text)")
        observer.observe(.failedStage(.compile, wasInterrupted: false))
    }
}
